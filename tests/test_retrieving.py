import math
import re
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pullquote.articles import make_article
from pullquote.datatypes import Article
from pullquote.errors import EncoderMismatch, UnknownArticle
from pullquote.library import Library
from pullquote.retrieving import CANDIDATES, LEXICAL_WEIGHT, MAX_WORDS, STOP_WORDS, Retriever, content_words
from pullquote.sentences import sentence_spans
from pullquote.shared_library import AnyLibrary
from tests.building import AWKWARD, awkward, put
from tests.conftest import BagOfWords
from tests.shelves import Shelf

MADE_UP = ["zorb", "quax", "flim", "brut", "klop", "vand", "mirt", "jolk"]  # words that no stemmer changes

SYNTAX = [
    'a "quoted" word',
    'one " only',
    '""',
    "NEAR(zorb quax, 3)",
    "NEAR(",
    "zorb AND quax",
    "AND",
    "zorb OR NOT quax",
    "NOT",
    "text: zorb",
    "words:zorb",
    "^zorb",
    "-zorb",
    "zorb*",
    "*",
    "{zorb} + [quax]",
    "zorb'; DROP TABLE words; --",
    "%_\\",
    "who is it?",
    "the of and",
    "?",
    "",
    " ",
    "🦊",
    "这是什么？",
    "cafe\u0301",
    "zorb " * 400,
    "x" * 2_000,
    " ".join(f"w{number}" for number in range(400)),
]


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    library = Library(tmp_path)
    yield library
    library.close()


@pytest.fixture
def either(shelf: Shelf) -> AnyLibrary:
    """A library of each kind."""
    opened: AnyLibrary = shelf.open()
    return opened


def zorbs(count: int, seed: int = 1) -> list[Article]:
    """Articles of one chunk each, of made-up words."""
    random = np.random.default_rng(seed)
    texts = [" ".join(random.choice(MADE_UP, size=random.integers(3, 30))) for _ in range(count)]
    return [make_article(f"{text} n{number}", title=f"{number}") for number, text in enumerate(texts)]


def bm25(query: Sequence[str], documents: Sequence[str], kind: str) -> list[float]:
    """Robertson's BM25, k1 = 1.2 and b = 0.75. SQLite's idf is at least 1e-6; Milvus adds 1 (Lucene's)."""
    k1 = 1.2
    words = [document.split() for document in documents]
    average = sum(map(len, words)) / len(words)
    scores = [0.0] * len(words)
    for term in query:
        holding = sum(term in document for document in words)
        odds = (len(words) - holding + 0.5) / (holding + 0.5)
        idf = max(math.log(odds), 1e-6) if kind == "sqlite" else math.log(odds + 1)
        for place, document in enumerate(words):
            count = document.count(term)
            scores[place] += idf * count * (k1 + 1) / (count + k1 * (0.25 + 0.75 * len(document) / average))
    return scores


QUESTIONS = ["zorb", "Which zorb has the quax?", "n3 n7 n11", "flim brut klop n20", "who?", "no"]


def test_order_and_scores_are_those_of_brute_force(shelf: Shelf) -> None:
    library, articles = shelf.open(), zorbs(40 if shelf.kind == "sqlite" else 8)
    for article in articles:
        assert len(put(library, article)) == 1
    texts = [article.text for article in articles]
    retriever = Retriever(library, BagOfWords())
    for question in QUESTIONS:
        dense = (BagOfWords().encode(texts).astype(np.float64) @ BagOfWords().encode([question])[0]).tolist()
        query = [word for word in re.findall(r"\w+", question.lower()) if word not in STOP_WORDS]
        lexical = bm25(query, texts, shelf.kind)
        top = max(lexical) or 1.0
        fused = [cosine + LEXICAL_WEIGHT * words / top for cosine, words in zip(dense, lexical, strict=True)]
        found = retriever.retrieve(question, 10)
        best = sorted(fused, reverse=True)[:10]
        np.testing.assert_allclose([passage.fused for passage in found], best, atol=1e-5, err_msg=question)
        for passage in found:
            place = articles.index(passage.article)
            assert passage.dense == pytest.approx(dense[place], abs=1e-5)
            assert passage.lexical == pytest.approx(lexical[place], rel=1e-5, abs=1e-12)
            assert passage.fused == pytest.approx(fused[place], abs=1e-5)


@pytest.mark.parametrize("question", SYNTAX)
def test_no_question_is_syntax(retriever: Retriever, question: str) -> None:
    found = retriever.retrieve(question, 5)
    assert len(found) == 5
    assert [passage.fused for passage in found] == sorted((passage.fused for passage in found), reverse=True)


@pytest.mark.parametrize("question", ["NOT zorb", "-zorb", "zorb NEAR(", '"zorb', "^zorb*"])
def test_the_words_beside_syntax_are_searched_for(either: AnyLibrary, question: str) -> None:
    for text in ["The zorb is here.", "Only quax is here.", "Nothing at all is here."]:
        put(either, make_article(text, title=text))
    best, *others = Retriever(either, BagOfWords()).retrieve(question, 3)
    assert best.article.text == "The zorb is here."
    assert best.lexical > 0
    assert [passage.lexical for passage in others] == [0.0, 0.0]


@pytest.fixture(scope="module")
def retriever(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Retriever]:
    library = Library(tmp_path_factory.mktemp("zorbs"))
    for article in zorbs(6):
        put(library, article)
    yield Retriever(library, BagOfWords())
    library.close()


@settings(deadline=None)
@given(question=st.text(max_size=80) | st.text("zor\"*^:-()N'{}+ ", max_size=80))
def test_any_question_finds_passages(retriever: Retriever, question: str) -> None:
    assert len(retriever.retrieve(question, 5)) == 5


def test_content_words_are_each_once_in_order_without_stop_words() -> None:
    assert content_words("Who is the Zorb of the zorb in Paris-Roubaix, 2024?") == ["zorb", "paris", "roubaix", "2024"]
    assert content_words("who is it") == content_words("?!") == content_words("") == []
    assert content_words(" ".join(f"w{n}" for n in range(400))) == [f"w{n}" for n in range(MAX_WORDS)]


def test_an_empty_library_has_no_passages(either: AnyLibrary) -> None:
    retriever = Retriever(either, BagOfWords())
    assert retriever.retrieve("zorb", 5) == []
    put(either, zorbs(1)[0])
    assert len(retriever.retrieve("zorb", 5)) == 1
    assert retriever.retrieve("zorb", 0) == []


def test_the_index_follows_the_library(shelf: Shelf) -> None:
    library, elsewhere = shelf.open(), shelf.open()  # as another process would
    retriever = Retriever(library, BagOfWords())
    first, second = (make_article(f"The {word} is here.", title=word) for word in ("zorb", "quax"))
    put(library, first)
    assert retriever.retrieve("zorb", 5)[0].article == first
    put(elsewhere, second)
    assert retriever.retrieve("quax", 5)[0].article == second
    elsewhere.remove(second.id)
    assert [passage.article for passage in retriever.retrieve("quax", 5)] == [first]


def test_vectors_of_another_encoder_are_refused_as_soon_as_they_are_there(either: AnyLibrary) -> None:
    put(either, make_article("The zorb is here."))
    retriever = Retriever(either, BagOfWords())
    assert retriever.retrieve("zorb", 5)
    [(keys, vectors)] = either.vector_blocks()
    either.replace_vectors(keys.tolist(), -vectors, "another")
    with pytest.raises(EncoderMismatch, match="pullquote reembed"):
        retriever.retrieve("zorb", 5)


def test_questions_are_answered_of_one_moment_while_articles_come_and_go(shelf: Shelf) -> None:
    library, articles = shelf.open(grace=2), zorbs(12 if shelf.kind == "sqlite" else 5)
    for article in articles[:4]:
        put(library, article)
    retriever = Retriever(library, BagOfWords())
    done = threading.Event()

    def change() -> None:
        for _ in range(3 if shelf.kind == "sqlite" else 1):
            for article in articles[4:]:
                put(library, article)
            for article in articles[4:]:
                library.remove(article.id)
        done.set()

    def ask() -> bool:
        sizes = set()
        while not done.is_set():
            found = retriever.retrieve("zorb quax flim", 12)
            assert {passage.article.id for passage in found} >= {article.id for article in articles[:4]}
            sizes.add(len(found))
        return bool(sizes)

    with ThreadPoolExecutor(4) as threads:
        asking = [threads.submit(ask) for _ in range(3)]
        threads.submit(change).result()
        assert all(thread.result() for thread in asking)
    assert len(retriever.retrieve("zorb", 12)) == 4


@pytest.mark.parametrize("name", AWKWARD)
def test_passages_of_awkward_articles_hold_their_sentences(library: Library, name: str) -> None:
    article = awkward(name)
    chunks = put(library, article)
    found = Retriever(library, BagOfWords()).retrieve("a word", len(chunks))
    assert len({passage.chunk.position for passage in found}) == len(found) >= min(len(chunks), CANDIDATES)
    in_heading = {offset for heading in article.headings for offset in range(heading.start, heading.end)}
    everything = [span for paragraph in article.paragraphs for span in sentence_spans(article, paragraph)]
    for passage in found:
        inside = [s for s in everything if passage.chunk.start <= s[0] and s[1] <= passage.chunk.end]
        assert list(passage.sentences) == ([s for s in inside if s[0] not in in_heading] or inside)
        assert passage.text == article.text[passage.chunk.start : passage.chunk.end]


def test_a_passage_of_a_long_paragraph_has_the_sentences_of_the_whole(library: Library, article: Article) -> None:
    joined = make_article(" ".join(article.text.split()), title="One paragraph")
    [paragraph] = joined.paragraphs
    whole = sentence_spans(joined, paragraph)
    chunks = put(library, joined)
    assert len(chunks) > 1
    for passage in Retriever(library, BagOfWords()).retrieve("drones", len(chunks)):
        assert list(passage.sentences) == [
            span for span in whole if passage.chunk.start <= span[0] and span[1] <= passage.chunk.end
        ]


@pytest.mark.parametrize("question", ["zorb quax", "flim", "who is it?", "🦊"])
def test_one_article_is_searched_as_if_it_were_alone(library: Library, tmp_path: Path, question: str) -> None:
    """Brute force: a library of that article only, where BM25 alone differs, for it counts the other texts."""
    articles = zorbs(6)
    for article in articles:
        put(library, article)
    retriever = Retriever(library, BagOfWords())
    for article in articles:
        found = retriever.retrieve(question, 5, article.id)
        assert {passage.article.id for passage in found} == {article.id}
        alone = Library(tmp_path / article.id)
        chunks = put(alone, article)
        assert len(found) == min(5, len(chunks))
        expected = {
            passage.chunk.start: passage.dense for passage in Retriever(alone, BagOfWords()).retrieve(question, 99)
        }
        for passage in found:
            assert passage.dense == pytest.approx(expected[passage.chunk.start], abs=1e-6)
        alone.close()


def test_an_unknown_article_is_told(either: AnyLibrary) -> None:
    put(either, zorbs(1)[0])
    with pytest.raises(UnknownArticle, match="pullquote list"):
        Retriever(either, BagOfWords()).retrieve("zorb", 5, "no such id")


def test_ranks_are_places_by_meaning_and_by_words(either: AnyLibrary) -> None:
    for article in zorbs(4):
        put(either, article)
    found = Retriever(either, BagOfWords()).retrieve("zorb quax", 99)
    by_meaning = sorted(found, key=lambda passage: -passage.dense)
    assert [passage.ranks[0] for passage in by_meaning] == list(range(1, len(found) + 1))
    by_words = sorted((passage for passage in found if passage.lexical), key=lambda passage: -passage.lexical)
    assert [passage.ranks[1] for passage in by_words] == list(range(1, len(by_words) + 1))
    assert all(passage.ranks[1] == 0 for passage in found if not passage.lexical)
