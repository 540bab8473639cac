"""The hub's secret outside the database: subkeys, sealed (encrypted) columns, keys that are rotated.

One random 32-byte secret lies in ``<data_dir>/keys/hub.secret``. What is never rotated is derived from it by
HKDF-SHA256 with a label of its own, so that no key does two jobs. What is rotated has a ``KeyRing``: numbered
random keys in files of their own, so that a key that was removed is gone for good. A stolen database without
these files opens nothing that is sealed.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hub.errors import IntegrityFailure

NONCE_BYTES = 12
SECRET_BYTES = 32
WRAPPING = "wrapping"
NUMBER_BYTES = 4


@dataclass(frozen=True, slots=True)
class DataKey:
    """The key of one record's content. It is stored only wrapped by the vault."""

    secret: bytes

    def seal(self, content: bytes, context: str) -> bytes:
        """Encrypt ``content``; only the same ``context`` opens it again."""
        return _seal(self.secret, content, context)

    def open(self, sealed: bytes, context: str) -> bytes:
        """Decrypt what ``seal`` gave. Raises IntegrityFailure if it was altered or belongs elsewhere."""
        return _open(self.secret, sealed, context)


class KeyRing:
    """Numbered random keys of 32 bytes, a file for each; the first is made when one is first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[int, bytes] = {}

    def numbers(self) -> list[int]:
        """The numbers of the keys there are, the newest last."""
        if not self._folder.is_dir() or not (found := sorted(int(file.stem) for file in self._folder.glob("*.key"))):
            _make_once(self._folder / "1.key")
            return [1]
        return found

    @property
    def newest(self) -> int:
        """The number of the key to use now."""
        return self.numbers()[-1]

    def key(self, number: int) -> bytes:
        """The key of that number. Raises IntegrityFailure where it is not there, or no longer."""
        known = self._read.get(number)
        if known is None:
            if number not in self.numbers():
                raise IntegrityFailure(f"there is no key {number}", where=self._folder.name)
            known = self._read[number] = (self._folder / f"{number}.key").read_bytes()
        return known

    def made_at(self, number: int) -> int:
        """When a key was made, in microseconds."""
        return (self._folder / f"{number}.key").stat().st_mtime_ns // 1000

    def add(self) -> int:
        """Make a further key; its number."""
        number = self.newest + 1
        _make_once(self._folder / f"{number}.key")
        return number

    def remove(self, number: int) -> None:
        """Destroy a key: what only it opened is lost."""
        self._read.pop(number, None)
        (self._folder / f"{number}.key").unlink(missing_ok=True)


class Vault:
    """Derives subkeys and seals bytes (AES-256-GCM; the context is authenticated, not stored).

    ``folder``: where the rings of keys lie; without one there are none.
    """

    def __init__(self, secret: bytes, folder: Path | None = None) -> None:
        if len(secret) != SECRET_BYTES:
            raise IntegrityFailure("the hub's secret is not 32 bytes long", where="keys/hub.secret")
        self._secret = secret
        self._folder = folder
        self.derive = lru_cache(maxsize=32)(self._derive)
        self.ring = lru_cache(maxsize=None)(self._ring)

    @classmethod
    def in_folder(cls, folder: Path) -> Vault:
        """Open the secret in ``folder``, made at the first call; two processes that start at once agree."""
        path = folder / "hub.secret"
        if not path.exists():
            _make_once(path)
        return cls(path.read_bytes(), folder)

    def _derive(self, label: str) -> bytes:
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=label.encode()).derive(self._secret)

    def _ring(self, name: str) -> KeyRing:
        if self._folder is None:
            raise IntegrityFailure("this vault has no folder of keys", where=name)
        return KeyRing(self._folder / name)

    def seal(self, content: bytes, context: str) -> bytes:
        """Encrypt ``content``; only the same ``context`` opens it again."""
        return _seal(self.derive("seal"), content, context)

    def open(self, sealed: bytes, context: str) -> bytes:
        """Decrypt what ``seal`` gave. Raises IntegrityFailure if it was altered or belongs elsewhere."""
        return _open(self.derive("seal"), sealed, context)

    def new_data_key(self, context: str) -> tuple[DataKey, bytes]:
        """A key for one record, and its wrapped form to store beside the content that it seals."""
        key = DataKey(os.urandom(SECRET_BYTES))
        return key, self._wrapped(key, context)

    def data_key(self, wrapped: bytes, context: str) -> DataKey:
        """The key of a record. Raises IntegrityFailure where ``wrapped`` was altered or belongs elsewhere."""
        ring: KeyRing = self.ring(WRAPPING)
        number = int.from_bytes(wrapped[:NUMBER_BYTES])
        return DataKey(_open(ring.key(number), wrapped[NUMBER_BYTES:], f"{WRAPPING}:{number}:{context}"))

    def rewrapped(self, wrapped: bytes, context: str) -> bytes:
        """The same key under the newest wrapping key: what it seals stays as it is."""
        if int.from_bytes(wrapped[:NUMBER_BYTES]) == self.ring(WRAPPING).newest:
            return wrapped
        return self._wrapped(self.data_key(wrapped, context), context)

    def _wrapped(self, key: DataKey, context: str) -> bytes:
        ring: KeyRing = self.ring(WRAPPING)
        number = ring.newest
        return number.to_bytes(NUMBER_BYTES) + _seal(ring.key(number), key.secret, f"{WRAPPING}:{number}:{context}")


def _seal(key: bytes, content: bytes, context: str) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, content, context.encode())


def _open(key: bytes, sealed: bytes, context: str) -> bytes:
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context.encode())
    except (InvalidTag, ValueError):  # ValueError: cut so short that there is no nonce
        raise IntegrityFailure("the sealed bytes do not open with this hub's secret", where=context) from None


def _make_once(path: Path) -> None:
    """Write 32 random bytes to ``path`` unless it is there; processes that do so at once agree on one."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(os.urandom(SECRET_BYTES))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(fresh, path)  # fails where another process was first: its bytes are the ones
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
