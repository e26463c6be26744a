"""The chat in pages of other origins, in a real browser that takes no third-party cookies."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, FloatRect, expect, sync_playwright

from pullquote.web.widget import SCRIPT
from tests.hosting import POLICY, Site, Visitor, different, launch, site
from tests.test_page import ASK, NARROW, QUOTE, SCHEMES, WIDE

pytestmark = pytest.mark.browser

SMALL = (320, 568)
SIZES = pytest.mark.parametrize("size", [WIDE, NARROW, SMALL], ids=["1280x800", "390x844", "320x568"])


@pytest.fixture(scope="module")
def host(store: Path) -> Iterator[Site]:
    with site(store) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@SIZES
@SCHEMES
def test_bubble_question_quote_highlighted_article(
    browser: Browser, host: Site, size: tuple[int, int], scheme: str
) -> None:
    visitor = Visitor(browser, f"{host.origin()}/example/", size, scheme)
    expect(visitor.bubble).to_be_visible()
    assert [url for url in visitor.requests if url.startswith(host.app)] == [f"{host.app}/widget.js"]
    visitor.open()
    answer = visitor.ask(ASK)
    expect(answer.locator("p").first).to_have_text("The New York Times [1]")
    citation = answer.get_by_role("link", name="Quote 1").first
    citation.press("Enter")
    mark = visitor.frame.locator("#reader mark")
    expect(mark).to_have_text(QUOTE)
    expect(mark).to_be_focused()
    expect(mark).to_be_in_viewport(ratio=1)
    full = visitor.frame.get_by_role("link", name="Open in full")
    assert "quote=" in (full.get_attribute("href") or "")
    visitor.frame.get_by_role("button", name="Back to the answer").click()
    expect(citation).to_be_focused()
    frame = visitor.page.frames[1]
    assert frame.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the chat scrolls sideways"
    assert frame.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") == (scheme == "dark")
    citation.press("Escape")
    expect(visitor.panel).to_be_hidden()
    expect(visitor.bubble).to_be_focused()
    assert visitor.hosts() == {host.app.removeprefix("http://"), host.origin().removeprefix("http://")}
    assert visitor.context.cookies() == []
    assert visitor.problems == []
    visitor.close()


def test_the_script_is_small() -> None:
    assert len(SCRIPT.read_bytes()) <= 12_000


def test_a_page_that_is_not_listed_is_told_so_in_the_bubble(browser: Browser, host: Site) -> None:
    host.put("/plain")
    for name in ("other", "evil-intranet", "intranet.test.evil"):
        visitor = Visitor(browser, f"{host.origin(name)}/plain")
        visitor.bubble.click()
        expect(visitor.note).to_have_text(
            f"{host.origin(name)} may not show this chat. Whoever runs it must add {host.origin(name)} "
            "to PULLQUOTE_EMBED_ORIGINS."
        )
        expect(visitor.page.locator("iframe")).to_have_count(0)
        visitor.close()


def test_the_widget_stays_itself_on_a_hostile_page(browser: Browser, host: Site) -> None:
    rules = "".join(
        f"{selector} {{ {rule} !important }}"
        for selector in ("*", "*::before", "html body ~ *", "pullquote-chat", "button", "dialog", "[popover]")
        for rule in ("display: none", "transform: scale(3) rotate(9deg)", "opacity: 0.1", "position: static")
    )
    more = (
        "html { font-size: 60px; zoom: 1 } * { all: unset !important; font: 50px cursive !important; color: lime "
        "!important; background: red !important; letter-spacing: 1em !important; filter: invert(1) !important; "
        "pointer-events: none !important; width: 1px !important; margin: 99px !important; z-index: -1 !important } "
    )
    host.put("/calm", policy=POLICY)
    host.pages["/hostile.css"] = (rules + more, {})
    host.put("/hostile", policy=POLICY, head='<link rel="stylesheet" href="/hostile.css">')
    pictures = []
    for path in ("/calm", "/hostile"):
        visitor = Visitor(browser, host.origin() + path, reduced_motion="reduce")
        expect(visitor.bubble).to_be_visible()
        visitor.open()
        expect(visitor.ask(ASK)).to_contain_text("The New York Times")
        visitor.bubble.hover()
        for box in (visitor.panel.bounding_box(), visitor.bubble.bounding_box()):
            assert box
            inside = FloatRect(x=box["x"], y=box["y"] + 16, width=box["width"], height=box["height"] - 32)
            if box["width"] == box["height"]:  # the bubble: what is in the circle
                inside = FloatRect(x=box["x"] + 12, y=box["y"] + 12, width=34, height=34)
            pictures.append(visitor.picture(inside))
        visitor.close()
    calm, hostile = pictures[:2], pictures[2:]
    for one, other in zip(calm, hostile, strict=True):
        assert different(one, other) < 0.005  # a line of Gradio's may come to rest a pixel away


@SCHEMES
def test_axe_finds_nothing_in_page_and_frame(browser: Browser, host: Site, scheme: str) -> None:
    for size in (WIDE, SMALL):
        visitor = Visitor(browser, f"{host.origin()}/example/", size, scheme, bypass_csp=True)
        visitor.open()
        visitor.ask(ASK)
        for part in visitor.page.frames:
            assert Axe().run(part).response["violations"] == []
        visitor.close()


def test_the_page_may_ask_and_hears_the_answer(browser: Browser, host: Site) -> None:
    visitor = Visitor(browser, host.put("/api"))
    visitor.page.evaluate("() => { Pullquote.on('answer', answer => window.answer = answer) }")
    visitor.page.evaluate("question => Pullquote.ask(question)", ASK)
    visitor.page.wait_for_function("window.answer")
    answer = visitor.page.evaluate("window.answer")
    assert answer["text"] == "The New York Times"
    assert answer["quotes"][0]["text"] == QUOTE
    assert re.fullmatch("[0-9a-f]{64}", answer["quotes"][0]["article_sha256"])
    visitor.page.evaluate("Pullquote.close()")
    expect(visitor.panel).to_be_hidden()
    visitor.close()
