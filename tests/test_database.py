"""The file behind the library, held against sqlite3's own view of it."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pullquote.database import Database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "file.sqlite")
    with database.transaction() as db:
        db.execute("CREATE TABLE numbers (value INTEGER NOT NULL)")
    yield database
    database.close()


def seen(database: Database) -> list[int]:
    outside = sqlite3.connect(database.path)
    found = [value for (value,) in outside.execute("SELECT value FROM numbers ORDER BY value")]
    outside.close()
    return found


def test_a_transaction_is_all_or_nothing(database: Database) -> None:
    with database.transaction() as db:
        db.execute("INSERT INTO numbers VALUES (1)")
        assert seen(database) == []
    assert seen(database) == [1]
    with pytest.raises(sqlite3.IntegrityError), database.transaction() as db:
        db.executemany("INSERT INTO numbers VALUES (?)", [(2,), (None,)])
    assert seen(database) == [1]


def test_the_file_is_closed_for_threads_that_have_ended(database: Database) -> None:
    def held() -> int:
        links = [link.readlink() for link in Path("/proc/self/fd").iterdir() if link.exists()]
        return sum(link == database.path for link in links)

    for _ in range(30):
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(lambda: database.connection.execute("SELECT 1").fetchone()).result() == (1,)
    assert held() < 5
    assert seen(database) == []


def test_a_snapshot_is_of_one_moment(database: Database) -> None:
    def count() -> int:
        return int(database.connection.execute("SELECT count(*) FROM numbers").fetchone()[0])

    with database.snapshot():
        assert count() == 0
        outside = sqlite3.connect(database.path)
        outside.execute("INSERT INTO numbers VALUES (7)")
        outside.commit()
        outside.close()
        with database.snapshot():
            assert count() == 0
    assert count() == 1


def test_every_thread_has_its_own_connection_and_close_closes_them_all(database: Database) -> None:
    with ThreadPoolExecutor(4) as threads:
        connections = list(threads.map(lambda _: database.connection, range(40)))
    assert database.connection not in connections
    database.close()
    with pytest.raises(sqlite3.ProgrammingError):
        connections[0].execute("SELECT 1")


def test_it_is_kept_safely(database: Database) -> None:
    modes = [
        database.connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "foreign_keys")
    ]
    assert modes == ["wal", 2, 1]
