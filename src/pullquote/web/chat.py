"""The chat page: Gradio Blocks over the assistant. It shows what `rendering` makes and adds nothing of its own."""

import html
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from functools import lru_cache
from typing import Any

import gradio as gr
from starlette.concurrency import iterate_in_threadpool

from pullquote.answering import Assistant
from pullquote.datatypes import Answer
from pullquote.errors import PullquoteError
from pullquote.explaining import Table, explain
from pullquote.rendering import escape, to_json, to_markdown
from pullquote.settings import MAX_QUESTION
from pullquote.suggesting import suggest
from pullquote.web.access import person_in
from pullquote.web.choosing import choices, known
from pullquote.web.limiting import Line, LineFull

log = logging.getLogger("pullquote")

STAGES = {
    "searching": "Searching the article…",
    "reading": "Reading the likeliest passages…",
    "summing up": "Looking for the sentences that sum it up…",
    "wording": "Wording the answer, and checking each sentence…",
}
FULL = "**Too many people are asking at the moment.** Please ask again in a few seconds."
BANNER = (
    "# Pullquote\n\nAnswers in the article’s own words.\n\n[Read the article]({root}/read) [Articles]({root}/articles)"
)
EXAMPLES = 3
MAX_WORDS = 600  # characters of a greeting, or of all questions, that the page around the chat may give
LOADING = 100  # pages that may wait for their examples and articles
KEPT = 100  # messages of a conversation that travel with each question

Messages = list[dict[str, str]]
Update = tuple[Any, Messages, Any, Any]  # the text box, the conversation, why it is so, and the answer as JSON

THEME = gr.themes.Base(
    primary_hue="indigo",
    neutral_hue="slate",
    radius_size="lg",
    font=["system-ui", "sans-serif"],
    font_mono=["ui-monospace", "monospace"],
)


def build(assistant: Assistant, line: Line, root: str, is_open: bool = True) -> gr.Blocks:
    """The page, not yet mounted, under the path `root`.

    Who asks there waits in the line, and has signed in unless it `is_open`.
    """

    def sees(request: gr.Request) -> frozenset[str] | None:
        return person_in(request.request.scope if request.request else {}).sees

    def seen_by(request: gr.Request) -> Assistant:
        return assistant.seen_by(sees(request))

    with gr.Blocks(title="Pullquote", analytics_enabled=False, fill_width=True) as page, gr.Row(elem_id="page"):
        with gr.Column(scale=6, elem_id="conversation"):
            account = "" if is_open else " [Account]({root}/login)"
            gr.Markdown((BANNER + account).format(root=root), elem_id="banner")
            chat = gr.Chatbot(
                elem_id="chat",
                show_label=False,
                label="Conversation",
                height="100%",
                buttons=[],
                feedback_options=None,
                latex_delimiters=[],
                layout="panel",
                placeholder=_empty_state(assistant, root),
            )
            data = gr.Markdown("", elem_id="answer-data", visible="hidden")
            with gr.Accordion("Why this answer?", open=False, elem_id="why"):
                why = gr.Markdown("", elem_id="why-tables")
            with gr.Row(elem_id="examples"):
                examples = [gr.Button("", visible=False, size="sm", elem_classes="example") for _ in range(EXAMPLES)]
            article = gr.Dropdown(**choices(assistant.library), elem_id="article", label="Ask", filterable=True)
            question = gr.Textbox(
                elem_id="question",
                label="Your question",
                show_label=False,
                placeholder="Ask the article a question",
                max_length=MAX_QUESTION,
                max_lines=6,
                autofocus=True,
                submit_btn=True,
            )
        with gr.Column(scale=5, elem_id="reader"):
            gr.Markdown("The article opens here.", elem_id="reader-empty")

        async def answer(
            asked: str, history: list[dict[str, Any]], chosen: str, request: gr.Request
        ) -> AsyncIterator[Update]:
            steps = _answer(seen_by(request), root, asked, history, chosen)
            async with aclosing(_in_turn(line, steps, asked, history)) as shown:
                async for step in shown:
                    yield step

        limits: dict[str, Any] = {"concurrency_limit": None, "api_visibility": "private"}  # the line is the limit
        for box, asking in ((question, question.submit), *((example, example.click) for example in examples)):
            asking(answer, [box, chat, article], [question, chat, why, data], show_progress="hidden", **limits)
        suggestions = lru_cache(maxsize=32)(lambda groups, _revision: suggest(assistant.seen_by(groups), EXAMPLES))

        def welcome(request: gr.Request) -> list[dict[str, Any]]:
            own = [text.strip() for text in _from_address(request, "questions").split("|") if text.strip()]
            only = _from_address(request, "articles").replace(",", " ").split()
            found = own[:EXAMPLES] or ([] if only else suggestions(sees(request), assistant.library.revision))
            shown = [gr.update(value=text, visible=True) for text in found]
            unused = [gr.skip()] * (EXAMPLES - len(shown))
            greeting = escape(_from_address(request, "greeting"))
            state = f"## {greeting}" if greeting else _empty_state(seen_by(request), root, only)
            chosen = gr.update(**choices(seen_by(request).library, only))
            return [gr.update(placeholder=state), chosen, *shown, *unused]

        page.load(welcome, None, [chat, article, *examples], show_progress="hidden", api_visibility="private")
    page.queue(max_size=LOADING, api_open=False)
    blocks: gr.Blocks = page
    return blocks


async def _in_turn(
    line: Line, steps: Iterator[Update], asked: str, history: list[dict[str, Any]]
) -> AsyncGenerator[Update]:
    """The steps of an answer once it is its turn; until then the place in line."""
    shown = _with_question(history, asked)
    try:
        async with aclosing(line.enter()) as places:
            async for place in places:
                waiting = f"*You are number {place} in line…*" if place > 1 else "*You are next…*"
                yield "", [*shown, {"role": "assistant", "content": waiting}], "", ""
    except LineFull:
        yield gr.skip(), [*shown, {"role": "assistant", "content": FULL}], "", ""
        return
    try:
        async for step in iterate_in_threadpool(steps):
            yield step
    finally:
        line.leave()


def _answer(
    assistant: Assistant, root: str, asked: str, history: list[dict[str, Any]], article: str
) -> Iterator[Update]:
    """The text box emptied, the conversation with the question, its stages and its answer, and why it is so."""
    if not asked.strip():
        gr.Info("Ask who, what, when, where, why or how many, or “What is this about?”")
        yield "", _messages(history), gr.skip(), gr.skip()
        return
    shown = _with_question(history, asked)

    def reply(content: str, why: str = "", data: str = "") -> Update:
        return gr.skip(), [*shown, {"role": "assistant", "content": content}], why, data

    yield "", shown, "", ""

    earlier = [html.unescape(message["content"]) for message in shown[:-1] if message["role"] == "user"]
    try:
        for step in assistant.stages(asked, earlier, article or None):
            if isinstance(step, str):
                yield reply(f"*{STAGES[step]}*")
            elif isinstance(step, Answer):
                yield reply(to_markdown(step))
            else:
                why = [_table(table) for table in explain(step, assistant.examiner.judge)]
                tables = "\n\n".join(why) or "Nothing was searched for this."
                yield reply(to_markdown(step.answer, root), tables, escape(to_json(step.answer)))
    except PullquoteError as error:
        yield reply(f"**That did not work.** {escape(str(error))}")
    except Exception:  # the page's one boundary: a failure is logged and shown as a failure
        log.exception("a question failed")
        yield reply("**Something broke on our side.** The log has the details; please ask again.")


def _with_question(history: list[dict[str, Any]], asked: str) -> Messages:
    return [*_messages(history), {"role": "user", "content": escape(asked.strip())}]


def _messages(history: list[dict[str, Any]]) -> Messages:
    """The browser's history as plain text messages: whatever else it holds is dropped."""
    kept = []
    for message in history[-KEPT:]:
        content = message["content"]
        parts = content if isinstance(content, list) else [{"type": "text", "text": content}]
        text = "".join(part["text"] for part in parts if isinstance(part, dict) and part.get("type") == "text")
        if message["role"] in {"user", "assistant"}:
            kept.append({"role": message["role"], "content": text})
    return kept


def _table(table: Table) -> str:
    """A table of the expert panel, under its title."""
    rows = (" | ".join(map(escape, row)) for row in (table.columns, *table.rows))
    head, *body = (f"| {row} |" for row in rows)
    return "\n".join([f"**{escape(table.title)}**\n", head, "|---" * len(table.columns) + "|", *body])


def _from_address(request: gr.Request, name: str) -> str:
    """What the page around the chat gave in the address: its words, shortened to what is shown."""
    return str(request.query_params.get(name, "")).strip()[:MAX_WORDS]


def _empty_state(assistant: Assistant, root: str, only: Sequence[str] = ()) -> str:
    ids = known(assistant.library, only)
    titles = [article.title for article, _ in assistant.library.articles() if not only or article.id in ids]
    if not titles and only:
        return (
            "## Nothing to ask here\n\nThe articles that this page names are not in the library. Please tell its owner."
        )
    if not titles:
        return (
            f"## The library is empty\n\nAdd an article on the page [Articles]({root}/articles), or with "
            "`pullquote add PATH`, then ask it anything."
        )
    about = f"“{escape(titles[0])}”" if len(titles) == 1 else f"{len(titles)} articles"
    return (
        f"## Ask about {about}\n\nWho, what, when, where, how many: the answer is a quote, "
        "with the place where it stands. What the article does not say, Pullquote does not make up."
    )
