"""Take the README's picture of the page: python -m tests.screenshot STORE PICTURE."""

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.serving import serving
from tests.test_page import ASK, CHROMIUM, FLAGS, Visit

if __name__ == "__main__":
    with serving(Path(sys.argv[1])) as server, sync_playwright() as playwright:
        visit = Visit(playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS), server.url)
        visit.ask(ASK)
        visit.ask("When were the Iranian drones sent to Russia?")
        visit.page.locator('#chat a[href^="/articles/"]').first.click()
        visit.page.wait_for_timeout(500)
        visit.page.screenshot(path=sys.argv[2])
