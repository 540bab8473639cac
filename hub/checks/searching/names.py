"""Whether two names may be one person's: the only likeness that a check goes by, and never more than "possible"."""

from __future__ import annotations

from typing import Final

from rapidfuzz import fuzz

# Of 100. "jon smith" and "john smith" are 95 alike, "mary jones" and "mark jones" 90, "john smith" and "jane smith" 80.
ALIKE: Final = 85


def alike(one: str, other: str) -> bool:
    """Whether two canonical names are so alike that they may be one person's.

    A name that lacks a middle name is alike, as long as both have two words at least.
    """
    if fuzz.ratio(one, other, score_cutoff=ALIKE) > 0:
        return True
    enough = min(len(one.split()), len(other.split())) > 1
    return enough and fuzz.token_set_ratio(one, other, score_cutoff=ALIKE) > 0
