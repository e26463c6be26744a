"""A library moved to the other kind and back: nothing is lost, and what is lost is told."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from pullquote import cli, keeping
from pullquote.articles import make_article
from pullquote.errors import LibraryError
from pullquote.feedback import Feedback, Opinion
from pullquote.library import Library
from pullquote.migrating import differences, migrate
from pullquote.shared_library import AnyLibrary
from pullquote.tagging import set_tags, tags_of
from pullquote.tokens import Tokens
from pullquote.visibility import show_to
from tests.building import put, put_embedded
from tests.conftest import BagOfWords
from tests.shelves import Server, Shelf

CAT = make_article("The zorbcat slept. It dreamt of quaxmilk.", source="cat.txt", title="Cat")
DOG = make_article("The dog barked. Nobody heard it. " * 40, source="dog.txt", title="Dog")


def fill(library: AnyLibrary) -> str:
    for article in (CAT, DOG):
        put(library, article)
    put(library, replace(CAT, text=CAT.text + " It purred."))
    show_to(library, DOG.id, ["hr", "board"])
    set_tags(library, CAT.id, ["pets"])
    library.mark_starter("a" * 64)
    Feedback(library).keep(Opinion("up", "Who slept?", "not_found"))
    return Tokens(library).new("Ada")


def test_there_and_back_again_is_the_same(shelf: Shelf, tmp_path: Path) -> None:
    first, there, back = Library(tmp_path / "first"), shelf.open(), Library(tmp_path / "back")
    token = fill(first)
    assert migrate(first, there) == migrate(there, back) == 2
    for moved in (there, back):
        assert list(differences(first, moved, BagOfWords())) == []
        assert moved.articles() == first.articles()
        assert Tokens(moved).holder(token) == "Ada"
        assert [one.question for one in Feedback(moved).all()] == ["Who slept?"]
        assert not moved.is_new_starter("a" * 64)
        assert tags_of(moved, CAT.id) == ["pets"]
    assert keeping.check(back) == []
    with pytest.raises(LibraryError, match="name an empty one"):
        migrate(first, back)
    first.close()
    back.close()


def turn(library: Library) -> None:
    keys, vectors = next(iter(library.vector_blocks()))
    library.replace_vectors(keys.tolist(), np.roll(vectors, 1, axis=1), BagOfWords.name)


DAMAGES: dict[str, tuple[Callable[[Library], Any], str]] = {
    "an article": (lambda library: library.remove(DOG.id), "2 articles have become 1"),
    "a text": (lambda library: put(library, replace(CAT, text="Other words.")), f"{CAT.id}: other text"),
    "groups": (lambda library: show_to(library, DOG.id, []), f"{DOG.id}: other groups"),
    "tags": (lambda library: set_tags(library, CAT.id, []), f"{CAT.id}: other tags"),
    "vectors": (turn, f"{CAT.id}: other vectors"),
}


@pytest.mark.parametrize("case", DAMAGES)
def test_what_is_not_the_same_is_told(tmp_path: Path, case: str) -> None:
    first, moved = Library(tmp_path / "first"), Library(tmp_path / "moved")
    fill(first)
    migrate(first, moved)
    damage, said = DAMAGES[case]
    damage(moved)
    assert any(said in one for one in differences(first, moved, BagOfWords())), case
    first.close()
    moved.close()


def test_the_command_moves_and_the_setting_uses_it(
    milvus: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = Library(tmp_path / "store")
    put_embedded(library, make_article("The lamp was lit in 1874 by Ada Holm. It burned oil.", title="Lamp"))
    library.close()
    run, address = CliRunner().invoke, milvus.address("moved")
    done = run(cli.app, ["migrate", str(tmp_path / "store"), address])
    assert (done.exit_code, f"PULLQUOTE_LIBRARY={address}" in done.output) == (0, True)
    monkeypatch.setenv("PULLQUOTE_LIBRARY", address)
    monkeypatch.setenv("PULLQUOTE_READER", "fast")
    asked = run(cli.app, ["ask", "When was the lamp lit?"])
    assert (asked.exit_code, "1874" in asked.output) == (0, True)
    assert "Lamp" in run(cli.app, ["list"]).output
    assert "all is as it was stored" in run(cli.app, ["check"]).output
    assert run(cli.app, ["export", str(tmp_path / "file")]).exit_code == 0
    refused = run(cli.app, ["backup", str(tmp_path / "backup")])
    assert "milvus-backup" in str(refused.exception)
    monkeypatch.setenv("PULLQUOTE_LIBRARY", str(tmp_path / "other"))
    assert run(cli.app, ["import", str(tmp_path / "file")]).exit_code == 0
    assert (tmp_path / "other" / "library.sqlite").exists()
    assert "no library in" in str(run(cli.app, ["migrate", str(tmp_path / "none"), address]).exception)
