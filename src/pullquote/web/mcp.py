"""`/mcp`: the MCP server over streamable HTTP, loaded at the first request, for its library takes a second."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
from anyio.abc import TaskGroup, TaskStatus
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from pullquote.answering import Assistant
from pullquote.facade import Pullquote
from pullquote.web.access import Access, person_in
from pullquote.web.problems import problem


class Mcp:
    """ASGI app; `lifespan` has to be the whole app's. It shows articles, so who may not read them may not use it.

    Who has a session, or a token, is shown what that person sees everywhere.
    """

    def __init__(self, assistant: Assistant, access: Access) -> None:
        self._assistant = assistant
        self._access = access
        self._tasks: TaskGroup | None = None
        self._manager: Any = None
        self._starting = anyio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":  # nothing is kept between requests: there is no session to hear of, or to end
            await problem(405, "", {"allow": "POST"})(scope, receive, send)
            return
        await run_in_threadpool(self._access.reader, Request(scope))
        async with self._starting:
            if self._manager is None:
                self._manager = await self._start()
        await self._manager.handle_request(scope, receive, send)

    @asynccontextmanager
    async def lifespan(self, _app: Any) -> AsyncIterator[None]:
        """What runs while the app does."""
        async with anyio.create_task_group() as self._tasks:
            yield
            self._tasks.cancel_scope.cancel()
        self._tasks = self._manager = None

    def _seen_by(self, request: Request) -> Pullquote:
        return Pullquote(self._assistant.seen_by(person_in(request.scope).sees))

    async def _start(self) -> Any:
        assert self._tasks, "the app was started without its lifespan"
        manager = await run_in_threadpool(_load, self._seen_by)

        async def run(*, task_status: TaskStatus[None]) -> None:
            async with manager.run():
                task_status.started()
                await anyio.sleep_forever()

        await self._tasks.start(run)
        return manager


def _load(seen_by: Callable[[Request], Pullquote]) -> Any:
    from pullquote import mcp_server

    return mcp_server.over_http(seen_by)
