"""An `Answer` for people and programs: JSON, Markdown, words. Everything from an article or a person stays text."""

import json
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any
from urllib.parse import urlencode

from pullquote.datatypes import Answer, Article, Quote

NOT_FOUND = "The article does not say."


def to_dict(answer: Answer) -> dict[str, Any]:
    """The answer as plain data, the contract of every surface; seconds to the millisecond."""
    data = asdict(answer)
    data["confidence"] = round(answer.confidence, 4)
    data["seconds"] = {name: round(value, 3) for name, value in answer.seconds.items()}
    return data


def to_json(answer: Answer, indent: int | None = None) -> str:
    """`to_dict` as JSON text."""
    return json.dumps(to_dict(answer), ensure_ascii=False, indent=indent)


def confidence_words(answer: Answer) -> str:
    """How sure the answer is, in words a reader can act on."""
    if answer.status == "not_found":
        return "Quite sure it is not there" if answer.confidence >= 0.9 else "It may be there in other words"
    if answer.confidence >= 0.9:
        return "Very likely right"
    return "Probably right" if answer.confidence >= 0.6 else "Unsure: check the quote"


def quote_place(quote: Quote) -> str:
    """Where the quote stands: title, heading if any, paragraph."""
    return " · ".join(filter(None, [quote.article_title, quote.heading, f"paragraph {quote.paragraph}"]))


def quote_url(quote: Quote) -> str:
    """Path of the article's page, opened at the quote."""
    at = {"quote": f"{quote.start}-{quote.end}", "mark": f"{quote.highlight[0]}-{quote.highlight[1]}"}
    return f"/articles/{quote.article_id}?{urlencode(at)}#quote"


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph of an article's page: its number, the level of a heading (0 for none), its text cut in three.

    `quote` is what of the quote stands in it ("" when nothing), itself cut into before, the marked words, and after.
    """

    number: int
    level: int
    before: str
    quote: tuple[str, str, str]
    after: str


def article_blocks(article: Article, quote: tuple[int, int] = (0, 0), mark: tuple[int, int] = (0, 0)) -> list[Block]:
    """The article's paragraphs, cut at the ends of the quote and of the marked words in it (article offsets)."""
    levels = {heading.start: heading.level for heading in article.headings}
    blocks = []
    for number, (start, end) in enumerate(article.paragraphs, start=1):

        def inside(offset: int, low: int = start, high: int = end) -> int:
            return min(max(offset, low), high)

        first, last = inside(quote[0]), inside(quote[1])
        begin = inside(mark[0], first, max(first, last))
        stop = inside(mark[1], begin, max(begin, last))
        cuts = [start, first, begin, stop, max(first, last), end]
        before, *quoted, after = (article.text[a:b] for a, b in pairwise(cuts))
        blocks.append(Block(number, levels.get(start, 0), before, (quoted[0], quoted[1], quoted[2]), after))
    return blocks


def to_markdown(answer: Answer) -> str:
    """The answer for the chat: the short text, its markers, and the quotes with the answer in bold."""
    if answer.status == "not_found":
        blocks = [f"**{escape(NOT_FOUND)}**"]
        if answer.closest:
            blocks += ["Closest passage:", _block(answer.closest, answers=False)]
    else:
        markers = " ".join(_marker(quote) for quote in answer.quotes)
        blocks = [f"**{escape(answer.text)}** {markers}", *(_block(quote) for quote in answer.quotes)]
    return "\n\n".join([*blocks, f"*{escape(confidence_words(answer))}*"])


def escape(text: str) -> str:
    """Text as Markdown that shows exactly this text: all ASCII punctuation becomes entities, a line end a break.

    No link, image, tag, formula or code fence survives it.
    """
    return "".join(
        char if char.isalnum() or char == " " or ord(char) > 127 else "<br>" if char == "\n" else f"&#{ord(char)};"
        for char in text
    )


def _block(quote: Quote, answers: bool = True) -> str:
    """A block quote with its place under it; the highlighted words are bold when the quote answers."""
    first, last = quote.highlight[0] - quote.start, quote.highlight[1] - quote.start
    before, words, after = (escape(part) for part in (quote.text[:first], quote.text[first:last], quote.text[last:]))
    text = f"{before}<strong>{words}</strong>{after}" if answers else escape(quote.text)
    return f"> {text}\n>\n> {_marker(quote)} {escape(quote_place(quote))}"


def _marker(quote: Quote) -> str:
    return f"[&#91;{quote.number}&#93;]({quote_url(quote)})"
