"""Judging over hand-made spans; the numbers in the assertions are worked by hand or by scikit-learn."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from pullquote.articles import make_article
from pullquote.datatypes import Chunk, Passage, Span
from pullquote.errors import ModelError
from pullquote.judging import BUILT_IN, ECHO, FAST, SECOND, Judge, Logistic, place_of

TEXT = "Ada wrote the notes. The rockets came by train. Grace found a moth."
ARTICLE = make_article(TEXT, title="Notes")
SENTENCES = ((0, 20), (21, 47), (48, 67))
PASSAGE = Passage(Chunk(ARTICLE.id, 0, len(TEXT), 0), ARTICLE, SENTENCES, dense=0.0, lexical=0.0, fused=0.0)


def logistic(threshold: float, names: tuple[str, ...], **weights: float) -> Logistic:
    return Logistic(0.0, dict.fromkeys(names, 0.0) | weights, threshold)


JUDGE = Judge(logistic(0.3, FAST, evidence=1.0, misfit=-2.0), logistic(0.1, SECOND, second_evidence=1.0), "by hand")


def span(words: str, evidence: float, passage: Passage = PASSAGE) -> Span:
    start = TEXT.index(words)
    sentence = next(sentence for sentence in SENTENCES if sentence[0] <= start < sentence[1])
    return Span(passage, sentence, start, start + len(words), score=evidence, evidence=evidence)


def test_the_likeliest_comes_first_and_confidence_is_logistic() -> None:
    verdicts = JUDGE.verdicts("What came?", [span("Ada", 1.0), span("The rockets", 4.0), span("Grace", -2.0)])
    assert [verdict.span.text for verdict in verdicts] == ["The rockets", "Ada", "Grace"]
    assert [verdict.confidence for verdict in verdicts] == [
        pytest.approx(1 / (1 + math.exp(-score))) for score in (4.0, 1.0, -2.0)
    ]
    assert [verdict.logit for verdict in verdicts] == [pytest.approx(score) for score in (4.0, 1.0, -2.0)]


def test_what_was_read_twice_comes_first_with_the_second_readers_words() -> None:
    spans = [span("Ada", -3.0), span("The rockets", 4.0)]
    again = {place_of(spans[0]): replace(span("the notes", 0.5), null=-1.5)}
    verdicts = JUDGE.verdicts("What came?", spans, again)
    assert [verdict.span.text for verdict in verdicts] == ["the notes", "The rockets"]
    assert [verdict.is_read_twice for verdict in verdicts] == [True, False]
    assert [JUDGE.threshold(verdict) for verdict in verdicts] == [0.1, 0.3]
    assert verdicts[0].confidence == pytest.approx(1 / (1 + math.exp(-0.5)))
    assert verdicts[0].features["evidence"] == -3.0
    assert verdicts[0].features["second_null"] == again[place_of(spans[0])].null == -1.5


def test_a_sentence_that_two_chunks_share_counts_once_with_its_better_reading() -> None:
    neighbour = replace(PASSAGE, chunk=Chunk(ARTICLE.id, 21, len(TEXT), 1), sentences=SENTENCES[1:])
    shared = [span("The rockets", 2.0), span("train", 3.0, neighbour), span("rockets", 1.0)]
    (verdict,) = JUDGE.verdicts("What came?", shared)
    assert verdict.span.text == "train"


def test_the_same_place_in_another_article_is_another_sentence() -> None:
    other = make_article(TEXT, title="Copy")
    copy = replace(PASSAGE, article=other, chunk=Chunk(other.id, 0, len(TEXT), 0))
    assert len(JUDGE.verdicts("What came?", [span("Ada", 1.0), span("Ada", 2.0, copy)])) == 2


@pytest.mark.parametrize(
    ("question", "words", "misfit"),
    [("Who came?", "Ada", 0.0), ("Who came?", "a moth", 1.0), ("When?", "train", 1.0), ("What came?", "a moth", 0.0)],
)
def test_an_answer_of_another_form_than_asked_is_a_misfit(question: str, words: str, misfit: float) -> None:
    (verdict,) = JUDGE.verdicts(question, [span(words, 1.0)])
    assert verdict.features["misfit"] == misfit
    assert verdict.logit == pytest.approx(1.0 - 2.0 * misfit)


@pytest.mark.parametrize(
    ("question", "text", "lacking"),
    [
        ("What came in 1894?", "It came in 1894.", 0),
        ("What came in 1895?", "It came in 1894.", 1),
        ("What came in 18?", "It came in 1894.", 1),
        ("What came in the 1890s?", "The 1890s saw it.", 0),
        ("Which of 1500 came?", "Some 1,500 came.", 0),
        ("Which of 1,500 came in May 2?", "In May 1500 came, 2.5 a day.", 1),
        ("What came first?", "It came in 1894.", 0),
        ("Was it 5 or 5 of 6?", "None.", 2),
    ],
)
def test_numbers_of_the_question_that_the_passage_lacks_are_counted(question: str, text: str, lacking: int) -> None:
    article = make_article(text, title="T")
    whole = (0, len(text))
    passage = Passage(Chunk(article.id, *whole, 0), article, (whole,), dense=0.0, lexical=0.0, fused=0.0)
    (verdict,) = JUDGE.verdicts(question, [Span(passage, whole, 0, 4, score=0.0, evidence=0.0)])
    assert verdict.features["numbers"] == lacking


def test_a_name_that_only_repeats_the_question_is_no_answer() -> None:
    assert JUDGE.verdicts("Who was Ada's teacher?", [span("Ada", 9.0)])[0].confidence == ECHO
    assert JUDGE.verdicts("Did Ada write?", [span("Ada", 9.0)])[0].confidence > 0.9
    assert JUDGE.verdicts("Who found Grace's moth?", [span("Ada", 9.0)])[0].confidence > 0.9


def test_a_logistic_gives_what_scikit_learn_predicts() -> None:
    chance = np.random.default_rng(5)
    rows = chance.normal(size=(200, len(FAST)))
    right = rows @ np.arange(1, len(FAST) + 1) + chance.normal(size=200) > 0.5
    model = LogisticRegression().fit(rows, right)
    ours = Logistic(float(model.intercept_[0]), dict(zip(FAST, map(float, model.coef_[0]), strict=True)), 0.5)
    expected = model.predict_proba(rows)[:, 1]
    found = [ours.confidence(dict(zip(FAST, row, strict=True))) for row in rows.tolist()]
    assert found == pytest.approx(expected.tolist(), abs=1e-9)


def test_a_confidence_is_never_quite_0_or_1() -> None:
    for evidence in (-1e9, 1e9):
        (verdict,) = JUDGE.verdicts("What came?", [span("Ada", evidence)])
        assert 0 < verdict.confidence < 1
        assert math.isfinite(verdict.logit)


def test_nothing_read_gives_no_verdict() -> None:
    assert JUDGE.verdicts("Who?", []) == []


def test_a_judge_is_what_its_file_says(tmp_path: Path) -> None:
    path = tmp_path / "judge.json"
    path.write_text(JUDGE.to_json(), encoding="utf-8")
    assert Judge.load(path) == JUDGE
    assert all(0 < part.threshold < 0.2 for part in (Judge.load().fast, Judge.load().second))


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data.pop("second"),
        lambda data: data["fast"].pop("threshold"),
        lambda data: data["fast"]["coefficients"].pop("dense"),
        lambda data: data["fast"]["coefficients"].update(other=1.0),
        lambda data: data["second"].update(intercept="0"),
        lambda data: data["second"].update(intercept=math.nan),
        lambda data: data["second"].update(threshold=1.0),
        lambda data: data["second"].update(extra=1),
    ],
)
def test_a_damaged_file_is_told(tmp_path: Path, damage: object) -> None:
    data = json.loads(BUILT_IN.read_bytes())
    damage(data)  # type: ignore[operator]
    path = tmp_path / "judge.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(ModelError, match="pullquote calibrate"):
        Judge.load(path)


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"\xff\xfe", b"{"])
def test_a_foreign_file_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "judge.json").write_bytes(content)
    with pytest.raises(ModelError, match="pullquote calibrate"):
        Judge.load(tmp_path / "judge.json")


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="No such file"):
        Judge.load(tmp_path / "none.json")
