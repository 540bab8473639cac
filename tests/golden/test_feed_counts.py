"""The sample feeds hold what an independent count says (see ``count.py``)."""

from __future__ import annotations

import ipaddress
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.errors import InvalidInput
from hub.feeds.readers import RawIndicator, Reading, StixObject, choose, opened
from hub.stix.pattern import values_in
from hub.stix.values import Kind, Value, canonical, detect

EXPECTED: dict[str, dict[str, int]] = json.loads(Path(__file__).with_name("expected.json").read_text("utf-8"))
FORMATS = {".csv": "csv", ".txt": "list", ".gz": "list", ".lst": "list", ".stix2": "stix"}


def values_of(reading: Reading) -> Iterator[Value]:
    if isinstance(reading, RawIndicator) and not reading.legitimate:
        yield canonical(reading.kind, reading.raw) if reading.kind else detect(reading.raw)
    elif isinstance(reading, StixObject) and reading.obj["type"] == "indicator":
        yield from values_in(reading.obj["pattern"])


def is_public(value: Value) -> bool:
    return value.kind not in {Kind.IPV4, Kind.IPV6} or ipaddress.ip_address(value.text).is_global


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_distinct_values(name: str, shared_data: Path) -> None:
    raw = opened((shared_data / name).read_bytes())
    reader = choose(raw, name)
    assert reader.name == FORMATS[Path(name).suffix]
    found: defaultdict[str, set[str]] = defaultdict(set)
    refused: list[str] = []
    for reading in reader.read(raw):
        try:
            for value in filter(is_public, values_of(reading)):
                found[value.kind.value].add(value.text)
        except InvalidInput as error:
            refused.append(str(error))
    assert {kind: len(values) for kind, values in found.items()} == EXPECTED[name], refused[:5]


def test_every_shipped_kind_of_feed_is_counted(shared_data: Path) -> None:
    here = {path.relative_to(shared_data).as_posix() for path in shared_data.glob("infoblox/csv/*.csv")}
    here |= {path.relative_to(shared_data).as_posix() for path in shared_data.glob("amnesty/*.stix2")}
    here |= {path.relative_to(shared_data).as_posix() for path in shared_data.glob("abuse.ch/*.csv")}
    assert here
    assert here <= set(EXPECTED)


def test_legitimate_rows_are_marked(shared_data: Path) -> None:
    raw = (shared_data / "infoblox/csv/turkiye_earthquake_legitimate_iocs.csv").read_bytes()
    readings = list(choose(raw).read(raw))
    assert len(readings) == 24
    assert all(isinstance(reading, RawIndicator) and reading.legitimate for reading in readings)
