"""The limits, before a handler that counts how often it ran; the buckets against a count by hand."""

import asyncio
import random
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from pullquote.web.limiting import MAX_BODY, MAX_UPLOAD, Limits, Line, LineFull
from pullquote.web.rates import Rates
from tests.conftest import open_settings
from tests.replicas import free_port

JOIN = "/gradio_api/queue/join"
PATHS = ("/api/ask", "/api/v1/ask", "/v1/chat/completions", "/mcp", JOIN, "/a-route-of-tomorrow")


class Handler:
    """Counts, and sends back what it was sent."""

    def __init__(self) -> None:
        self.ran = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.ran += 1
        await PlainTextResponse(await Request(scope, receive).body())(scope, receive, send)


def limited(handler: Handler, line: int = 9, **rates: Any) -> TestClient:
    app = Limits(handler, open_settings(**rates), Line(line), lambda scope: Headers(scope=scope).get("visitor", ""))
    return TestClient(app, base_url="http://localhost")


def test_a_bucket_holds_a_minutes_worth_and_fills_steadily() -> None:
    now = 100.0
    rates = Rates(7, clock=lambda: now)
    assert [rates.wait("ada") for _ in range(7)] == [0.0] * 7
    assert rates.wait("ada") == pytest.approx(60 / 7)
    assert rates.wait("bob") == 0.0
    now += 60 / 7
    assert rates.wait("ada") == 0.0
    assert rates.wait("ada") > 0.0
    now += 3600
    assert [rates.wait("ada") for _ in range(8)].count(0.0) == 7


def test_a_bucket_is_one_of_tokens() -> None:
    """Beside a bucket that is counted in tokens, over a random hour."""
    now, tokens, last = 0.0, 12.0, 0.0
    rates, chance = Rates(12, clock=lambda: now), random.Random(3)
    for _ in range(2_000):
        now += chance.expovariate(0.3)
        tokens, last = min(12.0, tokens + (now - last) / 5), now
        assert (rates.wait("") == 0.0) == (tokens >= 1), now
        tokens -= tokens >= 1


def test_the_buckets_are_bounded_and_no_limit_is_none() -> None:
    rates = Rates(1, keys=100)
    for key in range(10_000):
        rates.wait(str(key))
    assert len(rates._full_at) == 100
    assert rates.wait("9999") > 0.0
    assert not any(Rates(0).wait("") for _ in range(1_000))


@pytest.mark.parametrize("path", PATHS)
def test_who_asks_too_often_gets_429_by_every_route(path: str) -> None:
    handler = Handler()
    client = limited(handler, rate=3)
    answers = [client.post(path, json={}, headers={"visitor": "ada"}) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200] * 3 + [429] * 2
    assert 15 <= int(answers[-1].headers["retry-after"]) <= 20
    assert answers[-1].headers["content-type"] == "application/problem+json"
    assert "try again in" in answers[-1].json()["detail"]
    assert handler.ran == 3
    assert client.post(path, json={}, headers={"visitor": "bob"}).status_code == 200


def test_all_visitors_together_have_a_limit_too() -> None:
    client = limited(Handler(), rate_all=4)
    answers = [client.post("/api/ask", json={}, headers={"visitor": str(number)}) for number in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 4 + [429] * 2


def test_looks_and_edits_are_not_questions() -> None:
    client = limited(Handler(), rate=1)
    assert client.post("/api/ask").status_code == 200
    for _ in range(3):
        assert client.get("/articles").status_code == client.post("/api/articles").status_code == 200
        assert client.delete("/api/jobs/x").status_code == 200


def chunks(size: int) -> Iterator[bytes]:
    """A body whose size no header names."""
    for _ in range(size // 1_000):
        yield b"x" * 1_000


@pytest.mark.parametrize("path", PATHS)
def test_what_is_too_large_is_413_before_the_handler(path: str) -> None:
    handler = Handler()
    client = limited(handler)
    assert client.post(path, content=b"x" * (MAX_BODY + 1)).status_code == 413
    answer = client.post(path, content=chunks(MAX_BODY + 1_000))
    assert answer.status_code == 413
    assert "1,000,000 bytes" in answer.json()["detail"]
    assert handler.ran == 0
    assert client.post(path, content=chunks(MAX_BODY)).content == b"x" * MAX_BODY  # whole, and unchanged


def test_an_upload_may_be_larger_but_not_endless() -> None:
    handler = Handler()
    client = limited(handler)
    assert len(client.post("/api/articles", content=b"x" * (MAX_BODY + 1)).content) == MAX_BODY + 1
    assert client.post("/api/articles", headers={"content-length": str(MAX_UPLOAD + 1)}).status_code == 413
    assert handler.ran == 1


def test_a_long_question_does_not_reach_the_pages_queue() -> None:
    handler = Handler()
    client = limited(handler)
    assert client.post(JOIN, json={"data": ["x" * 2_001, [], ""], "fn_index": 0}).status_code == 422
    assert handler.ran == 0
    for data in (["x" * 2_000, [], ""], [3], [], None, {"a": 1}):
        assert client.post(JOIN, json={"data": data}).status_code == 200
    assert client.post(JOIN, content=b"\xff{").status_code == 200  # Gradio says what is wrong with it


async def places(line: Line, seen: list[int]) -> None:
    async for place in line.enter():
        seen.append(place)


def test_a_line_is_first_come_first_served_and_says_ones_place() -> None:
    async def story() -> None:
        line = Line(2, at_once=1)
        first, second, third = list[int](), list[int](), list[int]()
        await places(line, first)
        waiting = [asyncio.create_task(places(line, seen)) for seen in (second, third)]
        await asyncio.sleep(0)
        with pytest.raises(LineFull):
            await places(line, [])
        line.leave()
        await waiting[0]
        await asyncio.sleep(0)
        assert (first, second, third) == ([], [1], [2, 1])
        line.leave()
        await waiting[1]
        line.leave()
        await places(line, first)
        assert first == []

    asyncio.run(story())


def test_who_goes_away_leaves_the_line() -> None:
    async def story() -> None:
        line = Line(2, at_once=1)
        await places(line, [])
        seen = list[int]()
        gone, behind = asyncio.create_task(places(line, [])), asyncio.create_task(places(line, seen))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.wait([gone])
        await asyncio.sleep(0)
        assert seen == [2, 1]
        line.leave()
        await behind

    asyncio.run(story())


def test_never_more_than_so_many_at_once() -> None:
    inside, most, served = 0, 0, 0

    async def one(line: Line) -> None:
        nonlocal inside, most, served
        async with line.turn():
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0.001)
            inside -= 1
            served += 1

    async def story() -> list[BaseException | None]:
        line = Line(64, at_once=4)
        return await asyncio.gather(*(one(line) for _ in range(200)), return_exceptions=True)

    results = asyncio.run(story())
    assert most == 4
    assert (served, sum(isinstance(result, LineFull) for result in results)) == (68, 132)


def test_a_full_line_is_429_and_the_handler_did_not_run() -> None:
    release = asyncio.Event()
    ran = 0

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal ran
        ran += 1
        await release.wait()
        await PlainTextResponse("done")(scope, receive, send)

    async def call(app: Limits) -> int:
        statuses = list[int]()

        async def send(message: dict[str, object]) -> None:
            if message["type"] == "http.response.start":
                statuses.append(int(str(message["status"])))

        async def receive() -> dict[str, object]:
            return {"type": "http.request", "body": b""}

        scope = {"type": "http", "method": "POST", "path": "/api/ask", "headers": [], "client": ("x", 1)}
        await app(scope, receive, send)  # type: ignore[arg-type]
        return statuses[0]

    async def story() -> AsyncIterator[int]:
        app = Limits(slow, open_settings(), Line(3, at_once=2), lambda _: "")
        calls = [asyncio.create_task(call(app)) for _ in range(8)]
        while sum(map(asyncio.Task.done, calls)) < 3:
            await asyncio.sleep(0.01)
        assert ran == 2
        release.set()
        for task in calls:
            yield await task

    async def all_of_it() -> list[int]:
        return [status async for status in story()]

    assert sorted(asyncio.run(all_of_it())) == [200] * 5 + [429] * 3
    assert ran == 5


class Living(Handler):
    """A handler that has a life: all its requests are of one event loop, as a server's are."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await super().__call__(scope, receive, send)
            return
        for step in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{step}.complete"})


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """Debian's Redis, in memory, on a port of its own: its address and its process."""
    found = shutil.which("redis-server")
    if not found:
        pytest.skip("redis-server is not here; `make browser` installs it")
    port = free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    process = subprocess.Popen([found, *options], stdout=subprocess.DEVNULL)
    while socket.socket().connect_ex(("127.0.0.1", port)):
        assert process.poll() is None
        time.sleep(0.02)
    yield f"redis://127.0.0.1:{port}/0", process
    process.kill()
    process.wait()


def test_replicas_count_together_in_redis_and_alone_when_it_is_gone(
    redis: tuple[str, "subprocess.Popen[bytes]"], caplog: pytest.LogCaptureFixture
) -> None:
    address, process = redis
    replicas = [limited(Living(), rate=6, rate_all=10, redis=SecretStr(address)) for _ in range(2)]
    with replicas[0], replicas[1]:

        def ask(visitor: str, count: int) -> list[int]:
            clients = [replicas[number % 2] for number in range(count)]
            return [client.post("/api/ask", headers={"visitor": visitor}).status_code for client in clients]

        assert ask("ada", 8) == [200] * 6 + [429] * 2
        refused = replicas[1].post("/api/ask", headers={"visitor": "ada"})
        assert 5 <= int(refused.headers["retry-after"]) <= 10  # a sixth of a minute
        assert ask("grace", 6) == [200] * 4 + [429] * 2, "ten of all in a minute"
        process.kill()
        process.wait()
        assert ask("ada", 4) == [200] * 4, "a question is not lost with Redis"
        assert ask("ada", 10)[-1] == 429, "each counts by itself"
    assert "Redis does not count questions" in caplog.text
