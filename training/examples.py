"""What a reader is shown: pairs of question and passage with an answer or none, drawn anew for every epoch.

An answerable question comes with its own passage; beside it come, by chance, unanswerable variants of it: a hard
passage of the same group, the passage without its answer, the question with a word of it swapped.
"""

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from training.data import Question, TrainingData
from training.errors import TrainingError
from training.variants import names, swapped, without_answer

WINDOW = 1300  # characters of a long context that are shown, about 300 tokens
SPARE = 300  # characters above `WINDOW` that a context may have and still be shown whole
MARGIN = 100  # characters that stand at least before the answer, where the context has them, and after it
CUT_WORDS = " \n"

HALVED = "policy:"  # groups (PolicyQA) drawn half the time, never swapped: much of a kind, few names
SHARE_OF_HALVED = 0.5
OWN_NAMES = 0.7  # share of swaps that take a name of the passage itself, not of its group
NAMES_TRIED = 60  # of a group, at one swap
PASSAGES_NAMED = 60  # of a group, whose names are gathered
NAMES_KEPT = 800  # of a group
HARDEST_FIRST = 0.8  # rate of the exponential distribution of a hard passage's rank: mostly 0, the most alike


class Example(NamedTuple):
    """A question and a passage; `answer` is its start and end in the passage, None when it is not answered there."""

    question: str
    passage: str
    answer: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Shares:
    """How often, of 1, an answerable question comes with each of its variants."""

    negatives: float = 0.8
    removed: float = 0.3
    swapped: float = 0.4

    def __post_init__(self) -> None:
        for share in (self.negatives, self.removed, self.swapped):
            if not 0 <= share <= 1:
                raise TrainingError(f"a share is between 0 and 1, not {share}")


def windowed(question: Question, rng: random.Random) -> Question:
    """The question with at most about `WINDOW` characters of a long context, the answer at its new offsets."""
    text, start, end = question.context, question.start, question.end
    if len(text) <= WINDOW + SPARE:
        return question
    before = rng.randint(MARGIN, max(MARGIN, WINDOW - (end - start) - MARGIN))
    low = max(0, start - before)
    while low > 0 and text[low - 1] not in CUT_WORDS:
        low -= 1
    high = min(len(text), max(low + WINDOW, end + MARGIN))
    return replace(question, context=text[low:high], start=start - low, end=end - low)


def windows(data: TrainingData, seed: int) -> TrainingData:
    """The data with long contexts cut, once for all epochs: look-alikes are searched for among these very windows."""
    rng = random.Random(f"windows {seed}")
    return replace(data, answerable=[windowed(question, rng) for question in data.answerable])


class Examples:
    """A source of examples. `hard` holds, for each answerable question, its hard passages, the most alike first."""

    def __init__(self, data: TrainingData, hard: Sequence[Sequence[str]], shares: Shares, seed: int) -> None:
        if len(hard) != len(data.answerable):
            raise ValueError(f"{len(data.answerable)} questions, but hard passages of {len(hard)}")
        self._data, self._hard, self._shares, self._seed = data, hard, shares, seed
        self._names = names_by_group(data.answerable)

    def epoch(self, number: int) -> list[Example]:
        """The examples of an epoch in random order: always the same for a seed and a number."""
        rng = random.Random(f"epoch {number} of {self._seed}")
        drawn = [Example(gold.text, gold.context, None) for gold in self._data.unanswerable]
        for question, hard in zip(self._data.answerable, self._hard, strict=True):
            if not question.group.startswith(HALVED) or rng.random() < SHARE_OF_HALVED:
                drawn.append(Example(question.text, question.context, (question.start, question.end)))
                drawn += self._variants(question, hard, rng)
        rng.shuffle(drawn)
        return drawn

    def _variants(self, question: Question, hard: Sequence[str], rng: random.Random) -> list[Example]:
        variants = []
        if hard and rng.random() < self._shares.negatives:
            rank = min(int(rng.expovariate(HARDEST_FIRST)), len(hard) - 1)
            variants.append(Example(question.text, hard[rank], None))
        if rng.random() < self._shares.removed and (left := without_answer(question)):
            variants.append(Example(question.text, left, None))
        if rng.random() < self._shares.swapped and not question.group.startswith(HALVED):
            other = swapped(question, strangers(question, self._names, rng), rng)
            if other:
                variants.append(Example(other, question.context, None))
        return variants


def strangers(question: Question, in_group: Mapping[str, Sequence[str]], rng: random.Random) -> list[str]:
    """Names that may take the place of one in the question: its passage's own, mostly, or some of its group's."""
    own = names(question.context)
    if own and rng.random() < OWN_NAMES:
        return own
    group = in_group[question.group]
    return rng.sample(group, min(NAMES_TRIED, len(group)))


def names_by_group(questions: Sequence[Question]) -> dict[str, list[str]]:
    """The names in the passages of each group."""
    passages: dict[str, dict[str, None]] = defaultdict(dict)
    for question in questions:
        passages[question.group][question.context] = None
    return {
        group: list(dict.fromkeys(name for text in list(texts)[:PASSAGES_NAMED] for name in names(text)))[:NAMES_KEPT]
        for group, texts in passages.items()
    }
