"""What a library of a given size costs: finding, recall against brute force, memory, and being made anew meanwhile."""

import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pullquote.benchmarking import Figure, resident
from pullquote.datatypes import Passage
from pullquote.embedding import BUILT_IN, QuestionEncoder, fingerprint
from pullquote.evaluating import GoldQuestion
from pullquote.index_types import DEPTH, nearest
from pullquote.library import FILE_NAME, Library
from pullquote.measuring import holds
from pullquote.retrieving import Retriever
from pullquote.timing import noted
from pullquote.vector_index import VectorIndex
from pullquote.workers import new_process

STAGES = ("lexical", "dense")
WARM = 8  # questions asked before the clock runs

Vectors = NDArray[np.float32]


def measure_size(folder: Path, gold: Sequence[GoldQuestion], titles: dict[str, str], scan: float) -> list[Figure]:
    """The figures of the library in this folder; run it in a process of its own, whose memory is measured.

    `titles` are those of the questions' articles, by the ids that the questions name; `scan` is in GB/s.
    """
    with closing(Library(folder)) as library:
        count = len(library.all_keys())
        with new_process(comes_after=False) as pool:  # as the memory of this one is measured
            kind, made = pool.submit(_make, folder).result()
        retriever = Retriever(library, QuestionEncoder())
        named = f"{count:,} chunks"
        figures = [
            Figure.of(f"{named}: index made anew ({kind})", "s", [made]),
            Figure.of(f"{named}: file of the library", "MB", [(folder / FILE_NAME).stat().st_size / 1e6]),
        ]
        figures += [
            replace(one, name=f"{named}: {one.name}") for one in _finding(library, retriever, gold, titles, scan)
        ]
        figures += [replace(one, name=f"{named}: {one.name}") for one in _changing(library, retriever, gold)]
        return figures


def _make(folder: Path) -> tuple[str, float]:
    with closing(Library(folder)) as library:
        began = time.perf_counter()
        return VectorIndex.build(library).kind, time.perf_counter() - began


def _finding(
    library: Library, retriever: Retriever, gold: Sequence[GoldQuestion], titles: dict[str, str], scan: float
) -> Iterator[Figure]:
    texts = [question.question for question in gold]
    began = time.perf_counter()
    for text in texts[:WARM]:
        retriever.retrieve(text, 5)
    retriever.wait()
    yield Figure.of("words read in after the start", "s", [time.perf_counter() - began])
    rows, found = list[dict[str, float]](), list[list[Passage]]()
    for text in texts:
        began = time.perf_counter()
        with noted() as seconds:
            found.append(retriever.retrieve(text, 5))
        rows.append({**seconds, "retrieve": time.perf_counter() - began})
    yield Figure.of("memory, one process", "MB", [resident(os.getpid())])  # before an index to compare with is loaded
    exact = 4 * 384 * library.size()[0] / scan / 1e6  # ms to read every fp32 vector once
    for name in (*STAGES, "retrieve"):
        taken = [1e3 * row[name] for row in rows]
        yield Figure.of(f"{name}, median", "ms", taken, exact if name == "dense" else None)
        yield Figure.of(f"{name}, p95", "ms", [float(np.percentile(taken, 95))])
    yield Figure.of("recall@10 of dense against brute force", "share", [_recall(library, retriever, texts)], 1.0)
    answerable = [(one, passages) for one, passages in zip(gold, found, strict=True) if one.answers]
    hits = [_is_hit(one, passages, titles[one.article]) for one, passages in answerable]
    if hits:
        yield Figure.of("gold passage among the first 5, of the whole library", "share", [float(np.mean(hits))])
    alone = [_milliseconds(retriever, text, found[0][0].article.id) for text in texts]
    yield Figure.of("retrieve in one article, p95", "ms", [float(np.percentile(alone, 95))])


def _recall(library: Library, retriever: Retriever, texts: Sequence[str]) -> float:
    """The share of the ten nearest chunks, by brute force over the library's own vectors, that the index finds."""
    queries = np.concatenate([retriever.encoder.encode([text]) for text in texts])
    index = VectorIndex.open(library)
    names = nearest(queries, library.vector_blocks)
    found = [{key for key, _ in index.search(query, DEPTH)} for query in queries]
    return float(np.mean([len(ours & set(row.tolist())) / len(row) for ours, row in zip(found, names, strict=True)]))


def _is_hit(gold: GoldQuestion, passages: Sequence[Passage], title: str) -> bool:
    first, last = gold.paragraph or (0, 10**9)
    parts = [
        passage.article.text[max(first, passage.chunk.start) : min(last, passage.chunk.end)]
        for passage in passages
        if passage.article.title == title
    ]
    return any(holds(part, gold.answers) for part in parts)


def _changing(library: Library, retriever: Retriever, gold: Sequence[GoldQuestion]) -> Iterator[Figure]:
    """An article is replaced, and questions are asked until the index is whole again."""
    [last] = library.chunks([int(library.all_keys()[-1])]).values()
    article = library.article(last.article_id)  # a made-up one, so that the real ones stay what the questions ask for
    chunks, vectors = library.chunks_of(article.id), library.vectors_of(list(library.keys(article.id)))
    before = [_milliseconds(retriever, one.question) for one in gold[:100]]
    changed = replace(article, text=article.text + "\n\nOne more sentence.")
    began = time.perf_counter()
    library.add(changed, chunks, vectors, fingerprint(BUILT_IN))
    stored = time.perf_counter() - began
    seen = _milliseconds(retriever, gold[0].question)
    asked = list[float]()
    while any(thread.name == "index" for thread in threading.enumerate()) or len(asked) < WARM:
        asked.append(_milliseconds(retriever, gold[len(asked) % len(gold)].question))
    took = time.perf_counter() - began - stored
    yield Figure.of("an article replaced", "s", [stored])
    yield Figure.of("the question after it", "ms", [seen])
    yield Figure.of("index made anew in the background", "s", [took])
    slower = float(np.percentile(asked, 95) / np.percentile(before, 95))
    yield Figure.of("p95 meanwhile, against before", "×", [slower])


def _milliseconds(retriever: Retriever, text: str, article: str | None = None) -> float:
    began = time.perf_counter()
    retriever.retrieve(text, 5, article)
    return 1e3 * (time.perf_counter() - began)
