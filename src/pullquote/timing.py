"""How long each stage of a question takes: noted for whoever measures, and for nobody else."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_noted: ContextVar[dict[str, float] | None] = ContextVar("noted", default=None)


@contextmanager
def noted() -> Iterator[dict[str, float]]:
    """Gives the seconds of each stage that this thread goes through inside."""
    seconds: dict[str, float] = {}
    before = _noted.set(seconds)
    try:
        yield seconds
    finally:
        _noted.reset(before)


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Notes the seconds spent inside under this name, beside those of earlier times."""
    seconds = _noted.get()
    if seconds is None:
        yield
        return
    began = time.perf_counter()
    try:
        yield
    finally:
        seconds[name] = seconds.get(name, 0.0) + time.perf_counter() - began
