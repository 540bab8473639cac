"""JWS in compact form (RFC 7515) with ``alg: Ed25519`` (RFC 9864) and a header of three fixed members."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Final

from hub.errors import InvalidInput
from hub.provenance import strict_json
from hub.provenance.encoding import b64u, unb64u
from hub.provenance.keys import Signer

ALGORITHM: Final = "Ed25519"
RECEIPT_TYPE: Final = "stix-receipt+jws"

_MAX_CHARACTERS: Final = 16_384


@dataclass(frozen=True, slots=True)
class Token:
    """A token taken apart; nothing about it has been verified yet."""

    kid: str
    payload: bytes
    signing_input: bytes
    signature: bytes


def sign(signer: Signer, typ: str, payload: bytes) -> bytes:
    """The compact serialization of ``payload`` under ``signer``, as ASCII bytes."""
    signing_input = _header(signer.kid, typ) + b64u(payload)
    return signing_input + b"." + b64u(signer.sign(signing_input))


def read(text: object, typ: str, *, where: str) -> Token:
    """Take a compact serialization apart.

    Raises ``InvalidInput`` unless it is spelled strictly and its header has exactly ``alg`` Ed25519, the
    given ``typ`` and a ``kid``.
    """
    parts = text.split(".", 3) if isinstance(text, str) and len(text) <= _MAX_CHARACTERS else []
    if len(parts) != 3:
        raise InvalidInput("this is not a JWS in compact form", where=where)
    header, payload, signature = (unb64u(part, where=where) for part in parts)
    members = strict_json.parse(header)
    kid = members.get("kid") if isinstance(members, dict) else None
    if not isinstance(kid, str) or members != {"alg": ALGORITHM, "kid": kid, "typ": typ}:
        raise InvalidInput(f"the header is not that of a {typ} signed with {ALGORITHM}", where=where)
    return Token(kid, payload, f"{parts[0]}.{parts[1]}".encode(), signature)


def named(token: Token) -> str:
    """How a token is referred to: b64u(SHA-256) of its payload."""
    return b64u(sha256(token.payload).digest()).decode()


@lru_cache(maxsize=64)
def _header(kid: str, typ: str) -> bytes:
    """The protected header of one key and type, encoded once, with the dot that follows it."""
    return b64u(strict_json.canonical({"alg": ALGORITHM, "kid": kid, "typ": typ})) + b"."
