"""Visitors with addresses of their own, at a server that believes the test's proxy."""

import json
import re
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx

from pullquote.articles import make_article
from pullquote.library import Library
from pullquote.sources import read_file
from tests.building import put_embedded
from tests.conftest import PROJECT

PROXIED = {"proxies": "127.0.0.1", "rate": "30", "rate_all": "600", "cached": "0"}  # the default limits; all is read
PATIENCE = 300.0  # seconds
CANARY = re.compile(r"kestrel\d{4}")


def canary(visitor: int) -> str:
    return f"kestrel{visitor:04}"


def add_none(library: Library) -> None:
    """Keep the server from adding the articles that a new library starts with."""
    for path in (PROJECT / "index" / "articles").iterdir():
        library.mark_starter(read_file(path).sha256)


def make_library(folder: Path, visitors: int) -> None:
    """An article for each visitor, which alone holds the visitor's own word."""
    library = Library(folder)
    add_none(library)
    for visitor in range(visitors):
        text = (
            f"Report number {visitor} was written by {canary(visitor).title()} Smith. It rained for two days. "
            f"The ship that came in on Monday was the {canary(visitor)}. Its captain slept until noon."
        )
        put_embedded(library, replace(make_article(text, title=f"Report {visitor}"), id=f"report{visitor}"))
    library.close()


class Visitor:
    """One who asks from an address of their own."""

    def __init__(self, url: str, number: int) -> None:
        self.number = number
        address = f"203.0.{113 + number // 250}.{number % 250 + 1}"
        self.http = httpx.Client(base_url=url, headers={"x-forwarded-for": address}, timeout=PATIENCE)

    def ask(self) -> tuple[int, str]:
        """Over HTTP: the status, and all that was said."""
        response = self.http.post("/api/ask", json=self.question())
        return response.status_code, response.text

    def ask_on_page(self) -> tuple[int, str]:
        """As the page does it: into Gradio's queue, and its events until the end."""
        asked = self.question()
        body = {
            "data": [asked["question"], [], asked["article"]],
            "fn_index": self._event(),
            "session_hash": self._hash(),
        }
        joined = self.http.post("/gradio_api/queue/join", json=body)
        if joined.status_code != 200:
            return joined.status_code, joined.text
        said = ""
        with self.http.stream("GET", "/gradio_api/queue/data", params={"session_hash": self._hash()}) as stream:
            for line in stream.iter_lines():
                said += line
                if '"process_completed"' in line:
                    break
        return 200, said

    def question(self) -> dict[str, str]:
        asked = f"Which ship came in on Monday, asks {canary(self.number)}?"
        return {"question": asked, "article": f"report{self.number}"}

    def _event(self) -> int:
        config = json.loads(self.http.get("/config").text)
        return next(int(one["id"]) for one in config["dependencies"] if [to[1] for to in one["targets"]] == ["submit"])

    def _hash(self) -> str:
        return f"visitor{self.number}"


def strangers(visitor: int, said: str) -> int:
    """How many words of other visitors are in what one was told."""
    return sum(found != canary(visitor) for found in CANARY.findall(said.lower()))


def is_answered(visitor: int, said: str) -> bool:
    return canary(visitor) in said.lower() and "came in on monday" in said.lower()


def memory(pid: int) -> float:
    """Megabytes that a process holds (RSS)."""
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) / 1024


def timed(call: Any) -> tuple[float, Any]:
    began = time.perf_counter()
    result = call()
    return time.perf_counter() - began, result
