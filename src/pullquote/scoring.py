"""From predictions to the numbers of an evaluation, and how they compare with those of an earlier one."""

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median, quantiles
from typing import Any

from pullquote.errors import EvaluationError
from pullquote.evaluating import GoldQuestion, Prediction
from pullquote.measuring import (
    Bin,
    area_under_risk,
    area_under_roc,
    calibration_error,
    exact_match,
    f1,
    hits,
    holds,
    is_refusal,
    reciprocal_ranks,
    reliability,
    risk_coverage,
    said,
    short_answer,
    standard_error,
)

WORST = 20  # cases told
SURE = 0.9  # confidence of the answers that must nearly all be right
TOLERANCE = 1.0  # points that a measure may fall before it counts
LOWER_IS_BETTER = ("calibration_error", "area_under_risk")
COMPARED = (
    *("quote_holds_answer", "any_quote_holds_answer", "exact_match", "f1", "refusal_precision", "refusal_recall"),
    *("recall_at_1", "recall_at_3", "recall_at_5", "mrr", "sure_right", "literal"),
    *LOWER_IS_BETTER,
)


@dataclass(frozen=True)
class Measure:
    """A mean over `questions` of them, in percent but for words and seconds, with one standard error.

    No value where there was nothing to measure, no error where it is not a mean of one value a question.
    """

    value: float | None
    error: float | None
    questions: int


@dataclass(frozen=True)
class Kind:
    """The questions of one kind, in percent; `auc` tells their chances from those of questions with gold answers."""

    questions: int
    right: float
    right_anywhere: float
    refused: float
    auc: float | None


@dataclass(frozen=True)
class Case:
    """A wrong answer, or a wrong refusal (nothing `said`), and the stage at which it went wrong."""

    id: str
    article: str
    kind: str
    question: str
    said: str
    quote: str
    golds: tuple[str, ...]
    confidence: float
    stage: str


@dataclass(frozen=True)
class Report:
    """The numbers. `lost` counts the questions with a gold answer that the first quote does not hold, by stage."""

    measures: dict[str, Measure]
    kinds: dict[str, Kind]
    lost: dict[str, int]
    reliability: list[Bin]
    risk_coverage: list[tuple[float, float]]
    worst: list[Case]


@dataclass(frozen=True)
class Change:
    """A measure then and now; `fell` when it got worse by more than the tolerance."""

    name: str
    before: float | None
    now: float | None
    fell: bool


def score(predictions: Sequence[Prediction]) -> Report:
    """The numbers of these predictions. Raises `EvaluationError` when none of the questions has an answer."""
    answerable = [row for row in predictions if row.gold.answers]
    if not answerable:
        raise EvaluationError("none of these questions has an answer; at least one is needed")
    confidences, right = [row.answer.confidence for row in predictions], [row.right for row in predictions]
    bins, curve = reliability(confidences, right), risk_coverage(confidences, right)
    seconds = [row.answer.seconds["total"] for row in predictions]
    p95 = quantiles(seconds, n=20, method="inclusive")[-1] if len(seconds) > 1 else seconds[0]
    means = {name: _percent(values) for name, values in _values(predictions, answerable).items()}
    words = [len(row.answer.quotes[0].text.split()) for row in predictions if row.answer.quotes]
    whole = {"calibration_error": 100 * calibration_error(bins), "area_under_risk": 100 * area_under_risk(curve)}
    whole |= {"seconds_median": median(seconds), "seconds_p95": p95}
    plain = {name: Measure(value, None, len(predictions)) for name, value in whole.items()}
    plain["quote_words"] = Measure(mean(words) if words else None, standard_error(words) if words else None, len(words))
    return Report(
        measures=means | plain,
        kinds={kind: _kind(kind, predictions, answerable) for kind in Counter(row.gold.kind for row in predictions)},
        lost=dict(Counter(row.stage for row in answerable if not row.right)),
        reliability=bins,
        risk_coverage=curve,
        worst=_worst(predictions),
    )


def compare(report: Mapping[str, Any], baseline: Mapping[str, Any], tolerance: float = TOLERANCE) -> list[Change]:
    """Every measure of quality, then and now; both are reports as plain data. What is not literal always counts."""
    before, after = _quality(baseline), _quality(report)
    return [
        Change(name, before[name], value, _fell(name, before[name], value, tolerance))
        for name, value in after.items()
        if not (before[name] is None and value is None)
    ]


def read_baseline(path: Path, questions: Sequence[GoldQuestion]) -> dict[str, Any]:
    """A report on these questions that `--json` wrote.

    Raises `EvaluationError` when it is not one, is of another version, or of other questions, as far as their numbers
    by kind tell.
    """
    try:
        data = json.loads(path.read_bytes())
        for value in _quality(data).values():
            if not (value is None or (isinstance(value, int | float) and math.isfinite(value))):
                raise TypeError(f"{value!r} is not a number")
        asked = {kind: row["questions"] for kind, row in data["kinds"].items()}
    except OSError as error:
        raise EvaluationError(f"{path}: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise EvaluationError(
            f"{path}: not what `pullquote eval --json` of this version writes ({type(error).__name__}: {error})"
        ) from error
    kinds = dict(Counter(question.kind for question in questions))
    if asked != kinds:
        was, now = (", ".join(f"{count} {kind}" for kind, count in of.items()) for of in (asked, kinds))
        raise EvaluationError(f"{path}: these are other questions ({now}) than it measured ({was}); make it anew")
    assert isinstance(data, dict)
    return data


def _values(predictions: Sequence[Prediction], answerable: Sequence[Prediction]) -> dict[str, Sequence[float]]:
    """Of each measure that is a mean: the value, from 0 to 1, of every question that it is about."""
    unanswerable = [row for row in predictions if not row.gold.answers and row.gold.kind != "overview"]
    claims = [row for row in predictions if row.answer.status in ("answered", "related")]
    claims = [row for row in claims if row.gold.kind != "adversarial"]
    sure = [row for row in claims if row.answer.confidence >= SURE]
    ranks = [row.rank for row in answerable]
    marked = [(short_answer(row.answer), row.gold.answers) for row in answerable]
    wordings = [row.wording for row in predictions if row.wording]
    return {
        "quote_holds_answer": [row.right for row in answerable],
        "any_quote_holds_answer": [row.right_anywhere for row in answerable],
        "said_holds_answer": [holds(said(row.answer), row.gold.answers) for row in answerable],
        "exact_match": [bool(words) and exact_match(words, golds) for words, golds in marked],
        "f1": [bool(words) and f1(words, golds) for words, golds in marked],
        "refusal_precision": [row.right for row in predictions if is_refusal(row.answer)],
        "refusal_recall": [is_refusal(row.answer) for row in unanswerable],
        **{f"recall_at_{depth}": hits(ranks, depth) for depth in (1, 3, 5)},
        "mrr": reciprocal_ranks(ranks),
        "sure_right": [row.right for row in sure],
        "sure_share": [row.answer.confidence >= SURE for row in claims],
        "second_reader": [row.second for row in predictions],
        "literal": [row.literal for row in predictions],
        "worded": [not wording.failure for wording in wordings],
        "sentences_dropped": [fault is not None for wording in wordings for _, fault in wording.checked],
    }


def _percent(values: Sequence[float]) -> Measure:
    if not values:
        return Measure(None, None, 0)
    return Measure(100 * float(mean(values)), 100 * standard_error(values), len(values))


def _kind(kind: str, predictions: Sequence[Prediction], answerable: Sequence[Prediction]) -> Kind:
    rows = [row for row in predictions if row.gold.kind == kind]
    others = [row.chance for row in rows if not row.gold.answers and kind != "overview"]
    return Kind(
        questions=len(rows),
        right=100 * mean(row.right for row in rows),
        right_anywhere=100 * mean(row.right_anywhere for row in rows),
        refused=100 * mean(is_refusal(row.answer) for row in rows),
        auc=100 * area_under_roc([row.chance for row in answerable], others) if others else None,
    )


def _worst(predictions: Sequence[Prediction]) -> list[Case]:
    """The surest wrong answers, then the surest refusals of questions that have an answer, at most half of them all."""
    wrong = sorted((row for row in predictions if not row.right), key=lambda row: -row.answer.confidence)
    refused = [row for row in wrong if is_refusal(row.answer)][: WORST // 2]
    answered = [row for row in wrong if not is_refusal(row.answer)][: WORST - len(refused)]
    return [_case(row) for row in [*answered, *refused]]


def _case(row: Prediction) -> Case:
    gold, answer = row.gold, row.answer
    quote = answer.quotes[0] if answer.quotes else answer.closest
    asked = " → ".join([*gold.after, gold.question])
    words, text = short_answer(answer), quote.text if quote else ""
    return Case(gold.id, gold.article, gold.kind, asked, words, text, gold.answers, answer.confidence, row.stage)


def _quality(data: Mapping[str, Any]) -> dict[str, float | None]:
    """The measures by which reports are compared, of a report as plain data. Raises `KeyError` for a missing one."""
    found = {name: data["measures"][name]["value"] for name in COMPARED}
    for kind, row in data["kinds"].items():
        found |= {f"right, {kind}": row["right"], f"AUC, {kind}": row["auc"]}
    return found


def _fell(name: str, before: float | None, now: float | None, tolerance: float) -> bool:
    if before is None or now is None:
        return False
    loss = now - before if name in LOWER_IS_BETTER else before - now
    return loss > (0.0 if name == "literal" else tolerance) + 1e-9  # of rounding
