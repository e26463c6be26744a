"""Pages and scripts in the language of who asks for them, through the whole app."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from pullquote.answering import Assistant
from pullquote.messages import LANGUAGES, messages_in
from pullquote.web.greeting import words
from pullquote.web.languages import widget
from tests.whole import client_of

PAGES = ("/", "/embed", "/articles", "/read", "/articles/nothing", "/login", "/embed/snippet", "/embed/check")


@pytest.fixture(scope="module")
def client(assistant: Assistant) -> Iterator[TestClient]:
    with client_of(assistant, follow_redirects=True) as client:
        yield client


def spoken(page: str) -> tuple[str, str]:
    """The language and the direction that a page says it is in."""
    found = re.search(r'<html[^>]*\blang="([^"]*)"[^>]*\bdir="([^"]*)"', page)
    assert found
    return found[1], found[2]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_says_its_language_and_direction(client: TestClient, path: str, language: str) -> None:
    expected = (language, messages_in(language).direction)
    by_header = client.get(path, headers={"accept-language": f"{language};q=0.9, xx"})
    assert spoken(by_header.text) == expected
    assert "accept-language" in by_header.headers["vary"].lower()
    by_address = client.get(f"{path}?lang={language}", headers={"accept-language": "en, de;q=0.5"})
    assert spoken(by_address.text) == expected
    assert int(by_address.headers["content-length"]) == len(by_address.content)


@pytest.mark.parametrize("language", [code for code in LANGUAGES if code != "en"])
def test_what_the_chat_page_was_made_with_is_translated(
    client: TestClient, assistant: Assistant, language: str
) -> None:
    page = client.get("/", headers={"accept-language": language}).text
    config = json.loads(re.findall(r"window\.gradio_config = (\{.*?\});</script>", page)[0])
    values = {
        value for component in config["components"] for value in component["props"].values() if isinstance(value, str)
    }
    english, own = words(assistant, "", True), words(assistant, "", True, messages_in(language))
    assert not values & (set(english.values()) - set(own.values()))  # "Conversation" is French too
    assert set(own.values()) - {own["all"], own["banner"]} <= values  # the article's choices are a list
    assert own["all"] in page


def test_a_page_goes_on_in_the_language_that_the_address_asks_for(client: TestClient) -> None:
    by_address = client.get("/articles?lang=de", headers={"accept-language": "en"}).text
    assert '<a href="/articles?lang=de">Artikel</a>' in by_address
    by_header = client.get("/articles", headers={"accept-language": "de"}).text
    assert '<a href="/articles">Artikel</a>' in by_header


def test_an_address_cannot_write_into_a_page(client: TestClient) -> None:
    for path in PAGES:
        page = client.get(path, params={"lang": '"><script>alert(1)</script>'}, headers={"accept-language": "xx"})
        assert "alert(1)" not in page.text
        assert spoken(page.text) == ("en", "ltr")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_scripts_are_given_their_words(client: TestClient, language: str) -> None:
    script = client.get("/pullquote/messages.js", params={"lang": language}).text
    found = json.loads(script[script.rindex("})({") + 3 : script.rindex(")")])
    assert found["language"] == language
    assert ("Copied" in found["texts"]) == (language != "en")
    assert "The article does not say." not in found["texts"]  # no script says that


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_widget_is_given_its_sentences(client: TestClient, language: str) -> None:
    served = client.get("/widget.js", headers={"accept-language": language})
    assert served.text == widget(language) == client.get(f"/widget.js?lang={language}").text
    assert "accept-language" in served.headers["vary"]
    assert json.dumps(messages_in(language)("Opening the chat…"), ensure_ascii=False) in served.text
    assert "_(" not in served.text
    told = client.get(f"/embed/allowed?lang={language}", headers={"origin": "http://evil.example"}).json()["why"]
    assert "http://evil.example" in told
    assert ("may not show" in told) == (language == "en")


def test_programs_are_answered_alike_in_every_language(client: TestClient) -> None:
    """The answer is the contract of every surface; only pages are translated."""
    for question in ("What is the capital of France?", "hello", "Who was the first to report the discovery?"):
        answers = set()
        for language in LANGUAGES:
            answer = client.post("/api/ask", json={"question": question}, headers={"accept-language": language}).json()
            answers.add(json.dumps({**answer, "seconds": {}}))
        assert len(answers) == 1


def test_what_a_handler_says_is_translated(client: TestClient) -> None:
    gone = client.get("/articles/nothing", headers={"accept-language": "de"})
    assert "Dieser Artikel ist nicht mehr in der Bibliothek." in gone.text
    source = (Path(__file__).parent.parent / "src").rglob("*.py")
    unseen = re.compile(r"messages_of\([^)]*\)\(\"|messages\(\"")  # Babel finds what is said with `_` only
    assert not [file for file in source if unseen.search(file.read_text("utf-8"))]
