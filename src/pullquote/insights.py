"""What an operator is told of the last days: questions by day and outcome, seconds by stage, thumbs."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from pullquote.counting import Buckets, Counts, quantile, today
from pullquote.feedback import Feedback

QUOTING = ("answered", "overview", "related")  # statuses of answers with quotes
STAGES = ("retrieve", "read", "word", "total")


@dataclass(frozen=True, slots=True)
class Day:
    """A day in UTC: questions by what came of them, and thumbs. `other`: nothing was asked, it was said what can be."""

    day: str
    answered: int
    refused: int
    other: int
    up: int
    down: int


@dataclass(frozen=True, slots=True)
class Seconds:
    """How long a stage took those questions that came to it: quantiles, each within 5 %."""

    stage: str
    count: int
    median: float
    p95: float


@dataclass(frozen=True, slots=True)
class Insights:
    """The last days, today the last of them, and all of them together.

    `refusal_rate` is the share of refusals among what was asked, from 0 to 1; None where nothing was.
    """

    days: tuple[Day, ...]
    answered: int
    refused: int
    other: int
    refusal_rate: float | None
    up: int
    down: int
    seconds: tuple[Seconds, ...]


def gather(counts: Counts, feedback: Feedback, days: int) -> Insights:
    """The numbers of so many days."""
    since = today() - timedelta(days - 1)
    asked, thumbs = counts.asked(since), feedback.thumbs(f"{since}")
    names = [f"{since + timedelta(number)}" for number in range(days)]
    rows = tuple(_day(name, asked.get(name, {}), thumbs.get(name, {})) for name in names)
    total: Counter[str] = Counter()
    for row in rows:
        total.update(answered=row.answered, refused=row.refused, other=row.other, up=row.up, down=row.down)
    took = counts.took(since)
    seconds = tuple(_seconds(stage, took[stage]) for stage in STAGES if stage in took)
    return Insights(days=rows, **total, refusal_rate=rate(total["answered"], total["refused"]), seconds=seconds)


def rate(answered: int, refused: int) -> float | None:
    """The share of refusals, from 0 to 1; None where nothing was asked."""
    asked = answered + refused
    return round(refused / asked, 4) if asked else None


def ceiling(number: int) -> int:
    """The top of an axis for numbers up to this one: 1, 2 or 5 times a power of ten."""
    tops = (factor * int(10.0**power) for power in range(12) for factor in (1, 2, 5))
    return next(top for top in tops if top >= number)


def _day(name: str, asked: Mapping[str, int], thumbs: Mapping[str, int]) -> Day:
    answered = sum(asked.get(status, 0) for status in QUOTING)
    refused = asked.get("not_found", 0)
    other = sum(asked.values()) - answered - refused
    return Day(name, answered, refused, other, thumbs.get("up", 0), thumbs.get("down", 0))


def _seconds(stage: str, buckets: Buckets) -> Seconds:
    median, p95 = (round(quantile(buckets, share), 4) for share in (0.5, 0.95))
    return Seconds(stage, sum(buckets.values()), median, p95)
