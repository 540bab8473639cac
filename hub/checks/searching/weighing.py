"""How much several statements about one subject weigh together (FRAUD.md, "Combining"). Pure arithmetic."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from hub.documents import grade as grades
from hub.documents.grade import Grade

KNOWN_FRAUD, INTELLIGENCE, PROTECT = "known_fraud", "intelligence", "protect"
FALSE_IDENTITY, IMPERSONATED_VICTIM = "false-identity", "impersonated-victim"
ONE_SOURCE_CAP: Final = 75
MOST_OF_ONE: Final = 0.95
MOST_VICTIMS: Final = 3


@dataclass(frozen=True, slots=True)
class Voice:
    """One statement about a subject: a filing, or one source's contribution to an indicator.

    ``ref`` is the filing's or the indicator's id, ``group`` who stands behind it, ``grade`` 3x5x2 ("1B:P"),
    ``reports`` how many victims it speaks for, times in microseconds. ``exact``: it is about exactly what was asked.
    ``echo``: whoever says so had read it here before. ``left``: the share of its confidence that has not faded.
    """

    ref: str
    group: str
    tier: str
    category: str
    role: str
    grade: str
    tlp: int
    first_seen: int
    last_seen: int
    reports: int = 1
    exact: bool = True
    echo: bool = False
    left: float = 1.0

    @property
    def confidence(self) -> int:
        """What its grade alone is worth, 0 to 100."""
        return grades.confidence(grade_of(self.grade))

    @property
    def protects(self) -> bool:
        """It says that somebody is innocent."""
        return self.role == IMPERSONATED_VICTIM


@lru_cache(maxsize=64)
def grade_of(text: str) -> Grade:
    """The grade that a filing or a contribution holds."""
    return grades.parse(text)


def independent(voices: Sequence[Voice]) -> Sequence[Voice]:
    """The voices that are no echo. Where the asker hears echoes alone, the strongest one stands for what they repeat:
    an answer never tells that there is something behind it.
    """
    return [one for one in voices if not one.echo] or [max(voices, key=lambda one: one.confidence)]


def combined(voices: Iterable[Voice]) -> int:
    """One best vote of each independence group: P = 1 − Π(1 − min(0.95, c · left)); one vote alone is capped at 75.

    Victims' reports count up to three times within their group.
    """
    votes: dict[str, list[float]] = {}
    for one in voices:
        own = [min(MOST_OF_ONE, one.confidence / 100 * one.left)] * min(one.reports, MOST_VICTIMS)
        votes[one.group] = max(votes.get(one.group, []), own)
    every = [vote for group in votes.values() for vote in group]
    probability = round(100 * (1 - math.prod(1 - vote for vote in every)))
    return probability if len(every) > 1 else min(ONE_SOURCE_CAP, probability)


def band(sources: int) -> str:
    """A number of independent sources as it is told: "1", "2", "3-5", "6+"."""
    if sources < 3:
        return str(sources)
    return "3-5" if sources < 6 else "6+"
