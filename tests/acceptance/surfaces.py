"""The same 30 questions, as one conversation, over every surface: how many answers are the same byte for byte.

The page carries no JSON; there the quotes, the places that its links open, and the words are compared.
"""

import json
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests import contract
from tests.serving import serving
from tests.test_page import CHROMIUM, FLAGS


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "store"
        contract.make_library(store)
        with serving(store, articles=folder) as server, sync_playwright() as playwright:
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
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            shown = contract.page(browser, server.url, contract.QUESTIONS)
            browser.close()
    same = {name: sum(map(str.__eq__, texts, answers)) for name, texts in found.items()}
    wrong = [contract.page_shows(html, json.loads(answer)) for html, answer in zip(shown, answers, strict=True)]
    same["page"] = wrong.count("")
    for name, count in same.items():
        sys.stdout.write(f"{name}: {count} of {len(contract.QUESTIONS)}\n")
    for problem in filter(None, wrong):
        sys.stdout.write(f"the page does not show: {problem}\n")
    kinds = [json.loads(answer)["status"] for answer in answers]
    sys.stdout.write(", ".join(f"{kinds.count(kind)} {kind}" for kind in sorted(set(kinds))) + "\n")
    return 0 if set(same.values()) == {len(contract.QUESTIONS)} and len(set(answers)) > 20 else 1


if __name__ == "__main__":
    sys.exit(main())
