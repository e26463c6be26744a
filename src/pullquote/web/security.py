"""What stands before every handler: which pages may call, what a page may load, which of Gradio's doors are shut."""

import hashlib
import re
from base64 import b64encode
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_INLINE_SCRIPT = re.compile(rb"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", re.DOTALL)

HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
# Doors of Gradio that this app has no use for: uploads are accepted even without an upload field.
SHUT = (
    "/gradio_api/upload",
    "/gradio_api/file",
    "/gradio_api/stream",
    "/gradio_api/component_server",
    "/proxy",
    "/monitoring",
)
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


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
    """Pure ASGI middleware (server-sent events are not buffered): refuses foreign callers, adds the headers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        # Gradio's page is sent whole, so that its policy can name its inline scripts; everything else passes through.
        held: list[Message] = []
        page = bytearray()

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update({**HEADERS, "content-security-policy": content_security_policy()})
                if scope["path"] == "/" and headers.get("content-type", "").startswith("text/html"):
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

        if scope["path"].startswith(SHUT):
            await PlainTextResponse("not found", 404)(scope, receive, send_guarded)
        elif scope["method"] not in SAFE_METHODS and is_foreign(Headers(scope=scope)):
            await PlainTextResponse("this page may not ask here", 403)(scope, receive, send_guarded)
        else:
            await self.app(scope, receive, send_guarded)


def is_foreign(headers: Headers) -> bool:
    """Whether a browser says that another site's page makes this request. Programs send no Origin and may call."""
    origin = headers.get("origin")
    if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return True
    return origin is not None and urlsplit(origin).netloc != headers.get("host")
