"""Bytes to text, and packed files within bounds."""

from __future__ import annotations

import gzip
import io
import time
import zipfile

import pytest

from hub.errors import InvalidInput, TooLarge
from hub.feeds.readers.archive import opened
from hub.feeds.readers.shape import hashes_in, looks_like_indicator, rfc3339
from hub.feeds.readers.text import decode, lines


def zipped(**files: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings(encoding: str) -> None:
    assert decode("café – ok".encode(encoding)) == "café – ok"


@pytest.mark.parametrize("raw", [b"a\x00b", b"\x7fELF\x00", b"\xff\xfe\x00\x00a", b"caf\x81\xe9", b"\xff\xfea"])
def test_what_is_no_text_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidInput):
        decode(raw)


def test_all_line_ends() -> None:
    assert lines("a\r\nb\rc\nd") == ["a", "b", "c", "d"]


def test_gzip_members_and_zip_are_opened_and_text_is_left_alone() -> None:
    assert opened(gzip.compress(b"one\n") + gzip.compress(b"two\n")) == b"one\ntwo\n"
    assert opened(zipped(a=b"one\n")) == b"one\n"
    assert opened(b"one\n") == b"one\n"


@pytest.mark.parametrize(
    "raw",
    [
        gzip.compress(b"one" * 1000)[:-20],
        gzip.compress(b"one" * 1000)[:12] + b"\xff" * 40,
        b"\x1f\x8b",
        zipped(a=b"1", b=b"2"),
        zipped(a=b"one" * 1000)[:60],
        b"PK\x03\x04",
    ],
    # Named, since what is packed holds the time, and every process has to collect the same tests.
    ids=["cut-gzip", "broken-gzip", "gzip-head", "two-files", "cut-zip", "zip-head"],
)
def test_damaged_archives_are_refused(raw: bytes) -> None:
    with pytest.raises(InvalidInput):
        opened(raw)


def test_bombs_are_refused_while_unpacking() -> None:
    zeros = b"0" * (40 * 1024 * 1024)
    for packed in (gzip.compress(zeros), zipped(a=zeros)):
        with pytest.raises(TooLarge, match="200 to 1"):
            opened(packed)
        with pytest.raises(TooLarge, match="more than 1000 bytes"):
            opened(packed, size_limit=1000)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2023-08-14", "2023-08-14T00:00:00Z"),
        ("2026-08-18 16:17:08", "2026-08-18T16:17:08Z"),
        ("2026-08-18 16:17:08 UTC", "2026-08-18T16:17:08Z"),
        ("2026-08-18T16:17:08+02:00", "2026-08-18T14:17:08Z"),
        ("12/22/2023 6:58", "2023-12-22T06:58:00Z"),
        ("22/12/2023", "2023-12-22T00:00:00Z"),
        ("13/13/2023", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_dates(written: str, read: str | None) -> None:
    assert rfc3339(written) == read


def test_several_hashes_in_a_field() -> None:
    assert hashes_in(f"{'a' * 40},{'b' * 64} {'c' * 32}") == ["a" * 40, "b" * 64, "c" * 32]
    assert hashes_in("a" * 64) is None
    assert hashes_in(f"{'a' * 40} was seen with {'b' * 40}") is None


@pytest.mark.parametrize(
    "text",
    ["e.example", "e[.]example:80", "hxxps://e", "198.51.100.7/24", "2001:db8::1", "a@e[.]example", "a" * 40],
)
def test_what_looks_like_an_indicator(text: str) -> None:
    assert looks_like_indicator(text)


@pytest.mark.parametrize("text", ["", "indicator", "fake shop", "12:30", "2023-08-14", "10", "a" * 41])
def test_what_does_not(text: str) -> None:
    assert not looks_like_indicator(text)


@pytest.mark.parametrize("piece", ["a.", "a", "0", "1:", ":", "-", "a@", "[.]", ".a", "(.)a", "_.", "a/", "1."])
def test_a_look_is_short(piece: str) -> None:
    started = time.perf_counter()
    looks_like_indicator((piece * 2000)[:1990] + " !")
    assert time.perf_counter() - started < 0.2


def test_what_a_mac_packs_beside_the_file_is_passed_over() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in (("list.txt", b"a.example"), ("__MACOSX/._list.txt", b"\x00"), (".DS_Store", b"x")):
            archive.writestr(name, content)
    assert opened(packed.getvalue()) == b"a.example"


@pytest.mark.parametrize(
    ("written", "zone", "moment"),
    [
        ("7/1/2026 10:00", "Europe/London", "2026-07-01T09:00:00Z"),
        ("7/1/2026 10:00", "", "2026-07-01T10:00:00Z"),
        ("7/1/2026 9:30 PM", "America/New_York", "2026-07-02T01:30:00Z"),
        ("7/1/2026 12:05 am", "", "2026-07-01T00:05:00Z"),
        ("7/1/2026 13:05 PM", "", None),
        ("2026-07-01 10:00:00 BST", "America/New_York", "2026-07-01T09:00:00Z"),
        ("2026-07-01 10:00 EST", "", "2026-07-01T15:00:00Z"),
        ("2026-07-01 10:00:00 GMT", "", "2026-07-01T10:00:00Z"),
        ("Wed, 01 Jul 2026 10:00:00 +0100", "", "2026-07-01T09:00:00Z"),
        ("2026/07/01 10:00", "Europe/London", "2026-07-01T09:00:00Z"),
        ("1782896400", "Europe/London", "2026-07-01T09:00:00Z"),
        ("1782896400000", "", "2026-07-01T09:00:00Z"),
        ("32/13/2026", "", None),
        ("a person's words", "", None),
    ],
)
def test_dates_as_they_are_written_and_where(written: str, zone: str, moment: str | None) -> None:
    assert rfc3339(written, zone) == moment
