"""The chat page: Gradio Blocks over the assistant. It shows what `rendering` makes and adds nothing of its own."""

import html
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing
from functools import lru_cache
from typing import Any

import gradio as gr
from starlette.concurrency import iterate_in_threadpool

from pullquote.answering import Assistant
from pullquote.datatypes import Answer
from pullquote.errors import PullquoteError
from pullquote.explaining import Table, explain
from pullquote.markdown import escape, to_markdown
from pullquote.messages import N_, Messages
from pullquote.rendering import to_json
from pullquote.settings import MAX_QUESTION
from pullquote.suggesting import suggest
from pullquote.web.access import person_in
from pullquote.web.choosing import choices
from pullquote.web.greeting import empty_state, from_address
from pullquote.web.languages import messages_of
from pullquote.web.limiting import Line, LineFull

log = logging.getLogger("pullquote")

STAGES = {
    "searching": N_("Searching the article…"),
    "reading": N_("Reading the likeliest passages…"),
    "summing up": N_("Looking for the sentences that sum it up…"),
    "wording": N_("Wording the answer, and checking each sentence…"),
}
EXAMPLES = 3
LOADING = 100  # pages that may wait for their examples and articles
KEPT = 100  # messages of a conversation that travel with each question

Conversation = list[dict[str, str]]
Update = tuple[Any, Conversation, Any, Any]  # the text box, the conversation, why it is so, and the answer as JSON

THEME = gr.themes.Base(
    primary_hue="indigo",
    neutral_hue="slate",
    radius_size="lg",
    font=["system-ui", "sans-serif"],
    font_mono=["ui-monospace", "monospace"],
)


def build(assistant: Assistant, line: Line, words: Mapping[str, str], root: str) -> gr.Blocks:
    """The page, not yet mounted, under the path `root`; `words` are those of `greeting.words` that stand in it.

    Who asks there waits in the line.
    """

    def sees(request: gr.Request) -> frozenset[str] | None:
        return person_in(request.request.scope if request.request else {}).sees

    def seen_by(request: gr.Request) -> Assistant:
        return assistant.seen_by(sees(request))

    with gr.Blocks(title="Pullquote", analytics_enabled=False, fill_width=True) as page, gr.Row(elem_id="page"):
        with gr.Column(scale=6, elem_id="conversation"):
            gr.Markdown(words["banner"], elem_id="banner")
            chat = gr.Chatbot(
                elem_id="chat",
                show_label=False,
                label=words["conversation"],
                height="100%",
                buttons=[],
                feedback_options=None,
                latex_delimiters=[],
                layout="panel",
                placeholder=words["empty"],
            )
            data = gr.Markdown("", elem_id="answer-data", visible="hidden")
            with gr.Accordion(words["why"], open=False, elem_id="why"):
                why = gr.Markdown("", elem_id="why-tables")
            with gr.Row(elem_id="examples"):
                examples = [gr.Button("", visible=False, size="sm", elem_classes="example") for _ in range(EXAMPLES)]
            article = gr.Dropdown(**choices(assistant.library), elem_id="article", label=words["ask"], filterable=True)
            question = gr.Textbox(
                elem_id="question",
                label=words["question"],
                show_label=False,
                placeholder=words["placeholder"],
                max_length=MAX_QUESTION,
                max_lines=6,
                submit_btn=True,
            )
        with gr.Column(scale=5, elem_id="reader"):
            gr.Markdown(words["reader"], elem_id="reader-empty")

        async def answer(
            asked: str, history: list[dict[str, Any]], chosen: str, request: gr.Request
        ) -> AsyncIterator[Update]:
            messages = messages_of(request)
            steps = _answer(seen_by(request), root, messages, asked, history, chosen)
            async with aclosing(_in_turn(line, steps, messages, asked, history)) as shown:
                async for step in shown:
                    yield step

        limits: dict[str, Any] = {"concurrency_limit": None, "api_visibility": "private"}  # the line is the limit
        for box, asking in ((question, question.submit), *((example, example.click) for example in examples)):
            asking(answer, [box, chat, article], [question, chat, why, data], show_progress="hidden", **limits)
        suggestions = lru_cache(maxsize=32)(lambda groups, _revision: suggest(assistant.seen_by(groups), EXAMPLES))

        def welcome(request: gr.Request) -> list[dict[str, Any]]:
            messages = messages_of(request)
            own = [text.strip() for text in from_address(request, "questions").split("|") if text.strip()]
            only = from_address(request, "articles").replace(",", " ").split()
            found = own[:EXAMPLES] or ([] if only else suggestions(sees(request), assistant.library.revision))
            shown = [gr.update(value=text, visible=True) for text in found]
            unused = [gr.skip()] * (EXAMPLES - len(shown))
            greeting = escape(from_address(request, "greeting"))
            state = f"## {greeting}" if greeting else empty_state(seen_by(request), root, messages, only)
            articles = choices(seen_by(request).library, only, messages)
            return [gr.update(placeholder=state), gr.update(**articles), *shown, *unused]

        page.load(welcome, None, [chat, article, *examples], show_progress="hidden", api_visibility="private")
    page.queue(max_size=LOADING, api_open=False)
    blocks: gr.Blocks = page
    return blocks


async def _in_turn(
    line: Line, steps: Iterator[Update], _: Messages, asked: str, history: list[dict[str, Any]]
) -> AsyncGenerator[Update]:
    """The steps of an answer once it is its turn; until then the place in line."""
    shown = _with_question(history, asked)
    try:
        async with aclosing(line.enter()) as places:
            async for place in places:
                waiting = _("You are number {place} in line…", place=place) if place > 1 else _("You are next…")
                yield "", [*shown, {"role": "assistant", "content": f"*{waiting}*"}], "", ""
    except LineFull:
        full = _("**Too many people are asking at the moment.** Please ask again in a few seconds.")
        yield gr.skip(), [*shown, {"role": "assistant", "content": full}], "", ""
        return
    try:
        async for step in iterate_in_threadpool(steps):
            yield step
    finally:
        line.leave()


def _answer(
    assistant: Assistant, root: str, _: Messages, asked: str, history: list[dict[str, Any]], article: str
) -> Iterator[Update]:
    """The text box emptied, the conversation with the question, its stages and its answer, and why it is so."""
    if not asked.strip():
        gr.Info(_("Ask who, what, when, where, why or how many, or “What is this about?”"), title=_("Nothing asked"))
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
                yield reply(f"*{_(STAGES[step])}*")
            elif isinstance(step, Answer):
                yield reply(to_markdown(step, root, _))
            else:
                why = [_table(table) for table in explain(step, assistant.examiner.judge, _)]
                tables = "\n\n".join(why) or _("Nothing was searched for this.")
                yield reply(to_markdown(step.answer, root, _), tables, escape(to_json(step.answer)))
    except PullquoteError as error:
        failed = _("That did not work.")
        yield reply(f"**{failed}** {escape(str(error))}")
    except Exception:  # the page's one boundary: a failure is logged and shown as a failure
        log.exception("a question failed")
        yield reply(_("**Something broke on our side.** The log has the details; please ask again."))


def _with_question(history: list[dict[str, Any]], asked: str) -> Conversation:
    return [*_messages(history), {"role": "user", "content": escape(asked.strip())}]


def _messages(history: list[dict[str, Any]]) -> Conversation:
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
