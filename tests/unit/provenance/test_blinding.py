"""The blinded root against the published vectors, and what it refuses."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from base64 import urlsafe_b64encode
from typing import Any

import pytest
import rfc8785

from hub.errors import InvalidInput
from hub.provenance import strict_json
from hub.provenance.blinding import (
    EXTENSION_ID,
    blinded_root,
    canonical_members,
    disclosure_digest,
    root_of,
    salt_of,
)
from hub.provenance.encoding import b64u, unb64u
from hub.stix.canonical import canonical_json

SEED = bytes(range(0x40, 0x60))
INDICATOR = {
    "type": "indicator",
    "spec_version": "2.1",
    "id": "indicator--3f1b6c0e-8f0d-4f52-9a0f-3f5d9b7c1a10",
    "created_by_ref": "identity--0b6f3a52-6f2e-4a77-8a3f-0d9b1f1f5c01",
    "created": "2026-11-20T09:00:00.000Z",
    "modified": "2026-11-20T09:00:00.000Z",
    "name": "Mule account (APP fraud)",
    "description": "Account named in 3 APP scam reports",
    "indicator_types": ["malicious-activity"],
    "pattern": "[url:value = 'https://hmrc-refund.example/pay']",
    "pattern_type": "stix",
    "pattern_version": "2.1",
    "valid_from": "2026-11-20T09:00:00Z",
    "confidence": 60,
    "object_marking_refs": ["marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"],
    "labels": ["app-fraud"],
}


def _slow_root(obj: dict[str, Any], seed: bytes) -> str:
    """The root as the design spells it, step by step."""

    def text(raw: bytes) -> str:
        return urlsafe_b64encode(raw).rstrip(b"=").decode()

    values = {name: value for name, value in obj.items() if name != "extensions"}
    values |= {f"extensions/{key}": value for key, value in obj.get("extensions", {}).items()}
    digests = []
    for path, value in values.items():
        salt = text(hmac.new(seed, b"salt\0" + path.encode(), hashlib.sha256).digest()[:16])
        disclosure = text(rfc8785.dumps([salt, path, value]))
        digests.append(text(hashlib.sha256(disclosure.encode()).digest()))
    return text(hashlib.sha256(rfc8785.dumps(sorted(digests))).digest())


def test_published_vectors() -> None:
    members = canonical_members(INDICATOR)
    assert len(members) == 16
    plain = b"{" + b",".join(json.dumps(path).encode() + b":" + value for path, value in members) + b"}"
    assert hashlib.sha256(plain).hexdigest() == "1820b3a9bbaae56a881427f2b8bca9ab43aec6c8d077ebe54b201c8e5efb611b"
    salt = salt_of("name", SEED)
    assert salt == "NOCTvChSv-lbpl_PE7BZgg"
    digest = disclosure_digest(salt.encode(), b'"name"', dict(members)["name"])
    assert digest == b"VFttc5MlY8U_V6Ia5U1kl7B8ivj-Ul9KyuvEON4v3RM"
    assert blinded_root(members, SEED) == "VR7s6cAQYcoMJjtuBzORY5h2GId0C5-aiggKdXUahwU"


def test_disclosure_digest_of_rfc_9901_section_4_2_3() -> None:
    # The RFC's own disclosure has spaces after its commas, so it goes in as ready text.
    disclosure = b'["_26bc4LT-ac6q2KI6cBW5es", "family_name", "M\xc3\xb6bius"]'
    assert b64u(hashlib.sha256(b64u(disclosure)).digest()) == b"X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0"


@pytest.mark.parametrize(
    "obj",
    [
        INDICATOR,
        {**INDICATOR, "extensions": {"extension-definition--b": {"x": 1.5}, "extension-definition--a": {}}},
        {"é": "ß", "\U0001f600": None, "\ufb33": [], 'a"b\\\n': True, "z": "\x01\x7f"},
    ],
)
def test_root_is_the_one_of_the_definition(obj: dict[str, Any]) -> None:
    assert blinded_root(canonical_members(obj), SEED) == _slow_root(obj, SEED)
    assert canonical_members(obj) == canonical_members(obj, canonical_json)


def test_a_hidden_property_leaves_the_root_as_it_is() -> None:
    members = canonical_members(INDICATOR)
    hidden = disclosure_digest(salt_of("name", SEED).encode(), b'"name"', dict(members)["name"])
    shown = [
        disclosure_digest(salt_of(path, SEED).encode(), json.dumps(path).encode(), value)
        for path, value in members
        if path != "name"
    ]
    assert root_of([hidden, *shown]) == blinded_root(members, SEED)


def test_the_hub_extension_is_left_out_and_each_other_is_a_path() -> None:
    obj = {"type": "x", "extensions": {EXTENSION_ID: {"seed": "s"}, "extension-definition--other": {"k": 1}}}
    assert canonical_members(obj) == [
        ("extensions/extension-definition--other", b'{"k":1}'),
        ("type", b'"x"'),
    ]


def test_members_come_in_the_order_of_utf_16_units() -> None:
    # U+1F600 is two units from D83D on, before U+FB33, though its code point is higher.
    obj = {"\ufb33": 1, "\U0001f600": 2, "z": 3, "extensions": {"x": 4}, "extensions!": 5}
    assert [path for path, _ in canonical_members(obj)] == [
        "extensions/x",
        "extensions!",
        "z",
        "\U0001f600",
        "\ufb33",
    ]


@pytest.mark.parametrize(
    "obj",
    [
        {"extensions": {}},
        {"extensions": []},
        {"extensions": None},
        {"extensions/extension-definition--a": {"k": 1}},
        {"name": "\ud800"},
        {"\ud800": 1},
        {"name": float("nan")},
        {"name": 2**53},
        {"name": object()},
        {3: "three", "four": 4},
    ],
)
@pytest.mark.parametrize("canonical", [strict_json.canonical, canonical_json])
def test_refused(obj: dict[str, Any], canonical: Any) -> None:
    with pytest.raises(InvalidInput):
        canonical_members(obj, canonical)


def test_a_seed_of_another_length_is_refused() -> None:
    with pytest.raises(InvalidInput, match="32 bytes"):
        blinded_root([("name", b'"n"')], b"short")


@pytest.mark.parametrize("spelled", ["QQ=", "Q Q", "QR", "Q", "Q+", "é", "QQ\n", None, 7])
def test_base64url_has_one_spelling(spelled: object) -> None:
    with pytest.raises(InvalidInput):
        unb64u(spelled, where="here")


def test_base64url_of_the_right_length_is_read() -> None:
    assert unb64u("QQ", where="here", size=1) == b"A"
    with pytest.raises(InvalidInput, match="1 bytes where 2"):
        unb64u("QQ", where="here", size=2)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a":1,"a":1}',
        b'{"a":{"b":1,"b":2}}',
        b"[NaN]",
        b"[-Infinity]",
        b"[1e400]",
        b"[9007199254740992]",
        b"[9007199254740993.0]",
        b"[" + b"9" * 10_000 + b"]",
        b"\xef\xbb\xbf{}",
        b'["\xff"]',
        '{"a":1}'.encode("utf-16"),
        b"[" * 100_000,
        b"[1] 2",
        b"",
    ],
)
def test_strict_reading_refuses(raw: bytes) -> None:
    with pytest.raises(InvalidInput):
        strict_json.parse(raw)


def test_strict_reading_accepts() -> None:
    value = strict_json.parse(b'{"a":[9007199254740991,-0,1.5,1e21,null,true],"\xc3\xa9":"\\ud83d\\ude00"}')
    assert value == {"a": [2**53 - 1, 0, 1.5, 1e21, None, True], "é": "\U0001f600"}


def test_vectors_are_spelled_as_base64url() -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", salt_of("é", SEED))
