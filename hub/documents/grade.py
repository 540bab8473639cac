"""The police 3x5x2 grade of a piece of intelligence, and what it is worth.

Source 1 reliable, 2 untested, 3 not reliable; intelligence A known directly, B known
indirectly but corroborated, C known indirectly, D not known, E suspected to be false;
handling P lawful sharing permitted, C permitted with conditions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from hub.errors import InvalidInput

_WRITTEN = re.compile(r"([123])\s*([A-E])(?:[\s:/-]*([PC]))?", re.IGNORECASE)

# The hub's own scale: the number is lossy, so the raw grade is always kept beside it.
_CONFIDENCE: Final[dict[str, tuple[int, int, int, int, int]]] = {
    "1": (90, 72, 54, 45, 0),
    "2": (60, 48, 36, 30, 0),
    "3": (20, 16, 12, 10, 0),
}


@dataclass(frozen=True, slots=True)
class Grade:
    """``source`` 1–3, ``intelligence`` A–E, ``handling`` P or C (None: not stated)."""

    source: str
    intelligence: str
    handling: str | None = None

    def __str__(self) -> str:
        return f"{self.source}{self.intelligence}" + (f":{self.handling}" if self.handling else "")

    @property
    def disseminable(self) -> bool:
        """False for what is suspected to be false (E): that is never passed on."""
        return self.intelligence != "E"


def parse(text: str) -> Grade:
    """A grade written like ``1A``, ``2B:P`` or ``3cC``; raises InvalidInput."""
    match = _WRITTEN.fullmatch(text.strip())
    if not match:
        raise InvalidInput(
            "not a 3x5x2 grade",
            advice="Write the source (1-3), the intelligence (A-E) and, if stated, the handling: 2B:P.",
        )
    source, intelligence, handling = match.groups()
    return Grade(source, intelligence.upper(), handling.upper() if handling else None)


def at_most(stated: int, source: str) -> Grade:
    """The best grade that is worth no more than a stated confidence (0 to 100), of a source no better than ``source``
    (1 to 3); the least of all where none is.
    """
    grades = [Grade(one, letter) for one in _CONFIDENCE if one >= source for letter in "ABCD"]
    return max((each for each in grades if confidence(each) <= stated), key=confidence, default=Grade("3", "D"))


def confidence(grade: Grade) -> int:
    """STIX confidence, 0 to 100, of this one statement before sources are combined."""
    return _CONFIDENCE[grade.source]["ABCDE".index(grade.intelligence)]
