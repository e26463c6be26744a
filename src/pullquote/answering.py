"""The path of a question: understand → retrieve → read → judge → quote."""

import time
from collections.abc import Iterator
from typing import Literal, Self

from pullquote.articles import normalise
from pullquote.datatypes import Answer, Passage, Span
from pullquote.embedding import BUILT_IN, QuestionEncoder, WorkerEncoder, fingerprint
from pullquote.errors import LibraryError, QuestionError
from pullquote.judging import SURE, THRESHOLD, Verdict, judge
from pullquote.library import Library
from pullquote.quoting import cut, quote_spans
from pullquote.reading import Reader
from pullquote.retrieving import Retriever
from pullquote.settings import MAX_QUESTION, Settings

Stage = Literal["searching", "reading"]

FAR_BEHIND = 0.4  # a passage whose fused score is this far behind the best is not read: it never won
PASSAGES = 5  # read for a question: recall@5 is 98.9 %, and the reader's time grows with each


class Assistant:
    """Answers questions about one library. Safe to share between threads."""

    def __init__(self, retriever: Retriever, reader: Reader) -> None:
        self.library = retriever.library
        self._retriever = retriever
        self._reader = reader

    @classmethod
    def open(cls, library: Library, settings: Settings) -> Self:
        """An assistant for the library, with the models that the settings name. Raises `EncoderMismatch`."""
        library.require_encoder(fingerprint(settings.encoder))
        built_in = settings.encoder == BUILT_IN
        encoder = QuestionEncoder() if built_in else WorkerEncoder(settings.encoder)
        return cls(Retriever(library, encoder), Reader(settings.threads))

    def ask(self, question: str) -> Answer:
        """The answer. Raises `QuestionError` for a question that is empty or too long."""
        *_, answer = self.stages(question)
        assert isinstance(answer, Answer)
        return answer

    def stages(self, question: str) -> Iterator[Stage | Answer]:
        """What is being done, as it begins, and at last the answer."""
        question = understand(question)
        began = time.perf_counter()
        yield "searching"
        passages = self._retriever.retrieve(question, PASSAGES)
        retrieved = time.perf_counter()
        yield "reading"
        verdicts = self._read(question, passages)
        read = time.perf_counter()
        answer = self._conclude(question, verdicts)
        self._verify(answer)
        answer.seconds.update(retrieve=retrieved - began, read=read - retrieved, total=time.perf_counter() - began)
        yield answer

    def _read(self, question: str, passages: list[Passage]) -> list[Verdict]:
        """Verdicts on the passages' spans, likeliest passage first, until one is so good that no other will win."""
        spans: list[Span] = []
        verdicts: list[Verdict] = []
        for passage in passages:
            if passage.fused < passages[0].fused - FAR_BEHIND:
                break
            spans += self._reader.read(question, passage)
            verdicts = judge(question, spans)
            if verdicts and verdicts[0].score >= SURE:
                break
        return verdicts

    def _conclude(self, question: str, verdicts: list[Verdict]) -> Answer:
        if not verdicts:
            return Answer(question, "not_found", "", confidence=1.0)
        best = verdicts[0]
        if best.score < THRESHOLD:
            return Answer(question, "not_found", "", 1 - best.confidence, closest=cut(1, best.span))
        return Answer(question, "answered", best.span.text, best.confidence, quote_spans(verdicts, THRESHOLD))

    def _verify(self, answer: Answer) -> None:
        """Hold every quote against the library once more; nothing else may leave."""
        for quote in [*answer.quotes, *([answer.closest] if answer.closest else [])]:
            if not quote.is_literal(self.library.article(quote.article_id)):
                raise LibraryError("the article was changed while it was being read; ask again")


def understand(question: str) -> str:
    """The question on one line, normalised as articles are. Raises `QuestionError`."""
    question = " ".join(normalise(question).split())
    if not question:
        raise QuestionError("the question is empty; ask something that the article may say")
    if len(question) > MAX_QUESTION:
        raise QuestionError(
            f"the question has {len(question):,} characters; the limit is {MAX_QUESTION:,}, ask for less at once"
        )
    return question
