"""Rates that all replicas count together, in Redis. The only module that knows the Redis library."""

import logging
import math

from pullquote.errors import MissingLibrary
from pullquote.web.rates import MINUTE, Rates

try:
    from redis.asyncio import Redis
    from redis.exceptions import RedisError
except ImportError as error:
    raise MissingLibrary(
        "PULLQUOTE_REDIS needs one more library; install it with: pip install 'pullquote[redis]'"
    ) from error

PATIENCE = 0.5  # seconds for Redis, before a question is counted here
PREFIX = "pullquote:rate:"

# As `Rates` counts, in one step, by Redis's own clock: the time at which a bucket is full again, in seconds.
_WAIT = """
local time = redis.call('TIME')
local now, each, minute = time[1] + time[2] / 1000000, tonumber(ARGV[1]), tonumber(ARGV[2])
local full_at = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
local wait = full_at + each - now - minute
if wait >= 0.000001 then return tostring(wait) end
redis.call('SET', KEYS[1], string.format('%.6f', full_at + each), 'PX', math.ceil(1000 * (full_at + each - now)) + 1)
return '0'
"""

log = logging.getLogger("pullquote")


class SharedRates:
    """As `Rates`, with the buckets in Redis. While it does not answer, each process counts by itself."""

    def __init__(self, per_minute: int, url: str) -> None:
        self._per_minute = per_minute
        self._alone = Rates(per_minute)
        redis = Redis.from_url(url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE, decode_responses=True)
        self._ask = redis.register_script(_WAIT)

    async def wait(self, key: str) -> float:
        """Seconds until this key may come; 0.0, and it is counted, when that is now."""
        if not self._per_minute:
            return 0.0
        try:
            wait = float(await self._ask([PREFIX + key], [MINUTE / self._per_minute, MINUTE]))
        except (RedisError, OSError) as error:
            log.warning("Redis does not count questions, so each process does: %s", type(error).__name__)
            return self._alone.wait(key)
        return wait if math.isfinite(wait) else 0.0
