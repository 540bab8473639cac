"""The content codings: what a client is given, and what a hostile body may do."""

from __future__ import annotations

import gzip
import os
import zlib

import pytest

from hub.errors import InvalidInput, TooLarge, UnsupportedMedia
from hub.web.compression import OFFERED, Shared, choose, compress, decompress

MOST = 10_000_000


@pytest.mark.parametrize(
    ("header", "chosen"),
    [
        ("", None),
        ("gzip", "gzip"),
        ("GZIP", "gzip"),
        ("x-gzip", "gzip"),
        ("br, deflate", None),
        ("zstd, gzip", "gzip"),
        ("gzip;q=0.5, zstd", "zstd"),
        ("gzip ; q=0.5 , zstd;q=0.4", "gzip"),
        ("*", "gzip"),
        ("gzip;q=0, *", "zstd"),
        ("*;q=0", None),
        ("identity", None),
        ("gzip;q=0", None),
        ("gzip;q=0.0, zstd;q=0", None),
        ("gzip;q=0.2, identity;q=0.9", None),
        ("gzip;q=x", None),
        ("gzip;q=7", None),
        ("gzip;q=nan", None),
    ],
)
def test_the_coding_is_the_one_the_client_weighs_highest(header: str, chosen: str | None) -> None:
    assert choose(header) == chosen


@pytest.mark.parametrize("coding", OFFERED)
@pytest.mark.parametrize("plain", [b"", b"x", b"hello " * 100_000, os.urandom(300_000)], ids=len)
def test_what_is_compressed_comes_back(plain: bytes, coding: str) -> None:
    packed = compress(plain, coding)
    assert decompress(packed, coding, MOST) == plain
    assert decompress(packed + packed, coding, MOST) == plain * 2, "several members or frames"
    joined = b"".join(Shared(plain).between(b'{"more":true,', b"]}", coding))
    assert decompress(joined, coding, MOST) == b'{"more":true,' + plain + b"]}"


@pytest.mark.parametrize("plain", [b"", b"x" * 70_000, os.urandom(70_000)], ids=len)
def test_joined_gzip_is_one_member_that_any_reader_takes(plain: bytes) -> None:
    shared = Shared(plain)
    for before, after in ((b"[", b"]"), (b"", b""), (b"a" * 60_000, b"b")):
        joined = b"".join(shared.between(before, after, "gzip"))
        assert gzip.decompress(joined) == before + plain + after
        one = zlib.decompressobj(31)
        assert one.decompress(joined) == before + plain + after
        assert one.eof
        assert one.unused_data == b""


@pytest.mark.parametrize("coding", OFFERED)
def test_a_broken_body_is_refused(coding: str) -> None:
    packed = compress(b"hello " * 1000, coding)
    for broken in (packed[:-1], packed[:5], packed + b"more", b"not compressed at all", b"\x00"):
        with pytest.raises(InvalidInput):
            decompress(broken, coding, MOST)


@pytest.mark.parametrize("coding", OFFERED)
def test_a_bomb_is_stopped_at_the_bound(coding: str) -> None:
    bomb = compress(b"\0" * 50_000_000, coding)
    with pytest.raises(TooLarge):
        decompress(bomb, coding, 1_000_000)
    assert len(decompress(bomb, coding, 50_000_000)) == 50_000_000


@pytest.mark.parametrize("coding", ["br", "deflate", "gzip, gzip", "gzip, identity", "§"])
def test_an_unknown_coding_is_refused(coding: str) -> None:
    with pytest.raises(UnsupportedMedia):
        decompress(b"x", coding, MOST)
