"""What an evaluation measures, each measure by its published definition. Pure functions, shares from 0 to 1.

A *confidence* is the estimated chance that an answer, or a refusal, is right; *right* says whether it was.
"""

import re
import string
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pullquote.answering import Trace
from pullquote.datatypes import Answer

BINS = 10  # of a reliability diagram, of equal width

Stage = Literal["retrieval", "reading", "judging"]


@dataclass(frozen=True, slots=True)
class Bin:
    """The answers whose confidence is above `low` and at most `high`; 0 itself is in the first bin.

    `confidence` is their mean confidence, `right` the share of them that was right; both 0 in an empty bin.
    """

    low: float
    high: float
    count: int
    confidence: float
    right: float


def plain(text: str) -> str:
    """SQuAD's normalisation: lower case, no punctuation, no a/an/the, single blanks (Rajpurkar et al. 2016)."""
    text = "".join(char for char in text.lower() if char not in string.punctuation)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def holds(text: str, golds: Sequence[str]) -> bool:
    """Whether one of the gold answers stands in the text, both after `plain`."""
    return any(plain(gold) in plain(text) for gold in golds if plain(gold))


def exact_match(said: str, golds: Sequence[str]) -> float:
    """SQuAD's EM: 1.0 when it is one of the gold answers, both after `plain` (Rajpurkar et al. 2016)."""
    return float(any(plain(said) == plain(gold) for gold in golds))


def f1(said: str, golds: Sequence[str]) -> float:
    """SQuAD's F1: harmonic mean of precision and recall of words, against the best gold (Rajpurkar et al. 2016)."""
    return max((_overlap(plain(said).split(), plain(gold).split()) for gold in golds), default=0.0)


def short_answer(answer: Answer) -> str:
    """The words scored by EM and F1: those highlighted in the first quote; "" for a refusal."""
    if not answer.quotes:
        return ""
    quote = answer.quotes[0]
    return quote.text[quote.highlight[0] - quote.start : quote.highlight[1] - quote.start]


def said(answer: Answer) -> str:
    """What the answer says, without its quotes: its points, in the article's words or in a model's; "" for none."""
    return " ".join(point.text for point in answer.points)


def is_refusal(answer: Answer) -> bool:
    """Whether nothing of an article is offered as an answer: `not_found` or `guidance`."""
    return answer.status in ("not_found", "guidance")


def lost_at(trace: Trace, golds: Sequence[str]) -> Stage | None:
    """Where the gold answer was lost. None when it was not, or there is none.

    Not lost: a quote on which the answer stands holds it (those its points cite; without points, the first).
    "retrieval": no passage that was retrieved, for any reading of the question, holds it; nor is there any where
    nothing was searched for (guidance, overview). "judging": the likeliest sentence of a reading holds it and was
    refused. "reading": a passage holds it, but its sentence was not read, or another was found likelier; also when
    it is in no single sentence.
    """
    if not golds or any(holds(text, golds) for text in _stood_on(trace.answer)):
        return None
    if not any(holds(passage.text, golds) for reading in trace.readings for passage in reading.passages):
        return "retrieval"
    likeliest = [reading.verdicts[0].span for reading in trace.readings if reading.verdicts]
    sentences = [span.passage.article.text[slice(*span.sentence)] for span in likeliest]
    return "judging" if any(holds(sentence, golds) for sentence in sentences) else "reading"


def gold_rank(trace: Trace, golds: Sequence[str], paragraph: tuple[int, int] | None = None) -> int | None:
    """Rank, from 1, of the first retrieved passage that holds a gold answer; None when none does.

    With the gold paragraph's span, only the part of a passage that lies in that paragraph counts, so that the same
    words elsewhere are no hit. Of several readings of a question, the best rank.
    """
    ranks = [
        rank
        for reading in trace.readings
        for rank, passage in enumerate(reading.passages, start=1)
        if holds(_within(passage.article.text, (passage.chunk.start, passage.chunk.end), paragraph), golds)
    ]
    return min(ranks, default=None)


def hits(ranks: Sequence[int | None], depth: int) -> list[bool]:
    """Which of the ranks are among the first k; their mean is recall@k, or top-k accuracy (Karpukhin et al. 2020)."""
    return [rank is not None and rank <= depth for rank in ranks]


def reciprocal_ranks(ranks: Sequence[int | None]) -> list[float]:
    """1/rank of each question's first hit, 0 without one; their mean is MRR (Voorhees 1999, TREC-8)."""
    return [1 / rank if rank else 0.0 for rank in ranks]


def risk_coverage(confidences: Sequence[float], right: Sequence[bool]) -> list[tuple[float, float]]:
    """The risk–coverage curve: (k/n, share of wrong ones among the k most confident) for k = 1 … n.

    El-Yaniv & Wiener 2010; Geifman & El-Yaniv 2017. Equal confidences come in no order: each of them counts as wrong
    by the share of wrong ones among them, the mean over all orders.
    """
    _, group, counts = np.unique(-np.asarray(confidences, dtype=float), return_inverse=True, return_counts=True)
    wrong = 1 - np.asarray(right, dtype=float)
    shares = np.repeat(np.bincount(group, weights=wrong) / counts, counts)
    taken = np.arange(1, len(wrong) + 1)
    risks = np.cumsum(shares) / taken
    return list(zip((taken / len(wrong)).tolist(), risks.tolist(), strict=True))


def area_under_risk(curve: Sequence[tuple[float, float]]) -> float:
    """AURC: the mean risk over all coverages of the curve; lower is better (Geifman, Uziel & El-Yaniv 2019)."""
    return sum(risk for _, risk in curve) / len(curve)


def reliability(confidences: Sequence[float], right: Sequence[bool]) -> list[Bin]:
    """The reliability diagram: ten bins of equal width (DeGroot & Fienberg 1983; Guo et al. 2017)."""
    edges = np.linspace(0, 1, BINS + 1)
    values = np.asarray(confidences, dtype=float)
    place = np.searchsorted(edges[1:-1], values, side="left")
    return [
        Bin(
            low=low,
            high=high,
            count=int((place == number).sum()),
            confidence=_mean(values[place == number]),
            right=_mean(np.asarray(right, dtype=float)[place == number]),
        )
        for number, (low, high) in enumerate(pairwise(edges.tolist()))
    ]


def calibration_error(bins: Sequence[Bin]) -> float:
    """ECE: mean distance of confidence and share right over the bins, each weighted by its count (Guo et al. 2017)."""
    return sum(one.count * abs(one.confidence - one.right) for one in bins) / sum(one.count for one in bins)


def area_under_roc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """AUC: the chance that a positive's value is above a negative's, ties counting half (Hanley & McNeil 1982)."""
    above = np.asarray(positive)[:, None] - np.asarray(negative)[None, :]
    return float(np.mean(np.where(above == 0, 0.5, above > 0)))


def standard_error(values: Sequence[float]) -> float:
    """Of the values' mean: √(variance / n), which for a share p is √(p (1 − p) / n)."""
    return float(np.std(values) / np.sqrt(len(values)))


def _overlap(said: list[str], wanted: list[str]) -> float:
    shared = sum((Counter(said) & Counter(wanted)).values())
    return 2 * shared / (len(said) + len(wanted)) if shared else float(said == wanted)


def _stood_on(answer: Answer) -> list[str]:
    cited = {number for point in answer.points for number in point.citations} or {1}
    return [quote.text for quote in answer.quotes if quote.number in cited]


def _within(text: str, span: tuple[int, int], paragraph: tuple[int, int] | None) -> str:
    first, last = paragraph or span
    return text[max(span[0], first) : min(span[1], last)]


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if len(values) else 0.0
