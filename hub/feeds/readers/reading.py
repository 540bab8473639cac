"""What a reader hands on: one reading at a time, nothing decided yet.

A reader only says what stands where. Whether a value can be an indicator, what its
canonical form is and whether a rule holds it back is decided later, by the intake.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol, TypeVar

from hub.stix.tlp import Tlp
from hub.stix.values import Kind

DESCRIPTION_LIMIT = 200
RAW_LIMIT = 120
# Some 50 MB of readings; a longer file is read once to be counted and once to be taken in.
KEPT_UNITS = 100_000
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RawIndicator:
    """One value as a source states it, not yet canonical.

    ``where`` names the place for a person ("line 12", "row 7, column indicator").
    ``kind`` is set when the source names it; ``None`` leaves it to the content.
    ``labels`` are short and lower-case; ``first_seen`` and ``last_seen`` are RFC 3339 in UTC.
    ``legitimate`` means that the source itself calls the value harmless.
    ``description`` has at most 200 characters. ``tlp`` is the label that the source puts on this value; None where
    it says nothing, and the sender's or the collection's holds. ``kill_chain_phases`` are (name of the kill chain,
    phase), as STIX 2.1 section 2.11 spells them: ("mitre-attack", "initial-access"). ``grade`` is the 3x5x2 grade that
    the source gives to this value, None where its own holds.
    """

    where: str
    raw: str
    kind: Kind | None = None
    labels: tuple[str, ...] = ()
    first_seen: str | None = None
    last_seen: str | None = None
    legitimate: bool = False
    description: str | None = None
    tlp: Tlp | None = None
    kill_chain_phases: tuple[tuple[str, str], ...] = ()
    grade: str | None = None


@dataclass(frozen=True, slots=True)
class StixObject:
    """One object of a STIX 2.x bundle or TAXII envelope, parsed but not validated."""

    where: str
    obj: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Unread:
    """A row nobody can make sense of; ``raw`` is cut to 120 characters."""

    where: str
    raw: str
    reason: str


Reading = RawIndicator | StixObject | Unread


class Reader(Protocol):
    """One file format. Readers hold no state: one instance serves everybody."""

    name: str

    def fits(self, head: bytes, filename: str) -> int:
        """How sure this reader is of the first bytes of a file: 0 (no) to 100 (certain)."""
        ...

    def read(self, raw: bytes) -> Iterator[Reading]:
        """The readings of a whole file, lazily.

        Raises InvalidInput only if nothing at all can be read.
        """
        ...


def unread(where: str, raw: str, reason: str) -> Unread:
    """An ``Unread`` whose excerpt is cut to its limit."""
    return Unread(where, raw[:RAW_LIMIT], reason)


def counted(units: Callable[[], Iterator[T]]) -> tuple[Callable[[], Iterator[T]], int]:
    """The units of a submission, and how many they are; what can be kept is not read a second time."""
    stream = units()
    kept = list(islice(stream, KEPT_UNITS))
    more = sum(1 for _ in stream)
    return (units if more else lambda: iter(kept)), len(kept) + more
