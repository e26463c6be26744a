"""The formats, from files made here; asking, with the real models; drafts, which must load again."""

import collections
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pullquote.articles import make_article
from pullquote.errors import EvaluationError
from pullquote.evaluating import GoldQuestion, Prediction, load, predict
from pullquote.settings import MAX_QUESTION, Settings
from pullquote.suggesting import DRAFTED, draft
from tests.conftest import needs_shared
from tests.predicting import predict as made

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
BROKEN: list[dict[str, Any]] = [  # keys of a question
    *({"answers": "Ada"}, {"answers": [["Ada"]]}, {"answers": []}, {"answers": None}, {"id": 5}, {"kind": None}),
    *({"after": "Who?"}, {"after": [5]}, {"after": [""]}, {"after": ["x" * (MAX_QUESTION + 1)]}),
    *({"question": " "}, {"question": "x" * (MAX_QUESTION + 1)}, {"question": "half \ud83d of one"}),
    *({"paragraph": [5]}, {"paragraph": [5, 5]}, {"paragraph": [-1, 5]}, {"paragraph": ["a", "b"]}),
]
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


def write(folder: Path, data: Any) -> Path:
    path = folder / "questions.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def test_the_own_format(tmp_path: Path) -> None:
    articles, questions = load(write(tmp_path, OWN))
    assert [(row.id, row.title, row.text) for row in articles] == [
        ("one", "First, of two", "Ada wrote notes."),
        ("two", "Second", "Grace found a moth."),
    ]
    assert [(row.id, row.article, row.kind, row.answers, row.after) for row in questions] == [
        ("q1", "one", "answerable", ("Ada",), ()),
        ("q2", "two", "answerable", ("Grace", "G."), ()),
        ("q3", "two", "absent", (), ()),
        ("q4", "two", "followup", ("x",), ("Who?",)),
    ]
    assert questions[0].question == "Who wrote notes?"
    assert [row.is_factual for row in questions] == [True, True, True, False]
    assert not replace(questions[0], kind="overview").is_factual


def one(**keys: Any) -> dict[str, Any]:
    """The own format with one question, which has these keys too."""
    return OWN | {"questions": [OWN["questions"][0] | keys]}


def test_further_keys_are_left_alone_and_empty_ones_are_none(tmp_path: Path) -> None:
    _, (question,) = load(write(tmp_path, one(checked=False, sentence="x", after=None, paragraph=None)))
    assert question == load(write(tmp_path, one()))[1][0]


def test_a_paragraph_holds_for_a_text_that_is_stored_as_it_is(tmp_path: Path) -> None:
    _, (question,) = load(write(tmp_path, one(paragraph=[4, 9])))
    assert question.paragraph == (4, 9)
    crlf = one(paragraph=[4, 9]) | {"articles": [OWN["articles"][0] | {"text": "One.\r\nAda wrote notes."}]}
    _, (question,) = load(write(tmp_path, crlf))
    assert question.paragraph is None


def test_squad_1_and_2(tmp_path: Path) -> None:
    (article,), questions = load(write(tmp_path, SQUAD_2))
    assert article.text == "Ada wrote notes.\n\nThey were long."
    assert article.title == "Ada Lovelace"
    assert [(row.id, row.kind, row.answers) for row in questions] == [
        ("s1", "answerable", ("Ada",)),
        ("s2", "adversarial", ()),
    ]
    assert [article.text[slice(*row.paragraph)] for row in questions if row.paragraph] == ["Ada wrote notes."] * 2
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
    assert [question.id for question in questions] == ["q2", "q3", "q4"]


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
        *(json.dumps(OWN | {"questions": [OWN["questions"][0] | keys]}) for keys in BROKEN),
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


@pytest.mark.parametrize("names", [frozenset(), frozenset({"two"})])
def test_a_file_without_an_answer_is_refused_before_it_is_asked(tmp_path: Path, names: frozenset[str]) -> None:
    with pytest.raises(EvaluationError, match="none of these questions has an answer"):
        load(write(tmp_path, OWN | {"questions": [OWN["questions"][2]]}), names)


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
    assert len(questions) == 30
    assert sum(bool(row.after) for row in questions) == 3


@pytest.mark.parametrize(
    ("prediction", "right", "anywhere", "chance"),
    [
        (made("answerable", ["1889"], ["1889"], 0.8), True, True, 0.8),
        (made("answerable", ["Gustave"], ["1889", "Gustave"], 0.8), False, True, 0.8),
        (made("answerable", ["1889"], [], 0.8), False, False, 0.2),
        (made("absent", [], [], 0.8), True, True, 0.2),
        (made("absent", [], [], 1.0, status="guidance"), True, True, 0.0),
        (made("my own kind", [], ["1889"], 0.8), False, False, 0.8),
        (made("my own kind", ["1889"], ["1889"], 0.8), True, True, 0.8),
        (made("overview", [], ["1889"], 1.0, status="overview"), True, True, 1.0),
        (made("overview", [], ["1889"], 0.8), False, False, 0.8),
        (made("overview", [], [], 0.8), False, False, 0.2),
        (made("yesno", ["1889"], ["1889"], 0.8, status="related"), True, True, 0.8),
    ],
)
def test_what_is_right_depends_on_the_answers_and_the_kind(
    prediction: Prediction, right: bool, anywhere: bool, chance: float
) -> None:
    assert (prediction.right, prediction.right_anywhere) == (right, anywhere)
    assert prediction.chance == pytest.approx(chance)


@pytest.mark.usefixtures("one_worker")
def test_questions_are_asked_of_their_own_article_after_what_came_before(tmp_path: Path) -> None:
    """With the real models: Ada is in the first article only, and "When?" can only be asked after the other."""
    articles = [
        {"id": "one", "title": "Notes", "text": "Ada Lovelace wrote the notes on the engine in 1843."},
        {"id": "two", "title": "Moth", "text": "Grace Hopper found the moth in the relay in 1947."},
        {"id": "three", "title": "Unasked", "text": "Nobody asks about this one."},
    ]
    rows = [
        ("one", "Who wrote the notes on the engine?", "answerable", ["Ada Lovelace"], []),
        ("two", "Who wrote the notes on the engine?", "absent", [], []),
        ("two", "When was that?", "followup", ["1947"], ["Who found the moth in the relay?"]),
    ]
    keys = ("article", "question", "kind", "answers", "after")
    questions = [{"id": str(number), **dict(zip(keys, row, strict=True))} for number, row in enumerate(rows)]
    gold = load(write(tmp_path, {"articles": articles, "questions": questions}))
    told: list[tuple[int, int]] = []
    found = list(predict(*gold, Settings(), lambda done, total: told.append((done, total))))
    assert [row.right for row in found] == [True, True, True]
    assert [row.literal for row in found] == [True, True, True]
    assert found[0].answer.quotes[0].text == articles[0]["text"]
    assert found[2].answer.read_as
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_a_draft_loads_again_and_its_answers_are_the_articles_words(tmp_path: Path) -> None:
    text = "The Old Bridge was built in 1566. Maria Lopez painted the bridge for a London museum.\n\nNobody knows why."
    articles = [make_article(text, title="The bridge"), make_article("nothing here has a name.", title="Bare")]
    data = draft(articles)
    assert [row["title"] for row in data["articles"]] == ["The bridge", "Bare"]
    assert [(row["question"], row["answers"], row["kind"], row["checked"]) for row in data["questions"]] == [
        ("When was The Old Bridge built?", ["1566"], "answerable", False),
        ("Who painted the bridge for a London museum?", ["Maria Lopez"], "answerable", False),
    ]
    assert all(row["answers"][0] in row["sentence"] and row["sentence"] in text for row in data["questions"])
    _, questions = load(write(tmp_path, data))
    assert [question.answers for question in questions] == [("1566",), ("Maria Lopez",)]
    assert questions[0] == GoldQuestion(
        f"{articles[0].id}-1", articles[0].id, "When was The Old Bridge built?", "answerable", ("1566",)
    )


def test_a_draft_has_so_many_questions_of_an_article_and_no_more() -> None:
    sentences = " ".join(f"Maria Lopez painted the bridge number {number} for a museum." for number in range(30))
    data = draft([make_article(sentences, title="One"), make_article(sentences, title="Two")])
    assert collections.Counter(row["article"] for row in data["questions"]) == {
        row["id"]: DRAFTED for row in data["articles"]
    }
    assert len({row["id"] for row in data["questions"]}) == 2 * DRAFTED
    assert draft([], 3) == {"articles": [], "questions": []}
