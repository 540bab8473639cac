"""Cheap looks at a text: could it be an indicator, a date, a hash?

Only used to choose a format or a column; the real decision is ``hub.stix.values``.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

_DOT = r"(?:\[\.\]|\(\.\)|\{\.\}|\[dot\]|\.)"
_INDICATOR = re.compile(
    rf"""(?: h(?:tt|xx)ps?\[?:\]?//\S+                                  # URL
       | [0-9a-f]{{32}} | [0-9a-f]{{40}} | [0-9a-f]{{64}} | [0-9a-f]{{128}}  # hash
       | \d{{1,3}}(?:{_DOT}\d{{1,3}}){{3}}(?::\d{{1,5}}|/\d{{1,2}})?         # IPv4, port, network
       | (?=[^:]{{0,4}}:[^:]{{0,4}}:)[0-9a-f:.]{{2,45}}(?:/\d{{1,3}})?         # IPv6
       | [^\s@]+(?:@|\[@\]|\[at\])[^\s@]+{_DOT}[a-z]{{2,}}                   # e-mail address
       | (?:[\w-]+{_DOT})+(?:[^\W\d_]{{2,24}}|xn--[a-z0-9-]+){_DOT}?(?::\d{{1,5}})?(?:/\S*)?  # domain
       | \+\d{{7,15}}                                                   # phone
       | 0x[0-9a-f]{{40}} | bc1[0-9a-z]{{20,}} | (?=[a-z]*\d)[1-9A-HJ-NP-Za-km-z]{{26,108}}  # wallet
       )""",
    re.VERBOSE | re.IGNORECASE,
)
_HASHES = re.compile(
    r"(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{128})"
    r"(?:[\s,;|]+(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{128}))+",
    re.IGNORECASE,
)
_SEPARATORS = re.compile(r"[\s,;|]+")
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2}))?)?")


def looks_like_indicator(text: str) -> bool:
    """Whether a cell or a line could hold one indicator (at most 2,000 characters are looked at)."""
    return len(text) <= 2000 and _INDICATOR.fullmatch(text) is not None


def hashes_in(text: str) -> list[str] | None:
    """The hashes of a field that holds two or more and nothing else; otherwise None."""
    if len(text) < 65 or not _HASHES.fullmatch(text):
        return None
    return _SEPARATORS.split(text)


@lru_cache(maxsize=8192)
def rfc3339(text: str, zone: str = "") -> str | None:
    """A date as feeds write it, in RFC 3339 and UTC; None where it cannot be read.

    Read: ISO 8601 dates and times (a time without a zone is in ``zone``, the name of one that there is, or UTC where
    that is empty), a trailing " UTC", and
    ``m/d/yyyy h:mm`` as spreadsheets write it (``d/m`` where the first number is over 12).
    """
    text = text.strip()
    if not 8 <= len(text) <= 40:
        return None
    try:
        moment = _slashed(text) if "/" in text else datetime.fromisoformat(text.removesuffix(" UTC"))
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=ZoneInfo(zone) if zone and not text.endswith(" UTC") else UTC)
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    if not 1970 <= moment.year <= 9998:
        return None
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _slashed(text: str) -> datetime:
    match = _SLASHED.fullmatch(text)
    if not match:
        raise ValueError(text)
    month, day, year, hour, minute, second = (int(part or 0) for part in match.groups())
    if month > 12:
        month, day = day, month
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
