"""A loss of power after each step of publishing an index: `python -m tests.acceptance.powerloss`.

The steps are recorded, and replayed on a model of a disk: bytes are there for sure when their file was synced, names
when their folder was; what was not may be there, be lost, be cut or be zeroes, in any order. After each prefix the
folder has to hold the old or the new index. The control leaves out one sync after the other: each must be missed.
"""

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pullquote import generations
from pullquote.datatypes import Article, Chunk
from pullquote.durable import Disk
from pullquote.library import Library
from pullquote.vector_index import VectorIndex

Step = tuple[str, Path, Path | bytes | None]


class Recorder(Disk):
    """A disk that notes its steps."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def make(self, folder: Path) -> None:
        super().make(folder)
        self.steps.append(("make", folder, None))

    def write(self, path: Path, data: bytes | memoryview) -> None:
        super().write(path, data)
        self.steps.append(("write", path, bytes(data)))

    def sync(self, path: Path) -> None:
        super().sync(path)
        self.steps.append(("sync", path, None))

    def rename(self, old: Path, new: Path) -> None:
        super().rename(old, new)
        self.steps.append(("rename", old, new))

    def remove(self, path: Path) -> None:
        if path.exists():
            self.steps.append(("remove", path, None))
        super().remove(path)


@dataclass(eq=False)
class Node:
    """A file, or a folder: what is there for sure, what a program sees, and the changes of names between the two."""

    data: bytes | None = None
    is_synced: bool = False
    sure: dict[str, "Node"] = field(default_factory=dict)
    seen: dict[str, "Node"] = field(default_factory=dict)
    pending: list[tuple[str, str, "Node"]] = field(default_factory=list)  # name lost, name gained, of what


def node_of(path: Path) -> Node:
    """What is on the real disk, all of it synced."""
    if path.is_file():
        return Node(path.read_bytes(), True)
    children = {child.name: node_of(child) for child in path.iterdir()}
    return Node(None, True, dict(children), dict(children))


def replay(root: Node, folder: Path, steps: list[Step]) -> None:
    """Take the steps on the model."""

    def find(path: Path) -> Node:
        node = root
        for part in path.relative_to(folder).parts:
            node = node.seen[part]
        return node

    for what, path, more in steps:
        if what == "sync":
            node = find(path)
            node.is_synced = True
            node.sure, node.pending = dict(node.seen), []
            continue
        parent = find(path.parent)
        node = parent.seen.pop(path.name) if what in ("rename", "remove") else Node(more if what == "write" else None)  # type: ignore[arg-type]
        gained = more.name if isinstance(more, Path) else "" if what == "remove" else path.name
        parent.pending.append((path.name if what in ("rename", "remove") else "", gained, node))
        if gained:
            parent.seen[gained] = node


def unsure(node: Node) -> Iterator[tuple[Node, int]]:
    for place in range(len(node.pending)):
        yield node, place
    for child in {id(child): child for child in [*node.sure.values(), *node.seen.values()]}.values():
        yield from unsure(child)


def outcomes(root: Node) -> Iterator[tuple[set[tuple[int, int]], str]]:
    """Which changes of names happened, and what became of the bytes of files that were not synced."""
    places = [(id(node), place) for node, place in unsure(root)]
    chosen = [set[tuple[int, int]](), set(places)]
    chosen += [{place} for place in places] + [set(places) - {place} for place in places]
    for names in chosen:
        for bytes_are in ("whole", "empty", "cut", "zero"):
            yield names, bytes_are


def put(node: Node, path: Path, names: set[tuple[int, int]], bytes_are: str) -> None:
    """Write what is left after the loss."""
    if node.data is not None:
        data = node.data
        if not node.is_synced:
            data = {"whole": data, "empty": b"", "cut": data[: len(data) // 2], "zero": bytes(len(data))}[bytes_are]
        path.write_bytes(data)
        return
    path.mkdir(exist_ok=True)
    children = dict(node.sure)
    for place, (lost, gained, child) in enumerate(node.pending):
        if (id(node), place) in names:
            children.pop(lost, None)
            if gained:
                children[gained] = child
    for name, child in children.items():
        put(child, path / name, names, bytes_are)


def failures(before: Path, folder: Path, steps: list[Step], states: set[str]) -> tuple[int, int]:
    """How many outcomes over all prefixes hold neither state, and how many there are."""
    bad = count = 0
    for length in range(len(steps) + 1):
        root = node_of(before)
        replay(root, folder, steps[:length])
        for names, bytes_are in outcomes(root):
            with tempfile.TemporaryDirectory() as left:
                put(root, Path(left), names, bytes_are)
                found = generations.load(Path(left))
            count += 1
            bad += isinstance(found, str) or found[0].state not in states
    return bad, count


def record(base: Path) -> tuple[Path, Path, list[Step], set[str]]:
    """The index's folder before a change, where it was, the steps of publishing the change, both states."""
    folder, before = base / "store", base / "before"
    library = Library(folder)
    states, recorder = set(), Recorder()
    for number in range(2):
        article = Article(f"a{number}", "T", f"text {number}", "pasted", "2026-01-01")
        vectors = np.eye(4, dtype=np.float32)[number : number + 1]
        library.add(article, [Chunk(article.id, 0, 6, 0)], vectors, "e")
        if number:
            before.mkdir()
            for path in folder.iterdir():
                if path.name == generations.CURRENT:
                    (before / path.name).write_bytes(path.read_bytes())
                elif path.is_dir():
                    (before / path.name).mkdir()
                    for file in path.iterdir():
                        (before / path.name / file.name).write_bytes(file.read_bytes())
        VectorIndex.build(library, recorder if number else Disk())
        states.add(library.state)
    library.close()
    return before, folder, recorder.steps, states


def main() -> int:
    with tempfile.TemporaryDirectory() as base:
        before, folder, steps, states = record(Path(base))
        bad, count = failures(before, folder, steps, states)
        syncs = [place for place, step in enumerate(steps) if step[0] == "sync"]
        unnoticed = [
            f"sync {steps[place][1].name}"
            for place in syncs
            if not failures(before, folder, steps[:place] + steps[place + 1 :], states)[0]
        ]
    sys.stdout.write(
        f"steps {len(steps)}, outcomes {count}, neither old nor new {bad}; syncs {len(syncs)}, "
        f"left out without notice {len(unnoticed)} {' '.join(unnoticed)}\n"
    )
    return 0 if not bad and not unnoticed and len(syncs) >= 6 else 1


if __name__ == "__main__":
    sys.exit(main())
