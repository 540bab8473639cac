"""STIX objects that demonstration members share: invented, with reserved values only."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from hub import clock
from hub.clock import DAY
from hub.stix.ids import hub_id
from hub.stix.tlp import Tlp

# Name, pattern, what it is, days that it holds, TLP.
SHARED = (
    ("Phishing page that asks for online banking details", "[url:value = 'https://northbank-secure.example/login']",
     "phishing", 7, Tlp.GREEN),
    ("Domain that imitates a bank", "[domain-name:value = 'northbank-secure.example']", "phishing", 90, Tlp.GREEN),
    ("Phone that claims to be the fraud department", "[phone-number:value = '442079460777']", "vishing", 30, Tlp.AMBER),
)  # fmt: skip


def envelope(namespace: UUID, member: str, author: str | None, now: int) -> list[dict[str, Any]]:
    """What a member shares; ``author`` is its identity, None where it stays anonymous.

    ``now`` is in microseconds since the epoch.
    """
    return [_indicator(namespace, member, author, now, entry) for entry in SHARED]


def _indicator(
    namespace: UUID, member: str, author: str | None, now: int, entry: tuple[str, str, str, int, Tlp]
) -> dict[str, Any]:
    name, pattern, label, days, tlp = entry
    moment = clock.stix_timestamp(now)
    indicator = {
        "type": "indicator",
        "spec_version": "2.1",
        "id": hub_id(namespace, "indicator", "demo", member, pattern),
        "created": moment,
        "modified": moment,
        "name": name,
        "indicator_types": ["malicious-activity"],
        "pattern": pattern,
        "pattern_type": "stix",
        "pattern_version": "2.1",
        "valid_from": moment,
        "valid_until": clock.stix_timestamp(now + days * DAY),
        "confidence": 60,
        "labels": [label],
        "object_marking_refs": [tlp.marking_id],
    }
    return indicator if author is None else indicator | {"created_by_ref": author}
