import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pullquote import schema
from pullquote.articles import make_article
from pullquote.chunking import chunk_article
from pullquote.datatypes import Article, Chunk
from pullquote.errors import EncoderMismatch, LibraryError, UnknownArticle
from pullquote.library import FILE_NAME, Library
from pullquote.shared_library import AnyLibrary
from pullquote.vector_rows import Keys, Vectors
from tests.building import AWKWARD, awkward, put
from tests.conftest import BagOfWords
from tests.shelves import Shelf

CAT = make_article("The zorbcat slept. It dreamt of quaxmilk.", source="cat.txt", title="Cat")
DOG = make_article("The dog barked. Nobody heard it.", source="dog.txt", title="Dog")


# As the first version made it.
FIRST_FORMAT = """CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE articles (
    id TEXT PRIMARY KEY, title TEXT NOT NULL, text TEXT NOT NULL, source TEXT NOT NULL,
    added_at TEXT NOT NULL, headings TEXT NOT NULL, sha256 TEXT NOT NULL UNIQUE);
CREATE TABLE chunks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    article_id TEXT NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    start INTEGER NOT NULL, "end" INTEGER NOT NULL, position INTEGER NOT NULL, vector BLOB NOT NULL,
    UNIQUE (article_id, position));
CREATE VIRTUAL TABLE words USING fts5 (text, tokenize = 'porter unicode61');
CREATE TABLE starters (sha256 TEXT PRIMARY KEY) WITHOUT ROWID;
INSERT INTO meta VALUES ('format', '1'), ('revision', '1'), ('encoder', 'e')"""


@pytest.fixture
def library(shelf: Shelf) -> AnyLibrary:
    opened: AnyLibrary = shelf.open()
    return opened


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Library]:
    """A library in a folder, for what only such a one does."""
    library = Library(tmp_path)
    yield library
    library.close()


def rows(library: Library) -> dict[str, list[tuple[object, ...]]]:
    """All that the file holds, read by SQLite alone."""
    db = sqlite3.connect(library.folder / FILE_NAME)
    try:
        columns = {"meta": "*", "articles": "*", "chunks": "*", "words": "rowid, text", "starters": "*"}
        return {table: db.execute(f"SELECT {what} FROM {table}").fetchall() for table, what in columns.items()}
    finally:
        db.close()


def all_vectors(library: AnyLibrary) -> tuple[Keys, Vectors]:
    blocks = list(library.vector_blocks())
    return np.concatenate([keys for keys, _ in blocks]), np.concatenate([vectors for _, vectors in blocks])


@pytest.mark.parametrize("name", AWKWARD)
def test_an_awkward_article_comes_back_as_it_was(shelf: Shelf, name: str) -> None:
    article = awkward(name)
    chunks = put(shelf.open(), article)
    again = shelf.open()
    assert again.article(article.id) == article
    assert again.article(article.id).sha256 == article.sha256
    assert [chunk for _, chunk in again.all_chunks()] == chunks
    assert again.articles() == [(article, len(chunks))]
    if shelf.kind == "sqlite":
        texts = [article.text[chunk.start : chunk.end] for chunk in chunks]
        assert [row[1] for row in shelf.held()["words"]] == texts


def test_vectors_come_back_with_the_keys_of_their_chunks(library: AnyLibrary) -> None:
    given = np.random.default_rng(1).normal(size=(3, 7)).astype(np.float32)
    library.add(CAT, [Chunk(CAT.id, 5 * n, 5 * n + 5, n) for n in range(3)], given, "e")
    keys, vectors = all_vectors(library)
    assert library.revision == 1
    assert library.size() == (3, 7)
    np.testing.assert_array_equal(library.vectors_of(keys.tolist()[::-1]), given[::-1])
    assert keys.tolist() == list(library.chunks(keys.tolist())) == [key for key, _ in library.all_chunks()]
    np.testing.assert_array_equal(vectors, given)


def test_an_empty_library(library: AnyLibrary) -> None:
    assert library.revision == library.size()[0] == 0
    assert list(library.vector_blocks()) == []
    assert not library.articles()
    assert not library.all_chunks()
    assert not library.search_words(["word"], 5)
    assert library.chunks([]) == library.chunks([1, 2]) == {}
    assert library.encoder == ""
    library.require_encoder("any")


REFUSED = (sqlite3.IntegrityError, ValueError)
# Chunks that fail in the middle, when the article and its first chunk are written; the number of vectors; the error.
BAD: dict[str, tuple[list[Chunk], int, tuple[type[Exception], ...]]] = {
    "a vector too few": ([Chunk(CAT.id, 0, 5, 0), Chunk(CAT.id, 5, 9, 1)], 1, (ValueError,)),
    "a position twice": ([Chunk(CAT.id, 0, 5, 0), Chunk(CAT.id, 5, 9, 0)], 2, REFUSED),
    "a chunk of no article": (
        [Chunk(CAT.id, 0, 5, 0), Chunk("gone", 5, 9, 1)],
        2,
        REFUSED,
    ),
    "a number too large": ([Chunk(CAT.id, 0, 5, 0), Chunk(CAT.id, 5, 2**63, 1)], 2, (OverflowError, ValueError)),
}


@pytest.mark.parametrize("case", BAD)
def test_an_error_in_the_middle_leaves_everything_as_it_was(shelf: Shelf, case: str) -> None:
    chunks, count, error = BAD[case]
    library = shelf.open()
    put(library, DOG)
    put(library, replace(CAT, text="An older text of the cat."))
    before = shelf.held()
    with pytest.raises(error):
        library.add(CAT, chunks, np.ones((count, 64), dtype=np.float32), BagOfWords.name)
    assert shelf.held() == before
    put(library, CAT)
    assert library.article(CAT.id).text == CAT.text


def test_a_removed_article_leaves_nothing_behind(shelf: Shelf) -> None:
    library = shelf.open()
    put(library, DOG)
    dog = shelf.held()
    put(library, CAT)
    assert library.search_words(["zorbcat"], 5)
    assert library.article(CAT.id) == CAT
    library.remove(CAT.id)
    assert shelf.held() == dog
    assert library.search_words(["zorbcat", "quaxmilk"], 5) == []
    assert library.find(sha256=CAT.sha256) is None
    with pytest.raises(UnknownArticle, match="pullquote list"):
        library.article(CAT.id)


def test_removing_what_is_not_there_changes_nothing(shelf: Shelf) -> None:
    library = shelf.open()
    put(library, CAT)
    before = shelf.held()
    with pytest.raises(UnknownArticle, match="'gone'"):
        library.remove("gone")
    assert shelf.held() == before


def test_an_article_of_the_same_id_is_replaced_with_all_its_words(library: AnyLibrary) -> None:
    put(library, CAT)
    key = library.all_chunks()[0][0]
    newer = replace(CAT, text="Only flimbirds live here now.")
    put(library, newer)
    assert library.articles() == [(newer, 1)]
    assert library.search_words(["zorbcat"], 5) == []
    assert [found for found, _ in library.search_words(["flimbirds"], 5)] == [library.all_chunks()[0][0]]
    assert library.chunks([key]) == {}, "a key is never used again"


def test_the_same_text_under_another_id_is_refused(shelf: Shelf) -> None:
    library = shelf.open()
    put(library, CAT)
    before = shelf.held()
    with pytest.raises(LibraryError, match="already"):
        put(library, replace(CAT, id="other", title="Copy"))
    assert shelf.held() == before
    put(library, CAT)
    assert len(library.articles()) == 1


def test_find_by_text_or_source(library: AnyLibrary) -> None:
    put(library, CAT)
    put(library, replace(DOG, source=""))
    assert library.find(sha256=CAT.sha256) == library.find(source="cat.txt") == CAT.id
    assert library.find(sha256="0" * 64) is library.find(source="no.txt") is library.find() is None


def test_articles_come_oldest_first(library: AnyLibrary) -> None:
    old = replace(DOG, id="old", text="Older.", added_at="2020-01-01T00:00:00+00:00")
    for article in (CAT, DOG, old):
        put(library, article)
    assert [article.id for article, _ in library.articles()] == ["old", CAT.id, DOG.id]
    assert [*library.titles().items()] == [("old", DOG.title), (CAT.id, CAT.title), (DOG.id, DOG.title)]


def test_another_encoder_is_refused_and_told_what_to_do(library: AnyLibrary) -> None:
    put(library, CAT)
    with pytest.raises(EncoderMismatch, match=r"embedded with bag-of-words, .* now is other; run `pullquote reembed`"):
        library.require_encoder("other")
    with pytest.raises(EncoderMismatch):
        put(library, DOG, encoder="other")
    assert [article.id for article, _ in library.articles()] == [CAT.id]


def test_embedding_again_gives_every_chunk_its_new_vector(library: AnyLibrary) -> None:
    put(library, CAT)
    put(library, DOG)
    keys = [key for key, _ in library.all_chunks()]
    vectors = np.eye(len(keys), 5, dtype=np.float32)
    library.replace_vectors(keys[::-1], vectors[::-1], "other")
    assert library.encoder == "other"
    np.testing.assert_array_equal(all_vectors(library)[1], vectors)
    assert library.revision == 3


@pytest.mark.parametrize("drop", [0, 1])
def test_embedding_again_is_refused_when_the_chunks_are_not_all_there(shelf: Shelf, drop: int) -> None:
    library = shelf.open()
    put(library, CAT)
    put(library, DOG)
    before = shelf.held()
    keys = [key for key, _ in library.all_chunks()]
    keys = keys[1:] if drop else [*keys, 99]
    with pytest.raises(LibraryError, match="run `pullquote reembed` again"):
        library.replace_vectors(keys, np.ones((len(keys), 5), dtype=np.float32), "other")
    with pytest.raises(ValueError, match="zip"):
        library.replace_vectors([key for key, _ in library.all_chunks()], np.ones((1, 5), dtype=np.float32), "other")
    assert shelf.held() == before


def test_word_search_finds_stems_whole_words_and_accents(library: AnyLibrary) -> None:
    texts = ["Cats were running.", "A catalogue of runners.", "Ein schönes Café.", "猫が走る。"]
    articles = [make_article(text, title=text) for text in texts]
    for article in articles:
        put(library, article)
    keys = [key for key, _ in library.all_chunks()]
    for words, found in [(["cat"], {0}), (["run", "cafe"], {0, 2}), (["schönes"], {2}), (["dog"], set()), ([], set())]:
        assert {keys.index(key) for key, _ in library.search_words(words, 9)} == found
    assert len(library.search_words(["cats", "cafe"], 1)) == 1


@pytest.mark.parametrize("word", ['"', 'a" OR b', "NEAR(", "*", "text:", "_", "^a", "-", "猫", "'", "{a}", "²"])
def test_words_are_data_and_never_syntax(library: AnyLibrary, word: str) -> None:
    put(library, DOG)
    assert all(score > 0 for _, score in library.search_words([word, "barked"], 5))
    assert len(library.search_words([word, "barked"], 5)) == 1
    assert library.search_words([word], 5) == []


def test_scores_fall(library: AnyLibrary) -> None:
    for count in range(1, 9):
        put(library, make_article("plain filler words here and there " + "zorb " * count, title=f"{count}"))
    scores = [score for _, score in library.search_words(["zorb"], 9)]
    assert scores == sorted(scores, reverse=True)
    assert min(scores) > 0


def test_starters_are_remembered(library: AnyLibrary) -> None:
    assert library.is_new_starter("a")
    library.mark_starter("a")
    library.mark_starter("a")
    assert (library.is_new_starter("a"), library.is_new_starter("b")) == (False, True)
    assert library.revision == 0


def test_a_snapshot_sees_one_moment_while_others_write(shelf: Shelf) -> None:
    library, other = shelf.open(grace=2), shelf.open(grace=2)
    put(library, CAT)
    with ThreadPoolExecutor(1) as thread, library.snapshot():
        assert library.revision == 1
        thread.submit(put, library, DOG).result()
        other.remove(CAT.id)
        assert library.articles() == [(CAT, 1)]
        assert library.article(CAT.id) == CAT
        assert len(library.all_chunks()) == len(all_vectors(library)[0]) == 1
        assert library.search_words(["barked"], 5) == []
        with library.snapshot():
            assert library.revision == 1
    assert (library.revision, library.articles()) == (3, [(DOG, 1)])


def test_a_snapshot_ends_with_an_error_inside(library: AnyLibrary) -> None:
    with pytest.raises(UnknownArticle), library.snapshot():
        library.article("gone")
    put(library, CAT)
    assert library.article(CAT.id) == CAT


def test_many_threads_read_while_one_writes(shelf: Shelf) -> None:
    """Whatever is read is of one moment: an article with its chunks, a chunk with its vector."""
    library = shelf.open(grace=2)
    put(library, CAT)
    done = threading.Event()

    def write() -> None:
        for number in range(40 if shelf.kind == "sqlite" else 4):
            put(library, replace(DOG, text=f"Dog number {number}. " * (1 + number % 3)))
            if number % 2:
                library.remove(DOG.id)
        done.set()

    def read() -> int:
        count = 0
        while not done.is_set() or not count:
            with library.snapshot():
                revision = library.revision
                keys, vectors = all_vectors(library)
                chunks = library.chunks(keys.tolist())
                assert len(keys) == len(vectors) == len(chunks)
                for chunk in chunks.values():
                    assert chunk.end <= len(library.article(chunk.article_id).text)
                assert revision == library.revision
            assert {article.id for article, _ in library.articles()} - {DOG.id} == {CAT.id}
            assert library.article(CAT.id) == CAT
            count += 1
        return count

    with ThreadPoolExecutor(5) as threads:
        readers = [threads.submit(read) for _ in range(4 if shelf.kind == "sqlite" else 2)]
        threads.submit(write).result()
        assert all(reader.result() for reader in readers)


def test_two_libraries_of_one_place_write_in_turn(shelf: Shelf) -> None:
    libraries, count = [shelf.open(), shelf.open()], 20 if shelf.kind == "sqlite" else 4
    articles = [make_article(f"Text number {number}.", title=f"{number}") for number in range(count)]
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(put, [libraries[n % 2] for n in range(count)], articles))
    assert {article.id for article, _ in libraries[0].articles()} == {article.id for article in articles}
    assert libraries[1].revision == count


def test_a_file_that_is_no_library_is_named(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"no database at all" * 100)
    with pytest.raises(LibraryError, match=FILE_NAME):
        Library(tmp_path)
    (tmp_path / "file").write_text("x", "utf-8")
    with pytest.raises(LibraryError, match="check the folder"):
        Library(tmp_path / "file")


def test_a_library_of_the_first_format_becomes_one_of_this(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / FILE_NAME)
    for statement in FIRST_FORMAT.split(";\n"):
        db.execute(statement)
    chunk = CAT.text[:18]
    values = [CAT.id, CAT.title, CAT.text, CAT.source, CAT.added_at, "[]", CAT.sha256]
    db.execute("INSERT INTO articles VALUES (?, ?, ?, ?, ?, ?, ?)", values)
    db.execute("INSERT INTO chunks VALUES (1, ?, 0, 18, 0, ?)", [CAT.id, np.ones(3, dtype="<f4").tobytes()])
    db.execute("INSERT INTO words (rowid, text) VALUES (1, ?)", [chunk])
    db.commit()
    db.close()
    for _ in range(2):
        library = Library(tmp_path)
        found = library.article(CAT.id)
        assert (found.text, found.pages, found.headings, library.given_title(CAT.id)) == (CAT.text, (), (), "")
        assert library.search_words(["zorbcat"], 5)[0][0] == 1
        library.close()
    assert ("format", schema.FORMAT) in rows(library)["meta"]


def test_a_library_of_another_format_is_refused(tmp_path: Path) -> None:
    Library(tmp_path).close()
    db = sqlite3.connect(tmp_path / FILE_NAME)
    db.execute("UPDATE meta SET value = '99' WHERE key = 'format'")
    db.commit()
    db.close()
    with pytest.raises(LibraryError, match="has library format 99"):
        Library(tmp_path)


def test_the_owners_article_is_stored_letter_for_letter(local: Library, article: Article) -> None:
    put(local, article)
    [(_, _, text, _, _, _, sha256, *_)] = rows(local)["articles"]
    assert text == article.text
    assert sha256 == article.sha256
    assert len(rows(local)["chunks"]) == len(chunk_article(article))


def test_the_keys_of_an_article_are_those_of_its_chunks_also_after_others_left(library: AnyLibrary) -> None:
    articles = [make_article(f"{word} stands here. " * 100, title=word) for word in ("One", "Two", "Three")]
    for article in articles:
        put(library, article)
    library.remove(articles[0].id)
    put(library, articles[0])
    for article in articles:
        expected = [key for key, chunk in library.all_chunks() if chunk.article_id == article.id]
        assert list(library.keys(article.id)) == expected
        assert {key for key, _ in library.search_words(["stands"], 99, library.keys(article.id))} == set(expected)
    with pytest.raises(UnknownArticle):
        library.keys("none")


def test_a_library_is_empty_until_something_is_added(library: AnyLibrary) -> None:
    assert library.is_empty
    put(library, make_article("A word.", title="T"))
    assert not library.is_empty


def test_pages_and_a_given_title_are_kept_and_the_title_outlives_a_new_version(library: AnyLibrary) -> None:
    paged = replace(CAT, pages=(0, 18, 18))
    put(library, paged)
    assert library.article(CAT.id).pages == (0, 18, 18)
    assert library.given_title(CAT.id) == ""
    chunks, vectors = chunk_article(CAT), np.ones((1, 64), dtype=np.float32)
    library.add(CAT, chunks, vectors, BagOfWords.name, given_title="My cat")
    newer = replace(CAT, text="Another text about it.")
    library.add(newer, chunk_article(newer), vectors, BagOfWords.name)
    assert library.given_title(CAT.id) == "My cat"


def test_what_was_removed_is_in_no_file_and_hundreds_of_changes_break_nothing(local: Library) -> None:
    put(local, DOG)
    for number in range(150):
        put(local, replace(CAT, id="cat", text=f"The canary{number} sang. " * 30))
        if number % 3 == 0:
            local.remove("cat")
    local.remove("cat")
    held = b"".join(path.read_bytes() for path in local.folder.iterdir())
    assert b"canary" not in held
    assert b"canari" not in held  # as the stemmer has it
    assert DOG.text.encode() in held
    other = sqlite3.connect(local.folder / FILE_NAME)
    other.execute("INSERT INTO words (words) VALUES ('integrity-check')")
    assert other.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    other.close()
    assert local.search_words(["barked"], 5)
