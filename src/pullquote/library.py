"""The library: articles, chunks, vectors and words in one SQLite file. It is the truth; the vector index is a cache."""

import secrets
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from pullquote import schema
from pullquote.database import DELETED, Database
from pullquote.datatypes import Article, Chunk
from pullquote.durable import writing
from pullquote.errors import EncoderMismatch, LibraryError, UnknownArticle
from pullquote.vector_rows import VectorRows, Vectors

FILE_NAME = "library.sqlite"

Result = TypeVar("Result")


class Library(VectorRows):
    """One folder's library. Safe to share between threads: each has its own connection."""

    def __init__(self, folder: Path) -> None:
        super().__init__(Database(folder / FILE_NAME))
        self.folder = folder
        self._before_close: list[Callable[[], None]] = []
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with self._database.transaction() as db:
                schema.create(db, folder)
            self._database.forget()
        except (OSError, sqlite3.Error) as error:
            raise LibraryError(f"{self._database.path} cannot be opened: {error}; check the folder") from error
        self._cached = lru_cache(maxsize=256)(lambda article_id, _revision: self._article(article_id))

    @property
    def state(self) -> str:
        """What no other moment of this library, nor a copy of it that was changed, has: random, of the last change."""
        return self._meta("state")

    @property
    def is_empty(self) -> bool:
        """Whether there is no article."""
        return self._db.execute("SELECT 1 FROM articles LIMIT 1").fetchone() is None

    @property
    def encoder(self) -> str:
        """Fingerprint of the encoder that made the vectors; "" while there are none."""
        return self._meta("encoder")

    def require_encoder(self, fingerprint: str) -> None:
        """Raise `EncoderMismatch` when the vectors were made by another encoder than this one."""
        if self.encoder not in ("", fingerprint):
            raise EncoderMismatch(
                f"this library was embedded with {self.encoder}, but the encoder set now is {fingerprint}; "
                "run `pullquote reembed` to embed it again, or set PULLQUOTE_ENCODER back"
            )

    def at_one_moment(self, read: Callable[[], Result]) -> Result:
        """What `read` gives in a snapshot."""
        with self.snapshot():
            return read()

    def add(
        self, article: Article, chunks: Sequence[Chunk], vectors: Vectors, encoder: str, given_title: str | None = None
    ) -> None:
        """Add an article with its chunks and their vectors (chunks, dimension) in one transaction.

        An article with the same id is replaced; the title that it was given stays, if no other is given. Raises
        `EncoderMismatch` when another encoder made the others, and `LibraryError` when another article has the text.
        """
        if len(chunks) != len(vectors):
            raise ValueError("every chunk has one vector")
        with self._change() as db:
            self.require_encoder(encoder)
            if self.find(sha256=article.sha256) not in (None, article.id):
                raise LibraryError(f"the text of {article.title!r} is here already; `pullquote list` shows it")
            given_title = self.given_title(article.id) if given_title is None else given_title
            self._delete(db, article.id)
            db.execute("INSERT OR REPLACE INTO meta VALUES ('encoder', ?)", [encoder])
            db.execute(schema.INSERT_ARTICLE, schema.article_row(article, given_title))
            for chunk, vector in zip(chunks, vectors, strict=True):
                values = [chunk.article_id, chunk.start, chunk.end, chunk.position, vector.astype("<f4").tobytes()]
                insert = 'INSERT INTO chunks (article_id, start, "end", position, vector) VALUES (?, ?, ?, ?, ?)'
                key = db.execute(insert, values).lastrowid
                words = [key, article.text[chunk.start : chunk.end]]
                db.execute("INSERT INTO words (rowid, text) VALUES (?, ?)", words)

    def remove(self, article_id: str) -> None:
        """Remove an article and all that came of it. Raises `UnknownArticle`."""
        with self._change() as db:
            if not self._delete(db, article_id):
                raise unknown(article_id)
            db.execute("DELETE FROM tags WHERE article_id = ?", [article_id])

    def replace_vectors(self, keys: Sequence[int], vectors: Vectors, encoder: str) -> None:
        """Give every chunk a new vector, made by `encoder`, in one transaction."""
        with self._change() as db:
            if sorted(keys) != [key for (key,) in db.execute("SELECT id FROM chunks ORDER BY id")]:
                raise LibraryError("the library changed while it was being embedded; run `pullquote reembed` again")
            rows = [(vector.astype("<f4").tobytes(), key) for key, vector in zip(keys, vectors, strict=True)]
            db.executemany("UPDATE chunks SET vector = ? WHERE id = ?", rows)
            db.execute("INSERT OR REPLACE INTO meta VALUES ('encoder', ?)", [encoder])

    def article(self, article_id: str) -> Article:
        """The article with this id. Raises `UnknownArticle`."""
        with self.snapshot():
            article: Article = self._cached(article_id, self.revision)
            return article

    def articles(self) -> list[tuple[Article, int]]:
        """All articles with the number of their chunks, oldest first."""
        with self.snapshot():
            rows = self._db.execute(
                "SELECT a.id, count(c.id) FROM articles a LEFT JOIN chunks c ON c.article_id = a.id "
                "GROUP BY a.id ORDER BY a.added_at, a.rowid"
            ).fetchall()
            return [(self.article(article_id), count) for article_id, count in rows]

    def titles(self) -> dict[str, str]:
        """The titles of the articles that are shown, by their ids, oldest first. No text is read."""
        with self.snapshot():
            hidden = self.hidden_articles()
            rows = self._db.execute("SELECT id, title FROM articles ORDER BY added_at, rowid")
            return {article_id: title for article_id, title in rows if article_id not in hidden}

    def find(self, sha256: str = "", source: str = "") -> str | None:
        """Id of the article whose text has this SHA-256, or that came from this source."""
        wanted = [sha256 or None, source or None]  # nothing equals NULL
        row = self._db.execute("SELECT id FROM articles WHERE sha256 = ? OR source = ?", wanted).fetchone()
        return str(row[0]) if row else None

    def given_title(self, article_id: str) -> str:
        """The title that somebody gave the article, "" while it has its own."""
        row = self._db.execute("SELECT given_title FROM articles WHERE id = ?", [article_id]).fetchone()
        return str(row[0]) if row else ""

    def chunks(self, keys: Sequence[int]) -> dict[int, Chunk]:
        """The chunks with these keys; a key that is gone is left out."""
        marks = ", ".join("?" * len(keys))
        rows = self._db.execute(
            f'SELECT id, article_id, start, "end", position FROM chunks WHERE id IN ({marks})', keys
        )
        return {key: Chunk(*values) for key, *values in rows}

    def chunks_of(self, article_id: str) -> list[Chunk]:
        """An article's chunks in order. Raises `UnknownArticle`."""
        return list(self.chunks(self.keys(article_id)).values())

    def all_chunks(self) -> list[tuple[int, Chunk]]:
        """Every chunk with its key, in the order they were added."""
        rows = self._db.execute('SELECT id, article_id, start, "end", position FROM chunks ORDER BY id')
        return [(key, Chunk(*values)) for key, *values in rows]

    def keys(self, article_id: str) -> range:
        """The keys of an article's chunks, which follow each other. Raises `UnknownArticle`."""
        row = self._db.execute("SELECT min(id), max(id) FROM chunks WHERE article_id = ?", [article_id]).fetchone()
        if row[0] is None:
            raise unknown(article_id)
        return range(row[0], row[1] + 1)

    def hidden_articles(self) -> frozenset[str]:
        """The ids of all articles that are not shown: none in the whole library."""
        return frozenset()

    def hidden_keys(self) -> frozenset[int]:
        """The keys of all chunks that are not shown: none in the whole library."""
        return frozenset()

    def search_words(self, words: Sequence[str], count: int, within: range | None = None) -> list[tuple[int, float]]:
        """Keys and BM25 scores (higher is better) of the chunks that hold any of the words, best first.

        `within` are the keys to look among. Scores are the whole library's, so those of two searches compare.
        """
        if not words:
            return []
        query = " OR ".join('"' + word.replace('"', '""') + '"' for word in words)
        among = "AND rowid BETWEEN ? AND ?" if within else ""
        statement = f"SELECT rowid, -rank FROM words WHERE words MATCH ? {among} ORDER BY rank LIMIT ?"
        ends = [within[0], within[-1]] if within else []
        return self._db.execute(statement, [query, *ends, count]).fetchall()

    def is_new_starter(self, sha256: str) -> bool:
        """Whether a file with this SHA-256 has never been marked as started with."""
        return self._db.execute("SELECT 1 FROM starters WHERE sha256 = ?", [sha256]).fetchone() is None

    def starters(self) -> list[str]:
        """The SHA-256 of every file that has been marked."""
        return [sha256 for (sha256,) in self._db.execute("SELECT sha256 FROM starters")]

    def mark_starter(self, sha256: str) -> None:
        """Remember a starting file, so that an article removed later does not come back at the next start."""
        with self._database.transaction() as db:
            db.execute("INSERT OR IGNORE INTO starters VALUES (?)", [sha256])

    def close(self) -> None:
        """Close every thread's connection; the library is not used afterwards."""
        for finish in self._before_close:
            finish()
        self._database.close()

    def call_before_close(self, finish: Callable[[], None]) -> None:
        """Have something called that has to end before the connections are closed."""
        self._before_close.append(finish)

    def _article(self, article_id: str) -> Article:
        row = self._db.execute(schema.SELECT_ARTICLE, [article_id]).fetchone()
        if row is None:
            raise unknown(article_id)
        return schema.article_of(row)

    def _delete(self, db: sqlite3.Connection, article_id: str) -> bool:
        db.execute(schema.NOTE_REMOVAL, [article_id])
        db.execute("DELETE FROM words WHERE rowid IN (SELECT id FROM chunks WHERE article_id = ?)", [article_id])
        if not db.execute("DELETE FROM articles WHERE id = ?", [article_id]).rowcount:
            return False
        # subtle: else the words stay in their index; "optimize" does it faster, but breaks SQLite 3.40's in time
        db.execute("INSERT INTO words (words) VALUES ('rebuild')")
        db.execute(DELETED)
        return True

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        """A transaction that changes what can be found, and so counts as one revision."""
        with writing(self.folder):
            with self._database.transaction() as db:
                yield db
                db.execute("UPDATE meta SET value = value + 1 WHERE key = 'revision'")
                db.execute("INSERT OR REPLACE INTO meta VALUES ('state', ?)", [secrets.token_hex(8)])
            self._database.forget()


def unknown(name: str) -> UnknownArticle:
    """What is raised where neither an article nor a tag has this name."""
    return UnknownArticle(f"no article has the id or the tag {name!r}; `pullquote list` shows them all")
