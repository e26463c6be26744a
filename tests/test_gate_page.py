"""What the gate shows on the page, in a real browser. Needs Chromium: `make test`."""

import threading
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.serving import serving
from tests.test_page import ASK
from tests.test_server import ask

pytestmark = pytest.mark.browser

expect.set_options(timeout=60_000)  # milliseconds


def test_who_waits_sees_the_place_in_line_and_then_the_answer(store: Path, browser: Browser) -> None:
    with serving(store, line="200", cached="0") as server:  # else all but one are answered at once
        page = browser.new_page()
        page.goto(server.url)
        page.locator("#question textarea").fill(ASK)
        others = [threading.Thread(target=ask, args=(server.url, ASK)) for _ in range(60)]
        for other in others:
            other.start()
        seen = page.evaluate_handle(
            """() => { const seen = []; new MutationObserver(() => {
                const bots = [...document.querySelectorAll('[data-testid="bot"]')].map((bot) => bot.innerText);
                if (bots.length && bots.at(-1) !== seen.at(-1)) seen.push(bots.at(-1));
            }).observe(document.body, {subtree: true, childList: true, characterData: true}); return seen; }"""
        )
        page.keyboard.press("Enter")
        expect(page.locator('[data-testid="bot"]').last).to_contain_text("The New York Times")
        said = seen.json_value()
        assert any("in line" in text for text in said), said
        for other in others:
            other.join()
        page.close()


def test_who_asks_too_often_is_told_when_to_come_again(store: Path, browser: Browser) -> None:
    with serving(store, rate="2") as server:  # the page itself is one, its first question the other
        page = browser.new_page()
        page.goto(server.url)
        for text in (ASK, "And when?"):
            page.locator("#question textarea").fill(text)
            page.keyboard.press("Enter")
            if text == ASK:
                expect(page.locator('[data-testid="bot"]').last).to_contain_text("The New York Times")
        expect(page.locator(".toast-body").last).to_contain_text("try again in")
        expect(page.locator('[data-testid="bot"]').last).to_be_visible()
        expect(page.locator("#question textarea")).to_have_value("And when?")  # nothing typed is lost
        page.close()
