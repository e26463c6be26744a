"""One question read: retrieve → read → judge, and read again by the second reader where that may change the verdict."""

import math
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from dataclasses import dataclass
from typing import Self

from pullquote.datatypes import Passage, Span
from pullquote.embedding import Encoder
from pullquote.judging import Judge, Place, Verdict, place_of
from pullquote.reading import Reader, around
from pullquote.retrieving import Retriever
from pullquote.timing import stage

PASSAGES = 5  # retrieved for a question: recall@5 is 98.9 %
RIVAL = 0.2  # another article whose best passage is so close, in fused score, is heard too: it may say otherwise
FAR_BEHIND = 0.4  # a passage whose fused score is this far behind the best is not read: it never won
ENOUGH = 0.6  # the small reader's confidence, plus what the next passage is behind, at which it stops at first
SURE = 0.85  # the small reader's confidence at which nothing is read again
HOPELESS = 0.05  # the small reader's confidence below which a second reading never found an answer
WINDOW = 60  # words read again around a sentence; 45 lose a point of quotes, 90 gain half of one and take longer
SETTLED = 0.65  # the second reader's confidence at which neither reader reads on


@dataclass(frozen=True, slots=True)
class Reading:
    """One question as it was read: the passages retrieved, best first, and every sentence read, likeliest first."""

    question: str
    passages: tuple[Passage, ...]
    verdicts: tuple[Verdict, ...]

    @property
    def second(self) -> bool:
        """Whether the second reader was consulted."""
        return any(verdict.is_read_twice for verdict in self.verdicts)


class Examiner:
    """Reads questions. Safe to share between threads. The second reader is loaded when it is first needed."""

    def __init__(
        self, retriever: Retriever, reader: Reader, judge: Judge, load_second: Callable[[], Reader] | None = None
    ) -> None:
        self.judge = judge
        self._retriever = retriever
        self._reader = reader
        self._load_second = load_second
        self._second: list[Reader] = []  # one, once it is loaded; shared by the copies that `seen_by` makes
        self._loading = threading.Lock()

    @property
    def is_complete(self) -> bool:
        """Whether every reader that there is to be is loaded."""
        return self._load_second is None or bool(self._second)

    @property
    def encoder(self) -> Encoder:
        """What questions are encoded with."""
        return self._retriever.encoder

    def second(self) -> Reader | None:
        """The second reader, loaded; None when there is to be none."""
        with self._loading:
            if not self._second and self._load_second:
                self._second.append(self._load_second())
            return self._second[0] if self._second else None

    def knows(self, word: str) -> bool:
        """Whether the reader's vocabulary has the word, in lower case, as one."""
        return self._reader.knows(word)

    def seen_by(self, groups: frozenset[str] | None) -> Self:
        """The same examiner, for members of these groups."""
        seen = copy(self)
        seen._retriever = self._retriever.seen_by(groups)
        return seen

    def retrieve(self, question: str, article: str | None = None, count: int = PASSAGES) -> list[Passage]:
        """The likeliest passages for a question, of one article if its id is given."""
        with stage("retrieve"):
            return self._retriever.retrieve(question, count, article)

    def read(self, question: str, passages: list[Passage]) -> Reading:
        """The passages read, and read again, until that can change nothing."""
        near = [passage for passage in passages if passage.fused >= passages[0].fused - FAR_BEHIND]
        rivals = _best_of_each_article(near)
        unread = deque([*rivals, *(passage for passage in near if passage not in rivals)])
        spans, verdicts = self._read_on(question, unread, [], ENOUGH, len(rivals))
        if verdicts and HOPELESS < verdicts[0].confidence < SURE and (second := self.second()):
            again = self._read_again(second, question, verdicts[0])
            verdicts = self._judge(question, spans, again)
            is_settled = verdicts[0].confidence >= SETTLED
            if not is_settled:
                spans, verdicts = self._read_on(question, unread, spans)
            if not is_settled or len(rivals) > 1:
                verdicts = self._read_elsewhere(second, question, spans, verdicts, again)
        return Reading(question, tuple(passages), tuple(verdicts))

    def read_all(self, question: str, passages: list[Passage]) -> tuple[list[Verdict], list[Verdict]]:
        """What the judge is fitted on: the verdicts after the first reading and after the second, none left out."""
        spans, verdicts = self._read_on(question, deque(passages), [])
        second = self.second()
        if not verdicts or not second:
            return verdicts, []
        again = self._read_again(second, question, verdicts[0])
        twice = self._read_elsewhere(second, question, spans, verdicts, again)
        return verdicts, [verdict for verdict in twice if verdict.is_read_twice]

    def _read_on(
        self, question: str, unread: deque[Passage], spans: list[Span], enough: float = math.inf, least: int = 0
    ) -> tuple[list[Span], list[Verdict]]:
        """The small reader's spans, with those of the unread passages, and their verdicts.

        Once `least` passages are read, it stops where the best verdict is so likely, and the next passage so far behind
        in fused score, that the two are `enough`.
        """
        verdicts = self._judge(question, spans)
        best = max((passage.fused for passage in unread), default=0.0)
        optional = len(unread) - least
        while unread:
            likely = verdicts[0].confidence if verdicts else 0.0
            if len(unread) <= optional and likely + best - unread[0].fused >= enough:
                break
            with stage("read"):
                spans = [*spans, *self._reader.read(question, unread.popleft())]
            verdicts = self._judge(question, spans)
        return spans, verdicts

    def _read_again(self, second: Reader, question: str, verdict: Verdict) -> dict[Place, Span]:
        """What the second reader marks in the sentences around a verdict's."""
        window = around(verdict.span.passage, verdict.span.sentence, WINDOW)
        with stage("read again"):
            return {place_of(span): span for span in second.read(question, window)}

    def _judge(self, question: str, spans: list[Span], again: Mapping[Place, Span] | None = None) -> list[Verdict]:
        with stage("judge"):
            return self.judge.verdicts(question, spans, again)

    def _read_elsewhere(
        self, second: Reader, question: str, spans: list[Span], verdicts: list[Verdict], again: dict[Place, Span]
    ) -> list[Verdict]:
        """The verdicts after the likeliest sentence of a passage with none read `again` was read again too.

        Unless that has no chance.
        """
        known = {span.passage.chunk for span in spans if place_of(span) in again}
        elsewhere = [verdict for verdict in verdicts if verdict.span.passage.chunk not in known]
        if elsewhere and elsewhere[0].confidence > HOPELESS:
            again = {**self._read_again(second, question, elsewhere[0]), **again}
        return self._judge(question, spans, again)


def _best_of_each_article(passages: list[Passage]) -> list[Passage]:
    """The best passage, and that of every other article whose best is close to it."""
    best: dict[str, Passage] = {}
    for passage in passages:
        if passage.fused >= passages[0].fused - RIVAL:
            best.setdefault(passage.article.id, passage)
    return list(best.values())


def are_known(readings: Iterable[Reading]) -> bool:
    """Whether a word that was searched for stands in an article."""
    return any(passage.lexical for reading in readings for passage in reading.passages)
