"""URL parameters of the TAXII endpoints, parsed strictly (TAXII 2.1 section 3.4).

A known parameter that is malformed or given twice is an error; an unknown one is ignored.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from werkzeug.datastructures import MultiDict

from hub.errors import InvalidInput
from hub.ledger.pages import Versions

INTEGER = re.compile(r"[0-9]+", re.ASCII)
TIMESTAMP = re.compile(r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?Z", re.ASCII)
STIX_ID = re.compile(r"[a-z0-9][a-z0-9-]*--[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
STIX_TYPE = re.compile(r"[a-z0-9][a-z0-9-]{0,249}", re.ASCII)
SPEC_VERSION = re.compile(r"\d{1,3}\.\d{1,3}", re.ASCII)
LARGEST_INTEGER = 2**53 - 1
MOST_VALUES = 1000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

FILTERS = ("match[id]", "match[type]", "match[version]", "match[spec_version]")


@dataclass(frozen=True, slots=True)
class Filters:
    """The ``match`` parameters. ``spec_version`` empty: the newest of each object."""

    ids: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    versions: Versions = field(default_factory=Versions)
    spec_versions: tuple[str, ...] = ()

    @property
    def serves_stix_21(self) -> bool:
        """Whether they leave anything: every object here is STIX 2.1."""
        return not self.spec_versions or "2.1" in self.spec_versions


def single(arguments: MultiDict[str, str], name: str) -> str | None:
    """The one value of a parameter, None where it is absent. Raises InvalidInput where it is repeated."""
    values = arguments.getlist(name)
    if len(values) > 1:
        raise InvalidInput("this parameter may be given once", where=name)
    return values[0] if values else None


def limit(arguments: MultiDict[str, str], default: int, most: int) -> int:
    """How many rows a page may hold: the client's wish, bounded by ``most``."""
    text = single(arguments, "limit")
    if text is None:
        return min(default, most)
    if not INTEGER.fullmatch(text) or len(text) > 16 or not 0 < int(text) <= LARGEST_INTEGER:
        raise InvalidInput("a limit is a whole number from 1 to 2^53 - 1", where="limit")
    return min(int(text), most)


def added_after(arguments: MultiDict[str, str]) -> int | None:
    """``added_after`` in microseconds since the epoch, None where it is absent."""
    text = single(arguments, "added_after")
    return None if text is None else instant(text, "added_after")


def instant(text: str, where: str) -> int:
    """An RFC 3339 timestamp in UTC with 0 to 9 fraction digits, in microseconds, rounded down."""
    found = TIMESTAMP.fullmatch(text)
    if found is None:
        raise InvalidInput("a timestamp is YYYY-MM-DDTHH:MM:SS[.fraction]Z", where=where)
    try:
        moment = datetime.fromisoformat(found[1]).replace(tzinfo=UTC)
    except ValueError:
        raise InvalidInput("this date or time does not exist", where=where) from None
    whole = (moment - EPOCH) // (EPOCH.resolution)
    return whole + int((found[2] or "0")[:6].ljust(6, "0"))


def given_filters(arguments: MultiDict[str, str], names: tuple[str, ...]) -> dict[str, str]:
    """The ``match`` parameters of ``names`` as given, to be parsed and to be put into ``next``."""
    given = {name: single(arguments, name) for name in names}
    return {name: value for name, value in given.items() if value is not None}


def filters(given: Mapping[str, str]) -> Filters:
    """Parse ``match`` parameters. Raises InvalidInput that names the parameter."""
    return Filters(
        ids=_values(given, "match[id]", STIX_ID, "a STIX identifier"),
        types=_values(given, "match[type]", STIX_TYPE, "a STIX type"),
        versions=_versions(given),
        spec_versions=_values(given, "match[spec_version]", SPEC_VERSION, "a specification version such as 2.1"),
    )


def _values(given: Mapping[str, str], name: str, form: re.Pattern[str], what: str) -> tuple[str, ...]:
    text = given.get(name)
    if text is None:
        return ()
    values = tuple(dict.fromkeys(text.split(",")))
    if len(values) > MOST_VALUES:
        raise InvalidInput(f"more than {MOST_VALUES} values", where=name)
    if not all(form.fullmatch(value) for value in values):
        raise InvalidInput(f"each value, separated by commas without blanks, must be {what}", where=name)
    return values


def _versions(given: Mapping[str, str]) -> Versions:
    text = given.get("match[version]")
    if text is None:
        return Versions()
    values = text.split(",")
    if "all" in values:
        if len(values) > 1:
            raise InvalidInput("'all' stands alone", where="match[version]")
        return Versions(last=False, every=True)
    exact = tuple(value for value in values if value not in ("last", "first"))
    if len(exact) > MOST_VALUES:
        raise InvalidInput(f"more than {MOST_VALUES} values", where="match[version]")
    added = tuple(instant(value, "match[version]") for value in exact)
    return Versions(last="last" in values, first="first" in values, exact=exact, added=added)


def is_stix_id(text: str) -> bool:
    """Whether ``text`` has the form of a STIX identifier (STIX 2.1 section 2.9)."""
    return STIX_ID.fullmatch(text) is not None


def is_timestamp(text: str) -> bool:
    """Whether ``text`` has the form of a STIX timestamp (STIX 2.1 section 2.14)."""
    return TIMESTAMP.fullmatch(text) is not None
