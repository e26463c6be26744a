"""Fit the judge to questions with known answers, and say what it is worth on articles that it was not fitted to."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pullquote.errors import EvaluationError
from pullquote.evaluating import GoldArticle, GoldQuestion, assistants
from pullquote.examining import HOPELESS, SURE, Examiner
from pullquote.judging import FAST, SECOND, Judge, Logistic, Verdict
from pullquote.measuring import area_under_roc, calibration_error, holds, reliability
from pullquote.settings import Settings

REFUSED = 0.033  # of the answerable questions: where the threshold is set; misspelt ones are asked once more
# Inverse strength on standardised features: nine articles are few, and the second reading's features go together more.
REGULARISATION = {"fast": 0.1, "second": 0.03}
ROUNDS = 3  # fit, choose each question's best sentence with the fit, fit again: the choices settle in two
FEWEST = 30  # questions of each sort, with an answer and without

Features = NDArray[np.float64]
Fold = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence as it was judged: its features and whether it holds a right answer."""

    features: dict[str, float]
    right: bool


@dataclass(frozen=True, slots=True)
class Sample:
    """A question with the sentences of its first reading and those read again."""

    gold: GoldQuestion
    fast: tuple[Sentence, ...]
    second: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class Judgement:
    """A question's best sentence, judged by a fit to the other articles."""

    gold: GoldQuestion
    confidence: float
    right: bool
    refused: bool


def gather(
    articles: list[GoldArticle], questions: list[GoldQuestion], settings: Settings, progress: Callable[[int, int], None]
) -> Iterator[Sample]:
    """Read every question that asks for a fact of its own article, thoroughly."""
    asked = [question for question in questions if question.is_factual]
    done = 0
    for article, assistant in assistants(articles, settings):
        for question in (question for question in asked if question.article == article.id):
            examiner: Examiner = assistant.examiner
            fast, second = examiner.read_all(question.question, examiner.retrieve(question.question))
            done += 1
            progress(done, len(asked))
            yield Sample(question, _sentences(question, fast), _sentences(question, second))


def fit(samples: Sequence[Sample], fitted_on: str) -> Judge:
    """The judge of these samples. Raises `EvaluationError` when they are too few, or all of one sort."""
    answerable = sum(bool(sample.gold.answers) for sample in samples)
    if min(answerable, len(samples) - answerable) < FEWEST:
        raise EvaluationError(
            f"a judge is fitted to {FEWEST} questions with an answer and {FEWEST} without, at least; "
            f"these are {answerable} and {len(samples) - answerable}"
        )
    return Judge(_logistic(samples, "fast", FAST), _logistic(samples, "second", SECOND), fitted_on)


def cross_validate(samples: Sequence[Sample]) -> list[Judgement]:
    """Each question judged by the fit to the other articles; raises `EvaluationError` when there is only one."""
    articles = sorted({sample.gold.article for sample in samples})
    if len(articles) < 2:
        raise EvaluationError("all questions are about one article; it takes two or more to test a fit")
    found = []
    for article in articles:
        judge = fit([sample for sample in samples if sample.gold.article != article], "")
        found += [_judge(judge, sample) for sample in samples if sample.gold.article == article]
    return found


def rows(judged: Sequence[Judgement]) -> list[tuple[str, str]]:
    """What the fits were worth, in words. The chance is that of the best sentence to answer, refused or not."""
    kinds = sorted({one.gold.kind for one in judged}, key=lambda kind: (kind != "answerable", kind))
    of = {kind: [one for one in judged if one.gold.kind == kind] for kind in kinds}
    bins = reliability([one.confidence for one in judged], [one.right for one in judged])
    found = [("calibration error, 10 bins", f"{calibration_error(bins):.3f}")]
    found += [(f"refused, {kind}", f"{_percent([one.refused for one in ones])} %") for kind, ones in of.items()]
    answered = [one for one in judged if one.gold.answers]
    found += [("best sentence holds the answer", f"{_percent([one.right and not one.refused for one in answered])} %")]
    for kind, ones in of.items():
        if not ones[0].gold.answers:
            area = area_under_roc([one.confidence for one in answered], [one.confidence for one in ones])
            found.append((f"AUC, with an answer against {kind}", f"{100 * area:.1f}"))
    plain = [one for one in judged if one.gold.kind != "adversarial"]
    for least in (0.9, 0.6):
        sure = [one.right for one in plain if one.confidence >= least]
        share = f"{_percent(sure)} % of the {_percent([one.confidence >= least for one in plain])} % of questions"
        found.append((f"right at confidence {least} or more, without adversarial ones", share if sure else "none"))
    return found


def _percent(values: Sequence[bool]) -> str:
    return f"{100 * sum(values) / max(1, len(values)):.1f}"


def _judge(judge: Judge, sample: Sample) -> Judgement:
    """The path's own decision: the first reading when that is sure or hopeless, else the second."""
    best, logistic = _best(judge.fast, sample.fast), judge.fast
    if best and sample.second and HOPELESS < best[0] < SURE:
        best, logistic = _best(judge.second, sample.second), judge.second
    confidence, right = best or (0.0, False)
    return Judgement(sample.gold, confidence, right, refused=confidence < logistic.threshold)


def _best(logistic: Logistic, sentences: Sequence[Sentence]) -> tuple[float, bool] | None:
    judged = [(logistic.confidence(sentence.features), sentence.right) for sentence in sentences]
    return max(judged, default=None, key=lambda pair: pair[0])


def _logistic(samples: Sequence[Sample], reading: str, names: Sequence[str]) -> Logistic:
    """Fitted to each question's best sentence, as the fit itself chooses it (scikit-learn, L2, standardised)."""
    tables = [
        (np.array([[sentence.features[name] for name in names] for sentence in sentences]), sample.gold, sentences)
        for sample in samples
        if (sentences := getattr(sample, reading))
    ]
    lead = names.index("evidence" if reading == "fast" else "second_evidence")
    chosen = [int(np.argmax(table[:, lead])) for table, _, _ in tables]
    weights, intercept = np.zeros(len(names)), 0.0
    for _ in range(ROUNDS):
        rows = np.array([table[best] for (table, _, _), best in zip(tables, chosen, strict=True)])
        right = [sentences[best].right for (_, _, sentences), best in zip(tables, chosen, strict=True)]
        weights, intercept = _regress(rows, right, REGULARISATION[reading])
        chosen = [int(np.argmax(table @ weights)) for table, _, _ in tables]
    logits = [float(np.max(table @ weights) + intercept) for table, gold, _ in tables if gold.answers]
    threshold = 1 / (1 + np.exp(-np.quantile(logits, REFUSED)))
    return Logistic(intercept, dict(zip(names, map(float, weights), strict=True)), float(threshold))


def _regress(rows: Features, right: Sequence[bool], strength: float) -> tuple[Features, float]:
    """Weights of the features as they are, and the intercept; `strength` is the inverse one of the regularisation."""
    from sklearn.linear_model import LogisticRegression

    if len(set(right)) < 2:
        raise EvaluationError(
            f"{'all' if right[0] else 'none'} of the best sentences are right; there is nothing to fit"
        )
    mean, scale = rows.mean(axis=0), rows.std(axis=0)
    scale[scale == 0] = 1.0
    model: Any = LogisticRegression(C=strength, max_iter=5_000).fit((rows - mean) / scale, right)
    weights: Features = model.coef_[0] / scale
    return weights, float(model.intercept_[0] - weights @ mean)


def _sentences(question: GoldQuestion, verdicts: Sequence[Verdict]) -> tuple[Sentence, ...]:
    text = verdicts[0].span.passage.article.text if verdicts else ""
    return tuple(
        Sentence(verdict.features, holds(text[slice(*verdict.span.sentence)], question.answers)) for verdict in verdicts
    )
