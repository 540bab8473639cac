"""Whatever JSON or XML arrives, the readers of MISP, OTX, OpenIOC, STIX and JSON rows read it or refuse it."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.errors import InvalidInput
from hub.feeds.readers import RawIndicator, Unread
from hub.feeds.readers.allow_deny import AllowAndDeny
from hub.feeds.readers.json_map import JsonRows
from hub.feeds.readers.mapping import mapping_of
from hub.feeds.readers.misp import MispEvents
from hub.feeds.readers.misp_feed import read_feed
from hub.feeds.readers.openioc import OpenIoc
from hub.feeds.readers.otx import OtxPulses
from hub.feeds.readers.reading import Reader
from hub.feeds.readers.stix import StixJson
from hub.feeds.readers.stix1 import StixXml
from hub.stix.upconvert import upconvert

JSON_READERS: tuple[Reader, ...] = (
    MispEvents(),
    OtxPulses(),
    AllowAndDeny(),
    StixJson(),
    JsonRows(),
    JsonRows(
        mapping_of({"list": "a.*", "value": ["value", "type.x"], "kind": "type", "labels": ["Tag"], "tlp": "tlp"})
    ),
)
XML_READERS: tuple[Reader, ...] = (OpenIoc(), StixXml())

NAMES_TEXT = """
    Event Attribute Object Tag name type value to_ids response deleted timestamp first_seen Sighting warnings
    object_relation uuid info results indicators indicator tags tlp is_active deny allow objects id created labels
    spec_version granular_markings selectors definition definition_type pattern pattern_type 0 1 a from_ref
    to_refs extensions matching_attributes ioc_type threat_type"""
NAMES = st.sampled_from(NAMES_TEXT.split()) | st.text(max_size=4)
TEXTS_TEXT = """
    domain domain|ip filename|md5 iban bank-account-nr cc-number btc url tlp:red tlp:x false-positive:a indicator
    malware observed-data marking-definition file process 1 0 -1 99999999999 2026-01-01 a.example|192.0.2.1
    20-20-15 55555555"""
TEXTS = st.sampled_from(TEXTS_TEXT.split()) | st.text(max_size=6)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(-1e9, 1e9) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=30,
)
ELEMENTS_TEXT = """
    ioc IndicatorItem Indicator Context Content link definition STIX_Package Observable Properties Value
    Address_Value Marking_Structure Hashes Simple_Hash_Value"""
ELEMENTS = st.sampled_from(ELEMENTS_TEXT.split())
ATTRIBUTES = st.dictionaries(
    st.sampled_from(["search", "condition", "negate", "rel", "type", "category", "idref", "id", "color", "delimiter"]),
    st.sampled_from(["Network/DNS", "is", "true", "tlp", "e-mail", "cidr", "x", "RED", "odd", "Equals", "|"]),
    max_size=3,
)
NAMESPACES = st.sampled_from(
    [
        "",
        "http://cybox.mitre.org/objects#AddressObject-2",
        "http://cybox.mitre.org/objects#",
        "http://cybox.mitre.org/common-2",
    ]
)


def written(name: str, attributes: dict[str, str], namespace: str, inside: list[str]) -> str:
    told = "".join(f' {key}="{value}"' for key, value in attributes.items())
    return f'<{name} xmlns="{namespace}"{told}>{"".join(inside)}</{name}>'


MARKUP = st.recursive(
    st.sampled_from(
        ["a.example", "192.0.2.7", "a##comma##b", "&amp;", "<![CDATA[x]]>", "<!-- -->", "<?p q?>", "&x;", "<"]
    ),
    lambda inner: st.builds(written, ELEMENTS, ATTRIBUTES, NAMESPACES, st.lists(inner, max_size=4)),
    max_leaves=25,
)


def checked(reader: Reader, raw: bytes) -> None:
    assert 0 <= reader.fits(raw, "x") <= 100
    try:
        for reading in reader.read(raw):
            if isinstance(reading, RawIndicator):
                assert reading.raw
                assert len(reading.labels) <= 20
                assert reading.description is None or 0 < len(reading.description) <= 200
            elif isinstance(reading, Unread):
                assert reading.reason
                assert len(reading.raw) <= 120
    except InvalidInput:
        return


@given(DOCUMENTS)
@settings(max_examples=500, deadline=None)
def test_json(document: Any) -> None:
    raw = json.dumps(document).encode()
    for reader in JSON_READERS:
        checked(reader, raw)


@given(st.dictionaries(st.just("2c0c0a1e-5a3d-4b51-9c1c-000000000001"), DOCUMENTS), DOCUMENTS)
@settings(max_examples=100, deadline=None)
def test_misp_feeds(manifest: dict[str, Any], event: Any) -> None:
    try:
        for reading in read_feed(json.dumps(manifest).encode(), lambda _: json.dumps(event).encode()):
            assert reading.where
    except InvalidInput:
        return


@given(st.dictionaries(NAMES, DOCUMENTS, max_size=8), TEXTS)
@settings(max_examples=400, deadline=None)
def test_up_conversion(obj: dict[str, Any], stix_type: str) -> None:
    try:
        assert upconvert({**obj, "type": stix_type, "created": "2020-01-01T00:00:00.000Z"})["type"] == stix_type
    except InvalidInput:
        return


@given(
    st.one_of(
        MARKUP, MARKUP.map(lambda text: f"<ioc>{text}</ioc>"), MARKUP.map(lambda t: f"<STIX_Package>{t}</STIX_Package>")
    ),
    st.integers(0, 40),
)
@settings(max_examples=500, deadline=None)
def test_xml(text: str, cut: int) -> None:
    for raw in (text.encode(), text.encode()[:-cut] if cut else text.encode("utf-16")):
        for reader in XML_READERS:
            checked(reader, raw)


@given(st.sampled_from(["{", "<ioc", "<STIX_Package "]), st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_bytes(start: str, rest: bytes) -> None:
    for reader in (*JSON_READERS, *XML_READERS):
        checked(reader, start.encode() + rest)
