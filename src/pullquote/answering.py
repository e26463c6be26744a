"""The path of a question: understand → retrieve → read → judge → quote, and with a language model → word → verify."""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Literal, Self, Union

from pullquote import phrases
from pullquote.caching import Cache
from pullquote.datatypes import Answer, Article, Quote, heading_words
from pullquote.embedding import fingerprint, question_encoder
from pullquote.errors import LibraryError
from pullquote.examining import Examiner, Reading, are_known
from pullquote.judging import Judge, Verdict, overlap, speaks_of
from pullquote.quoting import compose, cut, merge
from pullquote.reading import LARGE, SMALL, Reader
from pullquote.retrieving import Retriever, content_words
from pullquote.settings import MAX_QUESTION, Settings
from pullquote.shared_library import AnyLibrary
from pullquote.spelling import corrected
from pullquote.summarising import meant, overview
from pullquote.tagging import named
from pullquote.timing import recorded
from pullquote.understanding import LOOKED_BACK, Question, combine, leant_on, understand
from pullquote.wording import Worder, Wording

Stage = Literal["searching", "reading", "summing up", "wording"]
Step = Union[Stage, Answer, "Trace"]


@dataclass(frozen=True, slots=True)
class Trace:
    """An answer and how it came about: the readings of its parts, or of a follow-up as asked and as understood."""

    answer: Answer
    readings: tuple[Reading, ...] = ()
    wording: Wording | None = None  # what a language model wrote, if one was asked


class Assistant:
    """Answers questions about one library. Safe to share between threads."""

    def __init__(self, retriever: Retriever, examiner: Examiner, worder: Worder | None = None, cached: int = 0) -> None:
        self.library = retriever.library
        self.cache = Cache[Trace](cached)
        self.examiner = examiner
        self.listeners: list[Callable[[Answer], None]] = []  # hear every answer, in the thread that asked
        self._retriever = retriever
        self._worder = worder
        self._sees: frozenset[str] | None = None

    @classmethod
    def open(cls, library: AnyLibrary, settings: Settings) -> Self:
        """An assistant for the library, with the models that the settings name. Raises `EncoderMismatch`."""
        library.require_encoder(fingerprint(settings.encoder))
        retriever = Retriever(library, question_encoder(settings.encoder))
        judge = Judge.load(settings.judge) if settings.judge else Judge.load()
        second = None if settings.reader == "fast" else lambda: Reader(LARGE, settings.threads)
        reader = Reader(SMALL, settings.threads)
        worder = Worder.open(settings, retriever.encoder, reader.read) if settings.llm_url else None
        return cls(retriever, Examiner(retriever, reader, judge, second), worder, settings.cached)

    def without_model(self) -> "Assistant":
        """The same assistant, which answers in the articles' own words."""
        return Assistant(self._retriever, self.examiner)

    def seen_by(self, groups: frozenset[str] | None) -> Self:
        """The same assistant, for members of these groups: what is not shown to them is not there for it.

        With None, it knows all. What is kept from one question to the next is kept apart by groups.
        """
        seen = copy(self)
        seen._sees = groups
        seen._retriever = self._retriever.seen_by(groups)
        seen.library = seen._retriever.library
        seen.examiner = self.examiner.seen_by(groups)
        return seen

    def ask(self, question: str, history: Sequence[str] = (), article: str | None = None) -> Answer:
        """The answer, as `trace` gives it."""
        return self.trace(question, history, article).answer

    def trace(self, question: str, history: Sequence[str] = (), article: str | None = None) -> Trace:
        """The answer and how it came about.

        `history` is the earlier questions, oldest first; a follow-up that says too little alone is read with them.
        `article` names those to be asked, by ids or tags. Raises `QuestionError` for a question that is empty or too
        long, and `UnknownArticle`.
        """
        *_, trace = self.stages(question, history, article)
        assert isinstance(trace, Trace)
        return trace

    @recorded
    def stages(self, question: str, history: Sequence[str] = (), article: str | None = None) -> Iterator[Step]:
        """What is being done, as it begins; the answer as it grows, while it is worded; at last what `trace` gives."""
        asked, began = understand(question), time.perf_counter()
        seconds, until = {"retrieve": 0.0, "read": 0.0}, self._worder.until() if self._worder else 0.0
        key = (self.library.state, self._sees, question, tuple(history), article)
        if known := self.cache.get(key):
            trace = Trace(replace(known.answer, seconds={}), known.readings)
        elif asked.kind in phrases.GUIDANCE:
            trace = Trace(_guide(asked, phrases.GUIDANCE[asked.kind]))
        elif asked.kind == "overview":
            yield "summing up"
            trace = Trace(self._sum_up(asked, article))
        else:
            trace = yield from self._answer(asked, history, article, seconds, until)
        self._verify(trace.answer)
        if self._worder and trace.answer.status == "answered" and not trace.answer.differ:
            yield "wording"
            answer, wording = yield from self._worder.word(trace.answer, until)
            seconds["word"] = wording.seconds
            self._verify(answer)
            trace = replace(trace, answer=answer, wording=wording)
        trace.answer.seconds.update(seconds, total=time.perf_counter() - began)
        if not known and not self._worder:  # a model may have been away, or do better the next time
            self.cache.put(key, trace)
        for hear in self.listeners:
            hear(trace.answer)
        yield trace

    def _answer(
        self, asked: Question, history: Sequence[str], article: str | None, seconds: dict[str, float], until: float
    ) -> Generator[Stage, None, Trace]:
        """The question by itself; if that is refused, or says nothing alone, with the one that it leans on."""
        earlier = leant_on(history) if asked.leans else None
        words = content_words(asked.text)
        if asked.leans and not earlier and not words:
            return Trace(_guide(asked, phrases.GUIDANCE["nothing before"]))
        own = [word for word in words if word not in phrases.VAGUE]
        readings: list[Reading] = []
        if own or not earlier:
            readings = yield from self._read(asked.parts, article, seconds)
            if any(map(self._kept, readings)):
                return Trace(self._conclude(asked, readings), tuple(readings))
            if not earlier:
                return (yield from self._read_corrected(asked, readings, article, seconds))
        rewritten = self._worder.rewrite(asked.text, [*history[-LOOKED_BACK:]], until) if self._worder else None
        read_as = understand(rewritten or combine(earlier, asked.parts[0]))
        before = yield from self._read([earlier], article, seconds)
        cited = [verdict.span for verdict in self._kept(before[0])[:1]]
        terms = " ".join([read_as.text, *(span.passage.article.text[slice(*span.sentence)] for span in cited)])
        retried = yield from self._read([read_as.text], article, seconds, terms)
        best = retried[0].verdicts[:1]
        is_echo = any(map(overlap, before[0].verdicts[:1], best)) or not any(speaks_of(own, one) for one in best)
        if own and is_echo:  # the earlier question was answered, not this one
            return Trace(self._refuse(asked, readings, None), (*readings, *retried))
        return Trace(self._conclude(asked, retried, read_as), (*readings, *retried))

    def _read_corrected(
        self, asked: Question, readings: list[Reading], article: str | None, seconds: dict[str, float]
    ) -> Generator[Stage, None, Trace]:
        """A refused question with its misspelt words corrected; refused as it is where that answers no more."""
        texts = [passage.text for reading in readings for passage in reading.passages]
        text = corrected(asked.text, texts, self.examiner.knows)
        if text != asked.text and len(text) <= MAX_QUESTION:
            read_as = understand(text)
            again = yield from self._read(read_as.parts, article, seconds)
            if any(map(self._kept, again)):
                return Trace(self._conclude(asked, again, read_as), (*readings, *again))
        return Trace(self._conclude(asked, readings), tuple(readings))

    def _read(
        self, questions: Sequence[str], article: str | None, seconds: dict[str, float], terms: str | None = None
    ) -> Generator[Stage, None, list[Reading]]:
        """Each question read; `terms` is what to search for if it is not the question itself."""
        readings = []
        for question in questions:
            began = time.perf_counter()
            yield "searching"
            passages = self.examiner.retrieve(terms or question, article)
            retrieved = time.perf_counter()
            yield "reading"
            readings.append(self.examiner.read(question, passages))
            seconds["retrieve"] += retrieved - began
            seconds["read"] += time.perf_counter() - retrieved
        return readings

    def _kept(self, reading: Reading) -> list[Verdict]:
        """The verdicts; none when the first, the likeliest, is a refusal."""
        best = reading.verdicts[:1]
        return list(reading.verdicts) if best and best[0].confidence >= self.examiner.judge.threshold(best[0]) else []

    def _conclude(self, asked: Question, readings: Sequence[Reading], read_as: Question | None = None) -> Answer:
        """The answer of the readings, one for each part of the question."""
        kept = [self._kept(reading) for reading in readings]
        text = read_as.text if read_as else None
        if not any(kept) or not (asked.is_question or are_known(readings)):
            return self._refuse(asked, readings, text)
        confidence = min(verdicts[0].confidence for verdicts in kept if verdicts)
        kinds = [understand(reading.question).kind for reading in readings]
        parts = [compose(verdicts, kind) if verdicts else None for verdicts, kind in zip(kept, kinds, strict=True)]
        said = parts[0]
        if said is None or len(parts) > 1:
            said = merge((reading.question, part) for reading, part in zip(readings, parts, strict=True))
        if kinds == ["yes_no"]:
            return Answer(asked.text, "related", "", confidence, said.quotes, read_as=text)
        words = "; ".join(point.text for point in said.points if point.text)
        return Answer(
            asked.text, "answered", words, confidence, said.quotes, said.points, read_as=text, differ=said.differ
        )

    def _refuse(self, asked: Question, readings: Sequence[Reading], read_as: str | None) -> Answer:
        best = [reading.verdicts[0] for reading in readings if reading.verdicts]
        if asked.foreign:
            return _guide(asked, phrases.GUIDANCE["foreign"])
        if not (asked.is_question or are_known(readings)):
            return _guide(asked, phrases.GUIDANCE["no question"])
        if not best:
            return Answer(asked.text, "not_found", "", confidence=1.0, read_as=read_as)
        likeliest = max(best, key=lambda verdict: verdict.confidence)
        closest = cut(1, likeliest.span)
        return Answer(asked.text, "not_found", "", 1 - likeliest.confidence, closest=closest, read_as=read_as)

    def _sum_up(self, asked: Question, names: str | None) -> Answer:
        """An overview of the article that is asked about; guidance when that is not clear."""
        library = self.library
        titles = {key: library.article(key).title for key in named(library, names)} if names else library.titles()
        key = meant(asked.text, titles)
        if key is None:
            which = phrases.WHICH.format(titles=", ".join(f"“{title}”" for title in [*titles.values()][:8]))
            return _guide(asked, which if titles else phrases.EMPTY)
        article = library.article(key)
        spans = overview(article, self._retriever.encoder, asked.section)
        if not spans:
            return _guide(asked, _no_section(article, asked.section or ""))
        quotes = tuple(Quote.cut(number, article, span, span) for number, span in enumerate(spans, start=1))
        return Answer(asked.text, "overview", "", 1.0, quotes)

    def _verify(self, answer: Answer) -> None:
        """Hold every quote against the library once more; nothing else may leave."""
        with self.library.snapshot():
            for quote in filter(None, [*answer.quotes, answer.closest]):
                if not quote.is_literal(self.library.article(quote.article_id)):
                    raise LibraryError("the article was changed while it was being read; ask again")


def _guide(asked: Question, text: str) -> Answer:
    return Answer(asked.text, "guidance", text, confidence=1.0)


def _no_section(article: Article, section: str) -> str:
    names = [f"“{heading_words(article.text[heading.start : heading.end])}”" for heading in article.headings]
    if not names:
        return phrases.NO_SECTIONS.format(title=article.title)
    return phrases.NO_SECTION.format(title=article.title, section=section, names=", ".join(names[:8]))
