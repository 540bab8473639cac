"""Strict reading (RFC 7493) and canonical writing (RFC 8785) of JSON."""

from __future__ import annotations

import hashlib
import struct
import time
from contextlib import suppress

import pytest

from hub.errors import InvalidInput
from hub.stix.canonical import MAX_CANONICAL_DEPTH, canonical_json, parse_json, writer_for

# The six vectors of RFC 8785's reference repository (arrays, french, structures, unicode, values, weird).
PUBLISHED = {
    "arrays": (r'[ 56, { "d": true, "10": null, "1": [ ] } ]', '[56,{"1":[],"10":null,"d":true}]'),
    "french": (
        (
            '{"peach": "This sorting order", "péché": "is wrong according to French",\n'
            '"pêche": "but canonicalization MUST", "sin":   "ingnore locale"}'
        ),
        (
            '{"peach":"This sorting order","péché":"is wrong according to French",'
            '"pêche":"but canonicalization MUST","sin":"ingnore locale"}'
        ),
    ),
    "structures": (
        (
            r'{"1": {"f": {"f": "hi","F": 5} ,"\n": 56.0}, "10": { }, "": "empty", "a": { }, "111": [ { } ],'
            r' "A": { }}'
        ),
        r'{"":"empty","1":{"\n":56,"f":{"F":5,"f":"hi"}},"10":{},"111":[{}],"A":{},"a":{}}',
    ),
    "unicode": (r'{"Unnormalized Unicode":"A\u030a"}', '{"Unnormalized Unicode":"A\u030a"}'),
    "values": (
        r"""{"numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false]}""",
        (
            r"""{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"""
            r""""string":"€$\u000f\nA'B\"\\\\\"/"}"""
        ),
    ),
    "weird": (
        (
            r'{"\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh",'
            r' "1": "One", "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control",'
            r' "\u00f6": "Latin Small Letter O With Diaeresis", "</script>": "Browser Challenge"}'
        ),
        (
            r'{"\r":"Carriage Return","1":"One","</script>":"Browser Challenge",'
            '"\u0080":"Control","ö":"Latin Small Letter O With Diaeresis","€":"Euro Sign",'
            '"\U0001f600":"Emoji: Grinning Face","\ufb33":"Hebrew Letter Dalet With Dagesh"}'
        ),
    ),
}
# RFC 8785 appendix B: IEEE 754 bits and the text they have.
NUMBERS = [
    ("0000000000000000", "0"),
    ("8000000000000000", "0"),
    ("0000000000000001", "5e-324"),
    ("8000000000000001", "-5e-324"),
    ("7fefffffffffffff", "1.7976931348623157e+308"),
    ("ffefffffffffffff", "-1.7976931348623157e+308"),
    ("4340000000000000", "9007199254740992"),
    ("c340000000000000", "-9007199254740992"),
    ("4430000000000000", "295147905179352830000"),
    ("44b52d02c7e14af5", "9.999999999999997e+22"),
    ("44b52d02c7e14af6", "1e+23"),
    ("44b52d02c7e14af7", "1.0000000000000001e+23"),
    ("444b1ae4d6e2ef4e", "999999999999999700000"),
    ("444b1ae4d6e2ef4f", "999999999999999900000"),
    ("444b1ae4d6e2ef50", "1e+21"),
    ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"),
    ("3eb0c6f7a0b5ed8d", "0.000001"),
    ("41b3de4355555553", "333333333.3333332"),
    ("41b3de4355555554", "333333333.33333325"),
    ("41b3de4355555555", "333333333.3333333"),
    ("41b3de4355555556", "333333333.3333334"),
    ("41b3de4355555557", "333333333.33333343"),
    ("becbf647612f3696", "-0.0000033333333333333333"),
    ("43143ff3c1cb0959", "1424953923781206.2"),
]


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_vectors(name: str) -> None:
    text, canonical = PUBLISHED[name]
    assert canonical_json(parse_json(text.encode())) == canonical.encode()


@pytest.mark.parametrize(("bits", "text"), NUMBERS)
def test_numbers_of_appendix_b(bits: str, text: str) -> None:
    (number,) = struct.unpack(">d", bytes.fromhex(bits))
    assert writer_for([number])(number) == text.encode()


@pytest.mark.parametrize(
    ("raw", "where"),
    [
        (b"\xef\xbb\xbf{}", "line 1 column 1"),
        (b"", "line 1 column 1"),
        (b'{"a":1,}', "line 1 column 7"),
        (b'{\n"a":tru}', "line 2 column 5"),
        (b'["\xff"]', "line 1 column 1"),
        (b'["\xed\xa0\x80"]', "line 1 column 1"),
        (b'["\\ud800"]', "line 1 column 3"),
        (b'["\\udc00\\ud800"]', "line 1 column 3"),
        (b"[NaN]", "line 1 column 2"),
        (b"[Infinity]", "line 1 column 2"),
        (b"[-1e400]", "line 1 column 2"),
        (b"[01]", "line 1 column 2"),
        (b"[] []", "line 1 column 4"),
        (b"{'a':1}", "line 1 column 2"),
        (b'{"a":1,"a":1}', "a"),
        (b'{"a":1,"\\u0061":2}', "a"),
        (b'{"x":[1,{"y":{"b":"q\\"","c":[],"b":"q"}}]}', "x[1].y.b"),
        (b'{"":{"k":1},"":{"k":2}}', ""),
        (b'[{"a":9007199254740992}]', "[0].a"),
        (b"[-9007199254740992]", "[0]"),
        (b"[1,123456789012345678901234567890]", "[1]"),
        (b"[1e20]", "[0]"),
        (b'{"a":["\\u0000"]}', "a[0]"),
        (b'{"a":{"b\\u0000":1}}', "a"),
        ('{"a":"\ufdd0"}'.encode(), "a"),
        (b'{"a":"\\uffff"}', "a"),
        ('{"a":"\U0010fffe"}'.encode(), "a"),
    ],
)
def test_what_is_no_i_json_is_refused_with_its_place(raw: bytes, where: str | None) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_json(raw)
    assert refused.value.where == where


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b'"\\\\u0000"', "\\u0000"),
        (b"9007199254740991", 2**53 - 1),
        (b"-9007199254740991", -(2**53) + 1),
        (b"1e30", 1e30),
        (b"-0.0", 0.0),
        (b'{"a":{"b":1},"b":{"a":"\\"a\\":1"}}', {"a": {"b": 1}, "b": {"a": '"a":1'}}),
        ('["\U0001f600\u2028é"]'.encode(), ["\U0001f600\u2028é"]),
        (b' [ "\\\\" , "\\"" , "\\\\\\"" ] ', ["\\", '"', '\\"']),
    ],
)
def test_what_is_i_json_is_read(raw: bytes, value: object) -> None:
    assert parse_json(raw) == value


def test_nesting_is_bounded() -> None:
    assert canonical_json(parse_json(b"[" * 64 + b"]" * 64)) == b"[" * 64 + b"]" * 64
    for deep in (b"[" * 65 + b"]" * 65, b'{"a":' * 65 + b"1" + b"}" * 65):
        with pytest.raises(InvalidInput, match="deeper than 64"):
            parse_json(deep)


@pytest.mark.parametrize(
    "raw",
    [
        b"[" * 10_000 + b"]" * 10_000,
        b"[" * 1_000_000,
        b'{"a":' * 500_000,
        b"[" + b"1e30," * 300_000 + b"1]",
        b"[" + b"9007199254740993," * 100_000 + b"1]",
        b'{"a":1,' + b",".join(b'"k%d":1' % i for i in range(100_000)) + b',"a":2}',
    ],
)
def test_hostile_bodies_take_little_time(raw: bytes) -> None:
    start = time.perf_counter()
    with suppress(InvalidInput):
        parse_json(raw)
    assert time.perf_counter() - start < 3


def test_values_without_a_canonical_form_are_refused() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    endless: dict[str, object] = {}
    endless["self"] = endless
    unfit = [
        float("nan"),
        float("inf"),
        2**53,
        {1: 2},
        {"a": object()},
        "\ud800",
        {"\ud800": 1},
        b"x",
        {"é": {1: 1}},
    ]
    for value in [*unfit, deep, endless]:
        with pytest.raises(InvalidInput):
            canonical_json(value)
    # Taken apart step by step: a deep value is released without recursion too.
    while deep:
        deep = deep.pop()  # type: ignore[assignment] # a list within a list


def test_a_canonical_value_may_wrap_an_accepted_one() -> None:
    value: object = 1
    for _ in range(MAX_CANONICAL_DEPTH):
        value = {"é": value}
    assert canonical_json(value).count("é".encode()) == MAX_CANONICAL_DEPTH


def test_names_sort_by_utf16_units() -> None:
    assert canonical_json({"\ufb33": 1, "\U0001f600": 2}) == '{"\U0001f600":2,"\ufb33":1}'.encode()


def test_the_object_of_the_provenance_design() -> None:
    signed = {
        "type": "indicator",
        "spec_version": "2.1",
        "id": "indicator--3f1b6c0e-8f0d-4f52-9a0f-3f5d9b7c1a10",
        "created_by_ref": "identity--0b6f3a52-6f2e-4a77-8a3f-0d9b1f1f5c01",
        "created": "2026-11-20T09:00:00.000Z",
        "modified": "2026-11-20T09:00:00.000Z",
        "name": "Mule account (APP fraud)",
        "description": "Account named in 3 APP scam reports",
        "indicator_types": ["malicious-activity"],
        "pattern": "[url:value = 'https://hmrc-refund.example/pay']",
        "pattern_type": "stix",
        "pattern_version": "2.1",
        "valid_from": "2026-11-20T09:00:00Z",
        "confidence": 60,
        "object_marking_refs": ["marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"],
        "labels": ["app-fraud"],
    }
    digest = hashlib.sha256(canonical_json(signed)).hexdigest()
    assert digest == "1820b3a9bbaae56a881427f2b8bca9ab43aec6c8d077ebe54b201c8e5efb611b"
