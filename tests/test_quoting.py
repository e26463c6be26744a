"""Quoting from hand-made verdicts, held against the text they are cut from."""

import math
from dataclasses import replace

import pytest

from pullquote.articles import make_article
from pullquote.datatypes import Article, Chunk, Passage, Span
from pullquote.judging import Verdict
from pullquote.quoting import ALSO, JOINED, JOINED_WORDS, MAX_QUOTES, SAME, compose, cut, merge, plain

LINES = (
    "The New York Times was first.",
    "Reporters of the New York Times said so.",
    "A 🚀 was seen in Donbas.",
    "Nobody else was there.",
    "The new York times, again!",
    "Drones came too.",
)
TEXT = "\n\n".join(LINES)
ARTICLE = make_article(TEXT, title="Reports")


def passage(article: Article) -> Passage:
    spans, start = [], 0
    for line in article.text.replace("\n\n", "\n").split("\n"):
        start = article.text.index(line, start)
        spans.append((start, start + len(line)))
    return Passage(Chunk(article.id, 0, len(article.text), 0), article, tuple(spans), 0.0, 0.0, 0.0)


PASSAGE = passage(ARTICLE)


def verdict(line: int, words: str, logit: float, where: Passage = PASSAGE) -> Verdict:
    sentence = where.sentences[line]
    start = where.article.text.index(words, sentence[0])
    span = Span(where, sentence, start, start + len(words), 0.0, 0.0)
    return Verdict(span, {}, 1 / (1 + math.exp(-logit)))


def test_a_quote_is_its_whole_sentence_with_the_answer_highlighted() -> None:
    quote = cut(2, verdict(2, "Donbas", 1.0).span)
    assert quote.text == TEXT[quote.start : quote.end] == "A 🚀 was seen in Donbas."
    assert TEXT[slice(*quote.highlight)] == "Donbas"
    assert (quote.number, quote.paragraph, quote.article_date) == (2, 3, ARTICLE.added_at[:10])


def test_one_verdict_is_one_point_on_one_quote_however_weak() -> None:
    said = compose([verdict(3, "Nobody", -3.0)], "fact")
    assert [(point.text, point.citations) for point in said.points] == [("Nobody", (1,))]
    assert [quote.text for quote in said.quotes] == [LINES[3]]
    assert not said.differ


def test_the_same_words_elsewhere_are_another_citation_of_one_point() -> None:
    verdicts = [verdict(0, "The New York Times", 1.0), verdict(2, "Donbas", 0.9), verdict(4, "The new York times", 0.0)]
    said = compose(verdicts, "fact")
    assert [(point.text, point.citations) for point in said.points] == [("The New York Times", (1, 2))]
    assert [quote.text for quote in said.quotes] == [LINES[0], LINES[4]]


def test_the_same_words_far_behind_are_not_cited() -> None:
    verdicts = [verdict(0, "The New York Times", 1.0), verdict(4, "The new York times", 0.9 - SAME)]
    assert len(compose(verdicts, "fact").quotes) == 1


def test_another_place_is_offered_only_beside_an_unsure_answer() -> None:
    def quoted(best: float) -> list[str]:
        verdicts = [verdict(2, "Donbas", best), verdict(0, "The New York Times", best - ALSO + 0.1)]
        return [quote.text for quote in compose(verdicts, "fact").quotes]

    assert quoted(0.0) == [LINES[2], LINES[0]]
    assert quoted(1.0) == [LINES[2]]
    far = [verdict(2, "Donbas", 0.0), verdict(0, "The New York Times", -ALSO - 0.1)]
    assert len(compose(far, "fact").quotes) == 1


def test_other_places_are_offered_likeliest_first_whichever_reader_read_them() -> None:
    """The verdicts come as a judge gives them: what was read twice first."""
    said = compose([verdict(0, "New York", -1), verdict(2, "Donbas", -2.5), verdict(5, "Drones", -1.2)], "fact")
    assert [quote.text for quote in said.quotes] == [LINES[0], LINES[5], LINES[2]]


def test_a_list_question_gets_a_point_for_each_thing() -> None:
    verdicts = [verdict(2, "A 🚀", 1.5), verdict(5, "Drones", 0.5), verdict(3, "Nobody", -1.0)]
    said = compose(verdicts, "list")
    assert [point.text for point in said.points] == ["A 🚀", "Drones"]
    assert [point.citations for point in said.points] == [(1,), (2,)]


def test_a_question_for_a_sentence_gets_one() -> None:
    assert compose([verdict(2, "Donbas", 1.0)], "sentence").points[0].text == LINES[2]


def test_there_are_three_quotes_at_most_numbered_in_order_and_none_twice() -> None:
    verdicts = [verdict(line, LINES[line].split()[0], -line / 10) for line in range(6)]
    verdicts.insert(1, verdict(0, "first", -0.01))
    quotes = compose(verdicts, "fact").quotes
    assert [quote.number for quote in quotes] == list(range(1, MAX_QUOTES + 1))
    assert len({quote.start for quote in quotes}) == MAX_QUOTES
    assert all(quote.is_literal(ARTICLE) for quote in quotes)


NEAR = "Ada wrote the notes. She did it in 1843.\n\nIn London it rained."


def test_a_neighbour_about_as_likely_is_quoted_in_one_piece() -> None:
    article = make_article(NEAR, title="Ada")
    sentences = ((0, 20), (21, 40), (42, len(NEAR)))
    where = Passage(Chunk(article.id, 0, len(NEAR), 0), article, sentences, 0.0, 0.0, 0.0)
    best, near = verdict(1, "1843", 1.0, where), verdict(0, "Ada", 1.1 - JOINED, where)
    far = verdict(0, "Ada", 0.9 - JOINED, where)
    assert [quote.text for quote in compose([best, near], "fact").quotes] == [
        "Ada wrote the notes. She did it in 1843."
    ]
    assert [quote.text for quote in compose([best, far], "fact").quotes] == ["She did it in 1843."]
    across = compose([best, verdict(2, "London", 0.9, where)], "fact").quotes
    assert across[0].text == "She did it in 1843."


def test_two_long_neighbours_stay_apart() -> None:
    long = " ".join(["word"] * (JOINED_WORDS // 2)) + " end."
    text = f"{long} {long}"
    article = make_article(text, title="Long")
    where = Passage(
        Chunk(article.id, 0, len(text), 0), article, ((0, len(long)), (len(long) + 1, len(text))), 0.0, 0.0, 0.0
    )
    quotes = compose([verdict(0, "end", 0.0, where), verdict(1, "word", -0.1, where)], "fact").quotes
    assert quotes[0].text == long


def test_two_articles_that_disagree_are_quoted_side_by_side() -> None:
    other = passage(make_article("The bridge opened in 1932.", title="Other"))
    this = passage(make_article("The bridge opened in 1923.", title="This"))
    best = verdict(0, "1923", 1.5, this)
    said = compose([best, verdict(0, "1932", 0.5, other)], "fact")
    assert said.differ
    assert [point.text for point in said.points] == ["1923", "1932"]
    assert [quote.article_title for quote in said.quotes] == ["This", "Other"]
    assert not compose([best, verdict(0, "1932", 0.3, other)], "fact").differ
    agreeing = passage(make_article("Since 1923 it is open.", title="Third"))
    assert not compose([best, verdict(0, "1923", 1.4, agreeing)], "fact").differ
    assert not compose([best, replace(verdict(0, "in 1923", 1.4, this))], "fact").differ


def test_the_parts_of_a_question_share_a_quote_and_number_on() -> None:
    who = compose([verdict(0, "The New York Times", 1.0)], "fact")
    when = compose([verdict(0, "first", 1.0)], "fact")
    where = compose([verdict(2, "Donbas", 1.0)], "fact")
    said = merge([("Who?", who), ("When?", when), ("Why?", None), ("Where?", where)])
    assert [quote.text for quote in said.quotes] == [LINES[0], LINES[2]]
    assert [(point.question, point.text, point.citations) for point in said.points] == [
        ("Who?", "The New York Times", (1,)),
        ("When?", "first", (1,)),
        ("Why?", "", ()),
        ("Where?", "Donbas", (2,)),
    ]


@pytest.mark.parametrize(
    ("text", "words"), [("The  Times!", "times"), ("a\nMAN", "man"), ("an", "an"), ("“U.S.”", "u s"), ("", "")]
)
def test_words_alone(text: str, words: str) -> None:
    assert plain(text) == words
