"""The training data: questions with their answers in contexts, read from three gzip files and checked."""

import gzip
import json
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.errors import DataError

TRAIN = "train.json.gz"  # {contexts, rows: [{q, c, s, e, g, t}]}, answerable questions only
SQUAD2_TRAIN = "squad2_train.json.gz"  # [{title, paragraphs: [{context, qas}]}], also unanswerable ones
SQUAD2_TEST = "squad2_test.json.gz"  # the same format, never trained on


@dataclass(frozen=True, slots=True)
class Question:
    """An answerable question: `context[start:end]` answers it, offsets in code points, no blanks around.

    Contexts of one `group` (an article, mostly) are those among which look-alikes are searched for.
    """

    text: str
    context: str
    start: int
    end: int
    group: str
    title: str

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise DataError("a question is empty")
        if not 0 <= self.start < self.end <= len(self.context):
            raise DataError(f"the answer of {self.text!r}, {self.start}…{self.end}, is not within its context")
        if self.answer != self.answer.strip():
            raise DataError(f"the answer of {self.text!r} has blanks around it")

    @property
    def answer(self) -> str:
        return self.context[self.start : self.end]


@dataclass(frozen=True, slots=True)
class GoldQuestion:
    """A question of a SQuAD 2.0 article with all its gold answers; none when the paragraph does not answer it."""

    text: str
    context: str
    answers: tuple[str, ...]
    title: str


@dataclass(frozen=True, slots=True)
class TrainingData:
    """What is trained on: `answerable`, and `unanswerable`, people's own (SQuAD 2.0)."""

    answerable: list[Question]
    unanswerable: list[GoldQuestion]


def load_training(folder: Path) -> TrainingData:
    """Both training files of a folder. Raises `DataError` when one is malformed or has something held out."""
    answerable = _read_rows(folder / TRAIN)
    golds = read_squad2(folder / SQUAD2_TRAIN)
    answerable += [_most_agreed(gold) for gold in golds if gold.answers]
    data = TrainingData(answerable, [gold for gold in golds if not gold.answers])
    _refuse_held_out(data, load_held_out(folder))
    return data


def load_held_out(folder: Path) -> list[GoldQuestion]:
    """The questions to evaluate on. Raises `DataError` unless some are answerable and some are not."""
    golds = read_squad2(folder / SQUAD2_TEST)
    if len({bool(gold.answers) for gold in golds}) < 2:
        raise DataError(f"{folder / SQUAD2_TEST} needs questions with and without an answer")
    return golds


def read_squad2(path: Path) -> list[GoldQuestion]:
    """The questions of a list of SQuAD 2.0 articles, in its order. Raises `DataError`."""
    golds = []
    try:
        for article in _read(path):
            for paragraph in article["paragraphs"]:
                for row in paragraph["qas"]:
                    question, answers = row["question"].strip(), tuple(answer.strip() for answer in row["answers"])
                    golds.append(GoldQuestion(question, paragraph["context"], answers, article["title"]))
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path}: after {len(golds)} questions, not SQuAD 2.0 as in README.md: {error!r}") from None
    for gold in golds:
        if lost := [answer for answer in gold.answers if not answer or answer not in gold.context]:
            raise DataError(f"{path}: the answer {lost[0]!r} to {gold.text!r} is not in its paragraph")
    return golds


def _read(path: Path) -> Any:
    if not path.is_file():
        raise DataError(f"{path} is missing; --data names the folder with {TRAIN}, {SQUAD2_TRAIN} and {SQUAD2_TEST}")
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            return json.load(file)
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise DataError(f"{path} is not JSON compressed by gzip: {error}") from None


def _read_rows(path: Path) -> list[Question]:
    data = _read(path)
    if not isinstance(data, dict) or not isinstance(data.get("contexts"), list) or not data.get("rows"):
        raise DataError(f'{path} is not {{"contexts": […], "rows": […]}}')
    questions = []
    for number, row in enumerate(data["rows"]):
        try:
            questions.append(_question(row, data["contexts"]))
        except (DataError, KeyError, TypeError, AttributeError, IndexError) as error:
            raise DataError(f"{path}: row {number}: {error or repr(error)}") from None
    return questions


def _question(row: dict[str, Any], contexts: Sequence[str]) -> Question:
    if missing := sorted({"q", "c", "s", "e", "g", "t"} - row.keys()):
        raise DataError(f"{', '.join(missing)} missing")
    if not 0 <= row["c"] < len(contexts):
        raise DataError(f"there is no context {row['c']}")
    context, start, end = contexts[row["c"]], row["s"], row["e"]
    while start < end <= len(context) and context[start].isspace():
        start += 1
    while start < end <= len(context) and context[end - 1].isspace():
        end -= 1
    return Question(row["q"].strip(), context, start, end, row["g"], row["t"])


def _most_agreed(gold: GoldQuestion) -> Question:
    """The question with the answer that most annotators gave, the shortest of several, where it first stands."""
    votes = Counter(gold.answers)
    answer = max(gold.answers, key=lambda answer: (votes[answer], -len(answer)))
    start = gold.context.index(answer)
    return Question(gold.text, gold.context, start, start + len(answer), f"squad2:{gold.title}", gold.title)


def _refuse_held_out(data: TrainingData, held_out: Sequence[GoldQuestion]) -> None:
    trained: list[Question | GoldQuestion] = [*data.answerable, *data.unanswerable]
    if titles := {_plain(row.title) for row in trained} & {_plain(gold.title) for gold in held_out}:
        raise DataError(f"{SQUAD2_TEST} is never trained on, but the training data has its {', '.join(sorted(titles))}")
    contexts = {gold.context: gold.title for gold in held_out}
    if both := sorted({contexts[row.context] for row in trained if row.context in contexts}):
        raise DataError(f"{SQUAD2_TEST} is never trained on, but the training data has a paragraph of its {both[0]}")


def _plain(title: str) -> str:
    return title.replace("_", " ").strip().casefold()
