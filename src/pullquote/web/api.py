"""The HTTP interface: asking, its OpenAPI document, and the page that shows it."""

from collections.abc import Iterator
from importlib.metadata import version
from itertools import chain
from json import dumps
from typing import Annotated

from fastapi import APIRouter, FastAPI, Header, Request
from fastapi.responses import Response
from fastapi.sse import format_sse_event

from pullquote import rendering
from pullquote.answering import Assistant, Step
from pullquote.datatypes import Answer
from pullquote.payloads import Question
from pullquote.tagging import named
from pullquote.web import problems
from pullquote.web.access import person_in
from pullquote.web.describing import describe
from pullquote.web.pages import TEMPLATES

EVENTS = "text/event-stream"
ABOUT = (
    "Ask an article a question, get the answer in the article's own words. Errors are problem details "
    "(RFC 9457, `application/problem+json`); every answer has an `x-request-id`. "
    "OpenAI's clients find a model under `/v1`, and language models an MCP server under `/mcp`."
)


def build(*routers: APIRouter) -> FastAPI:
    """The interface made of these routes, to be mounted."""
    app = FastAPI(
        title="Pullquote",
        version=version("pullquote"),
        description=ABOUT,
        docs_url=None,
        redoc_url=None,
        responses=problems.RESPONSES,
    )
    problems.install(app)
    for router in routers:
        app.include_router(router)

    @app.get("/docs", include_in_schema=False)
    def docs(request: Request) -> Response:
        return TEMPLATES.TemplateResponse(request, "api.html", describe(app.openapi(), request.scope["root_path"]))

    return app


def routes(assistant: Assistant) -> APIRouter:
    """Asking one assistant."""
    router = APIRouter(tags=["Asking"])

    @router.post("/ask", response_model=Answer, responses={200: {"content": {EVENTS: {"schema": {"type": "string"}}}}})
    def ask(request: Request, body: Question, accept: Annotated[str, Header(include_in_schema=False)] = "") -> Response:
        """Ask a question.

        The answer is JSON; or, where the client accepts `text/event-stream`, an event `stage` for each thing that is
        being done; while a language model words the answer, an event `partial` with the JSON so far; and at last an
        event `answer` with the same JSON, or an event `problem`.
        """
        seen = assistant.seen_by(person_in(request.scope).sees)
        article = body.article or None
        if article:
            named(seen.library, article)
        if EVENTS in accept:
            steps = seen.stages(body.question, body.history, article)
            return problems.stream(_events(chain([next(steps)], steps)))  # a bad question is no stream
        answer = seen.ask(body.question, body.history, article)
        return Response(rendering.to_json(answer), media_type="application/json")

    return router


def _events(steps: Iterator[Step]) -> Iterator[bytes]:
    for step in steps:
        if isinstance(step, str):
            yield format_sse_event(event="stage", data_str=dumps({"stage": step}))
        elif isinstance(step, Answer):
            yield format_sse_event(event="partial", data_str=rendering.to_json(step))
        else:
            yield format_sse_event(event="answer", data_str=rendering.to_json(step.answer))
