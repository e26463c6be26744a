"""How long each stage of a question takes: noted for whoever measures, and as intervals for whoever traces."""

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, ParamSpec, TypeVar

Parameters = ParamSpec("Parameters")
Item = TypeVar("Item")


@dataclass(slots=True)
class Interval:
    """When a stage began and ended, by `time.perf_counter_ns`; `parent` is the place of the one around it."""

    name: str
    parent: int | None
    began: int
    ended: int = 0


@dataclass(slots=True)
class Recording:
    """The stages of one question, in the order in which they began."""

    began: int = field(default_factory=time.perf_counter_ns)
    intervals: list[Interval] = field(default_factory=list)
    inside: list[int] = field(default_factory=list)  # places of those that have not ended, the innermost last

    def begin(self, name: str) -> Interval:
        interval = Interval(name, self.inside[-1] if self.inside else None, time.perf_counter_ns())
        self.inside.append(len(self.intervals))
        self.intervals.append(interval)
        return interval

    def end(self, interval: Interval) -> None:
        interval.ended = time.perf_counter_ns()
        self.inside.pop()


@dataclass(slots=True)
class Incoming:
    """The HTTP request in which a question is asked. `carried` is what it says of the trace that it is part of.

    `span` is what whoever traces has made of it, once a question was heard.
    """

    method: str
    carried: dict[str, str]
    began: int = field(default_factory=time.perf_counter_ns)
    span: Any = None


INCOMING: ContextVar[Incoming | None] = ContextVar("incoming", default=None)
_noted: ContextVar[dict[str, float] | None] = ContextVar("noted", default=None)
_recording: ContextVar[Recording | None] = ContextVar("recording", default=None)


@contextmanager
def noted() -> Iterator[dict[str, float]]:
    """Gives the seconds of each stage that this thread goes through inside."""
    seconds: dict[str, float] = {}
    before = _noted.set(seconds)
    try:
        yield seconds
    finally:
        _noted.reset(before)


def recorded(generate: Callable[Parameters, Iterator[Item]]) -> Callable[Parameters, Iterator[Item]]:
    """Have the stages that a generator goes through recorded, for `recording`, however its steps are taken."""

    @wraps(generate)
    def steps(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Generator[Item, None, None]:
        recording, generator = Recording(), generate(*args, **kwargs)
        while True:
            # subtle: a server takes each step in another thread, in another copy of the context
            before = _recording.set(recording)
            try:
                item = next(generator)
            except StopIteration:
                return
            finally:
                _recording.reset(before)
            yield item

    return steps


def recording() -> Recording | None:
    """The recording of the question that is being answered."""
    return _recording.get()


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Notes the seconds spent inside under this name, beside those of earlier times, and records the interval."""
    seconds, record = _noted.get(), _recording.get() or Recording()
    interval = record.begin(name)
    try:
        yield
    finally:
        record.end(interval)
        if seconds is not None:
            seconds[name] = seconds.get(name, 0.0) + (interval.ended - interval.began) / 1e9
