"""The article's own pages (server-rendered, so that a citation is an ordinary link), and the sign of life."""

import re
from pathlib import Path

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from fastapi.templating import Jinja2Templates

from pullquote import rendering
from pullquote.datatypes import heading_words
from pullquote.errors import UnknownArticle
from pullquote.shared_library import AnyLibrary
from pullquote.sources import SUFFIXES, is_page
from pullquote.visibility import seen_by as library_seen_by
from pullquote.web.access import Access
from pullquote.web.clients import root_of
from pullquote.web.conditional import tagged
from pullquote.web.languages import asked_in, in_templates, messages_of

FOLDER = Path(__file__).parent / "templates"
LITTLE = frozenset({"the", "of", "and", "to", "in", "is", "was", "that", "for", "with", "on", "by"})
ENGLISH_SHARE = 0.1  # prose has a fourth; German, which shares some of these words, a twentieth
LOOKED_AT = 3_000  # characters of an article
_WORD = re.compile(r"\w+")
TEMPLATES = Jinja2Templates(  # escapes everything in .html
    FOLDER, context_processors=[lambda request: {"root": root_of(request.scope)}, in_templates]
)
TEMPLATES.env.filters["heading_words"] = heading_words


def routes(library: AnyLibrary, access: Access) -> APIRouter:
    """The pages of one library."""
    router = APIRouter()
    readers = [Depends(access.reader)]

    def seen_by(request: Request) -> AnyLibrary:
        return library_seen_by(library, access.person(request).sees)

    @router.get("/healthz")
    def health() -> JSONResponse:
        return JSONResponse({"status": "ok", "revision": library.revision})

    @router.get("/read", dependencies=readers)
    def read(request: Request) -> Response:
        titles = seen_by(request).titles()
        if len(titles) == 1:
            return RedirectResponse(f"{root_of(request.scope)}/articles/{next(iter(titles))}{asked_in(request)}")
        return TEMPLATES.TemplateResponse(request, "read.html", {"titles": titles})

    @router.get("/articles")
    def articles(request: Request) -> Response:
        shown = {"suffixes": SUFFIXES, "person": access.person(request), "has_groups": access.mode != "open"}
        return TEMPLATES.TemplateResponse(request, "articles.html", shown)

    @router.get("/articles/{article_id}", dependencies=readers)
    def article(request: Request, article_id: str, quote: str = "", mark: str = "", version: str = "") -> Response:
        seen = seen_by(request)
        try:
            found = seen.article(article_id)
        except UnknownArticle:
            _ = messages_of(request)
            context = {"titles": {}, "message": _("This article is no longer in the library.")}
            return TEMPLATES.TemplateResponse(request, "read.html", context, status_code=404)
        stale = not found.sha256.startswith(version)
        spans = ((0, 0), (0, 0)) if stale else (_span(quote), _span(mark))
        url = found.source if is_page(found.source) else None
        shown = {
            "article": found,
            "blocks": rendering.article_blocks(found, *spans),
            "only": len(seen.titles()) == 1,
            "stale": stale,
            "is_english": is_english(found.text),
            "link": rendering.source_link(url, found.text[slice(*spans[0])], found.page_at(spans[0][0])),
        }
        return tagged(request, TEMPLATES.TemplateResponse(request, "article.html", shown))

    return router


def is_english(text: str) -> bool:
    """Whether a text is in English, by the share of its little words: a voice that reads it out has to know."""
    words = _WORD.findall(text[:LOOKED_AT].lower())
    return sum(word in LITTLE for word in words) > ENGLISH_SHARE * len(words)


def _span(text: str) -> tuple[int, int]:
    """The offsets in "12-34"; nothing marked for anything else."""
    match = re.fullmatch(r"(\d{1,9})-(\d{1,9})", text)
    return (int(match[1]), int(match[2])) if match else (0, 0)
