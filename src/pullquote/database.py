"""One SQLite file: a connection for each thread, transactions, and reads of one moment."""

import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pullquote.errors import LibraryError

log = logging.getLogger("pullquote")

DELETED = "PRAGMA user_version = 1"  # marks a transaction that deletes what must be gone


class Database:
    """A connection for each thread. Safe to share between threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._threads = threading.local()
        self._connections: dict[threading.Thread, sqlite3.Connection] = {}
        self._lock = threading.Lock()

    @property
    def connection(self) -> sqlite3.Connection:
        """This thread's connection, opened when it is first asked for."""
        connection: sqlite3.Connection | None = getattr(self._threads, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self.path, timeout=10, isolation_level=None, check_same_thread=False)
            for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "secure_delete = ON"):
                connection.execute(f"PRAGMA {pragma}")
            self._threads.connection = connection
            self._keep(connection)
        return connection

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Everything read inside, by this thread, is of one moment."""
        if self.connection.in_transaction:
            yield
            return
        self.connection.execute("BEGIN")
        try:
            yield
        finally:
            self.connection.execute("COMMIT")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, with the write lock held from the start. Raises `LibraryError` where SQLite cannot write."""
        connection = self.connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            raise LibraryError(f"{self.path} cannot be written: {error}; {_advice(error)}") from error
        finally:
            if connection.in_transaction:  # SQLite itself undoes all when the disk is full
                connection.execute("ROLLBACK")

    def forget(self) -> None:
        """Take what was deleted, if `DELETED` was executed beside it, out of the file's slack and its log too.

        What a crash, a full disk or a long reader keeps from it is done the next time.
        """
        if not self.connection.execute("PRAGMA user_version").fetchone()[0]:
            return
        try:
            # subtle: secure_delete clears cells and pages, but not the copies that balancing a tree leaves behind
            self.connection.execute("VACUUM")
            is_busy, *_ = self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if not is_busy:
                self.connection.execute("PRAGMA user_version = 0")
        except sqlite3.OperationalError as error:  # what was committed is committed
            log.warning("what was deleted from %s is overwritten later: %s", self.path, error)

    def close(self) -> None:
        """Close every thread's connection; the database is not used afterwards."""
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()

    def _keep(self, connection: sqlite3.Connection) -> None:
        """Hold this thread's connection, and close those of threads that have ended."""
        with self._lock:
            for thread in [one for one in self._connections if not one.is_alive()]:
                self._connections.pop(thread).close()
            self._connections[threading.current_thread()] = connection


def _advice(error: sqlite3.OperationalError) -> str:
    if any(word in str(error) for word in ("full", "disk I/O")):
        return "free some space and try again, nothing was changed"
    return "try again when the other process is done" if "locked" in str(error) else "check the folder and its rights"
