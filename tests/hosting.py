"""Pages of other origins, with the chat in them: what the tests of the widget and `make accept NAME=widget` visit.

Every name under .test leads to the loopback; the host's port makes an origin of its own of each name.
"""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, FloatRect, FrameLocator, Locator, Page, Playwright, expect

from tests.conftest import CHROMIUM, FLAGS, PROJECT
from tests.serving import serving
from tests.test_page import WIDE

EXAMPLE = PROJECT / "examples" / "internal-page"
PLACEHOLDER = "https://ask.corp.example"  # where the example's Pullquote would be
POLICY = "default-src 'self'; script-src {app}; frame-src {app}; connect-src {app}; style-src 'self'"


def launch(playwright: Playwright) -> Browser:
    """Chromium as an intranet sees it: names under .test, and no cookies for third parties."""
    names = "--host-resolver-rules=MAP *.test 127.0.0.1"
    return playwright.chromium.launch(
        executable_path=CHROMIUM, args=[*FLAGS, names, "--test-third-party-cookie-phaseout"]
    )


@dataclass
class Site:
    """A web server for pages that embed the chat, and the app that it comes from."""

    port: int
    app: str = ""
    store: Path = Path()
    pages: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)  # by path: HTML, headers

    def origin(self, name: str = "intranet") -> str:
        return f"http://{name}.test:{self.port}"

    def put(self, path: str, body: str = "", attributes: str = "", policy: str = "", head: str = "") -> str:
        """A page with the widget's script; gives its address on the listed host."""
        script = f'<script src="{self.app}/widget.js" defer {attributes}></script>'
        html = f"<!doctype html><html lang=en><title>A page</title>{head}{script}<body><h1>A page</h1>{body}"
        self.pages[path] = (html, {"content-security-policy": policy.format(app=self.app)} if policy else {})
        return self.origin() + path


@contextmanager
def site(store: Path, **settings: str) -> Iterator[Site]:
    """The host and the app, which lists the host's name intranet.test, and secure.test over https only."""
    found = Site(0, store=store)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            if path.startswith("/example/"):
                file = EXAMPLE / (path.removeprefix("/example/") or "index.html")
                html, headers = file.read_text("utf-8").replace(PLACEHOLDER, found.app), dict[str, str]()
            else:
                html, headers = found.pages.get(path, ("", {}))
            self.send_response(200)
            self.send_header("content-type", "text/css" if path.endswith(".css") else "text/html; charset=utf-8")
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(html.encode())

        def log_message(self, *_: object) -> None:
            """Silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        found.port = server.server_port
        try:
            with serving(
                store,
                **{"hosts": "*.test", "embed_origins": f"{found.origin()}, https://secure.test:{found.port}"}
                | settings,
            ) as app:
                found.app = app.url.replace("127.0.0.1", "ask.test")
                yield found
        finally:
            server.shutdown()
            thread.join()


def different(one: bytes, other: bytes) -> float:
    """The share of pixels in which two pictures differ by more than what blending does."""
    pictures = [Image.open(io.BytesIO(png)).convert("RGB") for png in (one, other)]
    apart = np.abs(np.subtract(*(np.asarray(picture, dtype=np.int16) for picture in pictures))).max(axis=2)
    return float((apart > 32).mean())


class Visitor:
    """Somebody on a page of another origin: its requests, its console, its bubble and the chat in the frame."""

    def __init__(
        self, browser: Browser, url: str, size: tuple[int, int] = WIDE, scheme: str = "light", **context: Any
    ) -> None:
        width, height = size
        self.context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if scheme == "dark" else "light",
            **context,
        )
        self.page: Page = self.context.new_page()
        self.requests: list[str] = []
        self.problems: list[str] = []
        self.statuses: dict[str, int] = {}  # by path
        self.page.on("response", lambda answer: self.statuses.update({urlsplit(answer.url).path: answer.status}))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.goto(url)

    @property
    def bubble(self) -> Locator:
        return self.page.locator("button.bubble")

    @property
    def panel(self) -> Locator:
        return self.page.locator(".panel")

    @property
    def frame(self) -> FrameLocator:
        return self.page.frame_locator(".panel iframe")

    @property
    def box(self) -> Locator:
        return self.frame.locator("#question textarea")

    @property
    def note(self) -> Locator:
        return self.page.locator(".note p")

    def open(self) -> None:
        """Click, and wait until one can type."""
        self.bubble.click()
        expect(self.box).to_be_focused()

    def ask(self, question: str) -> Locator:
        """Type a question, and wait for its answer, which is given."""
        answers = self.frame.locator('#chat [data-testid="bot"]')
        before = answers.count()
        self.box.fill(question)
        self.box.press("Enter")
        expect(answers).to_have_count(before + 1)
        return self.answer()

    def answer(self) -> Locator:
        found = self.frame.locator('#chat [data-testid="bot"]').last
        expect(found.get_by_role("button", name="Copy")).to_be_visible()
        return found

    def picture(self, clip: FloatRect) -> bytes:
        """What is to be seen there, once it has come to rest."""
        last = b""
        while True:
            found = self.page.screenshot(clip=clip, animations="disabled", caret="hide")
            if found == last:
                return found
            last = found
            self.page.wait_for_timeout(100)

    def hosts(self) -> set[str]:
        return {urlsplit(url).netloc for url in self.requests if not url.startswith("data:")}

    def close(self) -> None:
        self.context.close()
