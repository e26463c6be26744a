"""One answer, the same byte for byte, over every surface of a real server; `make accept NAME=surfaces` asks more."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests import contract
from tests.serving import Server, serving

QUESTIONS = [
    "Who was the first to report the intelligence discovery?",
    "And when?",
    "What is the capital of France?",
    "What is this about?",
    "Were Iranian drones sent to the Russian military?",
    "Hello!",
]
FAST = {"reader": "fast"}  # the small reader only: it is the surfaces that are compared


@pytest.fixture(scope="module")
def server(store: Path) -> Iterator[Server]:
    with serving(store, **FAST) as server:
        yield server


@pytest.fixture(scope="module")
def answers(server: Server) -> list[str]:
    return contract.rest(server.url, QUESTIONS)


@pytest.fixture
def fast(store: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The library, for surfaces that are processes of their own."""
    monkeypatch.setenv("PULLQUOTE_READER", FAST["reader"])
    return store


def test_the_questions_have_answers_of_every_kind(answers: list[str]) -> None:
    kinds = {json.loads(answer)["status"] for answer in answers}
    assert kinds == {"answered", "not_found", "overview", "related", "guidance"}
    assert json.loads(answers[1])["read_as"]


def test_http_and_its_events_give_the_answer(server: Server, answers: list[str]) -> None:
    assert contract.rest(server.url, QUESTIONS, "/api/ask") == answers
    assert contract.sse(server.url, QUESTIONS) == answers


@pytest.mark.parametrize("stream", [False, True])
def test_openais_client_gets_the_answer(server: Server, answers: list[str], stream: bool) -> None:
    assert contract.openai(server.url, QUESTIONS, stream) == answers


def test_mcp_gives_the_answer_over_both_transports(server: Server, answers: list[str], fast: Path) -> None:
    assert contract.mcp_http(server.url, QUESTIONS) == answers
    assert contract.mcp_stdio(fast, QUESTIONS) == answers


def test_the_command_and_python_give_the_answer(answers: list[str], fast: Path) -> None:
    assert contract.cli(fast, QUESTIONS[:2]) == answers[:2]
    assert contract.python(fast, QUESTIONS) == answers


@pytest.mark.browser
def test_the_page_and_the_widgets_frame_show_the_answer(server: Server, answers: list[str], browser: Browser) -> None:
    data = [json.loads(answer) for answer in answers]
    shown = contract.page(browser, server.url, QUESTIONS)
    assert list(map(contract.page_shows, shown, data)) == ["" for _ in QUESTIONS]
    framed = contract.page(browser, f"{server.url}/embed", QUESTIONS[:2])
    assert list(map(contract.page_shows, framed, data)) == ["", ""]
    assert contract.page_shows(shown[0], data[4])  # the control: it tells one answer from another
