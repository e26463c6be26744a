"""Checking, exporting, importing and backing up, on real files; damage is done by SQLite itself, behind our back."""

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pullquote.articles import make_article
from pullquote.errors import EncoderMismatch, LibraryError
from pullquote.keeping import backup, check, export, import_from
from pullquote.library import FILE_NAME, Library
from pullquote.tokens import Tokens
from pullquote.vector_index import VectorIndex
from tests.building import AWKWARD, awkward, put

CAT = make_article("The zorbcat slept. It dreamt of quaxmilk. " * 40, title="Cat")
DOG = make_article("The dog barked. Nobody heard it.", title="Dog")


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    library = Library(tmp_path / "store")
    put(library, CAT)
    put(library, DOG)
    VectorIndex.build(library)
    yield library
    library.close()


def damage(library: Library, statement: str) -> None:
    db = sqlite3.connect(library.folder / FILE_NAME)
    db.execute(statement)
    db.commit()
    db.close()


def state(library: Library) -> list[object]:
    revision, keys, vectors = library.vectors()
    del revision, keys  # a new library counts anew
    return [library.articles(), [chunk for _, chunk in library.all_chunks()], vectors.tolist()]


def test_a_good_library_has_no_problem(library: Library) -> None:
    assert check(library) == []


def test_every_awkward_article_is_good(tmp_path: Path) -> None:
    library = Library(tmp_path)
    for name in AWKWARD:
        if name != "CR":  # the same text as "CRLF"
            put(library, awkward(name))
    VectorIndex.build(library)
    assert check(library) == []
    library.close()


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        (
            f"UPDATE articles SET text = replace(text, 'slept', 'leapt') WHERE id = '{CAT.id}'",
            "not the one that was stored",
        ),
        (f"UPDATE articles SET sha256 = '0' WHERE id = '{CAT.id}'", "not the one that was stored"),
        (f"DELETE FROM chunks WHERE article_id = '{DOG.id}'", "no chunks"),
        ("UPDATE words SET text = 'other' WHERE rowid = 1", "its words are not its article's"),
        ("DELETE FROM words WHERE rowid = 1", "1 chunks cannot be found"),
        ('UPDATE chunks SET "end" = 99999 WHERE id = 1', "ends behind its text"),
        ("UPDATE chunks SET vector = zeroblob(256) WHERE id = 1", "not of length 1"),
        ("UPDATE meta SET value = 'x' WHERE key = 'state'", "index"),
    ],
    ids=["text", "sha256", "chunks", "words", "no words", "end", "vector", "state"],  # an article's id is random
)
def test_damage_is_found_and_named(library: Library, statement: str, says: str) -> None:
    damage(library, statement)
    problems = check(library)
    assert any(says in problem for problem in problems), problems


def test_an_export_holds_all_that_can_be_asked_and_no_token(library: Library, tmp_path: Path) -> None:
    token = Tokens(library).new("Ada")
    library.mark_starter("f" * 64)
    file = tmp_path / "export.pullquote"
    export(library, file)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == [file.name]
    assert b"Ada" not in file.read_bytes()
    assert b"f" * 64 not in file.read_bytes()
    other = Library(tmp_path / "other")
    assert import_from(other, file) == (2, 0)
    assert state(other) == state(library)
    assert check(other)[1:] == []  # only the index is still to be built
    assert import_from(other, file) == (0, 2)
    assert Tokens(other).holder(token) is None
    other.close()


def test_a_given_title_and_pages_move_too(library: Library, tmp_path: Path) -> None:
    from dataclasses import replace

    paged = replace(make_article("One page. Another page.", title="Pages"), pages=(0, 10))
    library.add(paged, [], np.ones((0, 64), dtype=np.float32), library.encoder, given_title="Pages")
    export(library, tmp_path / "e")
    other = Library(tmp_path / "other")
    with pytest.raises(LibraryError, match="no chunks"):  # an article that cannot be asked is damage
        import_from(other, tmp_path / "e")
    library.remove(paged.id)
    put(library, paged)
    (tmp_path / "e").unlink()
    export(library, tmp_path / "e")
    import_from(other, tmp_path / "e")
    assert other.article(paged.id).pages == (0, 10)
    other.close()


def test_a_backup_taken_while_others_write_is_whole(library: Library, tmp_path: Path) -> None:
    token = Tokens(library).new("Ada")
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            extra = make_article("Written meanwhile. " * 50, title="Extra")
            put(library, extra)
            library.remove(extra.id)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            backup(library, tmp_path / f"backup{number}")
    finally:
        stop.set()
        writer.join()
    for number in range(5):
        folder = tmp_path / f"restored{number}"
        folder.mkdir()
        (tmp_path / f"backup{number}").rename(folder / FILE_NAME)
        restored = Library(folder)
        assert [problem for problem in check(restored) if "index" not in problem] == []
        assert {CAT.id, DOG.id} <= {article.id for article, _ in restored.articles()}
        assert Tokens(restored).holder(token) == "Ada"
        restored.close()


def test_nothing_is_written_over(library: Library, tmp_path: Path) -> None:
    for write in (export, backup):
        (tmp_path / "kept").write_text("mine")
        with pytest.raises(LibraryError, match="is there already"):
            write(library, tmp_path / "kept")
        with pytest.raises(LibraryError, match="cannot be written"):
            write(library, tmp_path / "nowhere" / "file")
    assert (tmp_path / "kept").read_text() == "mine"


@pytest.mark.parametrize("content", [None, b"", b"no library at all" * 100, "damaged", "cut"])
def test_what_is_no_library_is_not_taken_in(library: Library, tmp_path: Path, content: bytes | str | None) -> None:
    file = tmp_path / "export"
    if isinstance(content, bytes):
        file.write_bytes(content)
    elif content:
        export(library, file)
        data = bytearray(file.read_bytes())
        data[len(data) // 2 : len(data) // 2 + 4000] = bytes(4000) if content == "damaged" else b""
        file.write_bytes(data)
    other = Library(tmp_path / "other")
    if content == b"":
        assert import_from(other, file) == (0, 0)  # for SQLite, an empty file is an empty database
    else:
        with pytest.raises(LibraryError):
            import_from(other, file)
    assert other.is_empty
    other.close()


def test_vectors_of_another_encoder_are_not_mixed_in(library: Library, tmp_path: Path) -> None:
    export(library, tmp_path / "export")
    other = Library(tmp_path / "other")
    put(other, make_article("It is here already."), encoder="another")
    with pytest.raises(EncoderMismatch):
        import_from(other, tmp_path / "export")
    assert len(other.articles()) == 1
    other.close()
