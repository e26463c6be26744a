"""Example questions: each one put back together must be a sentence of the file, and be answered by it."""

import re
from pathlib import Path

import pytest

from pullquote.answering import Assistant
from pullquote.articles import make_article
from pullquote.datatypes import Article
from pullquote.examining import Examiner
from pullquote.judging import Judge
from pullquote.library import Library
from pullquote.reading import Reader
from pullquote.retrieving import Retriever
from pullquote.suggesting import MAX_WORDS, MIN_WORDS, suggest
from tests.building import put
from tests.conftest import ARTICLE_FILE, BagOfWords

# Made by hand from the sentences of the file, for every kind of question there is.
KNOWN = {
    "Who was the first to report the intelligence discovery?": "The New York Times",
    "When were Iranian-made drones sent to the Russian military?": "August",
}
BRIDGE = make_article(
    "The Old Bridge was built in 1566. Maria Lopez painted the bridge for a London museum.\n\n"
    "Nobody knows why it fell. it was rebuilt later, and that is all there is to say.",
    title="The bridge",
)


def assistant_of(folder: Path, *articles: Article) -> Assistant:
    library = Library(folder)
    for article in articles:
        put(library, article)
    retriever = Retriever(library, BagOfWords())
    return Assistant(retriever, Examiner(retriever, Reader(), Judge.load()))


def test_the_examples_for_the_file_are_made_of_its_words(assistant: Assistant) -> None:
    raw = " ".join(ARTICLE_FILE.read_text(encoding="utf-8").split()).lower()
    questions = suggest(assistant, 6)
    assert set(KNOWN) <= set(questions)
    assert len(questions) == len(set(questions)) == 6
    for question in questions:
        assert MIN_WORDS <= len(question.split()) <= MAX_WORDS
        word, verb, rest = question.rstrip("?").split(" ", 2)
        if word == "Who":  # "Who was …?" and its answer are "X was …"; "is" and "has" may stand for plurals
            verbs = {"is": "is|are", "was": "was|were", "has": "has|have"}.get(verb, re.escape(verb))
            answer = re.escape(assistant.ask(question).text.lower().removeprefix("the "))
            assert re.search(f"{answer} (?:{verbs}) {re.escape(rest.lower())}", raw)
        else:
            assert (word, verb) in {("When", "was"), ("When", "were")}
            assert all(part in raw for part in rest.lower().split())


def test_every_example_is_answered_with_the_words_that_were_taken_out(assistant: Assistant) -> None:
    for question in suggest(assistant, 6):
        answer = assistant.ask(question)
        assert answer.status == "answered"
        assert answer.text == KNOWN.get(question, answer.text)


def test_questions_of_who_and_when_by_hand(tmp_path: Path) -> None:
    questions = suggest(assistant_of(tmp_path, BRIDGE), 9)
    assert questions == ["When was The Old Bridge built?", "Who painted the bridge for a London museum?"]


def test_a_sentence_that_stands_twice_gives_one_example(tmp_path: Path) -> None:
    twice = make_article(f"{BRIDGE.text}\n\n{BRIDGE.text}", title="Twice")
    questions = suggest(assistant_of(tmp_path, BRIDGE, twice), 9)
    assert sorted(questions) == sorted(set(questions))
    assert questions


@pytest.mark.parametrize("count", [0, 1])
def test_there_are_no_more_examples_than_asked_for(assistant: Assistant, count: int) -> None:
    assert len(suggest(assistant, count)) == count


def test_where_nothing_fits_there_are_no_examples(tmp_path: Path) -> None:
    bare = make_article("nothing here has a name or a date in it.", title="Bare")
    assert suggest(assistant_of(tmp_path / "bare", bare), 3) == []
    assert suggest(assistant_of(tmp_path / "empty"), 3) == []
