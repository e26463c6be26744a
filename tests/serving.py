"""A real server for the tests: `python app.py` in a process of its own, on a free port of the loopback."""

import os
import re
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import PROJECT

READY = re.compile(r"ready at (http://\S+)")
PATIENCE = 120  # seconds


@dataclass(frozen=True)
class Server:
    """Its address, the process that serves it, and the file of what it writes to standard error."""

    url: str
    pid: int
    log: Path


@contextmanager
def serving(store: Path, before: Sequence[str] = (), **settings: str) -> Iterator[Server]:
    """The app over the library in `store`; `before` is put before the command (as `unshare -n` is).

    `settings` are more of them, as `line="3"`; one visitor asks as often as a test likes, unless they say otherwise.
    """
    chosen = {"store": str(store), "port": "0", "rate": "0", "rate_all": "0"} | settings
    environment = os.environ | {f"PULLQUOTE_{name.upper()}": value for name, value in chosen.items()}
    with tempfile.NamedTemporaryFile("w+", prefix="pullquote-") as log:
        process = subprocess.Popen(
            [*before, sys.executable, "app.py"],
            cwd=PROJECT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        assert process.stdout
        try:
            yield Server(_address(process, Path(log.name)), process.pid, Path(log.name))
        finally:
            process.terminate()
            process.wait(PATIENCE)  # what was asked for is finished first
            process.stdout.close()


def _address(process: "subprocess.Popen[str]", log: Path) -> str:
    assert process.stdout
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if select.select([process.stdout], [], [], 1)[0]:
            line = process.stdout.readline()
            if match := READY.search(line):
                return match[1]
            if not line:
                break
    raise AssertionError(f"the app did not start:\n{log.read_text()}")
