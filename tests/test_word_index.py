from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pullquote.articles import make_article
from pullquote.library import Library
from pullquote.word_index import BESIDE, WordIndex
from tests.building import put
from tests.test_retrieving import MADE_UP, SYNTAX, zorbs


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    library = Library(tmp_path)
    for article in zorbs(60):
        put(library, article)
    yield library
    library.close()


def ready(library: Library, words: WordIndex) -> WordIndex:
    """Once what there is has been taken over."""
    with library.snapshot():
        words.search(["zorb"], 5, 60)
    words.wait()
    return words


def check(library: Library, words: WordIndex) -> None:
    """The same chunks in nearly the same order as SQLite, whose scores are Robertson's BM25 too."""
    for query in (["zorb"], ["quax", "flim"], ["n7", "zorb"], ["n3"], MADE_UP):
        with library.snapshot():
            expected = dict(library.search_words(query, 100))
            found = words.search(query, 100, 60)
        assert words._moment is not None
        assert words._moment.state == library.state
        assert {key for key, _ in found} == set(expected)
        scores = [score for _, score in found]
        assert scores == sorted(scores, reverse=True)
        assert all(score > 0 for score in scores)


def test_it_finds_what_sqlite_finds(library: Library) -> None:
    check(library, ready(library, WordIndex(library, least=0)))


def test_the_best_is_the_best_of_sqlite(library: Library) -> None:
    words = ready(library, WordIndex(library, least=0))
    for number in range(0, 60, 5):
        [(key, _)] = words.search([f"n{number}"], 1, 60)
        assert [key] == [best for best, _ in library.search_words([f"n{number}"], 1)]


def test_what_changes_is_seen_at_once_and_taken_over_behind(library: Library) -> None:
    words = ready(library, WordIndex(library, least=0))
    articles = [article for article, _ in library.articles()]
    for article in articles[:20]:
        library.remove(article.id)
    put(library, replace(articles[30], text="Only a quokka is here now."))
    with library.snapshot():
        assert len(words.search(["quokka"], 5, 60)) == 1
        assert words.search(["n1"], 5, 60) == library.search_words(["n1"], 5) == []
    words.wait()
    check(library, words)
    assert [key for key, _ in words.search(["quokka"], 5, 60)] == [library.all_chunks()[-1][0]]
    assert words.search(["n30"], 5, 60) == []


@pytest.mark.parametrize("beside", [0, BESIDE], ids=["SQLite alone", "with SQLite"])
def test_until_a_change_is_taken_over_the_answers_are_those_of_sqlite(
    library: Library, monkeypatch: pytest.MonkeyPatch, beside: int
) -> None:
    words = ready(library, WordIndex(library, least=0))
    monkeypatch.setattr(words, "_follow", lambda: None)
    monkeypatch.setattr("pullquote.word_index.BESIDE", beside)
    articles = [article for article, _ in library.articles()]
    for article in articles[:20:2]:
        library.remove(article.id)
    for number in range(5):
        put(library, make_article(f"A quokka and the zorb of n{number} meet.", title=f"Meeting {number}"))
    put(library, replace(articles[30], text="Only a quokka is here now."))
    ranges = [None, library.keys(articles[31].id), library.keys(articles[30].id)]
    for query in (["quokka"], ["zorb"], ["n1"], ["n30"], ["quax", "n31"], ["n0", "meet"]):
        for within in ranges:
            with library.snapshot():
                expected = library.search_words(query, 100, within)
                found = words.search(query, 100, 60, within)
            assert {key for key, _ in found} == {key for key, _ in expected}
            assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)
            rare = [key for key, score in found[:1] if len(found) < 5]
            assert rare == [key for key, _ in expected[: len(rare)]]
            assert words.search(query, 2, 60, within) == found[:2]


def test_a_reader_of_an_earlier_moment_is_answered_by_sqlite(library: Library) -> None:
    words = WordIndex(library, least=0)
    with library.snapshot():
        before = library.search_words(["zorb"], 99)
        other = Library(library.folder)
        put(other, make_article("A zorb more.", title="more"))
        other.close()
        assert words.search(["zorb"], 99, 60) == before
        words.wait()
        assert words.search(["zorb"], 99, 60) == before
    ready(library, words)
    check(library, words)


def test_one_article_is_searched_alone(library: Library) -> None:
    long = make_article("The zorb and the quax stand here. " * 200, title="Long")
    put(library, long)
    words = ready(library, WordIndex(library, least=0))
    within = library.keys(long.id)
    assert {key for key, _ in words.search(["zorb"], 99, 60, within)} == set(within)
    assert words.search(["n7"], 9, 60, within) == []


def test_stems_accents_and_case_are_as_sqlite_has_them(library: Library) -> None:
    put(library, make_article("Ein schönes Café. The runners were RUNNING.", title="Words"))
    words = ready(library, WordIndex(library, least=0))
    for word in ("cafe", "café", "schones", "running", "runs", "runner", "RAN", "猫"):
        assert bool(words.search([word.lower()], 5, 60)) == bool(library.search_words([word.lower()], 5)), word


@pytest.mark.parametrize("word", [*SYNTAX, '"', "text:zorb", "\x00"])
def test_words_are_data_and_never_syntax(library: Library, word: str) -> None:
    words = ready(library, WordIndex(library, least=0))
    words.search([word], 5, 60)


def test_a_small_library_is_searched_by_sqlite(library: Library) -> None:
    words = ready(library, WordIndex(library))
    assert words._moment is None
    assert words.search(["zorb"], 9, 60) == library.search_words(["zorb"], 9)


def test_no_file_holds_the_words(library: Library) -> None:
    article = make_article("Somebody told of a canaryquux.", title="Secret")
    put(library, article)
    ready(library, WordIndex(library, least=0))
    library.remove(article.id)
    held = b"".join(path.read_bytes() for path in library.folder.rglob("*") if path.is_file())
    assert b"canaryquux" not in held
