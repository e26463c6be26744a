"""ETag and If-None-Match."""

import pytest
from fastapi import FastAPI, Request
from starlette.responses import PlainTextResponse, Response
from starlette.testclient import TestClient

from pullquote.web.conditional import tagged


def client_of(*texts: str) -> TestClient:
    """A client of a page whose text is another one after each request, until the last stays."""
    app, left = FastAPI(), list(texts)

    @app.get("/")
    def page(request: Request) -> Response:
        return tagged(request, PlainTextResponse(left.pop(0) if len(left) > 1 else left[0]))

    return TestClient(app)


def test_the_same_text_is_sent_once() -> None:
    client = client_of("one")
    first = client.get("/")
    again = client.get("/", headers={"if-none-match": first.headers["etag"]})
    assert (first.status_code, first.text) == (200, "one")
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]


def test_another_text_has_another_tag_and_is_sent() -> None:
    client = client_of("one", "two")
    tag = client.get("/").headers["etag"]
    changed = client.get("/", headers={"if-none-match": tag})
    assert (changed.status_code, changed.text) == (200, "two")
    assert changed.headers["etag"] != tag


@pytest.mark.parametrize(
    ("form", "status"),
    [("W/{}", 304), ('"x", {}', 304), ("*", 304), ('"x"', 200), ("", 200), ("{}x", 200), ("x", 200)],
)
def test_if_none_match_is_read_as_rfc_9110_says(form: str, status: int) -> None:
    client = client_of("one")
    tag = client.get("/").headers["etag"]
    assert client.get("/", headers={"if-none-match": form.format(tag)}).status_code == status
