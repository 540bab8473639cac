"""The hub's secret outside the database: subkeys and sealed (encrypted) columns.

One random 32-byte secret lies in ``<data_dir>/keys/hub.secret``. Everything else is derived from it by
HKDF-SHA256 with a label of its own, so that no key does two jobs. A stolen database without this file opens
nothing that is sealed.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hub.errors import IntegrityFailure

NONCE_BYTES = 12
SECRET_BYTES = 32


class Vault:
    """Derives subkeys and seals bytes (AES-256-GCM; the context is authenticated, not stored)."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) != SECRET_BYTES:
            raise IntegrityFailure("the hub's secret is not 32 bytes long", where="keys/hub.secret")
        self._secret = secret
        self.derive = lru_cache(maxsize=32)(self._derive)

    @classmethod
    def in_folder(cls, folder: Path) -> Vault:
        """Open the secret in ``folder``, made at the first call; two processes that start at once agree."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / "hub.secret"
        if not path.exists():
            fresh = folder / f".hub.secret.{os.getpid()}"
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(os.urandom(SECRET_BYTES))
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(fresh, path)  # fails where another process was first: its secret is the one
            except FileExistsError:
                pass
            finally:
                fresh.unlink()
        return cls(path.read_bytes())

    def _derive(self, label: str) -> bytes:
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=label.encode()).derive(self._secret)

    def seal(self, content: bytes, context: str) -> bytes:
        """Encrypt ``content``; only the same ``context`` opens it again."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + AESGCM(self.derive("seal")).encrypt(nonce, content, context.encode())

    def open(self, sealed: bytes, context: str) -> bytes:
        """Decrypt what ``seal`` gave. Raises IntegrityFailure if it was altered or belongs elsewhere."""
        try:
            return AESGCM(self.derive("seal")).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context.encode())
        except (InvalidTag, ValueError):  # ValueError: cut so short that there is no nonce
            raise IntegrityFailure("the sealed bytes do not open with this hub's secret", where=context) from None
