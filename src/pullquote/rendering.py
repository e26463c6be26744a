"""An `Answer` for people and programs: JSON, Markdown, words. Everything from an article or a person stays text."""

import json
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any
from urllib.parse import quote as percent_encoded
from urllib.parse import urlencode

from pullquote.datatypes import Answer, Article, Point, Quote

NOT_FOUND = "The article does not say."
LEADS = {"related": "The article says:", "overview": "In the article’s own words:"}
DIFFER = "Two articles differ:"
ALSO = "It may also be here:"
LIKELY, UNSURE = 0.6, 0.3  # confidence
VERSION = 12  # digits of an article's SHA-256 that tell its versions apart
FRAGMENT_WORDS, FRAGMENT_ENDS = 12, 5  # a longer quote is found in a web page by its first and last words


def to_dict(answer: Answer) -> dict[str, Any]:
    """The answer as plain data, the contract of every surface; seconds to the millisecond."""
    data = asdict(answer)
    data["confidence"] = round(answer.confidence, 4)
    for quote in [*data["quotes"], *([data["closest"]] if data["closest"] else [])]:
        quote["source_url"] = source_link(quote["source_url"], quote["text"], quote["page"])
    data["seconds"] = {name: round(value, 3) for name, value in answer.seconds.items()}
    return data


def to_json(answer: Answer, indent: int | None = None) -> str:
    """`to_dict` as JSON text."""
    return json.dumps(to_dict(answer), ensure_ascii=False, indent=indent)


def confidence_words(answer: Answer) -> str:
    """How sure the answer is, in words a reader can act on; "" where nothing is claimed.

    The steps are those of the built-in judge on questions of which two in five are written to mislead
    (`pullquote eval` prints its reliability); of the others, 98 of 100 answers above the upper step are right.
    """
    if answer.status == "not_found":
        return "Quite sure it is not there" if answer.confidence >= 0.95 else "It may be there in other words"
    if answer.status in ("overview", "guidance"):
        return ""
    if answer.confidence >= LIKELY:
        return "Very likely right"
    return "Probably right" if answer.confidence >= UNSURE else "Unsure: check the quote"


def lead(answer: Answer) -> str:
    """What is said before the quotes: the refusal, the guidance, or whose words follow; "" where the points say it."""
    if answer.status == "not_found":
        return NOT_FOUND
    return DIFFER if answer.differ else LEADS.get(answer.status, "") or (answer.text if not answer.points else "")


def worded_by(answer: Answer) -> str:
    """Whose words the answer is in, where they are not the article's; else ""."""
    return f"Worded by {answer.worded_by}, checked against the quotes" if answer.worded_by else ""


def further_quotes(answer: Answer) -> tuple[Quote, ...]:
    """The quotes that no point stands on: places where the answer may be as well."""
    cited = {number for point in answer.points for number in point.citations}
    return tuple(quote for quote in answer.quotes if answer.points and quote.number not in cited)


def quote_place(quote: Quote) -> str:
    """Where the quote stands: title, heading if any, and page, or paragraph where there are no pages."""
    place = f"page {quote.page}" if quote.page else f"paragraph {quote.paragraph}"
    return " · ".join(filter(None, [quote.article_title, quote.heading, place]))


def source_link(url: str | None, text: str, page: int | None) -> str | None:
    """The web address of a quote's article, opened at its page (PDF) or its words (URL text fragment, WICG)."""
    if not url or page:
        return f"{url}#page={page}" if url else None
    if not text:
        return url
    words = text.split()
    ends = [words] if len(words) <= FRAGMENT_WORDS else [words[:FRAGMENT_ENDS], words[-FRAGMENT_ENDS:]]
    parts = (percent_encoded(" ".join(end), safe="").replace("-", "%2D") for end in ends)
    return f"{url}{'' if '#' in url else '#'}:~:text={','.join(parts)}"


def quote_url(quote: Quote, root: str = "") -> str:
    """Path of the article's page, opened at the quote; `root` is the path that the app is served under."""
    at = {"quote": f"{quote.start}-{quote.end}", "mark": f"{quote.highlight[0]}-{quote.highlight[1]}"}
    at["version"] = quote.article_sha256[:VERSION]
    return f"{root}/articles/{quote.article_id}?{urlencode(at)}#quote"


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph of an article's page: its number, the level of a heading (0 for none), its text cut in three.

    `quote` is what of the quote stands in it ("" when nothing), itself cut into before, the marked words, and after.
    `page` is the number of the page that begins with it.
    """

    number: int
    level: int
    before: str
    quote: tuple[str, str, str]
    after: str
    page: int | None


def article_blocks(article: Article, quote: tuple[int, int] = (0, 0), mark: tuple[int, int] = (0, 0)) -> list[Block]:
    """The article's paragraphs, cut at the ends of the quote and of the marked words in it (article offsets)."""
    levels = {heading.start: heading.level for heading in article.headings}
    blocks: list[Block] = []
    page = None
    for number, (start, end) in enumerate(article.paragraphs, start=1):

        def inside(offset: int, low: int = start, high: int = end) -> int:
            return min(max(offset, low), high)

        first, last = inside(quote[0]), inside(quote[1])
        begin = inside(mark[0], first, max(first, last))
        stop = inside(mark[1], begin, max(begin, last))
        cuts = [start, first, begin, stop, max(first, last), end]
        before, *quoted, after = (article.text[a:b] for a, b in pairwise(cuts))
        begins = article.page_at(start) if article.page_at(start) != page else None
        page = begins or page
        blocks.append(Block(number, levels.get(start, 0), before, (quoted[0], quoted[1], quoted[2]), after, begins))
    return blocks


def to_markdown(answer: Answer, root: str = "") -> str:
    """The answer for the chat: how it was read, what it says with markers, and the quotes with the answer in bold.

    `root` is the path that the app is served under.
    """
    blocks = [f"*Read as: {escape(answer.read_as)}*"] if answer.read_as else []
    blocks += [f"**{escape(lead(answer))}**"] if lead(answer) and not answer.differ else []
    blocks += [escape(DIFFER)] if answer.differ else []
    blocks += [_worded(answer, root)] if answer.worded_by else []
    blocks += [_point(point, answer, root) for point in answer.points if not _is_shown(point, answer)]
    further = further_quotes(answer)
    blocks += [_block(quote, answer, root) for quote in answer.quotes if quote not in further]
    blocks += [ALSO, *(_block(quote, answer, root) for quote in further)] if further else []
    blocks += ["Closest passage:", _block(answer.closest, answer, root)] if answer.closest else []
    words = confidence_words(answer)
    return "\n\n".join([*blocks, *([f"*{escape(words)}*"] if words else [])])


def to_text(answer: Answer) -> tuple[str, dict[int, int]]:
    """The answer as plain text with numbered quotes, and where in it the text of each quote, by its number, begins."""
    text, starts, further = "", dict[int, int](), further_quotes(answer)

    def add(block: str) -> None:
        nonlocal text
        text += f"\n\n{block}" if text else block

    if answer.read_as:
        add(f"Read as: {answer.read_as}")
    if opening := lead(answer):
        add(opening)
    for point in answer.points:
        if answer.worded_by or not _is_shown(point, answer):
            marks = "".join(f" [{number}]" for number in point.citations)
            add(f"{point.question}\n" * bool(point.question) + (point.text or NOT_FOUND) + marks)
    if whose := worded_by(answer):
        add(whose)
    for quote in answer.quotes:
        if further and quote == further[0]:
            add(ALSO)
        add(f"[{quote.number}] “")
        starts[quote.number] = len(text)
        text += f"{quote.text}”\n{quote_place(quote)}"
    if answer.closest:
        add(f"Closest passage:\n“{answer.closest.text}”\n{quote_place(answer.closest)}")
    if words := confidence_words(answer):
        add(words)
    return text, starts


def escape(text: str) -> str:
    """Text as Markdown that shows exactly this text: all ASCII punctuation becomes entities, a line end a break.

    No link, image, tag, formula or code fence survives it.
    """
    return "".join(
        char if char.isalnum() or char == " " or ord(char) > 127 else "<br>" if char == "\n" else f"&#{ord(char)};"
        for char in text
    )


def _point(point: Point, answer: Answer, root: str) -> str:
    """A line of the answer. A whole sentence stands in its quote below; two articles are told apart by their dates."""
    quotes = [quote for quote in answer.quotes if quote.number in point.citations]
    text = f"**{escape(point.text or NOT_FOUND)}** {' '.join(_marker(quote, root) for quote in quotes)}"
    if point.question:
        text = f"{escape(point.question)}<br>{text}"
    return f"{text} — {escape(quotes[0].article_title)}, {quotes[0].article_date}" if answer.differ else text


def _worded(answer: Answer, root: str) -> str:
    """The model's sentences, each with its markers, and whose they are."""
    quotes = {quote.number: quote for quote in answer.quotes}
    said = (
        f"{escape(point.text)} {' '.join(_marker(quotes[number], root) for number in point.citations)}"
        for point in answer.points
        if point.text
    )
    return f"{' '.join(said)}\n\n*{escape(worded_by(answer))}*"


def _is_shown(point: Point, answer: Answer) -> bool:
    """Whether the point is shown already: worded, or a whole sentence, in its quote."""
    if answer.worded_by and point.text:
        return True
    cited = [quote.text for quote in answer.quotes if quote.number in point.citations]
    return not point.question and any(point.text in text and 2 * len(point.text) > len(text) for text in cited)


def _block(quote: Quote, answer: Answer, root: str) -> str:
    """A block quote with its place under it; the highlighted words are bold when they are what answers."""
    first, last = quote.highlight[0] - quote.start, quote.highlight[1] - quote.start
    before, words, after = (escape(part) for part in (quote.text[:first], quote.text[first:last], quote.text[last:]))
    marked = answer.status in ("answered", "related")
    text = f"{before}<strong>{words}</strong>{after}" if marked else escape(quote.text)
    return f"> {text}\n>\n> {_marker(quote, root)} {escape(quote_place(quote))}"


def _marker(quote: Quote, root: str) -> str:
    return f"[&#91;{quote.number}&#93;]({quote_url(quote, root)})"
