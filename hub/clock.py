"""The only place that reads the clock, so that tests can move it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

# Spans of time in microseconds, as all instants are counted.
SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

_ahead = 0


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.fromtimestamp(micros() / 1_000_000, UTC)


def micros() -> int:
    """Microseconds since the Unix epoch."""
    return time.time_ns() // 1000 + _ahead


@contextmanager
def as_of(instant: int) -> Iterator[None]:
    """Let this whole process begin at ``instant`` (microseconds) and go on from there; the demonstration lives
    through its months by it. Nothing that serves anybody may call it.
    """
    global _ahead  # noqa: PLW0603 (the clock is the one thing that all of a process shares)
    before = _ahead
    _ahead = instant - time.time_ns() // 1000
    try:
        yield
    finally:
        _ahead = before


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
