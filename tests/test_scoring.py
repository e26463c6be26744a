"""The numbers of predictions made by hand, and their comparison with an earlier report."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pullquote.errors import EvaluationError
from pullquote.evaluating import Prediction
from pullquote.scoring import COMPARED, WORST, Report, compare, read_baseline, score
from tests.predicting import predict, reading

# Right, wrong and refused ones of every kind. "Paris" is one of the three words of "the city of Paris": F1 is 1/2.
PREDICTIONS = [
    predict("answerable", ["1889"], ["1889"], 0.95, seconds=0.1),
    predict("answerable", ["Eiffel Tower"], ["The Eiffel Tower"], 0.95, seconds=0.2),
    predict("answerable", ["the city of Paris", "Lyon"], ["Paris"], 0.6, seconds=0.3),
    predict("answerable", ["Gustave Eiffel"], ["Paris", "Gustave Eiffel"], 0.97, seconds=0.4),
    predict("answerable", ["company"], [], 0.8, seconds=1.5, readings=[reading(["built"], twice=True)]),
    predict("absent", [], [], 0.9, seconds=0.1),
    predict("absent", [], ["Paris"], 0.5, seconds=0.2, literal=False),
    predict("adversarial", [], ["1889"], 0.92, seconds=0.3),
    predict("overview", [], ["1889"], 1.0, status="overview", seconds=0.1, readings=[]),
    predict("overview", [], [], 0.7, seconds=0.1),
    predict("yesno", ["1889"], ["Paris"], 0.4, status="related", seconds=0.1),
    predict("absent", [], [], 1.0, status="guidance", seconds=0.1, readings=[]),
]


@pytest.fixture
def report() -> Report:
    return score(PREDICTIONS)


def values(report: Report) -> dict[str, float | None]:
    return {name: measure.value for name, measure in report.measures.items()}


def test_the_report_of_a_hand_made_evaluation(report: Report) -> None:
    found = values(report)
    kinds = [(kind, row.questions) for kind, row in report.kinds.items()]
    assert kinds == [("answerable", 5), ("absent", 3), ("adversarial", 1), ("overview", 2), ("yesno", 1)]
    expected = {
        "quote_holds_answer": 3 / 6,  # 1889 twice (in the quote around "Paris" too) and the tower; not "the city of …"
        "any_quote_holds_answer": 4 / 6,
        "exact_match": 2 / 6,
        "f1": (1 + 1 + 1 / 2 + 0 + 0 + 0) / 6,
        "refusal_precision": 2 / 4,  # of company, absent, overview, guidance
        "refusal_recall": 2 / 4,  # of three absent and one adversarial
        "sure_right": 2 / 3,  # 0.95, 0.95, 0.97; the adversarial one is left out
        "sure_share": 3 / 6,
        "literal": 11 / 12,
        "second_reader": 1 / 12,
    }
    assert {name: found[name] for name in expected} == pytest.approx(
        {name: 100 * share for name, share in expected.items()}
    )
    assert found["quote_words"] == pytest.approx(8.0)  # of eight first quotes, each the sentence of eight words
    assert report.measures["quote_holds_answer"].questions == 6
    assert report.measures["quote_holds_answer"].error == pytest.approx(100 * np.sqrt(0.5 * 0.5 / 6))


def test_every_kind_has_its_row(report: Report) -> None:
    absent, yesno, overview = (report.kinds[kind] for kind in ("absent", "yesno", "overview"))
    assert (absent.right, absent.refused) == pytest.approx((200 / 3, 200 / 3))
    assert (yesno.right, yesno.refused, yesno.auc) == (100.0, 0.0, None)
    assert (overview.right, overview.refused, overview.auc) == (50.0, 50.0, None)
    answerable = report.kinds["answerable"]
    assert (answerable.right, answerable.right_anywhere, answerable.refused) == pytest.approx((40.0, 60.0, 20.0))


def test_the_chances_of_a_kind_are_told_from_those_of_the_answerable(report: Report) -> None:
    with_answers = [0.95, 0.95, 0.6, 0.97, 1 - 0.8, 0.4]
    for kind, chances in {"absent": [1 - 0.9, 0.5, 0.0], "adversarial": [0.92]}.items():
        pairs = [(one > other) + 0.5 * (one == other) for one in with_answers for other in chances]
        assert report.kinds[kind].auc == pytest.approx(100 * np.mean(pairs))


def test_the_confidence_of_a_refusal_is_that_of_the_refusal(report: Report) -> None:
    by_bin = {round(one.high, 1): one for one in report.reliability}
    assert (by_bin[0.8].count, by_bin[0.8].right) == (1, 0.0)  # the refused one that has an answer
    assert by_bin[0.9].right == 1.0  # the absent one, refused
    assert report.risk_coverage[-1] == pytest.approx((1.0, sum(not row.right for row in PREDICTIONS) / 12))


def test_seconds_are_numpys_percentiles(report: Report) -> None:
    seconds = [row.answer.seconds["total"] for row in PREDICTIONS]
    found = values(report)
    assert found["seconds_median"] == pytest.approx(np.percentile(seconds, 50))
    assert found["seconds_p95"] == pytest.approx(np.percentile(seconds, 95))


def test_the_worst_come_first_and_say_where_they_were_lost(report: Report) -> None:
    assert [(case.kind, case.said, case.confidence, case.stage) for case in report.worst] == [
        ("answerable", "Paris", 0.97, "reading"),
        ("adversarial", "1889", 0.92, "judging"),
        ("answerable", "Paris", 0.6, "retrieval"),
        ("absent", "Paris", 0.5, "judging"),
        ("answerable", "", 0.8, "judging"),
        ("overview", "", 0.7, "understanding"),
    ]
    assert report.lost == {"retrieval": 1, "reading": 1, "judging": 1}


def test_half_of_the_worst_may_be_refusals() -> None:
    wrong = [predict("absent", [], ["Paris"], 0.5 + row / 100, number=row) for row in range(30)]
    refused = [predict("answerable", ["1889"], [], 0.5 + row / 100, number=row) for row in range(30)]
    cases = score([*refused, *wrong]).worst
    assert len(cases) == WORST
    assert [case.id for case in cases] == [
        *(f"absent {row}" for row in range(29, 19, -1)),
        *(f"answerable {row}" for row in range(29, 19, -1)),
    ]
    assert [case.kind for case in score([*refused[:2], *wrong]).worst] == ["absent"] * 18 + ["answerable"] * 2


def test_a_follow_up_is_shown_with_what_came_before() -> None:
    wrong = predict("followup", ["1889"], [])
    case = score([replace(wrong, gold=replace(wrong.gold, after=("Who built it?",)))]).worst[0]
    assert case.question == "Who built it? → What?"


def test_one_question_is_enough_and_none_is_not() -> None:
    report = score(PREDICTIONS[:1])
    found = values(report)
    assert (found["seconds_median"], found["seconds_p95"], found["exact_match"]) == (0.1, 0.1, 100.0)
    assert (found["refusal_precision"], found["refusal_recall"]) == (None, None)
    assert (report.lost, report.worst) == ({}, [])
    for without in ([PREDICTIONS[5]], []):
        with pytest.raises(EvaluationError, match="none of these questions has an answer"):
            score(without)


def data(predictions: list[Prediction] = PREDICTIONS) -> dict[str, Any]:
    """What --json prints."""
    found: dict[str, Any] = json.loads(json.dumps(asdict(score(predictions))))
    return found


def golds(predictions: list[Prediction] = PREDICTIONS) -> list[Any]:
    return [row.gold for row in predictions]


def test_a_report_does_not_fall_behind_itself(tmp_path: Path) -> None:
    file = tmp_path / "baseline.json"
    file.write_text(json.dumps(data()))
    changes = compare(data(), read_baseline(file, golds()), tolerance=0.0)
    assert {*COMPARED, "right, absent", "AUC, adversarial"} <= {change.name for change in changes}
    assert not any(change.fell for change in changes)
    assert all(change.before == change.now for change in changes)


@pytest.mark.parametrize(
    ("name", "step", "fell"),
    [
        ("exact_match", -1.5, True),
        ("exact_match", -1.0, False),  # a fall by the tolerance is none
        ("exact_match", 5.0, False),
        ("calibration_error", 1.5, True),
        ("calibration_error", -5.0, False),
        ("area_under_risk", 1.5, True),
        ("literal", -0.1, True),  # any quote that is not literal
    ],
)
def test_a_fall_is_what_is_worse_by_more_than_the_tolerance(name: str, step: float, fell: bool) -> None:
    before, now = data(), data()
    now["measures"][name]["value"] = before["measures"][name]["value"] + step
    assert [change.name for change in compare(now, before) if change.fell] == ([name] if fell else [])


def test_a_fall_of_one_kind_is_a_fall() -> None:
    before, now = data(), data()
    now["kinds"]["absent"]["right"] -= 10
    assert [change.name for change in compare(now, before) if change.fell] == ["right, absent"]
    assert not any(change.fell for change in compare(now, before, tolerance=10.0))


def test_what_could_not_be_measured_is_not_compared() -> None:
    before, now = data(), data()
    now["measures"]["refusal_precision"]["value"] = None
    (change,) = (change for change in compare(now, before) if change.name == "refusal_precision")
    assert (change.now, change.fell) == (None, False)


def _without(*path: str) -> dict[str, Any]:
    found = data()
    inner = found
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    return found


@pytest.mark.parametrize(
    "content",
    [
        *("", "{", "[]", "null", "7", "{}", '"measures"', '{"measures": [], "kinds": {}}'),
        json.dumps(_without("measures", "f1")),
        json.dumps(_without("measures", "mrr", "value")),
        json.dumps(_without("kinds", "absent", "right")),
        json.dumps(_without("kinds", "absent", "questions")),
        json.dumps(_without("kinds")),
        json.dumps(data() | {"kinds": [1]}),
        json.dumps({"questions": {"answerable": 270}, "exact_match": 66.7, "f1": 76.1}),  # of release 0.1
    ],
)
def test_a_baseline_that_is_none_is_named_with_what_is_wrong(tmp_path: Path, content: str) -> None:
    file = tmp_path / "baseline.json"
    file.write_text(content)
    with pytest.raises(EvaluationError, match=r"baseline\.json: not what `pullquote eval --json` of this version"):
        read_baseline(file, golds())


@pytest.mark.parametrize("value", ["66.7", [66.7], float("nan"), float("inf"), 10**400])
def test_a_measure_that_is_no_number_is_refused(tmp_path: Path, value: Any) -> None:
    file = tmp_path / "baseline.json"
    found = data()
    found["measures"]["f1"]["value"] = value
    file.write_text(json.dumps(found))
    with pytest.raises(EvaluationError, match="not what"):
        read_baseline(file, golds())


def test_a_baseline_of_other_questions_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "baseline.json"
    file.write_text(json.dumps(data(PREDICTIONS[1:])))
    with pytest.raises(EvaluationError, match=r"other questions \(5 answerable, 3 absent.*\(4 answerable, 3 absent"):
        read_baseline(file, golds())
    with pytest.raises(EvaluationError, match=r"nowhere\.json: No such file"):
        read_baseline(tmp_path / "nowhere.json", golds())
