"""How many requests each member may make in a minute, and each address that fails to show who it is.

A fixed window: the count starts again with each minute of the clock, and Retry-After is what is left of it.
Every web process counts for itself unless ``limits.storage`` names a Redis that they share. Counting must stay
far below the cost of an empty poll, so the counter in memory is one dictionary.
"""

from __future__ import annotations

import time
from ipaddress import IPv6Address, ip_address
from threading import Lock
from typing import Protocol

import redis
import structlog

from hub import clock
from hub.errors import TooMany
from hub.settings import Limits

log = structlog.get_logger(__name__)

WINDOW_SECONDS = 60
# More addresses than this in a minute are counted as one.
MOST_KEYS = 100_000
OTHERS = "others"
REDIS_ANSWERS_IN = 0.25
REDIS_RESTS = 30.0
ADVICE = "Ask for larger pages rather than more of them, and wait as Retry-After says."


class Counter(Protocol):
    """Counts per key within one window."""

    def increase(self, key: str, window: int) -> int:
        """The count of ``key`` in ``window``, this time included."""
        ...

    def close(self) -> None:
        """Give up what is held."""


class Memory:
    """Counts of this process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._window = 0
        self._counts: dict[str, int] = {}

    def increase(self, key: str, window: int) -> int:
        """The count of ``key`` in ``window``, this time included."""
        with self._lock:
            if window != self._window:
                self._window, self._counts = window, {}
            if key not in self._counts and len(self._counts) >= MOST_KEYS:
                key = OTHERS
            self._counts[key] = count = self._counts.get(key, 0) + 1
            return count

    def close(self) -> None:
        """Nothing is held."""


class Redis:
    """Counts that all processes share. While Redis does not answer, each process counts for itself."""

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(
            url, protocol=2, socket_timeout=REDIS_ANSWERS_IN, socket_connect_timeout=REDIS_ANSWERS_IN
        )
        self._own = Memory()
        self._rests_until = 0.0

    def increase(self, key: str, window: int) -> int:
        """The count of ``key`` in ``window``, this time included."""
        if time.monotonic() < self._rests_until:
            return self._own.increase(key, window)
        name = f"hub:limit:{window}:{key}"
        try:
            both = self._client.pipeline(transaction=False)
            both.incr(name)
            both.expire(name, 2 * WINDOW_SECONDS)
            count, _ = both.execute()
            return int(count)
        except redis.RedisError as error:
            self._rests_until = time.monotonic() + REDIS_RESTS
            log.warning("Redis does not answer; limits are counted in each process", error=str(error))
            return self._own.increase(key, window)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


class RateLimits:
    """The limits of one process."""

    def __init__(self, settings: Limits) -> None:
        self._most = settings.requests_per_minute if settings.enabled else 0
        self._counter: Counter = Redis(settings.storage) if settings.storage else Memory()

    def count_member(self, member_id: str) -> None:
        """Count one request of a member. Raises TooMany when its minute is used up."""
        self._count(f"member:{member_id}")

    def count_failure(self, address: str) -> None:
        """Count one request without a good credential, by where it came from. Raises TooMany."""
        self._count(f"address:{_network(address)}")

    def close(self) -> None:
        """Give up what the counter holds."""
        self._counter.close()

    def _count(self, key: str) -> None:
        if not self._most:
            return
        window, passed = divmod(clock.micros() // 1_000_000, WINDOW_SECONDS)
        if self._counter.increase(key, window) > self._most:
            raise TooMany(
                f"more than {self._most} requests in a minute", retry_after=WINDOW_SECONDS - passed, advice=ADVICE
            )


def _network(address: str) -> str:
    """An IPv4 address, or the /64 of an IPv6 address, which is one subscriber."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(parsed, IPv6Address):
        return parsed.exploded[:19]
    return str(parsed)
