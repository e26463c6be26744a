import json
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pullquote.datatypes import Article, Chunk
from pullquote.errors import EncoderMismatch
from pullquote.library import Library
from pullquote.vector_index import INDEX_FILE, MANIFEST_FILE, VectorIndex

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
    files = [library.folder / INDEX_FILE, library.folder / MANIFEST_FILE]
    before = [(path.stat().st_mtime_ns, path.stat().st_ino) for path in files]
    check(library, VectorIndex.open(library))
    assert [(path.stat().st_mtime_ns, path.stat().st_ino) for path in files] == before
    assert not caplog.records


def edit(**values: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / MANIFEST_FILE
        path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | values), "utf-8")

    return change


def flip(name: str, place: float) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        data = bytearray((folder / name).read_bytes())
        data[int(place * (len(data) - 1))] ^= 1
        (folder / name).write_bytes(data)

    return change


def cut(name: str, share: float) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[: int(len(data) * share)])

    return change


def write(name: str, data: bytes) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / name).write_bytes(data)

    return change


def other_pair(folder: Path) -> None:
    """The index of another library, of the same size, beside this one's manifest."""
    other = Library(folder / "other")
    add(other, "a", unit(31, 120))
    add(other, "b", unit(32, 80))
    VectorIndex.build(other)
    other.close()
    (folder / "other" / INDEX_FILE).replace(folder / INDEX_FILE)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (cut(INDEX_FILE, 0), f"{INDEX_FILE} is damaged"),
        (cut(INDEX_FILE, 0.5), f"{INDEX_FILE} is damaged"),
        (cut(INDEX_FILE, 0.9999), f"{INDEX_FILE} is damaged"),
        (flip(INDEX_FILE, 0), f"{INDEX_FILE} is damaged"),
        (flip(INDEX_FILE, 0.4), f"{INDEX_FILE} is damaged"),
        (flip(INDEX_FILE, 1), f"{INDEX_FILE} is damaged"),
        (other_pair, f"{INDEX_FILE} is damaged"),
        (lambda folder: (folder / INDEX_FILE).unlink(), f"{INDEX_FILE} is missing"),
        (lambda folder: (folder / MANIFEST_FILE).unlink(), f"{MANIFEST_FILE} is missing"),
        (cut(MANIFEST_FILE, 0), f"{MANIFEST_FILE} is damaged"),
        (cut(MANIFEST_FILE, 0.5), f"{MANIFEST_FILE} is damaged"),
        (write(MANIFEST_FILE, b"[]"), f"{MANIFEST_FILE} is damaged"),
        (write(MANIFEST_FILE, b"{}"), f"{MANIFEST_FILE} is damaged"),
        (write(MANIFEST_FILE, b"\xff\x00"), f"{MANIFEST_FILE} is damaged"),
        (edit(format=99), "another version or encoder"),
        (edit(encoder="other"), "another version or encoder"),
        (edit(revision=1), "the library has changed"),
        (edit(sha256="0" * 64), f"{INDEX_FILE} is damaged"),
        (edit(sha256=None), f"{INDEX_FILE} is damaged"),
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
    assert record.getMessage().startswith("rebuilding the vector index: ")
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
    assert sorted(path.name for path in library.folder.glob("vectors*")) == [INDEX_FILE, MANIFEST_FILE]


def test_a_replaced_article_is_found_by_its_new_vectors_only(library: Library) -> None:
    article = replace(library.article("b"), text="other text")
    vector = unit(55, 1)
    library.add(article, [Chunk("b", 0, 5, 0)], vector, "e")
    index = VectorIndex.open(library)
    check(library, index)
    assert len(index.search(vector[0], 500)) == 121
