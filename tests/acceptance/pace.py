"""Seconds a question, against the path of one reader that Pullquote began with: `python -m tests.acceptance.pace`.

The code of that commit comes out of git and runs in a process of its own, as today's does once with each reader. The
questions of articles-dev, 90 of them or all 675 with SIZE=full, are asked of one process after the other, each time of
another first; what counts of a question is the least of its rounds. Run it with nothing else at work.
"""

import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import groupby
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Self

from tests.acceptance import SIZE
from tests.conftest import PROJECT, SHARED

FILE = SHARED / "eval" / "articles-dev.json"
FIRST = "6f4b5b6300007e5f2145381ac391bc5155030149"  # the last commit with that path
COUNT = 675 if SIZE == "full" else 90
ROUNDS = 2
PAUSE = 0.1  # seconds; the first path's threads wait for more work after an answer, and would take the cores
AT_MOST = {"fast": 1.2, "best": 3.0}

# Runs with either version's code. As the file means its questions, a library is of one article.
SERVE = """
import json, sys, tempfile, time
from pathlib import Path
from pullquote.answering import Assistant
from pullquote.articles import make_article
from pullquote.embedding import WorkerEncoder
from pullquote.ingesting import add_article
from pullquote.library import Library
from pullquote.settings import Settings
from pullquote.vector_index import VectorIndex

settings = Settings()
with tempfile.TemporaryDirectory() as folder, WorkerEncoder(settings.encoder) as encoder:
    for line in sys.stdin:
        asked = json.loads(line)
        if "text" in asked:
            library = Library(Path(folder, asked["id"]))
            add_article(library, make_article(asked["text"], title=asked["title"]), encoder, lambda *_: None)
            VectorIndex.build(library)
            assistant = Assistant.open(library, settings)
            seconds = 0.0
        else:
            began = time.perf_counter()
            assistant.ask(asked["question"])
            seconds = time.perf_counter() - began
        print(seconds, flush=True)
"""


class Served:
    """A version of Pullquote in a process of its own."""

    def __init__(self, source: Path, reader: str) -> None:
        chosen = {"PYTHONPATH": str(source), "PULLQUOTE_READER": reader, "PULLQUOTE_CACHED": "0", "HF_HUB_OFFLINE": "1"}
        command, pipe = [sys.executable, "-c", SERVE], subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env={**os.environ, **chosen})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=60)

    def send(self, row: dict[str, Any]) -> float:
        """The seconds that it took to answer the question; an article's are none."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(row) + "\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())


@contextmanager
def versions() -> Iterator[dict[str, Served]]:
    """The first path, and today's with either reader."""
    packed = subprocess.run(["git", "archive", FIRST, "src"], cwd=PROJECT, check=True, capture_output=True).stdout
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
            tar.extractall(folder, filter="data")
        first, now = Path(folder, "src"), PROJECT / "src"
        ways = {"first": (first, ""), "fast": (now, "fast"), "best": (now, "best")}
        yield {name: stack.enter_context(Served(*way)) for name, way in ways.items()}


def rounds(served: dict[str, Served], questions: list[dict[str, Any]]) -> list[dict[str, float]]:
    """Ask one article's questions `ROUNDS` times; the least seconds of each, by version."""
    taken = [{name: float("inf") for name in served} for _ in questions]
    for turn in range(ROUNDS):
        for number, row in enumerate(questions):
            names = [*served]
            first = (turn + number) % len(names)
            for name in names[first:] + names[:first]:
                time.sleep(PAUSE)
                taken[number][name] = min(taken[number][name], served[name].send(row))
    return taken


def report(taken: list[dict[str, float]]) -> bool:
    """Tell the numbers; whether all of them are small enough."""
    of_version = {name: numbers([one[name] for one in taken]) for name in ("first", *AT_MOST)}
    is_good = True
    for name, found in of_version.items():
        ratios = [now / then for now, then in zip(found, of_version["first"], strict=True)]
        told = [f"{value:.3f} s ({ratio:.2f} x)" for value, ratio in zip(found, ratios, strict=True)]
        sys.stdout.write(f"{name}: median {told[0]}, p95 {told[1]}, {len(taken)} questions\n")
        is_good &= max(ratios) <= AT_MOST.get(name, 1.0)
    sys.stdout.write(f"at most: {', '.join(f'{name} {ratio} x' for name, ratio in AT_MOST.items())}\n")
    return is_good


def numbers(seconds: list[float]) -> tuple[float, float]:
    """Median and 95th percentile."""
    return median(seconds), quantiles(seconds, n=20, method="inclusive")[-1]


def main() -> int:
    if not FILE.exists():
        sys.stdout.write("shared/eval/articles-dev.json is not here; nothing was asked\n")
        return 0
    data = json.loads(FILE.read_text("utf-8"))
    articles = {row["id"]: row for row in data["articles"]}
    questions = data["questions"][:: max(1, len(data["questions"]) // COUNT)]
    taken: list[dict[str, float]] = []
    with versions() as served:
        for article, of_it in groupby(sorted(questions, key=lambda row: row["article"]), lambda row: row["article"]):
            for one in served.values():
                one.send(articles[article])
            taken += rounds(served, list(of_it))
    return int(not report(taken))


if __name__ == "__main__":
    sys.exit(main())
