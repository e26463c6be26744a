"""Refused questions, kept for some days where the operator wants that, and gone for good after them.

They are in a small file of their own beside the library's, so that what is deleted is overwritten at once, and no
export or backup of the library holds them.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from pullquote.counting import Heard, today
from pullquote.database import DELETED, Database
from pullquote.datatypes import Quote

FILE_NAME = "refused.sqlite"
KEPT = 10_000  # questions of a day count once each; the oldest go when there are more

_SCHEMA = """CREATE TABLE IF NOT EXISTS refused (
    id INTEGER PRIMARY KEY, day TEXT NOT NULL, question TEXT NOT NULL, count INTEGER NOT NULL,
    article_id TEXT NOT NULL, article_sha256 TEXT NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL,
    UNIQUE (day, question))"""
_PUT = """INSERT INTO refused (day, question, count, article_id, article_sha256, start, "end")
    VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count, article_id =
    excluded.article_id, article_sha256 = excluded.article_sha256, start = excluded.start, "end" = excluded."end\""""
_ALL = """SELECT question, sum(count), max(day), article_id, article_sha256, start, "end" FROM refused
    WHERE day > ? GROUP BY question ORDER BY sum(count) DESC, max(day) DESC, question"""
NOWHERE = ("", "", 0, 0)


@dataclass(frozen=True, slots=True)
class Refused:
    """A question that was refused `count` times, last on the day `last`, and the span that was closest then.

    `article_id` is "" where nothing was close.
    """

    question: str
    count: int
    last: str
    article_id: str
    article_sha256: str
    start: int
    end: int


class RefusedQuestions:
    """Those of one library's folder, of the last `days` days; with 0, none. Safe to share between threads."""

    def __init__(self, folder: Path, days: int) -> None:
        self.days = days
        self._path = folder / FILE_NAME
        self._database = Database(self._path)
        if self._is_used:
            folder.mkdir(parents=True, exist_ok=True)
            with self._database.transaction() as db:
                db.execute(_SCHEMA)

    def add(self, heard: Iterable[Heard]) -> None:
        """Keep those of these answers that are refusals. Raises `LibraryError`."""
        found = [
            ((f"{day}", answer.read_as or answer.question), _place(answer.closest))
            for day, answer in heard
            if answer.status == "not_found"
        ]
        if not found or not self.days:
            return
        counts, places = Counter(key for key, _ in found), dict(found)
        with self._database.transaction() as db:
            db.executemany(_PUT, [(*key, count, *places[key]) for key, count in counts.items()])
            gone = db.execute("DELETE FROM refused WHERE id <= (SELECT max(id) FROM refused) - ?", [KEPT]).rowcount
            if gone:
                db.execute(DELETED)
        self._database.forget()

    def all(self) -> list[Refused]:
        """All that is kept, the most frequent first, of them the latest."""
        if not self._is_used:
            return []
        return [Refused(*row) for row in self._database.connection.execute(_ALL, [f"{self._oldest}"])]

    def expire(self) -> None:
        """Delete for good what is older than the days. Raises `LibraryError`."""
        self._delete(self._oldest)

    def forget_all(self) -> None:
        """Delete for good all that is kept. Raises `LibraryError`."""
        self._delete(date.max)

    def close(self) -> None:
        """Close every thread's connection."""
        self._database.close()

    @property
    def _oldest(self) -> date:
        """The last day that is kept no more."""
        return today() - timedelta(self.days)

    @property
    def _is_used(self) -> bool:
        return self.days > 0 or self._path.exists()

    def _delete(self, until: date) -> None:
        if not self._is_used:
            return
        with self._database.transaction() as db:
            if db.execute("DELETE FROM refused WHERE day <= ?", [f"{until}"]).rowcount:
                db.execute(DELETED)
        self._database.forget()


def _place(closest: Quote | None) -> tuple[str, str, int, int]:
    return (closest.article_id, closest.article_sha256, closest.start, closest.end) if closest else NOWHERE
