"""Feedback: through HTTP into the library, and out as a file that an evaluation reads."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect, sync_playwright
from starlette.testclient import TestClient

from pullquote import evaluating, keeping
from pullquote.answering import Assistant
from pullquote.articles import make_article
from pullquote.embedding import WorkerEncoder
from pullquote.feedback import Feedback, draft
from pullquote.fetching import Fetcher
from pullquote.jobs import Jobs
from pullquote.library import Library
from pullquote.sessions import Sessions
from pullquote.tokens import Tokens
from pullquote.visibility import show_to
from pullquote.web.access import Access
from pullquote.web.server import build
from tests.building import put_embedded
from tests.conftest import ARTICLE_FILE, CHROMIUM, FLAGS, open_settings
from tests.serving import serving
from tests.test_page import Visit

LAMP = "The lamp was lit in 1874 by Ada Holm. It burned oil. It stands two miles from the harbour."
WHEN, NONSENSE = "When was the lamp lit?", "What does a ticket to the moon cost?"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[tuple[TestClient, Library]]:
    library = Library(tmp_path)
    put_embedded(library, make_article(LAMP, title="Lamp"))
    tokens, sessions, jobs = Tokens(library), Sessions(library), Jobs(library, WorkerEncoder)
    settings = open_settings(reader="fast")
    assistant = Assistant.open(library, settings)
    app = build(assistant, jobs, Fetcher(), Access(tokens, sessions, settings), settings)
    with TestClient(app, base_url="http://localhost") as client:
        yield client, library
    jobs.close()
    tokens.close()
    sessions.close()
    library.close()


def ask(client: TestClient, question: str) -> dict[str, Any]:
    found: dict[str, Any] = client.post("/api/ask", json={"question": question}).json()
    return found


def test_what_was_helpful_becomes_a_question_that_is_right(desk: tuple[TestClient, Library], tmp_path: Path) -> None:
    client, library = desk
    for question, verdict, reason in ((WHEN, "up", ""), (NONSENSE, "up", ""), ("Who lit the lamp?", "down", "  no \n")):
        body = {"verdict": verdict, "reason": reason, "answer": ask(client, question), "history": ["Hello"]}
        assert client.post("/api/v1/feedback", json=body).json() == {"kept": True}
    with closing(Feedback(library)) as feedback:
        kept = feedback.all()
    assert [(one.question, one.verdict, one.reason, one.after) for one in kept] == [
        (WHEN, "up", "", ("Hello",)),
        (NONSENSE, "up", "", ("Hello",)),
        ("Who lit the lamp?", "down", "no", ("Hello",)),
    ]
    [place] = kept[0].places
    assert LAMP[slice(*place.highlight)] == "1874"
    assert place.article_sha256 == library.articles()[0][0].sha256

    file = tmp_path / "questions.json"
    file.write_text(json.dumps(draft(library, kept)))
    articles, questions = evaluating.load(file)
    assert [(one.question, one.kind, one.answers) for one in questions] == [
        (WHEN, "answerable", ("1874",)),
        (NONSENSE, "absent", ()),
    ]
    assert articles[0].text == LAMP
    assert [row["reason"] for row in json.loads(file.read_text())["to_complete"]] == ["no"]


def test_the_last_opinion_counts_and_only_of_the_version_that_was_quoted(desk: tuple[TestClient, Library]) -> None:
    client, library = desk
    answer = ask(client, WHEN)
    for verdict in ("down", "up"):
        client.post("/api/feedback", json={"verdict": verdict, "answer": answer})
    with closing(Feedback(library)) as feedback:
        assert [row["verdict"] for row in draft(library, feedback.all())["questions"]] == ["up"]
        answer["quotes"][0]["article_sha256"] = "0" * 64
        client.post("/api/feedback", json={"verdict": "up", "answer": answer})
        drafted = draft(library, feedback.all())
    assert (drafted["questions"], len(drafted["to_complete"])) == ([], 1)


@pytest.mark.parametrize(
    "change",
    [
        {"verdict": "sideways"},
        {"reason": "x" * 1001},
        {"history": ["x" * 2001]},
        {"answer": {"question": WHEN}},
        {"answer": {"question": "", "status": "answered"}},
        *(
            {"quotes": {"start": start, "end": end, "highlight": mark}}
            for start, end, mark in ((5, 3, [3, 5]), (0, 9, [8, 10]), (0, 10**6, [0, 5]), (-1, 5, [0, 2]))
        ),
    ],
)
def test_what_cannot_have_been_thought_is_refused_and_not_kept(
    desk: tuple[TestClient, Library], change: dict[str, Any]
) -> None:
    client, library = desk
    body: dict[str, Any] = {"verdict": "up", "answer": ask(client, WHEN)}
    if quotes := change.pop("quotes", None):
        body["answer"]["quotes"][0] |= quotes
    response = client.post("/api/v1/feedback", json=body | change)
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    with closing(Feedback(library)) as feedback:
        assert feedback.all() == []


def test_feedback_of_an_article_that_is_not_there_and_from_another_site(desk: tuple[TestClient, Library]) -> None:
    client, _ = desk
    answer = ask(client, WHEN)
    foreign = client.post("/api/feedback", json={"verdict": "up", "answer": answer}, headers={"origin": "http://evil"})
    assert foreign.status_code == 403
    answer["quotes"][0]["article_id"] = "gone"
    assert client.post("/api/feedback", json={"verdict": "up", "answer": answer}).status_code == 404


@pytest.mark.parametrize("change", [{}, {"end": 10**6}, {"article_sha256": "0" * 64}])
def test_feedback_does_not_tell_a_hidden_article_from_one_that_is_not_there(
    desk: tuple[TestClient, Library], change: dict[str, Any]
) -> None:
    client, library = desk
    answer = ask(client, WHEN)
    [(article, _)] = library.articles()
    show_to(library, article.id, ["hr"])
    answer["quotes"][0] |= change
    said = []
    for name in (article.id, "f" * len(article.id)):
        answer["quotes"][0]["article_id"] = name
        response = client.post("/api/v1/feedback", json={"verdict": "up", "answer": answer})
        said.append(response.json() | {"request_id": "", "detail": response.json()["detail"].replace(name, "ID")})
    assert said[0] == said[1]
    assert said[0]["status"] == 404


def test_an_export_of_the_library_says_nothing_of_what_visitors_asked(
    desk: tuple[TestClient, Library], tmp_path: Path
) -> None:
    client, library = desk
    client.post("/api/feedback", json={"verdict": "up", "answer": ask(client, WHEN)})
    keeping.export(library, tmp_path / "out.sqlite")
    assert WHEN.encode() not in (tmp_path / "out.sqlite").read_bytes()
    keeping.backup(library, tmp_path / "all.sqlite")
    assert WHEN.encode() in (tmp_path / "all.sqlite").read_bytes()  # the control


@pytest.mark.browser
def test_a_visitor_says_what_was_wrong_and_what_was_right(tmp_path: Path) -> None:
    with closing(Library(tmp_path)) as library:
        put_embedded(library, make_article(LAMP, title="Lamp"))
        library.mark_starter(make_article(ARTICLE_FILE.read_text("utf-8")).sha256)
        with serving(tmp_path) as server, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            visit = Visit(browser, server.url)
            visit.ask(WHEN)
            visit.ask(NONSENSE)
            groups = visit.page.get_by_role("group", name="Was this answer helpful?")
            expect(groups).to_have_count(2)
            groups.nth(1).get_by_role("button", name="Not helpful").focus()
            visit.page.keyboard.press("Enter")
            visit.page.keyboard.type("it is 5 million")
            visit.page.keyboard.press("Enter")
            expect(groups.nth(1)).to_have_text("Thank you.")
            groups.nth(0).get_by_role("button", name="Helpful", exact=True).click()
            expect(groups.nth(0)).to_have_text("Thank you.")
            visit.close()
            browser.close()
        with closing(Feedback(library)) as feedback:
            said = [(one.question, one.verdict, one.reason, one.after) for one in feedback.all()]
    assert said == [(NONSENSE, "down", "it is 5 million", (WHEN,)), (WHEN, "up", "", ())]
