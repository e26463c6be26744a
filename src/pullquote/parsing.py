"""Parsing in a child process with limits: whatever a file does to its parser, only the child is lost."""

import json
import logging
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from threading import Event
from typing import IO

from pullquote.errors import ArticleError, FormatError
from pullquote.formats import Block, Document, parse

log = logging.getLogger("pullquote")

MEMORY = 1 << 30  # bytes of address space
CPU = 20  # seconds
WALL = 30.0  # seconds
MAX_TEXT = 20_000_000  # bytes of text that may come out
MAX_OUTPUT = 3 * MAX_TEXT  # bytes of the text as JSON, with levels and pages
DAMAGED = "it cannot be read, so it is damaged; open it in the program that made it and save it anew"
NICE = 19  # who asks comes before who adds
STEP = 0.02  # seconds between looks at the child


def parse_contained(data: bytes, name: str, charset: str | None = None, cancel: Event | None = None) -> Document:
    """What `formats.parse` finds in a file, parsed in a process of its own; the suffix of `name` chooses the parser.

    Raises `FormatError` with what to do, and `ArticleError` when cancelled.
    """
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as found, tempfile.TemporaryFile() as said:
        given.write(data)
        given.seek(0)
        command = [sys.executable, "-m", __name__, Path(name).suffix.lower(), charset or ""]
        # subtle: a group of its own, not a session; Linux shares the processor between sessions first, and only
        # then by priority, so that in one of its own the lowest priority would still be worth half of it
        child = subprocess.Popen(command, stdin=given, stdout=found, stderr=said, process_group=0)
        try:
            ended = _wait(child, cancel)
        finally:
            _kill(child)
        if cancel is not None and cancel.is_set():
            raise ArticleError(f"{name}: cancelled")
        if problem := _problem(ended, child.returncode, said):
            log.info("the parser of %s ended with %s", name, child.returncode)
            raise FormatError(f"{name}: {problem}")
        return _document(found, name)


def _wait(child: "subprocess.Popen[bytes]", cancel: Event | None) -> bool:
    """Whether the child ended by itself, in time and not cancelled."""
    until = time.monotonic() + WALL
    while child.poll() is None:
        if time.monotonic() > until or (cancel is not None and cancel.is_set()):
            return False
        time.sleep(STEP)
    return True


def _kill(child: "subprocess.Popen[bytes]") -> None:
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _problem(ended: bool, code: int, said: IO[bytes]) -> str:
    """What to tell about a child that gave no result; "" for one that did."""
    if not ended or code == -signal.SIGXCPU:
        return f"it took longer than {CPU} s to read; split it, or paste its text"
    if code == 0:
        return ""
    said.seek(0)
    words = said.read(MAX_OUTPUT)
    if b"MemoryError" in words or b"bad_alloc" in words:
        return "it takes more than 1 GB of memory to read; split it, or paste its text"
    if b"ImportError" in words or b"ModuleNotFoundError" in words:
        return "the library that reads it is missing; run `pip install -r requirements.txt`"
    if b"File too large" in words:
        return f"it holds more than {MAX_TEXT:,} bytes of text; split it"
    return DAMAGED


def _document(found: IO[bytes], name: str) -> Document:
    found.seek(0)
    try:
        result = json.load(found)
        problem = result.get("problem")
        if problem is None:
            return Document(result["title"], tuple(Block(*block) for block in result["blocks"]))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise FormatError(f"{name}: {DAMAGED}") from error
    raise FormatError(f"{name}: {problem}")


def _limit_this_process() -> None:
    os.nice(NICE)
    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, CPU),
        (resource.RLIMIT_FSIZE, MAX_OUTPUT),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(what)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (most, hard))  # the soft limit of CPU time ends it with a signal that says why


def _main(suffix: str, charset: str) -> None:
    """The child: a file on standard input, its blocks as JSON on standard output."""
    _limit_this_process()
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a parser prints is no answer
    try:
        document = parse(sys.stdin.buffer.read(), suffix, charset or None)
        if sum(len(block.text.encode("utf-8", "replace")) for block in document.blocks) > MAX_TEXT:
            raise FormatError(f"it holds more than {MAX_TEXT:,} bytes of text; split it")
        blocks = [[block.text, block.level, block.page] for block in document.blocks]
        result = {"title": document.title, "blocks": blocks}
    except FormatError as error:
        result = {"problem": str(error)}
    with answer:
        json.dump(result, answer)


if __name__ == "__main__":
    _main(*sys.argv[1:3])
