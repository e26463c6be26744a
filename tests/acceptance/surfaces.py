"""The same 30 questions, as one conversation, over every surface: how many answers are the same byte for byte.

The page carries no JSON; there the quotes, the places that its links open, and the words are compared.
"""

import json
import sys
import tempfile
from itertools import chain
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests import contract
from tests.conftest import CHROMIUM, FLAGS
from tests.serving import serving


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "store"
        contract.make_library(store)
        with serving(store, articles=folder) as server:
            answers = contract.rest(server.url, contract.QUESTIONS)
            found = {
                "REST": answers,
                "REST under /api": contract.rest(server.url, contract.QUESTIONS, "/api/ask"),
                "events": contract.sse(server.url, contract.QUESTIONS),
                "OpenAI": contract.openai(server.url, contract.QUESTIONS),
                "OpenAI, streamed": contract.openai(server.url, contract.QUESTIONS, stream=True),
                "MCP over HTTP": contract.mcp_http(server.url, contract.QUESTIONS),
                "MCP over stdio": contract.mcp_stdio(store, contract.QUESTIONS),
                "command": contract.cli(store, contract.QUESTIONS),
                "Python": contract.python(store, contract.QUESTIONS),
            }
            pages = {"page": "/", "widget's frame": "/embed"}
            with sync_playwright() as playwright:  # it has an event loop of its own, so it comes last
                browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
                shown = {
                    name: contract.page(browser, server.url + at, contract.QUESTIONS) for name, at in pages.items()
                }
                browser.close()
    same = {name: sum(map(str.__eq__, texts, answers)) for name, texts in found.items()}
    data = list(map(json.loads, answers))
    wrong = {name: list(map(contract.page_shows, messages, data)) for name, messages in shown.items()}
    same |= {name: problems.count("") for name, problems in wrong.items()}
    for name, count in same.items():
        sys.stdout.write(f"{name}: {count} of {len(contract.QUESTIONS)}\n")
    for problem in filter(None, chain(*wrong.values())):
        sys.stdout.write(f"not shown: {problem}\n")
    kinds = [answer["status"] for answer in data]
    sys.stdout.write(", ".join(f"{kinds.count(kind)} {kind}" for kind in sorted(set(kinds))) + "\n")
    return 0 if set(same.values()) == {len(contract.QUESTIONS)} and len(set(answers)) > 20 else 1


if __name__ == "__main__":
    sys.exit(main())
