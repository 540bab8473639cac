"""The hub's own STIX objects: the merged indicator of a value, and the sighting of a member."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from hub import clock
from hub.documents import grade as grades
from hub.feeds.sources import REPORT_FRAUD, Contributor
from hub.ledger.classes import Audience
from hub.stix.ids import hub_id
from hub.stix.pattern import pattern_for
from hub.stix.tlp import Tlp
from hub.stix.values import Kind, Value
from hub.stix.values.validity import DAY, VALID_DAYS

# Identifiers of people and their money: AMBER where a report says nothing else (FRAUD.md, "Grading").
PERSONAL = frozenset(
    {
        Kind.PHONE, Kind.EMAIL, Kind.BANK_ACCOUNT, Kind.IBAN, Kind.SOCIAL_HANDLE, Kind.VEHICLE, Kind.BTC, Kind.ETH,
        Kind.XMR, Kind.LTC, Kind.TRX, Kind.WALLET,
    }
)  # fmt: skip
FRAUD_KINDS = PERSONAL | {Kind.COMPANY}
ONE_SOURCE_CAP = 75
MOST_VICTIMS = 3
MOST_LABELS = 20


@dataclass(slots=True)
class Contributed:
    """What one source says of a value, as the merge works with it."""

    source: Contributor
    collections: frozenset[int]
    first_seen: int
    last_seen: int
    count: int
    grade: str
    tlp: Tlp
    groups: frozenset[int]
    labels: tuple[str, ...]
    fingerprint: bytes
    sighting_created: int
    sighting_modified: int

    @property
    def audience(self) -> Audience:
        """Who this one statement is for."""
        return Audience(self.tlp, self.groups)


@lru_cache(maxsize=8192)
def indicator_key(namespace: UUID, value: Value) -> str:
    """The id of the one indicator of ``value``, unless it was revoked before."""
    return hub_id(namespace, "indicator", value.kind.value, value.text)


def indicator_id(namespace: UUID, value: Value, generation: int) -> str:
    """The id of the indicator of ``value`` after ``generation`` revocations."""
    if generation == 0:
        return indicator_key(namespace, value)
    return hub_id(namespace, "indicator", value.kind.value, value.text, str(generation))


def audience_of(said: Sequence[Contributed]) -> Audience:
    """Who the merged indicator is for: the strictest TLP holds, shared with the groups that hold it so.

    A source that allows it in writing does not narrow what others say of the value more openly.
    """
    binding = [one for one in said if not one.source.allows_wider] or said
    strictest = max(one.tlp for one in binding)
    return Audience(strictest, frozenset().union(*(one.groups for one in binding if one.tlp == strictest)))


def combined_confidence(said: Iterable[Contributed]) -> int:
    """One best vote for each independence group: P = 1 − Π(1 − min(0.95, c)) (FRAUD.md, "Combining").

    Victims' reports of Report Fraud count up to three times. One vote alone is capped at 75.
    """
    votes: dict[str, list[float]] = {}
    for one in said:
        confidence = confidence_of(one.grade) / 100
        count = min(one.count, MOST_VICTIMS) if one.source.source_class == REPORT_FRAUD else 1
        votes[one.source.independence_group] = max(
            votes.get(one.source.independence_group, []), [min(0.95, confidence)] * count
        )
    every = [vote for group in votes.values() for vote in group]
    combined = round(100 * (1 - math.prod(1 - vote for vote in every)))
    return combined if len(every) > 1 else min(ONE_SOURCE_CAP, combined)


@lru_cache(maxsize=32)
def confidence_of(grade: str) -> int:
    """The STIX confidence of a 3x5x2 grade written like 2B."""
    return grades.confidence(grades.parse(grade))


def compose(value: Value, said: Sequence[Contributed], audience: Audience, hub_ref: str) -> dict[str, Any]:
    """The merged indicator's content: everything but its id and its times of creation and change."""
    first = min(one.first_seen for one in said)
    last = max(one.last_seen for one in said)
    labels = sorted({label for one in said for label in one.labels})[:MOST_LABELS]
    references = sorted({one.source.name for one in said if one.source.is_feed})
    content: dict[str, Any] = {
        "type": "indicator",
        "spec_version": "2.1",
        "created_by_ref": hub_ref,
        "name": f"{value.kind.value}: {value.text}"[:250],
        "indicator_types": ["malicious-activity"],
        "pattern": pattern_for(value),
        "pattern_type": "stix",
        "pattern_version": "2.1",
        "valid_from": clock.stix_timestamp(first),
        "valid_until": clock.stix_timestamp(last + VALID_DAYS[value.kind] * DAY),
        "confidence": combined_confidence(said),
        "object_marking_refs": [audience.tlp.marking_id],
    }
    if labels:
        content["labels"] = labels
    if references:
        content["external_references"] = [
            {"source_name": name, "description": "named by this source"} for name in references
        ]
    return content


def sighting(namespace: UUID, hub_ref: str, sighted: str, said: Contributed) -> dict[str, Any]:
    """What a member or partner contributed, as a sighting of the indicator ``sighted``.

    An anonymous member shows as its sector (``sighted_ref``). The id holds the time of its beginning: what was
    taken back and is said again is another sighting, since a revoked object has no later version.
    """
    confidence = min(ONE_SOURCE_CAP, confidence_of(said.grade))
    return {
        "type": "sighting",
        "spec_version": "2.1",
        "id": hub_id(namespace, "sighting", said.source.name, sighted, str(said.sighting_created)),
        "created_by_ref": hub_ref,
        "created": clock.stix_timestamp(said.sighting_created),
        "modified": clock.stix_timestamp(said.sighting_modified),
        "first_seen": clock.stix_timestamp(said.first_seen),
        "last_seen": clock.stix_timestamp(said.last_seen),
        "count": said.count,
        "sighting_of_ref": sighted,
        "where_sighted_refs": [said.source.sighted_ref],
        "confidence": confidence,
        "object_marking_refs": [said.tlp.marking_id],
    }
