"""Whether a page can show the chat, seen from here: the page's own policy and address, and what the app says of it."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import httpx

from pullquote.errors import FetchError

SECONDS = 10.0  # for each request
FALLBACKS = {
    "script-src": ("script-src-elem", "script-src", "default-src"),
    "frame-src": ("frame-src", "child-src", "default-src"),
    "connect-src": ("connect-src", "default-src"),
}
PORTS = {"http": 80, "https": 443}
LOOPBACK = re.compile(r"localhost|.*\.localhost|127\.[\d.]+|\[?::1\]?")  # not mixed content, whatever the page's scheme


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was tried: whether it is well, and if not, who must do what."""

    name: str
    is_well: bool
    advice: str = ""


class _Page(HTMLParser):
    """The widget's script tag, if the page has one, and the policies in its meta tags."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.script: str | None = None
        self.nonce: str | None = None
        self.policies: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        source = given.get("src") or ""
        if tag == "script" and urlsplit(source).path.endswith("/widget.js"):
            self.script, self.nonce = source, given.get("nonce")
        if tag == "meta" and (given.get("http-equiv") or "").lower() == "content-security-policy":
            self.policies.append(given.get("content") or "")


def check(url: str, app: str | None = None, network: httpx.BaseTransport | None = None) -> Iterator[Finding]:
    """What stands between the page at `url` and the chat. `app` is for a page that does not name it yet.

    Raises `FetchError` where the page itself does not answer.
    """
    with httpx.Client(timeout=SECONDS, follow_redirects=True, transport=network) as client:
        answer = _get(client, url)
        if answer is None or answer.status_code >= 400:
            said = f" ({answer.status_code})" if answer else ""
            raise FetchError(f"{url} does not answer{said}; check the address, or try from a machine that reaches it")
        page = _Page(answer.text)
        where = str(answer.url)
        script = urljoin(where, page.script) if page.script else urljoin(app or "", "/widget.js") if app else None
        if not script:
            raise FetchError("the page has no <script src=…/widget.js>; name the app with --app https://ask.example")
        tag = f'paste into the page: <script src="{script}" defer></script>'
        yield Finding("the page has the script", page.script is not None, tag)
        yield from _policy(
            where, script, [*answer.headers.get_list("content-security-policy"), *page.policies], page.nonce
        )
        yield from _app(client, origin_of(where), script)


def _policy(page: str, script: str, policies: Iterable[str], nonce: str | None) -> Iterator[Finding]:
    """What the page's own browser would say: mixed content, and its Content-Security-Policy."""
    app = urlsplit(script)
    is_mixed = page.startswith("https:") and app.scheme == "http" and not LOOPBACK.fullmatch(app.hostname or "")
    yield Finding("no mixed content", not is_mixed, f"the page is on https; serve {origin_of(script)} over https too")
    parsed = [parse_policy(one) for policy in policies for one in policy.split(",")]
    boxes = [one["sandbox"] for one in parsed if "sandbox" in one]
    is_free = all({"allow-scripts", "allow-same-origin"} <= set(box) for box in boxes)
    yield Finding("no sandbox", is_free, "the page's policy must say: sandbox allow-scripts allow-same-origin")
    for directive in FALLBACKS:
        is_let_in = all(permits(one, directive, script, page, nonce) for one in parsed)
        yield Finding(
            f"the policy's {directive}", is_let_in, f"add to the page's policy: {directive} {origin_of(script)}"
        )


def _app(client: httpx.Client, origin: str, script: str) -> Iterator[Finding]:
    """What the app says of the page's origin."""
    found = _get(client, script)
    answers = found is not None and "javascript" in found.headers.get("content-type", "")
    yield Finding("the app answers", answers, f"{script} gave no script; start Pullquote, and check the address")
    if not answers:
        return
    told = _get(client, urljoin(script, "embed/allowed"), {"origin": origin})
    is_ours = told is not None and "json" in told.headers.get("content-type", "")
    allowed = told is not None and is_ours and told.json().get("allowed") is True
    hint = f"the app's operator must add to its settings: PULLQUOTE_EMBED_ORIGINS={origin}"
    yield Finding("the origin is listed (CORS)", allowed, hint)
    framed = _get(client, urljoin(script, "embed"), params={"host": origin})
    policy = parse_policy(framed.headers.get("content-security-policy", "")) if framed else {}
    ancestors = policy.get("frame-ancestors", [])
    may = framed is not None and framed.status_code == 200 and any(_fits(one, origin, script) for one in ancestors)
    yield Finding("the frame is let in (frame-ancestors)", may, hint)


def _get(
    client: httpx.Client, url: str, headers: dict[str, str] | None = None, params: dict[str, str] | None = None
) -> httpx.Response | None:
    try:
        return client.get(url, headers=headers, params=params)
    except (httpx.HTTPError, httpx.InvalidURL):
        return None


def parse_policy(text: str) -> dict[str, list[str]]:
    """The directives of one Content-Security-Policy, of which the first of a name counts, and their sources."""
    words = [part.split() for part in text.split(";")]
    return {one[0].lower(): one[1:] for one in reversed(words) if one}


def permits(policy: dict[str, list[str]], directive: str, url: str, page: str, nonce: str | None = None) -> bool:
    """Whether a policy lets the page load `url` by this directive (CSP 3, section 6.7)."""
    found = next((policy[name] for name in FALLBACKS[directive] if name in policy), None)
    if found is None:
        return True
    if directive == "script-src" and nonce and f"'nonce-{nonce}'" in found:
        return True
    is_strict = directive == "script-src" and "'strict-dynamic'" in found  # then hosts in the list do not count
    return not is_strict and any(_fits(source, url, page) for source in found)


def _fits(source: str, url: str, own: str) -> bool:
    """Whether a source expression fits an address; `own` is what 'self' stands for."""
    if source == "'self'":
        return origin_of(url) == origin_of(own)
    if source.startswith("'"):
        return False
    at = urlsplit(url)
    schemes = {at.scheme, "http"} if at.scheme == "https" else {at.scheme}  # who lets http in lets https in
    if source == "*" or source.lower().removesuffix(":") in schemes:
        return True
    match = re.fullmatch(r"(?:(https?)://)?(\*|(?:\*\.)?[^:/*]+)(?::(\d+|\*))?(/.*)?", source, re.IGNORECASE)
    if not match:
        return False
    scheme, host, port, path = match.groups(default="")
    name, usual = at.hostname or "", PORTS.get(at.scheme, 0)
    fits_host = host == "*" or name == host.lower() or (host.startswith("*.") and name.endswith(host[1:].lower()))
    fits_port = port == "*" or int(port or usual) == (at.port or usual)
    fits_path = not path or at.path == path or (path.endswith("/") and at.path.startswith(path))
    return (scheme or urlsplit(own).scheme).lower() in schemes and fits_host and fits_port and fits_path


def origin_of(url: str) -> str:
    """Scheme, host and port as browsers write an origin."""
    at = urlsplit(url)
    usual = at.port in {None, PORTS.get(at.scheme)}
    return f"{at.scheme}://{at.hostname}" + ("" if usual else f":{at.port}")
