"""Questions with gold answers → the numbers. Reads Pullquote's own format and SQuAD 1.1 and 2.0.

EM and F1 as in SQuAD's own script (Rajpurkar et al. 2016); a refused answerable question scores 0 in every measure.
"""

import json
import re
import string
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median, quantiles
from typing import Any

from pullquote.answering import Assistant
from pullquote.articles import make_article, normalise
from pullquote.datatypes import Answer
from pullquote.embedding import WorkerEncoder
from pullquote.errors import EvaluationError
from pullquote.ingesting import add_article
from pullquote.library import Library
from pullquote.settings import Settings
from pullquote.vector_index import VectorIndex


@dataclass(frozen=True)
class GoldQuestion:
    """A question about one article; `kind` is "answerable" or a way of not being so."""

    id: str
    article: str
    question: str
    kind: str
    answers: tuple[str, ...]

    def __post_init__(self) -> None:
        _require_strings(self.id, self.article, self.question, self.kind, *self.answers)
        if self.kind == "answerable" and not self.answers:
            raise ValueError(f"the answerable question {self.id} has no answer")


@dataclass(frozen=True)
class GoldArticle:
    """An article as the file has it."""

    id: str
    title: str
    text: str

    def __post_init__(self) -> None:
        _require_strings(self.id, self.title, self.text)


@dataclass(frozen=True)
class Prediction:
    """A question, its answer, and whether all its quotes are slices of the file's text."""

    gold: GoldQuestion
    answer: Answer
    literal: bool


@dataclass(frozen=True)
class Report:
    """The numbers: percentages but for words, seconds and counts."""

    questions: dict[str, int]
    quote_holds_answer: float
    quote_words: float
    exact_match: float
    f1: float
    refused: dict[str, float]
    literal: float
    seconds_median: float
    seconds_p95: float


def load(path: Path, articles: frozenset[str] = frozenset()) -> tuple[list[GoldArticle], list[GoldQuestion]]:
    """Articles and questions of a file, only those of the named articles (title or id) if any are named.

    Raises `EvaluationError` with the reason when the file is not of a known form.
    """
    try:
        data = json.loads(path.read_bytes())
        known, questions = _from_squad(data["data"]) if "data" in data else _from_own(data)
    except OSError as error:
        raise EvaluationError(f"{path}: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise EvaluationError(
            f"{path}: neither Pullquote's own format nor SQuAD's ({type(error).__name__}: {error})"
        ) from error
    ids = {article.id for article in known}
    names = ids | {article.title for article in known}
    if missing := (articles - names) | ({question.article for question in questions} - ids):
        raise EvaluationError(f"{path}: no article is named {', '.join(sorted(missing))}")
    kept = [article for article in known if not articles or articles & {article.id, article.title}]
    ids = {article.id for article in kept}
    questions = [question for question in questions if question.article in ids]
    if not questions:
        raise EvaluationError(f"{path}: there are no questions in it")
    return kept, questions


def predict(
    articles: list[GoldArticle], questions: list[GoldQuestion], settings: Settings, progress: Callable[[int, int], None]
) -> Iterator[Prediction]:
    """Ask every question of a library that holds its own article only."""
    done = 0
    with WorkerEncoder(settings.encoder) as encoder:
        for gold in articles:
            with tempfile.TemporaryDirectory() as folder:
                library = Library(Path(folder))
                try:
                    article = make_article(gold.text, source=gold.id, title=gold.title)
                    add_article(library, article, encoder, lambda *_: None)
                    VectorIndex.build(library)
                    assistant = Assistant.open(library, settings)
                    text = normalise(gold.text)
                    for question in (question for question in questions if question.article == gold.id):
                        answer = assistant.ask(question.question)
                        done += 1
                        progress(done, len(questions))
                        yield Prediction(question, answer, _is_literal(answer, text))
                finally:
                    library.close()


def score(predictions: list[Prediction]) -> Report:
    """The numbers of these predictions. Raises `EvaluationError` when none of the questions has an answer."""
    kinds = Counter(prediction.gold.kind for prediction in predictions)
    answerable = [prediction for prediction in predictions if prediction.gold.kind == "answerable"]
    if not answerable:
        raise EvaluationError("none of these questions has an answer; at least one is needed")
    first_quotes = [prediction.answer.quotes[0].text for prediction in predictions if prediction.answer.quotes]
    seconds = [prediction.answer.seconds["total"] for prediction in predictions]
    refused = Counter(prediction.gold.kind for prediction in predictions if prediction.answer.status == "not_found")
    return Report(
        questions=dict(kinds),
        quote_holds_answer=100 * mean(_holds(prediction) for prediction in answerable),
        quote_words=mean(len(quote.split()) for quote in first_quotes) if first_quotes else 0.0,
        exact_match=100 * mean(_best(exact_match, prediction) for prediction in answerable),
        f1=100 * mean(_best(f1, prediction) for prediction in answerable),
        refused={kind: 100 * refused[kind] / count for kind, count in kinds.items()},
        literal=100 * mean(prediction.literal for prediction in predictions),
        seconds_median=median(seconds),
        seconds_p95=quantiles(seconds, n=20, method="inclusive")[-1] if len(seconds) > 1 else seconds[0],
    )


def rows(report: Report) -> list[tuple[str, str]]:
    """The report in words, a measure a row."""
    return [
        ("questions", ", ".join(f"{count} {kind}" for kind, count in report.questions.items())),
        ("quote holds answer", f"{report.quote_holds_answer:.1f} % at {report.quote_words:.1f} words"),
        ("EM / F1", f"{report.exact_match:.1f} / {report.f1:.1f}"),
        *((f"refused, {kind}", f"{share:.1f} %") for kind, share in report.refused.items()),
        ("literal quotes", f"{report.literal:.1f} %"),
        ("seconds a question", f"{report.seconds_median:.3f} median, {report.seconds_p95:.3f} p95"),
    ]


def plain(text: str) -> str:
    """SQuAD's normalisation: lower case, no punctuation, no a/an/the, single blanks."""
    text = "".join(char for char in text.lower() if char not in string.punctuation)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def exact_match(answer: str, gold: str) -> float:
    """1.0 when the two are the same after `plain`."""
    return float(plain(answer) == plain(gold))


def f1(answer: str, gold: str) -> float:
    """Harmonic mean of precision and recall over the words of `plain`."""
    said, wanted = plain(answer).split(), plain(gold).split()
    shared = sum((Counter(said) & Counter(wanted)).values())
    return 2 * shared / (len(said) + len(wanted)) if shared else float(said == wanted)


def _require_strings(*values: object) -> None:
    for value in values:
        if not isinstance(value, str):
            raise TypeError(f"{value!r} is not a string")


def _from_own(data: dict[str, Any]) -> tuple[list[GoldArticle], list[GoldQuestion]]:
    articles = [GoldArticle(row["id"], row["title"], row["text"]) for row in data["articles"]]
    questions = [
        # subtle: `[] +` lets only a list through; a string would become one answer a letter
        GoldQuestion(row["id"], row["article"], row["question"], row["kind"], tuple([] + row["answers"]))
        for row in data["questions"]
        if not row.get("after")  # a follow-up cannot be asked alone
    ]
    return articles, questions


def _from_squad(data: list[dict[str, Any]]) -> tuple[list[GoldArticle], list[GoldQuestion]]:
    """SQuAD's articles, their paragraphs joined by blank lines; its unanswerable questions are "adversarial"."""
    articles, questions = [], []
    for row in data:
        title = row["title"]
        text = "\n\n".join(paragraph["context"].strip() for paragraph in row["paragraphs"])
        articles.append(GoldArticle(title, title.replace("_", " "), text))
        for entry in (entry for paragraph in row["paragraphs"] for entry in paragraph["qas"]):
            kind = "adversarial" if entry.get("is_impossible") else "answerable"
            answers = tuple(dict.fromkeys(answer["text"] for answer in entry["answers"]))
            questions.append(GoldQuestion(entry["id"], title, entry["question"], kind, answers))
    return articles, questions


def _is_literal(answer: Answer, text: str) -> bool:
    return all(text[quote.start : quote.end] == quote.text for quote in answer.quotes)


def _holds(prediction: Prediction) -> bool:
    quotes = prediction.answer.quotes
    return bool(quotes) and any(plain(gold) in plain(quotes[0].text) for gold in prediction.gold.answers)


def _best(measure: Callable[[str, str], float], prediction: Prediction) -> float:
    if prediction.answer.status == "not_found":
        return 0.0
    return max((measure(prediction.answer.text, gold) for gold in prediction.gold.answers), default=0.0)
