"""Advisories and lists of one kind hold what an independent count says (see ``count_text.py``)."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import pytest

from hub.errors import InvalidInput
from hub.feeds.readers import RawIndicator, choose, opened
from hub.stix.values import canonical, detect

EXPECTED: dict[str, dict[str, int]] = json.loads(Path(__file__).with_name("expected_text.json").read_text("utf-8"))


def _format(name: str) -> str:
    """The reader that must be chosen for a file."""
    if name.endswith((".adoc", ".text")) or name.startswith(("unit42/2020", "unit42/Appendix")):
        return "text"
    if name.startswith(("ofac", "unit42/xmr")):
        return "wallets"
    known = {"spam-numbers-tr/numbers.txt": "phones", "unit42/menuPass": "csv", "unit42/hashes.csv": "list"}
    endings = {".yaml": "yaml", ".csv": "csv"}
    return known.get(name, endings.get(Path(name).suffix, "list"))


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_distinct_values(name: str, shared_data: Path) -> None:
    raw = opened((shared_data / name).read_bytes())
    reader = choose(raw, name)
    assert reader.name == _format(name)
    found: defaultdict[str, set[str]] = defaultdict(set)
    for reading in reader.read(raw):
        if isinstance(reading, RawIndicator):
            try:
                value = canonical(reading.kind, reading.raw) if reading.kind else detect(reading.raw)
            except InvalidInput:
                continue
            found[value.kind.value].add(value.text)
    assert {kind: len(values) for kind, values in found.items()} == EXPECTED[name]
