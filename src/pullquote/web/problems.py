"""HTTP's one boundary: whatever goes wrong becomes problem details (RFC 9457), and every answer has a request id."""

import logging
import re
import uuid
from collections.abc import Callable, Iterator
from http import HTTPStatus
from sqlite3 import DatabaseError
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from fastapi.sse import format_sse_event
from pydantic import BaseModel, Field
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pullquote.errors import (
    ArticleError,
    FeedbackError,
    JobError,
    LibraryError,
    MissingLibrary,
    QuestionError,
    UnknownArticle,
    UnknownJob,
)
from pullquote.logs import REQUEST_ID

log = logging.getLogger("pullquote")

STATUSES: dict[type[Exception], int] = {
    QuestionError: 422,
    ArticleError: 422,
    FeedbackError: 422,
    UnknownArticle: 404,
    LibraryError: 503,
    UnknownJob: 404,
    JobError: 429,
    DatabaseError: 503,
    MissingLibrary: 501,
}
BROKEN = "something broke on our side; the log has the details under this request id"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_ID = re.compile(r"[\w.-]{1,64}", re.ASCII)


class Problem(BaseModel):
    """What went wrong. `detail` is for people and says what to do next; `request_id` finds it in the log."""

    type: str = Field(description="`urn:pullquote:` and the name of the error; `about:blank` where the status says it")
    title: str
    status: int
    detail: str
    request_id: str


class ProblemResponse(JSONResponse):
    media_type = "application/problem+json"


# For the OpenAPI document: whatever is not listed for a route.
RESPONSES: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "Problem details (RFC 9457)",
        "content": {ProblemResponse.media_type: {"schema": Problem.model_json_schema()}},
    }
}


def problem(status: int, detail: str, headers: Any = None, kind: str = "", **more: Any) -> ProblemResponse:
    """A response that says what went wrong. `kind` names one of `errors.py`; `more` are further members."""
    title = HTTPStatus(status).phrase
    found = Problem(
        type=f"urn:pullquote:{kind}" if kind else "about:blank",
        title=title,
        status=status,
        detail=detail or title,
        request_id=REQUEST_ID.get(),
    )
    return ProblemResponse(found.model_dump() | more, status, headers)


def of(error: Exception) -> ProblemResponse:
    """The problem that an exception is. What nobody expected is logged, and shown as ours."""
    if isinstance(error, HTTPException):
        return problem(error.status_code, str(error.detail), error.headers)
    if isinstance(error, RequestValidationError):
        wrong = [{"detail": found["msg"], "at": _place(found["loc"])} for found in error.errors()]
        return problem(422, "; ".join(f"{one['at']}: {one['detail']}" for one in wrong), errors=wrong)
    for kind in type(error).__mro__:
        if kind in STATUSES:
            return problem(STATUSES[kind], str(error), kind=type(error).__name__)
    log.error("request %s failed", REQUEST_ID.get(), exc_info=error)
    return problem(500, BROKEN)


def stream(events: Iterator[bytes]) -> StreamingResponse:
    """Server-sent events as a response; what goes wrong on the way is the last of them, `problem`."""

    def until_the_end() -> Iterator[bytes]:
        try:
            yield from events
        except Exception as error:
            yield format_sse_event(event="problem", data_str=bytes(of(error).body).decode())

    return StreamingResponse(until_the_end(), media_type="text/event-stream")


def install(app: FastAPI, more: Callable[[ProblemResponse], ProblemResponse] = lambda found: found) -> None:
    """Have the app, and nothing around it, answer every error with a problem; `more` may add to it."""

    def answer(request: Request, error: Exception) -> ProblemResponse:
        if isinstance(error, HTTPException) and error.status_code == 405:
            error.headers = {**(error.headers or {}), "Allow": _allowed(request)}
        return more(of(error))

    for kind in (*STATUSES, HTTPException, RequestValidationError):
        app.add_exception_handler(kind, answer)
    app.add_middleware(Boundary, answer=answer)


class Boundary:
    """Pure ASGI middleware, the innermost: answers what no handler expected, unless the answer has begun."""

    def __init__(self, app: ASGIApp, answer: Callable[[Any, Exception], ProblemResponse]) -> None:
        self.app = app
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_begun = False

        async def watch(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self.app(scope, receive, watch)
        except Exception as error:
            if has_begun or scope["type"] != "http":
                raise
            await self._answer(None, error)(scope, receive, send)


class RequestIds:
    """Pure ASGI middleware, the outermost: gives each request its id, a proxy's or a new one, and the answer too."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        name = given if _ID.fullmatch(given) else uuid.uuid4().hex

        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["x-request-id"] = name
            await send(message)

        token = REQUEST_ID.set(name)
        try:
            await self.app(scope, receive, send_named)
        finally:
            REQUEST_ID.reset(token)


def _allowed(request: Request) -> str:
    """The methods that are right where this one is wrong; the route that said so knows its own only."""
    routes = request.app.routes
    scopes = ({**request.scope, "method": method} for method in METHODS)
    return ", ".join(one["method"] for one in scopes if any(route.matches(one)[0] is Match.FULL for route in routes))


def _place(loc: tuple[int | str, ...]) -> str:
    """Where in a request something is wrong: `body.question`, `query.wait`; of JSON that cannot be read, `body`."""
    return ".".join(str(part) for part in loc if not (loc[0] == "body" and isinstance(part, int) and len(loc) == 2))
