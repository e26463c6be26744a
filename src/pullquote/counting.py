"""Counts of answers by day, without what was asked: how many of each status, and how long the stages took.

Seconds are counted in buckets that grow by a constant factor, so that any quantile of any period has the same relative
accuracy: a DDSketch (Masson, Rim & Lee, 2019).
"""

import math
import uuid
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from pullquote.database import Database
from pullquote.datatypes import Answer
from pullquote.library import FILE_NAME, Library
from pullquote.shared_library import AnyLibrary, SharedLibrary
from pullquote.shared_library import Records as KeptRecords

ACCURACY = 0.05  # of a quantile, relative
GROWTH = (1 + ACCURACY) / (1 - ACCURACY)  # from a bucket to the next; stays as it is, for the numbers in the file do
MIN_SECONDS = 1e-6
KEPT_DAYS = 400

Heard = tuple[date, Answer]  # an answer, and the day in UTC on which it was given
Asked = Counter[tuple[str, str]]  # day and status
Took = Counter[tuple[str, str, int]]  # day, stage and bucket
Buckets = dict[int, int]  # number of a bucket → how many durations fell into it


class Counts:
    """The counts of one library. Safe to share between threads; several processes may count."""

    def __init__(self, library: AnyLibrary) -> None:
        self._kept = _Records(library.records) if isinstance(library, SharedLibrary) else _Table(library)

    def add(self, heard: Iterable[Heard]) -> None:
        """Count these answers. Raises `LibraryError`."""
        asked: Counter[tuple[str, str]] = Counter()
        took: Counter[tuple[str, str, int]] = Counter()
        for day, answer in heard:
            asked[f"{day}", answer.status] += 1
            took.update((f"{day}", stage, bucket_of(taken)) for stage, taken in answer.seconds.items() if taken > 0)
        self._kept.add(asked, took, today() - timedelta(KEPT_DAYS))

    def asked(self, since: date) -> dict[str, dict[str, int]]:
        """Day → status → answers, from this day on; days without any are left out."""
        found: dict[str, dict[str, int]] = {}
        for day, status, count in self._kept.asked(since):
            found.setdefault(day, {})[status] = count
        return found

    def took(self, since: date) -> dict[str, Buckets]:
        """Stage → durations from this day on, for `quantile`."""
        found: dict[str, Buckets] = {}
        for stage, bucket, count in self._kept.took(since):
            found.setdefault(stage, {})[bucket] = count
        return found

    def close(self) -> None:
        """Close every thread's connection."""
        self._kept.close()


class _Table:
    """Counts in a folder's library."""

    def __init__(self, library: Library) -> None:
        self._database = Database(library.folder / FILE_NAME)

    def add(self, asked: Asked, took: Took, oldest: date) -> None:
        more = "DO UPDATE SET count = count + excluded.count"
        with self._database.transaction() as db:
            rows = [(*key, count) for key, count in asked.items()]
            db.executemany(f"INSERT INTO asked VALUES (?, ?, ?) ON CONFLICT {more}", rows)
            times = [(*key, count) for key, count in took.items()]
            db.executemany(f"INSERT INTO took VALUES (?, ?, ?, ?) ON CONFLICT {more}", times)
            for table in ("asked", "took"):
                db.execute(f"DELETE FROM {table} WHERE day < ?", [f"{oldest}"])

    def asked(self, since: date) -> Iterable[tuple[str, str, int]]:
        query = "SELECT day, status, count FROM asked WHERE day >= ? ORDER BY day"
        return self._database.connection.execute(query, [f"{since}"])

    def took(self, since: date) -> Iterable[tuple[str, int, int]]:
        query = "SELECT stage, bucket, sum(count) FROM took WHERE day >= ? GROUP BY stage, bucket ORDER BY bucket"
        return self._database.connection.execute(query, [f"{since}"])

    def close(self) -> None:
        self._database.close()


class _Records:
    """Counts in a library on a server, which cannot add: each process keeps its own of each day, to be summed up."""

    def __init__(self, records: KeptRecords) -> None:
        self._records = records
        self._process = uuid.uuid4().hex
        self._asked: Asked = Counter()
        self._took: Took = Counter()

    def add(self, asked: Asked, took: Took, oldest: date) -> None:
        self._asked += asked
        self._took += took
        for day in {key[0] for key in asked}:
            row = {
                "asked": [[*key, count] for key, count in self._asked.items() if key[0] == day],
                "took": [[*key, count] for key, count in self._took.items() if key[0] == day],
            }
            self._records.put("counts", f"{self._process}/{day}", row, date.fromisoformat(day).toordinal())
        self._records.remove_before("counts", oldest.toordinal())

    def asked(self, since: date) -> Iterable[tuple[str, str, int]]:
        found: Asked = Counter()
        for row in self._records.all("counts"):
            found.update({(day, status): count for day, status, count in row["asked"] if day >= f"{since}"})
        return [(*key, count) for key, count in sorted(found.items())]

    def took(self, since: date) -> Iterable[tuple[str, int, int]]:
        found: Counter[tuple[str, int]] = Counter()
        for row in self._records.all("counts"):
            for day, stage, bucket, count in row["took"]:
                found[stage, bucket] += count if day >= f"{since}" else 0
        return [(*key, count) for key, count in sorted(found.items()) if count]

    def close(self) -> None:
        """The connection is the library's."""


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
