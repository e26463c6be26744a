from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pullquote.articles import make_article
from pullquote.datatypes import Article
from pullquote.embedding import QuestionEncoder
from pullquote.evaluating import GoldQuestion
from pullquote.growing import CHUNKS, Grown, Maker
from pullquote.library import Library
from pullquote.retrieving import Retriever
from pullquote.scaling import measure_size
from tests.conftest import BagOfWords


class Wide(BagOfWords):
    """Bags of words of 384 dimensions, as the real encoder's are."""

    def encode(self, texts):  # type: ignore[no-untyped-def]
        chance = np.random.default_rng(7).normal(size=(64, 384))
        vectors = super().encode(texts) @ chance
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def maker(article: Article) -> Maker:
    other = make_article("The lake lies in the north. It is deep and cold. " * 40, title="Lake")
    return Maker([article, other], Wide())


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    library = Library(tmp_path)
    yield library
    library.close()


def test_a_made_up_article_is_the_same_each_time_and_its_chunks_are_whole_sentences(maker: Maker) -> None:
    article, chunks, vectors = maker.article(3)
    again = maker.article(3)
    assert (article.text, chunks) == (again[0].text, [replace(c, article_id=article.id) for c in again[1]])
    assert article.text != maker.article(4)[0].text
    assert len(chunks) == len(vectors) == CHUNKS
    for chunk in chunks:
        text = article.text[chunk.start : chunk.end]
        assert text[0].isupper()
        assert text.endswith(".")
        assert len(text.split()) == 120
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_words_fall_off_as_zipf_says(maker: Maker) -> None:
    counts = Counter(word for number in range(40) for word in maker.article(number)[0].text.lower().split())
    ranks = np.arange(1, 301)
    slope = np.polyfit(np.log(ranks), np.log([count for _, count in counts.most_common(300)]), 1)[0]
    assert -1.4 < slope < -0.6


def test_chunks_of_an_article_are_more_alike_than_others(maker: Maker) -> None:
    one, two = maker.article(1)[2], maker.article(2)[2]
    own = (one @ one.T)[~np.eye(CHUNKS, dtype=bool)].mean()
    assert own > (one @ two.T).mean() + 0.02


def test_a_library_grows_on_from_where_it_was(library: Library, maker: Maker) -> None:
    real = sum(map(len, maker.chunks))
    assert list(Grown.start(library, maker).grow(real + 1))[-1] == real + CHUNKS
    assert list(Grown.start(library, maker).grow(real + 2 * CHUNKS))[-1] == real + 2 * CHUNKS
    assert {"Made up 0", "Made up 1"} <= {article.title for article, _ in library.articles()}
    assert len(library.all_keys()) == real + 2 * CHUNKS


def test_a_size_is_measured_with_the_memory_and_recall_of_exact_search(tmp_path: Path, article: Article) -> None:
    library = Library(tmp_path)
    for _ in Grown.start(library, Maker([article], QuestionEncoder())).grow(200):
        pass
    question = "Who was the first to report the intelligence discovery?"
    passages = Retriever(library, QuestionEncoder()).retrieve(question, 5)
    is_there = any("New York Times" in one.text for one in passages if one.article.title == article.title)
    library.close()
    gold = [GoldQuestion("1", "a", question, "answerable", ("The New York Times",))]
    figures = {one.name.partition(": ")[2]: one for one in measure_size(tmp_path, gold, {"a": article.title}, 10.0)}
    assert figures["recall@10 of dense against brute force"].median == 1
    assert figures["gold passage among the first 5, of the whole library"].median == is_there
    assert figures["index made anew (Flat)"].median > 0
    assert figures["retrieve, p95"].median >= figures["dense, p95"].median
