"""Whether the app can do its work, and what is amiss where it can do part of it only."""

import shutil
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from pullquote import generations
from pullquote.answering import Assistant
from pullquote.errors import LibraryError
from pullquote.jobs import Jobs
from pullquote.library import Library

FREE = 200_000_000  # bytes on the disk of the library; a change writes the file and its index anew

SLOW = 1.0  # seconds in which a library says what moment it is of

Verdict = Literal["ready", "degraded", "unavailable"]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; `problem` is "" where it is well."""

    name: str
    problem: str = ""
    breaks: bool = False  # whether nothing can be asked meanwhile

    @property
    def verdict(self) -> Verdict:
        return "ready" if not self.problem else "unavailable" if self.breaks else "degraded"


def checks(assistant: Assistant, jobs: Jobs, encoder: str) -> list[Check]:
    """Everything that is looked at. `encoder` is the fingerprint of the one that is set."""
    return list(_checks(assistant, jobs, encoder))


def verdict(found: list[Check]) -> Verdict:
    """The worst of them."""
    verdicts = {check.verdict for check in found}
    return "unavailable" if "unavailable" in verdicts else "degraded" if "degraded" in verdicts else "ready"


def _checks(assistant: Assistant, jobs: Jobs, encoder: str) -> Iterator[Check]:
    library = assistant.library
    try:
        began = time.monotonic()
        state = library.state
        slow = time.monotonic() - began
        library.require_encoder(encoder)
        is_empty = library.is_empty
    except (sqlite3.Error, LibraryError) as error:
        yield Check("library", f"{type(error).__name__}: it cannot be read; see the log, and `pullquote check`", True)
        return
    is_slow = f"it took {slow:.1f} s to answer; see to its server" if slow > SLOW else ""
    yield Check("library", "it is empty" if is_empty else is_slow)
    if isinstance(library, Library):
        yield from _folder_checks(library, is_empty, state)
    yield Check("second reader", "" if assistant.examiner.is_complete else "it is being loaded, or failed to")
    yield Check("queue", "" if jobs.room else "as many changes wait as may; more are refused")


def _folder_checks(library: Library, is_empty: bool, state: str) -> Iterator[Check]:
    current = generations.current(library.folder)
    is_current = is_empty or (current is not None and current[1].state == state)
    yield Check("index", "" if is_current else "the one on disk is of another moment; it is being made anew")
    free = shutil.disk_usage(library.folder).free
    yield Check("disk", "" if free >= FREE else f"{free // 1_000_000} MB are free, {FREE // 1_000_000} MB are needed")
