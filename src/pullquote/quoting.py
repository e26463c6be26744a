"""From judged spans to quotes: the sentence around a span, sliced out of its article."""

import re
from collections.abc import Sequence

from pullquote.datatypes import Quote, Span
from pullquote.judging import Verdict

MAX_QUOTES = 3
CLOSE = 3.0  # of a further quote's score below the best


def quote_spans(verdicts: Sequence[Verdict], threshold: float) -> tuple[Quote, ...]:
    """Up to `MAX_QUOTES` quotes, best first: the first verdict's, then other sentences that add weight to it.

    A sentence adds weight when its own answer is the same words, or scores nearly as high.
    """
    best, *others = verdicts
    chosen = [best]
    for verdict in others:
        same = _plain(verdict.span.text) == _plain(best.span.text)
        close = verdict.score >= best.score - CLOSE
        if verdict.score >= threshold and (same or close) and len(chosen) < MAX_QUOTES:
            chosen.append(verdict)
    return tuple(cut(number, verdict.span) for number, verdict in enumerate(chosen, start=1))


def cut(number: int, span: Span) -> Quote:
    """The quote of a span's sentence, the span highlighted."""
    return Quote.cut(number, span.passage.article, span.sentence, (span.start, span.end))


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))
