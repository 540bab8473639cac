"""hub.stix.cards: full card numbers are found in every dress, other numbers are left alone."""

from __future__ import annotations

import time

import pytest

from hub.stix.cards import REPLACEMENT, contains_card, redact_cards
from hub.stix.checksums import luhn_holds, mod97_holds

# Test numbers that the card schemes and their processors publish.
CARDS = [
    "4111111111111111",
    "4242424242424242",
    "4222222222222",
    "5555555555554444",
    "5105105105105100",
    "2223003122003222",
    "378282246310005",
    "6011111111111117",
    "30569309025904",
    "36227206271667",
    "3530111333300000",
    "6759649826438453",
    "6200000000000005",
]


@pytest.mark.parametrize("card", CARDS)
def test_each_issuer(card: str) -> None:
    assert redact_cards(f"I gave them {card}, sadly.") == f"I gave them {REPLACEMENT}, sadly."
    assert not contains_card(card[:-1] + str((int(card[-1]) + 1) % 10))


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "4111.1111.1111.1111",
        "4111  1111\u00a01111 – 1111".replace(" – ", "–"),
        "3782 822463 10005",
        "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
        "41111111 11111111",
        "card4111111111111111",
        "4111111111111111CVV123",
        "pan=4111111111111111;",
        "４１１１１１１１１１１１１１１１",
        "411111\u200b1111111111",
        "+4111111111111111",
    ],
)
def test_each_dress(text: str) -> None:
    assert contains_card(text)
    assert "1111 1111" not in redact_cards(text)
    assert REPLACEMENT in redact_cards(text)


def test_no_digit_of_a_card_is_left_where_a_shorter_number_would_do() -> None:
    # The first 13 digits are a valid number of an older length.
    assert redact_cards("4000000001129 008") == REPLACEMENT
    assert redact_cards("4 4111 1111 1111 1111") in {REPLACEMENT, f"4 {REPLACEMENT}"}


def test_what_stands_beside_stays() -> None:
    text = "card 4111 1111 1111 1111 12/27 123, then 5555-5555-5555-4444; account 20-20-15 55555555"
    expected = f"card {REPLACEMENT} 12/27 123, then {REPLACEMENT}; account 20-20-15 55555555"
    assert redact_cards(text) == expected
    assert redact_cards(expected) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1234567890123456",
        "4111111111111112",
        "GB33BUKB20201555555555",
        "DE89370400440532013000",
        "DE89 3704 0044 0532 0130 00",
        "sort code 30-56-93 account 09025904",
        "30-56-93 09025904",
        "+4915112345678",
        "07700 900123",
        "1752051600000",
        "a" * 20 + "4111111111111111" + "b" * 20,
        "41111111111111114111111111111111",
    ],
)
def test_other_numbers_stay(text: str) -> None:
    assert not contains_card(text)
    assert redact_cards(text) == text


@pytest.mark.parametrize("piece", ["4", "4 ", "41 ", "4111-", " ", "-", "4111111111111111 ", "a4111111111111112"])
def test_time_is_linear(piece: str) -> None:
    started = time.perf_counter()
    redact_cards(piece * 50_000)
    assert time.perf_counter() - started < 5


def test_checksums() -> None:
    assert luhn_holds("79927398713")
    assert not luhn_holds("79927398710")
    assert mod97_holds("GB33BUKB20201555555555")
    assert not mod97_holds("GB34BUKB20201555555555")
    assert not mod97_holds("GB")
    assert not mod97_holds("GB33 BUKB 2020 1555")


@pytest.mark.parametrize("card", ["4000000000593907"])
def test_digits_that_would_pass_for_an_iban_are_a_card(card: str) -> None:
    assert mod97_holds(card)
    assert redact_cards(f"card: {card}.") == "card: [card number removed]."
