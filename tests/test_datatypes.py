import dataclasses
import hashlib
from itertools import groupby
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pullquote.articles import make_article
from pullquote.datatypes import Answer, Article, Chunk, Heading, Passage, Point, Quote, Span, heading_words
from tests.building import AWKWARD, awkward

TEXT = "Top line\n\nThe cat sat. A dog ran.\n\nSub\n\nThe cat sat."
ARTICLE = Article("a1", "Top line", TEXT, "pasted", "2025-01-01", (Heading(0, 8, 1), Heading(35, 38, 2)))
PASSAGE = Passage(Chunk("a1", 10, 33, 0), ARTICLE, ((10, 22), (23, 33)), 0.5, 0.0, 0.5)
QUOTE = Quote.cut(1, ARTICLE, (10, 22), (14, 17))
lines = st.sampled_from(["", " ", "word", "  indented", "two words ", "\t", "🦊", "\u3000", "e\u0301"])


@pytest.mark.parametrize(
    "change",
    [
        {"id": ""},
        {"title": " \n"},
        {"text": ""},
        {"text": " \n\t"},
        {"headings": (Heading(5, 2, 1),)},
        {"headings": (Heading(-1, 2, 1),)},
        {"headings": (Heading(0, len(TEXT) + 1, 1),)},
        {"headings": (Heading(10, 12, 1), Heading(0, 4, 1))},
        {"headings": (Heading(0, 12, 1), Heading(10, 14, 1))},
    ],
)
def test_an_article_refuses_a_bad_self(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"article has|headings stand"):
        dataclasses.replace(ARTICLE, **change)


@pytest.mark.parametrize(
    "change",
    [
        {"article": dataclasses.replace(ARTICLE, id="other")},
        {"chunk": Chunk("a1", 10, len(TEXT) + 1, 0)},
        {"sentences": ()},
        {"sentences": ((9, 22),)},
        {"sentences": ((10, 22), (23, 34))},
    ],
)
def test_a_passage_refuses_a_bad_self(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="a passage"):
        dataclasses.replace(PASSAGE, **change)


@pytest.mark.parametrize(("start", "end"), [(9, 12), (12, 12), (13, 12), (12, 23)])
def test_a_span_refuses_to_leave_its_sentence(start: int, end: int) -> None:
    with pytest.raises(ValueError, match="inside its sentence"):
        Span(PASSAGE, (10, 22), start, end, 0.0, 0.0)


@pytest.mark.parametrize(
    "change",
    [{"number": 0}, {"text": ""}, {"text": "The cat sat"}, {"end": 23}]
    + [{"highlight": span} for span in [(9, 12), (12, 12), (17, 14), (14, 23)]],
)
def test_a_quote_refuses_a_bad_self(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="quote"):
        dataclasses.replace(QUOTE, **change)


POINT = Point("cat", (1,))


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"points": ()}, "made of points"),
        ({"points": (Point("cat", (2,)),)}, "cites quotes"),
        ({"status": "related"}, "made of points"),
        ({"status": "guidance"}, "guidance have none"),
    ],
)
def test_an_answer_stands_on_its_points_and_they_on_quotes(change: dict[str, Any], fault: str) -> None:
    answer = Answer("Who?", "answered", "cat", 0.5, (QUOTE,), (POINT, Point("", (), "And who?")))
    with pytest.raises(ValueError, match=fault):
        dataclasses.replace(answer, **change)


@pytest.mark.parametrize(("text", "citations"), [("cat", ()), ("", (1,))])
def test_a_point_is_cited_if_it_says_something(text: str, citations: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="cited"):
        Point(text, citations)


@pytest.mark.parametrize(
    ("status", "confidence", "quotes", "fault"),
    [
        ("answered", 1.01, (QUOTE,), "between 0 and 1"),
        ("answered", -0.1, (QUOTE,), "between 0 and 1"),
        ("answered", float("nan"), (QUOTE,), "between 0 and 1"),
        ("answered", 0.5, (), "has quotes"),
        ("not_found", 0.5, (QUOTE,), "a refusal and guidance have none"),
        ("answered", 0.5, (QUOTE, QUOTE), "numbered"),
        ("answered", 0.5, (dataclasses.replace(QUOTE, number=2),), "numbered"),
    ],
)
def test_an_answer_refuses_a_bad_self(status: Any, confidence: float, quotes: tuple[Quote, ...], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        Answer("Who?", status, "", confidence, quotes, (POINT,) if status == "answered" else ())


def test_a_noun_is_frozen() -> None:
    for noun in (ARTICLE, PASSAGE, QUOTE, PASSAGE.chunk, Answer("Who?", "not_found", "", 1.0)):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(noun, dataclasses.fields(noun)[0].name, "changed")


def test_a_quote_is_a_slice_and_knows_where_it_stands() -> None:
    second = TEXT.rindex("The cat sat.")
    quote = Quote.cut(2, ARTICLE, (second, second + 12), (second + 4, second + 7))
    assert quote.text == TEXT[quote.start : quote.end] == QUOTE.text == "The cat sat."
    assert (QUOTE.paragraph, QUOTE.heading) == (2, None)
    assert (quote.paragraph, quote.heading) == (4, "Sub")
    assert quote.article_sha256 == hashlib.sha256(TEXT.encode()).hexdigest()


def test_a_quote_is_not_literal_to_another_text() -> None:
    assert QUOTE.is_literal(ARTICLE)
    assert not QUOTE.is_literal(dataclasses.replace(ARTICLE, text=TEXT + "."))
    assert not dataclasses.replace(QUOTE, text="The cat sap.").is_literal(ARTICLE)
    assert not dataclasses.replace(QUOTE, start=11, end=23).is_literal(ARTICLE)


@pytest.mark.parametrize(
    ("source", "url"),
    [("pasted", None), ("/a/file.txt", None), ("https://a.org/b", "https://a.org/b"), ("javascript:x", None)],
)
def test_only_a_web_address_is_a_link(source: str, url: str | None) -> None:
    assert Quote.cut(1, dataclasses.replace(ARTICLE, source=source), (10, 22), (14, 17)).source_url == url


def test_passage_and_span_give_their_words() -> None:
    assert PASSAGE.text == "The cat sat. A dog ran."
    assert Span(PASSAGE, (10, 22), 14, 17, 1.0, 2.0).text == "cat"


@settings(deadline=None)
@given(st.lists(lines, max_size=12))
def test_paragraphs_are_the_runs_of_lines_between_blank_lines(rows: list[str]) -> None:
    article = make_article("\n".join(["word", *rows]), title="T")
    runs = [
        "\n".join(run).strip() for blank, run in groupby(article.text.split("\n"), lambda r: not r.strip()) if not blank
    ]
    assert [article.text[start:end] for start, end in article.paragraphs] == runs


@pytest.mark.parametrize("name", AWKWARD)
def test_paragraphs_cover_awkward_texts_and_each_heading_is_one(name: str) -> None:
    article = awkward(name)
    inside = "".join(article.text[start:end] for start, end in article.paragraphs)
    assert "".join(inside.split()) == "".join(article.text.split())
    assert {(heading.start, heading.end) for heading in article.headings} <= set(article.paragraphs)


def test_paragraph_at_counts_the_starts_before() -> None:
    starts = [TEXT.index("Top"), TEXT.index("The"), TEXT.index("Sub"), TEXT.rindex("The")]
    for offset in range(len(TEXT)):
        assert ARTICLE.paragraph_at(offset) == sum(start <= offset for start in starts)
    assert make_article("\n\n  word", title="T").paragraph_at(0) == 1


def test_heading_at_is_the_last_heading_that_ended() -> None:
    markdown = "# Top\n\nintro\n\n## Sub ##\n\nunder it\n\nC#\n--\n\nunder that"
    article = make_article(markdown, markdown=True)
    assert article.heading_at(markdown.index("Top")) is None
    assert article.heading_at(markdown.index("intro")) is None
    assert article.heading_at(markdown.index("under it")) == "Sub"
    assert article.heading_at(markdown.index("under that")) == "C#"


@pytest.mark.parametrize(
    ("heading", "words"),
    [
        ("# A", "A"),
        ("###### A b", "A b"),
        ("# A ##", "A"),
        ("#\tA \t b", "A b"),
        ("# C#", "C#"),
        ("#A", "#A"),
        ("#", ""),
        ("# #", ""),
        ("A", "A"),
        ("A\n===", "A"),
        ("A\nb\n  ---  ", "A b"),
        ("- A -", "- A -"),
        ("A = b", "A = b"),
    ],
)
def test_heading_words(heading: str, words: str) -> None:
    assert heading_words(heading) == words
