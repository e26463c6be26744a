"""What is read out of a text, held against what a person reads in it."""

import time

import pytest

from pullquote.facts import clauses, content, names, numbers, spelt_out


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("36 months", [(36, "month")]),
        ("thirty-six months", [(36, "month")]),
        ("one hundred and twenty thousand people", [(120_000, "")]),
        ("1,200 and 1 200 and 1200", [(1200, ""), (1200, ""), (1200, "")]),
        ("1.2 million kroner", [(1_200_000, "krone")]),
        ("€180,000 or 180,000 euros", [(180_000, "euro"), (180_000, "euro")]),
        ("12 %, 12% and twelve per cent", [(12, "%"), (12, "%"), (12, "%")]),
        ("nine working days", [(9, "day")]),
        ("half a millimetre or 0.5 mm", [(0.5, "millimetre"), (0.5, "millimetre")]),
        ("June 4th and 4 June", [(4, ""), (4, "")]),
        ("on 2024-05-03", [(3, ""), (2024, "")]),
        ("from 6 a.m. to 10 p.m.", [(6, "am"), (10, "pm")]),
        ("41 million to 29 million", [(41_000_000, ""), (29_000_000, "")]),
        ("at -5 °C for 4-6 weeks", [(-5, "°"), (4, ""), (6, "week")]),
        ("30 seconds in the second quarter", [(30, "second"), (2, "")]),
        ("two and three", [(2, ""), (3, "")]),
        ("no one, one of them, the one in Porto", []),
        ("one person", [(1, "")]),
        ("in the 1990s", [(1990, "")]),
        ("1,2 Liter", [(1.2, "litre")]),
        ("", []),
    ],
)
def test_numbers(text: str, expected: list[tuple[float, str]]) -> None:
    assert [(number.value, number.unit) for number in numbers(spelt_out(text))] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The New York Times was first.", [("new", "york", "times")]),
        ("The University of Tarn and Nordhang paid.", [("university", "tarn"), ("nordhang",)]),
        ("Hanna Brock's house in the U.S. fell.", [("hanna", "brock"), ("us",)]),
        ("In March, Halvorsen bought a Danish firm.", [("march",), ("halvorsen",), ("danish",)]),
        ("Seventeen pairs bred. It rained in May.", [("may",)]),
        ("Zoë met José.", [("zoe",), ("jose",)]),
        ("nothing here", []),
    ],
)
def test_names(text: str, expected: list[tuple[str, ...]]) -> None:
    assert [name.words for name in names(text)] == expected


def test_forms_of_a_word_are_one() -> None:
    assert content("He reported it") == content("They are reporting that") == content("reports")
    assert content("It isn't 12 of the two") == []


def test_clauses_end_where_a_sentence_turns() -> None:
    found = [clause.strip() for clause in clauses("It covers the pump, but not the seals, which wear out.")]
    assert found == ["It covers the pump", "but not the seals", "which wear out."]


@pytest.mark.parametrize("piece", ["1,", "1 000 ", "one ", "hundred and ", "A", "A of ", "a.", "minus ", "-", "$"])
def test_time_grows_with_the_text_only(piece: str) -> None:
    text = piece * (4_000 // len(piece))
    began = time.perf_counter()
    numbers(spelt_out(text)), names(text), content(text), list(clauses(text))
    assert time.perf_counter() - began < 5
