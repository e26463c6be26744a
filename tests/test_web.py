"""Routes, headers and shut doors, through the whole app."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from pullquote.answering import Assistant
from pullquote.datatypes import Article
from pullquote.web.pages import is_english
from tests.whole import client_of

ASK = "Who was the first to report the intelligence discovery?"


@pytest.fixture(scope="module")
def client(assistant: Assistant) -> Iterator[TestClient]:
    with client_of(assistant, follow_redirects=True) as client:
        yield client


def test_ask_gives_the_answer_with_its_slice(client: TestClient, article: Article) -> None:
    answer = client.post("/api/ask", json={"question": ASK}).json()
    quote = answer["quotes"][0]
    assert answer["text"] == "The New York Times"
    assert article.text[quote["start"] : quote["end"]] == quote["text"]
    assert article.text[slice(*quote["highlight"])] == answer["text"]


def test_refusal_is_an_answer(client: TestClient) -> None:
    response = client.post("/api/ask", json={"question": "What is the capital of France?"})
    assert response.status_code == 200
    assert response.json()["status"] == "not_found"
    assert response.json()["quotes"] == []
    assert response.json()["closest"]["text"]


@pytest.mark.parametrize("question", ["", "   ", "\x00", "x" * 2001, "é" * 5000])
def test_unaskable_questions_are_422(client: TestClient, question: str) -> None:
    response = client.post("/api/ask", json={"question": question})
    assert response.status_code == 422
    if len(question) > 2000:
        assert "2,000" in response.text or "2000" in response.text


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"question": 3}', b'{"q": "x"}', b"\xff\xfe", b"question=x"])
def test_bad_bodies_are_422(client: TestClient, body: bytes) -> None:
    response = client.post("/api/ask", content=body, headers={"content-type": "application/json"})
    assert response.status_code == 422


def test_a_follow_up_is_read_with_the_history_it_comes_with(client: TestClient) -> None:
    before = "Were Iranian drones sent to the Russian military?"
    body = {"question": "When was that?", "history": ["hello", before]}
    answer = client.post("/api/ask", json=body).json()
    assert answer["text"] == "August"
    assert "drones" in answer["read_as"]
    assert client.post("/api/ask", json=body | {"history": []}).json()["status"] == "guidance"


@pytest.mark.parametrize("history", [["x" * 5000] * 50, ["\x00"], ["[](){}"] * 200, ["</script>"]])
def test_a_history_of_anything_is_no_error(client: TestClient, history: list[str]) -> None:
    response = client.post("/api/ask", json={"question": "Why?", "history": history})
    assert response.status_code == 200
    assert response.json()["quotes"] == []


@pytest.mark.parametrize("history", ["Why?", [3], [["Why?"]], {"0": "Why?"}, ["Why?"] * 201])
def test_a_history_of_another_shape_is_422(client: TestClient, history: object) -> None:
    assert client.post("/api/ask", json={"question": "Why?", "history": history}).status_code == 422


def test_one_article_is_asked_by_its_id(client: TestClient, assistant: Assistant) -> None:
    (found, _), *_ = assistant.library.articles()
    answer = client.post("/api/ask", json={"question": ASK, "article": found.id}).json()
    assert answer["quotes"][0]["article_id"] == found.id
    unknown = client.post("/api/ask", json={"question": ASK, "article": "nothing"})
    assert unknown.status_code == 404
    assert "nothing" in unknown.json()["detail"]
    assert client.post("/api/ask", json={"question": ASK, "article": ""}).status_code == 200


def test_health(client: TestClient) -> None:
    assert client.get("/healthz").json()["status"] == "ok"


class Page(HTMLParser):
    """The text of an article's page, and what of it is marked."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text, self.marked, self.tags = "", "", list[str]()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self.tags.append("/" + tag)

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.tags.count("mark") > self.tags.count("/mark"):
            self.marked += data


def test_article_page_marks_exactly_the_quote(client: TestClient, article: Article) -> None:
    quote = client.post("/api/ask", json={"question": ASK}).json()["quotes"][0]
    at = {"quote": f"{quote['start']}-{quote['end']}", "mark": "{}-{}".format(*quote["highlight"])}
    page = Page(client.get(f"/articles/{quote['article_id']}", params=at).text)
    assert page.marked == quote["text"]
    for line in filter(None, article.text.splitlines()):
        assert line in page.text


def test_a_quote_of_an_older_version_is_not_marked_and_says_so(client: TestClient, article: Article) -> None:
    quote = client.post("/api/ask", json={"question": ASK}).json()["quotes"][0]
    at = {"quote": f"{quote['start']}-{quote['end']}", "mark": "{}-{}".format(*quote["highlight"])}
    for version, is_marked in ((article.sha256[:12], True), ("0" * 12, False), ("x", False)):
        page = Page(client.get(f"/articles/{quote['article_id']}", params=at | {"version": version}).text)
        assert bool(page.marked) == is_marked
        assert ("has changed since it was quoted" in page.text) != is_marked


@pytest.mark.parametrize("at", ["", "x", "-1-5", "5", "9-3", "0-0", "99999-999999", "1e3-5", "0-999999999", "٣-٩"])
def test_article_page_survives_any_place(client: TestClient, assistant: Assistant, at: str) -> None:
    (found, _), *_ = assistant.library.articles()
    response = client.get(f"/articles/{found.id}", params={"quote": at, "mark": at})
    assert response.status_code == 200
    assert "first to report the intelligence discovery" in response.text


def test_unknown_article_is_a_404_page(client: TestClient) -> None:
    response = client.get("/articles/nothing")
    assert response.status_code == 404
    assert "no longer in the library" in response.text


@pytest.mark.parametrize(
    "path",
    ["/", "/read", "/articles", "/articles/x", "/api/articles", "/healthz", "/config", "/pullquote/page.js", "/nope"],
)
def test_every_answer_carries_the_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    scripts = re.search(r"script-src ([^;]*)", policy)
    assert scripts
    assert all(word == "'self'" or word.startswith("'sha256-") for word in scripts[1].split())
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://pullquote.test.evil.example", "http://x"])
@pytest.mark.parametrize("path", ["/api/ask", "/gradio_api/queue/join", "/gradio_api/upload"])
def test_other_sites_cannot_ask(client: TestClient, origin: str, path: str) -> None:
    response = client.post(path, json={"question": ASK}, headers={"origin": origin})
    assert response.status_code in {403, 404}
    assert "access-control-allow-origin" not in response.headers
    assert client.post(path, json={}, headers={"sec-fetch-site": "cross-site"}).status_code in {403, 404}


def test_own_page_and_programs_can_ask(client: TestClient) -> None:
    for headers in ({}, {"origin": "http://pullquote.test", "sec-fetch-site": "same-origin"}):
        assert client.post("/api/ask", json={"question": ASK}, headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["/gradio_api/upload", "/gradio_api/file=/etc/passwd", "/openapi.json", "/docs"])
def test_doors_that_nobody_needs_are_shut(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404
    assert client.post(path, files={"files": b"x"}).status_code in {404, 405}


NAMES = ("ask", "answer", "predict", "../../etc/passwd", "%2e%2e", "\u0000", "a" * 5_000, "🦊", "0", "-1", "lambda_1")
JOIN = "/gradio_api/queue/join"


@pytest.mark.parametrize("door", ["call", "call/v2", "run", "api", "component_server", "stream", "info", "file="])
def test_an_unknown_name_of_gradios_interface_is_404_without_a_trace(client: TestClient, door: str) -> None:
    for name in NAMES:
        response = client.post(f"/gradio_api/{door}/{quote(name, safe='')}", json={"data": []})
        assert response.status_code == 404
        assert "Traceback" not in response.text
        assert client.get(f"/gradio_api/{door}/{quote(name, safe='')}").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"fn_index": number, "data": data, "session_hash": session}
        for number in (-1, 10**6, None, "x", 0)
        for data, session in (([], None), (None, "s"), ("x", 3), ([{}] * 50, None))
    ],
)
def test_a_call_that_the_page_never_makes_is_no_error_of_ours(client: TestClient, body: dict[str, object]) -> None:
    response = client.post(JOIN, json=body)
    assert response.status_code < 500
    assert "Traceback" not in response.text


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/api/ask", {"question": "x" * 2_001}, 422),
        ("/api/ask", {"question": "x" * 5_000_000}, 413),
        (JOIN, {"data": ["x" * 2_001, [], ""], "fn_index": 0, "session_hash": "s"}, 422),
        (JOIN, {"data": ["x" * 5_000_000, [], ""], "fn_index": 0, "session_hash": "s"}, 413),
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": "x" * 5_000_000}]}, 413),
        ("/mcp", {"x": "x" * 5_000_000}, 413),
    ],
)
def test_what_is_too_long_is_said_whatever_the_way(
    client: TestClient, path: str, body: dict[str, object], status: int
) -> None:
    assert client.post(path, json=body).status_code == status


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The town paid for the bridge, and the queen came to open it in 1932.", True),
        (
            "Die Stadt bezahlte die Brücke, und die Königin kam, um sie in dem Jahr zu öffnen; was sie sagte, gilt.",
            False,
        ),
        ("La ville a payé le pont, et la reine est venue l’ouvrir en 1932, à la fin du mois d’août.", False),
        ("La ciudad pagó el puente, y la reina vino a abrirlo en 1932, al final del mes de agosto.", False),
        ("Город оплатил мост.", False),
        ("1, 2, 3", False),
        ("", False),
    ],
)
def test_an_english_text_is_told_from_others(text: str, expected: bool) -> None:
    assert is_english(text) == expected


def test_an_article_is_read_out_in_its_own_language(client: TestClient, assistant: Assistant) -> None:
    (found, _), *_ = assistant.library.articles()
    page = client.get(f"/articles/{found.id}", headers={"accept-language": "ar"}).text
    assert re.search(r'<html[^>]*lang="ar" dir="rtl"', page)
    assert re.search(r'<div lang="en">\s*<h2 dir="auto">', page)
