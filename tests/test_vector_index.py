import hashlib
import json
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pullquote import following, index_types, vector_index
from pullquote.datatypes import Article, Chunk
from pullquote.durable import Disk
from pullquote.errors import EncoderMismatch, LibraryError
from pullquote.following import Follower
from pullquote.generations import CURRENT, INDEX_FILE, MANIFEST_FILE
from pullquote.library import Library
from pullquote.vector_index import VectorIndex

Vectors = NDArray[np.float32]


def unit(seed: int, count: int, dimension: int = 24) -> Vectors:
    vectors = np.random.default_rng(seed).normal(size=(count, dimension))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def add(library: Library, name: str, vectors: Vectors, encoder: str = "e") -> None:
    article = Article(name, name, name + "x" * len(vectors), "pasted", "2025-01-01")
    library.add(article, [Chunk(name, n, n + 1, n) for n in range(len(vectors))], vectors, encoder)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    library = Library(tmp_path)
    add(library, "a", unit(1, 120))
    add(library, "b", unit(2, 80))
    yield library
    library.close()


def check(library: Library, index: VectorIndex, count: int = 10) -> None:
    """The index finds what plain numpy finds in the vectors of the library."""
    revision, keys, vectors = library.vectors()
    assert index.revision == revision
    for query in unit(99, 20, vectors.shape[1]):
        cosines = vectors.astype(np.float64) @ query.astype(np.float64)
        best = np.argsort(-cosines)[:count]
        found = index.search(query, count)
        assert [key for key, _ in found] == keys[best].tolist()
        np.testing.assert_allclose([score for _, score in found], cosines[best], atol=1e-6)
        wanted = keys[::7].tolist()
        given = index.cosines(query, wanted)
        assert list(given) == wanted
        np.testing.assert_allclose(list(given.values()), cosines[::7], atol=1e-6)


@pytest.mark.parametrize("count", [1, 10, 200, 1_000])
def test_search_is_brute_force_inner_product(library: Library, count: int) -> None:
    check(library, VectorIndex.open(library), count)


@pytest.mark.parametrize(("chunks", "dimension"), [(1, 1), (1, 384), (500, 3)])
def test_search_in_libraries_of_other_shapes(tmp_path: Path, chunks: int, dimension: int) -> None:
    library = Library(tmp_path)
    add(library, "a", unit(5, chunks, dimension))
    check(library, VectorIndex.open(library), 3 if dimension > 1 else 1)
    library.close()


def test_keys_that_are_not_consecutive_are_kept(library: Library) -> None:
    library.remove("a")
    add(library, "c", unit(3, 5))
    index = VectorIndex.open(library)
    check(library, index)
    assert min(key for key, _ in index.search(unit(4, 1)[0], 200)) > 120


def test_an_empty_library_works(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    library = Library(tmp_path)
    for _ in range(2):
        index = VectorIndex.open(library)
        assert index.search(unit(1, 1)[0], 5) == []
        assert index.cosines(unit(1, 1)[0], []) == {}
    assert not caplog.records
    add(library, "a", unit(1, 3))
    check(library, VectorIndex.open(library), 3)
    library.remove("a")
    assert VectorIndex.open(library).search(unit(1, 1)[0], 5) == []
    library.close()


def test_adding_and_removing_change_what_is_found(library: Library) -> None:
    query = unit(77, 1)
    add(library, "c", query)
    key = library.all_chunks()[-1][0]
    index = VectorIndex.open(library)
    [(found, cosine)] = index.search(query[0], 1)
    assert found == key
    assert cosine == pytest.approx(1, abs=1e-6)
    library.remove("c")
    index = VectorIndex.open(library)
    check(library, index)
    assert key not in dict(index.search(query[0], 500))


def test_a_valid_file_is_used_as_it_is(library: Library, caplog: pytest.LogCaptureFixture) -> None:
    VectorIndex.build(library)
    files = [library.folder / CURRENT, home(library.folder) / INDEX_FILE, home(library.folder) / MANIFEST_FILE]
    before = [(path.stat().st_mtime_ns, path.stat().st_ino) for path in files]
    check(library, VectorIndex.open(library))
    assert [(path.stat().st_mtime_ns, path.stat().st_ino) for path in files] == before
    assert not caplog.records


def home(folder: Path) -> Path:
    """The folder of the generation that counts."""
    return folder / (folder / CURRENT).read_text().split()[0]


def edit(**values: object) -> Callable[[Path], None]:
    """Another manifest, with all that vouches for it."""

    def change(folder: Path) -> None:
        path = home(folder) / MANIFEST_FILE
        path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | values), "utf-8")
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        (folder / CURRENT).write_text(f"{path.parent.name} {digest}\n")

    return change


def flip(name: str, place: float) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / name if name == CURRENT else home(folder) / name
        data = bytearray(path.read_bytes())
        data[int(place * (len(data) - 1))] ^= 1
        path.write_bytes(data)

    return change


def cut(name: str, share: float) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / name if name == CURRENT else home(folder) / name
        data = path.read_bytes()
        path.write_bytes(data[: int(len(data) * share)])

    return change


def write(name: str, data: bytes) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / name if name == CURRENT else home(folder) / name).write_bytes(data)

    return change


def other_pair(folder: Path) -> None:
    """The index of another library, of the same size, beside this one's manifest."""
    other = Library(folder / "other")
    add(other, "a", unit(31, 120))
    add(other, "b", unit(32, 80))
    VectorIndex.build(other)
    other.close()
    (home(folder / "other") / INDEX_FILE).replace(home(folder) / INDEX_FILE)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        *((cut(INDEX_FILE, share), f"{INDEX_FILE} of gen-000001 is damaged") for share in (0, 0.5, 0.9999)),
        *((flip(INDEX_FILE, place), f"{INDEX_FILE} of gen-000001 is damaged") for place in (0, 0.4, 1)),
        (other_pair, f"{INDEX_FILE} of gen-000001 is damaged"),
        (lambda folder: (home(folder) / INDEX_FILE).unlink(), f"{INDEX_FILE} of gen-000001 is missing"),
        (lambda folder: (home(folder) / MANIFEST_FILE).unlink(), f"{MANIFEST_FILE} of gen-000001 is missing"),
        *((cut(MANIFEST_FILE, share), f"{MANIFEST_FILE} of gen-000001 is damaged") for share in (0, 0.5)),
        *((flip(MANIFEST_FILE, place), f"{MANIFEST_FILE} of gen-000001 is damaged") for place in (0.2, 1)),
        *((write(MANIFEST_FILE, data), f"{MANIFEST_FILE} of") for data in (b"[]", b"{}", b"\xff\x00")),
        *((flip(CURRENT, place), "") for place in (0, 0.05, 0.11, 0.5, 1)),
        *((cut(CURRENT, share), f"{CURRENT} is damaged") for share in (0, 0.5, 0.99)),
        (write(CURRENT, b"gen-000009 " + b"0" * 64 + b"\n"), "of gen-000009 is missing"),
        (write(CURRENT, b"../../etc " + b"0" * 64 + b"\n"), f"{CURRENT} is damaged"),
        (edit(format=99), "made by another version"),
        (edit(encoder="other"), "made by another encoder"),
        (edit(state="0" * 16), "the library has changed"),
        (edit(sha256="0" * 64), f"{INDEX_FILE} of gen-000001 is damaged"),
        (edit(size=1), f"{INDEX_FILE} of gen-000001 is damaged"),
        (edit(count=199), "does not hold what its manifest says"),
        (edit(dimension=25), "does not hold what its manifest says"),
    ],
)
def test_a_file_that_is_not_right_is_rebuilt(
    library: Library, caplog: pytest.LogCaptureFixture, damage: Callable[[Path], None], reason: str
) -> None:
    VectorIndex.build(library)
    damage(library.folder)
    with caplog.at_level(logging.WARNING, "pullquote"):
        check(library, VectorIndex.open(library))
    [record] = caplog.records
    assert record.getMessage().startswith("the vector index is made anew: ")
    assert reason in record.getMessage()
    caplog.clear()
    check(library, VectorIndex.open(library))
    assert not caplog.records, "the rebuilt file is right"


def test_an_index_of_before_a_change_is_rebuilt(library: Library, caplog: pytest.LogCaptureFixture) -> None:
    VectorIndex.build(library)
    add(library, "c", unit(3, 5))
    check(library, VectorIndex.open(library))
    assert "the library has changed" in caplog.text


def test_embedding_again_with_another_encoder_makes_the_index_new(library: Library) -> None:
    index = VectorIndex.open(library)
    keys = [key for key, _ in library.all_chunks()]
    library.replace_vectors(keys, unit(9, len(keys), 48), "other")
    with pytest.raises(EncoderMismatch, match="pullquote reembed"):
        library.require_encoder("e")
    library.require_encoder("other")
    assert index.revision != library.revision
    check(library, VectorIndex.open(library))


def test_an_index_opened_in_a_snapshot_is_of_that_moment(library: Library) -> None:
    VectorIndex.build(library)
    with library.snapshot():
        before = library.revision
        with ThreadPoolExecutor(1) as thread:
            thread.submit(add, library, "c", unit(3, 5)).result()
        index = VectorIndex.open(library)
        assert index.revision == before
        check(library, index)
    check(library, VectorIndex.open(library))


def test_threads_that_build_at_once_do_not_disturb_each_other(library: Library) -> None:
    with ThreadPoolExecutor(6) as threads:
        for index in threads.map(lambda _: VectorIndex.build(library), range(60)):
            assert index.revision == library.revision
    check(library, VectorIndex.open(library))
    assert [path.name for path in library.folder.glob("gen-*")] == [home(library.folder).name]


def test_a_replaced_article_is_found_by_its_new_vectors_only(library: Library) -> None:
    article = replace(library.article("b"), text="other text")
    vector = unit(55, 1)
    library.add(article, [Chunk("b", 0, 5, 0)], vector, "e")
    index = VectorIndex.open(library)
    check(library, index)
    assert len(index.search(vector[0], 500)) == 121


def test_files_of_older_formats_and_broken_drafts_are_cleared(library: Library) -> None:
    for name in ("vectors.faiss", "vectors.json", "CURRENT.tmp"):
        (library.folder / name).write_text("old")
    for name in ("gen-000007", "gen-000008.tmp"):
        (library.folder / name).mkdir()
        (library.folder / name / INDEX_FILE).write_text("old")
    (library.folder / "notes.txt").write_text("mine")
    VectorIndex.build(library)
    kept = {path.name for path in library.folder.iterdir() if not path.name.startswith("library.sqlite")}
    assert kept == {"LOCK", CURRENT, "gen-000008", "notes.txt"}
    check(library, VectorIndex.open(library))


KINDS = [("Flat", 1.0), ("SQfp16", 0.99), ("IVF32,SQfp16", 0.97)]


def recall(library: Library, index: VectorIndex) -> float:
    """The share of the ten nearest, by plain numpy over what the library holds now, that the index finds."""
    _, keys, vectors = library.vectors()
    hits = 0
    for query in unit(99, 40):
        best = set(keys[np.argsort(-(vectors @ query))[:10]].tolist())
        found = [key for key, _ in index.search(query, 10)]
        assert set(found) <= set(keys.tolist()), "what was removed is not found"
        hits += len(best & set(found))
    return hits / 400


@pytest.mark.parametrize(("kind", "least"), KINDS)
def test_larger_libraries_have_an_index_that_finds_nearly_the_same(tmp_path: Path, kind: str, least: float) -> None:
    library = Library(tmp_path)
    add(library, "a", unit(1, 3_000))
    index = VectorIndex.build(library, kind=kind)
    if lists := index_types.lists_of(index.base):
        lists.nprobe = 24
        assert recall(library, index) >= least
        return
    assert json.loads((home(library.folder) / MANIFEST_FILE).read_text())["kind"] == kind
    assert recall(library, index) >= least
    assert recall(library, VectorIndex.open(library)) >= least
    library.close()


@pytest.mark.parametrize("few", [vector_index.FEW, 0], ids=["dropped", "left out by faiss"])
@pytest.mark.parametrize(("kind", "least"), KINDS)
def test_with_a_third_removed_and_some_added_it_finds_what_brute_force_finds(
    tmp_path: Path, kind: str, least: float, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vector_index, "FEW", few)
    library = Library(tmp_path)
    for number in range(30):
        add(library, f"n{number}", unit(number, 100))
    index = VectorIndex.build(library, kind=kind)
    if lists := index_types.lists_of(index.base):
        lists.nprobe = 24
    for number in range(0, 30, 3):
        library.remove(f"n{number}")
    add(library, "new", unit(500, 50))
    follower = index.following(library)
    assert len(follower.gone) == 1_000
    assert recall(library, follower) >= least
    _, keys, vectors = library.vectors()
    query = unit(98, 1)[0]
    given = follower.cosines(query, keys[::9].tolist())
    np.testing.assert_allclose(list(given.values()), (vectors @ query)[::9], atol=2e-3)
    assert recall(library, VectorIndex.build(library, kind="Flat")) == 1
    library.close()


def test_the_kind_is_chosen_by_what_it_measures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a flat index is too slow, inverted lists are taken if they find enough; half precision if they cannot."""
    library = Library(tmp_path)
    centres = unit(3, 40)
    near = np.repeat(centres, 100, axis=0) + 0.15 * unit(4, 4_000)
    vectors = np.asarray(near / np.linalg.norm(near, axis=1, keepdims=True), dtype=np.float32)
    add(library, "a", vectors)
    assert VectorIndex.build(library).kind == "Flat"
    monkeypatch.setattr(index_types, "SMALL", 100)
    assert VectorIndex.build(library).kind == "Flat"
    monkeypatch.setattr(index_types, "FAST", 0.0)
    monkeypatch.setattr(index_types, "ENOUGH", 1.01)
    assert VectorIndex.build(library).kind == "SQfp16"
    monkeypatch.setattr(index_types, "ENOUGH", 0.9)
    monkeypatch.setattr(index_types, "_flat_ms", lambda *_: 100.0)
    index = VectorIndex.build(library)
    assert index.kind == "IVF256,SQfp16"
    assert recall(library, index) >= 0.85
    again = VectorIndex.open(library)
    assert index_types.lists_of(again.base).nprobe == index_types.lists_of(index.base).nprobe
    assert recall(library, again) == recall(library, index)
    library.close()


def test_an_index_of_a_moment_that_is_past_is_kept_only_over_another_such(library: Library) -> None:
    def change_while_built(name: str) -> None:
        """Build, with a change of the library after the index's moment and before it is saved."""
        blocks = library.vector_blocks

        def late() -> Iterator[tuple[NDArray[np.int64], Vectors]]:
            yield from blocks()
            with ThreadPoolExecutor(1) as thread, closing(Library(library.folder)) as other:
                thread.submit(add, library, name, unit(7, 5)).result()
                if name == "built":
                    thread.submit(VectorIndex.build, other).result()

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(library, "vector_blocks", late)
            VectorIndex.build(library)

    def kept() -> int:
        count: int = json.loads((home(library.folder) / MANIFEST_FILE).read_bytes())["count"]
        return count

    change_while_built("c")
    assert kept() == 200  # of 205: not the library's own, but nothing better was there
    change_while_built("built")
    assert kept() == 210  # the other builder's, which has all


@pytest.mark.parametrize("few", [vector_index.FEW, 0], ids=["dropped", "left out by faiss"])
def test_a_follower_sees_each_change_at_once_and_is_made_whole_behind(
    library: Library, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vector_index, "FEW", few)
    VectorIndex.build(library)
    follower = Follower(library)
    random = np.random.default_rng(5)
    names = ["a", "b"]
    for step in range(40):
        if random.random() < 0.4 and names:
            library.remove(names.pop(int(random.integers(len(names)))))
        else:
            names.append(f"n{step}")
            add(library, names[-1], unit(1_000 + step, int(random.integers(1, 30))))
        with library.snapshot():
            check(library, follower.current(), 15)
    check(library, whole(follower))
    check(library, VectorIndex.open(library))


def whole(follower: Follower) -> VectorIndex:
    """The follower's index once nothing is kept beside it."""
    end = time.monotonic() + 60
    while not follower.current().is_whole:
        assert time.monotonic() < end
        time.sleep(0.01)
    return follower.current()


def test_a_large_index_is_made_anew_in_a_process_of_its_own(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    VectorIndex.build(library)
    follower = Follower(library)

    def not_here(*_: object) -> VectorIndex:
        raise AssertionError("it is made in the process that answers")

    monkeypatch.setattr(following, "SMALL", 10)
    monkeypatch.setattr(VectorIndex, "build", not_here)
    for name in ("c", "d"):
        library.remove({"c": "a", "d": "b"}[name])
        add(library, name, unit(ord(name), 50))
        check(library, follower.current())  # while that process starts
    check(library, whole(follower))
    manifest = json.loads((home(library.folder) / MANIFEST_FILE).read_bytes())
    assert (manifest["count"], manifest["state"]) == (100, library.state)


def die(_folder: Path) -> tuple[int, str]:
    os._exit(1)


def be_refused(_folder: Path) -> tuple[int, str]:
    raise LibraryError("another process is changing the library")


def save_nothing(_folder: Path) -> tuple[int, str]:
    return 1, "of a moment that is not on the disk"


@pytest.mark.parametrize("fail", [die, be_refused, save_nothing])
def test_an_index_that_the_other_process_does_not_make_is_made_here(
    library: Library, monkeypatch: pytest.MonkeyPatch, fail: Callable[[Path], tuple[int, str]]
) -> None:
    VectorIndex.build(library)
    follower = Follower(library)
    monkeypatch.setattr(following, "SMALL", 10)
    monkeypatch.setattr(following, "_build_in", fail)
    library.remove("a")
    check(library, whole(follower))


def test_readers_in_snapshots_have_the_index_of_their_moment(library: Library) -> None:
    follower = Follower(library)
    stop = threading.Event()

    def read() -> int:
        seen = 0
        while not stop.is_set():
            with library.snapshot():
                check(library, follower.current(), 5)
            seen += 1
        return seen

    with ThreadPoolExecutor(3) as threads:
        readers = [threads.submit(read) for _ in range(3)]
        for step in range(60):
            add(library, f"n{step}", unit(2_000 + step, 3))
            if step % 2:
                library.remove(f"n{step - 1}")
        stop.set()
        assert all(reader.result() > 3 for reader in readers)


def test_a_full_disk_leaves_the_old_files_and_the_new_answers(
    library: Library, caplog: pytest.LogCaptureFixture
) -> None:
    class Full(Disk):
        def sync(self, path: Path) -> None:
            raise OSError(28, "No space left on device", str(path))

    VectorIndex.build(library)
    before = (library.folder / CURRENT).read_bytes()
    add(library, "c", unit(3, 5))
    check(library, VectorIndex.build(library, Full()))
    assert "No space left" in caplog.text
    assert (library.folder / CURRENT).read_bytes() == before
    check(library, VectorIndex.open(library))
