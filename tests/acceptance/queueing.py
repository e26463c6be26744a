"""The arithmetic of docs/scale.md against a simulated queue: `python -m tests.acceptance.queueing`.

Questions come at random (Poisson); each server (a process on two cores) answers one at a time, in the order they came,
for as long as a lognormal with the measured median and 95th percentile says (MEDIAN and P95, in seconds, set others).
The control is a queue that a formula is known for: exponential times, whose mean wait Erlang's C gives.
"""

import heapq
import math
import os
import sys

import numpy as np
from numpy.typing import NDArray

MEDIAN = float(os.environ.get("MEDIAN", "0.105"))  # seconds, BENCHMARKS.md, two cores with AVX2, default reader
P95 = float(os.environ.get("P95", "0.239"))
RATES = (1, 10, 1000)  # questions a second
BUSY = 0.7  # of the time, that a server is planned to be
COUNT = 200_000  # questions simulated


def service(chance: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Seconds of answers."""
    return chance.lognormal(math.log(MEDIAN), spread(), count)


def spread() -> float:
    return math.log(P95 / MEDIAN) / 1.6449  # the normal distribution's 95th percentile


def mean() -> float:
    return MEDIAN * math.exp(spread() ** 2 / 2)


def servers_for(rate: float) -> int:
    """The rule of the document."""
    return math.ceil(rate * mean() / BUSY)


def waits(rate: float, servers: int, seconds: NDArray[np.float64], chance: np.random.Generator) -> NDArray[np.float64]:
    """How long each question waits for a server."""
    free = [0.0] * servers
    arrivals = np.cumsum(chance.exponential(1 / rate, len(seconds)))
    waited = np.empty(len(seconds))
    for place, (arrival, taken) in enumerate(zip(arrivals.tolist(), seconds.tolist(), strict=True)):
        start = max(arrival, free[0])
        waited[place] = start - arrival
        heapq.heapreplace(free, start + taken)
    return waited


def erlang_c(rate: float, servers: int, taken: float) -> float:
    """The mean wait with exponential times (Erlang 1917)."""
    load = rate * taken
    blocked = 1.0
    for number in range(1, servers + 1):
        blocked = load * blocked / (number + load * blocked)
    waiting = blocked / (1 - load / servers * (1 - blocked))
    return waiting * taken / (servers - load)


def main() -> int:
    chance = np.random.default_rng(1)
    rows, good = list[str](), True
    for rate in RATES:
        servers = servers_for(rate)
        seconds = service(chance, COUNT)
        p95 = float(np.percentile(waits(rate, servers, seconds, chance) + seconds, 95))
        ratio = p95 / P95
        good &= ratio <= 2
        rows.append(f"{rate:,}/s: {servers} servers, p95 {p95:.2f} s = {ratio:.2f} x of one question alone")
        fewer = max(1, math.floor(rate * mean()))
        if fewer < servers and rate * mean() > fewer:
            late = float(np.percentile(waits(rate, fewer, seconds, chance), 95))
            good &= late > p95
            rows.append(f"    with {fewer}, fewer than the work needs: p95 of the wait {late:.0f} s, and growing")
    simulated = float(waits(10, 2, chance.exponential(mean(), 4 * COUNT), chance).mean())
    formula = erlang_c(10, 2, mean())
    good &= abs(simulated / formula - 1) < 0.1
    rows.append(f"control: mean wait {simulated:.4f} s simulated, {formula:.4f} s by Erlang's C")
    core_hours = 2 * mean() * 1e6 / 3600
    rows.append(f"a million questions: {core_hours:.0f} core hours of work, {core_hours / BUSY:.0f} as planned")
    sys.stdout.write("\n".join(rows) + "\n")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
