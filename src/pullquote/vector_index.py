"""The vector index: exact inner product over unit vectors, by faiss. A cache of the library that can always be rebuilt.

It stands in two files beside the library, the vectors and a manifest that vouches for them. faiss itself notices
neither a flipped bit nor a mixed pair of files, so the manifest holds the SHA-256.
"""

import hashlib
import json
import logging
import os
import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import faiss
import numpy as np
from numpy.typing import NDArray

from pullquote.library import Library

FORMAT = 1
INDEX_FILE = "vectors.faiss"
MANIFEST_FILE = "vectors.json"

log = logging.getLogger("pullquote")


@dataclass(frozen=True)
class Manifest:
    """What the index file must be to be used."""

    format: int
    revision: int
    encoder: str
    count: int
    dimension: int
    sha256: str


class VectorIndex:
    """A snapshot of all vectors of one revision of the library."""

    def __init__(self, index: Any, revision: int) -> None:
        self._index = index
        self.revision = revision
        faiss.omp_set_num_threads(1)  # two threads make one flat query slower

    @classmethod
    def open(cls, library: Library) -> Self:
        """The index kept beside the library, rebuilt (with a line in the log) when it is not the library's own."""
        with library.snapshot():
            index, problem = _load(library)
            if index is not None:
                return cls(index, library.revision)
        if problem:
            log.warning("rebuilding the vector index: %s", problem)
        return cls.build(library)

    @classmethod
    def build(cls, library: Library) -> Self:
        """The index of the library as it is now, saved beside it."""
        with library.snapshot():
            encoder = library.encoder
            revision, keys, vectors = library.vectors()
        index = faiss.IndexIDMap2(faiss.IndexFlatIP(vectors.shape[1]))
        index.add_with_ids(vectors, keys)
        data = faiss.serialize_index(index).tobytes()
        digest = hashlib.sha256(data).hexdigest()
        manifest = Manifest(FORMAT, revision, encoder, len(keys), vectors.shape[1], digest)
        _write(library.folder / INDEX_FILE, data)
        _write(library.folder / MANIFEST_FILE, json.dumps(asdict(manifest), indent=1).encode())
        return cls(index, revision)

    def search(self, vector: NDArray[np.float32], count: int) -> list[tuple[int, float]]:
        """Keys and cosines of the `count` nearest chunks to a unit vector (dimension,), nearest first."""
        count = min(count, self._index.ntotal)
        if not count:
            return []
        scores, keys = self._index.search(vector[None, :], count)
        return [(int(key), float(score)) for key, score in zip(keys[0], scores[0], strict=True)]

    def cosines(self, vector: NDArray[np.float32], keys: Iterable[int]) -> dict[int, float]:
        """Cosines of a unit vector (dimension,) and the chunks with these keys."""
        wanted = np.fromiter(keys, dtype=np.int64)
        if not len(wanted):
            return {}
        scores = self._index.reconstruct_batch(wanted) @ vector
        return dict(zip(wanted.tolist(), scores.tolist(), strict=True))


def problem_of(library: Library) -> str:
    """What is wrong with the index beside the library; "" when nothing is."""
    with library.snapshot():
        index, problem = _load(library)
    return (
        ""
        if index is not None
        else f"the vector index: {problem or 'it is not there'}; it is rebuilt at the next start"
    )


def _load(library: Library) -> tuple[Any, str]:
    """The index on disk, or None and what is wrong with it ("" when it was simply not there yet)."""
    path = library.folder / INDEX_FILE
    try:
        manifest = Manifest(**json.loads((library.folder / MANIFEST_FILE).read_bytes()))
        data = path.read_bytes()
    except FileNotFoundError as error:
        return None, f"{Path(error.filename).name} is missing" if library.encoder else ""
    except (ValueError, TypeError):
        return None, f"{MANIFEST_FILE} is damaged"
    if manifest.format != FORMAT or manifest.encoder != library.encoder:
        return None, "it was made by another version or encoder"
    if manifest.revision != library.revision:
        return None, "the library has changed since it was made"
    if hashlib.sha256(data).hexdigest() != manifest.sha256:
        return None, f"{path.name} is damaged"
    index = faiss.deserialize_index(np.frombuffer(data, dtype=np.uint8))
    if (index.ntotal, index.d) != (manifest.count, manifest.dimension):
        return None, "it does not hold what its manifest says"
    return index, ""


def _write(path: Path, data: bytes) -> None:
    """Put `data` at `path` whole or not at all, also when power fails."""
    draft = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}.tmp")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
