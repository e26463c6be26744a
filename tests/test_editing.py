"""`/api/articles` and `/api/jobs`, through the whole app: who may change what, and that it changes."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from pullquote.answering import Assistant
from pullquote.articles import make_article
from pullquote.embedding import BUILT_IN, QuestionEncoder, Vectors, WorkerEncoder
from pullquote.fetching import Fetcher
from pullquote.jobs import Jobs
from pullquote.library import Library
from pullquote.sessions import Sessions
from pullquote.tokens import Tokens
from pullquote.web.access import Access
from pullquote.web.server import build
from tests.building import put_embedded
from tests.conftest import open_settings
from tests.documents import docx, paragraph, pdf_of

PATIENCE = 30.0  # seconds
FERRY = "The ferry Otter leaves at nine. A ride costs twelve crowns."
CHANGES = [
    ("POST", "/api/articles"),
    ("POST", "/api/articles?name=a.txt"),
    ("PATCH", "/api/articles/{id}"),
    ("POST", "/api/articles/{id}/refresh"),
    ("DELETE", "/api/articles/{id}"),
    ("GET", "/api/jobs"),
    ("GET", "/api/jobs/x"),
    ("DELETE", "/api/jobs/x"),
]
THINGS = [("harbour", 1902), ("lighthouse", 1911), ("mill", 1850)]
READS = ["/api/articles", "/api/articles/{id}", "/articles/{id}", "/read"]


class Small(WorkerEncoder):
    """The built-in encoder's small form in the worker's place."""

    def encode_batch(self, texts: list[str]) -> Vectors:
        return QuestionEncoder().encode(texts)


@dataclass
class Desk:
    """The app, a visitor's client and an editor's headers."""

    client: TestClient
    library: Library
    editor: dict[str, str]
    article_id: str

    def done(self, response: Any) -> dict[str, Any]:
        """The job that a request began, when it is over."""
        assert response.status_code == 202, response.text
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            job: dict[str, Any] = self.client.get(response.headers["location"], headers=self.editor).json()
            if job["state"] in ("done", "failed", "cancelled"):
                return job
            time.sleep(0.02)
        raise AssertionError(job)


def desk_over(folder: Path, open_reading: bool) -> Iterator[Desk]:
    library = Library(folder)
    article = make_article(FERRY, title="Ferry")
    put_embedded(library, article)
    tokens, jobs = Tokens(library), Jobs(library, lambda: Small(BUILT_IN))
    settings = open_settings(reader="fast", open_reading=open_reading)
    sessions = Sessions(library)
    app = build(Assistant.open(library, settings), jobs, Fetcher(), Access(tokens, sessions, settings), settings)
    with TestClient(app, base_url="http://pullquote.test", follow_redirects=False) as client:
        yield Desk(client, library, {"authorization": f"Bearer {tokens.new('Ada')}"}, article.id)
    jobs.close()
    tokens.close()
    library.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    yield from desk_over(tmp_path, open_reading=True)


@pytest.fixture(scope="module")
def quiet_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    yield from desk_over(tmp_path_factory.mktemp("quiet"), open_reading=True)


@pytest.fixture
def quiet(quiet_desk: Desk) -> Iterator[Desk]:
    """A desk at which many tests change nothing, as is seen to after each."""
    before = (quiet_desk.library.revision, quiet_desk.library.articles())
    yield quiet_desk
    assert (quiet_desk.library.revision, quiet_desk.library.articles()) == before


@pytest.fixture(scope="module")
def closed_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    yield from desk_over(tmp_path_factory.mktemp("closed"), open_reading=False)


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer pq_wrong", "Basic QTpi", "pq_wrong", "Bearer é"])
@pytest.mark.parametrize(("method", "path"), CHANGES)
def test_nobody_changes_anything_without_a_token(
    quiet: Desk, method: str, path: str, authorization: str | None
) -> None:
    headers = {} if authorization is None else {b"authorization": authorization.encode("latin-1")}
    answer = quiet.client.request(method, path.format(id=quiet.article_id), headers=headers, json={"title": "T"})
    assert answer.status_code == 401
    assert "pullquote token new" in answer.json()["detail"]
    assert answer.headers["www-authenticate"] == "Bearer"
    time.sleep(0.05)


@pytest.mark.parametrize(("method", "path"), [row for row in CHANGES if row[0] != "GET"])
def test_another_site_changes_nothing_even_with_a_token(quiet: Desk, method: str, path: str) -> None:
    headers = quiet.editor | {"origin": "https://evil.example"}
    answer = quiet.client.request(method, path.format(id=quiet.article_id), headers=headers, json={"title": "T"})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "path", ["/gradio_api/upload", "/gradio_api/upload?upload_id=x", "/upload", "/gradio_api/component_server"]
)
def test_no_other_door_takes_a_file(quiet: Desk, path: str) -> None:
    files = {"files": ("a.txt", b"Text that must not get in.")}
    assert quiet.client.post(path, files=files, headers=quiet.editor).status_code in (404, 405)


@pytest.mark.parametrize("path", READS)
def test_reading_is_open_unless_set_otherwise(quiet: Desk, path: str) -> None:
    assert quiet.client.get(path.format(id=quiet.article_id)).status_code in (200, 307)


@pytest.mark.parametrize("path", READS)
def test_closed_reading_needs_a_token_and_asking_does_not(closed_desk: Desk, path: str) -> None:
    place = path.format(id=closed_desk.article_id)
    assert closed_desk.client.get(place).status_code == 401
    assert closed_desk.client.get(place, headers=closed_desk.editor).status_code in (200, 307)
    asked = closed_desk.client.post("/api/ask", json={"question": "When does the ferry Otter leave?"}).json()
    assert asked["text"] == "nine"


def test_a_text_is_added_renamed_asked_and_removed(desk: Desk) -> None:
    client, editor = desk.client, desk.editor
    body = {"text": "The bridge was opened in 1932 by Queen Astrid.", "title": "Bridge"}
    job = desk.done(client.post("/api/articles", json=body, headers=editor))
    assert (job["state"], job["outcome"], job["name"]) == ("done", "new", "Bridge")
    ask = {"question": "Who opened the bridge?"}
    assert client.post("/api/ask", json=ask).json()["text"] == "Queen Astrid"
    place = f"/api/articles/{job['article_id']}"
    renamed = desk.done(client.patch(place, json={"title": "The old bridge"}, headers=editor))
    assert renamed["outcome"] == "renamed"
    listed = {row["id"]: row for row in client.get("/api/articles").json()}
    assert listed[job["article_id"]]["title"] == "The old bridge"
    assert client.put(f"{place}/tags", json={"tags": ["Roads", "built_1932"]}).status_code == 401
    assert client.put(f"{place}/tags", json={"tags": ["two words"]}, headers=editor).status_code == 422
    put = client.put(f"{place}/tags", json={"tags": ["Roads", "built_1932"]}, headers=editor)
    assert put.json() == {"tags": ["built_1932", "roads"]} == {"tags": client.get(place).json()["tags"]}
    assert client.post("/api/ask", json=ask | {"article": "roads"}).json()["text"] == "Queen Astrid"
    assert client.post("/api/ask", json=ask | {"article": "rivers"}).status_code == 404
    assert client.post("/api/ask", json=ask).json()["quotes"][0]["article_title"] == "The old bridge"
    assert client.delete(place, headers=editor).json() == {"removed": job["article_id"]}
    assert client.post("/api/ask", json=ask).json()["status"] == "not_found"
    assert client.get(place).status_code == client.delete(place, headers=editor).status_code == 404


def test_a_file_is_the_body_and_its_name_says_how_to_read_it(desk: Desk) -> None:
    text = "# Caf\u00e9\n\nIt opens at six.\n".encode()
    job = desk.done(desk.client.post("/api/articles?name=..%2F..%2Fcaf%C3%A9.md", content=text, headers=desk.editor))
    assert (job["state"], job["name"]) == ("done", "Caf\u00e9")
    found = desk.client.get(f"/api/articles/{job['article_id']}").json()
    assert (found["source"], found["text"]) == ("caf\u00e9.md", text.decode())
    for row in found["chunk_rows"]:
        assert found["text"][row["start"] : row["end"]] == row["text"]
    again = desk.done(desk.client.post("/api/articles?name=other.md", content=text, headers=desk.editor))
    assert (again["outcome"], again["article_id"]) == ("unchanged", job["article_id"])


def test_a_quote_of_a_pdf_names_its_page_and_one_of_a_word_file_its_heading(desk: Desk) -> None:
    pages = [[(60.0, 700.0, 11.0, f"The {thing} of Veldt was built in {year}.")] for thing, year in THINGS]
    job = desk.done(desk.client.post("/api/articles?name=veldt.pdf", content=pdf_of(pages), headers=desk.editor))
    assert (job["state"], job["name"]) == ("done", "veldt")
    asked = desk.client.post("/api/ask", json={"question": "When was the lighthouse of Veldt built?"}).json()
    quote = asked["quotes"][0]
    assert (asked["text"], quote["page"], quote["article_title"]) == ("1911", 2, "veldt")
    opened = desk.client.get(f"/articles/{quote['article_id']}").text
    assert [f"Page {number}" in opened for number in (1, 2, 3, 4)] == [True, True, True, False]
    assert len(desk.client.get("/api/articles").json()) == 2

    body = paragraph(b"A tram runs.") + paragraph(b"The captain of the Veldt tram is called Wilma Brandt.")
    job = desk.done(desk.client.post("/api/articles?name=Tram.DOCX", content=docx(body), headers=desk.editor))
    asked = desk.client.post("/api/ask", json={"question": "What is the captain of the tram called?"}).json()
    assert (asked["text"], asked["quotes"][0]["article_id"]) == ("Wilma Brandt", job["article_id"])


@pytest.mark.parametrize(
    ("name", "body", "says"),
    [
        ("empty.txt", b"", "there is no text in it"),
        ("a.rtf", b"{}", "save it as one of them"),
        ("a.txt", bytes(2000), "not a text file"),
        ("scan.pdf", pdf_of([[]]), "OCR"),
        ("a.pdf", b"no pdf", "damaged"),
        ("a.docx", docx(paragraph(b"x" * 2_000_000)), "unpacks"),
    ],
)
def test_a_file_that_cannot_be_read_fails_with_what_to_do(quiet: Desk, name: str, body: bytes, says: str) -> None:
    job = quiet.done(quiet.client.post(f"/api/articles?name={name}", content=body, headers=quiet.editor))
    assert job["state"] == "failed"
    assert says in job["message"]


def test_who_waits_gets_the_end_of_the_job_or_what_to_do(desk: Desk) -> None:
    done = desk.client.post("/api/articles?wait=1&name=a.txt", content=b"Some words.", headers=desk.editor)
    assert (done.status_code, done.json()["state"], done.json()["outcome"]) == (200, "done", "new")
    failed = desk.client.post("/api/articles?wait=1&name=a.pdf", content=b"no pdf", headers=desk.editor)
    assert failed.status_code == 422
    assert "damaged" in failed.json()["detail"]
    body = {"url": "http://127.0.0.1/"}
    assert desk.client.post("/api/articles?wait=true", json=body, headers=desk.editor).status_code == 422


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "JSON"),
        (b"[]", "object"),
        (b"{}", "send"),
        (b'{"text": "a", "url": "http://a.example"}', "send"),
        (b'{"text": ""}', "no text"),
        (b'{"text": 3}', "text"),
        (b'{"url": "' + b"x" * 3000 + b'"}', "url"),
        (b'{"url": "file:///etc/passwd"}', "begins with http:// or https://"),
        (b'{"url": "ftp://a.example/x"}', "begins with http:// or https://"),
        (b'{"url": " https://a.example/x"}', "begins with http:// or https://"),
        (b'{"url": "https://"}', "begins with http:// or https://"),
        (b'{"text": "a", "title": "' + b"x" * 301 + b'"}', "title"),
        (b"\xff\xfe", "JSON"),
    ],
)
def test_a_bad_body_is_422_and_says_why(quiet: Desk, body: bytes, says: str) -> None:
    headers = quiet.editor | {"content-type": "application/json"}
    answer = quiet.client.post("/api/articles", content=body, headers=headers)
    assert answer.status_code == 422
    assert says in answer.json()["detail"]


@pytest.mark.parametrize("url", ["http://127.0.0.1/x", "HTTP://127.0.0.1/x", "http://169.254.169.254/"])
def test_an_address_inside_is_not_fetched(quiet: Desk, url: str) -> None:
    job = quiet.done(quiet.client.post("/api/articles", json={"url": url}, headers=quiet.editor))
    assert job["state"] == "failed"


def test_a_body_that_never_ends_is_cut_off(quiet: Desk) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 400:
            sent += 1
            yield b"x" * 1_000_000

    answer = quiet.client.post("/api/articles?name=a.txt", content=endless(), headers=quiet.editor)
    assert answer.status_code == 413


def test_what_was_pasted_cannot_be_refreshed(quiet: Desk) -> None:
    answer = quiet.client.post(f"/api/articles/{quiet.article_id}/refresh", headers=quiet.editor)
    assert answer.status_code == 409
    assert "nothing to read again" in answer.json()["detail"]


def test_a_changed_file_is_refreshed_under_its_given_title(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "timetable.txt"
    file.write_text("Timetable\n\nThe night ferry leaves at eleven.")
    from pullquote.sources import read_file

    article = read_file(file)
    put_embedded(desk.library, article)
    desk.done(desk.client.patch(f"/api/articles/{article.id}", json={"title": "Night"}, headers=desk.editor))
    place = f"/api/articles/{article.id}/refresh"
    assert desk.done(desk.client.post(place, headers=desk.editor))["outcome"] == "unchanged"
    file.write_text("Timetable\n\nThe night ferry leaves at midnight.")
    assert desk.done(desk.client.post(place, headers=desk.editor))["outcome"] == "changed"
    asked = desk.client.post("/api/ask", json={"question": "When does the night ferry leave?"}).json()
    assert (asked["text"], asked["quotes"][0]["article_title"]) == ("midnight", "Night")
    file.unlink()
    failed = desk.done(desk.client.post(place, headers=desk.editor))
    assert failed["state"] == "failed"
    assert "No such file" in failed["message"]
    assert desk.library.article(article.id).text.endswith("midnight.")


def test_a_job_that_is_not_known_is_404(quiet: Desk) -> None:
    for method in ("GET", "DELETE"):
        assert quiet.client.request(method, "/api/jobs/x", headers=quiet.editor).status_code == 404
