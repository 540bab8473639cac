"""The verifier: what is sound, what is invalid, what leaves a policy unmet, what cannot be read."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import stix2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.errors import InvalidInput
from hub.provenance import jws, published
from hub.provenance.blinding import EXTENSION_ID
from hub.provenance.definition import extension_definition
from hub.provenance.encoding import b64u
from hub.provenance.keys import FileSigner, PublishedKey, Revocation, Role, jwks
from hub.provenance.receipts import Sealed, committed_source, detached, prepare, seal
from hub.provenance.verify import ObjectReport, exit_code, run, verify_bundle

SIGNER = FileSigner(Ed25519PrivateKey.from_private_bytes(bytes(range(0x20, 0x40))))
STRANGER = FileSigner(Ed25519PrivateKey.from_private_bytes(bytes(range(0x20))))
KEYS = jwks([PublishedKey(SIGNER.public_jwk(), Role.HUB_RECEIPT, "hub.example", 0)])
IDENTITY = "identity--0b6f3a52-6f2e-4a77-8a3f-0d9b1f1f5c01"
INDICATOR = {
    "type": "indicator",
    "spec_version": "2.1",
    "id": "indicator--3f1b6c0e-8f0d-4f52-9a0f-3f5d9b7c1a10",
    "created": "2026-11-20T09:00:00.000Z",
    "modified": "2026-11-20T09:00:00.000Z",
    "pattern": "[domain-name:value = 'hmrc-refund.example']",
    "confidence": 60,
    "labels": ["app-fraud"],
    "extensions": {"extension-definition--other": {"rank": 3}},
}
OTHER = {**INDICATOR, "id": "indicator--00000000-8f0d-4f52-9a0f-3f5d9b7c1a10"}
DOMAIN = {"type": "domain-name", "spec_version": "2.1", "id": "domain-name--1", "value": "a.example"}
WHITE = json.loads(stix2.TLP_WHITE.serialize())
DEFINITION = extension_definition(IDENTITY, "https://hub.example")


def _seal(obj: dict[str, Any], **changes: Any) -> Sealed:
    given = {
        "signer": SIGNER,
        "op": "add",
        "stix_id": obj["id"],
        "modified": obj.get("modified"),
        "src": committed_source("report-fraud", IDENTITY, b"s" * 16),
        "acc": "2026-11-20T09:00:02.000Z",
        "idx": 7,
        "prev": None,
        "col": "fraud",
        **changes,
    }
    return seal(prepare(obj), **given)


def _signed(obj: dict[str, Any], **changes: Any) -> dict[str, Any]:
    signed: dict[str, Any] = json.loads(_seal(obj, **changes).signed)
    return signed


def _proofs(obj: dict[str, Any], **changes: Any) -> dict[str, Any]:
    entry = detached(_seal(obj, **changes), stix_id=obj["id"], modified=obj.get("modified"))
    return {"proofs": [entry]}


def _verify(content: Any, proofs: Any = None, require: tuple[str, ...] = (), keys: Any = KEYS) -> Any:
    return verify_bundle(json.dumps(content).encode(), keys, proofs, require)


def _one(content: Any, **given: Any) -> ObjectReport:
    (report,) = _verify(content, **given)
    assert isinstance(report, ObjectReport)
    return report


def test_a_sound_object_reports_what_its_receipt_says() -> None:
    report = _one(_signed(INDICATOR))
    assert report == ObjectReport(
        id=INDICATOR["id"],
        modified=INDICATOR["modified"],
        levels=["receipt"],
        source="report-fraud",
        acc="2026-11-20T09:00:02.000Z",
        idx=7,
        key_status="valid",
    )
    assert exit_code([report]) == 0


@pytest.mark.parametrize(
    "wrap",
    [
        lambda obj: obj,
        lambda obj: [obj],
        lambda obj: {"objects": [obj]},
        lambda obj: {"more": True, "next": "n", "objects": [obj]},
        lambda obj: {"type": "bundle", "id": "bundle--1", "objects": [obj]},
    ],
)
def test_every_container_is_read(wrap: Callable[[Any], Any]) -> None:
    assert [report.result for report in _verify(wrap(_signed(INDICATOR)))] == ["sound"]
    assert exit_code(_verify(wrap(INDICATOR))) == 1


@pytest.mark.parametrize("empty", [{}, [], {"more": False}, {"type": "bundle", "id": "bundle--1"}])
def test_nothing_to_verify_is_sound(empty: Any) -> None:
    assert exit_code(_verify(empty)) == 0


@pytest.mark.parametrize("obj", [INDICATOR, DOMAIN, {"type": "indicator", "id": "x", "extensions": {}}])
def test_an_object_without_receipt_is_invalid(obj: dict[str, Any]) -> None:
    report = _one([obj])
    assert (report.result, report.reason) == ("invalid", "no receipt")


@pytest.mark.parametrize("obj", [1, None, "x", [], {"id": "x"}, {"type": "x"}, {"type": 1, "id": "x"}])
def test_what_is_no_object_is_invalid(obj: Any) -> None:
    assert _one([obj]).result == "invalid"


@pytest.mark.parametrize(
    "change",
    [
        {"confidence": 61},
        {"confidence": None},
        {"labels": []},
        {"modified": "2026-11-20T09:00:00.001Z"},
        {"modified": None},
        {"id": OTHER["id"]},
        {"type": "bundle"},
        {"type": "extension-definition"},
        {"x_more": 1},
        {"extensions/extension-definition--other": {"rank": 3}},
    ],
)
def test_a_change_is_invalid(change: dict[str, Any]) -> None:
    changed = {**_signed(INDICATOR), **change}
    assert exit_code(_verify([changed])) == 1
    assert exit_code(_verify(changed)) == 1


@pytest.mark.parametrize("name", sorted(INDICATOR))
def test_a_removed_property_is_invalid(name: str) -> None:
    signed = _signed(INDICATOR)
    del signed[name]
    assert exit_code(_verify(signed)) == 1


def test_an_extension_does_not_pass_for_a_property() -> None:
    signed = _signed(INDICATOR)
    signed["extensions/extension-definition--other"] = signed["extensions"].pop("extension-definition--other")
    assert _one(signed).result == "invalid"


@pytest.mark.parametrize(
    "change",
    [
        {"claim": "x"},
        {"set": ["confidence"]},
        {"orig": {"confidence": 60}},
        {"salts": {}},
        {"hidden": []},
        {"profile": "hub-prov-2"},
        {"extension_type": "new-sdo"},
        {"seed": "A" * 43},
        {"seed": "A" * 42},
        {"seed": None},
        {"receipt": "a.b.c"},
        {"receipt": None},
    ],
)
def test_a_change_of_the_extension_is_invalid(change: dict[str, Any]) -> None:
    signed = _signed(INDICATOR)
    signed["extensions"][EXTENSION_ID].update(change)
    assert _one(signed).result == "invalid"


@pytest.mark.parametrize("name", ["extension_type", "profile", "receipt", "seed"])
def test_a_missing_member_of_the_extension_is_invalid(name: str) -> None:
    signed = _signed(INDICATOR)
    del signed["extensions"][EXTENSION_ID][name]
    assert _one(signed).result == "invalid"


@pytest.mark.parametrize("extension", [None, [], "x", {}])
def test_an_emptied_extension_is_invalid_even_beside_a_detached_receipt(extension: Any) -> None:
    emptied = {**INDICATOR, "extensions": {**INDICATOR["extensions"], EXTENSION_ID: extension}}
    assert _one(emptied, proofs=_proofs(INDICATOR)).result == "invalid"


def test_no_character_of_receipt_and_seed_is_spare() -> None:
    signed = _signed(INDICATOR)
    extension = signed["extensions"][EXTENSION_ID]
    for name in ("receipt", "seed"):
        text = extension[name]
        # The last character of a base64url string has low bits that a lax reader ignores.
        for place in [*range(0, len(text), 29), len(text) - 1]:
            for other in "AQgw_-":
                if text[place] != other:
                    extension[name] = text[:place] + other + text[place + 1 :]
                    assert _one(signed).result == "invalid", (name, place, other)
        extension[name] = text
    assert _one(signed).result == "sound"


def test_the_receipt_of_another_object_is_invalid() -> None:
    one, other = _signed(INDICATOR), _signed(OTHER, idx=8)
    one["extensions"][EXTENSION_ID] = other["extensions"][EXTENSION_ID]
    assert _one(one).reason == "the receipt is for another object or version"


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ({"v": 2}, "version 1"),
        ({"claim": "x"}, "version 1"),
        ({"idx": "7"}, "version 1"),
        ({"idx": True}, "version 1"),
        ({"prev": None}, "version 1"),
        ({"src": {"class": 1}}, "source"),
        ({"op": "erase"}, "erase"),
    ],
)
def test_a_signed_receipt_of_another_form_is_invalid(payload: dict[str, Any], reason: str) -> None:
    signed = _signed(INDICATOR)
    extension = signed["extensions"][EXTENSION_ID]
    stated = json.loads(jws.read(extension["receipt"], jws.RECEIPT_TYPE, where="r").payload)
    changed = json.dumps({**stated, **payload}).encode()
    extension["receipt"] = jws.sign(SIGNER, jws.RECEIPT_TYPE, changed).decode()
    report = _one(signed)
    assert report.result == "invalid"
    assert reason in (report.reason or "")


def _keys(signer: FileSigner = SIGNER, role: Role = Role.HUB_RECEIPT, **limits: Any) -> dict[str, Any]:
    return jwks([PublishedKey(signer.public_jwk(), role, "hub.example", limits.pop("from_idx", 0), **limits)])


@pytest.mark.parametrize(
    ("keys", "result", "status"),
    [
        (_keys(until_idx=8), "sound", "valid"),
        (_keys(until_idx=7), "invalid", "outside"),
        (_keys(from_idx=8), "invalid", "outside"),
        (_keys(revoked=Revocation("stolen", 7)), "unmet", "suspect"),
        (_keys(revoked=Revocation("stolen", 8)), "sound", "valid"),
        (_keys(until_idx=7, revoked=Revocation("stolen", 3)), "invalid", "outside"),
        (_keys(STRANGER), "invalid", None),
        (_keys(role=Role.SOURCE), "invalid", None),
        (_keys(role=Role.HUB_VIEW), "invalid", None),
        ({"keys": []}, "invalid", None),
    ],
)
def test_the_key_must_count_at_the_index(keys: Any, result: str, status: str | None) -> None:
    report = _one(_signed(INDICATOR), keys=keys)
    assert (report.result, report.key_status) == (result, status)


@pytest.mark.parametrize("level", ["source", "log", "witness"])
def test_a_required_level_that_is_not_shown_leaves_the_policy_unmet(level: str) -> None:
    reports = _verify([_signed(INDICATOR), WHITE], require=("receipt", level))
    assert [report.result for report in reports] == ["unmet", "sound"]
    assert level in (reports[0].reason or "")
    assert exit_code(reports) == 3
    assert exit_code(_verify([INDICATOR], require=(level,))) == 1, "invalid outweighs unmet"


def test_published_markings_are_known_byte_for_byte() -> None:
    assert _one(WHITE).levels == ["published"]
    assert _one({**WHITE, "name": "TLP:CLEAR"}).result == "invalid"
    assert _one({**WHITE, "type": "indicator"}).result == "invalid"


def test_a_definition_needs_a_detached_receipt_or_a_pin() -> None:
    assert _one(DEFINITION).result == "unmet"
    proofs = _proofs(DEFINITION)
    assert _one(DEFINITION, proofs=proofs).levels == ["receipt"]
    for change in ({"name": "x"}, {"modified": "2027-01-01T00:00:00.000Z"}, {"version": "1.0.1"}):
        assert _one({**DEFINITION, **change}, proofs=proofs).result == "invalid"
    pinned = {**KEYS, **jwks([], [DEFINITION]), "keys": KEYS["keys"]}
    assert _one(DEFINITION, keys=pinned).levels == ["published"]
    assert _one({**DEFINITION, "name": "x"}, keys=pinned).result == "invalid"


def test_a_definition_that_comes_with_the_package_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = {**DEFINITION, "id": "extension-definition--shipped"}
    (tmp_path / "one.json").write_text(json.dumps(shipped))
    monkeypatch.setattr(published, "_DEFINITIONS", tmp_path)
    published.definitions.cache_clear()
    try:
        assert _one(shipped).levels == ["published"]
        assert _one({**shipped, "name": "x"}).result == "invalid"
        assert _one({**shipped, "modified": "2027-01-01T00:00:00.000Z"}).result == "unmet"
    finally:
        published.definitions.cache_clear()


def test_the_definitions_of_the_package_can_be_read() -> None:
    assert all(len(digest) == 43 for digest in published.definitions().values())


@pytest.mark.parametrize("obj", [INDICATOR, DOMAIN])
def test_a_detached_receipt_serves_a_plain_object(obj: dict[str, Any]) -> None:
    proofs = _proofs(obj)
    assert _one(obj, proofs=proofs).result == "sound"
    assert _one(obj, proofs=proofs["proofs"]).result == "sound"
    assert _one({**obj, "x_more": 1}, proofs=proofs).result == "invalid"


def test_repeats_are_sound_and_contradictions_are_not() -> None:
    one = _signed(INDICATOR)
    assert exit_code(_verify([one, one])) == 0
    same_version = _verify([one, _signed({**INDICATOR, "confidence": 1}, idx=8)])
    assert [report.result for report in same_version] == ["invalid", "invalid"]
    assert "same version" in same_version[0].reason
    same_index = _verify([one, _signed(OTHER), _signed(DOMAIN, idx=9)])
    assert [report.result for report in same_index] == ["invalid", "invalid", "sound"]
    assert "same index" in same_index[0].reason
    later = {**INDICATOR, "modified": "2026-11-21T09:00:00.000Z"}
    assert exit_code(_verify([one, _signed(later, idx=8, op="revise")])) == 0
    assert exit_code(_verify([one, _signed(later)])) == 1
    assert exit_code(_verify([_signed(DOMAIN, idx=1), _signed({**DOMAIN, "x": 1}, idx=2)])) == 0
    spoiled = _verify([one, {**one, "confidence": 1}])
    assert [report.result for report in spoiled] == ["sound", "invalid"]


@pytest.mark.parametrize(
    ("raw", "proofs", "require"),
    [
        (b"", None, ()),
        (b"7", None, ()),
        (b'{"a":1}', None, ()),
        (b'{"objects":{}}', None, ()),
        (b'{"objects":[],"objects":[]}', None, ()),
        (b"[" * 100_000, None, ()),
        (b"[]", {}, ()),
        (b"[]", "x", ()),
        (b"[]", [{"id": "x"}], ()),
        (b"[]", [{"id": 1, "modified": None, "seed": "s", "receipt": "r"}], ()),
        (b"[]", [{"id": "x", "modified": None, "seed": s, "receipt": "r"} for s in "ab"], ()),
        (b"[]", None, ("everything",)),
    ],
)
def test_what_cannot_be_read_is_refused(raw: bytes, proofs: Any, require: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput):
        verify_bundle(raw, KEYS, proofs, require)


def test_hostile_values_are_reported_and_not_raised() -> None:
    deep: Any = 1
    for _ in range(900):
        deep = [deep]
    lone = b'{"type":"x","id":"\\ud800","extensions":{"e":"\\udfff"}}'
    assert [r.result for r in verify_bundle(b"[" + lone + b"]", KEYS, None, ())] == ["invalid"]
    assert _one({**_signed(INDICATOR), "x_deep": deep}).result == "invalid"
    bad_proof = [{"id": "domain-name--1", "modified": None, "seed": {}, "receipt": []}]
    assert _one(DOMAIN, proofs=bad_proof).result == "invalid"


@pytest.mark.parametrize("pins", [[], {"x": 1}])
def test_pins_of_another_form_are_refused(pins: Any) -> None:
    with pytest.raises(InvalidInput):
        verify_bundle(b"[]", {**KEYS, "definitions": pins}, None, ())


def test_run_prints_a_line_for_each_object(tmp_path: Path) -> None:
    for name, content in {
        "keys": KEYS,
        "proofs": _proofs(DEFINITION, idx=9),
        "sound": [_signed(INDICATOR), DEFINITION],
        "spoiled": [{**_signed(INDICATOR), "confidence": 1}],
    }.items():
        (tmp_path / name).write_text(json.dumps(content))

    def verify(name: str, **given: Any) -> tuple[int, list[Any], str]:
        out, err = io.StringIO(), io.StringIO()
        code = run(str(tmp_path / name), keys=str(tmp_path / "keys"), out=out, err=err, **given)
        return code, [json.loads(line) for line in out.getvalue().splitlines()], err.getvalue()

    code, lines, _ = verify("sound", proofs=str(tmp_path / "proofs"))
    assert (code, [line["result"] for line in lines]) == (0, ["sound", "sound"])
    assert lines[0].keys() == {
        "id", "modified", "levels", "source", "acc", "idx", "hidden",
        "key_status", "restored", "result", "reason",
    }  # fmt: skip
    assert verify("sound")[0] == 3
    assert verify("spoiled")[0] == 1
    assert verify("spoiled", require={"log"})[0] == 1
    for code, lines, fault in (verify("absent"), verify("."), verify("sound", require={"x"})):
        assert (code, lines) == (2, [])
        assert fault.startswith("hub verify: ")


def test_the_verifier_needs_two_libraries_and_no_database() -> None:
    program = (
        "import sys, hub.provenance.verify;"
        "print(*sorted({name.partition('.')[0] for name in sys.modules} - set(sys.stdlib_module_names)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    third_party = {name for name in done.stdout.split() if not name.startswith("_")}
    assert {"cryptography", "hub", "rfc8785"} <= third_party
    assert not third_party & {"orjson", "sqlalchemy", "flask", "joserfc", "pydantic", "stix2"}


def test_a_statement_is_named_by_its_payload() -> None:
    sealed = _seal(INDICATOR)
    assert len(sealed.statement) == len(b64u(bytes(32)))
