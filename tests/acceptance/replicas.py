"""Three apps over one library on Milvus, one killed with -9 every ten seconds: `python -m tests.acceptance.replicas`.

nginx, with the very file of deploy/, is before them. For a minute (20 s with SIZE=ci) questions are asked over HTTP, by
any of the three, and over the page's Gradio route, which nginx sends by the visitor's address. Then each is told to
stop (SIGTERM) and started again, one after the other, while questions go on. What fails is asked once more; what fails
then has failed. The control is the number of first tries that failed.
"""

import json
import signal
import sys
import tempfile
import threading
import time
import urllib.request
import uuid
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPException
from pathlib import Path

from pullquote.articles import make_article
from pullquote.opening import open_at
from tests.acceptance import SIZE
from tests.building import put_embedded
from tests.replicas import Replica, replicas
from tests.shelves import serving_milvus

SECONDS = 60 if SIZE == "full" else 20
EVERY = 10  # seconds
TEXT = "The lamp was lit in 1874 by Ada Holm. It burned oil. It stands two miles from the harbour."
QUESTION, ANSWER = "When was the lamp lit?", "1874"


def tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def fetch(url: str, body: object = None) -> str:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as response:
        return str(response.read().decode())


def over_rest(address: str) -> bool:
    found = json.loads(fetch(f"{address}/api/v1/ask", {"question": QUESTION}))
    return bool(found["text"] == ANSWER)


def over_the_page(address: str) -> bool:
    """As the browser does it: a place in the queue, and the events of it, of the same process."""
    dependencies = json.loads(fetch(f"{address}/config"))["dependencies"]
    number = next(one["id"] for one in dependencies if any(target[1] == "submit" for target in one["targets"]))
    session = uuid.uuid4().hex
    asked = {"data": [QUESTION, [], ""], "fn_index": number, "session_hash": session}
    fetch(f"{address}/gradio_api/queue/join", asked)
    return ANSWER in fetch(f"{address}/gradio_api/queue/data?session_hash={session}")


def ask(way: Callable[[str], bool], address: str, counts: "Counter[str]", stop: threading.Event) -> None:
    name = way.__name__
    while not stop.is_set():
        for attempt in ("first", "second"):
            try:
                is_right = way(address)
            except (OSError, HTTPException, ValueError, KeyError):
                is_right = False
            counts[f"{name}: {'right' if is_right else 'failed'} at the {attempt} try"] += 1
            if is_right:
                break
        counts[f"{name}: {'answered' if is_right else 'FAILED'}"] += 1


def kill(apps: list[Replica]) -> int:
    """Kill one after the other, and start each again."""
    until, killed = time.monotonic() + SECONDS, 0
    while time.monotonic() < until:
        time.sleep(min(EVERY, max(0.0, until - time.monotonic())))
        app = apps[killed % len(apps)]
        app.end(signal.SIGKILL)
        app.start()
        killed += 1
    return killed


def roll(apps: list[Replica]) -> None:
    """Restart each, the next when the one before answers again."""
    for app in apps:
        app.wait()
    for app in apps:
        app.end()
        app.start()
        app.wait()


def main() -> int:
    counts, stop = Counter[str](), threading.Event()
    with tempfile.TemporaryDirectory() as folder, serving_milvus(Path(folder, "milvus")) as server:
        library = server.address("news")
        with closing(open_at(library)) as opened:
            put_embedded(opened, make_article(TEXT, title="Lamp"))
        with replicas(Path(folder), library=library, store=f"{folder}/store") as (address, apps):
            ways = (over_rest, over_rest, over_the_page)
            threads = [threading.Thread(target=ask, args=(way, address, counts, stop)) for way in ways]
            for thread in threads:
                thread.start()
            killed = kill(apps)
            roll(apps)
            stop.set()
            for thread in threads:
                thread.join()
    for name, count in sorted(counts.items()):
        tell(f"{name}: {count}")
    failed = sum(count for name, count in counts.items() if "FAILED" in name)
    tell(f"{killed} killed, {len(apps)} restarted in turn, all of them back")
    tell(f"{failed} questions failed after one retry, 0 are asked for")
    return int(failed > 0 or not killed or not counts["over_rest: answered"] or not counts["over_the_page: answered"])


if __name__ == "__main__":
    sys.exit(main())
