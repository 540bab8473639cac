"""JSON of any layout: by a mapping, by a publisher's known layout, by its content."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from hub.errors import InvalidInput
from hub.feeds.readers import RawIndicator, Reading, Unread, choose
from hub.feeds.readers.json_map import JsonRows
from hub.feeds.readers.mapping import Mapping, mapping_of
from hub.stix.tlp import Tlp
from hub.stix.values import Kind

GUESSING = JsonRows()


def read(document: Any, mapping: Mapping | None = None) -> list[Reading]:
    return list(JsonRows(mapping).read(json.dumps(document).encode()))


def raws(readings: list[Reading]) -> list[str]:
    return [one.raw for one in readings if isinstance(one, RawIndicator)]


def test_a_mapping_says_where_everything_stands() -> None:
    mapping = mapping_of(
        {
            "list": "answer.pages.*.rows",
            "value": ["ioc", "detail.other"],
            "kind": "what",
            "kinds": {"Hash": "sha256", "Mule": "iban"},
            "first_seen": "detail.seen",
            "last_seen": "last",
            "labels": ["tags", "family"],
            "description": "text",
            "tlp": "marking",
        }
    )
    row = {
        "ioc": "GB33BUKB20201555555555",
        "what": "Mule",
        "detail": {"seen": "2026-01-01", "other": ["b", "c", None, "-"]},
        "last": "2026-02-01T00:00:00Z",
        "tags": "One, two;ONE",
        "family": ["Three", 7],
        "text": "x" * 500,
        "marking": "TLP:AMBER",
    }
    found = read({"answer": {"pages": [{"rows": [row]}, {"rows": [{"ioc": 7}]}]}}, mapping)
    assert raws(found) == ["GB33BUKB20201555555555", "b", "c"]
    assert found[0] == RawIndicator(
        "answer.pages[0].rows[0]",
        "GB33BUKB20201555555555",
        Kind.IBAN,
        ("one", "two", "three"),
        "2026-01-01T00:00:00Z",
        "2026-02-01T00:00:00Z",
        description="x" * 200,
        tlp=Tlp.AMBER,
    )
    assert isinstance(found[3], Unread)
    assert found[3].where == "answer.pages[1].rows[0]"


def test_a_word_that_the_mapping_does_not_translate_is_left_to_the_tables_and_the_content() -> None:
    mapping = mapping_of({"value": "v", "kind": "k", "kinds": {"x": "md5"}})
    found = read([{"v": "a", "k": "URL"}, {"v": "b", "k": "strange"}, {"v": "c"}], mapping)
    assert [one.kind for one in found if isinstance(one, RawIndicator)] == [Kind.URL, None, None]


def test_a_path_that_leads_nowhere_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no list at 'data'"):
        read({"rows": []}, mapping_of({"list": "data", "value": "v"}))
    assert read({"data": []}, mapping_of({"list": "data", "value": "v"})) == []


@pytest.mark.parametrize(
    ("settings", "where"),
    [
        (7, "mapping"),
        ({"valu": "x"}, "mapping"),
        ({"value": 7}, "mapping.value"),
        ({"value": ["a", 7]}, "mapping.value"),
        ({"list": 7}, "mapping.list"),
        ({"list": "a." * 50}, "mapping.list"),
        ({"kinds": []}, "mapping.kinds"),
        ({"kinds": {"x": "nonsense"}}, "mapping.kinds.x"),
        ({"kinds": {"x": 7}}, "mapping.kinds.x"),
        ({"tlp": ["a"]}, "mapping.tlp"),
    ],
)
def test_a_wrong_mapping_is_refused_by_the_name_of_its_setting(settings: Any, where: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        mapping_of(settings)
    assert refused.value.where == where


THREATFOX_ROW = {
    "ioc_value": "192.0.2.7:443",
    "ioc_type": "ip:port",
    "threat_type": "botnet_cc",
    "malware_printable": "Bad",
    "first_seen_utc": "2026-07-08 20:17:53",
    "last_seen_utc": None,
    "reference": None,
    "tags": "One,Two",
}


@pytest.mark.parametrize(
    ("document", "where"),
    [
        ({"17": [THREATFOX_ROW], "18": [THREATFOX_ROW]}, "17[0]"),
        ({"query_status": "ok", "data": [THREATFOX_ROW]}, "data[0]"),
        ([THREATFOX_ROW], "[0]"),
    ],
)
def test_threatfox(document: Any, where: str) -> None:
    assert choose(json.dumps(document).encode()).name == "json"
    assert read(document)[0] == RawIndicator(
        where, "192.0.2.7:443", Kind.IPV4, ("botnet_cc", "bad", "one", "two"), "2026-07-08T20:17:53Z"
    )


def test_the_host_name_of_a_feodo_row_is_its_providers() -> None:
    row = {
        "ip_address": "192.0.2.7",
        "port": 443,
        "hostname": "host.isp.example",
        "last_online": "2026-01-02",
        "malware": "Bad",
    }
    (found,) = read([row])
    assert isinstance(found, RawIndicator)
    assert (found.raw, found.labels, found.last_seen) == ("192.0.2.7", ("bad",), "2026-01-02T00:00:00Z")


@pytest.mark.parametrize(
    "document",
    [
        ["a.example.com", "b.example.com"],
        {"list": ["a.example.com", "b.example.com"], "version": 1},
        {"x": {"indicator": "a.example.com"}, "y": {"indicator": "b.example.com"}},
        {"some site": ["a.example.com"], "other site": ["b.example.com"]},
        {"site.example": ["a.example.com"], "other.example": ["b.example.com"]},
        {"domains": [{"domain": "a.example.com"}], "hosts": [{"host": "b.example.com"}], "empty": []},
        [{"domain": "a.example.com", "id": 1}, {"domain": "b.example.com", "id": 2}],
        {"meta": {"n": 2}, "rows": [{"strange": "a.example.com", "n": "x"}, {"strange": "b.example.com"}]},
        {
            "status": "ok",
            "data": [{"ioc": "a.example.com", "type": "domain"}, {"ioc": "b.example.com", "type": "domain"}],
        },
    ],
)
def test_layouts_found_by_content(document: Any) -> None:
    assert raws(read(document)) == ["a.example.com", "b.example.com"]


def test_a_list_without_values_beside_others_is_counted() -> None:
    found = read({"domains": ["a.example.com"], "authors": ["Some Body", "Any Body"]})
    assert [(type(one).__name__, one.where) for one in found] == [("Unread", "authors"), ("RawIndicator", "domains[0]")]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"name": "x", "matching_attributes": [], "list": ["a.example.com"]}, "warning list"),
        ({"$schema": "https://json-schema.org/x", "type": "object", "properties": {}}, "looks like a list"),
        ({}, "looks like a list"),
        ([], "looks like a list"),
        (7, "looks like a list"),
        (["some words", "and more words"], "looks like a list"),
        ({"a": {"b": {"c": ["x"]}}}, "looks like a list"),
    ],
)
def test_json_that_nobody_knows_is_refused_clearly(document: Any, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        read(document)


def test_json_lines_survive_a_broken_one() -> None:
    raw = b'{"ioc": "a.example"}\r\n{"ioc": \n\n{"ioc": "b.example"}\n'
    found = list(GUESSING.read(raw))
    assert raws(found) == ["a.example", "b.example"]
    assert [one.where for one in found if isinstance(one, Unread)] == ["line 2"]
    assert choose(raw).name == "json"


def test_truncated_json_names_the_place() -> None:
    for raw in (b'[{"ioc": "a.example"},\n{"ioc"', b'{"data": [\n"a.example", "b'):
        with pytest.raises(InvalidInput) as refused:
            list(GUESSING.read(raw))
        assert "line 2" in str(refused.value)


@pytest.mark.parametrize("raw", [b"", b"\xff", b"[" * 100_000, b'{"a":' * 100_000, b'{"a": 1e999}', b"\x00"])
def test_what_is_no_json_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidInput):
        list(GUESSING.read(raw))


def test_many_rows_and_many_names_take_linear_time() -> None:
    started = time.monotonic()
    assert len(read([{"ioc": f"h{n}.example.com"} for n in range(200_000)])) == 200_000
    with pytest.raises(InvalidInput):
        read({f"name {n}": n for n in range(200_000)})
    with pytest.raises(InvalidInput):
        read([{f"k{n}-{m}": "some words" for m in range(100)} for n in range(2_000)])
    with pytest.raises(InvalidInput):
        read({f"name {n}": ["some words"] for n in range(100_000)})
    assert time.monotonic() - started < 30


def test_labels_of_rows_and_documents_hold_without_a_mapping() -> None:
    rows = [{"domain": "a.example", "tlp": "red"}, {"domain": "b.example"}, {"domain": "c.example", "tlp": "green"}]
    assert [one.tlp for one in read(rows) if isinstance(one, RawIndicator)] == [Tlp.RED, None, Tlp.GREEN]
    found = read({"TLP": "amber", "entries": rows})
    assert [one.tlp for one in found if isinstance(one, RawIndicator)] == [Tlp.RED, Tlp.AMBER, Tlp.AMBER]


def test_rows_called_harmless_are_legitimate() -> None:
    found = read([{"domain": "a.example", "verdict": "benign"}, {"domain": "b.example", "verdict": "bad"}])
    assert [one.legitimate for one in found if isinstance(one, RawIndicator)] == [True, False]


def test_lists_one_level_down_are_found() -> None:
    assert raws(read({"status": "ok", "data": {"count": 2, "entries": [{"ioc": "a.example"}]}})) == ["a.example"]


def test_times_of_threatfox_answers() -> None:
    row = {"ioc": "a.example", "ioc_type": "domain", "threat_type": "c2", "first_seen": "2026-01-05 10:00:00 UTC"}
    found = read({"query_status": "ok", "data": [row]})
    assert [one.first_seen for one in found if isinstance(one, RawIndicator)] == ["2026-01-05T10:00:00Z"]


@pytest.mark.parametrize(
    "document",
    [
        {"name": "x", "type": "hostname", "version": 1, "list": ["a.example"]},
        {"$schema": "https://json-schema.org/draft/2020-12/schema", "allOf": [{"$ref": "https://a.example/b.json"}]},
    ],
)
def test_warning_lists_and_schemas_are_no_feeds(document: Any) -> None:
    with pytest.raises(InvalidInput):
        read(document)
