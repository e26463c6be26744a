"""An `Answer` for people and programs: JSON, text, words; in English, unless other words are given."""

import json
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any
from urllib.parse import quote as percent_encoded
from urllib.parse import urlencode

from pullquote.datatypes import Answer, Article, Point, Quote
from pullquote.messages import ENGLISH, N_, Messages
from pullquote.phrases import SAID

NOT_FOUND = N_("The article does not say.")
LEADS = {"related": N_("The article says:"), "overview": N_("In the article’s own words:")}
DIFFER = N_("Two articles differ:")
ALSO = N_("It may also be here:")
CLOSEST = N_("Closest passage:")
READ_AS = N_("Read as: {question}")
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


def confidence_words(answer: Answer, _: Messages = ENGLISH) -> str:
    """How sure the answer is, in words a reader can act on; "" where nothing is claimed.

    The steps are those of the built-in judge on questions of which two in five are written to mislead
    (`pullquote eval` prints its reliability); of the others, 98 of 100 answers above the upper step are right.
    """
    if answer.status == "not_found":
        is_sure = answer.confidence >= 0.95
        return _("Quite sure it is not there") if is_sure else _("It may be there in other words")
    if answer.status in ("overview", "guidance"):
        return ""
    if answer.confidence >= LIKELY:
        return _("Very likely right")
    return _("Probably right") if answer.confidence >= UNSURE else _("Unsure: check the quote")


def lead(answer: Answer, _: Messages = ENGLISH) -> str:
    """What is said before the quotes: the refusal, the guidance, or whose words follow; "" where the points say it."""
    if answer.status == "not_found":
        return _(NOT_FOUND)
    if answer.differ or answer.status in LEADS:
        return _(DIFFER if answer.differ else LEADS[answer.status])
    return "" if answer.points else _.said(answer.text, SAID)


def worded_by(answer: Answer, _: Messages = ENGLISH) -> str:
    """Whose words the answer is in, where they are not the article's; else ""."""
    return _("Worded by {model}, checked against the quotes", model=answer.worded_by) if answer.worded_by else ""


def further_quotes(answer: Answer) -> tuple[Quote, ...]:
    """The quotes that no point stands on: places where the answer may be as well."""
    cited = {number for point in answer.points for number in point.citations}
    return tuple(quote for quote in answer.quotes if answer.points and quote.number not in cited)


def quote_place(quote: Quote, _: Messages = ENGLISH) -> str:
    """Where the quote stands: title, heading if any, and page, or paragraph where there are no pages."""
    paragraph = _("paragraph {number}", number=quote.paragraph)
    place = _("page {number}", number=quote.page) if quote.page else paragraph
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


def to_text(answer: Answer) -> tuple[str, dict[int, int]]:
    """The answer as plain text with numbered quotes, and where in it the text of each quote, by its number, begins."""
    text, starts, further = "", dict[int, int](), further_quotes(answer)

    def add(block: str) -> None:
        nonlocal text
        text += f"\n\n{block}" if text else block

    if answer.read_as:
        add(READ_AS.format(question=answer.read_as))
    if opening := lead(answer):
        add(opening)
    for point in answer.points:
        if answer.worded_by or not is_shown(point, answer):
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
        add(f"{CLOSEST}\n“{answer.closest.text}”\n{quote_place(answer.closest)}")
    if words := confidence_words(answer):
        add(words)
    return text, starts


def is_shown(point: Point, answer: Answer) -> bool:
    """Whether the point is shown already: worded, or a whole sentence, in its quote."""
    if answer.worded_by and point.text:
        return True
    cited = [quote.text for quote in answer.quotes if quote.number in point.citations]
    return not point.question and any(point.text in text and 2 * len(point.text) > len(text) for text in cited)
