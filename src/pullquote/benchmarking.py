"""Start the app as a user does and measure what they wait for: the page, the first answer, the memory."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from pullquote.errors import PullquoteError
from pullquote.settings import Settings

PATIENCE = 60.0  # seconds for a start


@dataclass(frozen=True)
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
            return Start(shown, time.perf_counter() - began, _resident(process.pid))
        finally:
            process.terminate()


def _address(process: "subprocess.Popen[str]") -> str:
    assert process.stdout
    for line in process.stdout:
        for word in line.split():
            if word.startswith("http://"):
                return word
    raise PullquoteError("the app did not start; try `pullquote serve` to see why")


def _resident(pid: int) -> float:
    """Megabytes (10⁶ bytes) of memory that the process holds; 0 where the system does not say (no /proc)."""
    status = Path(f"/proc/{pid}/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return sum(int(line.split()[1]) * 1.024e-3 for line in lines if line.startswith("VmRSS:"))
