"""The blinded property root: one hash over an object, each of whose properties can be hidden later.

    path    each top-level property; each ``extensions/<id>`` is a path of its own, the hub's own left out
    salt    b64u(HMAC-SHA256(seed, "salt" NUL path)[:16])
    digest  b64u(SHA-256(b64u(JCS([salt, path, value]))))        the disclosure digest of RFC 9901
    root    b64u(SHA-256(JCS(sorted digests)))

Without the salts, a hidden value of few digits could be found by trying them all.
"""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Callable, Iterable
from functools import lru_cache
from hashlib import sha256
from json.encoder import encode_basestring
from typing import Any, Final

from hub.errors import InvalidInput
from hub.provenance import strict_json
from hub.provenance.encoding import TO_URL, b64u

EXTENSION_ID: Final = "extension-definition--9b0f7c86-7d3c-4f0e-9c55-2f6f3c8f5a11"
PROFILE: Final = "hub-prov-1"
SEED_BYTES: Final = 32
EXTENSIONS: Final = "extensions"
EXTENSION_PATH: Final = "extensions/"

SALT_CHARACTERS: Final = 22
DIGEST_CHARACTERS: Final = 43

_SHA256_BLOCK: Final = 64
_INNER_PAD: Final = bytes(byte ^ 0x36 for byte in range(256))
_OUTER_PAD: Final = bytes(byte ^ 0x5C for byte in range(256))


def canonical_members(
    obj: dict[str, Any], canonical: Callable[[Any], bytes] = strict_json.canonical
) -> list[tuple[str, bytes]]:
    """Each path of ``obj`` with its value in RFC 8785 form, in the order in which RFC 8785 writes them.

    ``canonical`` writes every value that is no string. Raises ``InvalidInput`` for what has no canonical
    form, for ``extensions`` that is not a filled dictionary (STIX 2.1 section 2.3: none is empty) and
    for a property whose name would read as the path of an extension.
    """
    members: list[tuple[str, bytes]] = []
    for name in _in_order(obj):
        value = obj[name]
        if name == EXTENSIONS:
            members += _extension_members(value, canonical)
        elif name.startswith(EXTENSION_PATH):
            raise InvalidInput("a property name may not begin with 'extensions/'", where=name)
        else:
            members.append((name, text(value) if type(value) is str else canonical(value)))
    return members


def blinded_root(members: Iterable[tuple[str, bytes]], seed: bytes) -> str:
    """The root over ``members`` (path, canonical value) under a seed of 32 bytes: 43 characters."""
    salt = _salter(seed)
    digests = []
    for path, value in members:
        name, quoted, _ = written(path)
        # disclosure_digest, written out: this loop is the largest part of what taking an object in costs.
        disclosure = b2a_base64(b'["%b",%b,%b]' % (salt(name), quoted, value), newline=False).translate(TO_URL, b"=")
        digests.append(b2a_base64(sha256(disclosure).digest(), newline=False)[:DIGEST_CHARACTERS].translate(TO_URL))
    return root_of(digests)


def salt_of(path: str, seed: bytes) -> str:
    """The salt of one path, that a redacted view ships for what it shows: 22 characters."""
    return _salter(seed)(path.encode()).decode()


def disclosure_digest(salt: bytes, name: bytes, value: bytes) -> bytes:
    """The digest of RFC 9901 section 4.2.3 over ``[salt, name, value]``; name and value are JSON already."""
    return b64u(sha256(b64u(b'["%b",%b,%b]' % (salt, name, value))).digest())


def root_of(digests: list[bytes]) -> str:
    """The root over digests in any order: recomputed ones of what is shown, given ones of what is hidden."""
    return b64u(sha256(b'["' + b'","'.join(sorted(digests)) + b'"]').digest()).decode()


def text(value: str) -> bytes:
    """A string as RFC 8785 section 3.2.2.2 writes it; raises ``InvalidInput`` for a lone surrogate."""
    try:
        return encode_basestring(value).encode()
    except UnicodeEncodeError:
        raise InvalidInput("a string holds a lone surrogate (RFC 7493 section 2.1)") from None


@lru_cache(maxsize=1024)
def written(path: str) -> tuple[bytes, bytes, bytes]:
    """A path as bytes, as JSON, and as the JSON name of a member with its colon; objects share most of theirs."""
    quoted = text(path)
    return path.encode(), quoted, quoted + b":"


def _in_order(obj: dict[str, Any]) -> list[str]:
    """The names sorted by UTF-16 code unit (RFC 8785 section 3.2.3)."""
    try:
        if "".join(obj).isascii():
            return sorted(obj)
        return sorted(obj, key=_utf16)
    except UnicodeEncodeError:
        raise InvalidInput("a property name holds a lone surrogate (RFC 7493 section 2.1)") from None
    except TypeError:
        raise InvalidInput("a property name is not a string") from None


def _utf16(name: str) -> bytes:
    return name.encode("utf-16-be")


def _extension_members(extensions: Any, canonical: Callable[[Any], bytes]) -> list[tuple[str, bytes]]:
    if not isinstance(extensions, dict) or not extensions:
        raise InvalidInput(
            "'extensions' must be a dictionary with at least one entry",
            where=EXTENSIONS,
            advice="Leave the property out where there is none (STIX 2.1 section 2.3).",
        )
    return [(EXTENSION_PATH + key, canonical(extensions[key])) for key in _in_order(extensions) if key != EXTENSION_ID]


def _salter(seed: bytes) -> Callable[[bytes], bytes]:
    """A function from a path to its salt, with HMAC's two key blocks (RFC 2104) hashed once for all paths."""
    if len(seed) != SEED_BYTES:
        raise InvalidInput(f"a blinding seed has {SEED_BYTES} bytes, this one {len(seed)}", where="seed")
    block = seed.ljust(_SHA256_BLOCK, b"\0")
    inner_start = sha256(block.translate(_INNER_PAD) + b"salt\0")
    outer_start = sha256(block.translate(_OUTER_PAD))

    def salt(path: bytes) -> bytes:
        inner, outer = inner_start.copy(), outer_start.copy()
        inner.update(path)
        outer.update(inner.digest())
        return b2a_base64(outer.digest()[:16], newline=False)[:SALT_CHARACTERS].translate(TO_URL)

    return salt
