"""Judging over hand-made spans; the numbers in the assertions are worked by hand."""

import math
from dataclasses import replace

import pytest

from pullquote.articles import make_article
from pullquote.datatypes import Chunk, Passage, Span
from pullquote.judging import INTERCEPT, NOT_A_NAME, RELEVANCE, SLOPE, Verdict, judge

TEXT = "Ada wrote the notes. The rockets came by train. Grace found a moth."
ARTICLE = make_article(TEXT, title="Notes")
SENTENCES = ((0, 20), (21, 47), (48, 67))
PASSAGE = Passage(Chunk(ARTICLE.id, 0, len(TEXT), 0), ARTICLE, SENTENCES, dense=0.0, lexical=0.0, fused=0.0)


def span(words: str, evidence: float, passage: Passage = PASSAGE) -> Span:
    start = TEXT.index(words)
    sentence = next(sentence for sentence in SENTENCES if sentence[0] <= start < sentence[1])
    return Span(passage, sentence, start, start + len(words), score=evidence, evidence=evidence)


def test_the_strongest_evidence_comes_first() -> None:
    verdicts = judge("What came?", [span("Ada", 1.0), span("The rockets", 4.0), span("Grace", -2.0)])
    assert [verdict.span.text for verdict in verdicts] == ["The rockets", "Ada", "Grace"]
    assert [verdict.score for verdict in verdicts] == [4.0, 1.0, -2.0]


def test_evidence_counts_and_the_best_single_span_does_not() -> None:
    loud = replace(span("Ada", 1.0), score=9.0)
    assert judge("What came?", [loud, span("The rockets", 2.0)])[0].span.text == "The rockets"


def test_a_likelier_passage_lends_weight() -> None:
    likely = replace(PASSAGE, fused=0.8)
    verdicts = judge("What came?", [span("Ada", 3.0), span("The rockets", 0.0, likely)])
    assert [verdict.span.text for verdict in verdicts] == ["The rockets", "Ada"]
    assert verdicts[0].score == pytest.approx(0.8 * RELEVANCE)


def test_a_sentence_that_two_chunks_share_counts_once_with_its_better_reading() -> None:
    neighbour = replace(PASSAGE, chunk=Chunk(ARTICLE.id, 21, len(TEXT), 1), sentences=SENTENCES[1:])
    shared = [span("The rockets", 2.0), span("train", 3.0, neighbour), span("rockets", 1.0)]
    (verdict,) = judge("What came?", shared)
    assert (verdict.span.text, verdict.score) == ("train", 3.0)


def test_the_same_place_in_another_article_is_another_sentence() -> None:
    other = make_article(TEXT, title="Copy")
    copy = replace(PASSAGE, article=other, chunk=Chunk(other.id, 0, len(TEXT), 0))
    assert len(judge("What came?", [span("Ada", 1.0), span("Ada", 2.0, copy)])) == 2


@pytest.mark.parametrize("question", ["Who came?", "WHOM did they meet?", "whose notes are these?"])
def test_an_answer_to_who_that_is_no_name_loses_weight(question: str) -> None:
    verdicts = judge(question, [span("a moth", NOT_A_NAME - 1), span("Ada", 0.0)])
    assert [(verdict.span.text, verdict.score) for verdict in verdicts] == [("Ada", 0.0), ("a moth", -1.0)]


@pytest.mark.parametrize("question", ["What came?", "Which of the whole lot came?", "Who?s"])
def test_other_questions_take_any_words(question: str) -> None:
    weight = NOT_A_NAME if "Who?" in question else 0.0
    (verdict,) = judge(question, [span("by train", 4.0)])
    assert verdict.score == 4.0 - weight


def test_a_determiner_before_a_name_costs_nothing() -> None:
    text = "The Times and the Post reported it; 7 papers and the papers followed."
    article = make_article(text, title="Press")
    passage = Passage(Chunk(article.id, 0, len(text), 0), article, ((0, len(text)),), 0.0, 0.0, 0.0)

    def score(words: str) -> float:
        start = text.index(words)
        (verdict,) = judge("Who reported it?", [Span(passage, (0, len(text)), start, start + len(words), 1.0, 1.0)])
        return verdict.score

    assert [score(words) for words in ("The Times", "the Post", "7 papers")] == [1.0, 1.0, 1.0]
    assert score("the papers") == 1.0 - NOT_A_NAME


def test_confidence_is_logistic_in_the_score() -> None:
    for score in (-20.0, -1.5, 0.0, 2.75, 8.0, 30.0):
        confidence = Verdict(span("Ada", 0.0), score).confidence
        assert math.log(confidence / (1 - confidence)) == pytest.approx(SLOPE * score + INTERCEPT)


def test_nothing_read_gives_no_verdict() -> None:
    assert judge("Who?", []) == []
