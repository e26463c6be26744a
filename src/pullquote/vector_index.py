"""The vector index: inner product over unit vectors, by faiss. A cache of the library that can always be made anew.

An index never changes. After a change of the library, what is new or gone is kept beside it (a delta, searched by
numpy), so that the next question sees the change; the whole is made anew in the background.
"""

import logging
import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Self

import faiss
import numpy as np
from numpy.typing import NDArray

from pullquote import generations
from pullquote.durable import Disk, writing
from pullquote.errors import LibraryError
from pullquote.generations import Manifest
from pullquote.library import Library

# Vectors up to which each kind answers in 10 ms: exact, in half the bytes, by a graph that takes 20 s for 100,000.
KINDS = ((130_000, "Flat"), (280_000, "SQfp16"), (10**12, "HNSW32"))
SEARCHED = 64  # neighbours that a graph looks at

Vectors = NDArray[np.float32]
Keys = NDArray[np.int64]

log = logging.getLogger("pullquote")


@dataclass(frozen=True, eq=False)
class VectorIndex:
    """All vectors of one moment of the library: those of `base` without `gone`, and the `new` ones with their keys."""

    base: Any
    kind: str  # as `index_factory` of faiss spells it
    base_keys: Keys
    revision: int
    state: str
    gone: frozenset[int]
    new_keys: Keys
    new: Vectors

    @classmethod
    def open(cls, library: Library) -> Self:
        """The index kept beside the library, made anew (with a line in the log) when it is not the library's own."""
        with library.snapshot():
            found = _load(library)
            if not isinstance(found, str):
                return cls._whole(*found, library.all_keys(), library.revision, library.state)
        if found:
            log.warning("the vector index is made anew: %s", found)
        return cls.build(library)

    @classmethod
    def build(cls, library: Library, disk: Disk | None = None, kinds: tuple[tuple[int, str], ...] = KINDS) -> Self:
        """The index of the library as it is now, saved beside it; a disk that is full is a line in the log."""
        with library.snapshot():
            encoder, state = library.encoder, library.state
            revision, keys, vectors = library.vectors()
        kind = next(kind for most, kind in kinds if len(keys) <= most)
        base = _make(keys, vectors, kind)
        data = faiss.serialize_index(base).tobytes()
        shape = {"count": len(keys), "dimension": vectors.shape[1], "size": len(data)}
        manifest = Manifest(
            state, encoder, kind=kind, faiss=faiss.__version__, sha256=generations.digest(data), **shape
        )
        try:
            with writing(library.folder):
                if library.state == state:  # of two that build, the later change wins
                    generations.publish(library.folder, manifest, data, disk or Disk())
        except (OSError, LibraryError) as error:
            log.warning("the vector index was not saved, it is made anew at the next start: %s", error)
        return cls._whole(base, kind, keys, revision, state)

    @classmethod
    def _whole(cls, base: Any, kind: str, keys: Keys, revision: int, state: str) -> Self:
        faiss.omp_set_num_threads(1)  # two threads make one flat query slower
        nothing = np.empty(0, np.int64), np.empty((0, base.d), np.float32)
        return cls(base, kind, keys, revision, state, frozenset(), *nothing)

    @property
    def is_whole(self) -> bool:
        """Whether nothing is kept beside faiss's own index."""
        return not self.gone and not len(self.new_keys)

    def following(self, library: Library) -> Self:
        """The index of the library as it is in the caller's snapshot: this one, with what has changed beside it."""
        keys = library.all_keys()
        added = np.setdiff1d(keys, self.base_keys, assume_unique=True)
        gone = frozenset(np.setdiff1d(self.base_keys, keys, assume_unique=True).tolist())
        new = library.vectors_of(added.tolist())
        if len(added) and self.base.d not in (0, new.shape[1]):
            return type(self).build(library)
        return replace(
            self,
            revision=library.revision,
            state=library.state,
            gone=gone,
            new_keys=added,
            new=new if len(added) else self.new[:0],
        )

    def search(self, vector: Vectors, count: int) -> list[tuple[int, float]]:
        """Keys and cosines of the `count` nearest chunks to a unit vector (dimension,), nearest first."""
        found: list[tuple[int, float]] = []
        if most := min(count + len(self.gone), self.base.ntotal):
            scores, keys = self.base.search(vector[None, :], most)
            pairs = zip(keys[0].tolist(), scores[0].tolist(), strict=True)
            found = [(key, score) for key, score in pairs if key >= 0 and key not in self.gone]
        if len(self.new_keys):
            found += zip(self.new_keys.tolist(), (self.new @ vector).tolist(), strict=True)
        return sorted(found, key=lambda pair: -pair[1])[:count]

    def cosines(self, vector: Vectors, keys: Iterable[int]) -> dict[int, float]:
        """Cosines of a unit vector (dimension,) and the chunks with these keys."""
        wanted = np.fromiter(keys, dtype=np.int64)
        places = {int(key): row for row, key in enumerate(self.new_keys)}
        old = np.array([key for key in wanted.tolist() if key not in places], dtype=np.int64)
        scores = (
            dict(zip(old.tolist(), (self.base.reconstruct_batch(old) @ vector).tolist(), strict=True))
            if len(old)
            else {}
        )
        return {key: scores[key] if key in scores else float(self.new[places[key]] @ vector) for key in wanted.tolist()}


class Follower:
    """The index of a library that changes, for readers in many threads; made whole again in the background."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._index = VectorIndex.open(library)
        self._lock = threading.Lock()
        self._building: threading.Thread | None = None
        library.call_before_close(self._finish)

    def current(self) -> VectorIndex:
        """The index of the library as it is in the caller's snapshot."""
        with self._lock:
            if self._index.state != self._library.state:
                self._index = self._index.following(self._library)
            if not self._index.is_whole and self._building is None:
                self._building = threading.Thread(target=self._rebuild, name="index", daemon=True)
                self._building.start()
            return self._index

    def _finish(self) -> None:
        if building := self._building:
            building.join()

    def _rebuild(self) -> None:
        try:
            built = VectorIndex.build(self._library)
            with self._lock:
                # subtle: what came while it was built is a delta of the new index at the next question
                self._index = built
        finally:
            self._building = None


def problem_of(library: Library) -> str:
    """What is wrong with the index beside the library; "" when nothing is."""
    with library.snapshot():
        found = _load(library)
    if not isinstance(found, str):
        return ""
    return f"the vector index: {found or 'it is not there'}; it is made anew at the next start"


def _make(keys: Keys, vectors: Vectors, kind: str) -> Any:
    index: Any = faiss.index_factory(max(vectors.shape[1], 1), kind, faiss.METRIC_INNER_PRODUCT)
    if len(keys):
        index.train(vectors)
    if kind.startswith("HNSW"):
        index.hnsw.efSearch = SEARCHED
    mapped: Any = faiss.IndexIDMap2(index)
    if len(keys):
        mapped.add_with_ids(vectors, keys)
    return mapped


def _load(library: Library) -> tuple[Any, str] | str:
    """The index on disk and its kind; or what is wrong with it, "" when it is simply not there yet."""
    found = generations.load(library.folder)
    if isinstance(found, str):
        return found if found or not library.encoder else "it is missing"
    manifest, data = found
    if manifest.encoder != library.encoder:
        return "it was made by another encoder"
    if manifest.state != library.state:
        return "the library has changed since it was made"
    index: Any = faiss.deserialize_index(np.frombuffer(data, dtype=np.uint8))
    keys = np.sort(faiss.vector_to_array(index.id_map))
    if (index.ntotal, index.d) != (manifest.count, max(manifest.dimension, 1)):
        return "it does not hold what its manifest says"
    if not np.array_equal(keys, library.all_keys()):
        return "it holds other chunks than the library"
    return index, manifest.kind
