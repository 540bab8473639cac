"""The demonstration's reports: valid, repeatable, clustered, and about nobody."""

from __future__ import annotations

import json
import statistics
from collections import Counter
from datetime import date

from hub.cli.demo.objects import envelope
from hub.cli.demo.reports import generate
from hub.feeds.readers.reading import RawIndicator
from hub.feeds.reports.schema import load_report
from hub.stix.ids import hub_namespace
from hub.stix.pattern import values_in
from hub.stix.reserved import reserved_reason
from hub.stix.validation import check
from hub.stix.values import Kind, Value, canonical, detect

DAY = date(2026, 11, 22)


def _value(reading: RawIndicator) -> Value:
    return canonical(reading.kind, reading.raw) if reading.kind else detect(reading.raw)


def _values(count: int) -> list[Value]:
    found = [load_report(one).indicators() for one in generate(count, DAY)]
    return [_value(reading) for each in found for reading in each]


def test_every_report_is_valid_and_names_something() -> None:
    assert all(load_report(one).indicators() for one in generate(300, DAY))


def test_only_reserved_values() -> None:
    # A handle has no reserved form; the platform and the handle both say that it is an example.
    for value in _values(300):
        if value.kind is Kind.SOCIAL_HANDLE:
            assert value.text.endswith("_example")
        else:
            assert reserved_reason(value), value


def test_the_same_seed_tells_the_same_stories() -> None:
    assert generate(60, DAY) == generate(60, DAY)
    assert generate(60, DAY, seed=2) != generate(60, DAY)


def test_identifiers_come_again_by_a_power_law() -> None:
    counts = sorted(Counter(_values(600)).values(), reverse=True)
    assert counts[0] > 100
    assert counts[0] > 3 * statistics.median(counts)


def test_losses_are_log_normal() -> None:
    losses = [float(one["loss"]["lost"]) for one in generate(600, DAY)]
    assert 500 < statistics.median(losses) < 1_100
    assert statistics.mean(losses) > 1.5 * statistics.median(losses)


def test_amounts_hold_together() -> None:
    for one in generate(300, DAY):
        loss = {name: float(amount) for name, amount in one["loss"].items() if name != "currency"}
        assert 0 <= loss["recovered"] <= loss["lost"] <= loss["attempted"]


def test_some_narratives_are_defanged() -> None:
    text = json.dumps(generate(60, DAY))
    assert "hxxps://" in text
    assert "https://" in text


def test_the_envelope_is_valid_and_reserved() -> None:
    namespace = hub_namespace("http://127.0.0.1:8080")
    author = "identity--7e2f8c4a-3b51-4d0e-9a6c-5f1d2e3b4c5d"
    named = envelope(namespace, "Northbank", author, 1_780_000_000_000_000)
    for obj in named:
        check(obj)
        assert obj["created_by_ref"] == author
        assert all(reserved_reason(value) for value in values_in(obj["pattern"]))
    anonymous = envelope(namespace, "Harbour", None, 1_780_000_000_000_000)
    assert not any("created_by_ref" in obj for obj in anonymous)
    assert not {obj["id"] for obj in named} & {obj["id"] for obj in anonymous}
