"""The page in the language of a real browser, and from right to left."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.serving import Server, serving
from tests.test_page import ASK, NARROW, QUOTE, WIDE

pytestmark = pytest.mark.browser
ENGLISH = ("Ask", "Copy", "Helpful", "article", "Articles", "Back", "Read as", "Clear")


@pytest.fixture(scope="module")
def server(store: Path) -> Iterator[Server]:
    with serving(store) as server:
        yield server


def visit(browser: Browser, url: str, locale: str, size: tuple[int, int]) -> Page:
    """The page of somebody whose browser speaks a language, once it has greeted."""
    width, height = size
    page = browser.new_context(viewport={"width": width, "height": height}, locale=locale).new_page()
    page.goto(url)
    expect(page.locator("#examples button").first).to_be_visible(timeout=20_000)
    return page


def ask(page: Page, question: str) -> None:
    page.locator("#question textarea").fill(question)
    page.keyboard.press("Enter")
    expect(page.locator(".pq-feedback").last).to_be_visible()


def own_words(page: Page) -> str:
    """All that the page says and names itself by; not what the article says."""
    return str(
        page.evaluate(
            """() => {
              const page = document.body.cloneNode(true);
              page.querySelectorAll("[lang=en], .example, script, style, #answer-data, [data-testid=user]")
                .forEach((one) => one.remove());
              const named = [...page.querySelectorAll("[aria-label], [title], [placeholder]")]
                .flatMap((one) => [one.ariaLabel, one.title, one.placeholder]);
              return [page.textContent, ...named].join("\\n");
            }"""
        )
    )


def test_the_page_speaks_german_to_who_wants_german(browser: Browser, server: Server) -> None:
    page = visit(browser, server.url, "de-AT", WIDE)
    ask(page, ASK)
    answer = page.locator('#chat [data-testid="bot"]').last
    expect(answer).to_contain_text("Sehr wahrscheinlich richtig")
    expect(answer.locator("blockquote p").first).to_have_text(QUOTE)
    expect(answer.locator("blockquote").first).to_have_attribute("lang", "en")
    answer.get_by_role("link", name="Zitat 1: im Artikel zeigen").first.click()
    expect(page.locator("#reader mark")).to_have_text(QUOTE)
    expect(page.get_by_role("button", name="Zurück zur Antwort")).to_be_visible()
    page.get_by_role("button", name="Nicht hilfreich").click()
    expect(page.get_by_placeholder("Was war falsch?")).to_be_focused()
    ask_in_german = "Wer hat das zuerst berichtet?"
    page.locator("#question textarea").fill(ask_in_german)
    page.keyboard.press("Enter")
    expect(answer).to_contain_text("Ich verstehe Fragen nur auf Englisch.")
    said = own_words(page)
    assert not [word for word in ENGLISH if f"{word} " in said or f"{word}\n" in said]
    page.context.close()


def test_arabic_runs_from_right_to_left_and_its_quotes_do_not(browser: Browser, server: Server) -> None:
    page = visit(browser, f"{server.url}/?lang=ar", "en", NARROW)
    ask(page, ASK)
    assert page.evaluate("[document.dir, document.documentElement.lang]") == ["rtl", "ar"]
    expect(page.locator("#chat [title]").first).to_have_attribute("title", "مسح المحادثة")  # Gradio's own control
    directions = "box => [getComputedStyle(box).direction, getComputedStyle(box).textAlign]"
    quote = page.locator("#chat blockquote").first
    assert quote.evaluate(directions) == ["ltr", "start"]
    assert page.locator('#chat [data-testid="bot"] .prose > p').last.evaluate(directions) == ["rtl", "start"]
    boxes = [page.locator(selector).first.bounding_box() for selector in (".pq-copy", ".pq-feedback button")]
    assert boxes[0]
    assert boxes[1]
    assert boxes[0]["x"] > boxes[1]["x"]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page scrolls sideways"
    assert Axe().run(page).violations_count == 0
    page.locator("#chat a.pq-cite").first.click()
    expect(page.locator("#reader mark")).to_be_in_viewport(ratio=1)
    assert page.locator("#reader p").last.evaluate(directions)[0] == "ltr"
    for path in ("/articles", "/embed/snippet", "/embed/check", "/login", "/articles/unknown"):
        page.goto(f"{server.url}{path}?lang=ar")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        assert Axe().run(page).violations_count == 0, path
    page.context.close()
