"""Answers that were given before, for as long as the library stays as it is."""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Cache(Generic[Value]):
    """The values used last, up to `room` of them. Safe to share between threads.

    `hits` and `misses` count since the start.
    """

    def __init__(self, room: int) -> None:
        self._room = room
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._lock = threading.Lock()
        self.hits = 0
        self.misses = 0

    @property
    def hit_rate(self) -> float:
        """The share of look-ups that found something, from 0 to 1; 0 before the first."""
        return self.hits / ((self.hits + self.misses) or 1)

    def get(self, key: Hashable) -> Value | None:
        """The value kept under this key; None when there is none."""
        with self._lock:
            value = self._values.get(key)
            if value is None:
                self.misses += 1
            else:
                self.hits += 1
                self._values.move_to_end(key)
            return value

    def put(self, key: Hashable, value: Value) -> None:
        """Keep a value; the one that was not used for longest goes when there is no room."""
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            while len(self._values) > self._room:
                self._values.popitem(last=False)
