"""Any object can be sealed and verified; any single change of the sealed object is found."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.errors import InvalidInput
from hub.provenance.blinding import EXTENSION_ID
from hub.provenance.keys import FileSigner, PublishedKey, Role, jwks
from hub.provenance.receipts import Sealed, prepare, seal, without_receipt
from hub.provenance.verify import exit_code, verify_bundle

SIGNER = FileSigner(Ed25519PrivateKey.from_private_bytes(bytes(range(0x20, 0x40))))
KEYS = jwks([PublishedKey(SIGNER.public_jwk(), Role.HUB_RECEIPT, "hub.example", 0)])
SAFE = 2**53 - 1

# NUL is left to the reader of the hub; lone surrogates have no canonical form.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
names = st.one_of(
    st.sampled_from(["a", "description", "extensionz", "extensions!", "zeta", "é", "\ufb33", "\U0001f600"]),
    texts,
).filter(lambda name: name != "extensions" and not name.startswith("extensions/"))
numbers = st.one_of(
    st.integers(-SAFE, SAFE),
    st.floats(-SAFE, SAFE, allow_nan=False),
    st.floats(min_value=1e21, max_value=1e300),
)
scalars = st.one_of(st.none(), st.booleans(), numbers, texts)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=8,
)
extension_ids = st.one_of(
    st.sampled_from(["extension-definition--0", "extension-definition--f", "\U0001f600"]), texts
).filter(lambda key: key != EXTENSION_ID)
extensions = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"extensions": st.dictionaries(extension_ids, values, min_size=1, max_size=3)}),
)


@st.composite
def objects(draw: st.DrawFn) -> dict[str, Any]:
    obj = draw(st.dictionaries(names, values, max_size=6))
    obj |= {"type": "indicator", "id": "indicator--3f1b6c0e-8f0d-4f52-9a0f-3f5d9b7c1a10"}
    obj.pop("modified", None)
    if draw(st.booleans()):
        obj["modified"] = "2026-11-20T09:00:00.000Z"
    shuffled = draw(st.permutations(list({**obj, **draw(extensions)}.items())))
    return dict(shuffled)


def _seal(obj: dict[str, Any]) -> Sealed:
    return seal(
        prepare(obj),
        signer=SIGNER,
        op="add",
        stix_id=obj["id"],
        modified=obj.get("modified"),
        src={"class": "bank", "sd": "d" * 43},
        acc="2026-11-20T09:00:02.000Z",
        idx=7,
        prev=None,
        col="fraud",
    )


def _code(content: Any) -> int:
    return exit_code(verify_bundle(json.dumps(content).encode(), KEYS, None, ()))


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every (container, key) at any depth."""
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from _places(value[key])


def _containers(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        yield value
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _containers(inner)


@settings(max_examples=200, deadline=None)
@given(objects())
def test_signed_and_plain_forms_are_canonical(obj: dict[str, Any]) -> None:
    sealed = _seal(obj)
    signed = json.loads(sealed.signed)
    assert rfc8785.dumps(signed) == sealed.signed
    plain = sealed.signed[: sealed.cut_start] + sealed.signed[sealed.cut_end :]
    assert plain == rfc8785.dumps(obj)
    assert rfc8785.dumps(without_receipt(signed)) == plain
    assert exit_code(verify_bundle(sealed.signed, KEYS, None, ())) == 0
    (report,) = verify_bundle(plain, KEYS, None, ())
    assert (report.result, report.reason) == ("invalid", "no receipt")


@settings(max_examples=300, deadline=None)
@given(objects(), values, st.data())
def test_any_single_change_is_found(obj: dict[str, Any], value: Any, data: st.DataObject) -> None:
    signed = json.loads(_seal(obj).signed)
    changed = copy.deepcopy(signed)
    how = data.draw(st.sampled_from(["change", "remove", "add"]))
    if how == "add":
        container = data.draw(st.sampled_from(list(_containers(changed))))
        if isinstance(container, list):
            container.insert(data.draw(st.integers(0, len(container))), value)
        else:
            container[data.draw(texts.filter(lambda name: name not in container))] = value
    else:
        container, key = data.draw(st.sampled_from(list(_places(changed))))
        if how == "remove":
            del container[key]
        else:
            container[key] = value
    if rfc8785.dumps(changed) == rfc8785.dumps(signed):
        assert _code(changed) == 0
    else:
        assert _code(changed) == 1
        assert _code([changed]) == 1


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(["receipt", "seed"]), st.data())
def test_any_single_character_counts(name: str, data: st.DataObject) -> None:
    signed = json.loads(_seal({"type": "indicator", "id": "indicator--1"}).signed)
    extension = signed["extensions"][EXTENSION_ID]
    text = extension[name]
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters(codec="ascii").filter(lambda character: character != text[place]))
    extension[name] = text[:place] + other + text[place + 1 :]
    assert _code(signed) == 1


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(max_size=60), values.map(lambda value: json.dumps(value).encode())))
def test_any_input_is_reported_or_refused(raw: bytes) -> None:
    try:
        reports = verify_bundle(raw, KEYS, None, ())
    except InvalidInput:
        return
    assert all(report.result == "invalid" for report in reports)
