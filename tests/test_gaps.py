"""The gap report: groups by meaning on questions it was not fitted to, its table, and its file of questions."""

import csv
import io
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sklearn.metrics import adjusted_rand_score

from pullquote import evaluating
from pullquote.articles import make_article
from pullquote.counting import today
from pullquote.datatypes import Answer, Article, Quote
from pullquote.embedding import QuestionEncoder
from pullquote.gaps import GapFinder, draft, to_csv
from pullquote.library import Library
from pullquote.refused import RefusedQuestions
from tests.building import put_embedded

# Each row asks one thing. The threshold was chosen on two other sets, before this one was written.
MATTERS = (
    ("How many days of holiday do I get?", "How much annual leave is there?", "number of vacation days per year"),
    ("Who approves my expenses?", "Who has to sign an expense report?"),
    ("Can I work from home?", "Is remote work allowed?", "How many days may I work remotely?"),
    ("When is the salary paid?", "On which day do we get paid?", "pay day"),
    ("What do I do when I am ill?", "How do I report sick?", "Whom do I call if I cannot come because I am sick?"),
    ("Where is the printer on the second floor?", "Where can I print something?"),
    ("Is there a canteen?", "Where can I have lunch?", "What is for lunch today?"),
    ("How do I book a meeting room?", "reserve a conference room"),
    ("What is the distance to the moon?", "How far away is the moon?"),
    ("Who invented the telephone?",),
    ("How is bread baked?",),
)
LAMP = make_article("The lamp was lit in 1874 by Ada Holm. It burned oil for forty years.", title="Lamp")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[tuple[Library, RefusedQuestions, GapFinder]]:
    library = Library(tmp_path)
    put_embedded(library, LAMP)
    with closing(RefusedQuestions(tmp_path, 30)) as refused:
        yield library, refused, GapFinder(library, refused, QuestionEncoder())
    library.close()


def refuse(refused: RefusedQuestions, *questions: str, of: Article = LAMP) -> None:
    closest = Quote.cut(1, of, (0, 37), (0, 37))
    refused.add([(today(), Answer(question, "not_found", "", 0.9, closest=closest)) for question in questions])


def test_questions_that_mean_the_same_stand_together(desk: tuple[Library, RefusedQuestions, GapFinder]) -> None:
    _, refused, finder = desk
    asked = [question for row in MATTERS for question in row]
    refuse(refused, *asked, *["How do I report sick?"] * 3)
    found = finder.find()
    of = {one.question: number for number, gap in enumerate(found.gaps) for one in gap.questions}
    gold = [number for number, row in enumerate(MATTERS) for _ in row]
    assert adjusted_rand_score(gold, [of[question] for question in asked]) >= 0.8  # 1 is right, 0 is by chance
    assert found.gaps[0].question == "How do I report sick?"
    assert sum(gap.count for gap in found.gaps) == len(asked) + 3
    assert [gap.count for gap in found.gaps] == sorted((gap.count for gap in found.gaps), reverse=True)


def test_the_closest_passage_is_a_slice_of_the_article_as_it_is_now(
    desk: tuple[Library, RefusedQuestions, GapFinder],
) -> None:
    library, refused, finder = desk
    assert finder.find().gaps == ()
    refuse(refused, "How high is it?")
    [gap] = finder.find().gaps
    assert gap.closest
    assert gap.closest.text == "The lamp was lit in 1874 by Ada Holm."
    library.remove(LAMP.id)
    [gap] = finder.find().gaps
    assert gap.closest is None


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_of_the_table_is_a_formula(desk: tuple[Library, RefusedQuestions, GapFinder], start: str) -> None:
    library, refused, finder = desk
    hostile = f'{start}HYPERLINK("http://evil","a,b")'
    article = make_article(f"{hostile} is what it says here, at length.", title=hostile)
    put_embedded(library, article)
    refuse(refused, hostile, 'What, "quoted"\nand broken?', of=article)
    rows = list(csv.DictReader(io.StringIO(to_csv(finder.find()), newline="")))
    assert {row["question"] for row in rows} == {f"'{hostile}", 'What, "quoted"\nand broken?'}
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_a_draft_is_read_by_an_evaluation(desk: tuple[Library, RefusedQuestions, GapFinder], tmp_path: Path) -> None:
    library, refused, finder = desk
    refuse(refused, "How high is the tower?", "What is the height of the tower?", "How high is the tower?")
    refused.add([(today(), Answer("Who painted the Mona Lisa?", "not_found", "", 1.0))])
    file = tmp_path / "gaps.json"
    file.write_text(json.dumps(draft(library, finder.find())))
    articles, questions = evaluating.load(file)
    assert [article.text for article in articles] == [LAMP.text]
    absent = {one.question for one in questions if one.kind == "absent" and not one.answers}
    assert absent == {"How high is the tower?", "Who painted the Mona Lisa?"}  # of the only article there is
    assert ("1874",) in [one.answers for one in questions if one.kind == "answerable"]  # made by rule
