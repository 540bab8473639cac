"""The sample feeds in JSON and XML hold what an independent count says (see ``count_structured.py``)."""

from __future__ import annotations

import ipaddress
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.errors import InvalidInput
from hub.feeds.readers import RawIndicator, Reading, StixObject, choose
from hub.feeds.readers.misp_feed import events_in, read_feed
from hub.feeds.readers.reading import Unread
from hub.stix.pattern import values_in
from hub.stix.values import Kind, Value, canonical, detect

EXPECTED: dict[str, dict[str, Any]] = json.loads(
    Path(__file__).with_name("expected_structured.json").read_text("utf-8")
)
ROW_IS_A_PLACE = {"misp", "openioc", "stix", "json", "otx", "allow-deny"}


def values_of(reading: Reading) -> Iterator[Value]:
    if isinstance(reading, RawIndicator) and not reading.legitimate:
        yield canonical(reading.kind, reading.raw) if reading.kind else detect(reading.raw)
    elif isinstance(reading, StixObject) and reading.obj["type"] == "indicator":
        yield from values_in(reading.obj["pattern"])


def is_public(value: Value) -> bool:
    return value.kind not in {Kind.IPV4, Kind.IPV6} or ipaddress.ip_address(value.text).is_global


def counted(readings: Iterator[Reading]) -> tuple[dict[str, int], set[str], list[str]]:
    """(distinct values by kind, places, refusals)."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    places: set[str] = set()
    refused: list[str] = []
    for reading in readings:
        places.add(reading.where)
        try:
            for value in filter(is_public, values_of(reading)):
                found[value.kind.value].add(value.text)
        except InvalidInput as error:
            refused.append(str(error))
    return {kind: len(values) for kind, values in found.items()}, places, refused


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_distinct_values(name: str, shared_data: Path) -> None:
    expected = EXPECTED[name]
    raw = (shared_data / name).read_bytes()
    reader = choose(raw, name)
    assert reader.name == expected["format"]
    values, places, refused = counted(reader.read(raw))
    assert values == expected["values"], refused[:5]
    if reader.name in ROW_IS_A_PLACE:
        assert len(places) == expected["rows"], "each row has to be accounted for"


def test_every_such_sample_is_counted(shared_data: Path) -> None:
    patterns = (
        "infoblox/misp-feed/*-*.json", "eset/*.json", "eset/*.ioc", "fireeye-openioc/*.ioc", "otx/*.json",
        "misp-stix-pairs/*.xml", "misp-stix-pairs/*_[12].json", "misp-stix-pairs/*_stix20.json",
        "opentaxii/*.xml", "unit42/*.json", "abuse.ch/*.json", "polkadot-js-phishing/*.json",
    )  # fmt: skip
    here = {path.relative_to(shared_data).as_posix() for pattern in patterns for path in shared_data.glob(pattern)}
    assert len(here) > 90
    assert here <= set(EXPECTED)


def test_a_feed_with_missing_events_is_read_to_its_end(shared_data: Path) -> None:
    folder = shared_data / "infoblox/misp-feed"
    manifest = (folder / "manifest.json").read_bytes()

    def fetch(name: str) -> bytes | None:
        return (folder / name).read_bytes() if (folder / name).is_file() else None

    readings = list(read_feed(manifest, fetch))
    missing = [one for one in readings if isinstance(one, Unread) and "does not hold" in one.reason]
    assert len(events_in(manifest)) == 46
    assert len(missing) == 46 - 32
    assert sum(isinstance(one, RawIndicator) for one in readings) == sum(
        expected["rows"] for name, expected in EXPECTED.items() if name.startswith("infoblox/misp-feed/")
    )
