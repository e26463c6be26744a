"""Twenty visitors who ask, read and ask again: `python -m tests.acceptance.users` (SECONDS to set how long).

A quarter of them uses the page's own route, the others HTTP. Everybody's question and article hold a word that nobody
else's do. The control reads one visitor's answers as another's: each must be taken for a stranger's.
"""

import os
import random
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np

from tests.acceptance import SIZE
from tests.acceptance.visitors import PROXIED, Visitor, is_answered, make_library, strangers, timed
from tests.serving import serving

SECONDS = float(os.environ.get("SECONDS", {"full": "300", "ci": "30"}[SIZE]))
VISITORS, ON_PAGE = 20, 5
READING = (3.0, 7.0)  # seconds between an answer and the next question
MOST = 1.5  # seconds within which 95 of 100 answers come


def visit(url: str, number: int, until: float, start: threading.Barrier) -> list[tuple[float, int, str]]:
    visitor, chance, found = Visitor(url, number), random.Random(number), list[tuple[float, int, str]]()
    ask = visitor.ask_on_page if number < ON_PAGE else visitor.ask
    start.wait()
    while time.monotonic() < until:
        time.sleep(chance.uniform(*READING))
        try:
            seconds, (status, said) = timed(ask)
        except httpx.HTTPError as error:
            seconds, status, said = 0.0, 0, repr(error)
        found.append((seconds, status, said))
    return found


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        make_library(Path(folder), VISITORS)
        with serving(Path(folder), **PROXIED) as server, ThreadPoolExecutor(VISITORS) as pool:
            for _ in range(10):
                Visitor(server.url, 0).ask()
            start, until = threading.Barrier(VISITORS), time.monotonic() + SECONDS
            visits = [pool.submit(visit, server.url, number, until, start) for number in range(VISITORS)]
            found = {number: visits[number].result() for number in range(VISITORS)}
    rows = [(number, *row) for number, rows in found.items() for row in rows]
    errors = [
        f"{status} {said[:200]}" for number, _, status, said in rows if status != 200 or not is_answered(number, said)
    ]
    foreign = sum(strangers(number, said) for number, _, _, said in rows)
    caught = sum(strangers((number + 1) % VISITORS, said) > 0 for number, _, status, said in rows if status == 200)
    p50, p95, p99 = np.percentile([seconds for _, seconds, _, _ in rows], [50, 95, 99])
    sys.stdout.write(
        f"{VISITORS} visitors for {SECONDS:.0f} s: {len(rows)} questions; errors {len(errors)} {errors[:3]}; words of "
        f"others {foreign}; p50 {p50:.2f} s, p95 {p95:.2f} s, p99 {p99:.2f} s; control: {caught} of {len(rows)} taken "
        "for another's\n"
    )
    return 0 if rows and not errors and not foreign and p95 <= MOST and caught == len(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
