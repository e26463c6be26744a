"""Keeping a library: check all of it, write it into one file, take such a file in, back it up while it is in use."""

import hashlib
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np

from pullquote.articles import normalise
from pullquote.database import Database
from pullquote.datatypes import Article
from pullquote.errors import LibraryError
from pullquote.library import FILE_NAME, Library
from pullquote.shared_library import AnyLibrary, SharedLibrary
from pullquote.tagging import set_tags, tags_by_article
from pullquote.vector_index import problem_of
from pullquote.visibility import groups_of, show_to

PRIVATE = (
    "tokens",
    "sessions",
    "starters",
    "feedback",
    "asked",
    "took",
)  # tables that say something of this installation, not of its articles
PAGES_A_STEP = 256  # copied before writers get a turn


def check(library: AnyLibrary) -> list[str]:
    """What is wrong with a library, all of it read: the file, the articles, chunks, words, vectors, and the index."""
    if isinstance(library, SharedLibrary):
        return list(_article_problems(library))
    return [*_file_problems(library), *_article_problems(library), *filter(None, [problem_of(library)])]


def export(library: AnyLibrary, target: Path) -> None:
    """Write the articles with all that came of them to one new file, without tokens. Raises `LibraryError`."""
    if isinstance(library, SharedLibrary):
        with tempfile.TemporaryDirectory(prefix="pullquote-") as folder, closing(Library(Path(folder))) as copied:
            copy_articles(copied, library)
            _copy(copied, target)
        return
    _copy(library, target)
    with closing(sqlite3.connect(target, isolation_level=None)) as copy:
        for table in PRIVATE:
            copy.execute(f"DELETE FROM {table}")
        copy.execute("VACUUM")


def backup(library: AnyLibrary, target: Path) -> None:
    """Copy the library as it is, tokens too, to one new file; others may use it meanwhile. Raises `LibraryError`."""
    if isinstance(library, SharedLibrary):
        raise LibraryError(
            "a library on a server is backed up there, by Milvus's own tool, milvus-backup; "
            "`pullquote export` writes its articles to a file"
        )
    _copy(library, target)


def import_from(library: AnyLibrary, source: Path) -> tuple[int, int]:
    """Take in the articles of an exported file or a backup; gives how many were new and how many are there already.

    Raises `LibraryError` for a file that is damaged or no library, `EncoderMismatch` where another encoder made it;
    nothing is taken in then.
    """
    if not source.is_file():
        raise LibraryError(f"{source}: there is no such file; name one that `pullquote export` wrote")
    with tempfile.TemporaryDirectory(prefix="pullquote-") as folder:
        shutil.copyfile(source, Path(folder, FILE_NAME))
        other = Library(Path(folder))
        try:
            if problems := [*_file_problems(other), *_article_problems(other)]:
                raise LibraryError(f"{source} is damaged: {problems[0]}; export it again, or take another backup")
            library.require_encoder(other.encoder or library.encoder)
            return copy_articles(library, other)
        finally:
            other.close()


def copy_articles(library: AnyLibrary, other: AnyLibrary) -> tuple[int, int]:
    """Take in the articles of another library, with vectors, titles, groups and tags.

    Gives how many were new, and how many are there already.
    """
    new, known, tagged = 0, 0, tags_by_article(other)
    for article, _ in other.articles():
        if library.find(sha256=article.sha256):
            known += 1
            continue
        if (groups := groups_of(other, article.id)) != groups_of(library, article.id):
            show_to(library, article.id, groups)
        vectors = other.vectors_of(other.keys(article.id))
        library.add(article, other.chunks_of(article.id), vectors, other.encoder, other.given_title(article.id))
        if article.id in tagged:
            set_tags(library, article.id, tagged[article.id])
        new += 1
    return new, known


def _copy(library: Library, target: Path) -> None:
    if target.exists():
        raise LibraryError(f"{target} is there already; choose another name, or remove it first")
    draft = target.with_name(f"{target.name}.part")
    try:
        with closing(Database(library.folder / FILE_NAME)) as own, closing(sqlite3.connect(draft)) as copy:
            own.connection.backup(copy, pages=PAGES_A_STEP)
            copy.execute("PRAGMA journal_mode = DELETE")
        draft.rename(target)
    except (OSError, sqlite3.Error) as error:
        draft.unlink(missing_ok=True)
        raise LibraryError(
            f"{target} cannot be written: {error}; check the folder, its rights and its space"
        ) from error


def _file_problems(library: Library) -> Iterator[str]:
    db = Database(library.folder / FILE_NAME)
    try:
        for (finding,) in db.connection.execute("PRAGMA integrity_check"):
            if finding != "ok":
                yield f"{FILE_NAME}: {finding}"
        if db.connection.execute("PRAGMA foreign_key_check").fetchall():
            yield f"{FILE_NAME}: chunks without an article"
        with db.transaction() as writing:
            writing.execute("INSERT INTO words (words) VALUES ('integrity-check')")
        stored = (
            'SELECT w.rowid, w.text, c.article_id, c.start, c."end" FROM words w LEFT JOIN chunks c ON c.id = w.rowid'
        )
        for key, text, article_id, start, end in db.connection.execute(stored):
            if article_id is None or library.article(article_id).text[start:end] != text:
                yield f"chunk {key}: its words are not its article's"
        lone = "SELECT count(*) FROM chunks WHERE id NOT IN (SELECT rowid FROM words)"
        if (count := db.connection.execute(lone).fetchone()[0]) > 0:
            yield f"{count} chunks cannot be found by their words"
    except sqlite3.Error as error:
        yield f"{FILE_NAME}: {error}"
    finally:
        db.close()


def _article_problems(library: AnyLibrary) -> Iterator[str]:
    for article, count in library.articles():
        yield from _problems_of(library, article, count)
    if not all(np.allclose(np.linalg.norm(block, axis=1), 1, atol=1e-3) for _, block in library.vector_blocks()):
        yield "some vectors are not of length 1; `pullquote reembed` makes them anew"


def _problems_of(library: AnyLibrary, article: Article, count: int) -> Iterator[str]:
    if library.find(sha256=hashlib.sha256(article.text.encode()).hexdigest()) != article.id:
        yield f"{article.id}: its text is not the one that was stored"
    if normalise(article.text) != article.text:
        yield f"{article.id}: its text is not normalised"
    if not count:
        yield f"{article.id}: it has no chunks"
    for chunk in library.chunks_of(article.id) if count else []:
        if chunk.end > len(article.text):
            yield f"{article.id}: chunk {chunk.position} ends behind its text"
