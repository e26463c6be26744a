"""HTTP: ask, health, and the article's own pages (server-rendered, so that a citation is an ordinary link)."""

import re
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from fastapi.templating import Jinja2Templates
from pydantic import BaseModel, Field

from pullquote import rendering
from pullquote.answering import Assistant
from pullquote.datatypes import heading_words
from pullquote.errors import LibraryError, QuestionError, UnknownArticle
from pullquote.settings import MAX_QUESTION

MAX_HISTORY = 200  # earlier questions sent along; the last ten count
TEMPLATES = Jinja2Templates(Path(__file__).parent / "templates")  # escapes everything in .html
TEMPLATES.env.filters["heading_words"] = heading_words


class Question(BaseModel):
    """What is asked: the earlier questions (oldest first), and the id of the article to ask, if only one is meant."""

    question: str = Field(max_length=MAX_QUESTION)
    history: list[str] = Field(default=[], max_length=MAX_HISTORY)
    article: str | None = None


def routes(assistant: Assistant) -> APIRouter:
    """The routes, answered by one assistant."""
    router = APIRouter()
    library = assistant.library

    @router.post("/api/ask")
    def ask(body: Question) -> Response:
        try:
            answer = assistant.ask(body.question, body.history, body.article or None)
        except QuestionError as error:
            raise HTTPException(422, str(error)) from error
        except UnknownArticle as error:
            raise HTTPException(404, str(error)) from error
        except LibraryError as error:
            raise HTTPException(503, str(error)) from error
        return Response(rendering.to_json(answer), media_type="application/json")

    @router.get("/healthz")
    def health() -> JSONResponse:
        return JSONResponse({"status": "ok", "revision": library.revision})

    @router.get("/articles")
    def articles(request: Request) -> Response:
        rows = [article for article, _ in library.articles()]
        if len(rows) == 1:
            return RedirectResponse(f"/articles/{rows[0].id}")
        return TEMPLATES.TemplateResponse(request, "articles.html", {"articles": rows})

    @router.get("/articles/{article_id}")
    def article(request: Request, article_id: str, quote: str = "", mark: str = "") -> HTMLResponse:
        try:
            found = library.article(article_id)
        except UnknownArticle:
            context = {"message": "This article is no longer in the library."}
            return TEMPLATES.TemplateResponse(request, "articles.html", context, status_code=404)
        blocks = rendering.article_blocks(found, _span(quote), _span(mark))
        only = len(library.articles()) == 1
        return TEMPLATES.TemplateResponse(request, "article.html", {"article": found, "blocks": blocks, "only": only})

    return router


def _span(text: str) -> tuple[int, int]:
    """The offsets in "12-34"; nothing marked for anything else."""
    match = re.fullmatch(r"(\d{1,9})-(\d{1,9})", text)
    return (int(match[1]), int(match[2])) if match else (0, 0)
