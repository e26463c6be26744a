"""What visitors thought of answers: kept in the library with the places of the quotes, given out as questions.

A file of questions is drafted from it for `pullquote eval`: what was helpful says what is right, what was not is left
for a person to complete.
"""

import json
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from pullquote.database import Database
from pullquote.datatypes import Article, Status
from pullquote.errors import FeedbackError, UnknownArticle
from pullquote.library import FILE_NAME, Library
from pullquote.shared_library import AnyLibrary, Records, SharedLibrary
from pullquote.visibility import seen_by

KEPT = 100_000  # the oldest go when there are more
KINDS = {"answered": "answerable", "related": "answerable", "overview": "overview", "not_found": "absent"}

COLUMNS = "at, verdict, reason, question, after, status, places"

Verdict = Literal["up", "down"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a quote stood: article, version, and offsets of the quote and of the words marked in it."""

    article_id: str
    article_sha256: str
    start: int
    end: int
    highlight: tuple[int, int]

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.highlight[0] < self.highlight[1] <= self.end:
            raise FeedbackError("a quote's offsets are in order: start, the highlight inside it, end")


@dataclass(frozen=True, slots=True)
class Opinion:
    """What somebody thought of an answer, after the questions `after`; `places` are its quotes', or the closest's."""

    verdict: Verdict
    question: str
    status: Status
    places: tuple[Place, ...] = ()
    after: tuple[str, ...] = ()
    reason: str = ""
    at: str = ""  # ISO 8601 in UTC, of when it was kept


class Feedback:
    """The opinions of one library. Safe to share between threads."""

    def __init__(self, library: AnyLibrary) -> None:
        self._library = library
        self._kept = _Records(library.records) if isinstance(library, SharedLibrary) else _Table(library)

    def keep(self, opinion: Opinion, groups: frozenset[str] | None = None) -> None:
        """Keep an opinion of somebody who sees what is shown to these groups; with None, all.

        Raises `UnknownArticle`, also for one that is not shown, and `FeedbackError` for a quote that its article cannot
        have.
        """
        seen = seen_by(self._library, groups)
        for place in opinion.places:
            article = seen.article(place.article_id)
            if place.article_sha256 == article.sha256 and place.end > len(article.text):
                raise FeedbackError(f"the article {article.id} has {len(article.text):,} characters, not {place.end:,}")
        now = datetime.now(UTC).isoformat(timespec="seconds")
        places = json.dumps([asdict(place) for place in opinion.places])
        row = [
            now,
            opinion.verdict,
            opinion.reason,
            opinion.question,
            json.dumps(opinion.after),
            opinion.status,
            places,
        ]
        self._kept.put(row)

    def all(self) -> list[Opinion]:
        """Every opinion, oldest first."""
        rows = self._kept.all()
        return [
            Opinion(
                verdict, question, status, tuple(map(_place, json.loads(places))), tuple(json.loads(after)), why, at
            )
            for at, verdict, why, question, after, status, places in rows
        ]

    def thumbs(self, since: str) -> dict[str, dict[str, int]]:
        """Day → verdict → opinions, from this day in UTC on."""
        found: dict[str, dict[str, int]] = {}
        for day, verdict, count in self._kept.thumbs(since):
            found.setdefault(day, {})[verdict] = count
        return found

    def copy_to(self, other: "Feedback") -> None:
        """Let these be opinions of another library too."""
        for row in self._kept.all():
            other._kept.put(row)

    def close(self) -> None:
        """Close every thread's connection."""
        self._kept.close()


class _Table:
    """Opinions in a folder's library, the last `KEPT` of them."""

    def __init__(self, library: Library) -> None:
        self._database = Database(library.folder / FILE_NAME)

    def put(self, row: list[str]) -> None:
        with self._database.transaction() as db:
            db.execute(f"INSERT INTO feedback ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)", row)
            db.execute("DELETE FROM feedback WHERE id <= (SELECT max(id) FROM feedback) - ?", [KEPT])

    def all(self) -> list[Any]:
        return self._database.connection.execute(f"SELECT {COLUMNS} FROM feedback ORDER BY id").fetchall()

    def thumbs(self, since: str) -> list[tuple[str, str, int]]:
        query = "SELECT substr(at, 1, 10) AS day, verdict, count(*) FROM feedback WHERE at >= ? GROUP BY day, verdict"
        return self._database.connection.execute(query, [since]).fetchall()

    def close(self) -> None:
        self._database.close()


class _Records:
    """Opinions in a library on a server, all of them."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def put(self, row: list[str]) -> None:
        self._records.put("feedback", uuid.uuid4().hex, row, time.time_ns())

    def all(self) -> list[Any]:
        return self._records.all("feedback")

    def thumbs(self, since: str) -> list[tuple[str, str, int]]:
        counts = Counter((row[0][:10], row[1]) for row in self.all() if row[0] >= since)
        return [(*key, count) for key, count in sorted(counts.items())]

    def close(self) -> None:
        """The connection is the library's."""


def draft(library: AnyLibrary, opinions: list[Opinion]) -> dict[str, Any]:
    """A file of questions as `evaluating.load` reads it: of each question, the last opinion counts.

    `to_complete`, which is not read, holds what says nothing of the right answer: to be given one by hand, and moved.
    """
    last = {(opinion.question, opinion.after): opinion for opinion in opinions}.values()
    articles: dict[str, Article] = {}
    questions: list[dict[str, Any]] = []
    to_complete: list[dict[str, Any]] = []
    for number, opinion in enumerate(last, start=1):
        found = _articles(library, opinion)
        articles |= {article.id: article for article in found}
        row = {
            "id": f"feedback-{number}",
            "article": found[0].id if found else None,
            "question": opinion.question,
            "kind": KINDS.get(opinion.status, "absent"),
            "answers": list(_said(opinion, articles)),
            "after": list(opinion.after),
            "checked": False,
            "verdict": opinion.verdict,
            "reason": opinion.reason,
        }
        needs_words = row["kind"] == "answerable" and not row["answers"]
        is_whole = found and opinion.verdict == "up" and not needs_words and opinion.status != "guidance"
        (questions if is_whole else to_complete).append(row)
    rows = [{"id": article.id, "title": article.title, "text": article.text} for article in articles.values()]
    return {"articles": rows, "questions": questions, "to_complete": to_complete}


def _articles(library: AnyLibrary, opinion: Opinion) -> list[Article]:
    """The articles that were quoted, as they are now; the only one where nothing was."""
    found = []
    for place in opinion.places:
        try:
            found.append(library.article(place.article_id))
        except UnknownArticle:  # removed since
            continue
    everything = [article for article, _ in library.articles()] if not opinion.places else []
    return found or (everything if len(everything) == 1 else [])


def _said(opinion: Opinion, articles: dict[str, Article]) -> Iterator[str]:
    """The words that were marked, of the versions that there still are."""
    if KINDS.get(opinion.status) != "answerable":
        return
    for place in opinion.places:
        article = articles.get(place.article_id)
        if article and article.sha256 == place.article_sha256:
            yield article.text[slice(*place.highlight)]


def _place(row: dict[str, Any]) -> Place:
    return Place(**row | {"highlight": tuple(row["highlight"])})
