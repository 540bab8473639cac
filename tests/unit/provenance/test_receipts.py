"""Receipts: what is signed, and that the extension is spliced into canonical bytes."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import jsonschema_rs
import pytest
import rfc8785
import stix2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.errors import InvalidInput
from hub.provenance import jws
from hub.provenance.blinding import EXTENSION_ID, blinded_root, canonical_members
from hub.provenance.definition import extension_definition, schema
from hub.provenance.encoding import b64u
from hub.provenance.keys import FileSigner, content_digest
from hub.provenance.published import MARKINGS, carries_receipt
from hub.provenance.receipts import (
    Sealed,
    committed_source,
    detached,
    has_receipt,
    prepare,
    seal,
    without_receipt,
)

SIGNER = FileSigner(Ed25519PrivateKey.from_private_bytes(bytes(range(0x20, 0x40))))
SOURCE = committed_source("report-fraud", "identity--0b6f3a52-6f2e-4a77-8a3f-0d9b1f1f5c01", b"s" * 16)
IDENTITY = "identity--0b6f3a52-6f2e-4a77-8a3f-0d9b1f1f5c01"
INDICATOR = {
    "type": "indicator",
    "id": "indicator--3f1b6c0e-8f0d-4f52-9a0f-3f5d9b7c1a10",
    "modified": "2026-11-20T09:00:00.000Z",
    "created": "2026-11-20T09:00:00.000Z",
}


def _seal(obj: dict[str, Any], **changes: Any) -> Sealed:
    given = {
        "signer": SIGNER,
        "op": "add",
        "stix_id": obj.get("id", "x"),
        "modified": obj.get("modified"),
        "src": SOURCE,
        "acc": "2026-11-20T09:00:02.000Z",
        "idx": 7,
        "prev": None,
        "col": "fraud",
        "nonce": bytes(16),
        **changes,
    }
    return seal(prepare(obj), **given)


def _payload(sealed: Sealed) -> dict[str, Any]:
    payload: dict[str, Any] = json.loads(jws.read(sealed.receipt, jws.RECEIPT_TYPE, where="r").payload)
    return payload


@pytest.mark.parametrize(
    "obj",
    [
        INDICATOR,
        {"zeta": 1},
        {"alpha": 1},
        {"extensions": {"extension-definition--0": {"a": 1}}},
        {"extensions": {"extension-definition--f": {"a": 1}}, "zeta": 1},
        {"alpha": 1, "extensions": {"extension-definition--0": {}, "extension-definition--f": {}}},
        {"alpha": 1, "extensions": {"\U0001f600": {}, "\ufb33": {}, "extension-definition--9": 1}, "é": 2.5},
        {"extensions!": 1, "extensionz": 2},
    ],
)
def test_signed_and_plain_are_both_canonical(obj: dict[str, Any]) -> None:
    sealed = _seal(obj)
    signed = json.loads(sealed.signed)
    assert rfc8785.dumps(signed) == sealed.signed
    assert sealed.signed[: sealed.cut_start] + sealed.signed[sealed.cut_end :] == rfc8785.dumps(obj)
    extension = signed["extensions"][EXTENSION_ID]
    assert extension["receipt"] == sealed.receipt
    assert extension["seed"] == b64u(sealed.seed).decode()
    assert without_receipt(signed) == obj


def test_the_receipt_states_what_was_accepted() -> None:
    sealed = _seal(INDICATOR, prev="p" * 43)
    assert _payload(sealed) == {
        "acc": "2026-11-20T09:00:02.000Z",
        "col": "fraud",
        "id": INDICATOR["id"],
        "idx": 7,
        "modified": INDICATOR["modified"],
        "n": "A" * 22,
        "op": "add",
        "prev": "p" * 43,
        "root": blinded_root(canonical_members(INDICATOR), sealed.seed),
        "src": SOURCE,
        "v": 1,
    }
    payload = jws.read(sealed.receipt, jws.RECEIPT_TYPE, where="r").payload
    assert rfc8785.dumps(json.loads(payload)) == payload
    assert sealed.statement == b64u(hashlib.sha256(payload).digest()).decode()


def test_what_there_is_not_is_absent_and_not_null() -> None:
    sealed = _seal({"type": "domain-name", "id": "domain-name--1", "value": "a.example"})
    assert not {"modified", "prev"} & _payload(sealed).keys()


def test_seed_and_nonce_are_fresh_each_time() -> None:
    one, two = (_seal(INDICATOR, nonce=None) for _ in range(2))
    assert one.seed != two.seed
    assert _payload(one)["n"] != _payload(two)["n"]
    assert _payload(one)["root"] != _payload(two)["root"]


def test_an_unknown_operation_is_refused() -> None:
    with pytest.raises(InvalidInput, match="delete"):
        _seal(INDICATOR, op="delete")


def test_a_foreign_receipt_is_refused_until_it_is_taken_off() -> None:
    signed = json.loads(_seal(INDICATOR).signed)
    assert has_receipt(signed)
    with pytest.raises(InvalidInput, match="already carries"):
        prepare(signed)
    assert prepare(without_receipt(signed)).plain == rfc8785.dumps(INDICATOR)
    assert has_receipt(signed), "taking it off leaves the object that was given as it is"


@pytest.mark.parametrize("obj", [{}, {"extensions": {}}, {"extensions": 3}, {"name": "\ud800"}])
def test_what_cannot_be_prepared(obj: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        prepare(obj)


def test_the_built_in_markings_are_the_published_ones() -> None:
    tlp1 = (stix2.TLP_WHITE, stix2.TLP_GREEN, stix2.TLP_AMBER, stix2.TLP_RED)
    known = {marking["id"]: content_digest(json.loads(marking.serialize())) for marking in tlp1}
    assert known.items() <= MARKINGS.items()
    red = {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
        "created": "2022-10-01T00:00:00.000Z",
        "name": "TLP:RED",
        "extensions": {
            "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d": {
                "extension_type": "property-extension",
                "tlp_2_0": "red",
            }
        },
    }
    assert MARKINGS[red["id"]] == content_digest(red)
    assert len(MARKINGS) == 9


@pytest.mark.parametrize(
    ("obj", "carries"),
    [
        (INDICATOR, True),
        ({"type": "language-content", "id": "language-content--1"}, True),
        ({"type": "marking-definition", "id": "marking-definition--1"}, True),
        ({"type": "domain-name", "id": "domain-name--1"}, True),
        ({"type": "extension-definition", "id": "extension-definition--1"}, False),
        ({"type": "bundle", "id": "bundle--1"}, False),
        *(({"type": "marking-definition", "id": marking}, False) for marking in MARKINGS),
    ],
)
def test_what_carries_a_receipt(obj: dict[str, Any], carries: bool) -> None:
    assert carries_receipt(obj) is carries


def test_an_object_that_carries_none_gets_a_detached_one() -> None:
    definition = extension_definition(IDENTITY, "https://hub.example/")
    sealed = _seal(definition)
    assert (sealed.signed, sealed.cut_start, sealed.cut_end) == (rfc8785.dumps(definition), 0, 0)
    entry = detached(sealed, stix_id=definition["id"], modified=definition["modified"])
    assert entry == {
        "id": EXTENSION_ID,
        "modified": definition["modified"],
        "seed": b64u(sealed.seed).decode(),
        "receipt": sealed.receipt,
    }


def test_the_definition_is_stix() -> None:
    definition = extension_definition(IDENTITY, "https://hub.example/")
    assert definition == extension_definition(IDENTITY, "https://hub.example")
    assert definition["schema"] == "https://hub.example/provenance/v1/schema.json"
    assert json.loads(stix2.parse(definition, version="2.1").serialize()) == definition


def test_the_schema_takes_the_extension_and_nothing_more() -> None:
    extension = json.loads(_seal(INDICATOR).signed)["extensions"][EXTENSION_ID]
    validator = jsonschema_rs.validator_for(schema())
    assert validator.is_valid(extension)
    assert not validator.is_valid({**extension, "more": 1})
    for name in extension:
        assert not validator.is_valid({other: value for other, value in extension.items() if other != name})


def test_the_source_is_committed_with_a_salt() -> None:
    assert SOURCE["class"] == "report-fraud"
    assert len(SOURCE["sd"]) == 43
    assert committed_source("report-fraud", IDENTITY, b"s" * 16) == SOURCE
    assert SOURCE["sd"] != committed_source("report-fraud", IDENTITY, b"t" * 16)["sd"]
