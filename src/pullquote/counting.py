"""Counts of answers by day, without what was asked: how many of each status, and how long the stages took.

Seconds are counted in buckets that grow by a constant factor, so that any quantile of any period has the same relative
accuracy: a DDSketch (Masson, Rim & Lee, 2019).
"""

import math
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from pullquote.database import Database
from pullquote.datatypes import Answer
from pullquote.library import FILE_NAME, Library

ACCURACY = 0.05  # of a quantile, relative
GROWTH = (1 + ACCURACY) / (1 - ACCURACY)  # from a bucket to the next; stays as it is, for the numbers in the file do
MIN_SECONDS = 1e-6
KEPT_DAYS = 400

Heard = tuple[date, Answer]  # an answer, and the day in UTC on which it was given
Buckets = dict[int, int]  # number of a bucket → how many durations fell into it


class Counts:
    """The counts of one library. Safe to share between threads; several processes may count."""

    def __init__(self, library: Library) -> None:
        self._database = Database(library.folder / FILE_NAME)

    def add(self, heard: Iterable[Heard]) -> None:
        """Count these answers. Raises `LibraryError`."""
        asked: Counter[tuple[str, str]] = Counter()
        took: Counter[tuple[str, str, int]] = Counter()
        for day, answer in heard:
            asked[f"{day}", answer.status] += 1
            took.update((f"{day}", stage, bucket_of(taken)) for stage, taken in answer.seconds.items() if taken > 0)
        oldest = f"{today() - timedelta(KEPT_DAYS)}"
        more = "DO UPDATE SET count = count + excluded.count"
        with self._database.transaction() as db:
            rows = [(*key, count) for key, count in asked.items()]
            db.executemany(f"INSERT INTO asked VALUES (?, ?, ?) ON CONFLICT {more}", rows)
            times = [(*key, count) for key, count in took.items()]
            db.executemany(f"INSERT INTO took VALUES (?, ?, ?, ?) ON CONFLICT {more}", times)
            for table in ("asked", "took"):
                db.execute(f"DELETE FROM {table} WHERE day < ?", [oldest])

    def asked(self, since: date) -> dict[str, dict[str, int]]:
        """Day → status → answers, from this day on; days without any are left out."""
        found: dict[str, dict[str, int]] = {}
        query = "SELECT day, status, count FROM asked WHERE day >= ? ORDER BY day"
        for day, status, count in self._database.connection.execute(query, [f"{since}"]):
            found.setdefault(day, {})[status] = count
        return found

    def took(self, since: date) -> dict[str, Buckets]:
        """Stage → durations from this day on, for `quantile`."""
        found: dict[str, Buckets] = {}
        query = "SELECT stage, bucket, sum(count) FROM took WHERE day >= ? GROUP BY stage, bucket ORDER BY bucket"
        for stage, bucket, count in self._database.connection.execute(query, [f"{since}"]):
            found.setdefault(stage, {})[bucket] = count
        return found

    def close(self) -> None:
        """Close every thread's connection."""
        self._database.close()


def today() -> date:
    """The day in UTC."""
    return datetime.now(UTC).date()


def bucket_of(seconds: float) -> int:
    """The number of the bucket of a duration."""
    return math.ceil(math.log(max(seconds, MIN_SECONDS), GROWTH))


def quantile(buckets: Buckets, share: float) -> float:
    """The seconds that this share of the durations do not exceed, within `ACCURACY`; there is at least one duration."""
    rank = share * (sum(buckets.values()) - 1)
    below = 0
    for bucket, count in sorted(buckets.items()):
        below += count
        if below > rank:
            return 2 * float(GROWTH**bucket) / (GROWTH + 1)  # equally far, in relation, from both ends of the bucket
    raise ValueError("a quantile is of something")
