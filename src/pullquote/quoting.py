"""From verdicts to what is said: points in the article's words, and the quotes they stand on, sliced and numbered."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from pullquote.datatypes import Point, Quote, Span
from pullquote.judging import Verdict

MAX_QUOTES = 3
# How far, in log odds, a verdict may be behind the best
ALSO = 2.0  # to be quoted beside one that is not `LIKELY`
SAME = 2.5  # to be another citation of the same words
LISTED = 1.5  # to be another of the things that a list question asks for
JOINED = 1.4  # to be quoted in one piece with it, when it is the sentence before or after
JOINED_WORDS = 45  # at most, of two sentences quoted in one piece
LIKELY = 0.6  # confidence from which no other place is offered beside the answer, and two articles that differ do so


@dataclass(frozen=True, slots=True)
class Composition:
    """What is said and quoted; `differ` when two articles disagree."""

    points: tuple[Point, ...]
    quotes: tuple[Quote, ...]
    differ: bool = False


def compose(verdicts: Sequence[Verdict], kind: str) -> Composition:
    """The best verdict's point, with those that add something to it, each on its quote.

    The same words elsewhere are another citation of the point. A list question gets a point for each thing, two
    articles that differ get one each. Other sentences nearly as likely are quoted, but say nothing.
    """
    best = verdicts[0]
    ranked = [best, *sorted(verdicts[1:], key=lambda verdict: -verdict.confidence)]  # whichever reader read them
    quotes: list[Quote] = []
    cited: dict[str, list[int]] = {}  # a point's words → the numbers of its quotes
    differ = False
    for verdict in ranked:
        words = _said(verdict.span, kind)
        point = next((known for known in cited if plain(known) == plain(words)), words)
        behind = _behind(best, verdict)
        disagrees = kind == "fact" and verdict.confidence >= LIKELY and _disagree(best.span, verdict.span)
        same = behind <= SAME and point in cited
        listed = kind == "list" and behind <= LISTED and not _overlap(words, cited)
        if (verdict is best or same or listed or disagrees) and _has_room(verdict, quotes):
            extent = _extent(best, verdicts) if verdict is best else None
            quotes.append(cut(len(quotes) + 1, verdict.span, extent))
            cited.setdefault(point, []).append(len(quotes))
            differ |= disagrees
    for verdict in ranked if best.confidence < LIKELY else ():
        if _behind(best, verdict) <= ALSO and _has_room(verdict, quotes):
            quotes.append(cut(len(quotes) + 1, verdict.span))
    points = tuple(Point(text, tuple(numbers)) for text, numbers in cited.items())
    return Composition(points, tuple(quotes), differ)


def merge(parts: Iterable[tuple[str, Composition | None]]) -> Composition:
    """The parts of a compound question, one after another; a part without a composition says nothing.

    A sentence that answers two of them is quoted once.
    """
    points: list[Point] = []
    quotes: list[Quote] = []
    for question, part in parts:
        numbers: dict[int, int] = {}
        for quote in cited_quotes(part) if part else ():
            known = next((other for other in quotes if _same_place(other, quote)), None)
            numbers[quote.number] = known.number if known else len(quotes) + 1
            quotes += [] if known else [replace(quote, number=numbers[quote.number])]
        for point in part.points if part else [Point("", ())]:
            citations = dict.fromkeys(numbers[number] for number in point.citations)
            points.append(replace(point, question=question, citations=tuple(citations)))
    return Composition(tuple(points), tuple(quotes))


def cited_quotes(said: Composition) -> list[Quote]:
    """The quotes that a point stands on."""
    cited = set(chain.from_iterable(point.citations for point in said.points))
    return [quote for quote in said.quotes if quote.number in cited]


def cut(number: int, span: Span, extent: tuple[int, int] | None = None) -> Quote:
    """The quote of a span's sentence, or of `extent` around it, the span highlighted."""
    return Quote.cut(number, span.passage.article, extent or span.sentence, (span.start, span.end))


def plain(text: str) -> str:
    """The words alone, in lower case, without a determiner before them."""
    return re.sub(r"^(?:an?|the) ", "", " ".join(re.findall(r"\w+", text.lower())))


def _said(span: Span, kind: str) -> str:
    """A point's words: the span, or the sentence where two words would be no answer ("why", "how")."""
    first, last = span.sentence if kind == "sentence" else (span.start, span.end)
    return span.passage.article.text[first:last]


def _extent(verdict: Verdict, verdicts: Sequence[Verdict]) -> tuple[int, int]:
    """The verdict's sentence, with a neighbour that is about as likely: the answer is often in the other of the two."""
    text, (start, end) = verdict.span.passage.article.text, verdict.span.sentence
    for other in verdicts:
        first, last = other.span.sentence
        near = (
            verdict.logit - other.logit <= JOINED and other.span.passage.article.id == verdict.span.passage.article.id
        )
        gap = text[end:first] if first >= end else text[last:start] if last <= start else "?"
        joined = min(start, first), max(end, last)
        if near and not gap.strip() and "\n\n" not in gap and len(text[slice(*joined)].split()) <= JOINED_WORDS:
            return joined
    return start, end


def _disagree(best: Span, other: Span) -> bool:
    """Whether two articles give different words, neither of which is part of the other."""
    one, two = plain(best.text), plain(other.text)
    return best.passage.article.id != other.passage.article.id and one not in two and two not in one


def _overlap(words: str, known: Iterable[str]) -> bool:
    return any(plain(words) in plain(other) or plain(other) in plain(words) for other in known)


def _behind(best: Verdict, verdict: Verdict) -> float:
    return best.logit - verdict.logit


def _has_room(verdict: Verdict, quotes: Sequence[Quote]) -> bool:
    """Whether another quote fits, and none has the verdict's words."""
    article, start = verdict.span.passage.article.id, verdict.span.start
    quoted = any(quote.article_id == article and quote.start <= start < quote.end for quote in quotes)
    return len(quotes) < MAX_QUOTES and not quoted


def _same_place(one: Quote, two: Quote) -> bool:
    return (one.article_id, one.start, one.end) == (two.article_id, two.start, two.end)
