"""The chat in other pages: what is asked for, and what is measured. Its controls are the tests' own.

Each row that is a behaviour runs the tests of `test_widget_page`; the others are measured here, in fresh contexts.
"""

import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Error, expect, sync_playwright

from pullquote.library import Library
from pullquote.messages import LANGUAGES
from pullquote.sources import read_file
from pullquote.web.languages import widget
from tests import test_widget_page as told
from tests.acceptance import SIZE
from tests.building import put_embedded
from tests.conftest import ARTICLE_FILE
from tests.hosting import Site, Visitor, launch, site
from tests.test_page import ASK, NARROW, WIDE

RUNS = 5 if SIZE == "ci" else 20
MAX_BYTES, MAX_MAIN_MS, MAX_READY_MS = 12_000, 20.0, 1_000.0
WORK = ("ScriptDuration", "LayoutDuration", "RecalcStyleDuration")  # of Chromium's metrics, in seconds

Row = tuple[str, str, str, bool]  # measure, asked for, measured, whether that is enough


def passes(*tests: Callable[[], None]) -> tuple[int, list[str]]:
    """How many of the tests pass, and the first line of what the others say."""
    failed = []
    for test in tests:
        try:
            test()
        except (AssertionError, Error) as error:
            failed.append(str(error).strip().partition("\n")[0])
    return len(tests) - len(failed), failed


def behaviour(name: str, *tests: Callable[[], None]) -> Row:
    good, failed = passes(*tests)
    return name, f"{len(tests)} of {len(tests)}", f"{good} of {len(tests)} {'; '.join(failed)}".strip(), not failed


def before_the_click(browser: Browser, host: Site) -> Row:
    visitor = Visitor(browser, host.put("/quiet"))
    expect(visitor.bubble).to_be_visible()
    visitor.page.wait_for_timeout(2_000)
    before = [url for url in visitor.requests if url.startswith(host.app)]
    visitor.open()
    visitor.ask(ASK)
    others = len(visitor.hosts()) - 2
    visitor.close()
    return (
        "requests before the click / other hosts",
        "1 / 0",
        f"{len(before)} / {others}",
        (len(before), others) == (1, 0),
    )


def ready(browser: Browser, host: Site) -> Row:
    """Until one can type: the box is there and has the focus. And until the chat around it has come."""
    cold: list[float] = []
    again: list[float] = []
    whole: list[float] = []
    for _ in range(RUNS):
        visitor = Visitor(browser, host.put("/ready"))
        for times in (cold, again):
            visitor.page.goto(host.put("/ready"))
            visitor.page.evaluate(
                "() => ['open', 'ready'].forEach(name =>"
                " Pullquote.on(name, () => { window[name + 'At'] = performance.now() }))"
            )
            visitor.bubble.click()
            visitor.page.wait_for_function("window.readyAt && document.activeElement.localName === 'pullquote-chat'")
            times.append(visitor.page.evaluate("readyAt - openAt"))
            expect(visitor.box).to_be_focused()
            if times is cold:
                whole.append(visitor.page.evaluate("performance.now() - openAt"))
        visitor.close()
    first, second, chat = map(statistics.median, (cold, again, whole))
    figures = (
        f"{first:.0f} ms the first time, {second:.0f} ms from its cache; the chat around it {chat:.0f} ms "
        f"(medians of {RUNS})"
    )
    return "click to ready to type", f"≤ {MAX_READY_MS:.0f} ms", figures, first <= MAX_READY_MS


def cost(browser: Browser, host: Site) -> list[Row]:
    """The page's main thread with the script and without, in turn; how much its layout shifted."""
    work: dict[str, list[float]] = {"/with": [], "/without": []}
    host.put("/with", body="<p>Words.</p>" * 50)
    host.pages["/without"] = (host.pages["/with"][0].replace("<script", "<!--").replace("</script>", "-->"), {})
    shifts = 0.0
    for _ in range(RUNS):
        for path, times in work.items():
            visitor = Visitor(browser, "about:blank")
            client = visitor.context.new_cdp_session(visitor.page)
            client.send("Performance.enable")  # counts from here on
            visitor.page.goto(host.origin() + path)
            visitor.page.wait_for_timeout(1_000)
            metrics = {one["name"]: one["value"] for one in client.send("Performance.getMetrics")["metrics"]}
            times.append(1_000 * sum(metrics[name] for name in WORK))
            shifts += visitor.page.evaluate(
                "new Promise(done => new PerformanceObserver(list => done(list.getEntries().reduce("
                "(sum, entry) => sum + entry.value, 0))).observe({ type: 'layout-shift', buffered: true }) ?? "
                "setTimeout(() => done(0), 200))"
            )
            visitor.close()
    spent = statistics.median(work["/with"]) - statistics.median(work["/without"])
    size = max(len(widget(language).encode()) for language in LANGUAGES)
    return [
        ("widget.js", f"≤ {MAX_BYTES:,} bytes", f"{size:,} bytes", size <= MAX_BYTES),
        (
            "main thread of the page",
            f"≤ {MAX_MAIN_MS:.0f} ms",
            f"{spent:.1f} ms (median of {RUNS})",
            spent <= MAX_MAIN_MS,
        ),
        ("cumulative layout shift", "0", f"{shifts:g}", shifts == 0),
    ]


def measure(browser: Browser, host: Site) -> list[Row]:
    sizes = [(size, scheme) for size in (WIDE, NARROW, told.SMALL) for scheme in ("light", "dark")]
    journey = told.test_bubble_question_quote_highlighted_article
    sentence = told.test_where_there_is_no_chat_the_bubble_says_why
    keys = told.test_the_keyboard_is_enough
    return [
        behaviour("bubble to highlighted article", *(lambda s=s, c=c: journey(browser, host, s, c) for s, c in sizes)),
        behaviour("refused, and told why", *(lambda n=n: sentence(browser, host, n) for n in told.SENTENCES)),
        before_the_click(browser, host),
        ready(browser, host),
        *cost(browser, host),
        behaviour(
            "hostile styles, strict policy", lambda: told.test_the_widget_stays_itself_on_a_hostile_page(browser, host)
        ),
        behaviour("50 messages of others", lambda: told.test_messages_of_others_do_nothing(browser, host)),
        behaviour("keyboard", *(lambda s=s: keys(browser, host, s) for s in (WIDE, told.SMALL))),
        behaviour(
            "axe",
            *(lambda c=c: told.test_axe_finds_nothing_in_page_and_frame(browser, host, c) for c in ("light", "dark")),
        ),
    ]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        library = Library(Path(folder) / "store")
        put_embedded(library, article := read_file(ARTICLE_FILE))
        library.mark_starter(article.sha256)
        library.close()
        with site(Path(folder) / "store") as host:
            rows = measure(launch(playwright), host)
    sys.stdout.writelines(
        f"{name}: {found} (asked for: {asked}){'' if enough else ' SHORT'}\n" for name, asked, found, enough in rows
    )
    short = [name for name, _, _, enough in rows if not enough]
    sys.stdout.write(f"shortfalls: {len(short)}\n")
    sys.exit(bool(short))
