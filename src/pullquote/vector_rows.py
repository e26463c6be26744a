"""The rows of a library's chunks as its indexes read them: vectors and texts by block, and what has changed since."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager

import numpy as np
from numpy.typing import NDArray

from pullquote.database import Database

Vectors = NDArray[np.float32]
Keys = NDArray[np.int64]

BLOCK = 50_000  # rows held at a time


class VectorRows:
    """The part of a library that its indexes are made of. Safe to share between threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def revision(self) -> int:
        """A count of the changes made to this library, by any process."""
        return int(self._meta("revision"))

    def snapshot(self) -> AbstractContextManager[None]:
        """Everything read inside, by this thread, is of one moment."""
        return self._database.snapshot()

    def vectors(self) -> tuple[int, NDArray[np.int64], Vectors]:
        """The revision, the keys of all chunks (n,) and their vectors (n, dimension), all of one moment."""
        with self.snapshot():
            rows = self._db.execute("SELECT id, vector FROM chunks ORDER BY id").fetchall()
            revision = self.revision
        keys = np.array([key for key, _ in rows], dtype=np.int64)
        vectors = np.frombuffer(b"".join(vector for _, vector in rows), dtype="<f4").reshape(
            len(rows), -1 if rows else 0
        )
        return revision, keys, vectors

    def size(self) -> tuple[int, int]:
        """How many chunks there are, and the dimension of their vectors; 0 while there are none."""
        [count] = self._db.execute("SELECT count(*) FROM chunks").fetchone()
        one = self._db.execute("SELECT length(vector) FROM chunks LIMIT 1").fetchone()
        return count, one[0] // 4 if one else 0

    def vector_blocks(self, block: int = BLOCK) -> Iterator[tuple[Keys, Vectors]]:
        """The keys (n,) and vectors (n, dimension) of all chunks in order, a block at a time."""
        rows = self._db.execute("SELECT id, vector FROM chunks ORDER BY id")
        while part := rows.fetchmany(block):
            keys = np.array([key for key, _ in part], dtype=np.int64)
            yield keys, np.frombuffer(b"".join(vector for _, vector in part), dtype="<f4").reshape(len(part), -1)

    def texts(self, after: int = 0) -> Iterator[tuple[int, str]]:
        """The keys and texts of the chunks with a key above `after`, in order."""
        yield from self._db.execute("SELECT rowid, text FROM words WHERE rowid > ? ORDER BY rowid", [after])

    def changes(self, revision: int, last: int) -> tuple[Keys, Keys]:
        """Keys of the chunks added after the key `last`, and of those removed after `revision`."""
        added = self._db.execute("SELECT id FROM chunks WHERE id > ? ORDER BY id", [last]).fetchall()
        ranges = self._db.execute("SELECT first, last FROM removals WHERE revision > ?", [revision]).fetchall()
        gone = [np.arange(first, min(end, last) + 1, dtype=np.int64) for first, end in ranges]
        return np.array([key for (key,) in added], dtype=np.int64), np.concatenate([np.empty(0, np.int64), *gone])

    def all_keys(self) -> NDArray[np.int64]:
        """The keys of all chunks (n,), in order."""
        return np.array([key for (key,) in self._db.execute("SELECT id FROM chunks ORDER BY id")], dtype=np.int64)

    def vectors_of(self, keys: Sequence[int]) -> Vectors:
        """The vectors (n, dimension) of the chunks with these keys, all of which there are, in their order."""
        found = [self._db.execute("SELECT vector FROM chunks WHERE id = ?", [key]).fetchone()[0] for key in keys]
        return np.frombuffer(b"".join(found), dtype="<f4").reshape(len(keys), -1 if keys else 0)

    def _meta(self, key: str) -> str:
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", [key]).fetchone()
        return str(row[0]) if row else ""

    @property
    def _db(self) -> sqlite3.Connection:
        return self._database.connection
