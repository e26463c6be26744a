"""The guard, before a handler that counts how often it ran."""

from typing import Any

import pytest
from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, PlainTextResponse, StreamingResponse
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from pullquote.web.security import Guard, is_foreign, is_shut

HOSTS = frozenset({"localhost", "127.0.0.1", "::1", "ask.corp", "*.pages.corp"})


class Handler:
    def __init__(self) -> None:
        self.ran = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.ran += 1
        kinds: dict[str, Any] = {
            "/": HTMLResponse("<script>1</script>"),
            "/events": StreamingResponse(iter([b"data: 1\n\n"]), media_type="text/event-stream"),
        }
        await kinds.get(scope["path"], PlainTextResponse("ran"))(scope, receive, send)


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:7860",
        "LOCALHOST",
        "127.0.0.1:1",
        "[::1]:7860",
        "ask.corp",
        "a.pages.corp",
        "a.b.pages.corp",
    ],
)
def test_it_answers_to_its_names(host: str) -> None:
    assert TestClient(Guard(Handler(), HOSTS)).get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "ask.corp.evil.example",
        "evil-ask.corp",
        "pages.corp",
        "xpages.corp",
        "192.168.0.1",
        "",
        "ask.corp@evil.example",
        "evil.example/ask.corp",
        "[::1",
        "ask.corp:x",
        "ask.corp.",
        "*",
    ],
)
def test_it_answers_to_no_other(host: str) -> None:
    handler = Handler()
    answer = TestClient(Guard(handler, HOSTS)).get("/", headers={"host": host})
    assert answer.status_code == 400
    assert "PULLQUOTE_HOSTS" in answer.json()["detail"]
    assert handler.ran == 0


def test_any_name_is_a_choice() -> None:
    client = TestClient(Guard(Handler(), frozenset({"*"})))
    assert client.get("/", headers={"host": "anything.example"}).status_code == 200
    assert client.get("/", headers={"host": "a b"}).status_code == 200


OWN = [
    {},
    {"origin": "http://ask.corp"},
    {"origin": "https://ask.corp", "sec-fetch-site": "same-origin"},
    {"sec-fetch-site": "none", "sec-fetch-mode": "navigate"},
]
FOREIGN = [
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": ""},
    {"origin": "http://ask.corp.evil.example"},
    {"origin": "http://evil-ask.corp"},
    {"origin": "http://other.corp"},
    {"origin": "http://ask.corp:8080"},
    {"origin": "http://[ask.corp"},
    {"origin": "ask.corp"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "same-site", "origin": "http://ask.corp:8080"},
    {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"},
]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_sites_pages_never_reach_the_handler(method: str) -> None:
    handler = Handler()
    client = TestClient(Guard(handler, HOSTS), base_url="http://ask.corp")
    for headers in FOREIGN:
        assert client.request(method, "/x", headers=headers).status_code == 403, headers
    assert handler.ran == 0
    for headers in OWN:
        assert client.request(method, "/x", headers=headers).status_code == 200, headers


def test_a_link_from_another_site_may_be_followed_but_no_form_sent() -> None:
    link = Headers({"host": "ask.corp", "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"})
    assert not is_foreign("GET", link)
    assert is_foreign("POST", link)


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/upload",
        "/gradio_api/upload_progress",
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/call/answer",
        "/gradio_api/run/predict",
        "/gradio_api/api/predict",
        "/gradio_api/info",
        "/gradio_api/openapi.json",
        "/gradio_api/component_server",
        "/gradio_api/stream/x",
        "/gradio_api/dev/reload",
        "/gradio_api/vibe-code",
        "/gradio_api",
        "/monitoring/x",
        "/proxy=http://127.0.0.1/",
    ],
)
def test_doors_of_gradio_are_shut(path: str) -> None:
    assert is_shut(path)


def test_events_are_not_kept_back_by_a_proxy() -> None:
    headers = TestClient(Guard(Handler(), HOSTS), base_url="http://localhost").get("/events").headers
    assert (headers["x-accel-buffering"], headers["cache-control"]) == ("no", "no-store")


def test_an_inline_script_of_the_page_is_named_by_its_hash() -> None:
    headers = TestClient(Guard(Handler(), HOSTS), base_url="http://localhost").get("/").headers
    # printf 1 | openssl dgst -sha256 -binary | base64
    assert "'sha256-a4ayc/80/OGda4BO/1o/V0etpOqiLx1JwB5S3beHW0s='" in headers["content-security-policy"]
