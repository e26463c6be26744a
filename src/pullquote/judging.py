"""From marked spans to a verdict: which sentence answers best, and how sure that is."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from pullquote.datatypes import Span

RELEVANCE = 5.0  # logits for a fused retrieval score of 1: a likely passage lends weight to its spans
NOT_A_NAME = 5.0  # logits taken from a lower-case answer to "who", where the reader fills in a role or a thing

THRESHOLD = -1.5  # score below which the article does not say; `pullquote eval` prints what it refuses by kind
SURE = 8.0  # score at which no further passage is read: none of them ever wins more than it loses
# Confidence is logistic in the score, fitted on 270 answerable and 135 absent questions (BENCHMARKS.md has the table).
SLOPE, INTERCEPT = 0.40, -1.10

_WHO = re.compile(r"\W*(?:\w+\W+)?who(?:m|se)?\b", re.IGNORECASE)  # also after one word: "And who", "By whom"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A span and its score: logits above the null answer's, with what else speaks for it."""

    span: Span
    score: float

    @property
    def confidence(self) -> float:
        """Estimated chance that the span answers the question."""
        return 1 / (1 + math.exp(-(SLOPE * self.score + INTERCEPT)))


def judge(question: str, spans: Iterable[Span]) -> list[Verdict]:
    """One verdict for each sentence (neighbouring chunks share one), best first."""
    best: dict[tuple[str, tuple[int, int]], Verdict] = {}
    for span in spans:
        verdict = Verdict(span, _score(question, span))
        place = (span.passage.article.id, span.sentence)
        if place not in best or verdict.score > best[place].score:
            best[place] = verdict
    return sorted(best.values(), key=lambda verdict: -verdict.score)


def _score(question: str, span: Span) -> float:
    score = span.evidence + RELEVANCE * span.passage.fused
    if _WHO.match(question) and not _starts_like_a_name(span.text):
        score -= NOT_A_NAME
    return score


def _starts_like_a_name(text: str) -> bool:
    words = re.findall(r"[^\W_]+", text)
    if words and words[0].lower() in {"a", "an", "the"}:
        words = words[1:]
    return bool(words) and not words[0][0].islower()
