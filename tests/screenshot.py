"""Take the README's pictures, of the page and of the chat in another page: python -m tests.screenshot STORE FOLDER."""

import sys
from pathlib import Path

from playwright.sync_api import Playwright, sync_playwright

from tests.conftest import CHROMIUM, FLAGS
from tests.hosting import Visitor, launch, site
from tests.serving import serving
from tests.test_page import ASK, Visit


def page(playwright: Playwright, store: Path, picture: Path) -> None:
    with serving(store) as server:
        visit = Visit(playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS), server.url)
        visit.ask(ASK)
        visit.ask("When were the Iranian drones sent to Russia?")
        visit.page.locator('#chat a[href^="/articles/"]').first.click()
        visit.page.wait_for_timeout(500)
        visit.page.screenshot(path=picture)


def widget(playwright: Playwright, store: Path, picture: Path) -> None:
    with site(store) as host:
        visitor = Visitor(launch(playwright), f"{host.origin()}/example/")
        visitor.open()
        visitor.ask(ASK)
        visitor.page.wait_for_timeout(500)
        visitor.page.screenshot(path=picture)


if __name__ == "__main__":
    store, folder = map(Path, sys.argv[1:])
    with sync_playwright() as playwright:
        page(playwright, store, folder / "screenshot.png")
        widget(playwright, store, folder / "screenshot-widget.png")
