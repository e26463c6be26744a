"""Two hundred who ask at the same moment: `python -m tests.acceptance.burst`.

Each gets an answer, or is told when to come again; memory stays, and ten seconds later one visitor is answered as fast
as before. The control is a server with no bound on its line, which turns nobody away.
"""

import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from tests.acceptance import SIZE
from tests.acceptance.visitors import PROXIED, Visitor, is_answered, make_library, memory, strangers, timed
from tests.serving import Server, serving

BURSTS = {"full": 5, "ci": 1}[SIZE]
VISITORS = 200
GROWTH = 150.0  # megabytes
RECOVERY = 10.0  # seconds
USUAL = 2.0  # times as long as before, and still as usual


def burst(server: Server) -> tuple[Counter[int], int, int]:
    """The statuses, how many answers were wrong, and how many refusals did not say when to come again."""
    start = threading.Barrier(VISITORS)

    def one(number: int) -> tuple[int, bool, bool]:
        visitor = Visitor(server.url, number)
        start.wait()
        try:
            response = visitor.http.post("/api/ask", json=visitor.question())
        except httpx.HTTPError:
            return 0, False, False
        said = response.text
        is_wrong = response.status_code == 200 and (not is_answered(number, said) or strangers(number, said) > 0)
        return response.status_code, is_wrong, response.status_code == 429 and "retry-after" not in response.headers

    with ThreadPoolExecutor(VISITORS) as pool:
        results = list(pool.map(one, range(VISITORS)))
    return Counter(status for status, _, _ in results), sum(row[1] for row in results), sum(row[2] for row in results)


def usual(server: Server) -> float:
    """Seconds that an answer takes; the middle of nine."""
    visitor = Visitor(server.url, 201)
    return sorted(timed(lambda: visitor.http.get("/healthz") and visitor.ask())[0] for _ in range(9))[4]


def recovery(server: Server, before: float) -> float:
    """Seconds until three answers in a row take no longer than usual."""
    visitor, began, well = Visitor(server.url, 202), time.monotonic(), 0
    while well < 3 and time.monotonic() - began < 1.5 * RECOVERY:
        time.sleep(0.5)  # or else the visitor asks more often than one may
        seconds, (status, _) = timed(visitor.ask)
        well = well + 1 if status == 200 and seconds <= max(USUAL * before, 0.2) else 0
    return time.monotonic() - began


def main() -> int:
    statuses, wrong, mute, slowest, growth = Counter[int](), 0, 0, 0.0, 0.0
    with tempfile.TemporaryDirectory() as folder:
        make_library(Path(folder), VISITORS + 3)
        with serving(Path(folder), **PROXIED) as server:
            usual(server)
            before, held = usual(server), memory(server.pid)
            for _ in range(BURSTS):
                found, bad, silent = burst(server)
                statuses, wrong, mute = statuses + found, wrong + bad, mute + silent
                growth = max(growth, memory(server.pid) - held)
                slowest = max(slowest, recovery(server, before))
        with serving(Path(folder), **PROXIED | {"line": "1000", "rate_all": "0"}) as server:
            unbounded, *_ = burst(server)
    sys.stdout.write(
        f"{BURSTS} bursts of {VISITORS}: {dict(statuses)}, wrong answers {wrong}, refusals without Retry-After {mute}; "
        f"memory +{growth:.0f} MB; as usual ({before:.2f} s) again after {slowest:.1f} s; control without a bound: "
        f"{dict(unbounded)}\n"
    )
    is_bounded = set(statuses) <= {200, 429} and statuses[200] and statuses[429]
    is_well = not wrong and not mute and growth < GROWTH and slowest <= RECOVERY
    return 0 if is_bounded and is_well and unbounded == {200: VISITORS} else 1


if __name__ == "__main__":
    sys.exit(main())
