"""The vector index: inner product over unit vectors, by faiss. A cache of the library that can always be made anew.

An index never changes. After a change of the library, what is new or gone is kept beside it (a delta, searched by
numpy), so that the next question sees the change; the whole is made anew in the background.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import faiss
import numpy as np
from numpy.typing import NDArray

from pullquote import generations, index_types
from pullquote.durable import Disk, writing
from pullquote.errors import LibraryError
from pullquote.generations import Manifest
from pullquote.library import Library

Vectors = NDArray[np.float32]
Keys = NDArray[np.int64]

FEW = (
    2_000  # chunks left out that are rather found and dropped: faiss looks at each vector when it is to leave some out
)

log = logging.getLogger("pullquote")


@dataclass(frozen=True, eq=False)
class VectorIndex:
    """All vectors of one moment of the library: those of `base` without `gone`, and the `new` ones with their keys."""

    base: Any
    kind: str  # as `index_factory` of faiss spells it
    made_at: int  # the revision that `base` is of
    last: int  # the highest key in `base`
    revision: int
    state: str
    gone: Keys
    new_keys: Keys
    new: Vectors
    kept: Any = None  # what faiss is to leave `gone` out by

    @classmethod
    def open(cls, library: Library) -> Self:
        """The index kept beside the library, made anew (with a line in the log) when it is not the library's own."""
        with library.snapshot():
            found = _load(library)
            if not isinstance(found, str):
                return cls._whole(*found, library.revision, library.state)
        if found:
            log.warning("the vector index is made anew: %s", found)
        return cls.build(library)

    @classmethod
    def build(cls, library: Library, disk: Disk | None = None, kind: str = "") -> Self:
        """The index of the library as it is now, saved beside it; a disk that is full is a line in the log.

        `kind` is as `index_factory` of faiss spells it; chosen by measurement where none is given.
        """
        with library.snapshot():
            encoder, state, revision = library.encoder, library.state, library.revision
            count, dimension = library.size()
            base, kind = index_types.make(count, dimension, library.vector_blocks, kind)
        data = faiss.serialize_index(base).data
        shape = {"count": count, "dimension": dimension, "size": len(data)}
        manifest = Manifest(
            state, encoder, kind=kind, faiss=faiss.__version__, sha256=generations.digest(data), **shape
        )
        try:
            with writing(library.folder):
                kept = generations.current(library.folder)
                # Of two that build, the later change wins; one that is of neither moment is no loss.
                if library.state == state or not kept or kept[1].state != library.state:
                    generations.publish(library.folder, manifest, data, disk or Disk())
        except (OSError, LibraryError) as error:
            log.warning("the vector index was not saved, it is made anew at the next start: %s", error)
        return cls._whole(base, kind, revision, state)

    @classmethod
    def saved(cls, folder: Path, revision: int, state: str) -> Self | None:
        """The index that another process saved for the library of this moment; None where another one is there."""
        found = generations.load(folder)
        if isinstance(found, str) or found[0].state != state:
            return None
        manifest, data = found
        return cls._whole(_faiss_index(data), manifest.kind, revision, state)

    @classmethod
    def _whole(cls, base: Any, kind: str, revision: int, state: str) -> Self:
        index_types.use_one_thread()  # two make one flat query slower
        last = int(_keys_of(base).max(initial=0))
        nothing = np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, base.d), np.float32)
        return cls(base, kind, revision, last, revision, state, *nothing)

    @property
    def size(self) -> int:
        """How many chunks there are."""
        return int(self.base.ntotal) - len(self.gone) + len(self.new_keys)

    @property
    def is_whole(self) -> bool:
        """Whether nothing is kept beside faiss's own index."""
        return not len(self.gone) and not len(self.new_keys)

    def following(self, library: Library) -> Self:
        """The index of the library as it is in the caller's snapshot: this one, with what has changed beside it."""
        if library.revision >= self.made_at:
            added, gone = library.changes(self.made_at, self.last)
        else:  # a reader of an earlier moment than the index
            keys, own = library.all_keys(), _keys_of(self.base)
            added, gone = np.setdiff1d(keys, own), np.setdiff1d(own, keys)
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
            kept=_without(gone) if len(gone) > FEW else None,
        )

    def search(self, vector: Vectors, count: int, hidden: frozenset[int] = frozenset()) -> list[tuple[int, float]]:
        """Keys and cosines of the `count` nearest chunks to a unit vector (dimension,), nearest first.

        Chunks with a `hidden` key are none of them.
        """
        kept, dropped = self.kept, frozenset[int]()
        if len(self.gone) + len(hidden) <= FEW:
            dropped = hidden.union(self.gone.tolist())
        elif hidden:
            kept = _without(np.union1d(self.gone, [*hidden]))
        found: list[tuple[int, float]] = []
        if most := min(count + len(dropped), self.base.ntotal):
            scores, keys = self.base.search(vector[None, :], most, params=self._parameters(kept))
            pairs = zip(keys[0].tolist(), scores[0].tolist(), strict=True)
            found = [(key, score) for key, score in pairs if key >= 0 and key not in dropped]
        if len(self.new_keys):
            new = zip(self.new_keys.tolist(), (self.new @ vector).tolist(), strict=True)
            found += [pair for pair in new if pair[0] not in hidden]
        return sorted(found, key=lambda pair: -pair[1])[:count]

    def _parameters(self, kept: Any) -> Any:
        """What faiss is told for one search; made anew each time, for it writes into them."""
        if kept is None:
            return None
        given: Any = faiss  # whose types do not know the names of its own parameters
        if lists := index_types.lists_of(self.base):
            return given.SearchParametersIVF(sel=kept, nprobe=lists.nprobe)
        return given.SearchParameters(sel=kept)

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


def _faiss_index(data: bytes) -> Any:
    return faiss.deserialize_index(np.frombuffer(data, dtype=np.uint8))


def _without(keys: Keys) -> Any:
    """What tells faiss to leave these keys out."""
    return faiss.IDSelectorNot(faiss.IDSelectorBatch(keys.astype(np.int64)))


def problem_of(library: Library) -> str:
    """What is wrong with the index beside the library; "" when nothing is."""
    with library.snapshot():
        found = _load(library)
    if not isinstance(found, str):
        return ""
    return f"the vector index: {found or 'it is not there'}; it is made anew at the next start"


def _keys_of(base: Any) -> Keys:
    """The keys of faiss's own index, in the order they were added."""
    return np.asarray(faiss.vector_to_array(base.id_map), dtype=np.int64)


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
    index = _faiss_index(data)
    keys = np.sort(_keys_of(index))
    if (index.ntotal, index.d) != (manifest.count, max(manifest.dimension, 1)):
        return "it does not hold what its manifest says"
    if not np.array_equal(keys, library.all_keys()):
        return "it holds other chunks than the library"
    return index, manifest.kind
