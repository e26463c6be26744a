"""Language model endpoints for the tests: real HTTP servers on the loopback that behave as they are told."""

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

Body = dict[str, Any]
Behaviour = Callable[[BaseHTTPRequestHandler, Body], None]

ENOUGH = 60.0  # seconds after which a hostile server stops by itself


@dataclass
class Endpoint:
    """Its address, and what it was sent: the bodies, and the Authorization headers."""

    url: str
    asked: list[Body] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)


@contextmanager
def serving_model(behaviour: Behaviour) -> Iterator[Endpoint]:
    """A server that does this with every request, until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            endpoint.asked.append(body)
            endpoint.keys.append(self.headers["authorization"])
            with contextlib.suppress(OSError):  # who asked has gone
                behaviour(self, body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    endpoint = Endpoint(f"http://127.0.0.1:{server.server_port}/v1")
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield endpoint
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def start(handler: BaseHTTPRequestHandler, status: int = 200, kind: str = "text/event-stream") -> None:
    handler.send_response(status)
    handler.send_header("content-type", kind)
    handler.end_headers()


def event(text: str) -> bytes:
    """A piece of text as an endpoint streams it."""
    chunk = {"id": "1", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": text}}]}
    return f"data: {json.dumps(chunk)}\n\n".encode()


def saying(*texts: str) -> Behaviour:
    """Answers the n-th request with the n-th text, word by word; the last one from then on."""
    left = list(texts)

    def behave(handler: BaseHTTPRequestHandler, _body: Body) -> None:
        text = left.pop(0) if len(left) > 1 else left[0]
        start(handler)
        for word in text.split(" "):
            handler.wfile.write(event(f"{word} "))
        handler.wfile.write(b"data: [DONE]\n\n")

    return behave


def says(answer: Callable[[Body], str]) -> Behaviour:
    """Answers what the function makes of the request."""

    def behave(handler: BaseHTTPRequestHandler, body: Body) -> None:
        saying(answer(body))(handler, body)

    return behave


def _slow_first_byte(handler: BaseHTTPRequestHandler, _body: Body) -> None:
    time.sleep(ENOUGH / 2)
    start(handler)


def _slow_drip(handler: BaseHTTPRequestHandler, _body: Body) -> None:
    start(handler)
    _wait(handler, lambda: handler.wfile.write(b"d"))


def _status(status: int) -> Behaviour:
    def behave(handler: BaseHTTPRequestHandler, _body: Body) -> None:
        start(handler, status, "application/json")
        handler.wfile.write(b'{"error": {"message": "no <b>luck</b> with sk-secret"}}')

    return behave


def _endless(handler: BaseHTTPRequestHandler, _body: Body) -> None:
    start(handler)
    _forever(handler, event("and on and on "))


def _bad_json(handler: BaseHTTPRequestHandler, _body: Body) -> None:
    start(handler)
    handler.wfile.write(b'data: {"choices": [{"delta": \n\ndata: 5\n\n')


def _empty(handler: BaseHTTPRequestHandler, _body: Body) -> None:
    start(handler)
    handler.wfile.write(b"data: [DONE]\n\n")


def _huge_line(handler: BaseHTTPRequestHandler, _body: Body) -> None:
    start(handler)
    handler.wfile.write(b"data: ")
    _forever(handler, b"x" * 65_536)


def _closes_midway(handler: BaseHTTPRequestHandler, _body: Body) -> None:
    handler.send_response(200)
    handler.send_header("content-length", "5000")
    handler.end_headers()
    handler.wfile.write(event("The New York Times was the"))


def _wait(handler: BaseHTTPRequestHandler, do: Callable[[], object]) -> None:
    until = time.monotonic() + ENOUGH
    while time.monotonic() < until:
        do()
        handler.wfile.flush()
        time.sleep(0.1)


def _forever(handler: BaseHTTPRequestHandler, data: bytes) -> None:
    until = time.monotonic() + ENOUGH
    while time.monotonic() < until:
        handler.wfile.write(data)


HOSTILE: dict[str, Behaviour] = {
    "slow first byte": _slow_first_byte,
    "slow drip": _slow_drip,
    "500": _status(500),
    "401": _status(401),
    "endless stream": _endless,
    "bad JSON": _bad_json,
    "empty": _empty,
    "huge line": _huge_line,
    "closes midway": _closes_midway,
}


def sent(endpoint: Endpoint) -> str:
    """All text that the endpoint was ever sent."""
    return json.dumps([endpoint.asked, endpoint.keys], ensure_ascii=False)


def quotes_in(body: Body) -> list[str]:
    """The quotes of a request, as the model sees them."""
    asked = str(body["messages"][-1]["content"])
    return [line.split("] ", 1)[1] for line in asked.splitlines() if line.startswith("[")]
