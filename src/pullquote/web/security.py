"""What stands before every handler: which names and pages may call, what a page may load, which doors are shut."""

import hashlib
import re
from base64 import b64encode

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pullquote.web.clients import SAFE_METHODS, path_of, refuse

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
OWN_SITE = frozenset({"same-origin", "none"})  # "none": typed in, or a bookmark


def content_security_policy(page: bytes = b"") -> str:
    """The policy for a page: scripts of our own origin, and the very inline scripts that `page` was sent with.

    Styles may stand inline, because Gradio writes style tags.
    """
    digests = (hashlib.sha256(script).digest() for script in _INLINE_SCRIPT.findall(page))
    inline = "".join(f" 'sha256-{b64encode(digest).decode()}'" for digest in digests)
    return (
        f"default-src 'none'; script-src 'self'{inline}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'self'; "
        "frame-ancestors 'none'"
    )


class Guard:
    """Pure ASGI middleware (server-sent events are not buffered): refuses foreign callers, adds the headers.

    `hosts` are the names that it answers to, in lower case; "*.corp" is every name under it, "*" is any.
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str]) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        # Gradio's page is sent whole, so that its policy can name its inline scripts; everything else passes through.
        held: list[Message] = []
        page = bytearray()

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update({**HEADERS, "content-security-policy": content_security_policy()})
                kind = headers.get("content-type", "")
                if kind.startswith("text/event-stream"):
                    headers.update(UNBUFFERED)
                if path_of(scope) == "/" and kind.startswith("text/html"):
                    held.append(message)
                    return
            elif held:
                page.extend(message.get("body", b""))
                if message.get("more_body"):
                    return
                headers = MutableHeaders(scope=held[0])
                headers["content-security-policy"] = content_security_policy(bytes(page))
                await send(held.pop())
                message = {"type": "http.response.body", "body": bytes(page)}
            await send(message)

        refusal = self._refusal(scope, Headers(scope=scope))
        await (refusal or self._app)(scope, receive, send_guarded)

    def _refusal(self, scope: Scope, headers: Headers) -> ASGIApp | None:
        """What this request is turned away with; None when it may pass."""
        named = _HOST.fullmatch(headers.get("host", "").lower())
        name = named["name"].strip("[]") if named else ""
        if not self._answers_to(name):
            return refuse(400, f"this app does not answer to the name {name!r}; add it to PULLQUOTE_HOSTS")
        if is_shut(path_of(scope)):
            return refuse(404, "not found")
        if is_foreign(scope["method"], headers):
            return refuse(403, "this page may not ask here")
        return None

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
    if origin is not None and origin.partition("://")[2] != headers.get("host"):
        return True
    is_link = method in SAFE_METHODS and headers.get("sec-fetch-mode") == "navigate"
    return headers.get("sec-fetch-site", "none") not in OWN_SITE and not is_link
