"""File hashes and JA3 fingerprints."""

from __future__ import annotations

import re
from typing import Final

from hub.stix.values.kinds import Kind, Value, refusal

HEX: Final = re.compile(r"[0-9a-f]+")
KIND_BY_LENGTH: Final = {32: Kind.MD5, 40: Kind.SHA1, 64: Kind.SHA256, 128: Kind.SHA512}


def digest(raw: str) -> Value:
    """Return a file hash in lower case. Its length decides the algorithm, whatever it was called."""
    text = raw.strip().lower()
    kind = KIND_BY_LENGTH.get(len(text))
    if kind is None or not HEX.fullmatch(text):
        raise refusal(raw, "is not an MD5, SHA-1, SHA-256 or SHA-512 hash in hexadecimal")
    return Value(kind, text)


def ja3(raw: str) -> Value:
    """Return a JA3 or JA3S fingerprint: the MD5 of a TLS hello's fields, in lower case."""
    text = raw.strip().lower()
    if len(text) != 32 or not HEX.fullmatch(text):
        raise refusal(raw, "is not a JA3 fingerprint of 32 hexadecimal digits")
    return Value(Kind.JA3, text)
