"""How often somebody may ask: a token bucket for each key."""

import time
from collections import OrderedDict
from collections.abc import Callable

MINUTE = 60.0  # seconds
VISITORS = 10_000  # whose rates are remembered


class Rates:
    """A token bucket for each key, which holds a minute's worth and fills steadily; in memory that is bounded.

    The bucket is kept as the time at which it is full again (the generic cell rate algorithm, ITU-T I.371).
    """

    def __init__(self, per_minute: int, keys: int = VISITORS, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds_each = MINUTE / per_minute if per_minute else 0.0
        self._keys = keys
        self._clock = clock
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def wait(self, key: str) -> float:
        """Seconds until this key may come; 0.0, and it is counted, when that is now."""
        now = self._clock()
        full_at = max(self._full_at.pop(key, now), now)
        wait = full_at + self._seconds_each - now - MINUTE
        is_allowed = wait < 1e-6  # subtle: the sum of a minute's worth is rounded
        self._full_at[key] = full_at + self._seconds_each if is_allowed else full_at
        if len(self._full_at) > self._keys:
            self._full_at.popitem(last=False)
        return 0.0 if is_allowed else wait
