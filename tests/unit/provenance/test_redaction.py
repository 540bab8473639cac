"""Redacted views: what they hold, that they are the same each time, and what they refuse to be made of."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.errors import InvalidInput
from hub.provenance.blinding import EXTENSION_ID
from hub.provenance.definition import schema
from hub.provenance.keys import FileSigner, PublishedKey, Role, jwks
from hub.provenance.receipts import committed_source, prepare, seal
from hub.provenance.redaction import redact
from hub.provenance.verify import verify_bundle

RECEIPTS = FileSigner(Ed25519PrivateKey.from_private_bytes(bytes(range(0x20, 0x40))))
VIEWS = FileSigner(Ed25519PrivateKey.from_private_bytes(bytes(range(0x40, 0x60))))
KEYS = jwks(
    [
        PublishedKey(RECEIPTS.public_jwk(), Role.HUB_RECEIPT, "hub.example", 0),
        PublishedKey(VIEWS.public_jwk(), Role.HUB_VIEW, "hub.example", 0),
    ]
)
OTHER = "extension-definition--other"
OBJECT: dict[str, Any] = {
    "type": "malware", "spec_version": "2.1", "id": "malware--3f1b6c0e-8f0d-4f52-9a0f-3f5d9b7c1a10",
    "created": "2026-11-20T09:00:00.000Z", "modified": "2026-11-20T09:00:00.000Z", "is_family": False,
    "name": "Ünïcode \u2028 \"quoted\"", "confidence": 1.5, "x_é": "last", "extensions": {OTHER: {"rank": 3}},
}  # fmt: skip


def _full(obj: dict[str, Any]) -> dict[str, Any]:
    sealed = seal(
        prepare(obj), signer=RECEIPTS, op="add", stix_id=obj["id"], modified=obj["modified"],
        src=committed_source("member", "m", b"s" * 16), acc="2026-11-20T09:00:02.000Z", idx=7, prev=None, col="fraud",
    )  # fmt: skip
    full: dict[str, Any] = json.loads(sealed.signed)
    return full


def _redacted(full: dict[str, Any], shown: dict[str, Any]) -> Any:
    return redact(full, shown, signer=VIEWS, audience="without amber", since="2026-11-20T09:00:02.000Z")


def _without(*paths: str) -> dict[str, Any]:
    return {name: value for name, value in OBJECT.items() if name not in paths}


@pytest.mark.parametrize(
    ("shown", "hidden"),
    [
        (_without("name"), 1),
        (_without("x_é", "confidence"), 2),
        (_without("extensions"), 1),
        (_without("extensions", "name", "x_é"), 3),
        ({name: OBJECT[name] for name in ("type", "id", "modified")}, 7),
    ],
)
def test_a_view_of_any_part_is_sound(shown: dict[str, Any], hidden: int) -> None:
    """Canonical bytes, the plain form found by cutting, the closed schema, the receipt, the count."""
    view = _redacted(_full(OBJECT), shown)
    content = json.loads(view.signed)
    assert rfc8785.dumps(content) == view.signed
    assert view.signed[: view.cut_start] + view.signed[view.cut_end :] == rfc8785.dumps(shown)
    extension = content["extensions"][EXTENSION_ID]
    assert jsonschema_rs.is_valid(schema(), extension)
    assert not jsonschema_rs.is_valid(schema(), {**extension, "seed": "A" * 43})
    assert not jsonschema_rs.is_valid(schema(), {n: v for n, v in extension.items() if n != "view"})
    (report,) = verify_bundle(view.signed, KEYS, None, ["receipt"])
    assert (report.result, report.reason, report.hidden) == ("sound", None, hidden)


def test_a_view_is_the_same_each_time() -> None:
    """So that it can be cached, and named by an ETag that every process gives."""
    full = _full(OBJECT)
    assert _redacted(full, _without("name")) == _redacted(full, _without("name"))


@pytest.mark.parametrize(
    "shown",
    [{**OBJECT, "name": "another"}, {**OBJECT, "x_more": 1}, {**OBJECT, "extensions": {OTHER: {"rank": 4}}}],
    ids=["altered", "added", "extension"],
)
def test_a_view_shows_nothing_of_its_own(shown: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        _redacted(_full(OBJECT), shown)


def test_without_a_receipt_there_is_no_view() -> None:
    for full in (OBJECT, _redacted_dict()):
        with pytest.raises(InvalidInput):
            _redacted(full, _without("name"))


def test_what_is_left_of_the_markings_is_vouched_for() -> None:
    """Shown in the place of the markings; any other word in that place is invalid."""
    marks = [{"marking_ref": "m", "selectors": ["name"]}, {"marking_ref": "m", "selectors": ["confidence"]}]
    obj = {**OBJECT, "granular_markings": marks}
    view = json.loads(_redacted(_full(obj), {**_without("name"), "granular_markings": marks[1:]}).signed)
    assert view["extensions"][EXTENSION_ID]["set"] == ["granular_markings"]
    assert _result(view) == "sound"
    assert _result({**view, "granular_markings": marks}) == "invalid"
    assert _result({name: value for name, value in view.items() if name != "granular_markings"}) == "invalid"


def test_a_view_of_everything_hides_nothing_and_is_none() -> None:
    """An empty 'hidden' is not a view: such an object is served in full."""
    assert _result(json.loads(_redacted(_full(OBJECT), OBJECT).signed)) == "invalid"


def test_no_member_is_spare() -> None:
    """Each change of the extension is seen; so is a member that says nothing."""
    view = _redacted_dict()
    extension = view["extensions"][EXTENSION_ID]
    for change in (
        {"set": []},
        {"set": ["name"]},
        {"set": [["x"]]},
        {"set": None},
        {"hidden": [{}]},
        {"salts": {"type": 7}},
    ):
        assert (
            _result({**view, "extensions": {**view["extensions"], EXTENSION_ID: {**extension, **change}}}) == "invalid"
        )
    for path, salt in extension["salts"].items():
        salts = {**extension["salts"], path: ("B" if salt[0] == "A" else "A") + salt[1:]}
        assert (
            _result({**view, "extensions": {**view["extensions"], EXTENSION_ID: {**extension, "salts": salts}}})
            == "invalid"
        )


def _redacted_dict() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_redacted(_full(OBJECT), _without("name")).signed)
    return found


def _result(content: dict[str, Any]) -> str:
    (report,) = verify_bundle(json.dumps(content).encode(), KEYS, None, [])
    return report.result
