"""Questions with gold answers: read from a file and asked.

A file is in Pullquote's own format, or SQuAD 1.1 or 2.0. The own format, in JSON, where further keys are left alone:

    {"articles": [{"id": "a", "title": "…", "text": "…"}],
     "questions": [{"id": "1", "article": "a", "question": "…", "kind": "answerable", "answers": ["…", "…"],
                    "after": ["an earlier question", "…"], "paragraph": [0, 480]}]}

An article whose id ends in ".md" is read as Markdown. `after` and `paragraph` (where the gold answer stands: the span
of its paragraph in `text`) may be left out. A kind is a word of one's own. What is right follows from the answers: a
question that has some is right when a quote holds one; of kind "overview", when the answer is one; any other ("absent",
"adversarial", …) when it is refused.
"""

import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from pullquote.answering import Assistant, Trace
from pullquote.articles import make_article, normalise
from pullquote.datatypes import Answer, Quote
from pullquote.embedding import WorkerEncoder
from pullquote.errors import EvaluationError
from pullquote.ingesting import add_article
from pullquote.library import Library
from pullquote.measuring import gold_rank, holds, is_refusal, lost_at
from pullquote.settings import MAX_QUESTION, Settings
from pullquote.vector_index import VectorIndex
from pullquote.wording import Wording


@dataclass(frozen=True)
class GoldQuestion:
    """A question about one article, after the questions `after`; `kind` is "answerable" or a way of not being so."""

    id: str
    article: str
    question: str
    kind: str
    answers: tuple[str, ...]
    after: tuple[str, ...] = ()
    paragraph: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        _require_strings(self.id, self.article, self.question, self.kind, *self.answers, *self.after)
        if self.kind == "answerable" and not self.answers:
            raise ValueError(f"the answerable question {self.id} has no answer")
        if any(not text.strip() or len(text) > MAX_QUESTION for text in (self.question, *self.after)):
            raise ValueError(f"the question {self.id} is empty or longer than {MAX_QUESTION:,} characters")
        if self.paragraph and not 0 <= self.paragraph[0] < self.paragraph[1]:
            raise ValueError(f"the paragraph of {self.id} is no span")

    @property
    def is_factual(self) -> bool:
        """Whether it asks for a fact, by itself: no overview, no follow-up."""
        return self.kind != "overview" and not self.after


@dataclass(frozen=True)
class GoldArticle:
    """An article as the file has it."""

    id: str
    title: str
    text: str

    def __post_init__(self) -> None:
        _require_strings(self.id, self.title)
        if not isinstance(self.text, str):
            raise TypeError(f"the text of {self.id} is not a string")


@dataclass(frozen=True)
class Prediction:
    """A question, its answer, and what is measured of how it came about.

    `literal`: all quotes are slices of the file's text. `rank`: of the first passage that holds a gold answer.
    `second`: the second reader was consulted. `stage`: where it went wrong, if it did: a stage of `lost_at`; "judging"
    also for an answer where there is none; "understanding" where the question was taken for another kind than it is.
    `wording`: what a language model wrote, if one was asked.
    """

    gold: GoldQuestion
    answer: Answer
    literal: bool
    rank: int | None
    second: bool
    stage: str
    wording: Wording | None = None

    @classmethod
    def of(cls, gold: GoldQuestion, trace: Trace, text: str) -> Self:
        """The prediction of a trace. `text` is the article's, as the file has it, normalised."""
        rank = gold_rank(trace, gold.answers, gold.paragraph)
        second = any(reading.second for reading in trace.readings)
        literal, stage = _is_literal(trace.answer, text), _stage(gold, trace)
        return cls(gold, trace.answer, literal, rank, second, stage, trace.wording)

    @property
    def right(self) -> bool:
        """Whether what is expected of a question of this kind was given, in the first quote if it is a gold answer."""
        return self._is_right(self.answer.quotes[:1])

    @property
    def right_anywhere(self) -> bool:
        """The same, but any of the quotes may hold the gold answer."""
        return self._is_right(self.answer.quotes)

    @property
    def chance(self) -> float:
        """The estimated chance that the article answers: of a refusal, what its confidence leaves."""
        return 1 - self.answer.confidence if is_refusal(self.answer) else self.answer.confidence

    def _is_right(self, quotes: Sequence[Quote]) -> bool:
        if self.gold.answers:
            return any(holds(quote.text, self.gold.answers) for quote in quotes)
        return self.answer.status == "overview" if self.gold.kind == "overview" else is_refusal(self.answer)


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
    if not any(question.answers for question in questions):
        raise EvaluationError(f"{path}: none of these questions has an answer; at least one is needed")
    return kept, questions


def assistants(articles: Iterable[GoldArticle], settings: Settings) -> Iterator[tuple[GoldArticle, Assistant]]:
    """Each article with an assistant over a library of it alone; the library goes when the next one is taken."""
    with WorkerEncoder(settings.encoder) as encoder:
        for gold in articles:
            with tempfile.TemporaryDirectory() as folder, closing(Library(Path(folder))) as library:
                is_markdown = gold.id.endswith(".md")
                article = make_article(gold.text, source=gold.id, title=gold.title, markdown=is_markdown)
                add_article(library, article, encoder, lambda *_: None)
                VectorIndex.build(library)
                yield gold, Assistant.open(library, settings)


def predict(
    articles: list[GoldArticle], questions: list[GoldQuestion], settings: Settings, progress: Callable[[int, int], None]
) -> Iterator[Prediction]:
    """Ask every question of a library that holds its own article only; the answers are in the articles' words."""
    for found in _predict(articles, questions, settings, progress, [Assistant.without_model]):
        yield found[0]


def predict_both(
    articles: list[GoldArticle], questions: list[GoldQuestion], settings: Settings, progress: Callable[[int, int], None]
) -> Iterator[list[Prediction]]:
    """The same, and beside it what the language model of the settings makes of the question."""
    modes = [Assistant.without_model, lambda assistant: assistant]
    yield from _predict(articles, questions, settings, progress, modes)


def _predict(
    articles: list[GoldArticle],
    questions: list[GoldQuestion],
    settings: Settings,
    progress: Callable[[int, int], None],
    modes: Sequence[Callable[[Assistant], Assistant]],
) -> Iterator[list[Prediction]]:
    """Each question asked in every mode."""
    done = 0
    asked_about = {question.article for question in questions}
    for gold, assistant in assistants((article for article in articles if article.id in asked_about), settings):
        text, asked = normalise(gold.text), [mode(assistant) for mode in modes]
        for question in (question for question in questions if question.article == gold.id):
            traces = [one.trace(question.question, history=question.after) for one in asked]
            done += 1
            progress(done, len(questions))
            yield [Prediction.of(question, trace, text) for trace in traces]


def _require_strings(*values: object) -> None:
    for value in values:
        if not isinstance(value, str):
            raise TypeError(f"{value!r} is not a string")
        value.encode("utf-8")  # raises a ValueError where JSON held half a character


def _from_own(data: dict[str, Any]) -> tuple[list[GoldArticle], list[GoldQuestion]]:
    articles = [GoldArticle(row["id"], row["title"], row["text"]) for row in data["articles"]]
    # A paragraph's offsets are good for the text that is stored only where normalisation leaves the file's as it is.
    same = {article.id for article in articles if normalise(article.text) == article.text}
    questions = []
    for row in data["questions"]:
        # subtle: `[] +` lets only a list through; a string would become one answer a letter
        answers, after = tuple([] + row["answers"]), tuple([] + (row.get("after") or []))
        first, last = row.get("paragraph") or (0, 0)
        paragraph = (int(first), int(last)) if last and row["article"] in same else None
        question = GoldQuestion(row["id"], row["article"], row["question"], row["kind"], answers, after, paragraph)
        questions.append(question)
    return articles, questions


def _from_squad(data: list[dict[str, Any]]) -> tuple[list[GoldArticle], list[GoldQuestion]]:
    """SQuAD's articles, their paragraphs joined by blank lines; its unanswerable questions are "adversarial"."""
    articles, questions = [], []
    for row in data:
        title, text = row["title"], ""
        for paragraph in row["paragraphs"]:
            text += "\n\n" if text else ""
            start = len(text)
            text += normalise(paragraph["context"]).strip()
            for entry in paragraph["qas"]:
                kind = "adversarial" if entry.get("is_impossible") else "answerable"
                answers = tuple(dict.fromkeys(answer["text"] for answer in entry["answers"]))
                place = (start, len(text)) if len(text) > start else None
                questions.append(GoldQuestion(entry["id"], title, entry["question"], kind, answers, paragraph=place))
        articles.append(GoldArticle(title, title.replace("_", " "), text))
    return articles, questions


def _stage(gold: GoldQuestion, trace: Trace) -> str:
    if gold.kind == "overview" or not trace.readings:
        return "understanding"
    # What only a later quote of the answer says is not lost; if it is wrong, another was found likelier.
    return (lost_at(trace, gold.answers) or "reading") if gold.answers else "judging"


def _is_literal(answer: Answer, text: str) -> bool:
    quotes = [*answer.quotes, *([answer.closest] if answer.closest else [])]
    return all(text[quote.start : quote.end] == quote.text for quote in quotes)
