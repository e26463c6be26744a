"""Where the time of a question and of an article goes, beside what this machine allows, measured in the same run."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from pullquote.answering import Assistant
from pullquote.articles import make_article
from pullquote.benchmarking import MACHINE, Figure
from pullquote.chunking import chunk_article
from pullquote.datatypes import Article
from pullquote.embedding import EXPORT_SHA256, WorkerEncoder
from pullquote.inference import MODELS, OnnxModel
from pullquote.ingesting import add_article, embedded_text
from pullquote.library import Library
from pullquote.reading import LARGE, SMALL
from pullquote.rendering import to_json
from pullquote.settings import Settings
from pullquote.timing import noted

STAGES = ("encode", "lexical", "dense", "fuse", "read", "read again", "judge")
VISITORS = (1, 2, 4, 8)  # who ask at the same time, each again as soon as the answer is there
ROUNDS = 20  # of a model's run

_GEMM = """
import numpy, time
a = numpy.random.rand(1024, 1024).astype("f4")
a @ a
for _ in range(8):
    began = time.perf_counter()
    a @ a
    print(2 * 1024**3 / (time.perf_counter() - began) / 1e9)
"""
_SCAN = """
import numpy, time
rows, one = numpy.ones((200_000, 384), "f4"), numpy.ones(384, "f4")
for _ in range(8):
    began = time.perf_counter()
    rows @ one
    print(rows.nbytes / (time.perf_counter() - began) / 1e9)
"""


@dataclass(frozen=True)
class Limits:
    """What this machine allows: fp32 matrix products on the reader's threads, and reading memory on one thread."""

    gemm: Figure
    scan: Figure

    @classmethod
    def measure(cls, threads: int) -> "Limits":
        """Measured now, in processes of their own."""
        return cls(
            Figure.of(f"{MACHINE}fp32 matrix product, {threads} threads", "GFLOP/s", _child(_GEMM, threads)),
            Figure.of(f"{MACHINE}reading memory, 1 thread", "GB/s", _child(_SCAN, 1)),
        )

    @property
    def figures(self) -> list[Figure]:
        return [self.gemm, self.scan]


def _child(code: str, threads: int) -> list[float]:
    names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    environment = os.environ | dict.fromkeys(names, str(threads))
    said = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return [float(line) for line in said.stdout.split()]


def measure_models(settings: Settings, limits: Limits) -> Iterator[Figure]:
    """Each model alone, on texts of the length that it usually reads; the limit is the fp32 matrix product.

    int8 and 4-bit weights may pass it, where the processor multiplies int8 faster than fp32.
    """
    small, large = SMALL, LARGE
    threads = settings.threads
    encoder = OnnxModel(MODELS / "encoder", EXPORT_SHA256, 1)
    yield _model("question encoder, 15 tokens, 1 thread", encoder, 15, (6, 384), limits)
    reader = OnnxModel(small.folder, small.model, threads, small.tokenizer)
    yield _model(f"small reader, 160 tokens, {threads} threads", reader, 160, (6, 384), limits)
    if settings.reader == "best":
        second = OnnxModel(large.folder, large.model, threads, large.tokenizer)
        yield _model(f"large reader, 110 tokens, {threads} threads", second, 110, (12, 768), limits)


def _model(name: str, model: OnnxModel, tokens: int, shape: tuple[int, int], limits: Limits) -> Figure:
    encoding = model.tokenizer.encode("one " * (tokens - 2))
    work = flop(len(encoding), *shape) / 1e9
    return Figure.of(
        name, "GFLOP/s", [work / seconds for seconds in _runs(lambda: model.run([encoding]))], limits.gemm.best
    )


def flop(tokens: int, layers: int, width: int) -> float:
    """Floating-point operations of a BERT over one text: 24 L w² n for its matrices, 4 L w n² for attention."""
    return float(layers * (24 * width**2 * tokens + 4 * width * tokens**2))


def _runs(work: Callable[[], object], rounds: int = ROUNDS) -> list[float]:
    work()
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return seconds


def measure_stages(assistant: Assistant, questions: Sequence[str], article: str | None) -> Iterator[Figure]:
    """Seconds of each stage of a question, of all together, and the readers' share of them."""
    ask = partial(assistant.trace, article=article)
    ask(questions[0])
    rows: list[dict[str, float]] = []
    for question in questions:
        with noted() as seconds:
            began = time.perf_counter()
            trace = ask(question)
            answered = time.perf_counter()
            to_json(trace.answer)
            rows.append({**seconds, "render": time.perf_counter() - answered, "all": time.perf_counter() - began})
    for name in (*STAGES, "render"):
        yield Figure.of(f"question: {name}", "ms", [1e3 * row.get(name, 0.0) for row in rows])
    yield Figure.of("question: all", "ms", [1e3 * row["all"] for row in rows])
    readers = [sum(row.get(name, 0.0) for name in ("read", "read again")) / row["all"] for row in rows]
    yield Figure.of("question: the readers' part of it", "share", readers)


def measure_visitors(assistant: Assistant, questions: Sequence[str], article: str | None) -> Iterator[Figure]:
    """Answers a second, and the 95th percentile of their time, for several visitors at the same time."""
    for visitors in VISITORS:
        with ThreadPoolExecutor(visitors) as pool:
            began = time.perf_counter()
            seconds = list(pool.map(lambda question: _timed(assistant, question, article), list(questions) * 2))
            rate = len(seconds) / (time.perf_counter() - began)
        yield Figure.of(f"{visitors} visitors: answers", "1/s", [rate])
        yield Figure.of(f"{visitors} visitors: p95", "ms", [float(np.percentile(seconds, 95)) * 1e3])


def _timed(assistant: Assistant, question: str, article: str | None) -> float:
    began = time.perf_counter()
    assistant.trace(question, article=article)
    return time.perf_counter() - began


def measure_ingest(article: Article, settings: Settings, rounds: int = 6) -> Iterator[Figure]:
    """Chunks a second into a new library, and of the encoder alone on the same text, in turn."""
    added, alone = list[float](), list[float]()
    with tempfile.TemporaryDirectory() as folder, WorkerEncoder(settings.encoder) as encoder:
        encoder.encode(["The process starts."])
        with closing(Library(Path(folder))) as library:
            for number in range(rounds):
                another = make_article(f"{article.text}\n\nCopy {number}.", title=article.title)
                chunks = chunk_article(another)
                began = time.perf_counter()
                encoder.encode([embedded_text(another, chunk) for chunk in chunks])
                alone.append(len(chunks) / (time.perf_counter() - began))
                began = time.perf_counter()
                add_article(library, another, encoder, lambda *_: None)
                added.append(len(chunks) / (time.perf_counter() - began))
    yield Figure.of("ingest: encoder alone", "chunks/s", alone)
    yield Figure.of("ingest: all of it", "chunks/s", added, max(alone))
    shares = [one / other for one, other in zip(added, alone, strict=True)]
    yield Figure.of("ingest: of the encoder's own rate", "share", shares, 1.0)
