"""STIX patterns: the grammar against the reference validator, the meaning, and hostile input."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from stix2patterns.test.v21 import test_validator as published
from stix2patterns.validator import run_validator

from hub.errors import InvalidInput
from hub.stix.pattern import MAX_COMPARISONS, MAX_DEPTH, MAX_LENGTH, parse, pattern_for, values_in
from hub.stix.pattern.syntax import (
    Binary,
    Combined,
    Comparison,
    Hex,
    Joined,
    ObjectPath,
    Observation,
    Qualified,
    Repeats,
    StartStop,
    Within,
)
from hub.stix.values import Kind, Value, canonical

T = "t'2020-01-01T00:00:00Z'"
U = "t'2021-01-01T00:00:00Z'"
MD5 = "a" * 32

VALID = [
    "[a:b = 1]",
    "[a:b == 1]",
    "[a:b != 1]",
    "[a:b <> 1]",
    "[a:b < 1]",
    "[a:b <= 1]",
    "[a:b > 1]",
    "[a:b >= 'x']",
    "[a:b NOT = 1]",
    "[a:b NOT <> 1]",
    "[a:b NOT < 1]",
    "[a:b NOT IN (1)]",
    "[a:b NOT LIKE 'x']",
    "[a:b NOT MATCHES 'x']",
    "[a:b NOT ISSUBSET '1.0.0.0/8']",
    "[a:b NOT ISSUPERSET '1.0.0.0/8']",
    "[a:b IN ()]",
    "[a:b IN (1,'x',true,h'ff',b'YQ==',2.5)]",
    f"[a:b IN ({T},-1)]",
    "[a:b LIKE '%x_']",
    "[a:b MATCHES '(']",
    "[EXISTS a:b]",
    "[NOT EXISTS a:b.c]",
    "[a:b = true]",
    "[a:b = false]",
    "[a:b = +5]",
    "[a:b = -0]",
    "[a:b = .5]",
    "[a:b = -.5]",
    "[a:b = +1.50]",
    "[a:b = h'']",
    "[a:b = h'fFd8']",
    "[a:b = b'YWJj']",
    f"[a:b = {T}]",
    "[a:b = t'2020-02-29T23:59:59.1234567890Z']",
    "[a:b = '']",
    "[a:b = 'a\\'b\\\\']",
    "[a:b='x\ny']",
    "[a:b = 'é\U0001f600']",
    "[a:'b c' = 1]",
    "[a:b.'c-d'[*].e[0][+1] = 1]",
    "[a : b . c [0] = 1]",
    "[x-a-:b_ = 1]",
    "[_a:_b = 1]",
    "[a:in = 1]",
    "[a:NULL = 1]",
    "[true_:b = 1]",
    "[(a:b = 1)]",
    "[((a:b=1 OR c:d=2) AND e:f=3)]",
    "[a:b=1 AND a:c=2 OR a:d=3 AND a:e=4]",
    "([a:b=1])",
    "(([a:b=1]))",
    "[a:b=1] AND [a:b=2] OR [a:b=3]",
    "[a:b=1] FOLLOWEDBY ([a:b=1] OR [a:b=2]) FOLLOWEDBY [a:b=3]",
    "[a:b=1] WITHIN 5 SECONDS",
    "[a:b=1] WITHIN 0.5 SECONDS",
    "[a:b=1] REPEATS 5 TIMES",
    "[a:b=1]REPEATS 5TIMES",
    f"[a:b=1] START {T} STOP {U}",
    f"[a:b=1]START {T}STOP {U}",
    "[a:b=1] WITHIN 1 SECONDS REPEATS 2 TIMES",
    "([a:b=1]) WITHIN 1 SECONDS WITHIN 2 SECONDS",
    "([a:b=1] REPEATS 2 TIMES) REPEATS 2 TIMES",
    " \t[a:b=1]\x85\u2028\u3000",
    "[a:b /* why */ = 1] // end",
    f"[file:hashes.MD5 = '{MD5}']",
    f"[file:hashes.'SHA-1' != '{'a' * 40}']",
    "[file:hashes.SSDEEP = '3:AXG:bC/+.']",
    "[file:hashes.unknown = 'x']",
    "[file:hashes[*] = 'x']",
    "[a:b=1] OR [a:b=1] OR [a:b=1] AND [a:b=1]",
]
INVALID = [
    "",
    " ",
    "[]",
    "a:b = 1",
    "[a:b = 1",
    "a:b = 1]",
    "[a:b = 1]]",
    "[[a:b = 1]]",
    "[a:b]",
    "[a:b =]",
    "[a:b = = 1]",
    "[a = 1]",
    "[a:b = c]",
    "[a:b = 'x]",
    "[a:b = x']",
    '[a:b = "x"]',
    "[a:b = 'x\\d']",
    "[a:b = 'a''b']",
    "[a:b ~ 1]",
    "[a:b LIKE 5]",
    "[a:b MATCHES /x/]",
    "[a:b ISSUBSET 1]",
    "[a:b IN 1]",
    "[a:b IN (1,)]",
    "[a:b IN ('a' 'b')]",
    "[a:b IN (1]",
    "[a:b > true]",
    "[a:b = TRUE]",
    "[a:b = True]",
    "[a:b = null]",
    "[a:b = 01]",
    "[a:b = 5.]",
    "[a:b = 1e5]",
    "[a:b = - 1]",
    "[a:b = h'f']",
    "[a:b = h'gg']",
    "[a:b = b'']",
    "[a:b = b'YQ=']",
    "[a:b = b'====']",
    "[a:b = t'x']",
    "[a:b = t'2020-13-01T00:00:00Z']",
    "[a:b = t'2020-00-01T00:00:00Z']",
    "[a:b = t'2020-01-32T00:00:00Z']",
    "[a:b = t'2020-01-01T24:00:00Z']",
    "[a:b = t'2020-01-01T00:60:00Z']",
    "[a:b = t'2020-01-01T00:00:61Z']",
    "[a:b = t'2020-01-01T00:00:00']",
    "[a:b = t'2020-01-01T00:00:00.Z']",
    "[a:b = t'2020-01-01 00:00:00Z']",
    "[a:b-c = 1]",
    "[a.b:c = 1]",
    "[a:b. = 1]",
    "[a:.b = 1]",
    "[a:[*].b = 1]",
    "[a:b[] = 1]",
    "[a:b[x] = 1]",
    "[a:b[-1] = 1]",
    "[a:b[1.5] = 1]",
    "[é:b = 1]",
    "[a:é = 1]",
    "[1a:b = 1]",
    "[IN:b = 1]",
    "[a:IN = 1]",
    "[a:true = 1]",
    "[LAST:b = 1]",
    "[a:TIMES = 1]",
    "[NOT a:b = 1]",
    "[a:b NOT EXISTS]",
    "[a:b EXISTS]",
    "[a:b NOT NOT = 1]",
    "[NOT NOT EXISTS a:b]",
    "[a:b = 1 AND]",
    "[AND a:b = 1]",
    "[a:b = 1 FOLLOWEDBY a:b = 2]",
    "[a:b = 1 a:c = 2]",
    "[a:b=1] [a:b=2]",
    "[a:b=1] AND",
    "[a:b=1] and [a:b=2]",
    "[a:b=1] NOT [a:b=2]",
    "([a:b=1]",
    "[a:b=1])",
    "()",
    "([a:b=1] [a:b=2])",
    "[(a:b = 1]",
    "[a:b=1] WITHIN 5",
    "[a:b=1] WITHIN 5 HOURS",
    "[a:b=1] WITHIN -5 SECONDS",
    "[a:b=1] WITHIN SECONDS",
    "[a:b=1] within 5 SECONDS",
    "[a:b=1] REPEATS 1.5 TIMES",
    "[a:b=1] REPEATS -1 TIMES",
    "[a:b=1] REPEATS TIMES",
    f"[a:b=1] START {T}",
    f"[a:b=1] STOP {U}",
    "[a:b=1] START '2020-01-01T00:00:00Z' STOP '2021-01-01T00:00:00Z'",
    f"[a:b=1] STOP {U} START {T}",
    "[a:b=1] WITHIN 1 SECONDS WITHIN 2 SECONDS",
    "[a:b=1] REPEATS 2 TIMES REPEATS 3 TIMES",
    "[a:b=1 WITHIN 5 SECONDS]",
    "[a:b=1]\u200b",
    "[a:b=1]\ufeff",
    "[a:b=1] /* open",
    "[a:b=1] / x",
    f"[file:hashes.MD5 = '{'a' * 31}']",
    "[file:hashes.'SHA-256' = 'f00']",
    "[file:hashes.MD5 = 5]",
    f"[file:hashes.SHA1 = '{'g' * 40}']",
    "[file:hashes.SSDEEP = 'a b']",
]

# Where this parser and the reference differ, and why this one is right.
STRICTER = {
    "[a:b=1] WITHIN 0 SECONDS": "9.5.1: a number of seconds is positive",
    "[a:b=1] WITHIN 0.0 SECONDS": "9.5.1",
    "[a:b=1] REPEATS 0 TIMES": "9.5.1: the number of times is positive",
    f"[a:b=1] START {U} STOP {T}": "9.5.1: observed from START until before STOP, so nothing can match",
    f"[a:b=1] START {T} STOP {T}": "9.5.1",
    "[a:b = t'2024-02-30T12:00:00Z']": "9.2: a timestamp is one of RFC 3339, whose days exist",
    "[a:b = t'2023-02-29T12:00:00Z']": "9.2",
    "[a:b = t'2024-04-31T12:00:00Z']": "9.2",
    "[a:b = t'0000-01-01T00:00:00Z']": "year 0 is no year of the database's or Python's calendar",
    "[a:b = t'2016-12-31T23:59:60Z']": "leap seconds cannot be kept or compared",
    "[a:b = 9007199254740992]": "2.10: an integer is within ±(2^53−1)",
}
MORE_LENIENT = {
    "/* why */ [a:b=1]": "the grammar skips comments everywhere; the reference first looks for a bracket",
    f"[file:hashes.MD5 IN ('{MD5}')]": "9.6.1: IN; the reference takes the set itself for one hash",
    "[file:hashes.MD5 LIKE 'a%']": "9.6.1: LIKE takes an expression, not a hash",
    "[file:hashes.MD5 MATCHES '^a+$']": "9.6.1: MATCHES takes an expression, not a hash",
    "[file:hashes.MD5 > 'a']": "9.6.1: any string has an order",
    "[file:hashes[0] = 'a']": "9.7: an index is a step; the reference fails with an AttributeError",
}


def _reference(pattern: str) -> bool:
    try:
        return not run_validator(pattern, stix_version="2.1")
    except (AttributeError, UnboundLocalError):
        # It fails on [-1], on hashes[0] and on an empty pattern.
        return False


def _ours(pattern: str) -> bool:
    try:
        parse(pattern)
    except InvalidInput:
        return False
    return True


@pytest.mark.parametrize("pattern", VALID)
def test_valid(pattern: str) -> None:
    assert _reference(pattern), "the reference validator does not share this expectation"
    parse(pattern)


@pytest.mark.parametrize("pattern", INVALID)
def test_invalid(pattern: str) -> None:
    assert not _reference(pattern), "the reference validator does not share this expectation"
    with pytest.raises(InvalidInput):
        parse(pattern)


def test_the_reference_validators_own_cases() -> None:
    for pattern in [*published.SPEC_CASES, *published.PASS_CASES]:
        parse(pattern)
    for pattern, _ in [*published.FAIL_CASES, *published.TIMESTAMP_FAIL_CASES]:
        assert not _ours(pattern), pattern
    for pattern in published.TIMESTAMP_PASS_CASES:
        # Three of these are there to show that the reference does not look at the calendar.
        assert _ours(pattern) == (re.search("02-30|04-31|2023-02-29", pattern) is None), pattern


@pytest.mark.parametrize("pattern", STRICTER)
def test_stricter_than_the_reference(pattern: str) -> None:
    assert _reference(pattern)
    assert not _ours(pattern)


@pytest.mark.parametrize("pattern", MORE_LENIENT)
def test_more_lenient_than_the_reference(pattern: str) -> None:
    assert not _reference(pattern)
    assert _ours(pattern)


def _indicators(folder: Path) -> Iterator[dict[str, Any]]:
    for file in sorted([*folder.rglob("*.json"), *folder.rglob("*.stix2")]):
        if file.stat().st_size > 50_000_000:
            continue
        pending = [json.loads(file.read_bytes())]
        while pending:
            value = pending.pop()
            if isinstance(value, dict):
                if value.get("type") == "indicator" and isinstance(value.get("pattern"), str):
                    yield value
                pending.extend(value.values())
            elif isinstance(value, list):
                pending.extend(value)


def test_patterns_of_real_feeds(shared_data: Path) -> None:
    count = 0
    shapes: dict[str, str] = {}
    for indicator in _indicators(shared_data):
        if indicator.get("pattern_type", "stix") == "stix":
            pattern = indicator["pattern"]
            parse(pattern)
            values_in(pattern)
            count += 1
            shapes.setdefault(re.sub(r"'[^'\\]*'", "''", pattern), pattern)
    assert count > 2000
    for pattern in shapes.values():
        assert _reference(pattern), pattern


# -- what is read


def test_precedence() -> None:
    one, two, three = (Observation(Comparison(ObjectPath("a", ("b",)), "=", (n,), False)) for n in (1, 2, 3))
    assert parse("[a:b=1] FOLLOWEDBY [a:b=2] OR [a:b=3] AND [a:b=1]") == Joined(
        "FOLLOWEDBY", (one, Joined("OR", (two, Joined("AND", (three, one)))))
    )
    assert parse("([a:b=1] OR [a:b=2]) AND [a:b=3]") == Joined("AND", (Joined("OR", (one, two)), three))
    inner = [part.expression for part in (one, two, three)]
    assert parse("[a:b=1 OR a:b=2 AND a:b=3]") == Observation(
        Combined("OR", (inner[0], Combined("AND", (inner[1], inner[2]))))
    )


def test_qualifiers() -> None:
    read = parse(f"[a:b=1] WITHIN 1.5 SECONDS REPEATS 2 TIMES START {T} STOP {U}")
    assert isinstance(read, Qualified)
    assert read.qualifiers == (
        Within(1.5),
        Repeats(2),
        StartStop(datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC)),
    )


def test_constants_and_paths() -> None:
    read = parse(f"[a:'b'.c[*].'d-e'[2] NOT IN (1, -2.5, 'x\\'\\\\y', true, h'ff', b'YQ==', {T})]")
    assert read == Observation(
        Comparison(
            ObjectPath("a", ("b", "c", None, "d-e", 2)),
            "IN",
            (1, -2.5, "x'\\y", True, Hex("ff"), Binary("YQ=="), datetime(2020, 1, 1, tzinfo=UTC)),
            True,
        )
    )


def test_the_place_of_a_fault_is_named() -> None:
    with pytest.raises(InvalidInput, match="']'") as refused:
        parse("[file:size = ]")
    assert refused.value.where == "character 14"
    with pytest.raises(InvalidInput) as refused:
        parse("[file:name-x = 1]")
    assert refused.value.advice == "Write 'name-x'."


@pytest.mark.parametrize(
    "pattern",
    [
        "[" + " OR ".join(["a:b = 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'"] * 1000) + "]",
        "[" + " OR ".join(["a:b=1"] * (MAX_COMPARISONS + 1)) + "]",
        "(" * 10_000,
        "[" + "(" * 10_000,
        "[a:b='" * 3000,
        "h'" * 10_000,
        "/*" * 10_000,
        "[a:b=b'" + "A" * 19_990,
        "[a:b=" + "1" * 19_000 + "]",
        "1" * 20_000,
        "[a:b" + ".c" * 9_000,
        "[a:b=1]" + " WITHIN 1 SECONDS" * 1_000,
    ],
)
def test_hostile_patterns_are_refused_at_once(pattern: str) -> None:
    start = time.perf_counter()
    with pytest.raises(InvalidInput):
        parse(pattern)
    assert time.perf_counter() - start < 0.5


def test_the_bounds_themselves_are_taken() -> None:
    parse("[" + " OR ".join(["a:b=1"] * MAX_COMPARISONS) + "]")
    parse("(" * MAX_DEPTH + "[a:b=1]" + ")" * MAX_DEPTH)
    parse(f"[a:b = '{'x' * (MAX_LENGTH - 10)}']")


# -- values

EXAMPLES = [
    (Kind.DOMAIN, "evil.example.com", "[domain-name:value = 'evil.example.com']"),
    (Kind.URL, "https://hmrc-refund.example/pay", "[url:value = 'https://hmrc-refund.example/pay']"),
    (Kind.IPV4, "192.0.2.1", "[ipv4-addr:value = '192.0.2.1']"),
    (Kind.IPV6, "2001:db8::1", "[ipv6-addr:value = '2001:db8::1']"),
    (Kind.IPV4_CIDR, "198.51.100.0/24", "[ipv4-addr:value ISSUBSET '198.51.100.0/24']"),
    (Kind.IPV6_CIDR, "2001:db8::/32", "[ipv6-addr:value ISSUBSET '2001:db8::/32']"),
    (Kind.EMAIL, "o'brien@example.com", r"[email-addr:value = 'o\'brien@example.com']"),
    (Kind.MD5, MD5, f"[file:hashes.MD5 = '{MD5}']"),
    (Kind.SHA1, "b" * 40, f"[file:hashes.'SHA-1' = '{'b' * 40}']"),
    (Kind.SHA256, "c" * 64, f"[file:hashes.'SHA-256' = '{'c' * 64}']"),
    (Kind.SHA512, "d" * 128, f"[file:hashes.'SHA-512' = '{'d' * 128}']"),
    (
        Kind.BTC,
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
        "[cryptocurrency-wallet:value = '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa']",
    ),
    (
        Kind.LTC,
        "3P14159f73E4gFr7JterCCQh9QjiTjiZrG",
        (
            "[cryptocurrency-wallet:value = '3P14159f73E4gFr7JterCCQh9QjiTjiZrG'"
            " AND cryptocurrency-wallet:chain = 'ltc']"
        ),
    ),
    (Kind.ETH, "0x" + "ab" * 20, f"[cryptocurrency-wallet:value = '0x{'ab' * 20}']"),
    (Kind.PHONE, "+44 20 7946 0123", "[phone-number:value = '442079460123']"),
    (Kind.IBAN, "GB33BUKB20201555555555", "[bank-account:iban = 'GB33BUKB20201555555555']"),
    (Kind.BANK_ACCOUNT, "20-20-15 55555555", "[bank-account:account_number = '20201555555555']"),
    (Kind.COMPANY, "SC123456", "[x-company:company_number = 'SC123456']"),
    (
        Kind.SOCIAL_HANDLE,
        "telegram:bob:x'y",
        r"[user-account:account_type = 'telegram' AND user-account:account_login = 'bob:x\'y']",
    ),
    (Kind.USER_AGENT, r"Mozilla/5.0 (X; 'q' \ {})", r"[user-agent:value = 'Mozilla/5.0 (X; \'q\' \\ {})']"),
    (Kind.VEHICLE, "AB12 CDE", "[x-vehicle:registration = 'AB12CDE']"),
    (Kind.ASN, "AS64496", "[autonomous-system:number = 64496]"),
    (Kind.JA3, "e" * 32, f"[network-traffic:x_ja3 = '{'e' * 32}']"),
]


@pytest.mark.parametrize(("kind", "raw", "pattern"), EXAMPLES)
def test_a_value_and_its_pattern(kind: Kind, raw: str, pattern: str) -> None:
    value = canonical(kind, raw)
    assert value.kind is kind
    assert pattern_for(value) == pattern
    assert _reference(pattern)
    assert values_in(pattern) == [value]


def test_the_longest_value_has_a_pattern() -> None:
    for value in (Value(Kind.URL, "https://a.example/?" + "\\" * 8100), Value(Kind.USER_AGENT, "'" * 2048)):
        parse(pattern_for(value))


@pytest.mark.parametrize(
    ("pattern", "texts"),
    [
        (
            "[url:value = 'http://b.example/' OR url:value = 'http://a.example/']",
            ["http://b.example/", "http://a.example/"],
        ),
        ("[domain-name:value = 'A.example' OR domain-name:'value' == 'a.example']", ["a.example"]),
        (
            "[domain-name:value IN ('b.example', 'a.example', 5)] AND [ipv4-addr:value='192.0.2.1']",
            ["b.example", "a.example", "192.0.2.1"],
        ),
        (
            "([domain-name:value='a.example'] FOLLOWEDBY [domain-name:value='b.example']) WITHIN 5 SECONDS",
            ["a.example", "b.example"],
        ),
        ("[domain-name:value != 'a.example']", []),
        ("[domain-name:value NOT = 'a.example']", []),
        ("[domain-name:value NOT IN ('a.example')]", []),
        ("[domain-name:value LIKE '%.example']", []),
        ("[domain-name:value MATCHES 'a.example']", []),
        ("[domain-name:value ISSUBSET 'a.example']", []),
        ("[domain-name:value = 'not a domain' OR domain-name:value = 'a.example']", ["a.example"]),
        (
            "[domain-name:value='a.example' AND domain-name:resolves_to_refs[*].value='192.0.2.1']",
            ["a.example"],
        ),
        (
            "[network-traffic:dst_ref.type='ipv4-addr' AND network-traffic:dst_ref.value='192.0.2.1']",
            ["192.0.2.1"],
        ),
        ("[network-traffic:dst_ref.value ISSUBSET '2001:db8::/32']", ["2001:db8::/32"]),
        ("[ipv4-addr:value = '198.51.100.0/24']", ["198.51.100.0/24"]),
        (
            "[email-message:from_ref.value = 'x@example.com' AND email-message:subject = 'Hi']",
            ["x@example.com"],
        ),
        (f"[file:hashes.md5 = '{MD5.upper()}' AND file:name = 'x.exe']", [MD5]),
        (f"[file:hashes.'sha256' = '{'C' * 64}']", ["c" * 64]),
        (f"[file:hashes.'RIPEMD-160' = '{'c' * 40}']", []),
        ("[user-account:account_login = 'bob']", []),
        ("[user-account:account_type = 'telegram' OR user-account:account_login = 'bob']", []),
        ("[autonomous-system:number = true]", []),
        ("[x-thing:value = 'a.example' OR process:name = 'a.example']", []),
        (
            "[network-traffic:extensions.'http-request-ext'.request_header.'User-Agent' = 'curl/8']",
            ["curl/8"],
        ),
    ],
)
def test_values_that_a_pattern_stands_for(pattern: str, texts: list[str]) -> None:
    assert [value.text for value in values_in(pattern)] == texts


def test_an_invalid_pattern_stands_for_nothing() -> None:
    with pytest.raises(InvalidInput):
        values_in("[url:value = ]")
