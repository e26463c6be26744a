from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pullquote.articles import make_article
from pullquote.chunking import SHORTEST_WORDS, TARGET_WORDS, chunk_article
from pullquote.datatypes import Article, Chunk
from pullquote.sentences import sentence_spans
from tests.building import AWKWARD, awkward

sentence = st.builds(lambda count, stop: " ".join(["word"] * count) + stop, st.integers(1, 90), st.sampled_from(".?!"))
block = (
    st.lists(sentence, min_size=1, max_size=8).map(" ".join)
    | st.sampled_from(["# One", "## Two ##", "Set\n===", "Two\nlines\n---", "```\n# code\n```", "- item", "x" * 3_000])
    | st.text(max_size=20)
)
markdown = st.lists(block, min_size=1, max_size=12).map(lambda blocks: "Word.\n\n" + "\n\n".join(blocks))


def check(article: Article) -> list[Chunk]:
    """Slices in order that hold every sentence and every non-blank character, and cross no heading."""
    chunks, text = chunk_article(article), article.text
    spans = [span for paragraph in article.paragraphs for span in sentence_spans(article, paragraph)]
    assert [chunk.position for chunk in chunks] == list(range(len(chunks)))
    assert {chunk.article_id for chunk in chunks} == {article.id}
    assert all(0 <= chunk.start < chunk.end <= len(text) for chunk in chunks)
    for before, after in pairwise(chunks):
        assert before.start < after.start
        assert before.end < after.end
        shared = [span for span in spans if after.start <= span[0] and span[1] <= before.end]
        assert len(shared) <= 1
        assert text[before.end : after.start].strip() == ""
    assert {chunk.start for chunk in chunks} <= {start for start, _ in spans}
    assert {chunk.end for chunk in chunks} <= {end for _, end in spans}
    assert all(any(chunk.start <= start and end <= chunk.end for chunk in chunks) for start, end in spans)
    assert text[: chunks[0].start].strip() == text[chunks[-1].end :].strip() == ""
    for heading in article.headings:
        assert not any(chunk.start < heading.start < chunk.end for chunk in chunks)
    return chunks


@settings(deadline=None, max_examples=100)
@given(markdown)
def test_chunks_cover_the_text_in_order_and_cross_no_heading(text: str) -> None:
    check(make_article(text, markdown=True))


@pytest.mark.parametrize("name", AWKWARD)
def test_chunks_of_awkward_texts(name: str) -> None:
    check(awkward(name))


def test_chunks_of_the_owners_article_are_of_the_size_the_encoder_takes(article: Article) -> None:
    sizes = [len(article.text[chunk.start : chunk.end].split()) for chunk in check(article)]
    assert len(sizes) > 1
    assert min(sizes) >= SHORTEST_WORDS
    assert max(sizes) <= 2 * TARGET_WORDS


def test_neighbours_share_a_short_sentence_and_not_a_long_one() -> None:
    short = " ".join(f"This is the sentence with the number {number}." for number in range(60))
    long = " ".join(" ".join([f"word{number}"] * 80) + "." for number in range(6))
    for text, shares in [(short, True), (long, False)]:
        first, second, *_ = check(make_article(text, title="T"))
        assert (second.start < first.end) == shares


def test_a_short_rest_goes_with_the_chunk_before_it() -> None:
    text = " ".join(["This sentence has six words here."] * 22)  # 132 words: 120, and a rest of 12
    assert len(check(make_article(text, title="T"))) == 1


def test_a_short_section_is_a_chunk_of_its_own() -> None:
    article = make_article("# A\n\nOne.\n\n# B\n\nTwo.\n\nC\n=\n\nThree.", markdown=True)
    words = [article.text[chunk.start : chunk.end] for chunk in check(article)]
    assert words == ["# A\n\nOne.", "# B\n\nTwo.", "C\n=\n\nThree."]


def test_a_text_without_blanks_is_cut_into_several_chunks() -> None:
    chunks = check(make_article("这是一个句子。" * 1_000, title="T"))
    assert max(chunk.end - chunk.start for chunk in chunks) <= 3_000


@pytest.mark.parametrize(("start", "end"), [(0, 0), (5, 5), (5, 4), (-1, 4)])
def test_a_chunk_is_not_empty(start: int, end: int) -> None:
    with pytest.raises(ValueError, match="not empty"):
        Chunk("a", start, end, 0)
