"""What goes wrong, as problem details (RFC 9457), and the id of each request."""

import logging
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.sse import format_sse_event
from starlette.responses import Response, StreamingResponse
from starlette.testclient import TestClient

from pullquote.errors import JobError, UnknownArticle
from pullquote.web import problems

MEMBERS = {"type", "title", "status", "detail", "request_id"}


def app_with_accidents() -> FastAPI:
    app = FastAPI()
    problems.install(app)
    app.add_middleware(problems.RequestIds)

    @app.get("/unknown")
    def unknown() -> None:
        raise UnknownArticle("no article has the id 'x'")

    @app.get("/full")
    def full() -> None:
        raise JobError("100 changes are waiting already")

    @app.get("/broken")
    def broken() -> None:
        raise ZeroDivisionError("secret words")

    @app.get("/number")
    def number(value: int) -> int:
        return value

    @app.get("/stream")
    def stream() -> StreamingResponse:
        def events() -> Iterator[bytes]:
            yield format_sse_event(event="stage", data_str="{}")
            raise ZeroDivisionError("secret words")

        return problems.stream(events())

    return app


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(app_with_accidents()) as client:
        yield client


def check(response: Any, status: int) -> dict[str, Any]:
    """The problem of a response, which is one by RFC 9457."""
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = response.json()
    assert found.keys() >= MEMBERS
    assert found["status"] == status
    assert found["detail"]
    assert found["request_id"] == response.headers["x-request-id"]
    return found


def test_an_error_of_ours_has_a_name(client: TestClient) -> None:
    found = check(client.get("/unknown"), 404)
    assert (found["type"], found["title"]) == ("urn:pullquote:UnknownArticle", "Not Found")
    assert found["detail"] == "no article has the id 'x'"
    assert check(client.get("/full"), 429)["type"] == "urn:pullquote:JobError"


@pytest.mark.parametrize(("path", "status"), [("/nothing", 404), ("/number?value=x", 422), ("/number", 422)])
def test_an_error_of_http_is_a_problem_too(client: TestClient, path: str, status: int) -> None:
    found = check(client.get(path), status)
    assert found["type"] == "about:blank"
    assert ("value" in found["detail"]) == (status == 422)


def test_a_wrong_method_says_which_are_right(client: TestClient) -> None:
    response = client.post("/number")
    check(response, 405)
    assert response.headers["allow"] == "GET"


def test_what_nobody_expected_is_logged_and_not_shown(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "pullquote"):
        found = check(client.get("/broken"), 500)
    assert "secret words" not in str(found)
    assert "secret words" in caplog.text
    assert found["request_id"] in caplog.text


def test_a_stream_ends_with_the_problem(client: TestClient) -> None:
    response = client.get("/stream")
    assert response.status_code == 200
    first, second, rest = response.text.split("\n\n")
    assert first.startswith("event: stage\n")
    assert second.startswith('event: problem\ndata: {"type":"about:blank"')
    assert "secret words" not in second
    assert rest == ""


def test_each_request_has_an_id_of_its_own(client: TestClient) -> None:
    ids = {client.get("/number?value=1").headers["x-request-id"] for _ in range(20)}
    assert len(ids) == 20
    assert all(uuid.UUID(one) for one in ids)


@pytest.mark.parametrize(
    ("given", "is_kept"),
    [
        (b"abc-1.2_3", True),
        (b"x" * 64, True),
        (b"x" * 65, False),
        (b"a b", False),
        (b"\xe9", False),
        (b"a\x1b[31m", False),
    ],
)
def test_a_proxys_id_is_kept_if_it_can_stand_in_a_log(client: TestClient, given: bytes, is_kept: bool) -> None:
    response = client.get("/nothing", headers={b"x-request-id": given})
    assert (response.headers["x-request-id"] == given.decode("latin-1")) == is_kept


def test_an_answer_that_has_begun_is_not_begun_again() -> None:
    app = FastAPI()
    problems.install(app)

    @app.get("/")
    def half() -> Response:
        def body() -> Iterator[bytes]:
            yield b"half"
            raise ZeroDivisionError

        return StreamingResponse(body())

    with TestClient(app) as client, pytest.raises(ZeroDivisionError):
        client.get("/")
