"""The set that a member downloads: truncated outputs in order, Golomb-Rice coded (docs/precheck.md).

A token is the start of SHA-256(salt ‖ output). Each set has a salt of its own, so that two sets, or two versions of
one, cannot be laid beside each other; and random entries that belong to no value, so that its size tells only a step.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import struct
from bisect import bisect_left
from collections.abc import Collection, Iterable

from hub.errors import IntegrityFailure

MAGIC = b"HPS1"
SALT_BYTES = 16
# magic, key epoch, salt, entries, bits of a token
HEADER = struct.Struct(f">4sI{SALT_BYTES}sIB")
# A value that is in no set is taken for one that is, once in 2^24.
RICE_BITS = 24
SMALLEST = 1024
STEPS = 8
# The least padding: a set that stands just at a step would tell its size else.
LEAST_PADDING = 64


def padded_size(count: int) -> int:
    """How many entries a set of ``count`` values has: the next eighth between two powers of two."""
    size = max(count + LEAST_PADDING, SMALLEST)
    step = 1 << (size - 1).bit_length() - 1
    return -(-size // (step // STEPS)) * (step // STEPS)


def encode(epoch: int, outputs: Collection[bytes]) -> tuple[bytes, int]:
    """A set of ``outputs`` (64 bytes each) under a fresh salt. Returns its bytes and how many entries it has."""
    salt = os.urandom(SALT_BYTES)
    entries = padded_size(len(outputs))
    bits = RICE_BITS + (entries - 1).bit_length()
    tokens = {_token(salt, output, bits) for output in outputs}
    while len(tokens) < entries:
        tokens.add(secrets.randbits(bits))
    head = HEADER.pack(MAGIC, epoch, salt, entries, bits)
    return head + _packed(sorted(tokens)), entries


class DownloadedSet:
    """A set as the member holds it. ``epoch``: of the key under which its outputs were made."""

    def __init__(self, raw: bytes) -> None:
        """Read a set. Raises IntegrityFailure where ``raw`` is none."""
        try:
            magic, self.epoch, self._salt, entries, self._bits = HEADER.unpack_from(raw)
        except struct.error:
            raise IntegrityFailure("this is no set of the pre-check: it is too short") from None
        if magic != MAGIC or not RICE_BITS <= self._bits <= 64 or entries > 8 * len(raw):
            raise IntegrityFailure("this is no set of the pre-check, or one of a later format")
        self._tokens = _unpacked(raw[HEADER.size :], entries)

    def __contains__(self, output: bytes) -> bool:
        """Whether ``output`` (64 bytes, of ``Blinded.outputs``) is in the set."""
        token = _token(self._salt, output, self._bits)
        place = bisect_left(self._tokens, token)
        return place < len(self._tokens) and self._tokens[place] == token

    def __len__(self) -> int:
        """How many entries it has, with those that belong to no value."""
        return len(self._tokens)


def _token(salt: bytes, output: bytes, bits: int) -> int:
    return int.from_bytes(hashlib.sha256(salt + output).digest()[:8]) >> (64 - bits)


def _packed(tokens: Iterable[int]) -> bytes:
    """Each difference to the token before: its upper part in unary (ones, then a zero), then 24 bits."""
    packed = bytearray()
    waiting, width, before = 0, 0, 0
    for token in tokens:
        upper, lower = divmod(token - before, 1 << RICE_BITS)
        before = token
        waiting = ((waiting << upper | (1 << upper) - 1) << 1 + RICE_BITS) | lower
        width += upper + 1 + RICE_BITS
        if width >= 4096:
            kept = width % 8
            packed += (waiting >> kept).to_bytes(width // 8)
            waiting, width = waiting & (1 << kept) - 1, kept
    if width:
        packed += (waiting << -width % 8).to_bytes((width + 7) // 8)
    return bytes(packed)


def _unpacked(raw: bytes, entries: int) -> list[int]:
    tokens = []
    waiting, width, at, token = 0, 0, 0, 0
    for _ in range(entries):
        upper = 0
        while True:
            if width <= RICE_BITS:
                waiting = (waiting << 64) | int.from_bytes(raw[at : at + 8].ljust(8, b"\0"))
                width += 64
                at += 8
                if at > len(raw) + 8:
                    raise IntegrityFailure("the set ends before its last entry")
            width -= 1
            if not waiting >> width & 1:
                break
            upper += 1
        width -= RICE_BITS
        token += upper << RICE_BITS | waiting >> width & (1 << RICE_BITS) - 1
        waiting &= (1 << width) - 1
        tokens.append(token)
    return tokens
