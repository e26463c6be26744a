import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pullquote.articles import make_article
from pullquote.datatypes import Article
from pullquote.sentences import MAX_CHARACTERS, SpanOf, sentence_spans
from tests.building import AWKWARD, awkward

words = st.sampled_from(
    ["The cat slept", "Dr. Who", "a", "3.14", "U.S.", "“Yes.”", "e\u0301", "👩‍👩‍👧", "这是。", "x" * 1_200]
)
stops = st.sampled_from(
    [". ", "! ", "…", "?!", " ", "\t", "\n", "\n- ", "\n1. ", "\n\n", "\n# H\n", "\u3000", " " * 1_100]
)
pieces = words | stops | st.text(max_size=8)
texts = st.lists(pieces, min_size=1, max_size=25).map(lambda parts: "w" + "".join(parts))


def all_spans(article: Article) -> list[SpanOf]:
    return [span for paragraph in article.paragraphs for span in sentence_spans(article, paragraph)]


def sentences(text: str) -> list[str]:
    article = make_article(text)
    return [article.text[start:end] for start, end in all_spans(article)]


def check(article: Article) -> None:
    """In order, disjoint, trimmed, none too long, and every non-blank character is in one of them."""
    text, spans = article.text, all_spans(article)
    flat = [offset for span in spans for offset in span]
    assert flat == sorted(flat)
    assert all(text[start:end] == text[start:end].strip() != "" for start, end in spans)
    assert all(end - start <= MAX_CHARACTERS for start, end in spans)
    inside = bytearray(len(text))
    for start, end in spans:
        inside[start:end] = b"\x01" * (end - start)
    assert [char for char, is_in in zip(text, inside, strict=True) if not is_in and not char.isspace()] == []


@settings(deadline=None, max_examples=150)
@given(texts)
def test_sentences_are_in_order_disjoint_and_cover_the_text(text: str) -> None:
    check(make_article(text, markdown=True))


@pytest.mark.parametrize("name", AWKWARD)
def test_sentences_of_awkward_texts_cover_them(name: str) -> None:
    check(awkward(name))


def test_sentences_of_the_owners_article_cover_it(article: Article) -> None:
    check(article)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The cat slept. A dog ran! Did it? Yes.", ["The cat slept.", "A dog ran!", "Did it?", "Yes."]),
        ("The cat sat. The cat sat.", ["The cat sat.", "The cat sat."]),
        ("Dr. Smith paid $3.50 to J. R. Jones.", ["Dr. Smith paid $3.50 to J. R. Jones."]),
        ("One line\nof a sentence. Another.", ["One line\nof a sentence.", "Another."]),
        ("No stop here\n\nNor here", ["No stop here", "Nor here"]),
        ("Bring:\n- a tent\n* ropes\n10. Tie them.", ["Bring:", "- a tent", "* ropes", "10. Tie them."]),
        ("It grew by\n5 percent. Good.", ["It grew by\n5 percent.", "Good."]),
        ("The 🦊 ran. 🎉 It won.", ["The 🦊 ran.", "🎉 It won."]),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_the_same_sentence_twice_stands_in_two_places() -> None:
    text = "The cat slept. A dog ran. The cat slept."
    spans = all_spans(make_article(text))
    assert spans[0] == (0, 14)
    assert spans[-1] == (text.rindex("The"), len(text))


def test_a_line_without_a_stop_is_split_at_blanks() -> None:
    words = ["lorem", "ipsum", "dolor"] * 3_000
    found = sentences(" ".join(words)[:50_000].rsplit(" ", 1)[0])
    assert " ".join(found).split() == words[: len(" ".join(found).split())]
    assert all(len(sentence) > MAX_CHARACTERS - 10 for sentence in found[:-1])


def test_a_line_without_blanks_is_split_anywhere() -> None:
    found = sentences("x" * 50_000)
    assert "".join(found) == "x" * 50_000
    assert len(found) == 50_000 // MAX_CHARACTERS


def test_part_of_a_paragraph_gives_only_sentences_of_that_part() -> None:
    article = make_article("One cat sat. Two dogs ran. Three birds sang.")
    assert sentence_spans(article, (13, 26)) == [(13, 26)]
    assert sentence_spans(article, (12, 13)) == []
