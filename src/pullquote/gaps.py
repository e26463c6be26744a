"""The gap report: refused questions that mean the same, how often they were asked, and what came closest.

A file of questions is drafted from it for `pullquote eval`, and a table as CSV.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pullquote import suggesting
from pullquote.caching import Cache
from pullquote.clustering import Vectors, clusters, medoid
from pullquote.datatypes import Quote
from pullquote.embedding import Encoder
from pullquote.errors import UnknownArticle
from pullquote.refused import Refused, RefusedQuestions
from pullquote.shared_library import AnyLibrary

DISTANCE = 0.5  # between clusters: adjusted Rand index 0.88 and 0.74 on the two sets of questions it was chosen on
MOST = 1_000  # different questions that are grouped, the most frequent: 4 ms each are spent on their meaning
BATCH = 8  # questions encoded at once, alike in length: 40 % less time than one by one
MADE = 3  # questions made by rule for an article, so that a draft holds some that have an answer
COLUMNS = ("gap", "representative", "question", "times", "last", "article", "article id", "closest passage")
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # what makes a spreadsheet compute a cell


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it was asked, how often, and the last day."""

    question: str
    count: int
    last: str


@dataclass(frozen=True, slots=True)
class Gap:
    """Questions that mean the same, the most frequent first, and all of them in one: the one closest to the others.

    `closest` is the sentence that came closest to it, where its article is still as it was.
    """

    question: str
    count: int
    last: str
    questions: tuple[Asked, ...]
    closest: Quote | None


@dataclass(frozen=True, slots=True)
class Gaps:
    """The gaps of the last `days` days, the most frequent first; with 0 days nothing is kept.

    `ungrouped` counts the different questions that were left out, because others were more frequent.
    """

    days: int
    gaps: tuple[Gap, ...]
    ungrouped: int


class GapFinder:
    """Finds the gaps of one library. Safe to share between threads."""

    def __init__(self, library: AnyLibrary, refused: RefusedQuestions, encoder: Encoder) -> None:
        self._library, self._refused, self._encoder = library, refused, encoder
        self._vectors = Cache[Vectors](MOST)

    def find(self) -> Gaps:
        """The gaps of what is kept now."""
        known = self._refused.all()
        kept = known[:MOST]
        vectors = self._encode([one.question for one in kept])
        found = (self._gap([kept[row] for row in rows], vectors[rows]) for rows in clusters(vectors, DISTANCE))
        by_count = sorted(found, key=lambda gap: (-gap.count, gap.question))
        return Gaps(self._refused.days, tuple(by_count), len(known) - len(kept))

    def _gap(self, members: Sequence[Refused], vectors: Vectors) -> Gap:
        counts = [one.count for one in members]
        chosen = members[medoid(vectors, counts)]
        asked = tuple(Asked(one.question, one.count, one.last) for one in members)
        return Gap(chosen.question, sum(counts), max(one.last for one in members), asked, self._closest(chosen))

    def _closest(self, one: Refused) -> Quote | None:
        try:
            article = self._library.article(one.article_id)
        except UnknownArticle:  # removed since, or nothing was close
            return None
        span = (one.start, one.end)
        return Quote.cut(1, article, span, span) if article.sha256 == one.article_sha256 else None

    def _encode(self, questions: Sequence[str]) -> Vectors:
        """A row for each question; those of the last time are known."""
        known = {question: self._vectors.get(question) for question in questions}
        new = sorted((question for question, vector in known.items() if vector is None), key=len)
        for first in range(0, len(new), BATCH):
            batch = new[first : first + BATCH]
            for question, vector in zip(batch, self._encoder.encode(batch), strict=True):
                known[question] = vector
                self._vectors.put(question, vector)
        return np.array([known[question] for question in questions], dtype=np.float32)


def to_csv(gaps: Gaps) -> str:
    """A row for each question, under a row of names; no cell is a formula to a spreadsheet."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(COLUMNS)
    for number, gap in enumerate(gaps.gaps, start=1):
        near = gap.closest
        place = (near.article_title, near.article_id, near.text) if near else ("", "", "")
        for one in gap.questions:
            row = (number, gap.question, one.question, one.count, one.last, *place)
            writer.writerow([_inert(str(cell)) for cell in row])
    return text.getvalue()


def draft(library: AnyLibrary, gaps: Gaps) -> dict[str, Any]:
    """A file of questions as `evaluating.load` reads it, to be corrected by hand: each gap as one without an answer.

    `asked` are its other wordings. With them are questions made by rule of the same articles, which have answers. A
    gap whose article is not known stands under `to_complete`, which is not read.
    """
    known = [article for article, _ in library.articles()]
    only = known[0] if len(known) == 1 else None
    questions: list[dict[str, Any]] = []
    to_complete: list[dict[str, Any]] = []
    for number, gap in enumerate(gaps.gaps, start=1):
        article_id = gap.closest.article_id if gap.closest else only.id if only else None
        row = {
            "id": f"gap-{number}",
            "article": article_id,
            "question": gap.question,
            "kind": "absent",
            "answers": [],
            "checked": False,
            "count": gap.count,
            "asked": [one.question for one in gap.questions if one.question != gap.question],
        }
        (questions if article_id else to_complete).append(row)
    used = {row["article"] for row in questions}
    made = suggesting.draft((article for article in known if article.id in used), MADE)
    return {
        "articles": made["articles"],
        "questions": [*questions, *made["questions"]],
        "to_complete": to_complete,
    }


def _inert(cell: str) -> str:
    """The cell as text: a spreadsheet shows what follows an apostrophe as it is (OWASP, CSV injection)."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell
