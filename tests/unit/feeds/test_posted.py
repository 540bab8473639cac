"""What members post without writing STIX: what is taken, what is refused and where."""

from __future__ import annotations

from typing import Any

import pytest

from hub.documents import grade as grades
from hub.errors import InvalidInput, TooLarge
from hub.feeds.posted import InvalidPost, load_indicators, load_sightings, readings_of
from hub.stix.tlp import Tlp
from hub.stix.values import Kind

ID = "indicator--88ec5631-3194-5dad-890c-9a543e27d0e9"
SECRET = "CANARY-VALUE"


def test_a_row_becomes_a_reading() -> None:
    posted = load_indicators(
        {
            "indicators": [
                {"value": " hxxp://a[.]example ", "labels": ["Phishing", "PHISHING"], "first_seen": "2026-01-02"},
                {"value": "020 7946 0321", "kind": "phone", "last_seen": "2026-01-02T10:00:00+01:00", "confidence": 50},
            ],
            "tlp": "amber+strict",
            "groups": ["banks"],
        }
    )
    assert (posted.tlp, posted.groups) == (Tlp.AMBER_STRICT, ["banks"])
    one, two = readings_of(posted, "2B")
    assert (one.where, one.raw, one.kind, one.labels) == ("indicators[0]", " hxxp://a[.]example ", None, ("phishing",))
    assert (one.first_seen, one.last_seen, one.grade) == ("2026-01-02T00:00:00Z", None, None)
    assert (two.kind, two.last_seen, two.grade) == (Kind.PHONE, "2026-01-02T09:00:00Z", "2B")


@pytest.mark.parametrize(
    ("stated", "source", "expected"),
    [(100, "1", "1A"), (100, "2", "2A"), (59, "2", "2B"), (48, "2", "2B"), (36, "2", "2C"), (29, "2", "3A"),
     (10, "2", "3D"), (9, "2", "3D"), (0, "1", "3D"), (100, "3", "3A")],
)  # fmt: skip
def test_a_stated_confidence_is_never_worth_more_than_it_says(stated: int, source: str, expected: str) -> None:
    found = grades.at_most(stated, source)
    assert str(found) == expected
    assert grades.confidence(found) <= max(stated, 10)


INDICATOR_FAULTS: list[tuple[Any, set[str]]] = [
    ({"value": "a.example", "colour": SECRET}, {"indicators[0].colour"}),
    ({"value": 17}, {"indicators[0].value"}),
    ({"value": None}, {"indicators[0].value"}),
    ({"value": " "}, {"indicators[0].value"}),
    ({"value": SECRET * 1000}, {"indicators[0].value"}),
    ({}, {"indicators[0].value"}),
    (SECRET, {"indicators[0]"}),
    (None, {"indicators[0]"}),
    ({"value": "a.example", "kind": SECRET}, {"indicators[0].kind"}),
    ({"value": "a.example", "kind": ["domain"]}, {"indicators[0].kind"}),
    ({"value": "a.example", "labels": SECRET}, {"indicators[0].labels"}),
    ({"value": "a.example", "labels": ["x" * 65, 4, "ok"]}, {"indicators[0].labels[0]", "indicators[0].labels[1]"}),
    ({"value": "a.example", "labels": ["x"] * 21}, {"indicators[0].labels"}),
    ({"value": "a.example", "labels": ["4111 1111 1111 1111"]}, {"indicators[0].labels[0]"}),
    ({"value": "a.example", "description": "x" * 201}, {"indicators[0].description"}),
    ({"value": "a.example", "confidence": 101}, {"indicators[0].confidence"}),
    ({"value": "a.example", "confidence": "50"}, {"indicators[0].confidence"}),
    ({"value": "a.example", "confidence": 1.5}, {"indicators[0].confidence"}),
    ({"value": "a.example", "confidence": True}, {"indicators[0].confidence"}),
    ({"value": "a.example", "first_seen": SECRET}, {"indicators[0].first_seen"}),
    ({"value": "a.example", "first_seen": "2026-01-01T00:00:00"}, {"indicators[0].first_seen"}),
    ({"value": "a.example", "first_seen": "2999-01-01"}, {"indicators[0].first_seen"}),
    ({"value": "a.example", "first_seen": "2026-01-02", "last_seen": "2026-01-01T23:59:59Z"},
     {"indicators[0].last_seen"}),
]  # fmt: skip
SIGHTING_FAULTS: list[tuple[Any, set[str]]] = [
    ({}, {"sightings[0]"}),
    ({"indicator": ID, "value": "a.example"}, {"sightings[0]"}),
    ({"indicator": ID, "kind": "domain"}, {"sightings[0].kind"}),
    ({"indicator": "malware" + ID[9:]}, {"sightings[0].indicator"}),
    ({"indicator": ID + "\n"}, {"sightings[0].indicator"}),
    ({"indicator": ID.upper()}, {"sightings[0].indicator"}),
    ({"indicator": ID, "count": 0}, {"sightings[0].count"}),
    ({"indicator": ID, "count": 1_000_001}, {"sightings[0].count"}),
    ({"indicator": ID, "count": "3"}, {"sightings[0].count"}),
    ({"indicator": ID, "labels": []}, {"sightings[0].labels"}),
    ({"value": "a.example", "first_seen": "2026-01-02", "last_seen": "2026-01-01"}, {"sightings[0].last_seen"}),
]


@pytest.mark.parametrize(("row", "where"), INDICATOR_FAULTS)
def test_a_faulty_indicator_is_told_by_its_place(row: Any, where: set[str]) -> None:
    with pytest.raises(InvalidPost) as raised:
        load_indicators({"indicators": [row]})
    assert {fault.where for fault in raised.value.faults} == where
    assert SECRET not in str(raised.value) + str(raised.value.faults)


@pytest.mark.parametrize(("row", "where"), SIGHTING_FAULTS)
def test_a_faulty_sighting_is_told_by_its_place(row: Any, where: set[str]) -> None:
    with pytest.raises(InvalidPost) as raised:
        load_sightings({"sightings": [row]})
    assert {fault.where for fault in raised.value.faults} == where


@pytest.mark.parametrize(
    ("more", "where"),
    [
        ({"tlp": "red"}, "tlp"), ({"tlp": "AMBER"}, "tlp"), ({"tlp": 2}, "tlp"), ({"groups": []}, "groups"),
        ({"groups": "banks"}, "groups"), ({"groups": [7]}, "groups[0]"), ({"to": "all"}, "to"),
    ],
)  # fmt: skip
def test_whom_it_is_for(more: dict[str, Any], where: str) -> None:
    with pytest.raises(InvalidPost) as raised:
        load_indicators({"indicators": [{"value": "a.example"}], **more})
    assert [fault.where for fault in raised.value.faults] == [where]


@pytest.mark.parametrize("body", [None, 17, [], "text", {}, {"sightings": []}, {"indicator": []}])
def test_what_is_no_body(body: Any) -> None:
    with pytest.raises(InvalidInput):
        load_indicators(body)


@pytest.mark.parametrize("rows", [{}, "text", 3, None, []])
def test_what_are_no_rows(rows: Any) -> None:
    with pytest.raises(InvalidPost) as raised:
        load_indicators({"indicators": rows})
    assert raised.value.where == "indicators"


def test_ten_thousand_rows_are_not_looked_at() -> None:
    with pytest.raises(TooLarge) as raised:
        load_sightings({"sightings": [{}] * 10_000})
    assert raised.value.where == "sightings"


def test_a_sighting_with_one_time_was_seen_then() -> None:
    rows = [{"indicator": ID}, {"value": "a.example", "first_seen": "2026-01-02"}, {"indicator": ID, "count": 7}]
    one, two, three = load_sightings({"sightings": rows})
    assert (one.indicator, one.raw, one.count, one.first_seen, one.last_seen) == (ID, None, 1, None, None)
    assert (two.first_seen, two.last_seen) == ("2026-01-02T00:00:00Z",) * 2
    assert (three.where, three.count) == ("sightings[2]", 7)
