"""`/api/v1`: asking by JSON and by events, what stays under `/api`, the OpenAPI document and its page."""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from starlette.testclient import TestClient

from pullquote.answering import Assistant
from tests.test_problems import check
from tests.whole import client_of

ASK = "Who was the first to report the intelligence discovery?"
EVENTS = {"accept": "text/event-stream"}
QUESTIONS = [ASK, "What is the capital of France?", "What is this about?", "Hello!", "Were Iranian drones sent?"]


@pytest.fixture(scope="module")
def client(assistant: Assistant) -> Iterator[TestClient]:
    with client_of(assistant, follow_redirects=True) as client:
        yield client


def events(text: str) -> list[tuple[str, Any]]:
    """The events of a stream, as the HTML standard reads them."""
    found = []
    for block in text.removesuffix("\n\n").split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.split("\n"))
        found.append((lines["event"], json.loads(lines["data"])))
    return found


def without_seconds(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "seconds"}


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_events_end_with_the_answer_that_json_gives(client: TestClient, question: str) -> None:
    whole = client.post("/api/v1/ask", json={"question": question}).json()
    response = client.post("/api/v1/ask", json={"question": question}, headers=EVENTS)
    assert response.headers["content-type"].startswith("text/event-stream")
    *stages, (name, answer) = events(response.text)
    assert name == "answer"
    assert without_seconds(answer) == without_seconds(whole)
    assert all(stage == "stage" and data.keys() == {"stage"} for stage, data in stages)
    if whole["status"] == "answered":
        assert [data["stage"] for _, data in stages] == ["searching", "reading"]


@pytest.mark.parametrize("headers", [{}, EVENTS], ids=["json", "events"])
@pytest.mark.parametrize(
    ("body", "status"),
    [({"question": " "}, 422), ({"question": 3}, 422), ({}, 422), ({"question": ASK, "article": "x"}, 404)],
)
def test_what_cannot_be_asked_is_a_problem_before_any_event(
    client: TestClient, body: Any, status: int, headers: dict[str, str]
) -> None:
    check(client.post("/api/v1/ask", json=body, headers=headers), status)


@pytest.mark.parametrize("path", ["/articles", "/articles/{id}", "/articles/nothing", "/jobs", "/nothing"])
def test_the_old_paths_give_the_same(client: TestClient, assistant: Assistant, path: str) -> None:
    (found, _), *_ = assistant.library.articles()
    new, old = (client.get(base + path.format(id=found.id)) for base in ("/api/v1", "/api"))
    assert new.status_code == old.status_code
    if new.status_code == 200:
        assert new.content == old.content
    else:
        check(new, new.status_code)
        check(old, new.status_code)


@pytest.mark.parametrize("path", ["/api/v1/articles", "/api/v1/articles/{id}", "/articles/{id}"])
def test_an_article_is_sent_once(client: TestClient, assistant: Assistant, path: str) -> None:
    (found, _), *_ = assistant.library.articles()
    path = path.format(id=found.id)
    tag = client.get(path).headers["etag"]
    again = client.get(path, headers={"if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get(path, headers={"if-none-match": '"older"'}).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/ask", 405),
        ("PUT", "/api/v1/articles", 405),
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/api/nothing", 404),
        ("GET", "/nothing", 404),
        ("GET", "/gradio_api/upload", 404),
        ("GET", "/gradio_api/nothing", 404),
        ("GET", "/pullquote/nothing.js", 404),
        ("POST", "/healthz", 404),
    ],
)
def test_every_error_is_a_problem_with_the_headers_of_all_answers(
    client: TestClient, method: str, path: str, status: int
) -> None:
    response = client.request(method, path)
    check(response, status)
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/api/v1/articles", {"GET", "POST"}),
        ("/api/v1/articles/x", {"GET", "PATCH", "DELETE"}),
        ("/api/articles/x", {"GET", "PATCH", "DELETE"}),
        ("/api/v1/articles/x/refresh", {"POST"}),
        ("/v1/models", {"GET"}),
    ],
)
def test_a_wrong_method_says_which_are_right(client: TestClient, path: str, allowed: set[str]) -> None:
    assert set(client.put(path).headers["allow"].split(", ")) == allowed


def test_another_site_gets_a_problem(client: TestClient) -> None:
    check(client.post("/api/v1/ask", json={"question": ASK}, headers={"origin": "https://evil.example"}), 403)


def test_the_document_describes_the_answer(client: TestClient) -> None:
    document = client.get("/api/v1/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert document["servers"][0]["url"] == "/api/v1"
    answers = document["paths"]["/ask"]["post"]["responses"]
    assert set(answers["200"]["content"]) == {"application/json", "text/event-stream"}
    assert set(answers["default"]["content"]) == {"application/problem+json"}
    schema = {**answers["200"]["content"]["application/json"]["schema"], "components": document["components"]}
    for question in QUESTIONS:
        jsonschema.Draft202012Validator(schema).validate(client.post("/api/v1/ask", json={"question": question}).json())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate({"question": "x"})


def test_the_page_of_the_document_shows_every_operation_and_loads_nothing_from_elsewhere(client: TestClient) -> None:
    document = client.get("/api/v1/openapi.json").json()
    page = client.get("/api/v1/docs").text
    for path, methods in document["paths"].items():
        for method in methods:
            assert f'<span class="method">{method.upper()}</span> <code>/api/v1{path}</code>' in page
    for name in document["components"]["schemas"]:
        assert f'id="{name}"' in page
    assert "<script" not in page
    assert "//" not in page.replace("http://pullquote.test/", "")
