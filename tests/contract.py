"""The same conversation over every surface: what each answers, as JSON in one form, to be compared.

A question is asked with all the questions before it as its history, everywhere.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import anyio
import httpx
from mcp import Client, StdioServerParameters, stdio_client
from openai import OpenAI
from playwright.sync_api import Browser

from pullquote import Pullquote
from pullquote.articles import make_article
from pullquote.library import Library
from pullquote.rendering import NOT_FOUND, to_json
from pullquote.settings import Settings
from tests.building import put_embedded
from tests.conftest import PROJECT
from tests.test_page import Visit

OWN = json.loads((PROJECT / "tests" / "data" / "own-questions.json").read_text("utf-8"))
QUESTIONS: list[str] = [row["question"] for row in OWN["questions"]]


def make_library(folder: Path) -> None:
    """A library of the three articles that the questions are about: ferry, expenses, lichen."""
    library = Library(folder)
    articles = [(row["id"], make_article(row["text"], title=row["title"], markdown=True)) for row in OWN["articles"]]
    put_embedded(library, *(replace(article, id=name.removesuffix(".md")) for name, article in articles))
    library.close()


def canonical(answer: str | dict[str, Any]) -> str:
    """An answer's JSON without `seconds`; the order of its members, and each character of each value, stays."""
    data = json.loads(answer) if isinstance(answer, str) else answer
    return json.dumps({name: value for name, value in data.items() if name != "seconds"}, ensure_ascii=False)


def turns(questions: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Each question with those before it."""
    for number, question in enumerate(questions):
        yield question, list(questions[:number])


def rest(url: str, questions: Sequence[str], path: str = "/api/v1/ask") -> list[str]:
    """By JSON."""
    with httpx.Client(base_url=url, timeout=60) as client:
        bodies = [{"question": question, "history": history} for question, history in turns(questions)]
        return [canonical(client.post(path, json=body).raise_for_status().text) for body in bodies]


def sse(url: str, questions: Sequence[str]) -> list[str]:
    """By server-sent events; the answer is the last."""
    found = []
    with httpx.Client(base_url=url, timeout=60, headers={"accept": "text/event-stream"}) as client:
        for question, history in turns(questions):
            text = client.post("/api/v1/ask", json={"question": question, "history": history}).raise_for_status().text
            *_, last = text.removesuffix("\n\n").split("\n\n")
            found.append(canonical(last.removeprefix("event: answer\ndata: ")))
    return found


def openai(url: str, questions: Sequence[str], stream: bool = False) -> list[str]:
    """By OpenAI's own client; annotations are checked to be the quotes."""
    found = []
    with OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as client:
        for question, history in turns(questions):
            messages: Any = [{"role": "system", "content": "Be brief."}]
            for earlier in history:
                messages += [{"role": "user", "content": earlier}, {"role": "assistant", "content": "An answer."}]
            messages.append({"role": "user", "content": question})
            text, annotations, answer = _completion(client, messages, stream)
            check_annotations(text, annotations, answer)
            found.append(canonical(answer))
    return found


def _completion(client: OpenAI, messages: Any, stream: bool) -> tuple[str, list[Any], dict[str, Any]]:
    if not stream:
        done = client.chat.completions.create(model="pullquote", messages=messages)
        message = done.choices[0].message
        annotations = [one.model_dump() for one in message.annotations or []]
        return message.content or "", annotations, (done.model_extra or {})["pullquote"]
    text, annotations, answer = "", list[Any](), dict[str, Any]()
    for chunk in client.chat.completions.create(model="pullquote", messages=messages, stream=True):
        text += chunk.choices[0].delta.content or ""
        annotations = (chunk.choices[0].delta.model_extra or {}).get("annotations", annotations)
        answer = (chunk.model_extra or {}).get("pullquote", answer)
    return text, annotations, answer


def check_annotations(text: str, annotations: list[Any], answer: dict[str, Any]) -> None:
    """Each quote stands in the text, numbered, where its annotation says; a refusal says so and has none."""
    assert len(annotations) == len(answer["quotes"])
    for one, quote in zip(annotations, answer["quotes"], strict=True):
        cited = one["url_citation"]
        assert text[cited["start_index"] : cited["end_index"]] == quote["text"]
        assert text[: cited["start_index"]].endswith(f"[{quote['number']}] “")
        assert cited["title"] == quote["article_title"]
        place = urlsplit(cited["url"])
        assert place.path == f"/articles/{quote['article_id']}"
        assert parse_qs(place.query)["quote"] == [f"{quote['start']}-{quote['end']}"]
    assert text.startswith(NOT_FOUND) == (answer["status"] == "not_found" and not answer["read_as"])


async def _mcp(client: Client, questions: Sequence[str]) -> list[str]:
    found = []
    for question, history in turns(questions):
        result = await client.call_tool("ask", {"question": question, "history": history})
        assert not result.is_error, result.content
        found.append(canonical(result.structured_content))
    return found


def mcp_http(url: str, questions: Sequence[str]) -> list[str]:
    """By the MCP SDK's client over streamable HTTP."""

    async def ask() -> list[str]:
        async with Client(f"{url}/mcp") as client:
            return await _mcp(client, questions)

    return anyio.run(ask)


@asynccontextmanager
async def mcp_process(store: Path) -> Any:
    """The MCP SDK's client of `pullquote mcp`, a process of its own."""
    environment = os.environ | {"PULLQUOTE_STORE": str(store)}
    program = StdioServerParameters(command=sys.executable, args=["-m", "pullquote.cli", "mcp"], env=environment)
    async with Client(stdio_client(program)) as client:
        yield client


def mcp_stdio(store: Path, questions: Sequence[str]) -> list[str]:
    """By the MCP SDK's client over standard input and output."""

    async def ask() -> list[str]:
        async with mcp_process(store) as client:
            return await _mcp(client, questions)

    return anyio.run(ask)


def cli(store: Path, questions: Sequence[str]) -> list[str]:
    """By the command, a process for each question."""
    found = []
    for question, history in turns(questions):
        after = [word for earlier in history for word in ("--after", earlier)]
        command = [sys.executable, "-m", "pullquote.cli", "ask", "--json", *after, "--", question]
        environment = os.environ | {"PULLQUOTE_STORE": str(store)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode in (0, 3), done.stderr
        found.append(canonical(done.stdout))
    return found


def python(store: Path, questions: Sequence[str]) -> list[str]:
    """By Python."""
    with Pullquote.open(store, Settings()) as pullquote:
        return [canonical(to_json(pullquote.ask(question, history))) for question, history in turns(questions)]


def page(browser: Browser, url: str, questions: Sequence[str]) -> list[str]:
    """By the page: what each message shows, as HTML."""
    visit, found = Visit(browser, url), []
    for question in questions:
        visit.ask(question)
        found.append(visit.page.locator('#chat [data-testid="bot"]').last.inner_html())
    visit.close()
    return found


class Shown(HTMLParser):
    """A message of the page: the text of its block quotes, the places that its links open, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.quotes: list[str] = []
        self.places: list[tuple[str, str, str]] = []
        self.text = ""
        self._depth = self._paragraphs = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._depth += tag == "blockquote"
        self._paragraphs = self._paragraphs + 1 if self._depth and tag == "p" else self._paragraphs
        if tag == "blockquote":
            self.quotes.append("")
            self._paragraphs = 0
        href = dict(attrs).get("href") or ""
        if tag == "a" and self._depth and href.startswith("/articles/"):
            link = urlsplit(href)
            query = parse_qs(link.query)
            self.places.append((link.path.removeprefix("/articles/"), query["quote"][0], query["mark"][0]))
        if tag == "br":
            self.handle_data("\n")

    def handle_endtag(self, tag: str) -> None:
        self._depth -= tag == "blockquote"

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._depth and self._paragraphs == 1:
            self.quotes[-1] += data


def page_shows(html: str, answer: dict[str, Any]) -> str:
    """What of the answer a message of the page does not show; "" when it is all there, in its order."""
    shown, words = Shown(html), answer["text"] if answer["status"] == "guidance" else ""
    quotes = [*answer["quotes"], *([answer["closest"]] if answer["closest"] else [])]
    if [_blanks(text) for text in shown.quotes] != [_blanks(quote["text"]) for quote in quotes]:
        return f"quotes: {shown.quotes}"
    places = [(q["article_id"], f"{q['start']}-{q['end']}", "{}-{}".format(*q["highlight"])) for q in quotes]
    if shown.places != places:
        return f"places: {shown.places}"
    words = words or ("" if answer["quotes"] else NOT_FOUND)
    said = [words, *(point["text"] for point in answer["points"]), answer["read_as"] or ""]
    return "; ".join(text for text in said if _blanks(text) not in _blanks(shown.text))


def _blanks(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()
