"""The only place that reads the clock, so that tests can move it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import lru_cache


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC)


def micros() -> int:
    """Microseconds since the Unix epoch."""
    return time.time_ns() // 1000


def timestamp(us: int) -> str:
    """``us`` as RFC 3339 with exactly six fraction digits and ``Z`` (TAXII 2.1 section 2)."""
    seconds, fraction = divmod(us, 1_000_000)
    return f"{_second(seconds)}.{fraction:06d}Z"


@lru_cache(maxsize=4096)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:19]


def stix_timestamp(us: int) -> str:
    """``us`` as a STIX timestamp with milliseconds (STIX 2.1 section 3.2 on ``created``)."""
    return timestamp(us)[:-4] + "Z"
