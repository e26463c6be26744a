"""Tags, judged by sets, and by brute force over the vectors of the tagged articles."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pullquote import keeping
from pullquote.articles import make_article
from pullquote.errors import LibraryError, UnknownArticle
from pullquote.library import Library
from pullquote.retrieving import Retriever
from pullquote.tagging import named, set_tags, tags, tags_of
from pullquote.visibility import SeenLibrary, show_to
from tests.building import put
from tests.conftest import BagOfWords

TEXTS = {
    "ferry": "The ferry to Hiiumaa leaves at seven. Captain Tamm has steered it since 1998.",
    "tram": "The tram leaves every nine minutes. Captain Otter drives it.",
    "moat": "The moat was dug in 1936. Captain Queen Astrid dug it.",
}
TAGGED = {"boats": ["ferry", "moat"], "city_2": ["tram"], "transport": ["ferry", "tram"]}


def fill(library: Library) -> None:
    for name, text in TEXTS.items():
        put(library, replace(make_article(text, title=name), id=name))
    for name in TEXTS:
        set_tags(library, name, [tag for tag, ids in TAGGED.items() if name in ids])


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    library = Library(tmp_path / "store")
    fill(library)
    yield library
    library.close()


@pytest.mark.parametrize(
    ("names", "ids"),
    [
        ("tram", {"tram"}),
        ("boats", {"ferry", "moat"}),
        ("BOATS", {"ferry", "moat"}),
        ("transport, boats", {"ferry", "tram", "moat"}),
        (" tram,moat tram ", {"tram", "moat"}),
    ],
)
def test_ids_and_tags_name_articles_which_alone_are_searched(library: Library, names: str, ids: set[str]) -> None:
    found = named(library, names)
    assert (set(found), len(found)) == (ids, len(ids))
    encoder, question = BagOfWords(), "When does Captain Tamm leave?"
    passages = Retriever(library, encoder).retrieve(question, 9, names)
    assert {passage.article.id for passage in passages} == ids
    [asked] = encoder.encode([question])
    for passage in passages:
        assert passage.dense == pytest.approx(float(encoder.encode([passage.text])[0] @ asked), abs=1e-6)


@pytest.mark.parametrize("names", ["lake", "boats,lake", "", "boats;tram", "'; --"])
def test_a_name_that_is_neither_is_told(library: Library, names: str) -> None:
    with pytest.raises(UnknownArticle, match="pullquote list"):
        named(library, names)


@pytest.mark.parametrize("tag", ["two words", "", "a,b", "x" * 41, "<b>", "né,"])
def test_what_is_no_word_is_no_tag_and_nothing_is_changed(library: Library, tag: str) -> None:
    with pytest.raises(LibraryError, match="one word"):
        set_tags(library, "tram", ["fine", tag])
    assert tags(library) == TAGGED


def test_tags_stay_with_a_new_version_and_end_with_the_article(library: Library) -> None:
    put(library, replace(make_article("The ferry leaves at eight.", title="ferry"), id="ferry"))
    assert tags(library) == TAGGED
    set_tags(library, "tram", [])
    assert tags_of(library, "tram") == []
    library.remove("moat")
    assert tags(library) == {"boats": ["ferry"], "transport": ["ferry"]}
    with pytest.raises(UnknownArticle):
        set_tags(library, "moat", ["boats"])


def test_a_tag_names_only_what_is_shown(library: Library) -> None:
    show_to(library, "moat", ["hr"])
    show_to(library, "tram", ["hr"])
    seen = SeenLibrary(library, frozenset())
    assert tags(seen) == {"boats": ["ferry"], "transport": ["ferry"]}
    assert {
        one.article.id for one in Retriever(library, BagOfWords()).seen_by(frozenset()).retrieve("it", 9, "boats")
    } == {"ferry"}
    with pytest.raises(UnknownArticle) as hidden:
        named(seen, "city_2")
    with pytest.raises(UnknownArticle) as absent:
        named(seen, "city_3")
    assert str(hidden.value) == str(absent.value).replace("city_3", "city_2")


def test_tags_move_with_an_export(library: Library, tmp_path: Path) -> None:
    keeping.export(library, tmp_path / "all.pullquote")
    other = Library(tmp_path / "other")
    keeping.import_from(other, tmp_path / "all.pullquote")
    assert tags(other) == TAGGED
    other.close()
