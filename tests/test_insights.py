"""What admins are told: through the whole app, by role, and on the page in a real browser."""

import json
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect
from starlette.testclient import TestClient

from pullquote.answering import Assistant
from pullquote.articles import make_article
from pullquote.counting import Counts, today
from pullquote.datatypes import Answer
from pullquote.feedback import Feedback, Opinion
from pullquote.insights import ceiling, gather
from pullquote.library import Library
from pullquote.people import Passwords
from pullquote.tokens import Tokens
from pullquote.visibility import show_to
from tests.building import put_embedded
from tests.conftest import ARTICLE_FILE, open_settings
from tests.serving import Server, serving
from tests.test_page import NARROW, WIDE
from tests.whole import client_of

LAMP = make_article("The lamp was lit in 1874 by Ada Holm. It burned oil for forty years.", title="Lamp")
WHEN, NONSENSE = "When was the lamp lit?", "What does a ticket to the moon cost?"
HOSTILE = "What does <img src=x onerror=window.pwned=1> cost in the shop of the <b>harbour</b>?"
PATHS = ("/api/v1/insights", "/api/v1/gaps", "/api/v1/gaps.csv", "/api/v1/gaps/questions", "/insights/numbers")
PASSWORD = "correct horse"


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    library = Library(tmp_path)
    put_embedded(library, LAMP)
    yield library
    library.close()


def opened(library: Library, **settings: Any) -> Any:
    assistant = Assistant.open(library, open_settings(reader="fast"))
    return client_of(assistant, keep_refused_days=7, **settings)


def ask(client: TestClient | httpx.Client, *questions: str, **more: Any) -> None:
    for question in questions:
        assert client.post("/api/v1/ask", json={"question": question}, **more).status_code == 200


def until(client: TestClient | httpx.Client, asked: int, **more: Any) -> dict[str, Any]:
    """The numbers, once so many questions are counted: that takes a second."""
    for _ in range(50):
        time.sleep(0.1)
        found: dict[str, Any] = client.get("/api/v1/insights?days=7", **more).json()
        if found["answered"] + found["refused"] + found["other"] >= asked:
            return found
    raise AssertionError(found)


def test_the_numbers_are_those_of_what_was_asked(library: Library) -> None:
    rights = {"headers": {"authorization": f"Bearer {Tokens(library).new('Ada')}"}}
    with opened(library) as client:
        ask(client, WHEN, WHEN, NONSENSE, "Hello")
        answer = client.post("/api/v1/ask", json={"question": WHEN}).json()
        for verdict in ("up", "up", "down"):
            client.post("/api/v1/feedback", json={"verdict": verdict, "answer": answer})
        found = until(client, 5, **rights)
        assert [found[key] for key in ("answered", "refused", "other", "up", "down")] == [3, 1, 1, 2, 1]
        assert found["refusal_rate"] == 0.25
        assert [row["day"] for row in found["days"]] == [f"{today() - timedelta(days)}" for days in range(6, -1, -1)]
        assert [*found["days"][-1].values()][1:] == [3, 1, 1, 2, 1]
        assert {row["stage"]: row["count"] for row in found["seconds"]} == {"retrieve": 2, "read": 2, "total": 5}
        assert all(0 < row["median"] <= row["p95"] < 60 for row in found["seconds"])

        [gap] = client.get("/api/v1/gaps", **rights).json()["gaps"]
        assert (gap["question"], gap["count"]) == (NONSENSE, 1)
        assert LAMP.text[gap["closest"]["start"] : gap["closest"]["end"]] == gap["closest"]["text"]
        table = client.get("/api/v1/gaps.csv", **rights)
        assert table.headers["content-type"].startswith("text/csv")
        assert NONSENSE in table.text
        drafted = client.get("/api/v1/gaps/questions", **rights)
        assert "attachment" in drafted.headers["content-disposition"]
        assert NONSENSE in [row["question"] for row in json.loads(drafted.text)["questions"]]
        assert client.delete("/api/v1/gaps", **rights).json() == {"forgotten": True}
        assert client.get("/api/v1/gaps", **rights).json() == {"days": 7, "gaps": [], "ungrouped": 0}


def test_where_nobody_signs_in_a_token_is_needed_and_a_period_that_can_be(library: Library) -> None:
    rights = {"authorization": f"Bearer {Tokens(library).new('Ada')}"}
    with opened(library) as client:
        for days in ("0", "-1", "401", "x"):
            response = client.get(f"/api/v1/insights?days={days}", headers=rights)
            assert (response.status_code, response.headers["content-type"]) == (422, "application/problem+json")
        for path in PATHS:
            assert client.get(path).status_code == 401
        assert client.delete("/api/v1/gaps").status_code == 401
        page = client.get("/insights")
        assert page.status_code == 200
        assert "data-known" not in page.text
        assert "Questions a day" not in page.text


def test_only_admins_are_told_and_they_of_hidden_articles_too(library: Library, tmp_path: Path) -> None:
    people = tmp_path / "people"
    for name, groups in (("ada", {"editors"}), ("bob", {"hr"}), ("eve", {"admins"})):
        Passwords(people).put(name, PASSWORD, frozenset(groups))
    show_to(library, LAMP.id, ["hr"])
    with opened(library, access="password", passwords=people) as client:

        def sign_in(name: str) -> None:
            client.cookies.clear()
            assert client.post("/login", data={"name": name, "password": PASSWORD}).status_code == 303

        for name in ("bob", "ada"):
            sign_in(name)
            ask(client, "How high is the lamp?")
            assert {client.get(path).status_code for path in (*PATHS, "/insights")} == {403}
            assert client.delete("/api/v1/gaps").status_code == 403
            assert "Questions a day" not in client.get("/insights").text
            assert "/insights" not in client.get("/articles").text
        client.cookies.clear()
        token = {"authorization": f"Bearer {Tokens(library).new('Ada')}"}  # an editor's, no more
        assert {client.get(path, headers=token).status_code for path in (*PATHS, "/insights")} == {403}
        sign_in("eve")
        until(client, 2)
        assert {client.get(path).status_code for path in PATHS} == {200}
        [gap] = client.get("/api/v1/gaps").json()["gaps"]
        assert (gap["count"], gap["closest"]["article_title"]) == (2, "Lamp")
        page = client.get("/insights?days=7").text
        assert "Questions a day" in page
        assert "How high is the lamp?" in page


def test_a_new_installation_says_what_to_do(library: Library) -> None:
    rights = {"authorization": f"Bearer {Tokens(library).new('Ada')}"}
    with client_of(Assistant.open(library, open_settings(reader="fast"))) as client:
        text = client.get("/insights/numbers?days=90", headers=rights).text
        assert "In dieser Zeit hat niemand" in client.get("/insights/numbers?lang=de", headers=rights).text
    assert "Nobody has asked anything in this time." in text
    assert "PULLQUOTE_KEEP_REFUSED_DAYS=30" in text
    assert "<svg" not in text


def test_days_without_a_question_have_no_rate(library: Library) -> None:
    with closing(Counts(library)) as counts, closing(Feedback(library)) as feedback:
        counts.add([(today(), Answer("?", "guidance", "Ask.", 1.0, seconds={"total": 0.1}))])
        feedback.keep(Opinion("up", "?", "guidance"))
        found = gather(counts, feedback, 90)
    assert (len(found.days), found.other, found.up, found.refusal_rate) == (90, 1, 1, None)


@pytest.mark.parametrize(("number", "top"), [(0, 1), (1, 1), (3, 5), (6, 10), (11, 20), (100, 100), (101, 200)])
def test_an_axis_ends_at_a_round_number(number: int, top: int) -> None:
    assert ceiling(number) == top


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, str]]:
    """A server at which was asked, and a token."""
    store = tmp_path_factory.mktemp("insights")
    library = Library(store)
    put_embedded(library, LAMP)
    library.mark_starter(make_article(ARTICLE_FILE.read_text("utf-8")).sha256)
    token = Tokens(library).new("Ada")
    library.close()
    with serving(store, keep_refused_days="7", reader="fast") as server:
        with httpx.Client(base_url=server.url) as client:
            ask(client, WHEN, NONSENSE, NONSENSE, HOSTILE)
            until(client, 4, headers={"authorization": f"Bearer {token}"})
        yield server, token


@pytest.mark.browser
@pytest.mark.parametrize(("size", "scheme"), [(WIDE, "light"), (NARROW, "dark")], ids=["wide", "narrow"])
def test_axe_finds_nothing_and_nothing_runs(
    browser: Browser, desk: tuple[Server, str], size: tuple[int, int], scheme: str
) -> None:
    server, token = desk
    page = browser.new_page(
        viewport={"width": size[0], "height": size[1]}, color_scheme="dark" if scheme == "dark" else "light"
    )
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(f"{server.url}/insights")
    page.get_by_label("Token").fill(token)
    page.keyboard.press("Enter")
    page.get_by_text(HOSTILE).click()
    expect(page.get_by_role("img", name="Questions a day")).to_be_visible()
    assert Axe().run(page).violations_count == 0
    assert page.evaluate("window.pwned") is None
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert said == []  # the policy forbade nothing
    page.close()


@pytest.mark.browser
def test_an_admin_looks_takes_the_table_along_and_forgets(browser: Browser, desk: tuple[Server, str]) -> None:
    server, token = desk
    page = browser.new_page()
    page.goto(f"{server.url}/insights")
    page.get_by_label("Token").fill("pq_wrong")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("This token is not known here")).to_be_visible()
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("term").filter(has_text="Questions")).to_be_visible()
    page.get_by_role("link", name="7 days").click()
    expect(page.get_by_role("link", name="7 days")).to_have_attribute("aria-current", "true")
    for name, wanted in (("Table (CSV)", '"2"'), ("Draft an evaluation file", '"kind": "absent"')):
        with page.expect_download() as download:
            page.get_by_role("link", name=name).click()
        assert wanted in Path(download.value.path()).read_text("utf-8")
    forget = page.get_by_role("button", name="Forget all")
    forget.click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text(NONSENSE)).to_be_visible()
    forget.click()
    page.get_by_role("dialog").get_by_role("button", name="Forget all").click()
    expect(page.get_by_text("No question of the last 7 days was refused.")).to_be_visible()
    page.reload()
    expect(page.get_by_text("No question of the last 7 days was refused.")).to_be_visible()
    page.close()
