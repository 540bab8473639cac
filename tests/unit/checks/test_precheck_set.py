"""The downloaded set: every value of it is found, others are not, and it tells no more than it should."""

from __future__ import annotations

import hashlib
import os
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.checks.precheck import sets as precheck_set
from hub.checks.precheck.sets import HEADER, RICE_BITS, DownloadedSet
from hub.errors import IntegrityFailure


def outputs(count: int) -> list[bytes]:
    return [os.urandom(64) for _ in range(count)]


@pytest.mark.parametrize("count", [0, 1, 2, 959, 960, 961, 5000, 20_000])
def test_what_went_in_is_found_and_nothing_else(count: int) -> None:
    known = outputs(count)
    raw, entries = precheck_set.encode(7, known)
    held = DownloadedSet(raw)
    assert held.epoch == 7
    assert len(held) == entries == precheck_set.padded_size(count)
    assert all(output in held for output in known)
    assert not any(output in held for output in outputs(5000))


def test_another_reader_of_the_documented_form_finds_the_same() -> None:
    """docs/precheck.md, bit by bit: what a bank would write."""
    known = outputs(300)
    raw, entries = precheck_set.encode(3, known)
    magic, epoch, salt, stated, bits = struct.unpack(">4sI16sIB", raw[:29])
    assert (magic, epoch, stated) == (b"HPS1", 3, entries)
    stream = "".join(f"{byte:08b}" for byte in raw[29:])
    tokens, at, token = set(), 0, 0
    for _ in range(entries):
        end = stream.index("0", at)
        token += (end - at) << 24 | int(stream[end + 1 : end + 25], 2)
        at = end + 25
        tokens.add(token)
    assert set(stream[at:]) <= {"0"}
    assert len(stream) - at < 8
    assert len(tokens) == entries
    for output in known:
        assert int.from_bytes(hashlib.sha256(salt + output).digest()[:8]) >> (64 - bits) in tokens


def test_the_example_of_the_documents() -> None:
    documented = (Path(__file__).parents[3] / "docs" / "precheck.md").read_text("utf-8")
    assert f"`{precheck_set._packed([5, 33_554_439]).hex()}` in hexadecimal" in documented


@given(st.integers(0, 3_000_000))
def test_the_size_tells_only_a_step(count: int) -> None:
    """Never less than the padding, never over an eighth more, and one of few sizes."""
    size = precheck_set.padded_size(count)
    assert size >= count + precheck_set.LEAST_PADDING
    assert size <= max(1024, (count + 65) * 9 / 8)
    assert size % (1 << max(size.bit_length() - 4, 0)) == 0


def test_two_versions_of_one_set_share_nothing() -> None:
    """A member cannot tell by laying two versions beside each other what was added or taken away."""
    known = outputs(1000)
    one, other = (DownloadedSet(precheck_set.encode(1, known)[0]) for _ in range(2))
    assert len(set(one._tokens) & set(other._tokens)) < 5


def test_a_value_that_is_in_no_set_is_found_once_in_sixteen_million() -> None:
    raw, entries = precheck_set.encode(1, outputs(3000))
    bits = HEADER.unpack_from(raw)[4]
    assert entries / 2**bits <= 2**-RICE_BITS
    assert entries / 2**bits > 2 ** -(RICE_BITS + 1)


@pytest.mark.parametrize("cut", [0, 4, 28, 29, 100])
def test_what_is_cut_is_refused(cut: int) -> None:
    raw, _ = precheck_set.encode(1, outputs(10))
    with pytest.raises(IntegrityFailure):
        DownloadedSet(raw[:cut])


@given(st.binary(max_size=400))
def test_no_bytes_make_it_stumble(raw: bytes) -> None:
    for candidate in (raw, b"HPS1" + raw):
        try:
            DownloadedSet(candidate)
        except IntegrityFailure:
            continue
