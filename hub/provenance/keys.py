"""Keys: what signs, how keys are named and published, and when a signature of theirs counts."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from hub.errors import InvalidInput, NotFound
from hub.provenance import strict_json
from hub.provenance.encoding import b64u, unb64u

# RFC 7638 section 3.2, RFC 8037 section 2: the members that a thumbprint covers.
_THUMBPRINT_MEMBERS: Final = {
    "OKP": ("crv", "kty", "x"),
    "EC": ("crv", "kty", "x", "y"),
    "RSA": ("e", "kty", "n"),
}


class Role(StrEnum):
    """What a key may sign; one key has one role."""

    SOURCE = "source"
    CONNECTOR = "connector"
    HUB_RECEIPT = "hub-receipt"
    HUB_VIEW = "hub-view"
    HUB_LOG = "hub-log"
    WITNESS = "witness"
    ROOT = "root"


class KeyStatus(StrEnum):
    """How a key stands at one index of the log."""

    VALID = "valid"
    SUSPECT = "suspect"
    OUTSIDE = "outside"


class Signer(Protocol):
    """A private key that can be asked to sign, wherever it is kept."""

    @property
    def kid(self) -> str:
        """The RFC 7638 thumbprint of the public key."""

    def public_jwk(self) -> dict[str, str]:
        """The public key as a JWK (RFC 8037 section 2), without a ``kid``."""

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of the Ed25519 signature (RFC 8032) over ``message``."""


class FileSigner:
    """An Ed25519 key kept in a PKCS#8 PEM file, under a passphrase where one is given."""

    __slots__ = ("_key", "_kid")

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self._kid = thumbprint(self.public_jwk())

    @classmethod
    def read(cls, path: Path, passphrase: bytes | None = None) -> FileSigner:
        """Read the key.

        Raises ``NotFound`` where the file is missing, and ``InvalidInput`` where it cannot be opened with
        this passphrase, holds no Ed25519 key, or is open to every user of the machine.
        """
        try:
            with path.open("rb") as file:
                mode = os.fstat(file.fileno()).st_mode
                pem = file.read()
        except FileNotFoundError:
            raise NotFound("the key file is missing", where=str(path), advice="Run `hub init`.") from None
        except OSError as fault:
            raise InvalidInput(f"the key file cannot be read: {fault.strerror}", where=str(path)) from None
        # A group may read it, because container platforms mount secrets so.
        if mode & (stat.S_IRWXO | stat.S_IWGRP | stat.S_IXGRP):
            raise InvalidInput("other users may open this key file", where=str(path), advice="chmod 600 it.")
        return cls(_load(pem, passphrase, path))

    @classmethod
    def read_or_create(cls, path: Path, passphrase: bytes | None = None) -> FileSigner:
        """Read the key, or make one where there is none; of several that start at once, one makes it."""
        if not path.exists():
            _create(path, passphrase)
        return cls.read(path, passphrase)

    @property
    def kid(self) -> str:
        """The RFC 7638 thumbprint of the public key."""
        return self._kid

    def public_jwk(self) -> dict[str, str]:
        """The public key as a JWK (RFC 8037 section 2)."""
        return {
            "crv": "Ed25519",
            "kty": "OKP",
            "x": b64u(self._key.public_key().public_bytes_raw()).decode(),
        }

    def sign(self, message: bytes) -> bytes:
        """The Ed25519 signature over ``message``: 64 bytes."""
        return self._key.sign(message)


@dataclass(frozen=True, slots=True)
class Revocation:
    """Why a key was withdrawn, and from which log index on its signatures are in doubt."""

    reason: str
    suspect_from_idx: int


@dataclass(frozen=True, slots=True)
class PublishedKey:
    """A key as the hub publishes it; it counts for log indexes from ``from_idx`` to below ``until_idx``."""

    jwk: dict[str, str]
    role: Role
    owner: str
    from_idx: int
    until_idx: int | None = None
    revoked: Revocation | None = None

    def status(self, idx: int) -> KeyStatus:
        """How the key stands at a log index."""
        if idx < self.from_idx or (self.until_idx is not None and idx >= self.until_idx):
            return KeyStatus.OUTSIDE
        if self.revoked is not None and idx >= self.revoked.suspect_from_idx:
            return KeyStatus.SUSPECT
        return KeyStatus.VALID

    def public_key(self) -> Ed25519PublicKey:
        """The key to verify with; raises ``InvalidInput`` where it is no Ed25519 key."""
        if self.jwk.get("kty") != "OKP" or self.jwk.get("crv") != "Ed25519":
            raise InvalidInput("this is not an Ed25519 key", where="jwk")
        return Ed25519PublicKey.from_public_bytes(unb64u(self.jwk.get("x"), where="jwk.x", size=32))


def thumbprint(jwk: Mapping[str, Any]) -> str:
    """The RFC 7638 thumbprint (SHA-256) of a public or private JWK; raises ``InvalidInput``."""
    names = _THUMBPRINT_MEMBERS.get(jwk["kty"]) if isinstance(jwk.get("kty"), str) else None
    if names is None or not all(isinstance(jwk.get(name), str) for name in names):
        raise InvalidInput("this is not a JWK of a known key type (RFC 7638 section 3.2)", where="jwk")
    return b64u(sha256(strict_json.canonical({name: jwk[name] for name in names})).digest()).decode()


def jwks(keys: Iterable[PublishedKey], definitions: Iterable[dict[str, Any]] = ()) -> dict[str, Any]:
    """The JWK Set (RFC 7517 section 5) of every key there ever was.

    ``definitions`` are extension-definition objects of the hub's own: they cannot carry a receipt, so the
    member ``definitions`` names the SHA-256 of their RFC 8785 form, by id.
    """
    published: dict[str, Any] = {"keys": [_published_jwk(key) for key in keys]}
    digests = {str(each["id"]): content_digest(each) for each in definitions}
    if digests:
        published["definitions"] = digests
    return published


def content_digest(obj: dict[str, Any]) -> str:
    """b64u(SHA-256) of an object's RFC 8785 form: for objects that are public anyway, as it is not salted."""
    return b64u(sha256(strict_json.canonical(obj)).digest()).decode()


def read_jwks(document: object) -> dict[str, PublishedKey]:
    """The keys of a JWK Set by ``kid``; raises ``InvalidInput`` where one is not what ``jwks`` writes."""
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise InvalidInput("this is not a JWK Set (RFC 7517 section 5)", where="keys")
    keys: dict[str, PublishedKey] = {}
    for position, entry in enumerate(entries):
        where = f"keys[{position}]"
        if not isinstance(entry, dict):
            raise InvalidInput("this is not a JWK", where=where)
        kid = thumbprint(entry)
        if entry.get("kid") != kid:
            raise InvalidInput("the kid is not the thumbprint of the key (RFC 7638)", where=where)
        if kid in keys:
            raise InvalidInput("this key comes twice", where=where)
        keys[kid] = _read_key(entry, where)
    return keys


def _published_jwk(key: PublishedKey) -> dict[str, Any]:
    revoked = key.revoked
    return {
        **key.jwk,
        "kid": thumbprint(key.jwk),
        "alg": "Ed25519",
        "use": "sig",
        "role": key.role.value,
        "owner": key.owner,
        "from_idx": key.from_idx,
        "until_idx": key.until_idx,
        "revoked": revoked and {"reason": revoked.reason, "suspect_from_idx": revoked.suspect_from_idx},
    }


def _read_key(entry: dict[str, Any], where: str) -> PublishedKey:
    role, owner = entry.get("role"), entry.get("owner")
    if not isinstance(role, str) or role not in set(Role) or not isinstance(owner, str):
        raise InvalidInput("the key has no known role and owner", where=where)
    until = entry.get("until_idx")
    return PublishedKey(
        jwk={name: entry[name] for name in _THUMBPRINT_MEMBERS[entry["kty"]]},
        role=Role(role),
        owner=owner,
        from_idx=_index(entry.get("from_idx"), f"{where}.from_idx"),
        until_idx=None if until is None else _index(until, f"{where}.until_idx"),
        revoked=_read_revocation(entry.get("revoked"), f"{where}.revoked"),
    )


def _read_revocation(revoked: object, where: str) -> Revocation | None:
    if revoked is None:
        return None
    if not isinstance(revoked, dict) or not isinstance(revoked.get("reason"), str):
        raise InvalidInput("a revocation gives its reason", where=where)
    return Revocation(revoked["reason"], _index(revoked.get("suspect_from_idx"), f"{where}.suspect_from_idx"))


def _index(number: object, where: str) -> int:
    if type(number) is not int or number < 0:
        raise InvalidInput("a log index is a whole number from 0", where=where)
    return number


def _load(pem: bytes, passphrase: bytes | None, path: Path) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(pem, passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # The library's own words may quote the file; they are not passed on.
        raise InvalidInput(
            "the key file cannot be opened",
            where=str(path),
            advice="It must be PKCS#8 PEM, and the passphrase must be the one it was written with.",
        ) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise InvalidInput("the key file holds no Ed25519 key", where=str(path))
    return key


def _create(path: Path, passphrase: bytes | None) -> None:
    encryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # mkstemp opens with 0600. The link appears whole or not at all, and never over a file that is there.
    descriptor, unfinished = tempfile.mkstemp(prefix=".key-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        Path(path).hardlink_to(unfinished)
    except FileExistsError:
        pass  # another process was first: its key is the one
    finally:
        Path(unfinished).unlink()
