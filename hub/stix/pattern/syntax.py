"""The parts of a STIX pattern (STIX 2.1 section 9) as immutable values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Hex:
    """A constant ``h'ffd8'`` (section 9.2); ``digits`` are hexadecimal."""

    digits: str


@dataclass(frozen=True, slots=True)
class Binary:
    """A constant ``b'YQ=='`` (section 9.2); ``base64`` is RFC 4648 base64."""

    base64: str


Constant: TypeAlias = str | int | float | bool | Hex | Binary | datetime

# A key, an index into a list, or None for [*], "any member of the list".
Step: TypeAlias = str | int | None


@dataclass(frozen=True, slots=True)
class ObjectPath:
    """An object path (section 9.7), such as ``file:hashes.'SHA-256'``."""

    object_type: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A comparison expression (section 9.6).

    ``operator`` is one of ``= != < <= > >= IN LIKE MATCHES ISSUBSET ISSUPERSET EXISTS`` (``==`` and ``<>``
    come as ``=`` and ``!=``); ``constants`` has one member, except with IN (any number) and EXISTS (none).
    """

    path: ObjectPath
    operator: str
    constants: tuple[Constant, ...]
    negated: bool


@dataclass(frozen=True, slots=True)
class Combined:
    """Comparisons inside one observation, joined by ``AND`` or ``OR``."""

    operator: str
    operands: tuple[Comparison | Combined, ...]


@dataclass(frozen=True, slots=True)
class Observation:
    """An observation expression: what stands between square brackets (section 9.5)."""

    expression: Comparison | Combined


@dataclass(frozen=True, slots=True)
class Within:
    """``WITHIN x SECONDS``."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Repeats:
    """``REPEATS x TIMES``."""

    times: int


@dataclass(frozen=True, slots=True)
class StartStop:
    """``START t'…' STOP t'…'``, from ``start`` up to but without ``stop``."""

    start: datetime
    stop: datetime


Qualifier: TypeAlias = Within | Repeats | StartStop


@dataclass(frozen=True, slots=True)
class Qualified:
    """An observation expression with the qualifiers behind it, in their order."""

    expression: Observation | Joined
    qualifiers: tuple[Qualifier, ...]


@dataclass(frozen=True, slots=True)
class Joined:
    """Observation expressions joined by ``AND``, ``OR`` or ``FOLLOWEDBY``."""

    operator: str
    operands: tuple[Observation | Qualified | Joined, ...]


Pattern: TypeAlias = Observation | Qualified | Joined
