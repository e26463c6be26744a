"""Figures with their limits, compared over commits; and the app started as a user starts it: page, answer, memory."""

import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any, Self

from pullquote.errors import PullquoteError
from pullquote.settings import Settings

PATIENCE = 60.0  # seconds for a start
SHOWN = 8  # packages that an import is split into; the others are summed
MACHINE = "limit: "  # begins the name of what only the machine decides

_IMPORT = re.compile(r"import time:\s+(\d+) \|\s+\d+ \| +([\w.]+)")


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured, over several runs; `limit` is what this machine allows, measured in the same run."""

    name: str
    unit: str
    median: float
    best: float
    worst: float
    limit: float | None = None

    @classmethod
    def of(cls, name: str, unit: str, values: Sequence[float], limit: float | None = None) -> Self:
        """The figure of these runs."""
        ordered = sorted(values, reverse=is_rate(unit))
        return cls(name, unit, median(values), ordered[0], ordered[-1], limit)

    @property
    def share(self) -> float | None:
        """How much of the limit is reached, from 0 to 1 (more where int8 does what the limit does in fp32)."""
        if not self.limit or not self.median:
            return None
        return self.median / self.limit if is_rate(self.unit) else self.limit / self.median


def is_rate(unit: str) -> bool:
    """Whether more of this unit is better."""
    return unit.endswith("/s") or unit == "share"


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure measured twice. `factor` is how many times slower (or larger) the second is; 1 is the same.

    `is_clear`: even the best of the slower measurement is behind the median of the other.
    """

    name: str
    unit: str
    before: float
    after: float
    factor: float
    is_clear: bool


def compare(before: dict[str, Any], after: dict[str, Any]) -> list[Difference]:
    """The figures that two results share, in the order of the second."""
    known = {figure.name: figure for figure in figures_of(before)}
    return [_difference(known[figure.name], figure) for figure in figures_of(after) if figure.name in known]


def result(what: str, figures: Sequence[Figure], settings: Settings) -> dict[str, Any]:
    """What `--json` prints and `compare` reads."""
    return {
        "bench": what,
        "pullquote": version("pullquote"),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "reader": settings.reader,
        "threads": settings.threads,
        "figures": [asdict(figure) for figure in figures],
    }


def read_result(path: Path) -> dict[str, Any]:
    """A result that was saved. Raises `PullquoteError` when it is none."""
    try:
        data: dict[str, Any] = json.loads(path.read_bytes())
        figures_of(data)
    except OSError as error:
        raise PullquoteError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, TypeError, KeyError) as error:
        raise PullquoteError(f"{path} is no result of `pullquote bench --json`; write one with it") from error
    return data


def figures_of(data: dict[str, Any]) -> list[Figure]:
    """The figures of a result."""
    return [Figure(**figure) for figure in data["figures"]]


def measure_imports() -> list[Figure]:
    """Seconds that importing the server takes, by the package that takes them; of one process, slowed by counting."""
    command = [sys.executable, "-X", "importtime", "-c", "import pullquote.answering, pullquote.web.server"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE).stderr
    spent: Counter[str] = Counter()
    for microseconds, module in _IMPORT.findall(said):
        spent[module.partition(".")[0]] += int(microseconds)
    if "torch" in spent:
        raise PullquoteError("the server imports torch, which only the process that embeds may")
    largest = spent.most_common(SHOWN)
    rows = [("all", spent.total()), *largest, ("others", spent.total() - sum(count for _, count in largest))]
    return [Figure.of(f"import {name}", "s", [count / 1e6]) for name, count in rows]


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds from the start of the process, and megabytes of its resident memory after the answer."""

    page: float
    answer: float
    memory: float


def measure_start(settings: Settings, question: str) -> Start:
    """Start the app over the library as it is, load the page, ask once, stop. Raises when it does not start."""
    began = time.perf_counter()
    environment = os.environ | {"PULLQUOTE_STORE": str(settings.store.resolve()), "PULLQUOTE_PORT": "0"}
    command = [sys.executable, "-m", "pullquote.cli", "serve"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            address = _address(process)
            with urllib.request.urlopen(f"{address}/", timeout=PATIENCE) as page:
                page.read()
            shown = time.perf_counter() - began
            body = json.dumps({"question": question}).encode()
            request = urllib.request.Request(f"{address}/api/ask", body, {"content-type": "application/json"})
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                answer.read()
            return Start(shown, time.perf_counter() - began, resident(process.pid))
        finally:
            process.terminate()


def figures_of_starts(starts: Sequence[Start]) -> list[Figure]:
    """What a user waits for, and the memory that it takes."""
    return [
        Figure.of("start to page", "s", [start.page for start in starts]),
        Figure.of("start to first answer", "s", [start.answer for start in starts]),
        Figure.of("memory of the server", "MB", [start.memory for start in starts]),
    ]


def resident(pid: int) -> float:
    """Megabytes (10⁶ bytes) of memory that the process holds; 0 where the system does not say (no /proc)."""
    status = Path(f"/proc/{pid}/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return sum(int(line.split()[1]) * 1.024e-3 for line in lines if line.startswith("VmRSS:"))


def _address(process: "subprocess.Popen[str]") -> str:
    assert process.stdout
    for line in process.stdout:
        for word in line.split():
            if word.startswith("http://"):
                return word
    raise PullquoteError("the app did not start; try `pullquote serve` to see why")


def _difference(before: Figure, after: Figure) -> Difference:
    grown = after.median / before.median if before.median else 1.0
    factor = 1 / grown if is_rate(after.unit) and grown else grown
    slower, other = (after, before) if factor > 1 else (before, after)
    is_clear = slower.best < other.median if is_rate(after.unit) else slower.best > other.median
    return Difference(after.name, after.unit, before.median, after.median, factor, is_clear)
