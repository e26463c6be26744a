"""What an operator sees of a running server: each request counted and logged, `/readyz` and `/metrics`."""

import logging
import time
from collections.abc import Callable

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse, Response
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pullquote.metrics import CONTENT_TYPE, Metrics
from pullquote.readiness import Check, verdict
from pullquote.timing import INCOMING, Incoming
from pullquote.web.access import Access
from pullquote.web.clients import root_of

log = logging.getLogger("pullquote")

NOTED = "pullquote.noted"  # in a scope: a dict that all its copies share


class Observer:
    """Pure ASGI middleware: counts and logs every request, by its route's template, never its address."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500
        noted: dict[str, str] = {}

        async def send_observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app({**scope, NOTED: noted}, receive, send_observed)
        finally:
            self._tell(scope, {"route": "other", **noted}, status, time.perf_counter() - began)

    def _tell(self, scope: Scope, noted: dict[str, str], status: int, seconds: float) -> None:
        self._metrics.count_request(scope["method"], noted["route"], status, seconds)
        length = Headers(scope=scope).get("content-length", "0")
        fields = {"method": scope["method"][:10], **noted, "status": status, "ms": round(1000 * seconds, 1)}
        log.info("request", extra={"fields": fields | {"bytes": int(length) if length.isdecimal() else 0}})


class Traced:
    """Pure ASGI middleware inside of `Observer`: notes the request for whoever traces the question that it asks.

    `end` hears of each request that a question was traced in, with its route's template and status.
    """

    def __init__(self, app: ASGIApp, end: Callable[[Incoming, str, int], None]) -> None:
        self._app = app
        self._end = end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers, status = Headers(scope=scope), 500
        carried = {name: headers[name] for name in ("traceparent", "tracestate") if name in headers}
        incoming = Incoming(scope["method"], carried)

        async def send_observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        before = INCOMING.set(incoming)
        try:
            await self._app(scope, receive, send_observed)
        finally:
            INCOMING.reset(before)
            self._end(incoming, scope.get(NOTED, {}).get("route", "other"), status)


class Named:
    """Pure ASGI middleware, the innermost: notes for `Observer`, whose scope others have copied, the route, and who
    asks where a page's server has signed that."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        finally:
            noted = scope.get(NOTED, {})
            noted["route"] = _template(scope)
            if "visitor" in scope:
                noted["visitor"] = scope["visitor"]


def routes(checks: Callable[[], list[Check]], metrics: Metrics, access: Access) -> APIRouter:
    """`/readyz` for whoever sends visitors here, `/metrics` for Prometheus, which needs a token."""
    router = APIRouter()

    @router.get("/readyz")
    def ready() -> JSONResponse:
        found = checks()
        status = verdict(found)
        content = {"status": status, "checks": {check.name: check.problem or "ok" for check in found}}
        return JSONResponse(content, 503 if status == "unavailable" else 200, {"cache-control": "no-store"})

    @router.get("/metrics", dependencies=[Depends(access.editor)])
    def measured() -> Response:
        return Response(metrics.text(), headers={"content-type": CONTENT_TYPE, "cache-control": "no-store"})

    return router


def _template(scope: Scope) -> str:
    """The template of the route that answered; one word for all that no route did."""
    path = getattr(scope.get("route"), "path", None)
    mounted = scope.get("root_path", "").removeprefix(root_of(scope))
    return "other" if path is None else f"{mounted}{path}"
