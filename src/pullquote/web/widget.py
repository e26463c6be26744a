"""The chat in other pages: the script that puts it there, and what the script asks when it does not appear."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from pullquote.messages import ENGLISH, Messages, own_names
from pullquote.origins import Origins
from pullquote.web.languages import CACHED, messages_of, widget
from pullquote.web.pages import TEMPLATES

FOR_EVERYONE = {"access-control-allow-origin": "*", "cross-origin-resource-policy": "cross-origin"}


def routes(origins: Origins, is_open: bool) -> APIRouter:
    """The routes, for one allowlist, of an app that is open or has people sign in.

    The framed page itself is the chat page, served by the guard under /embed.
    """
    router = APIRouter()

    @router.get("/widget.js")
    def script(request: Request) -> Response:
        found = widget(messages_of(request).language)
        return Response(found, media_type="text/javascript", headers=FOR_EVERYONE | CACHED)

    @router.get("/embed/snippet")
    def snippet(request: Request) -> Response:
        shown = {"listed": origins.entries, "languages": own_names()}
        return TEMPLATES.TemplateResponse(request, "snippet.html", shown)

    @router.get("/embed/check")
    def check(request: Request) -> Response:
        return TEMPLATES.TemplateResponse(request, "check.html")

    @router.get("/embed/allowed")
    def allowed(request: Request) -> JSONResponse:
        """Whether the page that asks may show the chat, and why it sees none: told to any page, about itself only."""
        origin = request.headers.get("origin")
        found = {"allowed": origins.allows(origin), "why": why(origin, origins, is_open, messages_of(request))}
        return JSONResponse(found, headers=FOR_EVERYONE | {"cache-control": "no-store"})

    return router


def why(origin: str | None, origins: Origins, is_open: bool = True, _: Messages = ENGLISH) -> str:
    """One sentence for a page in which the chat did not appear though this app answers: who must do what."""
    if origin == "null":
        return _(
            "This page has no origin of its own (it is sandboxed, or a file), so it may not show the chat. Its owner "
            "must serve it from a web address, and a sandbox must say allow-same-origin."
        )
    if origins.allows(origin) and not is_open:
        return _(
            "People sign in to this app, which a page inside another cannot have them do. Whoever runs it must set "
            "PULLQUOTE_ACCESS=open for the chat to be shown here; else open it in full."
        )
    if origin is None or origins.allows(origin):
        return _(
            "The chat did not start. Please try again. If this page stands inside another one, the other’s origin "
            "must be in PULLQUOTE_EMBED_ORIGINS too."
        )
    scheme, _separator, rest = origin.partition("://")
    other = {"http": "https", "https": "http"}.get(scheme)
    if origins.allows(f"{other}://{rest}"):
        return _(
            "This page may show the chat over {other} only; open it as {address}, or have {origin} listed too.",
            other=other,
            address=f"{other}://{rest}",
            origin=origin,
        )
    return _(
        "{origin} may not show this chat. Whoever runs it must add {origin} to PULLQUOTE_EMBED_ORIGINS.", origin=origin
    )
