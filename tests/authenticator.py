"""An authenticator in software, that can also do what a real one does not: for the hub's side of passkeys."""

from __future__ import annotations

import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

UP, UV, AT = 0x01, 0x04, 0x40


@dataclass
class Authenticator:
    """One passkey (ES256). The fields are what it says of itself."""

    host: str = "localhost"
    origin: str = "http://localhost"
    flags: int = UP | UV
    count: int = 0
    handle: bytes | None = None
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def create(self, options: str) -> str:
        """The answer to a request for a passkey."""
        asked = json.loads(options)
        self.handle = _unpacked(asked["user"]["id"])
        numbers = self.key.public_key().public_numbers()
        public = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        attested = b"\0" * 16 + len(self.credential_id).to_bytes(2, "big") + self.credential_id + cbor2.dumps(public)
        said = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": self._said(self.flags | AT) + attested})
        return self._answer(
            clientDataJSON=self._client_data("webauthn.create", asked), attestationObject=said, transports=["internal"]
        )

    def get(self, options: str, **forged: Any) -> str:
        """The answer to a challenge; ``forged`` replaces parts of it."""
        client, said = self._client_data("webauthn.get", json.loads(options)), self._said(self.flags)
        signature = self.key.sign(said + sha256(client).digest(), ec.ECDSA(SHA256()))
        parts = {"clientDataJSON": client, "authenticatorData": said, "signature": signature, "userHandle": self.handle}
        return self._answer(**(parts | forged))

    def _said(self, flags: int) -> bytes:
        return sha256(self.host.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _client_data(self, kind: str, asked: dict[str, Any]) -> bytes:
        return json.dumps({"type": kind, "challenge": asked["challenge"], "origin": self.origin}).encode()

    def _answer(self, **response: Any) -> str:
        packed = {name: _packed(value) if isinstance(value, bytes) else value for name, value in response.items()}
        name = _packed(self.credential_id)
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": packed})


def _packed(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _unpacked(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
