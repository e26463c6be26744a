"""The numbers, against SQuAD's measures written anew and numpy's percentiles; the formats, from files made here."""

import collections
import json
import re
import string
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullquote.articles import make_article
from pullquote.datatypes import Answer, Quote
from pullquote.errors import EvaluationError
from pullquote.evaluating import GoldQuestion, Prediction, exact_match, f1, load, plain, score
from tests.conftest import needs_shared

TEXT = "The Eiffel Tower, in Paris, opened in 1889. It was built by Gustave Eiffel's company."
ARTICLE = make_article(TEXT, title="Tower")
WORDS = st.lists(st.sampled_from(["The", "a", "cat", "Cat,", "an", "ant.", "sat", "“sat”", "1889"]), max_size=6)

OWN: dict[str, Any] = {
    "articles": [
        {"id": "one", "title": "First, of two", "text": "Ada wrote notes."},
        {"id": "two", "title": "Second", "text": "Grace found a moth."},
    ],
    "questions": [
        {"id": "q1", "article": "one", "question": "Who wrote notes?", "kind": "answerable", "answers": ["Ada"]},
        {
            "id": "q2",
            "article": "two",
            "question": "Who found a moth?",
            "kind": "answerable",
            "answers": ["Grace", "G."],
        },
        {"id": "q3", "article": "two", "question": "Who sank?", "kind": "absent", "answers": []},
        {
            "id": "q4",
            "article": "two",
            "question": "When?",
            "kind": "followup",
            "answers": ["x"],
            "after": ["Who?"],
        },
    ],
}
SQUAD_2: dict[str, Any] = {
    "version": "v2.0",
    "data": [
        {
            "title": "Ada_Lovelace",
            "paragraphs": [
                {
                    "context": " Ada wrote notes. ",
                    "qas": [
                        {
                            "id": "s1",
                            "question": "Who wrote notes?",
                            "is_impossible": False,
                            "answers": [{"text": "Ada", "answer_start": 1}, {"text": "Ada", "answer_start": 1}],
                        },
                        {
                            "id": "s2",
                            "question": "Who sank notes?",
                            "is_impossible": True,
                            "answers": [],
                            "plausible_answers": [{"text": "Ada", "answer_start": 1}],
                        },
                    ],
                },
                {"context": "They were long.", "qas": []},
            ],
        }
    ],
}
SQUAD_1: dict[str, Any] = {
    "version": "1.1",
    "data": [
        {
            "title": "Moth",
            "paragraphs": [
                {
                    "context": "Grace found a moth.",
                    "qas": [
                        {"id": "t1", "question": "Who?", "answers": [{"text": "Grace", "answer_start": 0}]},
                        {"id": "t2", "question": "What?", "answers": [{"text": "a moth", "answer_start": 12}]},
                    ],
                }
            ],
        }
    ],
}


def squad_tokens(text: str) -> list[str]:
    """`normalize_answer` of SQuAD's evaluate-v1.1.py, in its own order of steps."""
    lower = text.lower()
    unpointed = "".join(letter for letter in lower if letter not in set(string.punctuation))
    return re.sub(r"\b(a|an|the)\b", " ", unpointed).split()


def squad_f1(answer: str, gold: str) -> float:
    said, wanted = squad_tokens(answer), squad_tokens(gold)
    if not said or not wanted:
        return float(said == wanted)
    same = sum((collections.Counter(said) & collections.Counter(wanted)).values())
    if same == 0:
        return 0.0
    precision, recall = same / len(said), same / len(wanted)
    return 2 * precision * recall / (precision + recall)


def write(folder: Path, data: Any) -> Path:
    path = folder / "questions.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def prediction(kind: str, gold: tuple[str, ...], said: str, seconds: float, literal: bool = True) -> Prediction:
    """`said` is found in TEXT and quoted with its sentence; "" is a refusal."""
    question = GoldQuestion(f"{kind} {said}", "Tower", "What?", kind, gold)
    if not said:
        answer = Answer("What?", "not_found", "", 0.9, seconds={"total": seconds})
        return Prediction(question, answer, literal)
    start = TEXT.index(said)
    sentence = (0, 43) if start < 43 else (44, len(TEXT))
    quote = Quote.cut(1, ARTICLE, sentence, (start, start + len(said)))
    return Prediction(question, Answer("What?", "answered", said, 0.9, (quote,), seconds={"total": seconds}), literal)


PREDICTIONS = [
    prediction("answerable", ("1889",), "1889", 0.1),
    prediction("answerable", ("Eiffel Tower",), "The Eiffel Tower", 0.2),  # the same after normalisation
    prediction("answerable", ("the city of Paris", "Lyon"), "Paris", 0.3),  # one of three words: F1 is 1/2
    prediction("answerable", ("Gustave Eiffel",), "Paris", 0.4),  # the quote is the other sentence
    prediction("answerable", ("company",), "", 1.5),
    prediction("absent", (), "", 0.1),
    prediction("absent", (), "Paris", 0.2, literal=False),
    prediction("adversarial", (), "1889", 0.3),
]


def test_the_report_of_a_hand_made_evaluation() -> None:
    report = score(PREDICTIONS)
    assert report.questions == {"answerable": 5, "absent": 2, "adversarial": 1}
    assert report.exact_match == pytest.approx(100 * 2 / 5)
    assert report.f1 == pytest.approx(100 * (1 + 1 + 1 / 2 + 0 + 0) / 5)
    assert report.quote_holds_answer == pytest.approx(100 * 2 / 5)
    assert report.quote_words == pytest.approx(8.0)  # six quotes, each of them the sentence of eight words
    assert report.refused == {"answerable": 20.0, "absent": 50.0, "adversarial": 0.0}
    assert report.literal == pytest.approx(100 * 7 / 8)


def test_the_report_agrees_with_squads_measures_and_numpys_percentiles() -> None:
    report = score(PREDICTIONS)
    answered = [(row.answer.text, row.gold.answers) for row in PREDICTIONS if row.gold.kind == "answerable"]
    best = [max(squad_f1(said, gold) for gold in golds) if said else 0.0 for said, golds in answered]
    same = [bool(said) and any(squad_tokens(said) == squad_tokens(gold) for gold in golds) for said, golds in answered]
    assert report.f1 == pytest.approx(100 * np.mean(best))
    assert report.exact_match == pytest.approx(100 * np.mean(same))
    seconds = [row.answer.seconds["total"] for row in PREDICTIONS]
    assert report.seconds_median == pytest.approx(np.percentile(seconds, 50))
    assert report.seconds_p95 == pytest.approx(np.percentile(seconds, 95))
    assert report.seconds_p95 <= max(seconds)


def test_one_question_is_enough_and_none_is_not() -> None:
    report = score(PREDICTIONS[:1])
    assert (report.seconds_median, report.seconds_p95, report.exact_match) == (0.1, 0.1, 100.0)
    with pytest.raises(EvaluationError, match="none of these questions has an answer"):
        score(PREDICTIONS[5:])
    with pytest.raises(EvaluationError):
        score([])


@given(WORDS, WORDS)
def test_em_and_f1_are_squads(said: list[str], wanted: list[str]) -> None:
    answer, gold = " ".join(said), "  ".join(wanted)
    assert f1(answer, gold) == pytest.approx(squad_f1(answer, gold))
    assert exact_match(answer, gold) == float(squad_tokens(answer) == squad_tokens(gold))
    assert plain(answer).split() == squad_tokens(answer)


def test_the_measures_by_hand() -> None:
    assert plain("The  U.S. Army's, and AN Ant\n") == "us armys and ant"
    assert exact_match("the New-York Times!", "newyork times") == 1.0
    assert f1("the red big cat", "a big black cat") == pytest.approx(2 / 3)
    assert (f1("dog", "cat"), f1("the", "a"), f1("", "cat")) == (0.0, 1.0, 0.0)


def test_own_format_without_the_follow_ups(tmp_path: Path) -> None:
    articles, questions = load(write(tmp_path, OWN))
    assert [(row.id, row.title, row.text) for row in articles] == [
        ("one", "First, of two", "Ada wrote notes."),
        ("two", "Second", "Grace found a moth."),
    ]
    assert [(row.id, row.article, row.kind, row.answers) for row in questions] == [
        ("q1", "one", "answerable", ("Ada",)),
        ("q2", "two", "answerable", ("Grace", "G.")),
        ("q3", "two", "absent", ()),
    ]
    assert questions[0].question == "Who wrote notes?"


def test_squad_1_and_2(tmp_path: Path) -> None:
    (article,), questions = load(write(tmp_path, SQUAD_2))
    assert article.text == "Ada wrote notes.\n\nThey were long."
    assert article.title == "Ada Lovelace"
    assert [(row.id, row.kind, row.answers) for row in questions] == [
        ("s1", "answerable", ("Ada",)),
        ("s2", "adversarial", ()),
    ]
    (article,), questions = load(write(tmp_path, SQUAD_1))
    assert (article.title, article.text) == ("Moth", "Grace found a moth.")
    assert [(row.id, row.kind, row.answers) for row in questions] == [
        ("t1", "answerable", ("Grace",)),
        ("t2", "answerable", ("a moth",)),
    ]


@pytest.mark.parametrize("name", ["two", "Second"])
def test_articles_are_chosen_by_id_or_title(tmp_path: Path, name: str) -> None:
    articles, questions = load(write(tmp_path, OWN), frozenset({name}))
    assert [article.id for article in articles] == ["two"]
    assert [question.id for question in questions] == ["q2", "q3"]


def test_a_name_that_no_article_has_is_told(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="no article is named Nobody, Third"):
        load(write(tmp_path, OWN), frozenset({"two", "Third", "Nobody"}))
    astray = OWN | {"questions": [*OWN["questions"], OWN["questions"][0] | {"article": "three"}]}
    with pytest.raises(EvaluationError, match="no article is named three"):
        load(write(tmp_path, astray))


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "null",
        "[]",
        '"data"',
        "7",
        "{}",
        '{"data": 5}',
        '{"data": ["x"]}',
        '{"data": [{"title": 5, "paragraphs": []}]}',
        '{"data": [{"title": "x", "paragraphs": [{"context": null, "qas": []}]}]}',
        '{"data": [{"title": "x", "paragraphs": [{"context": "x", "qas": ["Who?"]}]}]}',
        '{"articles": [], "questions": ["Who?"]}',
        '{"articles": [{"id": "one", "title": "x", "text": 5}], "questions": []}',
        json.dumps(OWN | {"questions": [OWN["questions"][0] | {"answers": "Ada"}]}),
        json.dumps(OWN | {"questions": [OWN["questions"][0] | {"answers": [["Ada"]]}]}),
        json.dumps(OWN | {"questions": [OWN["questions"][0] | {"answers": []}]}),
    ],
)
def test_a_broken_file_is_named_with_what_is_wrong(tmp_path: Path, content: str) -> None:
    path = tmp_path / "broken.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(EvaluationError, match=r"broken\.json: neither Pullquote's own format nor SQuAD's"):
        load(path)


@pytest.mark.parametrize("data", [{"data": []}, {"articles": [], "questions": []}, OWN | {"questions": []}])
def test_a_file_without_questions_is_refused(tmp_path: Path, data: dict[str, Any]) -> None:
    with pytest.raises(EvaluationError, match="there are no questions in it"):
        load(write(tmp_path, data))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=r"nowhere\.json: No such file"):
        load(tmp_path / "nowhere.json")
    with pytest.raises(EvaluationError, match="Is a directory"):
        load(tmp_path)


def test_the_public_questions_load_in_the_numbers_their_page_gives() -> None:
    articles, questions = load(needs_shared("eval/articles-dev.json"))
    assert len(articles) == 9
    assert collections.Counter(row.kind for row in questions) == {"answerable": 270, "adversarial": 270, "absent": 135}
    _, questions = load(needs_shared("eval/article-questions.json"))
    assert len(questions) == 30 - 3  # three of them are follow-ups
