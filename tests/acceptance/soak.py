"""The server under steady use for half an hour: `python -m tests.acceptance.soak` (SECONDS to set how long).

Questions, follow-ups, pages, bad requests, and an article that comes and goes. After the warm-up
memory may not grow by 1 MB a minute, nor open files at all. The control is a process that leaks both.
"""

import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

import numpy as np

from pullquote.library import Library
from pullquote.sources import read_file
from pullquote.tokens import Tokens
from pullquote.vector_index import VectorIndex
from tests.acceptance import SIZE
from tests.building import put_embedded
from tests.conftest import ARTICLE_FILE
from tests.serving import serving

SECONDS = float(os.environ.get("SECONDS", {"full": "1800", "ci": "300"}[SIZE]))
PATIENCE = 300.0  # seconds for an answer
SAMPLE = 2.0  # seconds between samples
PAUSE = 0.4  # seconds between the requests of a visitor, of whom there are two
CHANGE = 60.0  # seconds between changes of the library
WARM_UP = 1 / 3  # of the time: the second reader is loaded, and every thread has its buffers
MAX_SLOPE = 1.0  # MB a minute
MAX_FILES = 2  # more open files, at the median of the last third, than of the first
LEAK = """
import time
kept, files = [], []
while True:
    kept.append(bytearray(b"x" * 100_000)); files.append(open("/dev/null")); time.sleep(0.2)
"""
QUESTIONS: list[dict[str, object]] = [
    {"question": "Who was the first to report the intelligence discovery?"},
    {"question": "Which drones did Russia pick up?"},
    {"question": "Whom did North Korea blame for the Ukraine issue?"},
    {"question": "When was that?", "history": ["Were Iranian drones sent to the Russian military?"]},
    {"question": "What is this about?"},
    {"question": "What is the capital of France?"},
    {"question": "Why does Russia buy from North Korea?"},
    {"question": ""},
]
PATHS = ("/", "/read", "/articles", "/healthz", "/readyz", "/pullquote/page.js", "/articles/nothing", "/nope")


@dataclass(frozen=True)
class Sample:
    """Seconds since the start, megabytes resident, open files."""

    at: float
    memory: float
    files: int


def watch(pid: int, until: Callable[[], bool]) -> list[Sample]:
    """Samples of a process until it is time."""
    began, samples = time.monotonic(), []
    while not until():
        resident = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
        samples.append(Sample(time.monotonic() - began, resident, len(list(Path(f"/proc/{pid}/fd").iterdir()))))
        time.sleep(SAMPLE)
    return samples


def judge(samples: list[Sample]) -> tuple[float, int]:
    """The slope of memory, in MB a minute by least squares, and how many files more are open at the end."""
    kept = [sample for sample in samples if sample.at >= samples[-1].at * WARM_UP]
    slope = np.polyfit([sample.at / 60 for sample in kept], [sample.memory for sample in kept], 1)[0]
    files, third = [sample.files for sample in kept], len(kept) // 3
    return float(slope), int(np.median(files[-third:]) - np.median(files[:third]))


def request(url: str, body: dict[str, object] | None = None, token: str = "", method: str | None = None) -> int:
    headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
    data = None if body is None else json.dumps(body).encode()
    asked = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.urlopen(asked, timeout=PATIENCE) as response:
            response.read()
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def visit(url: str, stop: Event, codes: "Counter[int]") -> None:
    for question, path in zip(itertools.cycle(QUESTIONS), itertools.cycle(PATHS * 3 + PATHS[:1]), strict=False):
        for code in (request(f"{url}/api/ask", question), request(url + path)):
            codes[code] += 1
            if stop.wait(PAUSE):
                return


def edit(url: str, token: str, library: Library, stop: Event, codes: "Counter[int]") -> None:
    for number in itertools.count():
        text = f"Ferry number {number} left the island of Hvar at noon. It came back at night."
        codes[request(f"{url}/api/articles", {"text": text, "title": f"Ferry {number}"}, token)] += 1
        if stop.wait(CHANGE / 2):
            return
        for key in [article.id for article, _ in library.articles() if article.title == f"Ferry {number}"]:
            codes[request(f"{url}/api/articles/{key}", None, token, "DELETE")] += 1
        if stop.wait(CHANGE / 2):
            return


def control() -> tuple[float, int]:
    with subprocess.Popen([sys.executable, "-c", LEAK]) as leaking:
        until = time.monotonic() + 30
        found = judge(watch(leaking.pid, lambda: time.monotonic() > until))
        leaking.kill()
    return found


def main() -> int:
    codes: Counter[int] = Counter()
    with tempfile.TemporaryDirectory() as folder, closing(Library(Path(folder))) as library:
        article = read_file(ARTICLE_FILE)
        put_embedded(library, article)
        library.mark_starter(article.sha256)
        VectorIndex.build(library)
        with closing(Tokens(library)) as tokens:
            token = tokens.new("soak")
        with serving(Path(folder), log="json") as server:
            stop = Event()
            users = [Thread(target=visit, args=(server.url, stop, codes)) for _ in range(2)]
            users.append(Thread(target=edit, args=(server.url, token, library, stop, codes)))
            for user in users:
                user.start()
            until = time.monotonic() + SECONDS
            samples = watch(server.pid, lambda: time.monotonic() > until)
            stop.set()
            for user in users:
                user.join()
    slope, files = judge(samples)
    leak, opened = control()
    broken = {code: count for code, count in codes.items() if code not in (200, 202, 404, 422)}
    sys.stdout.write(
        f"{SECONDS:.0f} s, {codes.total()} requests {dict(codes)}; memory {samples[0].memory:.0f} → "
        f"{samples[-1].memory:.0f} MB, {slope:+.2f} MB/min after warm-up; open files {samples[0].files} → "
        f"{samples[-1].files}, {files:+d}; control {leak:+.1f} MB/min, {opened:+d} files\n"
    )
    good = slope < MAX_SLOPE and files <= MAX_FILES and not broken and codes[200]
    return 0 if good and leak > MAX_SLOPE and opened > MAX_FILES else 1


if __name__ == "__main__":
    sys.exit(main())
