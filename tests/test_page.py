"""The page in a real browser, as a person uses it. Needs Chromium: `make test`."""

import json
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, FloatRect, Page, Route, expect

from pullquote.articles import make_article
from pullquote.library import Library
from tests.building import put_embedded
from tests.conftest import ARTICLE_FILE, needs_shared
from tests.serving import Server, serving

pytestmark = pytest.mark.browser

expect.set_options(timeout=20_000)  # milliseconds; a test waits for what it checks, it does not time a busy machine

WIDE, NARROW = (1280, 800), (390, 844)
SIZES = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["1280x800", "390x844"])
SCHEMES = pytest.mark.parametrize("scheme", ["light", "dark"])

ASK = "Who was the first to report the intelligence discovery?"
QUOTE = "The New York Times was the first to report the intelligence discovery."


@pytest.fixture(scope="module")
def server(store: Path) -> Iterator[Server]:
    with serving(store) as server:
        yield server


class Visit:
    """A fresh visitor's page, with every request it made and everything its console said."""

    def __init__(self, browser: Browser, url: str, size: tuple[int, int] = WIDE, scheme: str = "light") -> None:
        width, height = size
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if scheme == "dark" else "light",
            permissions=["clipboard-read", "clipboard-write"],
        )
        self.page: Page = context.new_page()
        self.hosts: set[str] = set()
        self.problems: list[str] = []
        self.page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))
        self.page.on("console", lambda said: self.problems.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.goto(url)
        expect(self.page.locator("#pq-article")).to_be_attached()

    def ask(self, question: str) -> None:
        """Ask from the keyboard and wait for the whole answer."""
        answers = self.page.locator('#chat [data-testid="bot"]').count()
        self.page.locator("#question textarea").fill(question)
        self.page.keyboard.press("Enter")
        expect(self.page.locator('#chat [data-testid="bot"]')).to_have_count(answers + 1)
        expect(self.page.locator('#chat [data-testid="bot"]').last).not_to_contain_text(
            re.compile("^(Searching|Reading|Looking|You are)")
        )

    def close(self) -> None:
        self.page.context.close()


@SIZES
@SCHEMES
def test_question_answer_citation_highlight(
    browser: Browser, server: Server, size: tuple[int, int], scheme: str
) -> None:
    visit = Visit(browser, server.url, size, scheme)
    page = visit.page
    expect(page.get_by_role("heading", level=1)).to_have_text("Pullquote")
    visit.ask(ASK)
    answer = page.locator('#chat [data-testid="bot"]').last
    expect(answer.locator("p").first).to_have_text("The New York Times [1]")
    expect(answer.locator("blockquote p").first).to_have_text(QUOTE)
    expect(answer.locator("blockquote strong")).to_have_text("The New York Times")

    citation = answer.get_by_role("link", name="Quote 1").first
    citation.focus()
    page.keyboard.press("Enter")
    mark = page.locator("#reader mark")
    expect(mark).to_have_text(QUOTE)
    expect(mark).to_be_focused()
    expect(mark).to_be_in_viewport(ratio=1)
    covering = mark.evaluate(
        "mark => { const box = mark.getClientRects()[0];"
        " return document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2).closest('mark') === mark }"
    )
    assert covering, "something lies over the highlighted words"

    page.keyboard.press("Escape")
    expect(citation).to_be_focused()
    expect(citation).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page scrolls sideways"
    assert visit.hosts == {urlsplit(server.url).netloc}
    assert visit.problems == []
    visit.close()


class Loading:
    """A page whose Gradio has not come yet: its own script is held back until it is let go."""

    def __init__(self, browser: Browser, url: str, size: tuple[int, int] = WIDE) -> None:
        self.page = browser.new_context(viewport={"width": size[0], "height": size[1]}).new_page()
        self._held: list[Route] = []
        self.page.route("**/assets/Index-*.js", self._hold)
        self.page.goto(url, wait_until="commit")
        self.early = self.page.locator("#pq-composer textarea")
        expect(self.early).to_be_focused()

    def _hold(self, route: Route) -> None:
        self._held.append(route)

    def let_go(self) -> None:
        for route in self._held:
            route.continue_()
        self.page.unroute("**/assets/Index-*.js", self._hold)

    def rectangles(self, *selectors: str) -> list[FloatRect | None]:
        return [self.page.locator(selector).bounding_box() for selector in selectors]


@SIZES
def test_what_is_asked_before_the_chat_is_there_is_answered_once(
    browser: Browser, server: Server, size: tuple[int, int]
) -> None:
    loading = Loading(browser, server.url, size)
    page = loading.page
    before = loading.rectangles("#pq-composer", "#pq-composer textarea", "#pq-composer button")
    page.keyboard.type(ASK)
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    loading.let_go()
    answers = page.locator('#chat [data-testid="bot"]')
    expect(answers.locator("p").first).to_have_text("The New York Times [1]")
    expect(page.locator('#chat [data-testid="user"]')).to_have_text(ASK)
    expect(answers).to_have_count(1)
    assert loading.rectangles("#question .input-container", "#question textarea", "#question button") == before
    expect(page.locator("#question textarea")).to_have_value("")
    expect(page.locator("#question textarea")).to_be_focused()
    page.context.close()


def test_words_go_over_into_the_chat_with_the_place_where_one_types(browser: Browser, server: Server) -> None:
    loading = Loading(browser, server.url)
    page = loading.page
    page.keyboard.type("Who  it?")
    for _ in range(4):
        page.keyboard.press("ArrowLeft")
    loading.let_go()
    expect(loading.early).to_have_count(0)
    page.keyboard.type("reported")
    expect(page.locator("#question textarea")).to_have_value("Who reported it?")
    page.context.close()


def test_a_question_typed_during_an_answer_is_asked_after_it(browser: Browser, server: Server) -> None:
    visit = Visit(browser, server.url)
    box = visit.page.locator("#question textarea")
    later = "When were drones sent to Russia?"
    box.fill(ASK)
    visit.page.keyboard.press("Enter")
    expect(box).to_have_value("")
    box.fill(later)
    visit.page.keyboard.press("Enter")
    expect(visit.page.locator('#chat [data-testid="user"]')).to_have_text([ASK, later])
    expect(visit.page.get_by_role("button", name="Copy")).to_have_count(2)
    assert visit.problems == []
    visit.close()


def test_a_chat_that_does_not_start_says_so(browser: Browser, server: Server) -> None:
    page = browser.new_context().new_page()
    page.clock.install()
    page.route("**/assets/Index-*.js", lambda route: route.abort())
    page.goto(server.url, wait_until="commit")
    expect(page.locator("#pq-composer")).to_be_visible()
    page.clock.fast_forward(20_000)
    expect(page.get_by_role("alert")).to_have_text("The chat did not start. Please reload this page.")
    page.context.close()


@SIZES
@SCHEMES
def test_axe_finds_nothing(browser: Browser, server: Server, size: tuple[int, int], scheme: str) -> None:
    visit = Visit(browser, server.url, size, scheme)
    expect(visit.page.locator("#examples button").first).to_be_visible(timeout=20_000)
    empty = Axe().run(visit.page)
    visit.ask(ASK)
    visit.ask("What is the capital of France?")
    answered = Axe().run(visit.page)
    visit.page.locator('#chat a[href^="/articles/"]').first.click()
    expect(visit.page.locator("#reader mark")).to_be_focused()
    opened = Axe().run(visit.page)
    for result in (empty, answered, opened):
        assert result.violations_count == 0, result.generate_report()
    visit.close()


@pytest.mark.parametrize("path", ["/read", "/articles", "/articles/unknown"])
@SCHEMES
def test_article_pages_stand_alone(browser: Browser, server: Server, path: str, scheme: str) -> None:
    context = browser.new_context(color_scheme="dark" if scheme == "dark" else "light", java_script_enabled=False)
    page = context.new_page()
    page.goto(server.url + path)
    expect(page.get_by_role("heading").first).to_be_visible()
    context.close()
    visit_axe = browser.new_page(color_scheme="dark" if scheme == "dark" else "light")
    visit_axe.goto(server.url + path)
    result = Axe().run(visit_axe)
    assert result.violations_count == 0, result.generate_report()
    visit_axe.close()


def test_refusal_shows_the_closest_passage(browser: Browser, server: Server) -> None:
    visit = Visit(browser, server.url)
    visit.ask("What is the capital of France?")
    answer = visit.page.locator('#chat [data-testid="bot"]').last
    expect(answer).to_contain_text("The article does not say.")
    expect(answer).to_contain_text("Closest passage:")
    words = answer.locator("blockquote p").first.inner_text()
    assert " ".join(words.split()) in " ".join(unicodedata.normalize("NFC", ARTICLE_FILE.read_text("utf-8")).split())
    visit.close()


def test_a_follow_up_on_the_page_says_how_it_was_read(browser: Browser, server: Server) -> None:
    visit = Visit(browser, server.url)
    visit.ask("Were Iranian drones sent to the Russian military?")
    answer = visit.page.locator('#chat [data-testid="bot"]').last
    expect(answer).to_contain_text("The article says:")
    visit.ask("When was that?")
    expect(answer).to_contain_text("Read as: When were Iranian drones sent to the Russian military?")
    expect(answer).to_contain_text("August [1]")
    visit.close()


@SIZES
def test_every_part_of_a_question_has_its_answer_and_the_workings_open_by_keyboard(
    browser: Browser, server: Server, size: tuple[int, int]
) -> None:
    visit = Visit(browser, server.url, size)
    page = visit.page
    why = page.get_by_role("button", name="Why this answer?")
    expect(why).to_be_hidden()  # nothing was answered yet
    visit.ask("Who was the first to report the intelligence discovery, and when were the drones sent?")
    answer = page.locator('#chat [data-testid="bot"]').last
    expect(answer).to_contain_text("The New York Times [1]")
    expect(answer).to_contain_text("August [2]")
    expect(answer.locator("blockquote").nth(1)).to_be_visible()
    why.focus()
    page.keyboard.press("Enter")
    tables = page.locator("#why-tables table")
    expect(tables).to_have_count(6)
    expect(tables.nth(1)).to_contain_text("The New York Times")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page scrolls sideways"
    result = Axe().run(page)
    assert result.violations_count == 0, result.generate_report()
    why.press("Enter")
    expect(tables.first).to_be_hidden()
    visit.close()


def test_nothing_asked_is_nothing_said(browser: Browser, server: Server) -> None:
    visit = Visit(browser, server.url)
    box = visit.page.locator("#question textarea")
    box.fill("   ")
    box.press("Enter")
    expect(visit.page.get_by_text("Ask who, what, when")).to_be_visible()
    expect(visit.page.locator('#chat [data-testid="user"]')).to_have_count(0)
    expect(visit.page.locator("#article")).to_have_count(0)  # one article: there is nothing to choose
    visit.close()


def test_of_two_articles_one_can_be_chosen(browser: Browser, tmp_path: Path) -> None:
    library = Library(tmp_path / "store")
    put_embedded(
        library,
        make_article("The Veldt bridge was opened in 1932 by Queen Astrid.", title="Guide"),
        make_article("The Veldt bridge was opened in 1934, after a storm.", title="Engineers"),
    )
    library.mark_starter(make_article(ARTICLE_FILE.read_text("utf-8")).sha256)
    library.close()
    with serving(tmp_path / "store") as server:
        visit = Visit(browser, server.url)
        answer = visit.page.locator('#chat [data-testid="bot"]').last
        visit.ask("When was the Veldt bridge opened?")
        expect(answer).to_contain_text("Two articles differ:")
        expect(answer).to_contain_text("1932 [")
        expect(answer).to_contain_text("1934 [")
        chosen = visit.page.locator("#article input")
        chosen.focus()
        chosen.press("ArrowDown")
        visit.page.get_by_role("option", name="Engineers").click()
        visit.ask("When was the Veldt bridge opened?")
        expect(answer.locator("p").first).to_have_text("1934 [1]")
        expect(answer.locator("blockquote")).to_have_count(1)
        visit.close()


def test_examples_are_answered(browser: Browser, server: Server) -> None:
    visit = Visit(browser, server.url)
    example = visit.page.locator("#examples button").first
    expect(example).to_be_visible(timeout=20_000)
    asked = example.inner_text()
    example.click()
    expect(visit.page.locator('#chat [data-testid="user"]')).to_have_text(asked)
    expect(visit.page.locator('#chat [data-testid="bot"] blockquote')).to_be_visible()
    visit.close()


def test_copy_gives_the_answer_as_text(browser: Browser, server: Server) -> None:
    visit = Visit(browser, server.url)
    visit.ask(ASK)
    button = visit.page.get_by_role("button", name="Copy", exact=True)
    button.click()
    expect(visit.page.get_by_role("button", name="Copied")).to_be_visible()
    copied = visit.page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("The New York Times [1]")
    assert QUOTE in copied
    assert "Copy" not in copied
    assert "&#" not in copied
    visit.close()


def test_ten_tabs_at_once(browser: Browser, server: Server) -> None:
    """Browsers allow six connections to a host: a page must not hold one for good."""
    context = browser.new_context()
    pages = [context.new_page() for _ in range(10)]
    for page in pages:
        page.goto(server.url)
    for page in pages:
        expect(page.locator("#question textarea")).to_be_visible()
        expect(page.locator("#pq-article p").first).to_be_attached()
    context.close()


def test_what_people_and_articles_write_stays_text(browser: Browser, tmp_path: Path) -> None:
    """Hostile words in title, article and question run nothing, fetch nothing, and are shown as they are."""
    payloads = [
        "<img src=x onerror=window.pwned=1>",
        "![pixel](http://evil.example/p.png)",
        "<script>window.pwned=2</script>",
        "[link](javascript:window.pwned=3)",
        "<style>*{display:none}</style>",
        "</title><svg onload=window.pwned=4>",
        "`code` **bold** $x^2$ | a | b | List<String> &amp; <b>x</b>",
    ]
    library = Library(tmp_path / "store")
    text = "\n\n".join(
        f"The secret word of part {n} is {payload} and nothing else." for n, payload in enumerate(payloads)
    )
    hostile = make_article(text, title=payloads[0] + payloads[5])
    put_embedded(library, hostile)
    library.mark_starter(make_article(ARTICLE_FILE.read_text("utf-8")).sha256)
    library.close()
    with serving(tmp_path / "store") as server:
        visit = Visit(browser, server.url)
        page = visit.page
        for n, payload in enumerate(payloads):
            visit.ask(f"{payload} What is the secret word of part {n}?")
            expect(page.locator('#chat [data-testid="user"]').last).to_contain_text(payload)
        for link in page.locator("#chat a.pq-cite").all():
            link.click()
        assert text.splitlines()[0] in page.locator("#reader").inner_text()
        assert page.evaluate("window.pwned") is None
        assert visit.hosts == {urlsplit(server.url).netloc}
        page.evaluate("document.body.append(Object.assign(new Image(), {src: 'http://evil.example/control.png'}))")
        page.wait_for_timeout(300)
        assert any("evil.example" in problem for problem in visit.problems), "the control was not blocked by the policy"
        visit.close()


def test_a_failure_is_shown_as_a_failure(browser: Browser, server: Server) -> None:
    visit = Visit(browser, server.url)
    page = visit.page
    page.route("**/articles/**", lambda route: route.abort())
    visit.ask(ASK)
    page.locator('#chat a[href^="/articles/"]').first.click()
    expect(page.locator("#reader")).to_contain_text("could not be loaded")
    page.get_by_role("button", name="Back to the answer").click()
    expect(page.locator('#chat a[href^="/articles/"]').first).to_be_focused()
    visit.close()


def test_naughty_strings_on_the_page(browser: Browser, server: Server) -> None:
    strings = json.loads(needs_shared("corpora/naughty-strings.json").read_text())
    visit = Visit(browser, server.url)
    for text in [text for text in strings[::30] if text.strip()]:
        visit.ask(text.replace("\n", " ")[:2000])
    visit.ask(ASK)
    expect(visit.page.locator('#chat [data-testid="bot"]').last).to_contain_text("The New York Times")
    assert visit.hosts == {urlsplit(server.url).netloc}
    visit.close()
