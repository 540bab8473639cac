"""Cheap looks at a text: could it be an indicator, a date, a hash?

Only used to choose a format or a column; the real decision is ``hub.stix.values``.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_tz
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
_SLASHED = re.compile(
    r"(\d{1,2})/(\d{1,2})/(\d{4})(?:,?[ T](\d{1,2}):(\d{2})(?::(\d{2}))?(?: ?([ap])\.?m\.?)?)?", re.IGNORECASE
)
_YEAR_FIRST = re.compile(r"(\d{4})/(\d{2})/(\d{2})(?![\d/])")
# Seconds or milliseconds since 1970, as programs write them.
_EPOCH = re.compile(r"(\d{10})(?:\d{3})?")
_NAMED_ZONE = re.compile(r" ?\b([A-Z]{2,4})$")
# Hours ahead of UTC. Names that mean one thing in two places ("IST") are not here; EST … PDT are RFC 5322's.
_ZONES = {
    "UTC": 0, "GMT": 0, "WET": 0, "BST": 1, "WEST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3,
    "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
}  # fmt: skip


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

    Read: ISO 8601 dates and times, with ``/`` between year, month and day too; ``m/d/yyyy h:mm`` and ``h:mm AM`` as
    spreadsheets write it (``d/m`` where the first number is over 12); the dates of RFC 5322 ("1 Jul 2026 10:00:00
    +0100"); seconds and milliseconds since 1970. A time has the zone that stands behind it ("UTC", "BST"), else
    ``zone``, the name of one that there is, or UTC where that is empty.
    """
    text = text.strip()
    if not 8 <= len(text) <= 40:
        return None
    try:
        moment = _moment(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=ZoneInfo(zone) if zone else UTC)
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    if not 1970 <= moment.year <= 9998:
        return None
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _moment(text: str) -> datetime:
    """The time that a text states, without a zone where it names none; raises ValueError."""
    if epoch := _EPOCH.fullmatch(text):
        return datetime.fromtimestamp(int(epoch[1]), UTC)
    if (named := _NAMED_ZONE.search(text)) and named[1] in _ZONES:
        ahead = timezone(timedelta(hours=_ZONES[named[1]]))
        return _moment_of(text[: named.start()]).replace(tzinfo=ahead)
    return _moment_of(text)


def _moment_of(text: str) -> datetime:
    if _YEAR_FIRST.match(text):
        text = text.replace("/", "-", 2)
    if "/" in text:
        return _slashed(text)
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        parsed = parsedate_tz(text)  # RFC 5322
    if parsed is None or not any(character.isalpha() for character in text):
        raise ValueError(text)
    ahead = None if parsed[9] is None else timezone(timedelta(seconds=parsed[9]))
    return datetime(*parsed[:6], tzinfo=ahead)


def _slashed(text: str) -> datetime:
    match = _SLASHED.fullmatch(text)
    if not match:
        raise ValueError(text)
    month, day, year, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    if month > 12:
        month, day = day, month
    if half := match[7]:
        if not 1 <= hour <= 12:
            raise ValueError(text)
        hour = hour % 12 + (12 if half in "pP" else 0)
    return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 (the caller knows the zone)
