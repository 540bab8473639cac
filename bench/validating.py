"""The check of an object against stix2.parse: the types that come most, each as it commonly comes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import stix2

from bench.results import Measured, interleaved
from hub.stix.pattern import pattern_for
from hub.stix.tlp import Tlp
from hub.stix.validation import check
from hub.stix.values import Kind, Value

OBJECTS = 300
ROUNDS = 7
DAY = "2026-11-01T00:00:00Z"
LATER = "2027-11-01T00:00:00Z"
AUTHOR = f"identity--{UUID(int=1, version=4)}"
REFERENCE = {"source_name": "an-advisory", "url": "https://advisory.example/2026/11"}


def ratios() -> Iterator[Measured]:
    """One ratio for each type, in turns."""
    for what, of in KINDS.items():
        object_type = what.split(" ")[1]
        objects = [{**_common(object_type, n), **of(n)} for n in range(OBJECTS)]
        taken = interleaved({"ours": _each(check, objects), "theirs": _each(_parse, objects)}, ROUNDS)
        yield Measured(
            f"validation of {what}: stix2.parse / it", "", taken["theirs"] / taken["ours"], "≥ 40",
            f"{taken['theirs'] / OBJECTS * 1e6:.0f} µs / {taken['ours'] / OBJECTS * 1e6:.1f} µs",
        )  # fmt: skip


def _each(work: Callable[[dict[str, Any]], object], objects: list[dict[str, Any]]) -> Callable[[], None]:
    def run() -> None:
        for obj in objects:
            work(obj)

    return run


def _parse(obj: dict[str, Any]) -> object:
    return stix2.parse(obj, allow_custom=True, version="2.1")


def _id(object_type: str, n: int) -> str:
    return f"{object_type}--{UUID(int=n, version=4)}"


def _common(object_type: str, n: int) -> dict[str, Any]:
    return {
        "type": object_type, "spec_version": "2.1", "id": _id(object_type, n), "created_by_ref": AUTHOR,
        "created": "2026-11-01T00:00:00.000Z", "modified": "2026-11-01T00:00:00.000Z",
        "object_marking_refs": [Tlp.GREEN.marking_id],
    }  # fmt: skip


def _indicator(n: int) -> dict[str, Any]:
    domain = f"evil-{n}.com"
    return {
        "name": f"domain: {domain}", "indicator_types": ["malicious-activity"],
        "pattern": pattern_for(Value(Kind.DOMAIN, domain)), "pattern_type": "stix", "pattern_version": "2.1",
        "valid_from": DAY, "valid_until": LATER, "confidence": 48, "labels": ["phishing"],
    }  # fmt: skip


KINDS: dict[str, Callable[[int], dict[str, Any]]] = {
    "an indicator": _indicator,
    "a sighting": lambda n: {
        "sighting_of_ref": _id("indicator", n), "where_sighted_refs": [AUTHOR], "first_seen": DAY, "last_seen": DAY,
        "count": 3,
    },
    "a relationship": lambda n: {
        "relationship_type": "indicates", "source_ref": _id("indicator", n), "target_ref": _id("malware", n),
    },
    "an observed-data": lambda n: {
        "first_observed": DAY, "last_observed": DAY, "number_observed": 3,
        "object_refs": [_id("ipv4-addr", n), _id("domain-name", n)],
    },
    "a report": lambda n: {
        "name": f"Report {n}", "description": "What was seen, by whom. " * 15, "published": DAY,
        "report_types": ["threat-report"], "object_refs": [_id("indicator", n + k) for k in range(5)],
        "external_references": [REFERENCE],
    },
    "a malware": lambda n: {
        "name": f"Family {n}", "is_family": True, "malware_types": ["trojan"], "aliases": [f"Alias {n}"],
        "kill_chain_phases": [{"kill_chain_name": "mitre-attack", "phase_name": "execution"}],
        "external_references": [REFERENCE],
    },
}  # fmt: skip
