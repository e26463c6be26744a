"""The type of faiss index that a library's vectors are kept in: the first that answers fast enough, measured on them.

Exact while that is fast; then in half precision, which finds the same at half the memory; then in inverted lists (IVF),
of which as many are looked into as it takes to find what brute force finds. A graph (HNSW) found less in the same time
on questions, which lie elsewhere than chunks, and took three times as long to build.
"""

import logging
import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

SMALL = 20_000  # vectors up to which nothing is measured: exact
FAST = 10.0  # ms for a question on one thread, up to which a flat index is kept
ENOUGH = 0.985  # recall@10 that inverted lists are tuned to
TRIED = 64  # questions that they are tuned on
LIKENESS = 0.5  # cosine of such a question and the chunk that it is made of, as of real ones
LEARNT = 40  # vectors for each list that the lists are learnt from
DEPTH = 10

Vectors = NDArray[np.float32]
Keys = NDArray[np.int64]
Blocks = Callable[[], Iterator[tuple[Keys, Vectors]]]

log = logging.getLogger("pullquote")


def make(count: int, dimension: int, blocks: Blocks, kind: str = "") -> tuple[Any, str]:
    """An index of so many vectors, given by block, and its kind as `index_factory` spells it; `kind` if it is given."""
    if kind or count <= SMALL:
        return _filled(kind or "Flat", count, dimension, blocks), kind or "Flat"
    _, first = next(blocks())
    for flat in ("Flat", "SQfp16"):
        expected = _flat_ms(flat, first) * count / len(first)
        if expected <= FAST:
            return _filled(flat, count, dimension, blocks), flat
    kind = f"IVF{2 ** round(np.log2(4 * count**0.5))},SQfp16"
    index = _filled(kind, count, dimension, blocks)
    recall, taken = _tune(index, blocks, count)
    log.info("%s: recall@%d %.3f, %.1f ms; a flat index takes %.1f ms", kind, DEPTH, recall, taken, expected)
    return (
        (index, kind)
        if recall >= ENOUGH and taken < expected
        else (_filled("SQfp16", count, dimension, blocks), "SQfp16")
    )


def lists_of(index: Any) -> Any:
    """The inverted lists of an index; None where it has none."""
    inner = faiss.downcast_index(index.index)
    return inner if isinstance(inner, faiss.IndexIVF) else None


def _filled(kind: str, count: int, dimension: int, blocks: Blocks) -> Any:
    index: Any = faiss.index_factory(max(dimension, 1), kind, faiss.METRIC_INNER_PRODUCT)
    if not index.is_trained:
        index.train(_sample(blocks, count, LEARNT * getattr(index, "nlist", 1)))
    mapped: Any = faiss.IndexIDMap2(index)
    for keys, vectors in blocks():
        mapped.add_with_ids(vectors, keys)
    if lists_of(mapped):
        index.make_direct_map()  # to give vectors by their key
    return mapped


def _sample(blocks: Blocks, count: int, wanted: int) -> Vectors:
    step = max(1, count // wanted)
    return np.concatenate([vectors[::step] for _, vectors in blocks()])


def _flat_ms(kind: str, vectors: Vectors) -> float:
    """Milliseconds of one question; the least of several, which a neighbour's work on the machine does not count in."""
    index: Any = faiss.index_factory(vectors.shape[1], kind, faiss.METRIC_INNER_PRODUCT)
    index.train(vectors)
    index.add(vectors)
    return min(_ms(index, vectors[row : row + 1]) for row in range(TRIED // 4))


def _ms(index: Any, query: Vectors) -> float:
    began = time.perf_counter()
    index.search(query, DEPTH)
    return 1e3 * (time.perf_counter() - began)


def _tune(index: Any, blocks: Blocks, count: int) -> tuple[float, float]:
    """Look into as many lists as it takes; gives the recall that was reached, and the milliseconds of a question."""
    queries = _questions(_sample(blocks, count, TRIED)[:TRIED])
    exact = nearest(queries, blocks)
    lists, recall = lists_of(index), 0.0
    lists.nprobe = 8
    while recall < ENOUGH and lists.nprobe < lists.nlist:
        lists.nprobe *= 2
        found = index.search(queries, DEPTH)[1]
        recall = float(np.mean([len(set(a) & set(b)) / DEPTH for a, b in zip(found, exact, strict=True)]))
    return recall, median(_ms(index, query[None, :]) for query in queries)


def _questions(vectors: Vectors) -> Vectors:
    """Vectors as far from chunks as questions are: each `LIKENESS` of a chunk, and a random rest."""
    noise = np.random.default_rng(1).standard_normal(vectors.shape)
    noise -= (noise * vectors).sum(axis=1, keepdims=True) * vectors
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    return np.asarray(LIKENESS * vectors + (1 - LIKENESS**2) ** 0.5 * noise, dtype=np.float32)


def nearest(queries: Vectors, blocks: Blocks) -> Keys:
    """The keys of the nearest vectors (queries, DEPTH), by brute force."""
    scores, names = np.empty((len(queries), 0), np.float32), np.empty((len(queries), 0), np.int64)
    for keys, vectors in blocks():
        scores = np.hstack([scores, queries @ vectors.T])
        names = np.hstack([names, np.broadcast_to(keys, (len(queries), len(keys)))])
        top = np.argpartition(-scores, min(DEPTH, scores.shape[1]) - 1, axis=1)[:, :DEPTH]
        scores, names = np.take_along_axis(scores, top, axis=1), np.take_along_axis(names, top, axis=1)
    return names


def use_one_thread() -> None:
    """Have faiss search, and build, with one thread in this process."""
    faiss.omp_set_num_threads(1)
