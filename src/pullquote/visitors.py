"""Visitors' tokens: a page's own server says who asks there, signed with the secret that it shares with the app."""

import time

from pullquote.errors import AccessError

LONGEST = 3_600  # seconds that a token may be good for: it stands in a page
LEEWAY = 30  # seconds by which two clocks may differ
MAX_NAME = 200  # characters


def visitor_in(token: str, secret: str) -> str:
    """The visitor whom a token names: `sub` of a JSON Web Token (RFC 7519) by HS256, with an `exp`.

    Raises `AccessError`, with a sentence for whoever asks.
    """
    import jwt  # only pages that sign their visitors wait for it

    try:
        claims = jwt.decode(token, secret, algorithms=["HS256"], leeway=LEEWAY, options={"require": ["sub", "exp"]})
    except jwt.ExpiredSignatureError as error:
        raise AccessError("Your visitor’s token has expired. Please reload the page, which gets a new one.") from error
    except jwt.InvalidTokenError as error:
        raise AccessError(f"The visitor’s token of this page is not valid ({error}). Please tell its owner.") from error
    if claims["exp"] > time.time() + LONGEST + LEEWAY:
        raise AccessError("The visitor’s token of this page is good for over an hour. Please tell its owner.")
    name = str(claims["sub"])
    if not 1 <= len(name) <= MAX_NAME or not name.isprintable():
        raise AccessError(f"A visitor’s name has 1 to {MAX_NAME} characters. Please tell the owner of this page.")
    return name
