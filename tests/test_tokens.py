import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from pullquote.errors import AccessError
from pullquote.library import FILE_NAME, Library
from pullquote.tokens import Tokens
from tests.shelves import Shelf


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    library = Library(tmp_path)
    yield library
    library.close()


def test_a_token_names_its_holder_until_it_is_removed(shelf: Shelf) -> None:
    tokens = Tokens(shelf.open())
    ada, grace = tokens.new("Ada"), tokens.new("grace@example.com")
    assert (tokens.holder(ada), tokens.holder(grace)) == ("Ada", "grace@example.com")
    assert [name for name, _ in tokens.all()] == ["Ada", "grace@example.com"]
    tokens.remove("Ada")
    assert (tokens.holder(ada), tokens.holder(grace)) == (None, "grace@example.com")
    tokens.close()


def test_another_process_knows_it_at_once(shelf: Shelf) -> None:
    library, other = shelf.open(), shelf.open()
    token = Tokens(library).new("Ada")
    assert Tokens(other).holder(token) == "Ada"


@pytest.mark.parametrize("change", [str.upper, str.strip, lambda token: token[:-1], lambda token: token + "x"])
def test_nearly_a_token_is_none(library: Library, change: object) -> None:
    token = Tokens(library).new("Ada")
    assert callable(change)
    assert Tokens(library).holder(change(token)) == ("Ada" if change(token) == token else None)


@pytest.mark.parametrize("token", ["", " ", "pq_", "'; DROP TABLE tokens; --", "é" * 5000, "\ud800"])
def test_anything_else_is_none(shelf: Shelf, token: str) -> None:
    library = shelf.open()
    Tokens(library).new("Ada")
    assert Tokens(library).holder(token) is None


def test_only_its_digest_is_in_the_file(library: Library) -> None:
    tokens = Tokens(library)
    token = tokens.new("Ada")
    tokens.close()
    library.close()
    held = b"".join(path.read_bytes() for path in library.folder.iterdir())
    assert token.encode() not in held
    assert token.removeprefix("pq_").encode() not in held
    assert hashlib.sha256(token.encode()).hexdigest().encode() in (library.folder / FILE_NAME).read_bytes()


def test_tokens_are_long_and_never_the_same(library: Library) -> None:
    made = {Tokens(library).new(f"n{number}") for number in range(50)}
    assert len(made) == 50
    assert all(len(token) >= 43 for token in made)  # 32 bytes in base 64


@pytest.mark.parametrize("name", ["", " ", "a/b", "x" * 61, "a\nb", "<b>"])
def test_a_name_that_cannot_be_shown_is_refused(library: Library, name: str) -> None:
    with pytest.raises(AccessError, match="1 to 60"):
        Tokens(library).new(name)


def test_a_name_is_given_once(shelf: Shelf) -> None:
    library = shelf.open()
    Tokens(library).new("Ada")
    with pytest.raises(AccessError, match="remove it first"):
        Tokens(library).new("Ada")
    with pytest.raises(AccessError, match="token list"):
        Tokens(library).remove("Grace")
