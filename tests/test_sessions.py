"""Sessions: ids that cannot be guessed, an end, and one store for all replicas."""

from pathlib import Path

import pytest

from pullquote.library import Library
from pullquote.sessions import Sessions
from tests.shelves import Shelf


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path)


def test_a_session_is_shared_and_ends(shelf: Shelf) -> None:
    here, there = Sessions(shelf.open()), Sessions(shelf.open())
    key = here.new({"name": "ada"}, 60)
    assert there.get(key) == {"name": "ada"}
    there.end(key)
    assert here.get(key) is None
    here.end(key)


def test_a_session_ends_by_itself_and_leaves_nothing(library: Library) -> None:
    sessions = Sessions(library)
    key = sessions.new({"name": "ada"}, -1)
    assert sessions.get(key) is None
    sessions.new({}, 60)
    [count] = library._db.execute("SELECT count(*) FROM sessions").fetchone()
    assert count == 1


def test_ids_have_128_bits_and_are_not_in_the_file(library: Library) -> None:
    sessions = Sessions(library)
    keys = {sessions.new({}, 60) for _ in range(200)}
    assert len(keys) == 200
    assert {len(key) for key in keys} == {22}  # 128 bits as base64
    stored = b"".join(path.read_bytes() for path in library.folder.glob("library.sqlite*"))
    assert not any(key.encode() in stored for key in keys)
    assert sessions.get("") is sessions.get("x" * 100_000) is sessions.get("\ud800") is None
