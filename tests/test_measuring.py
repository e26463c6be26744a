"""The measures, against examples worked by hand, scikit-learn, and the definitions written anew."""

import collections
import itertools
import math
import re
import string
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import roc_auc_score

from pullquote.answering import Trace
from pullquote.datatypes import Status
from pullquote.measuring import (
    area_under_risk,
    area_under_roc,
    calibration_error,
    exact_match,
    f1,
    gold_rank,
    hits,
    holds,
    lost_at,
    plain,
    reciprocal_ranks,
    reliability,
    risk_coverage,
    short_answer,
    standard_error,
)
from tests.predicting import TEXT, answer, passage, reading

WORDS = st.lists(st.sampled_from(["The", "a", "cat", "Cat,", "an", "ant.", "sat", "“sat”", "1889"]), max_size=6)
CONFIDENCE = st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1.0]))
JUDGED = st.lists(st.tuples(CONFIDENCE, st.booleans()), min_size=1, max_size=40)


def squad_tokens(text: str) -> list[str]:
    """`normalize_answer` of SQuAD's evaluate-v1.1.py, in its own order of steps."""
    lower = text.lower()
    unpointed = "".join(letter for letter in lower if letter not in set(string.punctuation))
    return re.sub(r"\b(a|an|the)\b", " ", unpointed).split()


def squad_f1(said: str, gold: str) -> float:
    words, wanted = squad_tokens(said), squad_tokens(gold)
    if not words or not wanted:
        return float(words == wanted)
    same = sum((collections.Counter(words) & collections.Counter(wanted)).values())
    if same == 0:
        return 0.0
    precision, recall = same / len(words), same / len(wanted)
    return 2 * precision * recall / (precision + recall)


@given(WORDS, st.lists(WORDS, max_size=3))
def test_em_and_f1_are_squads(said: list[str], wanted: list[list[str]]) -> None:
    words, golds = " ".join(said), ["  ".join(gold) for gold in wanted]
    assert f1(words, golds) == pytest.approx(max((squad_f1(words, gold) for gold in golds), default=0.0))
    assert exact_match(words, golds) == float(any(squad_tokens(words) == squad_tokens(gold) for gold in golds))
    assert plain(words).split() == squad_tokens(words)


def test_the_measures_of_words_by_hand() -> None:
    assert plain("The  U.S. Army's, and AN Ant\n") == "us armys and ant"
    assert exact_match("the New-York Times!", ["Sun", "newyork times"]) == 1.0
    assert f1("the red big cat", ["dog", "a big black cat"]) == pytest.approx(2 / 3)
    assert (f1("dog", ["cat"]), f1("the", ["a"]), f1("", ["cat"]), f1("cat", [])) == (0.0, 1.0, 0.0, 0.0)
    assert holds("It opened in Paris, in 1889.", ["Lyon", "the PARIS"])
    assert not holds("It opened in Paris.", ["Lyon"])
    assert not holds("Anything at all", ["", "the", "?!"])  # what normalises to nothing is found nowhere


def test_the_short_answer_is_what_is_highlighted_in_the_first_quote() -> None:
    assert short_answer(answer(["1889", "Paris"])) == "1889"
    assert short_answer(answer([])) == ""


def test_risk_and_coverage_by_hand() -> None:
    # Sorted: .9 right, .8 wrong, .6 right, .4 wrong. Risks: 0, 1/2, 1/3, 2/4.
    curve = risk_coverage([0.4, 0.9, 0.6, 0.8], [False, True, True, False])
    assert curve == [(0.25, 0.0), (0.5, 0.5), (0.75, pytest.approx(1 / 3)), (1.0, 0.5)]
    assert area_under_risk(curve) == pytest.approx((0 + 1 / 2 + 1 / 3 + 1 / 2) / 4)


def test_the_best_order_has_less_risk_than_the_worst() -> None:
    confidences = [0.9, 0.8, 0.7, 0.6]
    best = area_under_risk(risk_coverage(confidences, [True, True, False, False]))
    worst = area_under_risk(risk_coverage(confidences, [False, False, True, True]))
    assert best == pytest.approx((0 + 0 + 1 / 3 + 1 / 2) / 4)
    assert worst == pytest.approx((1 + 1 + 2 / 3 + 1 / 2) / 4)


@given(st.lists(st.tuples(st.sampled_from([0.2, 0.5, 0.9]), st.booleans()), min_size=1, max_size=6))
def test_equal_confidences_count_as_the_mean_over_all_their_orders(judged: list[tuple[float, bool]]) -> None:
    areas = []
    for order in itertools.permutations(judged):
        ranked = sorted(order, key=lambda pair: -pair[0])  # stable: ties stay in the order of the permutation
        risks = [sum(not right for _, right in ranked[:k]) / k for k in range(1, len(ranked) + 1)]
        areas.append(sum(risks) / len(risks))
    confidences, right = zip(*judged, strict=True)
    assert area_under_risk(risk_coverage(confidences, right)) == pytest.approx(np.mean(areas))


def test_the_calibration_error_by_hand() -> None:
    # (0.9, 1.0]: two, mean .95, one right. (0.2, 0.3]: two, mean .275, both right. ECE = (.5·.45 + .5·.725).
    bins = reliability([0.92, 0.98, 0.25, 0.3], [True, False, True, True])
    filled = [one for one in bins if one.count]
    assert [one.count for one in filled] == [2, 2]
    edges = [value for one in filled for value in (one.low, one.high)]
    assert edges == pytest.approx([0.2, 0.3, 0.9, 1.0])
    assert [one.confidence for one in filled] == pytest.approx([0.275, 0.95])
    assert [one.right for one in filled] == [1.0, 0.5]
    assert calibration_error(bins) == pytest.approx(0.5 * 0.725 + 0.5 * 0.45)


def test_the_ends_of_the_scale_are_in_a_bin() -> None:
    bins = reliability([0.0, 1.0], [False, True])
    assert (len(bins), bins[0].count, bins[-1].count) == (10, 1, 1)
    assert calibration_error(bins) == 0.0


@given(JUDGED)
def test_the_bins_are_scikit_learns(judged: list[tuple[float, bool]]) -> None:
    confidences, right = zip(*judged, strict=True)
    filled = [one for one in reliability(confidences, right) if one.count]
    shares, means = calibration_curve(np.array(right), np.array(confidences), n_bins=10, strategy="uniform")
    assert [one.right for one in filled] == pytest.approx(shares.tolist())
    assert [one.confidence for one in filled] == pytest.approx(means.tolist())
    assert sum(one.count for one in filled) == len(judged)


@given(JUDGED)
def test_the_calibration_error_is_guos_sum(judged: list[tuple[float, bool]]) -> None:
    error = 0.0
    for number in range(1, 11):
        low, high = np.linspace(0, 1, 11)[number - 1 : number + 1]
        members = [pair for pair in judged if low < pair[0] <= high or (number == 1 and pair[0] == 0)]
        if members:
            gap = abs(
                sum(right for _, right in members) / len(members) - sum(said for said, _ in members) / len(members)
            )
            error += len(members) / len(judged) * gap
    confidences, right = zip(*judged, strict=True)
    assert calibration_error(reliability(confidences, right)) == pytest.approx(error, abs=1e-12)


@given(st.lists(CONFIDENCE, min_size=1, max_size=20), st.lists(CONFIDENCE, min_size=1, max_size=20))
def test_the_area_under_roc_is_scikit_learns(positive: list[float], negative: list[float]) -> None:
    truth = [1] * len(positive) + [0] * len(negative)
    assert area_under_roc(positive, negative) == pytest.approx(roc_auc_score(truth, positive + negative))


def test_the_area_under_roc_by_hand() -> None:
    assert area_under_roc([0.9, 0.4], [0.1, 0.4]) == pytest.approx((1 + 1 + 1 + 0.5) / 4)


def test_the_standard_error_of_a_share_is_the_binomial_one() -> None:
    assert standard_error([True] * 90 + [False] * 10) == pytest.approx(math.sqrt(0.9 * 0.1 / 100))
    assert standard_error([1.0]) == 0.0


def test_recall_and_reciprocal_rank_by_hand() -> None:
    ranks = [1, 3, None, 2]
    assert [sum(hits(ranks, depth)) for depth in (1, 2, 3, 5)] == [1, 2, 3, 3]
    assert sum(reciprocal_ranks(ranks)) / 4 == pytest.approx((1 + 1 / 3 + 0 + 1 / 2) / 4)


def test_the_rank_of_the_gold_answer_is_the_best_of_all_readings() -> None:
    first, second = reading(["tall"], ["tall", "built"]), reading(["tall"], ["opened", "built"])
    assert gold_rank(Trace(answer([]), (first,)), ["Gustave Eiffel"]) == 2
    assert gold_rank(Trace(answer([]), (first, second)), ["Gustave Eiffel", "1889"]) == 1
    assert gold_rank(Trace(answer([]), (first,)), ["1889"]) is None
    assert gold_rank(Trace(answer([])), ["1889"]) is None


def test_the_same_words_in_another_paragraph_are_no_hit() -> None:
    trace = Trace(answer([]), (reading(["tall"], ["opened", "tall"]),))
    assert gold_rank(trace, ["It", "in"]) == 1
    assert TEXT[87:109] == "It is 330 metres tall."
    assert gold_rank(trace, ["is"], (87, 109)) == 2  # "Paris" holds it too, but in the first paragraph
    assert gold_rank(trace, ["is"]) == 1
    assert gold_rank(trace, ["1889"], (87, 109)) is None


NOWHERE, OPENED, BUILT = "in Lyon", "1889", "Gustave Eiffel"


@pytest.mark.parametrize(
    ("said", "golds", "likeliest", "retrieved", "stage"),
    [
        ([OPENED], [OPENED], [OPENED], ["opened"], None),
        ([], [], ["tall"], ["tall"], None),  # there is nothing to lose
        ([OPENED], [], [OPENED], ["opened"], None),
        ([], [NOWHERE], ["tall"], ["opened", "built", "tall"], "retrieval"),
        ([OPENED], [BUILT], [OPENED], ["opened", "tall"], "retrieval"),
        ([OPENED], [BUILT], [OPENED], ["opened", "built"], "reading"),  # its passage was not read
        ([OPENED], [BUILT], [OPENED, "built"], ["opened", "built"], "reading"),  # another was found likelier
        ([], [BUILT], [OPENED, "built"], ["opened", "built"], "reading"),  # … and refused
        ([], [BUILT], [], ["built"], "reading"),
        ([], [BUILT], ["company", OPENED], ["opened", "built"], "judging"),  # other words of the right sentence
    ],
)
def test_the_stage_at_which_an_answer_was_lost(
    said: list[str], golds: list[str], likeliest: list[str], retrieved: list[str], stage: str | None
) -> None:
    assert lost_at(Trace(answer(said), (reading(likeliest, retrieved),)), golds) == stage


def test_an_answer_stands_on_the_quotes_that_its_points_cite() -> None:
    readings = (reading([OPENED, BUILT]),)
    assert lost_at(Trace(answer([OPENED, BUILT], points=[1]), readings), [BUILT]) == "reading"
    assert lost_at(Trace(answer([OPENED, BUILT], points=[1, 2]), readings), [BUILT]) is None
    assert lost_at(Trace(answer([OPENED, BUILT], status="related"), readings), [OPENED]) is None
    assert lost_at(Trace(answer([OPENED, BUILT], status="related"), readings), [BUILT]) == "reading"


def test_of_several_readings_the_one_that_came_furthest_counts() -> None:
    alone, understood = reading([], ["tall"]), reading([BUILT], ["built"])
    assert lost_at(Trace(answer([]), (alone, understood)), [BUILT]) == "judging"
    assert lost_at(Trace(answer([OPENED]), (reading([OPENED]), understood)), [BUILT]) == "judging"


@pytest.mark.parametrize("status", ["guidance", "overview"])
def test_where_nothing_was_searched_for_nothing_was_retrieved(status: Status) -> None:
    made = answer([OPENED] if status == "overview" else [], status=status)
    assert lost_at(Trace(made), [BUILT]) == "retrieval"


def test_an_answer_across_two_sentences_is_lost_in_reading() -> None:
    both = passage("opened", "built")
    trace = Trace(answer([]), (replace(reading(["1889", "built"]), passages=(both,)),))
    assert holds(both.text, ["1889. It was built"])
    assert lost_at(trace, ["1889. It was built"]) == "reading"
