"""Fitting on planted data: the outsiders are scikit-learn and the plant."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from pullquote.calibrating import REFUSED, REGULARISATION, Sample, Sentence, cross_validate, fit, rows
from pullquote.errors import EvaluationError
from pullquote.evaluating import GoldQuestion
from pullquote.examining import SURE
from pullquote.judging import FAST, SECOND

NAMES = sorted({*FAST, *SECOND})


def planted(articles: int = 4, each: int = 40, flipped: str = "") -> list[Sample]:
    """Half of the questions have an answer; evidence tells which, but for one article where it says the contrary."""
    chance = np.random.default_rng(3)
    samples = []
    for number in range(articles * each):
        article, answerable = f"a{number % articles}", number // articles % 2 == 0
        sign = (1 if answerable else -1) * (-1 if article == flipped else 1)
        values = dict.fromkeys(NAMES, 0.0) | {name: float(chance.normal()) for name in ("fused", "dense")}
        for name in ("evidence", "margin", "second_evidence", "second_margin"):
            values[name] = 3.0 * sign + float(chance.normal())
        gold = GoldQuestion(
            str(number), article, "What?", "answerable" if answerable else "absent", ("x",) * answerable
        )
        weak = {name: value - 9.0 for name, value in values.items()}
        sentences = (Sentence(weak, False), Sentence(values, answerable))
        samples.append(Sample(gold, sentences, sentences))
    return samples


def test_the_fit_is_scikit_learns_on_the_best_sentences() -> None:
    samples = planted()
    judge = fit(samples, "a plant")
    table = np.array([[sample.fast[1].features[name] for name in FAST] for sample in samples])
    right = [sample.fast[1].right for sample in samples]
    spread = np.where(table.std(axis=0) == 0, 1.0, table.std(axis=0))
    scaled = (table - table.mean(axis=0)) / spread
    model = LogisticRegression(C=REGULARISATION["fast"], max_iter=5_000).fit(scaled, right)
    expected = model.predict_proba(scaled)[:, 1]
    found = [judge.fast.confidence(sample.fast[1].features) for sample in samples]
    assert found == pytest.approx(expected.tolist(), abs=1e-6)
    assert judge.fitted_on == "a plant"


def test_the_threshold_refuses_the_share_it_says() -> None:
    samples = planted(each=250)
    judge = fit(samples, "")
    confidences = [judge.fast.confidence(s.fast[1].features) for s in samples if s.gold.answers]
    assert np.mean([value < judge.fast.threshold for value in confidences]) == pytest.approx(REFUSED, abs=0.003)


def test_the_better_sentence_is_chosen() -> None:
    judged = cross_validate(planted())
    assert np.mean([one.right == bool(one.gold.answers) for one in judged]) > 0.95


def test_no_article_is_judged_by_a_fit_that_saw_it() -> None:
    """An article where evidence says the contrary is judged wrong, though a fit that saw it alone would do right."""
    judged = cross_validate(planted(flipped="a1"))
    wrong = [one for one in judged if one.gold.article == "a1" and (one.confidence > 0.5) != bool(one.gold.answers)]
    assert len(wrong) > 0.9 * 40
    others = [one for one in judged if one.gold.article != "a1"]
    assert np.mean([(one.confidence > 0.5) == bool(one.gold.answers) for one in others]) > 0.9


def test_a_sure_first_reading_is_not_overruled() -> None:
    contrary = [Sentence(one.features, not one.right) for one in planted()[0].second]
    samples = [replace(sample, second=(*contrary, *sample.second)) for sample in planted()]
    judged = cross_validate(samples)
    sure = [one for one in judged if one.confidence >= SURE]
    assert sure
    assert all(one.right for one in sure)


def test_too_few_questions_are_told() -> None:
    with pytest.raises(EvaluationError, match=r"30 questions with an answer and 30 without.* 20 and 20"):
        fit(planted(articles=1), "")
    with pytest.raises(EvaluationError, match="one article"):
        cross_validate(planted(articles=1, each=80))


def test_questions_that_are_all_answered_wrong_are_told() -> None:
    samples = [replace(one, fast=one.fast[:1], second=one.second[:1]) for one in planted()]
    with pytest.raises(EvaluationError, match="none of the best sentences"):
        fit(samples, "")


def test_the_numbers_are_told() -> None:
    found = dict(rows(cross_validate(planted())))
    assert set(found) >= {"calibration error, 10 bins", "refused, answerable", "refused, absent"}
    assert float(found["AUC, with an answer against absent"]) > 99
