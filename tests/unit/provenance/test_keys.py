"""Keys: their names, their files, and what the published set says of them."""

from __future__ import annotations

import json
import multiprocessing
import os
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jws as oracle
from joserfc.jwk import OKPKey

from hub.errors import InvalidInput, NotFound
from hub.provenance import jws
from hub.provenance.encoding import b64u
from hub.provenance.keys import (
    FileSigner,
    KeyStatus,
    PublishedKey,
    Revocation,
    Role,
    jwks,
    read_jwks,
    thumbprint,
)

SOURCE = FileSigner(Ed25519PrivateKey.from_private_bytes(bytes(range(0x20))))
HUB = FileSigner(Ed25519PrivateKey.from_private_bytes(bytes(range(0x20, 0x40))))


def test_published_kids() -> None:
    assert SOURCE.kid == "1IG2tMH7J2wbJZnOf8LJzQitKf7LMvoAElsuDMVM54Y"
    assert HUB.kid == "AkXIZFzonb59ZmGwyKgi3H3BwMi6amevqdKQiLZhdtc"


def test_thumbprint_of_rfc_8037_a_3() -> None:
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    assert thumbprint({**jwk, "use": "sig"}) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


@pytest.mark.parametrize("jwk", [{}, {"kty": "oct", "k": "x"}, {"kty": []}, {"kty": "OKP", "crv": "Ed25519"}])
def test_thumbprint_refuses(jwk: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        thumbprint(jwk)


def test_a_token_holds_for_an_independent_reader() -> None:
    token = jws.sign(HUB, jws.RECEIPT_TYPE, b'{"v":1}')
    read = oracle.deserialize_compact(token, OKPKey.import_key(HUB.public_jwk()), algorithms=["Ed25519"])
    assert read.payload == b'{"v":1}'
    assert read.protected == {"alg": "Ed25519", "kid": HUB.kid, "typ": "stix-receipt+jws"}


def test_an_independent_writer_is_read() -> None:
    header = {"alg": "Ed25519", "kid": "k", "typ": jws.RECEIPT_TYPE}
    token = oracle.serialize_compact(header, b"x", OKPKey.generate_key("Ed25519"), algorithms=["Ed25519"])
    taken = jws.read(token, jws.RECEIPT_TYPE, where="receipt")
    assert (taken.kid, taken.payload) == ("k", b"x")


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "EdDSA", "kid": "k", "typ": jws.RECEIPT_TYPE},
        {"alg": "Ed25519", "kid": "k", "typ": "stix-claim+jws"},
        {"alg": "Ed25519", "kid": "k"},
        {"alg": "Ed25519", "kid": "k", "typ": jws.RECEIPT_TYPE, "jku": "https://elsewhere.example"},
    ],
)
def test_other_headers_are_refused(header: dict[str, str]) -> None:
    signing_input = b64u(json.dumps(header).encode()) + b"." + b64u(b"x")
    token = (signing_input + b"." + b64u(HUB.sign(signing_input))).decode()
    with pytest.raises(InvalidInput, match="header"):
        jws.read(token, jws.RECEIPT_TYPE, where="receipt")


@pytest.mark.parametrize("token", [None, "", "a.b", "a.b.c.d", "e30.e30.e30", "W10.e30.e30", "." * 20_000])
def test_what_is_no_token_is_refused(token: object) -> None:
    with pytest.raises(InvalidInput):
        jws.read(token, jws.RECEIPT_TYPE, where="receipt")


@pytest.mark.parametrize("passphrase", [None, b"correct horse"])
def test_a_key_file_is_made_once_and_read_again(tmp_path: Path, passphrase: bytes | None) -> None:
    path = tmp_path / "keys" / "receipt.pem"
    made = FileSigner.read_or_create(path, passphrase)
    assert FileSigner.read_or_create(path, passphrase).kid == made.kid
    assert FileSigner.read(path, passphrase).kid == made.kid
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]
    assert (b"ENCRYPTED" in path.read_bytes()) == (passphrase is not None)


def test_a_missing_file_is_not_made_by_reading(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        FileSigner.read(tmp_path / "none.pem")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("written", "given"), [(b"one", b"two"), (b"one", None), (None, b"two")])
def test_a_wrong_passphrase_is_refused(tmp_path: Path, written: bytes | None, given: bytes | None) -> None:
    FileSigner.read_or_create(tmp_path / "k.pem", written)
    with pytest.raises(InvalidInput, match="cannot be opened"):
        FileSigner.read_or_create(tmp_path / "k.pem", given)


def test_other_content_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "k.pem"
    other = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for content, reason in ((b"nonsense", "cannot be opened"), (other, "no Ed25519 key")):
        path.write_bytes(content)
        path.chmod(0o600)
        with pytest.raises(InvalidInput, match=reason):
            FileSigner.read(path)
    with pytest.raises(InvalidInput, match="cannot be read"):
        FileSigner.read(tmp_path)


@pytest.mark.parametrize("mode", [0o604, 0o620, 0o666])
def test_a_file_that_others_may_open_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "k.pem"
    FileSigner.read_or_create(path)
    path.chmod(mode)
    with pytest.raises(InvalidInput, match="other users"):
        FileSigner.read(path)


def _start(path: Path, gate: Any, kids: Any) -> None:
    gate.wait()
    kids.put(FileSigner.read_or_create(path).kid)


def test_processes_that_start_at_once_share_one_key(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    gate, kids = context.Barrier(4), context.Queue()
    started = [context.Process(target=_start, args=(tmp_path / "k.pem", gate, kids)) for _ in range(4)]
    for process in started:
        process.start()
    assert len({kids.get(timeout=20) for _ in started}) == 1
    for process in started:
        process.join(timeout=20)
    assert os.listdir(tmp_path) == ["k.pem"]  # noqa: PTH208 (the names alone)


def test_a_published_key_reads_back() -> None:
    keys = [
        PublishedKey(HUB.public_jwk(), Role.HUB_RECEIPT, "hub.example", 0, 500, Revocation("stolen", 400)),
        PublishedKey(SOURCE.public_jwk(), Role.SOURCE, "Report Fraud", 10),
    ]
    published = jwks(keys, [{"id": "extension-definition--x", "type": "extension-definition"}])
    assert read_jwks(published) == {HUB.kid: keys[0], SOURCE.kid: keys[1]}
    assert published["keys"][0]["revoked"] == {"reason": "stolen", "suspect_from_idx": 400}
    assert published["keys"][1].keys() == {
        "kty", "crv", "x", "kid", "alg", "use", "role", "owner", "from_idx", "until_idx", "revoked"
    }  # fmt: skip
    assert list(published["definitions"]) == ["extension-definition--x"]
    assert OKPKey.import_key(published["keys"][0]).thumbprint() == HUB.kid


@pytest.mark.parametrize(
    ("idx", "status"),
    [
        (9, KeyStatus.OUTSIDE),
        (10, KeyStatus.VALID),
        (19, KeyStatus.VALID),
        (20, KeyStatus.SUSPECT),
        (29, KeyStatus.SUSPECT),
        (30, KeyStatus.OUTSIDE),
    ],
)
def test_status_goes_by_index(idx: int, status: KeyStatus) -> None:
    key = PublishedKey(HUB.public_jwk(), Role.HUB_RECEIPT, "hub", 10, 30, Revocation("lost", 20))
    assert key.status(idx) is status


ENTRY = jwks([PublishedKey(HUB.public_jwk(), Role.HUB_RECEIPT, "hub", 0)])["keys"][0]


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"keys": {}},
        {"keys": ["x"]},
        {"keys": [ENTRY, ENTRY]},
        *(
            {"keys": [{**ENTRY, **change}]}
            for change in (
                {"kid": "other"},
                {"role": "king"},
                {"role": []},
                {"owner": None},
                {"from_idx": None},
                {"from_idx": -1},
                {"until_idx": "9"},
                {"from_idx": True},
                {"revoked": {}},
                {"revoked": {"reason": "lost"}},
                {"revoked": {"reason": "lost", "suspect_from_idx": 1.5}},
            )
        ),
    ],
)
def test_a_set_of_another_form_is_refused(document: object) -> None:
    with pytest.raises(InvalidInput):
        read_jwks(document)


def test_a_key_of_another_curve_does_not_verify() -> None:
    key = PublishedKey({"kty": "EC", "crv": "P-256", "x": "x", "y": "y"}, Role.SOURCE, "bank", 0)
    with pytest.raises(InvalidInput, match="Ed25519"):
        key.public_key()
