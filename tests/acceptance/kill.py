"""kill -9 of a process that changes a library, at each step and at any time: `python -m tests.acceptance.kill`.

The victim adds, removes, replaces and rebuilds, and says what was acknowledged. It is killed at a step that was chosen
beforehand, or after a random time. Then a fresh process' eyes: SQLite's own check, every article against what was
acknowledged, the index against brute force, and the raw bytes of all files for words that were deleted. The control
writes the index in place, and must be caught torn.
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pullquote import generations
from pullquote.datatypes import Article, Chunk
from pullquote.durable import Disk
from pullquote.errors import PullquoteError
from pullquote.keeping import check
from pullquote.library import Library
from pullquote.vector_index import VectorIndex
from tests.acceptance import SIZE

KILLS = {"full": 300, "ci": 40}[SIZE]
CONTROLS = {"full": 40, "ci": 12}[SIZE]
STEPS = (
    "add begin",
    "add commit",
    "remove begin",
    "remove commit",
    "replace begin",
    "replace commit",
    "make gen",
    "write index.faiss",
    "sync index.faiss",
    "write MANIFEST.json",
    "sync gen",
    "rename gen",
    "sync folder",
    "write CURRENT.tmp",
    "sync CURRENT.tmp",
    "rename CURRENT.tmp",
    "remove gen",
)
DIMENSION, CHUNKS = 64, 30


class Traced(Disk):
    """Dies at a step. A write dies half done."""

    def __init__(self, deadly: str) -> None:
        self.deadly = deadly

    def at(self, step: str, path: Path) -> None:
        name = "gen" if path.name.startswith("gen-") else "folder" if path.is_dir() else path.name
        if f"{step} {name}" == self.deadly:
            os.kill(os.getpid(), signal.SIGKILL)

    def make(self, folder: Path) -> None:
        super().make(folder)
        self.at("make", folder)

    def write(self, path: Path, data: bytes | memoryview) -> None:
        if f"write {path.name}" == self.deadly:
            path.write_bytes(data[: len(data) // 2])
        else:
            super().write(path, data)
        self.at("write", path)

    def sync(self, path: Path) -> None:
        super().sync(path)
        self.at("sync", path)

    def rename(self, old: Path, new: Path) -> None:
        super().rename(old, new)
        self.at("rename", new if new.name.startswith("gen-") else old)

    def remove(self, path: Path) -> None:
        is_there = path.exists()
        super().remove(path)
        if is_there:
            self.at("remove", path)


def article_of(name: str, canary: str) -> tuple[Article, list[Chunk], NDArray[np.float32]]:
    """An article that says the canary often, its chunks, and vectors that belong to it."""
    text = " ".join(f"{canary} tells of {number}." for number in range(CHUNKS * 4))
    step = len(text) // CHUNKS
    chunks = [Chunk(name, number * step, (number + 1) * step, number) for number in range(CHUNKS)]
    vectors = np.random.default_rng(abs(hash(canary)) % 2**32).normal(size=(CHUNKS, DIMENSION))
    unit = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return Article(name, name, text, "pasted", "2026-01-01"), chunks, unit


def victim(folder: str, deadly: str, seed: str) -> None:
    """Change the library for ever; each line printed is a change that begins, or one that is acknowledged."""
    library, random_ = Library(Path(folder)), random.Random(int(seed))
    here = [article.id for article, _ in library.articles()]
    disk = Traced("")
    for turn in range(10_000):
        if turn > 3:
            disk.deadly = deadly
        what = random_.choice(("add", "remove", "replace") if len(here) > 2 else ("add",))
        name = f"n{seed}x{turn}" if what == "add" else random_.choice(here)
        canary = f"zq{seed}q{turn}z"
        sys.stdout.write(json.dumps(["begin", what, name, canary]) + "\n")
        sys.stdout.flush()
        if disk.deadly == f"{what} begin":
            library._database.transaction = die_inside(library._database.transaction)  # type: ignore[method-assign]
        if what == "remove":
            library.remove(name)
            here.remove(name)
        else:
            library.add(*article_of(name, canary), "e")
            here += [name] if what == "add" else []
        if disk.deadly == f"{what} commit":
            os.kill(os.getpid(), signal.SIGKILL)
        sys.stdout.write(json.dumps(["done", what, name, canary]) + "\n")
        sys.stdout.flush()
        VectorIndex.build(library, disk)


def die_inside(transaction: Any) -> Any:
    """A transaction that ends in a kill before it commits."""

    @contextmanager
    def deadly() -> Iterator[Any]:
        with transaction() as db:
            yield db
            os.kill(os.getpid(), signal.SIGKILL)

    return deadly


def in_place(folder: str) -> None:
    """The control: what writes the index over itself."""
    library = Library(Path(folder))
    path = Path(folder) / (Path(folder) / generations.CURRENT).read_text().split()[0] / generations.INDEX_FILE
    data = path.read_bytes()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while library:
        with path.open("wb") as file:
            for start in range(0, len(data), 4096):
                file.write(data[start : start + 4096])
                file.flush()


def run(mode: str, *arguments: str, seconds: float | None = None) -> list[str]:
    """The lines that a process printed before it was killed, by itself or after a time."""
    command = [sys.executable, "-c", f"from tests.acceptance import kill; kill.{mode}(*{arguments!r})"]
    environment = os.environ | {"PYTHONHASHSEED": "0"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout
    first = process.stdout.readline()
    if seconds is not None:
        time.sleep(seconds)
        process.kill()
    try:
        rest = process.communicate(timeout=60)[0]
    except subprocess.TimeoutExpired:
        process.kill()
        rest = process.communicate()[0]
    return [first, *rest.splitlines()]


class Ledger:
    """What was acknowledged, and what is found after each kill."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}  # id → canary
        self.gone: set[str] = set()  # canaries of acknowledged deletions
        self.found = Counter[str]()

    def settle(self, lines: list[str], library: Library) -> str:
        """Take over what a victim said, and judge what is there; gives the change that the kill fell into."""
        open_change: list[str] | None = None
        for line in lines:
            if not line.endswith("]") and not line.endswith("]\n"):
                continue
            state, what, name, canary = json.loads(line)
            open_change = [what, name, canary] if state == "begin" else None
            if state == "done":
                self._apply(what, name, canary)
        found = {article.id: article.text.split()[0] for article, _ in library.articles()}
        if open_change and found != self.texts:  # the one in flight may have happened, all of it
            self._apply(*open_change)
        self.found["lost"] += len([name for name, canary in self.texts.items() if found.get(name) != canary])
        self.found["phantom"] += len(found.keys() - self.texts.keys())
        held = b"".join(path.read_bytes() for path in library.folder.rglob("*") if path.is_file())
        self.found["back"] += sum(canary.encode() in held for canary in list(self.gone)[-200:])
        return open_change[0] if open_change else "rebuild"

    def _apply(self, what: str, name: str, canary: str) -> None:
        if what in ("remove", "replace"):
            self.gone.add(self.texts.pop(name))
        if what != "remove":
            self.texts[name] = canary


def is_torn(folder: Path) -> bool:
    found = generations.load(folder)
    return isinstance(found, str) and ("damaged" in found or "missing" in found)


def is_right(library: Library) -> bool:
    """Whether the index finds what brute force finds."""
    index = VectorIndex.open(library)
    _, keys, vectors = library.vectors()
    if not len(keys):
        return True
    for query in vectors[:: max(1, len(keys) // 5)]:
        best = keys[np.argsort(-(vectors @ query), kind="stable")[:5]].tolist()
        if [key for key, _ in index.search(query, 5)] != best:
            return False
    return True


def main() -> int:
    ledger, hits = Ledger(), Counter[str]()
    chance = random.Random(7)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(KILLS):
            step = STEPS[number % len(STEPS)] if number % 5 else ""
            seconds = None if step else chance.uniform(0.0, 0.6)
            lines = run("victim", name, step, str(number), seconds=seconds)
            ledger.found["torn"] += is_torn(folder)
            try:
                library = Library(folder)
                phase = ledger.settle(lines, library)
                problems = [problem for problem in check(library) if "index" not in problem]
                ledger.found["damaged"] += bool(problems)
                ledger.found["wrong"] += not is_right(library)
                library.close()
            except PullquoteError as error:
                ledger.found["unopened"] += 1
                phase = str(error)
            hits[step or f"any time: {phase}"] += 1
        torn = 0
        for _ in range(CONTROLS):
            run("in_place", name, seconds=chance.uniform(0.0, 0.1))
            torn += is_torn(folder)
            library = Library(folder)
            VectorIndex.build(library)
            library.close()
    for step, count in sorted(hits.items()):
        sys.stdout.write(f"{count:4} {step}\n")
    kinds = ("torn", "lost", "phantom", "back", "damaged", "wrong", "unopened")
    counts = ", ".join(f"{kind} {ledger.found[kind]}" for kind in kinds)
    sys.stdout.write(f"kills {KILLS} ({SIZE}): {counts}; deleted texts {len(ledger.gone)}; ")
    sys.stdout.write(f"control in place: torn {torn} of {CONTROLS}\n")
    enough = SIZE == "ci" or all(hits[step] >= 10 for step in STEPS)
    return 0 if not any(ledger.found[kind] for kind in kinds) and torn and enough else 1


if __name__ == "__main__":
    sys.exit(main())
