"""The nouns. Each is frozen and refuses a bad self when it is made; after that nobody checks again.

Offsets are Python code points into `Article.text`, end exclusive.
"""

import hashlib
import re
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

Status = Literal["answered", "overview", "related", "not_found", "guidance"]

_HEADING_MARKS = re.compile(r"^#{1,6}(?=\s|$)|(?<=\s)#+\s*$|\n\s*[=-]+\s*$")


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading line of an article: where it stands and its level (1 is the highest)."""

    start: int
    end: int
    level: int


@dataclass(frozen=True)
class Article:
    """A text and its provenance. `text` is what quotes are literal to; it never changes under its `sha256`.

    `source` is a file path, a URL, or "pasted"; `added_at` is ISO 8601 in UTC; `pages` are the starts of its pages.
    """

    id: str
    title: str
    text: str
    source: str
    added_at: str
    headings: tuple[Heading, ...] = ()
    pages: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not (self.id and self.title.strip() and self.text.strip()):
            raise ValueError("an article has an id, a title and a text")
        ends = [offset for heading in self.headings for offset in (heading.start, heading.end)]
        if ends != sorted(ends) or (ends and not 0 <= ends[0] <= ends[-1] <= len(self.text)):
            raise ValueError("headings stand in order inside the text")
        if self.pages and [0, *self.pages[1:], len(self.text)] != sorted([*self.pages, len(self.text)]):
            raise ValueError("pages begin in order inside the text, the first at its start")

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the stored text in UTF-8, as hexadecimal."""
        return hashlib.sha256(self.text.encode("utf-8")).hexdigest()

    @cached_property
    def paragraphs(self) -> tuple[tuple[int, int], ...]:
        """Spans of the runs of lines between blank lines, in order; a heading is one of its own."""
        starts, ends = {heading.start for heading in self.headings}, {heading.end for heading in self.headings}
        spans: list[tuple[int, int]] = []
        for first, last in (line.span() for line in re.finditer(r"\S(?:[^\n]*\S)?", self.text)):
            if not spans or self.text.count("\n", spans[-1][1], first) > 1 or first in starts or spans[-1][1] in ends:
                spans.append((first, last))
            else:
                spans[-1] = (spans[-1][0], last)
        return tuple(spans)

    def paragraph_at(self, offset: int) -> int:
        """Number, from 1, of the last paragraph that starts at or before `offset`."""
        return max(1, sum(start <= offset for start, _ in self.paragraphs))

    def page_at(self, offset: int) -> int | None:
        """Number, from 1, of the page that `offset` stands on; None for a text without pages."""
        return bisect_right(self.pages, offset) if self.pages else None

    def heading_at(self, offset: int) -> str | None:
        """Words of the heading that `offset` stands under; None before the first and under the title."""
        above = [heading for heading in self.headings if heading.end <= offset]
        words = heading_words(self.text[above[-1].start : above[-1].end]) if above else ""
        return words if words and words != self.title else None


def heading_words(heading: str) -> str:
    """A heading's words on one line, without Markdown's marks: `# …` before, ` #` after, a line of `===` under it."""
    return " ".join(_HEADING_MARKS.sub("", heading).split())


@dataclass(frozen=True, slots=True)
class Chunk:
    """A run of whole sentences, the unit of retrieval: `position` counts the chunks of its article from 0."""

    article_id: str
    start: int
    end: int
    position: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise ValueError("a chunk is not empty")


@dataclass(frozen=True, slots=True)
class Passage:
    """A retrieved chunk in its article, with the spans of its sentences (headings left out) in article offsets.

    Scores: cosine; BM25, 0 when no word matched; the two fused. `ranks` are its places by the first two, from 1.
    """

    chunk: Chunk
    article: Article
    sentences: tuple[tuple[int, int], ...]
    dense: float
    lexical: float
    fused: float
    ranks: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        if self.chunk.article_id != self.article.id or self.chunk.end > len(self.article.text):
            raise ValueError("a passage is a chunk of its article")
        if not self.sentences or self.sentences[0][0] < self.chunk.start or self.sentences[-1][1] > self.chunk.end:
            raise ValueError("a passage has sentences, and they lie inside it")

    @property
    def text(self) -> str:
        return self.article.text[self.chunk.start : self.chunk.end]


@dataclass(frozen=True, slots=True)
class Span:
    """What a reader marked in one sentence of a passage: article offsets, and logits above the null answer's.

    `score` is the best span's; `evidence` the whole sentence's, all its spans together; `null` the null answer's own.
    """

    passage: Passage
    sentence: tuple[int, int]
    start: int
    end: int
    score: float
    evidence: float
    null: float = 0.0

    def __post_init__(self) -> None:
        if not self.sentence[0] <= self.start < self.end <= self.sentence[1]:
            raise ValueError("a span lies inside its sentence")

    @property
    def text(self) -> str:
        return self.passage.article.text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Quote:
    """A slice of an article, `article.text[start:end] == text`. `highlight` is the answer inside it."""

    number: int
    article_id: str
    article_title: str
    article_date: str
    text: str
    start: int
    end: int
    highlight: tuple[int, int]
    paragraph: int
    page: int | None
    heading: str | None
    source_url: str | None
    article_sha256: str

    def __post_init__(self) -> None:
        if self.number < 1 or not self.text or len(self.text) != self.end - self.start:
            raise ValueError("a quote is numbered from 1 and as long as its span")
        if not self.start <= self.highlight[0] < self.highlight[1] <= self.end:
            raise ValueError("the highlight lies inside its quote")

    @classmethod
    def cut(cls, number: int, article: Article, span: tuple[int, int], highlight: tuple[int, int]) -> "Quote":
        """The quote `article.text[span[0]:span[1]]`, with `highlight` in article offsets."""
        start, end = span
        return cls(
            number=number,
            article_id=article.id,
            article_title=article.title,
            article_date=article.added_at[:10],
            text=article.text[start:end],
            start=start,
            end=end,
            highlight=highlight,
            paragraph=article.paragraph_at(start),
            page=article.page_at(start),
            heading=article.heading_at(start),
            source_url=article.source if article.source.startswith(("http://", "https://")) else None,
            article_sha256=article.sha256,
        )

    def is_literal(self, article: Article) -> bool:
        """Whether this quote is still the slice of `article` that it says it is."""
        return self.article_sha256 == article.sha256 and article.text[self.start : self.end] == self.text


@dataclass(frozen=True, slots=True)
class Point:
    """One thing an answer says, in the article's words, with the numbers of the quotes that say it.

    `question` is the part of a compound question that it answers; one without an answer has no text.
    """

    text: str
    citations: tuple[int, ...]
    question: str | None = None

    def __post_init__(self) -> None:
        if bool(self.text) != bool(self.citations):
            raise ValueError("what a point says is cited")


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer for every surface.

    `answered`: `points` say it, `text` is all of them. `overview`, `related`: quotes only. `not_found`: `closest` is
    the nearest sentence. `guidance`: nothing was asked, `text` says what can be. `read_as`: the question as
    understood, a follow-up or misspelt; `differ`: two articles disagree; `worded_by`: the model whose words the points
    are. `confidence`: the estimated chance that this is right. `seconds`: "retrieve", "read", "word" and "total".
    """

    question: str
    status: Status
    text: str
    confidence: float
    quotes: tuple[Quote, ...] = ()
    points: tuple[Point, ...] = ()
    closest: Quote | None = None
    read_as: str | None = None
    differ: bool = False
    worded_by: str | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0.0 <= self.confidence <= 1.0:
            raise ValueError("confidence is between 0 and 1")
        if (self.status in ("not_found", "guidance")) == bool(self.quotes):
            raise ValueError("an answer has quotes, a refusal and guidance have none")
        if [quote.number for quote in self.quotes] != list(range(1, len(self.quotes) + 1)):
            raise ValueError("quotes are numbered 1, 2, 3")
        if (self.status == "answered") != bool(self.points):
            raise ValueError("an answer is made of points")
        if {number for point in self.points for number in point.citations} - {quote.number for quote in self.quotes}:
            raise ValueError("a point cites quotes of its answer")
