"""What stands before every handler: which names and pages may call, what a page may load, which doors are shut."""

import hashlib
import re
from base64 import b64encode
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pullquote.origins import Origins
from pullquote.web.clients import SAFE_METHODS, VISITOR, path_of
from pullquote.web.problems import problem

_INLINE_SCRIPT = re.compile(rb"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", re.DOTALL)
_HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[^\s:@/\[\]]+)(:\d+)?")

HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
UNBUFFERED = {"cache-control": "no-store", "x-accel-buffering": "no"}  # nginx would keep an event back
# Doors of Gradio: the page needs these; the others (uploads, calls by name, the API's description) are shut.
GRADIO = "/gradio_api"
OPEN = tuple(
    f"{GRADIO}/{door}"
    for door in ("queue/join", "queue/data", "cancel", "reset", "heartbeat/", "startup-events", "app_id")
)
SHUT = ("/proxy", "/monitoring", "/file", "/dev")
EMBED = "/embed"  # the page again, as pages of listed origins frame it
FOR_EVERYONE = frozenset({"/widget.js", "/embed/allowed"})  # what any page may load: to be told that it is not listed
ASKING = frozenset({"/api/ask", "/api/v1/ask"})  # what pages of listed origins may call
NOBODY = Origins()
Dress = Callable[[bytes, Scope], bytes]
OWN_SITE = frozenset({"same-origin", "none"})  # "none": typed in, or a bookmark


def content_security_policy(page: bytes = b"", ancestors: str = "'none'") -> str:
    """The policy for a page: scripts of our own origin, and the very inline scripts that `page` was sent with.

    Styles may stand inline, because Gradio writes style tags.
    """
    digests = (hashlib.sha256(script).digest() for script in _INLINE_SCRIPT.findall(page))
    inline = "".join(f" 'sha256-{b64encode(digest).decode()}'" for digest in digests)
    return (
        f"default-src 'none'; script-src 'self'{inline}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'self'; "
        f"frame-src 'self'; frame-ancestors {ancestors}"
    )


def cross_origin(origins: Origins) -> dict[str, Any]:
    """How `CORSMiddleware` lets pages of listed origins ask; without one of ours, Gradio lets every page."""
    return {
        "allow_origin_regex": origins.pattern,
        "allow_methods": ["GET", "POST"],
        "allow_headers": ["content-type", VISITOR],
        "expose_headers": ["retry-after", "x-request-id"],
    }


class Guard:
    """Pure ASGI middleware (server-sent events are not buffered): refuses foreign callers, adds the headers.

    `hosts` are the names that it answers to, in lower case; "*.corp" is every name under it, "*" is any. `origins` may
    frame the page, which is served under /embed too, and ask from a browser. `dress` is what becomes of Gradio's page
    for a request, before its policy is made.
    """

    def __init__(
        self, app: ASGIApp, hosts: frozenset[str], origins: Origins = NOBODY, dress: Dress = lambda page, _: page
    ) -> None:
        self._app = app
        self._dress = dress
        self._hosts = hosts
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        # Gradio's page is sent whole, so that its policy can name its inline scripts; everything else passes through.
        held: list[Message] = []
        page = bytearray()
        path = path_of(scope)
        refusal = self._refusal(scope, Headers(scope=scope))
        ancestors = self._origins.ancestors if path == EMBED and not refusal else "'none'"

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update({**HEADERS, "content-security-policy": content_security_policy(ancestors=ancestors)})
                kind = headers.get("content-type", "")
                if kind.startswith("text/html"):
                    headers.add_vary_header("accept-language")
                if kind.startswith("text/event-stream"):
                    headers.update(UNBUFFERED)
                if path in {"/", EMBED} and kind.startswith("text/html"):
                    held.append(message)
                    return
            elif held:
                page.extend(message.get("body", b""))
                if message.get("more_body"):
                    return
                dressed = self._dress(bytes(page), scope)
                headers = MutableHeaders(scope=held[0])
                headers["content-security-policy"] = content_security_policy(dressed, ancestors)
                if page:  # a HEAD request gets none
                    headers["content-length"] = str(len(dressed))
                await send(held.pop())
                message = {"type": "http.response.body", "body": dressed}
            await send(message)

        if path == EMBED:
            root = scope.get("root_path", "") + "/"
            scope = {**scope, "path": root, "raw_path": root.encode()}
        await (refusal or self._app)(scope, receive, send_guarded)

    def _refusal(self, scope: Scope, headers: Headers) -> ASGIApp | None:
        """What this request is turned away with; None when it may pass."""
        named = _HOST.fullmatch(headers.get("host", "").lower())
        name = named["name"].strip("[]") if named else ""
        if not self._answers_to(name):
            return problem(400, f"this app does not answer to the name {name!r}; add it to PULLQUOTE_HOSTS")
        path = path_of(scope)
        if is_shut(path):
            return problem(404, "not found")
        if not self._may_call(path, scope["method"], headers):
            return problem(403, "this page may not ask here")
        if path == EMBED and not self._may_frame(scope, headers):
            return problem(403, "this page may not show the chat; its origin can be added to PULLQUOTE_EMBED_ORIGINS")
        return None

    def _may_call(self, path: str, method: str, headers: Headers) -> bool:
        if path in FOR_EVERYONE or not is_foreign(method, headers):
            return True
        return path in ASKING and self._origins.allows(headers.get("origin"))

    def _may_frame(self, scope: Scope, headers: Headers) -> bool:
        """Whether the origin that the frame says it is in is listed: to that one the page will send its messages."""
        said = parse_qs(scope["query_string"].decode("latin-1")).get("host", [])
        return all(is_own(origin, headers) or self._origins.allows(origin) for origin in said)

    def _answers_to(self, name: str) -> bool:
        if {name, "*"} & self._hosts:
            return True
        return any(known.startswith("*.") and name.endswith(known[1:]) for known in self._hosts)


def is_shut(path: str) -> bool:
    """Whether this is one of Gradio's doors that nobody needs."""
    return path.startswith(SHUT) or (path.startswith(GRADIO) and not path.startswith(OPEN))


def is_foreign(method: str, headers: Headers) -> bool:
    """Whether a browser says that another site's page makes this request. Programs say nothing of it and may call.

    A link from another site may be followed: that is a look which no page sees the result of (the resource isolation
    policy of https://web.dev/articles/fetch-metadata).
    """
    origin = headers.get("origin")
    if origin is not None and not is_own(origin, headers):
        return True
    is_link = method in SAFE_METHODS and headers.get("sec-fetch-mode") == "navigate"
    return headers.get("sec-fetch-site", "none") not in OWN_SITE and not is_link


def is_own(origin: str, headers: Headers) -> bool:
    """Whether an origin is the app's own, by the name that it is called by."""
    return origin.partition("://")[2] == headers.get("host")
