"""An answer in a language model's words: drafted, each sentence verified, repaired once; or why there is none."""

import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

from pullquote import facts
from pullquote.datatypes import Answer, Point
from pullquote.embedding import Encoder
from pullquote.errors import DraftError, QuestionError
from pullquote.settings import Settings
from pullquote.timing import stage
from pullquote.understanding import understand
from pullquote.verifying import Read, Sentence, Verifier

if TYPE_CHECKING:  # its client takes a second to load, and only who has a model needs it
    from pullquote.drafting import Drafter

TOO_LITTLE = "what is left of its draft says less than the quotes’ own words"


@dataclass(slots=True)
class Wording:
    """What a model wrote for an answer, each sentence with why it was dropped (None: kept).

    `failure` is why the answer is given in the article's words; "" where the model's are.
    """

    model: str
    checked: list[tuple[Sentence, str | None]] = field(default_factory=list)
    failure: str = ""
    seconds: float = 0.0

    @property
    def kept(self) -> list[Sentence]:
        return [sentence for sentence, fault in self.checked if fault is None]


class Worder:
    """Words answers with a model whose every sentence is verified. Safe to share between threads."""

    def __init__(self, drafter: "Drafter", verifier: Verifier) -> None:
        self._drafter, self._verifier = drafter, verifier

    @classmethod
    def open(cls, settings: Settings, encoder: Encoder, read: Read) -> Self:
        """A worder with the model that the settings name."""
        from pullquote.drafting import Drafter

        drafter = Drafter(settings.llm_url, settings.llm_model, settings.llm_key.get_secret_value())
        return cls(drafter, Verifier(encoder, read))

    def until(self) -> float:
        """The end, of `time.monotonic`, of what the model may take for a question asked now."""
        return time.monotonic() + self._drafter.seconds

    def word(self, answer: Answer, until: float) -> Generator[Answer, None, tuple[Answer, Wording]]:
        """The answer as it grows, a verified sentence more each time; at last the answer to give, and its wording."""
        began = time.monotonic()
        wording = Wording(self._drafter.model)
        try:
            with stage("word"):
                for _ in self._draft(answer, wording, until):
                    yield self._worded(answer, wording)
        except DraftError as error:
            wording.failure = str(error)
        if _says_enough(wording.kept, answer.points):
            answer, wording.failure = self._worded(answer, wording), ""
        else:
            wording.failure = wording.failure or TOO_LITTLE
        wording.seconds = time.monotonic() - began
        return answer, wording

    def rewrite(self, question: str, history: Sequence[str], until: float) -> str | None:
        """A follow-up as a question of its own, in the conversation's words; None where there is none such."""
        try:
            rewritten = self._drafter.rewrite(question, history, until)
        except DraftError:
            return None
        return rewritten if is_rewrite(rewritten, question, history) else None

    def _draft(self, answer: Answer, wording: Wording, until: float) -> Iterator[None]:
        """Each time a sentence is kept, of the draft, then of the one repair of what was refused."""
        from pullquote.drafting import again, opening, sentences

        messages = opening(answer.read_as or answer.question, answer.quotes)
        pieces: list[str] = []
        yield from self._check(sentences(_kept_in(pieces, self._drafter.draft(messages, until))), answer, wording)
        refused = [(sentence, fault) for sentence, fault in wording.checked if fault]
        if refused:
            messages = again(messages, "".join(pieces), refused)
            yield from self._check(sentences(self._drafter.draft(messages, until)), answer, wording)

    def _check(self, drafted: Iterable[Sentence], answer: Answer, wording: Wording) -> Iterator[None]:
        for sentence in drafted:
            kept = wording.kept
            if any(sentence.text == known.text for known in kept):
                continue
            fault = self._verifier.fault(sentence, answer.quotes, kept[-1] if kept else None)
            wording.checked.append((sentence, fault))
            if fault is None:
                yield

    def _worded(self, answer: Answer, wording: Wording) -> Answer:
        """The answer with the kept sentences as its points, and what it has no answer to."""
        points = tuple(Point(sentence.text, sentence.citations) for sentence in wording.kept)
        unsaid = tuple(point for point in answer.points if not point.text)
        text = " ".join(point.text for point in points)
        return replace(answer, text=text, points=(*points, *unsaid), worded_by=wording.model)


def is_rewrite(text: str, question: str, history: Sequence[str]) -> bool:
    """Whether the text is the question made whole: nothing in it that nobody asked, all of the question still there."""
    try:
        leans = understand(text).leans
    except QuestionError:
        return False
    known = facts.content(" ".join([*history, question]))
    own = facts.content(text)
    is_new = text.casefold() not in {earlier.casefold() for earlier in history}
    return not leans and is_new and set(own) <= set(known) and set(facts.content(question)) <= set(own)


def _says_enough(kept: Sequence[Sentence], points: Sequence[Point]) -> bool:
    """Whether the sentences say what every point of the extractive answer says, on a quote that it stands on."""
    return bool(kept) and all(_says(kept, point) for point in points if point.text)


def _says(kept: Sequence[Sentence], point: Point) -> bool:
    text = " ".join(sentence.text for sentence in kept if set(sentence.citations) & set(point.citations))
    values = {number.value for number in facts.numbers(point.text)}
    is_counted = not values or not values.isdisjoint(number.value for number in facts.numbers(text))
    return is_counted and (facts.shared(point.text, text) or not facts.content(point.text))


def _kept_in(pieces: list[str], stream: Iterator[str]) -> Iterator[str]:
    for piece in stream:
        pieces.append(piece)
        yield piece
