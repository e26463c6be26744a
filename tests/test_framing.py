"""What is said of pages that cannot show the chat; the browser's tests see the same pages refuse it."""

import httpx
import pytest

from pullquote.errors import FetchError
from pullquote.framing import check, parse_policy, permits

PAGE, APP = "https://intranet.example/page", "https://ask.example"
TAG = f'<script src="{APP}/widget.js" defer></script>'
GOOD = f"default-src 'self'; script-src {APP}; frame-src {APP}; connect-src {APP}"


def web(html: str = TAG, policy: str = "", listed: bool = True, scheme: str = "https") -> httpx.MockTransport:
    """An intranet of two servers: one page, and an app that lists it or not."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == "intranet.example":
            return httpx.Response(200, html=html, headers={"content-security-policy": policy} if policy else {})
        if request.url.host != "ask.example" or request.url.scheme != scheme:
            raise httpx.ConnectError("refused")
        if request.url.path == "/widget.js":
            return httpx.Response(200, text="", headers={"content-type": "text/javascript"})
        if request.url.path == "/embed/allowed":
            return httpx.Response(
                200, json={"allowed": listed and request.headers["origin"] == "https://intranet.example"}
            )
        ancestors = "frame-ancestors 'self' https://*.example" if listed else "frame-ancestors 'none'"
        return httpx.Response(200 if listed else 403, headers={"content-security-policy": ancestors})

    return httpx.MockTransport(answer)


def wrong(app: str | None = None, page: str = PAGE, **given: object) -> dict[str, str]:
    found = check(page, app, web(**given))  # type: ignore[arg-type]
    return {one.name: one.advice for one in found if not one.is_well}


@pytest.mark.parametrize("policy", ["", GOOD, "script-src https:; frame-src *.example:443", "img-src 'none'"])
def test_a_page_in_which_all_is_well(policy: str) -> None:
    assert wrong(policy=policy) == {}


@pytest.mark.parametrize("directive", ["script-src", "frame-src", "connect-src"])
def test_a_directive_that_is_missing_is_named(directive: str) -> None:
    names = [part for part in GOOD.split("; ") if not part.startswith(directive)]
    assert wrong(policy="; ".join(names)) == {
        f"the policy's {directive}": f"add to the page's policy: {directive} {APP}"
    }
    meta = f'<meta http-equiv=Content-Security-Policy content="{"; ".join(names)}">{TAG}'
    assert list(wrong(html=meta)) == [f"the policy's {directive}"]
    assert list(wrong(policy=f"{GOOD}, {'; '.join(names)}")) == [f"the policy's {directive}"]


def test_what_else_can_be_wrong_is_named() -> None:
    assert "PULLQUOTE_EMBED_ORIGINS=https://intranet.example" in wrong(listed=False)["the origin is listed (CORS)"]
    assert "the frame is let in (frame-ancestors)" in wrong(listed=False)
    assert list(wrong(policy="sandbox allow-scripts")) == ["no sandbox"]
    assert list(wrong(html="<h1>Nothing</h1>", app=APP)) == ["the page has the script"]
    assert list(wrong(scheme="http")) == ["the app answers"]
    assert list(wrong(html=TAG.replace("https", "http"), scheme="http")) == ["no mixed content"]


@pytest.mark.parametrize("page", ["https://gone.example/", "nonsense"])
def test_a_page_that_does_not_answer_is_an_error(page: str) -> None:
    with pytest.raises(FetchError, match="does not answer"):
        list(check(page, None, web()))
    with pytest.raises(FetchError, match="--app"):
        list(check(PAGE, None, web(html="<h1>Nothing</h1>")))


@pytest.mark.parametrize(
    ("source", "fits"),
    [
        ("*", True),
        ("https:", True),
        ("http:", True),
        ("'self'", False),
        ("'none'", False),
        ("ask.example", True),
        ("http://ask.example", True),
        ("https://*.example", True),
        ("https://*.ask.example", False),
        ("https://k.example", False),
        ("ask.example:8443", False),
        ("ask.example:*", True),
        ("https://ask.example/widget.js", True),
        ("https://ask.example/other/", False),
        ("'unsafe-inline'", False),
        ("'strict-dynamic' https://ask.example", False),
        ("'nonce-abc' 'strict-dynamic'", True),
    ],
)
def test_sources_are_read_as_browsers_read_them(source: str, fits: bool) -> None:
    policy = parse_policy(f"SCRIPT-SRC {source}; script-src *")
    assert permits(policy, "script-src", f"{APP}/widget.js", PAGE, "abc") == fits
