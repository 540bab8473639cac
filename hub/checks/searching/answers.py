"""What a check is answered with: the least that helps, in one shape whatever was found.

Never in it: a victim, the name of a source, a decision. An answer about somebody whose identity was misused says
that this person is innocent, whatever else is known of the identifier.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

from hub.checks.searching.weighing import (
    FALSE_IDENTITY,
    IMPERSONATED_VICTIM,
    INTELLIGENCE,
    KNOWN_FRAUD,
    PROTECT,
    Voice,
    band,
    combined,
    grade_of,
    independent,
)
from hub.stix.tlp import Tlp


class Outcome(StrEnum):
    """What became of one subject of a search."""

    MATCH = "match"
    POSSIBLE = "possible"
    NO_MATCH = "no_match"
    INVALID = "invalid"
    NOT_SEARCHABLE = "not_searchable"


LIVE, DISPUTED, EXPIRED = "live", "disputed", "expired"
WORDS: Final = {
    Outcome.MATCH: "A match is not evidence of fraud. Look into it yourself before you decide.",
    Outcome.POSSIBLE: "A possible match may be about somebody or something else. It is not evidence of fraud.",
    Outcome.NO_MATCH: "No match is not clearance: it only says that nothing you may see is known here.",
    Outcome.INVALID: "Nothing was searched: the value is not what its kind asks for.",
    Outcome.NOT_SEARCHABLE: "Nothing was searched: this cannot be searched, or not by itself.",
}
PROTECT_WORDS: Final = (
    "This identity was misused by somebody else. The person is innocent: protect them, and do not refuse them for it."
)
# One letter for each outcome, as a search is kept.
LETTERS: Final = {one: one.value[:1] if one is not Outcome.NOT_SEARCHABLE else "s" for one in Outcome}
OUTCOMES: Final = {letter: one for one, letter in LETTERS.items()}
_RANK: Final = {KNOWN_FRAUD: 1, INTELLIGENCE: 0}


class Answer(NamedTuple):
    """What is told about one subject. Everything from ``tier`` to ``marker`` is None unless something was found."""

    kind: str
    ref: str | None
    outcome: Outcome
    reason: str | None = None
    tier: str | None = None
    category: str | None = None
    grade: str | None = None
    confidence: int | None = None
    sources: str | None = None
    first_seen: str | None = None
    last_seen: str | None = None
    status: str | None = None
    handling: str | None = None
    tlp: str | None = None
    marker: str | None = None

    @property
    def found(self) -> bool:
        """Something was found."""
        return self.outcome in (Outcome.MATCH, Outcome.POSSIBLE)

    @property
    def words(self) -> str:
        """What always stands beside such an answer."""
        return PROTECT_WORDS if self.tier == PROTECT else WORDS[self.outcome]


def answer(kind: str, ref: str | None, voices: Sequence[Voice]) -> Answer:
    """The answer about a subject of which the asker may hear ``voices`` (none: no match).

    What is exactly about it silences what may be about something else; what protects a person silences the rest.
    """
    if not voices:
        return Answer(kind, ref, Outcome.NO_MATCH)
    exact = [one for one in voices if one.exact]
    heard = exact or voices
    heard = [one for one in heard if one.protects] or heard
    leading = max(heard, key=_weight)
    return Answer(
        kind=kind,
        ref=ref,
        outcome=Outcome.MATCH if exact else Outcome.POSSIBLE,
        tier=PROTECT if leading.protects else leading.tier,
        category=leading.category or None,
        grade=max(heard, key=lambda one: one.confidence).grade[:2],
        confidence=combined(independent(heard)),
        sources=band(len({one.group for one in independent(heard)})),
        first_seen=month(min(one.first_seen for one in heard)),
        last_seen=month(max(one.last_seen for one in heard)),
        status=LIVE,
        handling="C" if any(grade_of(one.grade).handling == "C" for one in heard) else "P",
        tlp=Tlp(max(one.tlp for one in heard)).label,
        marker=_marker(heard),
    )


def month(micros: int) -> str:
    """The month of an instant: "2026-03"."""
    return datetime.fromtimestamp(micros // 1_000_000, UTC).strftime("%Y-%m")


def shown(one: Answer, check_id: str, contact: str | None) -> dict[str, Any]:
    """An answer as it is told, always with the same fields."""
    return {
        "check_id": check_id,
        "ref": one.ref,
        "kind": one.kind,
        "outcome": one.outcome.value,
        "tier": one.tier,
        "category": one.category,
        "grade": one.grade,
        "confidence": one.confidence,
        "sources": one.sources,
        "first_seen": one.first_seen,
        "last_seen": one.last_seen,
        "status": one.status,
        "handling": one.handling,
        "tlp": one.tlp,
        "marker": one.marker,
        "contact": contact,
        "reason": one.reason,
        "words": one.words,
    }


def _weight(one: Voice) -> tuple[int, int, bool, int, str]:
    """What a member filed (it has a role) leads before what an indicator says of it, which is its echo or says less."""
    return _RANK.get(one.tier, 0), one.confidence, bool(one.role), one.last_seen, one.ref


def _marker(heard: Sequence[Voice]) -> str | None:
    """A caution stands whoever leads: that an identity was misused, or is not what it says."""
    return next((one for one in (IMPERSONATED_VICTIM, FALSE_IDENTITY) if any(v.role == one for v in heard)), None)
