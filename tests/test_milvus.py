"""What only a library on Milvus has to withstand: crashes between any two calls, a server that is gone, two writers."""

import math
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pullquote.articles import make_article
from pullquote.errors import LibraryError, LibraryUnreachable
from pullquote.library import Library
from pullquote.milvus.client import Address, Milvus
from pullquote.milvus.library import MilvusLibrary
from pullquote.milvus.moments import Moment
from pullquote.milvus.rows import Terms
from pullquote.opening import open_at
from tests.building import put
from tests.shelves import Server, Shelf, serving_milvus

OLD = make_article("The zorbcat slept here.", source="cat.txt", title="Cat")
NEW = replace(OLD, text="The quaxdog barked there. It was loud.")
DOG = make_article("A dog that stays.", source="dog.txt", title="Dog")


@pytest.fixture
def shelf(milvus: Server, tmp_path: Path) -> Iterator[Shelf]:
    shelf = Shelf("milvus", tmp_path, milvus)
    yield shelf
    shelf.close()


class Killed(BaseException):
    """The process was killed: it writes nothing more."""


class Dying(Milvus):
    """A connection of a process that is killed before its next write but `lives`."""

    lives = 99

    def _live(self) -> None:
        if self.lives <= 0:
            raise Killed
        self.lives -= 1

    def put(self, *given: Any) -> None:
        self._live()
        super().put(*given)

    def delete(self, *given: Any) -> None:
        self._live()
        super().delete(*given)

    def drop(self, *given: Any) -> None:
        self._live()
        super().drop(*given)


def seen(library: MilvusLibrary) -> list[tuple[str, list[str], int, int]]:
    """Of each article what a reader sees: text, groups, chunks, and how many of them its words and vectors find."""
    vectors = [vectors for _, vectors in library.vector_blocks()]
    nearest = library.search_words(["zorbcat", "quaxdog", "dog"], 50)
    assert sum(map(len, vectors)) == len(library.all_chunks()) == library.size()[0] == len(nearest)
    rows = []
    for article, count in library.articles():
        keys = library.keys(article.id)
        assert {key for key, _ in nearest} >= set(keys), "every chunk of every article holds one of the words"
        rows.append((article.text, library.groups_of(article.id), count, len(keys)))
    return sorted(rows)


def reembed(library: MilvusLibrary) -> None:
    keys = [key for key, _ in library.all_chunks()]
    library.replace_vectors(keys, np.eye(len(keys), 64, dtype=np.float32), "other")


CHANGES: dict[str, tuple[int, Callable[[MilvusLibrary], Any]]] = {  # each tried at every second, third … write
    "add": (2, lambda library: put(library, NEW)),
    "remove": (2, lambda library: library.remove(OLD.id)),
    "show": (3, lambda library: library.show_to(OLD.id, ["hr"])),
    "reembed": (3, reembed),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_crash_between_any_two_writes_leaves_what_was_or_what_is(shelf: Shelf, name: str) -> None:
    assert shelf.server
    reader, states, (step, change) = shelf.open(), list[Any](), CHANGES[name]
    for lives in range(0, 99, step):
        shelf.server.wipe(shelf.name)
        put(reader, OLD)
        before = reader.encoder, seen(reader)
        milvus = Dying(Address.parse(shelf.address))
        writer = MilvusLibrary(milvus, lease=-1, grace=0)  # others take it for dead at once
        milvus.lives = lives
        try:
            change(writer)
        except Killed:
            states.append((reader.encoder, seen(reader)))
        else:
            break
        reader.tag("any", [])  # the next writer tidies up
        assert (reader.encoder, seen(reader)) == states[-1]
        assert len(shelf.held()["chunks"]) == reader.size()[0], "nothing is left behind"
    after = reader.encoder, seen(reader)
    switch = states.index(after)
    assert states == [before] * switch + [after] * (len(states) - switch)
    assert switch > 0, "there were writes before the switch"


def test_two_writers_wait_for_each_other_and_a_dead_one_is_waited_for_until_its_lease_ends(shelf: Shelf) -> None:
    one, other = shelf.open(), shelf.open()
    with ThreadPoolExecutor(1) as thread, one._writers.writing():
        waiting = thread.submit(put, other, OLD)
        time.sleep(0.5)
        assert not waiting.done()
        assert other.articles() == []
    waiting.result()
    assert one.articles() == other.articles() != []
    milvus = Dying(Address.parse(shelf.address))
    dead = MilvusLibrary(milvus, lease=1.5)
    milvus.lives = 3
    with pytest.raises(Killed):
        put(dead, DOG)
    began = time.monotonic()
    put(one, DOG)
    assert time.monotonic() - began > 0.5


def test_a_writer_that_was_taken_for_dead_changes_nothing(shelf: Shelf) -> None:
    slow, other = MilvusLibrary(Milvus(Address.parse(shelf.address)), lease=0.2), shelf.open()

    def change() -> None:
        with slow._writers.writing() as moment:
            time.sleep(0.3)
            put(other, OLD)
            slow._writers.commit(moment)

    with pytest.raises(LibraryError, match="took too long"):
        change()
    assert [article for article, _ in slow.articles()] == [OLD]
    slow.close()


def test_a_format_that_is_not_known_is_refused(shelf: Shelf) -> None:
    library = shelf.open()
    library.records.put("moment", "", asdict(Moment()) | {"format": 3})
    with pytest.raises(LibraryError, match="has format 3 of those on Milvus, this version reads 2; use the version"):
        shelf.open()


def test_what_is_gone_is_read_on_by_whoever_began_before_and_then_deleted(shelf: Shelf) -> None:
    library = shelf.open(grace=0.5)
    put(library, OLD)
    with library.snapshot():
        library.remove(OLD.id)
        assert library.article(OLD.id) == OLD
        assert library.search_words(["zorbcat"], 5)
    assert library.search_words(["zorbcat"], 5) == []
    assert shelf.held()["chunks"]
    library.close()
    assert shelf.held() == {"records": [], "chunks": []}


def test_the_end_waits_for_a_deletion_that_is_under_way(shelf: Shelf) -> None:
    library = shelf.open(grace=0.3)
    put(library, OLD)
    library.remove(OLD.id)
    with library._writers.writing():
        time.sleep(0.5)  # now it is due, and waits for us
    library.close()
    assert shelf.held() == {"records": [], "chunks": []}


def test_a_read_that_took_long_is_read_again_where_something_changed(shelf: Shelf) -> None:
    library, other, tries = shelf.open(grace=0.1), shelf.open(), list[int]()
    put(library, OLD)

    def read() -> int:
        tries.append(len(library.articles()))
        if len(tries) == 1:
            put(other, DOG)
            time.sleep(0.2)
        return tries[-1]

    assert library.at_one_moment(read) == 2
    assert tries == [1, 2]


def test_a_server_that_is_gone_is_told_at_once_and_used_again_when_it_is_back(tmp_path: Path) -> None:
    with serving_milvus(tmp_path / "data") as server:
        library = MilvusLibrary(Milvus(Address.parse(server.address("shelf")), timeout=2))
        put(library, OLD)
        port = server.port
    began = time.monotonic()
    with pytest.raises(LibraryUnreachable, match=rf"Milvus at http://127.0.0.1:{port} .*check that it runs"):
        library.article(OLD.id)
    with pytest.raises(LibraryUnreachable):
        put(library, DOG)
    assert time.monotonic() - began < 10
    with serving_milvus(tmp_path / "data", port) as server:
        MilvusLibrary(Milvus(Address.parse(server.address("shelf")))).close()  # loads what a cluster would have loaded
        assert library.article(OLD.id) == OLD
        put(library, DOG)
        assert len(library.articles()) == 2
        library.close()


def test_a_server_that_accepts_and_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        with pytest.raises(LibraryUnreachable):
            Milvus(Address.parse(f"milvus://127.0.0.1:{silent.getsockname()[1]}/x"), timeout=1)
        assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("text", "uri", "name"),
    [
        ("milvus://db/news", "http://db:19530", "news"),
        ("milvus://db:9/news_2", "http://db:9", "news_2"),
        ("milvus+tls://db:443/n", "https://db:443", "n"),
        ("milvus:///data/x.db", "/data/x.db", "pullquote"),
    ],
)
def test_an_address_is_read(text: str, uri: str, name: str) -> None:
    assert Address.parse(text) == Address(uri, name)


@pytest.mark.parametrize(
    "text", ["milvus://db", "milvus://db/", "milvus://db/a b", "milvus://db/ä", "milvus://u:p@db/x", "http://db/x",
             "milvus://db:x/y", "milvus:///path", "milvus://db/a/b"]
)  # fmt: skip
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(LibraryError, match="write milvus://host:19530/NAME"):
        open_at(text)


def test_words_of_any_language_and_groups_with_any_name_are_no_syntax(shelf: Shelf) -> None:
    library = shelf.open()
    put(library, OLD)
    for group in ('"] or key >= 0 or "', "\\", "日本"):
        library.show_to(OLD.id, [group])
        assert library.seen_by(frozenset({group})).search_words(["zorbcat"], 5)
        assert not library.seen_by(frozenset({"x"})).search_words(["zorbcat"], 5)
        library.tag(OLD.id, [group])
        assert library.tagged() == [(group, OLD.id)]
    with pytest.raises(LibraryError, match="256 groups at most"):
        library.show_to(OLD.id, map(str, range(300)))


def test_a_local_file_is_a_library_too(tmp_path: Path) -> None:
    address = f"milvus://{tmp_path}/new/shelf.db"
    for expected in ([], [OLD]):
        library = open_at(address)
        assert [article for article, _ in library.articles()] == expected
        put(library, OLD)
        library.close()


ALIKE = ["community", "communism", "general", "generally", "generous", "skis", "skies", "news", "Café", "cafes"]
OTHERS = ["STRASSE", "Straße", "naïve", "U.S.", "3,000", "don't", "x²", "猫が好き", "مدرسة", "кошками", "ÉTÉ"]


def test_words_are_alike_where_a_folder_finds_one_by_the_other(tmp_path: Path) -> None:
    texts = [*ALIKE, *OTHERS]
    folder = Library(tmp_path)
    for word in texts:
        put(folder, make_article(f"{word}.", title=word))
    keys = {folder.keys(row.id)[0]: row.text[:-1] for row, _ in folder.articles()}
    terms = Terms()
    for word in texts:
        mine = set(terms.of(word).split())
        found = {keys[key] for key, _ in folder.search_words([word], len(texts))}
        assert found == {text for text in texts if mine <= set(terms.of(text).split())}, word
    folder.close()


def test_words_weigh_as_in_a_folder(shelf: Shelf) -> None:
    texts = ["zorb", "zorb zorb", "zorb quax", "quax and zorb zorb zorb, and so on and on", "nothing of it"]
    library = shelf.open()
    for text in texts:
        put(library, make_article(text, title=text))
    split = [text.replace(",", "").split() for text in texts]
    mean = sum(map(len, split)) / len(texts)
    idf = math.log(1 + (len(texts) - 4 + 0.5) / (4 + 0.5))  # Lucene's, of a word that four texts have
    expected = {}
    for text, words in zip(texts, split, strict=True):
        if count := words.count("zorb"):
            expected[text] = idf * count * 2.2 / (count + 1.2 * (0.25 + 0.75 * len(words) / mean))
    named = {library.keys(article.id)[0]: article.text for article, _ in library.articles()}
    found = {named[key]: score for key, score in library.search_words(["zorb"], 9)}
    assert found == pytest.approx(expected, rel=1e-4)
