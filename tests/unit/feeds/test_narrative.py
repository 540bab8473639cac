"""Identifiers in prose."""

from __future__ import annotations

import time

import pytest

from hub.feeds.reports.narrative import FOUND_LIMIT, identifiers


def found(text: str) -> set[tuple[str, str]]:
    return {(str(each.kind), each.raw) for each in identifiers(text)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see hxxps://e[.]example/a?b=1.", {("url", "https://e.example/a?b=1")}),
        ("(https://e.example/a)", {("url", "https://e.example/a")}),
        ("mail bob[@]e[.]example now", {("email", "bob@e.example")}),
        ("the shop e[.]example, closed", {("domain", "e.example")}),
        ("he rang from 07700 900123 twice", {("phone", "07700 900123")}),
        ("+44 (0)20 7946 0123", {("phone", "+44 (0)20 7946 0123")}),
        ("call (020) 7946 0123", {("phone", "(020) 7946 0123")}),
        ("sort code 20-20-15, account number 55555555", {("bank-account", "20-20-15 55555555")}),
        ("account 55555555 (sort code 20 20 15)", {("bank-account", "20 20 15 55555555")}),
        ("sort code 202015 acc 55555555", {("bank-account", "202015 55555555")}),
        ("sort code 20-20-15 account 5555 5555", {("bank-account", "20-20-15 55555555")}),
        ("GB33 BUKB 2020 1555 5555 55", {("iban", "GB33 BUKB 2020 1555 5555 55")}),
        (
            "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
            {("btc", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4")},
        ),
        ("I paid.Then he left at 10.30 on 12-03-24, order 12345678 e.g. nothing.", set()),
        ("Order no. 20261103 of 01/11/2026 cost 1,250.00", set()),
        ("", set()),
    ],
)
def test_prose(text: str, expected: set[tuple[str, str]]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("sort code 20-20-16 account number 55555561. Or 20 20 17 acc no. 55555562", ["20-20-16 1", "20 20 17 2"]),
        ("to 20-20-15 55555561, then sort code 202018 account 55555563. 20-20-19, 55555564",
         ["20-20-15 1", "202018 3", "20-20-19 4"]),
        ("account 55555561 sort code 20-20-16, account 55555562 sort code 20-20-17", ["20-20-16 1", "20-20-17 2"]),
        ("55555561 20-20-15, 55555562 20-20-16", ["20-20-15 1", "20-20-16 2"]),
        ("account 55555561, sort code 20-20-15. Then sort code 20-20-16 account 55555562",
         ["20-20-15 1", "20-20-16 2"]),
        ("Order 55555569. sort code 20-20-15 account 55555561", ["20-20-15 1"]),
        ("I sent 55555569 to 20-20-15 account 55555561", ["20-20-15 1"]),
        ("sort codes 20-20-15 and 20-20-16, accounts 55555561 and 55555562", []),
    ],
)  # fmt: skip
def test_a_sort_code_goes_with_its_own_account(text: str, pairs: list[str]) -> None:
    accounts = {raw for kind, raw in found(text) if kind == "bank-account"}
    assert accounts == {f"{code} 5555556{last}" for code, last in (pair.rsplit(" ", 1) for pair in pairs)}


def test_each_value_once_whatever_its_spelling() -> None:
    assert len(identifiers("07700 900123, +44 7700 900123 and 0044 7700 900123")) == 1


def test_not_more_than_the_limit() -> None:
    assert len(identifiers(" ".join(f"e{number}.example" for number in range(1000)))) == FOUND_LIMIT


@pytest.mark.parametrize(
    "piece", ["a.", "0 ", "07700 900", "20-20-15 ", "A1", "GB33 ", "a@", "http://", "1", "1111 ", "-"]
)
def test_no_text_takes_long(piece: str) -> None:
    text = (piece * 20_000)[:20_000]
    started = time.perf_counter()
    identifiers(text)
    assert time.perf_counter() - started < 1.5
