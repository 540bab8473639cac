"""The clock's texts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hub import clock
from hub.feeds.values_batch import micros
from hub.stix.validation import check


@pytest.mark.parametrize(
    ("us", "text"),
    [
        (0, "1970-01-01T00:00:00.000000Z"),
        (1, "1970-01-01T00:00:00.000001Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
        (1_793_000_000_123_456, "2026-10-26T07:33:20.123456Z"),
        (-62_135_596_800_000_000, "0001-01-01T00:00:00.000000Z"),
        (253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z"),
    ],
)
def test_six_digits(us: int, text: str) -> None:
    assert clock.timestamp(us) == text
    assert clock.stix_timestamp(us) == text[:-4] + "Z"
    assert micros(text) == us


def test_milliseconds_are_cut_not_rounded() -> None:
    assert clock.stix_timestamp(1_999) == "1970-01-01T00:00:00.001Z"


@pytest.mark.parametrize(
    "text", ["2026-11-01T00:00:00.123Z", "2026-11-01T01:00:00.123+01:00", "2026-11-01T00:00:00.123000Z"]
)
def test_a_text_is_the_same_instant(text: str) -> None:
    assert clock.stix_timestamp(micros(text) or 0) == "2026-11-01T00:00:00.123Z"


def test_now() -> None:
    before = clock.micros()
    now = clock.now()
    assert now.tzinfo is UTC
    assert before <= (now - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1_000_000 + 1
    assert clock.timestamp(before) <= clock.timestamp(clock.micros())


def test_it_is_a_time_of_stix() -> None:
    stamp = clock.stix_timestamp(clock.micros())
    check(
        {
            "type": "identity", "spec_version": "2.1", "id": "identity--11111111-2222-4333-8444-555555555555",
            "created": stamp, "modified": stamp, "name": "x",
        }
    )  # fmt: skip
