"""The chat in pages of other origins, in a real browser that takes no third-party cookies."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, FloatRect, expect, sync_playwright
from typer.testing import CliRunner

from pullquote.articles import make_article
from pullquote.cli import app as command
from pullquote.library import Library
from pullquote.messages import LANGUAGES
from pullquote.tagging import set_tags
from pullquote.web.languages import widget
from tests.building import put_embedded
from tests.conftest import ARTICLE_FILE
from tests.hosting import POLICY, Site, Visitor, different, launch, site
from tests.test_page import ASK, NARROW, QUOTE, SCHEMES, WIDE
from tests.test_visitors import SECRET, soon, token

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


def test_what_is_typed_right_after_the_click_is_answered(browser: Browser, host: Site) -> None:
    visitor = Visitor(browser, host.put("/typed"))
    visitor.bubble.click()
    expect(visitor.frame.locator("#pq-composer textarea")).to_be_focused()
    visitor.page.keyboard.type(ASK)
    visitor.page.keyboard.press("Enter")
    expect(visitor.answer().locator("p").first).to_have_text("The New York Times [1]")
    expect(visitor.frame.locator('#chat [data-testid="user"]')).to_have_text(ASK)
    expect(visitor.box).to_be_focused()
    assert visitor.problems == []
    visitor.close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_script_is_small(language: str) -> None:
    assert len(widget(language).encode()) <= 12_000


def test_the_bubble_and_the_chat_speak_the_language_that_the_page_asks_for(browser: Browser, host: Site) -> None:
    """Of `data-lang` the script does not know when it is served: the bubble itself speaks the browser's language."""
    for script, attributes, name, close in (
        ("widget.js?lang=ar", "", "اطرح سؤالًا", "إغلاق"),
        ("widget.js", 'data-lang="ar"', "Poser une question", "Fermer"),
    ):
        page = f'<!doctype html><html lang=en><script src="{host.app}/{script}" defer {attributes}></script><body>A'
        host.pages["/words"] = (page, {})
        visitor = Visitor(browser, f"{host.origin()}/words", locale="fr-FR")
        expect(visitor.bubble).to_have_accessible_name(name)
        visitor.open()
        expect(visitor.frame.locator("html")).to_have_attribute("dir", "rtl")
        expect(visitor.page.get_by_role("button", name=close)).to_be_visible()
        assert [url for url in visitor.requests if "/widget.js" in url] == [f"{host.app}/{script}"]
        visitor.close()
    visitor = Visitor(browser, f"{host.origin('other')}/words", locale="fr-FR")
    visitor.bubble.click()
    expect(visitor.note).to_contain_text("ne peut pas montrer ce chat")
    visitor.close()


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


SENTENCES = {
    "another name": ("other", "/plain", "{origin} may not show this chat. Whoever runs it must add {origin} to"),
    "a name that ends alike": ("evil-intranet", "/plain", "{origin} may not show this chat."),
    "a name that begins alike": ("intranet.test.evil", "/plain", "{origin} may not show this chat."),
    "http where https is listed": ("secure", "/plain", "This page may show the chat over https only"),
    "a sandboxed page": ("intranet", "/sandboxed", "This page has no origin of its own"),
    "a policy without the frame": ("intranet", "/framed", "Its owner must add: frame-src {app}"),
    "inside a page that is not listed": ("other", "/around", "If this page stands inside another one"),
}


@pytest.mark.parametrize("name", SENTENCES)
def test_where_there_is_no_chat_the_bubble_says_why(browser: Browser, host: Site, name: str) -> None:
    at, path, sentence = SENTENCES[name]
    host.put("/plain")
    host.put("/sandboxed", policy="sandbox allow-scripts")
    host.put("/framed", policy="script-src {app}; frame-src 'none'")
    host.pages["/around"] = (f'<iframe src="{host.origin()}/plain" width=1200 height=700></iframe>', {})
    visitor = Visitor(browser, host.origin(at) + path)
    page = visitor.page.frames[-1]
    page.locator("button.bubble").click()
    note = page.locator(".note p")
    expect(note).to_contain_text(sentence.format(origin=host.origin(at), app=host.app))
    expect(page.locator(".panel iframe")).to_have_count(0)
    page.get_by_role("button", name="Close").click()
    expect(page.locator(".panel")).to_be_hidden()
    assert "/gradio_api/queue/join" not in visitor.statuses
    if "/embed" in visitor.statuses:  # and not the browser itself that kept it out
        assert name.startswith("inside") or visitor.statuses["/embed"] == 403
    visitor.close()


@pytest.mark.parametrize("name", ["other", "evil-intranet", "secure"])
def test_a_page_that_is_not_listed_cannot_ask(browser: Browser, host: Site, name: str) -> None:
    """Neither in the open nor, as pages have always been able to, without seeing the answer."""
    visitor = Visitor(browser, f"{host.origin(name)}{urlsplit(host.put('/plain')).path}")
    for mode, kind in (("cors", "application/json"), ("no-cors", "text/plain")):
        for path in ("/api/v1/ask", "/gradio_api/queue/join"):
            request = {
                "method": "POST",
                "mode": mode,
                "body": '{"question": "Who?"}',
                "headers": {"content-type": kind},
            }
            seen = visitor.page.evaluate(
                "([url, request]) => fetch(url, request).then(answer => answer.type, () => 'refused')",
                [host.app + path, request],
            )
            assert seen in {"refused", "opaque"}
            assert visitor.statuses.get(path, 403) in {400, 403}
    visitor.close()


def test_an_app_that_is_gone_is_said_to_be_and_may_come_back(browser: Browser, host: Site) -> None:
    visitor = Visitor(browser, host.put("/plain"))
    visitor.context.route(f"{host.app}/**", lambda route: route.abort())
    visitor.bubble.click()
    expect(visitor.note).to_have_text(
        f"{host.app} does not answer. Is Pullquote running, and can this computer reach it?"
    )
    visitor.context.unroute_all()
    visitor.page.get_by_role("button", name="Try again").click()
    expect(visitor.box).to_be_focused()
    visitor.close()


MESSAGES = """
() => {
  const kinds = ["hello", "ready", "close", "answer", "ask", "focus", "visitor", "expired", "__proto__", "constructor"];
  const targets = [parent, ...Array(parent.length).keys().map((n) => parent[n])].filter((one) => one !== self);
  let sent = 0;
  for (const pullquote of kinds)
    for (const value of ["Who?", "x".repeat(1e5), {}, null, "<img src=x onerror=alert(1)>"])
      for (const target of targets) { target.postMessage({ pullquote, value, answer: value }, "*"); sent++; }
  return sent;
}
"""


def test_messages_of_others_do_nothing(browser: Browser, host: Site) -> None:
    """A hostile frame beside the chat, and a hostile page that opened it: 50 messages each to all they can reach."""
    host.pages["/hostile"] = ("<h1>Hostile</h1>", {})
    url = host.put("/beside", body=f'<iframe name=hostile src="{host.origin("evil")}/hostile"></iframe>')
    visitor = Visitor(browser, url)
    visitor.page.evaluate(
        "() => ['answer', 'close', 'expired', 'error'].map(n => Pullquote.on(n, () => window.heard = n))"
    )
    visitor.open()
    hostile = visitor.page.frame("hostile")
    assert hostile
    assert hostile.evaluate(MESSAGES) >= 50
    visitor.page.wait_for_timeout(500)
    expect(visitor.frame.locator('#chat [data-testid="user"]')).to_have_count(0)
    expect(visitor.panel).to_be_visible()
    assert visitor.page.evaluate("window.heard") is None
    expect(visitor.ask(ASK)).to_contain_text("The New York Times")  # and it still works
    visitor.close()

    # The page can be opened in a window by anybody; who opened it is not the page that it stands in.
    opener = Visitor(browser, f"{host.origin('evil')}/hostile")
    with opener.page.expect_popup() as popup:
        opener.page.evaluate("url => { window.child = open(url) }", f"{host.app}/embed?host={host.origin()}")
    expect(popup.value.locator("#question textarea")).to_be_visible()
    opener.page.evaluate(
        "() => { for (let n = 0; n < 50; n++) child.postMessage({ pullquote: 'ask', value: 'Who?' }, '*') }"
    )
    popup.value.wait_for_timeout(500)
    expect(popup.value.locator('#chat [data-testid="user"]')).to_have_count(0)
    opener.close()


@pytest.mark.parametrize("size", [WIDE, SMALL], ids=["1280x800", "320x568"])
def test_the_keyboard_is_enough(browser: Browser, host: Site, size: tuple[int, int]) -> None:
    visitor = Visitor(browser, host.put("/keys", body="<a href=#one>one</a>", attributes="data-title='Ask us'"), size)
    page = visitor.page
    expect(visitor.bubble).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Ask us")).to_be_focused()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Ask us")
    expect(dialog).to_be_visible()
    expect(visitor.box).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(visitor.bubble).to_be_focused()
    expect(visitor.bubble).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("Enter")
    expect(visitor.box).to_be_focused()
    seen = set()
    for _ in range(14):
        page.keyboard.press("Tab")
        seen.add(page.evaluate("document.activeElement.textContent.trim() || document.activeElement.localName"))
    assert ("one" in seen) == (size == WIDE)  # beside a page one can leave; over it, focus stays inside
    visitor.close()


def test_one_bubble_however_often_and_however_it_is_loaded(browser: Browser, host: Site) -> None:
    twice = f'<script src="{host.app}/widget.js"></script><script src="{host.app}/widget.js" type=module></script>'
    visitor = Visitor(browser, host.put("/twice", body=twice))
    expect(visitor.bubble).to_have_count(1)
    visitor.page.evaluate("Pullquote.unmount()")
    expect(visitor.bubble).to_have_count(0)
    visitor.page.evaluate("Pullquote.mount()")
    expect(visitor.bubble).to_have_count(1)
    visitor.page.evaluate("document.body.replaceWith(document.createElement('body'))")
    visitor.open()
    visitor.close()

    for load in (
        f'<script type=module src="{host.app}/widget.js" data-title="As a module"></script>',
        f'<script type=module>import "{host.app}/widget.js"</script>',
    ):
        host.pages["/module"] = (f"<!doctype html><html lang=en><title>Module</title>{load}", {})
        visitor = Visitor(browser, f"{host.origin()}/module")
        visitor.open()
        expected = "As a module" if "data-title" in load else "Ask a question"
        expect(visitor.page.get_by_role("dialog")).to_have_accessible_name(expected)
        visitor.close()


def test_a_place_in_the_page_comes_and_goes_with_a_single_page_app(browser: Browser, host: Site) -> None:
    visitor = Visitor(
        browser, host.put("/app", body="<main><div data-pullquote data-greeting='Ask away'></div></main>")
    )
    expect(visitor.bubble).to_have_count(0)
    start = visitor.page.get_by_role("button", name="Ask a question")
    expect(visitor.note).to_have_text("Ask away")
    assert visitor.hosts() == {host.origin().removeprefix("http://"), host.app.removeprefix("http://")}
    start.click()
    expect(visitor.box).to_be_focused()
    expect(visitor.ask(ASK)).to_contain_text("The New York Times")
    visitor.page.evaluate("document.querySelector('main').replaceChildren()")
    expect(visitor.bubble).to_be_visible()
    visitor.page.evaluate("document.querySelector('main').innerHTML = '<div data-pullquote data-open></div>'")
    expect(visitor.bubble).to_have_count(0)
    expect(visitor.box).to_be_visible()
    visitor.close()


def test_right_to_left_and_zoomed(browser: Browser, host: Site) -> None:
    url = host.put("/rtl", body="<script>document.documentElement.dir = 'rtl'</script>", attributes="data-title='اسأل'")
    visitor = Visitor(browser, url, (640, 400))  # 1280x800 at 200 %
    box = visitor.bubble.bounding_box()
    assert box
    assert box["x"] < 100
    visitor.open()
    assert visitor.panel.bounding_box() == {"x": 0, "y": 0, "width": 640, "height": 400}
    expect(visitor.box).to_be_in_viewport(ratio=1)
    expect(visitor.page.get_by_role("button", name="Close")).to_be_in_viewport(ratio=1)
    visitor.close()


def test_screen_readers_meet_name_then_answer_then_question(browser: Browser, host: Site) -> None:
    visitor = Visitor(browser, f"{host.origin()}/example/")
    visitor.open()
    visitor.ask(ASK)
    tree = visitor.page.get_by_role("dialog").aria_snapshot()
    frame = visitor.frame.locator("body").aria_snapshot()
    for text, parts in (
        (tree, ["dialog", "heading", "link", "button", "iframe"]),
        (frame, ["log", ASK, "The New York Times", "Quote 1", "blockquote", "Copy", "Why this answer", "textbox"]),
    ):
        places = [text.find(part) for part in parts]
        assert -1 not in places, text
        assert places == sorted(places), text
    expect(visitor.frame.get_by_role("log")).to_have_attribute("aria-live", "polite")
    visitor.close()


def test_a_page_that_vouches_for_its_visitor(browser: Browser, store: Path) -> None:
    ada, late = token(sub="ada", exp=soon()), token(sub="ada", exp=soon(-60))
    with site(store, embed_secret=SECRET, rate="2") as host:
        visitor = Visitor(browser, host.put("/vouched", attributes=f'data-visitor="{late}"'))
        visitor.page.evaluate("() => { Pullquote.on('expired', () => { window.expired = true }) }")
        visitor.open()
        visitor.box.fill(ASK)
        visitor.box.press("Enter")
        visitor.page.wait_for_function("window.expired")
        expect(visitor.frame.get_by_text("Your visitor’s token has expired.")).to_be_visible()
        assert ada not in "".join(visitor.requests)
        assert late not in "".join(visitor.requests)
        visitor.close()
        visitor = Visitor(browser, host.put("/vouched", attributes=f'data-visitor="{ada}"'))
        visitor.open()
        expect(visitor.ask(ASK)).to_contain_text("The New York Times")
        visitor.ask(ASK)
        visitor.box.fill(ASK)
        visitor.box.press("Enter")
        expect(visitor.frame.get_by_text(re.compile(r"Please try again in \d+ seconds"))).to_be_visible()
        visitor.close()


def test_a_page_may_be_for_one_article_or_a_few(browser: Browser, tmp_path: Path) -> None:
    library = Library(tmp_path / "store")
    bridge, tower, moat = (
        make_article(f"The {name} was opened in {year} by Queen Astrid.", title=name)
        for name, year in (("bridge", 1932), ("tower", 1934), ("moat", 1936))
    )
    put_embedded(library, bridge, tower, moat)
    for article in (tower, moat):
        set_tags(library, article.id, ["castle"])
    library.mark_starter(make_article(ARTICLE_FILE.read_text("utf-8")).sha256)
    library.close()
    with site(tmp_path / "store") as host:
        visitor = Visitor(browser, host.put("/one", attributes=f'data-articles="{tower.id}"'))
        visitor.open()
        expect(visitor.frame.get_by_text("Ask about “tower”")).to_be_visible()
        answer = visitor.ask("When was the bridge opened by Queen Astrid?")
        expect(answer).not_to_contain_text("1932")
        visitor.close()
        visitor = Visitor(browser, host.put("/few", attributes='data-articles="castle"'))
        visitor.open()
        expect(visitor.frame.get_by_text("Ask about 2 articles")).to_be_visible()
        expect(visitor.ask("Which was opened in 1936 by Queen Astrid?")).to_contain_text("moat")
        expect(visitor.ask("When was the bridge opened by Queen Astrid?")).not_to_contain_text("1932")
        visitor.frame.locator("#article input").click()
        expect(visitor.frame.get_by_role("option")).to_have_text(["✓ All articles", "✓ tower", "✓ moat"])
        visitor.close()
        visitor = Visitor(browser, host.put("/none", attributes='data-articles="gone"'))
        visitor.open()
        expect(visitor.frame.get_by_text("are not in the library")).to_be_visible()
        visitor.close()


@pytest.mark.parametrize(("size", "scheme"), [(WIDE, "light"), (NARROW, "dark")], ids=["wide light", "narrow dark"])
def test_a_snippet_is_made_shown_and_copied(browser: Browser, host: Site, size: tuple[int, int], scheme: str) -> None:
    visitor = Visitor(browser, f"{host.app}/embed/snippet", size, scheme)
    page = visitor.page
    page.get_by_label("Title").fill('Ask "the" <handbook>')
    page.get_by_label("Open at once").check()
    line = page.get_by_role("region", name="To paste")
    expect(line).to_have_text(
        f'<script src="{host.app}/widget.js" defer'
        ' data-title="Ask &#34;the&#34; &#60;handbook&#62;" data-open></script>'
    )
    shown = page.frame_locator("#shown")
    expect(shown.get_by_role("dialog", name='Ask "the" <handbook>')).to_be_visible()
    expect(shown.frame_locator(".panel iframe").locator("#question textarea")).to_be_visible()
    host.pages["/pasted"] = (f"<!doctype html><html lang=en><title>Pasted</title>{line.inner_text()}", {})
    assert Axe().run(page).response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page scrolls sideways"
    page.goto(f"{host.origin()}/pasted")
    expect(visitor.box).to_be_visible()
    if size == WIDE:
        assert page.evaluate("document.activeElement === document.body"), "opening at once takes the focus"
    visitor.close()


def test_a_page_is_checked_from_the_browser(browser: Browser, host: Site) -> None:
    host.put("/plain")
    host.put("/framed", policy="script-src {app}; frame-src 'none'")
    visitor = Visitor(browser, f"{host.app}/embed/check")
    page = visitor.page
    for name, path, said in (
        ("intranet", "/plain", "Well: the chat is there"),
        ("other", "/plain", "PULLQUOTE_EMBED_ORIGINS"),
        ("intranet", "/framed", f"frame-src {host.app}"),
    ):
        page.get_by_label("Address of the page").fill(host.origin(name) + path)
        with page.expect_popup() as opened:
            page.get_by_role("button", name="Check").click()
        expect(page.get_by_role("listitem").nth(1)).to_contain_text(said)
        assert Axe().run(page).response["violations"] == []
        opened.value.close()
    visitor.close()


def test_a_page_is_checked_from_the_command_line(host: Site) -> None:
    """Names under .test lead nowhere outside the browser, so the page and the app are called by their address."""
    with site(host.store, hosts="127.0.0.1") as local:
        app = local.app.replace("ask.test", "127.0.0.1")
        local.pages["/"] = (f'<script src="{app}/widget.js" defer></script>', {})
        page = f"http://127.0.0.1:{local.port}/"
        result = CliRunner().invoke(command, ["embed-check", page])
        assert result.exit_code == 1
        assert f"PULLQUOTE_EMBED_ORIGINS=http://127.0.0.1:{local.port}" in "".join(result.stdout.split("\n"))
        assert "well   the app answers" in result.stdout
