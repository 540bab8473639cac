"""A feed that is pulled again after a few rows have changed, against its first import; and validation against stix2."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import stix2

from bench.results import Measured, interleaved
from bench.store import open_hub
from bench.taking import cpu_to_take_in, value_list
from hub.feeds import inbox
from hub.stix.pattern import pattern_for
from hub.stix.tlp import Tlp
from hub.stix.validation import check
from hub.stix.values import Kind, Value

VALUES = 20_000
CHANGED_ROWS = 3
INDICATORS = 300
ROUNDS = 7


def again(product: str, data: Path, url: str) -> Iterator[Measured]:
    """CPU of the intake for a list of domains, and for the same list with three other rows."""
    hub = open_hub(data, url, intake={"reserved": "publish"})
    ratios = []
    cpu_to_take_in(hub, inbox.FILE, value_list("warm", 1000), None)
    for turn in range(3):
        lines = value_list(f"again{turn}", VALUES).splitlines(keepends=True)
        first = cpu_to_take_in(hub, inbox.FILE, b"".join(lines), None)
        for row in range(CHANGED_ROWS):
            lines[row * 100] = f"other-{turn}-{row}.bench-changed.com\n".encode()
        second = cpu_to_take_in(hub, inbox.FILE, b"".join(lines), None)
        ratios.append((first / second, first / VALUES, second / VALUES))
    ratio, first, second = sorted(ratios)[1]
    yield Measured(
        f"pull of {VALUES:,} values of which {CHANGED_ROWS} changed: first import / it, in CPU", product, ratio, "≥ 15",
        f"{first * 1e6:.0f} µs / {second * 1e6:.1f} µs a value",
    )  # fmt: skip
    hub.database.close()


def validation() -> Iterator[Measured]:
    """The check of an indicator against stix2.parse, in turns."""
    objects = [
        {
            "type": "indicator", "spec_version": "2.1", "id": f"indicator--{UUID(int=n, version=4)}",
            "created_by_ref": f"identity--{UUID(int=1, version=4)}", "created": "2026-11-01T00:00:00.000Z",
            "modified": "2026-11-01T00:00:00.000Z", "name": f"domain: evil-{n}.com",
            "indicator_types": ["malicious-activity"], "pattern": pattern_for(Value(Kind.DOMAIN, f"evil-{n}.com")),
            "pattern_type": "stix", "pattern_version": "2.1", "valid_from": "2026-11-01T00:00:00Z",
            "valid_until": "2027-11-01T00:00:00Z", "confidence": 48, "labels": ["phishing"],
            "object_marking_refs": [Tlp.GREEN.marking_id],
        }
        for n in range(INDICATORS)
    ]  # fmt: skip

    def ours() -> None:
        for obj in objects:
            check(obj)

    def theirs() -> None:
        for obj in objects:
            stix2.parse(obj, allow_custom=True, version="2.1")

    taken = interleaved({"ours": ours, "theirs": theirs}, ROUNDS)
    yield Measured(
        "validation of an indicator: stix2.parse / it", "", taken["theirs"] / taken["ours"], "≥ 40",
        f"{taken['theirs'] / INDICATORS * 1e6:.0f} µs / {taken['ours'] / INDICATORS * 1e6:.1f} µs",
    )  # fmt: skip
