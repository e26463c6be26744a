"""Traces, as a real collector on the loopback gets them, over HTTP and in protobuf."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from pullquote.answering import Assistant
from pullquote.articles import make_article
from pullquote.errors import MissingLibrary
from pullquote.library import Library
from pullquote.timing import recorded, recording, stage
from tests.building import put_embedded
from tests.conftest import open_settings
from tests.whole import client_of

LAMP = make_article("The lamp was lit in 1874 by Ada Holm. It burned oil for forty years.", title="Lamp")
WHEN = "When was the lamp lit, canary?"
STAGES = {"retrieve", "encode", "lexical", "dense", "fuse", "read", "judge"}


class Collector:
    """Takes what is exported to it; `spans` are those so far."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                assert self.path == "/v1/traces"
                outer.bodies.append(self.rfile.read(int(self.headers["content-length"])))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def spans(self) -> list[Any]:
        found = []
        for body in self.bodies:
            request = ExportTraceServiceRequest.FromString(body)
            found += [span for one in request.resource_spans for scope in one.scope_spans for span in scope.spans]
        return found

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def collector() -> Iterator[Collector]:
    with closing(Collector()) as collector:
        yield collector


@pytest.fixture
def assistant(tmp_path: Path) -> Iterator[Assistant]:
    library = Library(tmp_path)
    put_embedded(library, LAMP)
    yield Assistant.open(library, open_settings(cached=0))
    library.close()


def told(span: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in span.attributes}


def test_a_question_is_a_trace_of_the_request_and_its_stages(assistant: Assistant, collector: Collector) -> None:
    trace_id, parent_id = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
    headers = {"traceparent": f"00-{trace_id}-{parent_id}-01", "x-request-id": "the-request"}
    with client_of(assistant, otlp=collector.url) as client:
        began = time.time_ns()
        asked = client.post("/api/v1/ask", json={"question": WHEN}, headers=headers).json()
        client.get("/healthz")  # no question, no trace
        ended = time.time_ns()
        assistant.library.close()  # what waits is sent
    spans = {span.name: span for span in collector.spans}
    request, question = spans["POST /api/v1/ask"], spans["question"]
    assert {span.trace_id.hex() for span in collector.spans} == {trace_id}
    assert request.parent_span_id.hex() == parent_id
    assert question.parent_span_id == request.span_id
    assert spans.keys() - {"POST /api/v1/ask", "question", "read again"} == STAGES
    for name in ("retrieve", "read", "judge"):
        assert spans[name].parent_span_id == question.span_id
    for name in ("encode", "lexical", "dense", "fuse"):
        assert spans[name].parent_span_id == spans["retrieve"].span_id
    for span in collector.spans:
        inside = question if span is not request and span.name not in (request.name, "question") else request
        assert began <= inside.start_time_unix_nano <= span.start_time_unix_nano
        assert span.start_time_unix_nano <= span.end_time_unix_nano <= inside.end_time_unix_nano <= ended
    assert told(request) == {
        "http.request.method": "POST",
        "http.route": "/api/v1/ask",
        "http.response.status_code": 200,
        "pullquote.request_id": "the-request",
    }
    assert told(question)["pullquote.status"] == asked["status"]
    assert told(question)["pullquote.confidence"] == pytest.approx(asked["confidence"], abs=1e-4)
    assert told(question)["pullquote.question.characters"] == len(WHEN)
    sent = b"".join(collector.bodies)
    for text in (b"canary", b"1874", b"Ada Holm", b"Lamp"):
        assert text not in sent


def test_a_stream_is_traced_and_each_question_by_itself(assistant: Assistant, collector: Collector) -> None:
    with client_of(assistant, otlp=collector.url) as client:
        for _ in range(2):
            client.post("/api/v1/ask", json={"question": WHEN}, headers={"accept": "text/event-stream"})
        assistant.ask(WHEN)  # outside of any request, as the page's own questions are
        assistant.library.close()
    questions = [span for span in collector.spans if span.name == "question"]
    assert len({span.trace_id for span in questions}) == 3
    assert sum(not span.parent_span_id for span in questions) == 1
    for question in questions:
        within = {span.name for span in collector.spans if span.trace_id == question.trace_id}
        assert within >= STAGES
    assert sum(span.name == "encode" for span in collector.spans) == 3


def test_no_answer_fails_by_a_collector_that_is_away_and_the_log_says_so(
    assistant: Assistant, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket() as taken:  # bound, and never listened on
        taken.bind(("127.0.0.1", 0))
        with client_of(assistant, otlp=f"http://127.0.0.1:{taken.getsockname()[1]}") as client:
            assert client.post("/api/v1/ask", json={"question": WHEN}).json()["status"] == "answered"
            began = time.perf_counter()
            assistant.library.close()
            assert time.perf_counter() - began < 10
    [line] = [record.getMessage() for record in caplog.records if "spans" in record.getMessage()]
    assert "were not sent to http://127.0.0.1:" in line
    assert "canary" not in caplog.text


def test_nothing_is_imported_or_sent_unless_that_is_set_and_a_missing_library_is_told_at_the_start() -> None:
    program = "import sys; sys.modules['opentelemetry.sdk'] = None\nfrom pullquote.web import server\n"
    program += "print([name for name in sys.modules if name.startswith(('opentelemetry.sdk', 'opentelemetry.exp'))])\n"
    program += "import pullquote.tracing"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout == "['opentelemetry.sdk']\n"
    assert f"{MissingLibrary.__name__}: PULLQUOTE_OTLP needs one more library" in done.stderr


def test_steps_taken_in_other_threads_are_one_recording() -> None:
    @recorded
    def work() -> Iterator[Any]:
        with stage("one"):
            with stage("two"):
                pass
            yield None  # the consumer may take its time
        yield recording()

    steps, found = work(), []
    for _ in range(2):
        thread = threading.Thread(target=lambda: found.append(next(steps)))
        thread.start()
        thread.join()
    assert [(one.name, one.parent) for one in found[1].intervals] == [("one", None), ("two", 0)]
    assert recording() is None
