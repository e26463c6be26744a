"""Corrections are held against pairs written by hand, and against the vocabulary that the reader really has."""

from string import ascii_lowercase

import pytest

from pullquote.reading import Reader
from pullquote.spelling import MOST, corrected

TEXT = (
    "The astronauts of Bolesław saw bourgeois architecture. Acceleration is finished; Infrastructure in Zelensky's "
    "Kraków was democratic, and the principle of Sigismund was kept."
)


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader()


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("What did the astronaughts see?", "What did the astronauts see?"),
        ("Where is Boleslaw?", "Where is Bolesław?"),  # as people type it who have no such key
        ("What of BOUREGOIS architechture?", "What of bourgeois architecture?"),
        ("Who is Zelenskiy, or Zelenskyy?", "Who is Zelensky, or Zelensky?"),
        ("Is the priciple's infatructure here?", "Is the principle's Infrastructure here?"),
    ],
)
def test_misspelt_words_are_spelt_as_the_text_does(reader: Reader, asked: str, expected: str) -> None:
    assert corrected(asked, [TEXT], reader.knows) == expected


@pytest.mark.parametrize(
    "asked",
    [
        "What did the astronauts of Bolesław see?",  # in the text
        "Who was president of the infantry?",  # words, if others
        "What is undemocratic?",  # holds the other, and says the opposite
        "What is prefinished?",
        "Deceleration is what?",  # another first letter
        "Krakow or Zelen?",  # too short for its one wrong letter; not like enough
        "Which qwertzuiop is it?",
        "Room 20001 of 2O0O1_x?",
        "",
        "…?!",
    ],
)
def test_what_is_a_word_or_like_none_is_left(reader: Reader, asked: str) -> None:
    assert corrected(asked, [TEXT], reader.knows) == asked


def test_a_few_words_are_corrected_however_many_are_strange() -> None:
    words = [f"principl{letter}" for letter in ascii_lowercase]
    question, text = " ".join(f"princpil{word[-1]}" for word in words), " ".join(words)
    found = corrected(question, [text], lambda _: False)
    assert sum(a != b for a, b in zip(question.split(), found.split(), strict=True)) == MOST
