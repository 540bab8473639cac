"""The hub's own STIX objects: the merged indicator of a value, a member's sighting of it, and what it derives from."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

from hub import clock
from hub.clock import DAY
from hub.feeds.confidence import ONE_SOURCE_CAP, combined_confidence, confidence_of
from hub.feeds.contributed import MOST_LABELS, Contributed, Derived, joined_phases
from hub.ledger.classes import Audience
from hub.stix.ids import hub_id
from hub.stix.pattern import pattern_for
from hub.stix.values import Kind, Value
from hub.stix.values.validity import VALID_DAYS

# Identifiers of people and their money: AMBER where a report says nothing else (FRAUD.md, "Grading").
PERSONAL = frozenset(
    {
        Kind.PHONE, Kind.EMAIL, Kind.BANK_ACCOUNT, Kind.IBAN, Kind.SOCIAL_HANDLE, Kind.VEHICLE, Kind.BTC, Kind.ETH,
        Kind.XMR, Kind.LTC, Kind.TRX, Kind.WALLET,
    }
)  # fmt: skip
FRAUD_KINDS = PERSONAL | {Kind.COMPANY}


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


def valid_until(value: Value, said: Sequence[Contributed]) -> int:
    """When the indicator runs out, in microseconds: so long after it was last seen as its kind holds."""
    return max(one.last_seen for one in said) + VALID_DAYS[value.kind] * DAY


def compose(value: Value, said: Sequence[Contributed], audience: Audience, hub_ref: str, now: int) -> dict[str, Any]:
    """The merged indicator's content at ``now``: everything but its id and its times of creation and change."""
    first = min(one.first_seen for one in said)
    phases = joined_phases(*(one.kill_chain_phases for one in said))
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
        "valid_until": clock.stix_timestamp(valid_until(value, said)),
        "confidence": combined_confidence(value.kind, said, now),
        "object_marking_refs": [audience.tlp.marking_id],
    }
    if labels:
        content["labels"] = labels
    if phases:
        content["kill_chain_phases"] = [{"kill_chain_name": chain, "phase_name": phase} for chain, phase in phases]
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


def derivation(namespace: UUID, hub_ref: str, indicator: str, link: Derived, audience: Audience) -> dict[str, Any]:
    """That the hub's ``indicator`` derives from a member's object: a relationship, which names nobody.

    Its id holds the time of its beginning, as a sighting's does.
    """
    return {
        "type": "relationship",
        "spec_version": "2.1",
        "id": hub_id(namespace, "relationship", "derived-from", indicator, link.ref, str(link.created)),
        "created_by_ref": hub_ref,
        "created": clock.stix_timestamp(link.created),
        "modified": clock.stix_timestamp(link.modified),
        "relationship_type": "derived-from",
        "source_ref": indicator,
        "target_ref": link.ref,
        "object_marking_refs": [audience.tlp.marking_id],
    }
