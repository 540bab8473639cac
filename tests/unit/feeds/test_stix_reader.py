"""STIX bundles and envelopes, and the choice between readers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub.errors import InvalidInput
from hub.feeds.readers import READERS, StixObject, Unread, choose, reader
from hub.feeds.readers.stix import StixJson

STIX = StixJson()
IDENTITY: dict[str, Any] = {"type": "identity", "id": "identity--7e2f8c4a-3b51-4d0e-9a6c-5f1d2e3b4c5d"}


@pytest.mark.parametrize(
    ("document", "where"),
    [
        ({"type": "bundle", "id": "bundle--1", "objects": [IDENTITY]}, "objects[0]"),
        ({"more": False, "objects": [IDENTITY]}, "objects[0]"),
        ([IDENTITY], "[0]"),
        (IDENTITY, "[0]"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_forms(document: Any, where: str, encoding: str) -> None:
    raw = json.dumps(document).encode(encoding)
    assert list(STIX.read(raw)) == [StixObject(where, IDENTITY)]
    assert choose(raw).name == "stix"


def test_a_malformed_object_is_not_the_end_of_the_bundle() -> None:
    document = {
        "type": "bundle",
        "objects": [7, {"type": "x"}, {"id": "x--1"}, {"type": 5, "id": 5}, IDENTITY],
    }
    found = list(STIX.read(json.dumps(document).encode()))
    assert [type(each) for each in found] == [Unread, Unread, Unread, Unread, StixObject]
    assert found[4].where == "objects[4]"


def test_an_empty_bundle_or_envelope_holds_nothing() -> None:
    assert list(STIX.read(b'{"type": "bundle", "id": "bundle--1"}')) == []
    assert list(STIX.read(b"{}")) == []


def test_truncated_json_names_the_place() -> None:
    with pytest.raises(InvalidInput) as refused:
        list(STIX.read(b'{"objects": [\n{"type": "x"'))
    assert "line 2" in str(refused.value)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"7",
        b'{"a": 1}',
        b"[" * 10_000 + b"]" * 10_000,
        b'{"a":' * 10_000,
        b"\x00\x01",
        b'{"a": NaN}',
        b"\xff\xfe{",
    ],
)
def test_what_is_no_bundle_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidInput):
        list(STIX.read(raw))


def test_readers_by_name() -> None:
    assert [reader(each.name) for each in READERS] == list(READERS)
    with pytest.raises(InvalidInput) as refused:
        reader("xls")
    assert refused.value.advice == f"Known formats: {', '.join(each.name for each in READERS)}."


@pytest.mark.parametrize("raw", [b"", b" \n", b"\x00\x01\x02", b"<html></html>", b'{"Event": {}}', b'{"a": 1}'])
def test_unknown_files_are_refused(raw: bytes) -> None:
    with pytest.raises(InvalidInput):
        list(choose(raw, "x.bin").read(raw))


OF_20: dict[str, Any] = {
    **IDENTITY,
    "name": "A bank",
    "identity_class": "organization",
    "created": "2020-01-01T00:00:00.000Z",
    "modified": "2020-01-01T00:00:00.000Z",
}


@pytest.mark.parametrize("more", [{}, {"spec_version": "2.0"}])
def test_what_is_of_stix_20_is_handed_on_in_the_form_of_21(more: dict[str, Any]) -> None:
    document = {"type": "bundle", "id": "bundle--1", "spec_version": "2.0", "objects": [OF_20 | more]}
    assert list(STIX.read(json.dumps(document).encode())) == [StixObject("objects[0]", OF_20 | {"spec_version": "2.1"})]


def test_what_has_no_form_in_21_says_why() -> None:
    lost = {"type": "email-message", "is_multipart": False, "from_ref": "7"}
    observed = OF_20 | {"type": "observed-data", "id": "observed-data--1", "objects": {"0": lost}}
    (found,) = STIX.read(json.dumps([observed]).encode())
    assert isinstance(found, Unread)
    assert "objects.0.from_ref" in found.reason
