"""The keys by which organisations of one corporate group are told."""

from __future__ import annotations

import pytest

from hub.members.corporate import keys


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Big Bank plc", "BIG  BANK Limited"),
        ("Big Bank", "The Big Bank Group Holdings (UK) Ltd"),
        ("Ｂig Ｂank", "big bank"),  # full-width letters
        ("Société du Nord SA", "SOCIÉTÉ DU NORD"),
    ],
)
def test_one_name_in_two_spellings(one: str, other: str) -> None:
    assert keys(one) == keys(other)


@pytest.mark.parametrize(("one", "other"), [("Big Bank", "Big Bank of the North"), ("Group Ltd", "Holdings plc")])
def test_two_names(one: str, other: str) -> None:
    assert not keys(one) & keys(other)


@pytest.mark.parametrize("number", ["", "-", "n/a", "none", "0000", "1234", "unknown"])
def test_placeholders_are_no_numbers(number: str) -> None:
    assert keys("A", number) == {"name:a"}


def test_numbers_in_two_spellings() -> None:
    assert keys("A", "01234567") & keys("B", "", "", "123 4567") == {"number:1234567"}
    assert keys("A", "SC123456") & keys("B", "sc 123456") == {"number:sc123456"}


def test_own_and_parents() -> None:
    assert keys("Daughter Ltd", "11111", "Mother plc", "22222") == {
        "name:daughter", "name:mother", "number:11111", "number:22222",
    }  # fmt: skip
