"""How much may be asked: the size of a request, the rate of one visitor and of all, and the line of who waits."""

import asyncio
import json
import math
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pullquote.settings import MAX_QUESTION, Settings
from pullquote.web.clients import SAFE_METHODS, path_of
from pullquote.web.problems import problem
from pullquote.web.rates import Rates

if TYPE_CHECKING:
    from pullquote.web.shared_rates import SharedRates

MAX_BODY = 1_000_000  # bytes; a question with the conversation before it
MAX_UPLOAD = 80_000_000  # bytes; `editing` counts the bytes of what it takes in once more
AT_ONCE = 4  # questions read at the same time; the others wait in line
LINE_SECONDS = 5  # after which somebody for whom the line was too long may try again

EDITING = ("/api/articles", "/api/jobs", "/api/v1/articles", "/api/v1/jobs")  # has a queue and limits of its own
PAGE = "/gradio_api/"
QUICK = ("/login", "/logout")  # need no place in line

Visitor = Callable[[Scope], str]  # gives the key under which a request is counted


class LineFull(Exception):
    """So many wait already that one more is sent away."""


class Line:
    """Who is answered now, and who waits for it: first come, first served. For one event loop."""

    def __init__(self, length: int, at_once: int = AT_ONCE) -> None:
        self._length = length
        self._at_once = at_once
        self._inside = 0
        self._waiting: list[object] = []
        self._moved = asyncio.Event()

    async def enter(self) -> AsyncGenerator[int]:
        """One's place in line, from 1, each time it changes, until it is one's turn; `leave` must follow.

        Raises `LineFull`.
        """
        ticket = object()
        if self._inside >= self._at_once and len(self._waiting) >= self._length:
            raise LineFull
        self._waiting.append(ticket)
        try:
            while self._inside >= self._at_once or self._waiting[0] is not ticket:
                moved = self._moved
                yield self._waiting.index(ticket) + 1
                await moved.wait()
            self._inside += 1
        finally:
            self._waiting.remove(ticket)
            self._move()

    def leave(self) -> None:
        """Let the next one in."""
        self._inside -= 1
        self._move()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Waits for one's turn, and holds it inside. Raises `LineFull`."""
        async with aclosing(self.enter()) as places:
            async for _ in places:
                pass
        try:
            yield
        finally:
            self.leave()

    def _move(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()


class Limits:
    """Pure ASGI middleware. Refuses what is too large with 413, and who asks too often with 429, before any handler.

    Every request counts as asking, by whatever route, but for mere looks and the changes of editors.
    """

    def __init__(self, app: ASGIApp, settings: Settings, line: Line, visitor: Visitor) -> None:
        self._app = app
        self._each = _rates(settings.rate, settings)
        self._all = _rates(settings.rate_all, settings)
        self._line = line
        self._visitor = visitor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in SAFE_METHODS:
            await self._app(scope, receive, send)
            return
        is_edit = path_of(scope).startswith(EDITING)
        most = MAX_UPLOAD if is_edit else MAX_BODY
        if int(Headers(scope=scope).get("content-length", "0")) > most:
            await _too_large(most)(scope, receive, send)
        elif is_edit:
            await self._app(scope, receive, send)
        elif wait := await self._wait(self._visitor(scope)):
            await _too_many("Too many questions in a minute", wait)(scope, receive, send)
        else:
            await self._ask(scope, receive, send)

    async def _wait(self, visitor: str) -> float:
        """Seconds until this visitor may ask; 0.0 when that is now."""
        for rates, key in ((self._each, visitor), (self._all, "")):
            wait = rates.wait(key) if isinstance(rates, Rates) else await rates.wait(key)
            if wait:
                return wait
        return 0.0

    async def _ask(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _read(receive)
        if body is None:
            await _too_large(MAX_BODY)(scope, receive, send)
            return
        messages = iter([{"type": "http.request", "body": body}])

        async def replay() -> Message:
            return next(messages, None) or await receive()

        is_page = path_of(scope).startswith(PAGE)
        if is_page and _holds_long_text(body):
            await problem(422, f"a question has {MAX_QUESTION:,} characters at most")(scope, replay, send)
        elif is_page or path_of(scope).startswith(QUICK):  # the page waits in itself, where the place in line is seen
            await self._app(scope, replay, send)
        else:
            try:
                async with self._line.turn():
                    await self._app(scope, replay, send)
            except LineFull:
                await _too_many("Too many people are asking at the moment", LINE_SECONDS)(scope, replay, send)


def _rates(per_minute: int, settings: Settings) -> "Rates | SharedRates":
    """What counts: this process, or all replicas together where a Redis is named."""
    if not (url := settings.redis.get_secret_value()):
        return Rates(per_minute)
    from pullquote.web.shared_rates import SharedRates

    return SharedRates(per_minute, url)


async def _read(receive: Receive) -> bytes | None:
    """The whole body; None where it is over `MAX_BODY`."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MAX_BODY:
            return None
        if not message.get("more_body"):  # the last piece, or the client has gone
            return bytes(body)


def _holds_long_text(body: bytes) -> bool:
    """Whether a call of the page carries a text that is longer than a question may be."""
    try:
        data = json.loads(body)["data"]
        return any(isinstance(value, str) and len(value) > MAX_QUESTION for value in data)
    except (ValueError, TypeError, KeyError):  # not a call at all: Gradio says so
        return False


def _too_large(most: int) -> ASGIApp:
    return problem(413, f"the request is over {most:,} bytes; send less at once")


def _too_many(why: str, seconds: float) -> ASGIApp:
    wait = math.ceil(seconds)
    return problem(429, f"{why}. Please try again in {wait} seconds.", {"retry-after": str(wait)})
