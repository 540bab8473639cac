"""Whatever text comes: a value has one text, and only InvalidInput is raised."""

from __future__ import annotations

import contextlib

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hub.errors import InvalidInput
from hub.stix.cards import REPLACEMENT, contains_card, redact_cards
from hub.stix.checksums import luhn_holds
from hub.stix.refang import refang
from hub.stix.reserved import private_reason, reserved_reason
from hub.stix.values import Kind, Value, canonical, detect

PIECES = [
    *"[](){}.:/@ -+0147abcxBC1%#?\\\t_",
    *(
        "[.]",
        "(dot)",
        " dot ",
        " at ",
        "[at]",
        "[:]",
        "://",
        "[://]",
        "hxxp",
        "http://",
        "fxp",
        "ftp://",
        "\u200b",
    ),
    *(
        "evil",
        "example",
        ".com",
        ".co.uk",
        "münchen",
        "xn--",
        "0x",
        "bc1",
        "198.51.100.7",
        "2001:db8::1",
        "/24",
    ),
    *(
        "4111",
        "1111",
        "GB33BUKB",
        "2020",
        "15",
        "5555",
        "telegram:",
        "AS64496",
        "+44",
        "020 7946 0123",
        "\ud800",
    ),
    *("İ", "ß", "K", "。", "１", "\u0345", "ͅ", "ǰ", "tcp://", "mailto:"),
]
wild = st.one_of(
    st.text(max_size=60),
    st.lists(st.sampled_from(PIECES), max_size=14).map("".join),
    st.binary(max_size=60).map(lambda raw: raw.decode("latin-1")),
)
kinds = st.sampled_from(list(Kind))

octet = st.integers(0, 255)
label = st.from_regex(r"[a-z0-9_]([a-z0-9_-]{0,20}[a-z0-9])?", fullmatch=True)
hex_digits = "0123456789abcdef"
good = st.one_of(
    st.tuples(octet, octet, octet, octet).map(lambda parts: (Kind.IPV4, ".".join(map(str, parts)))),
    st.ip_addresses(v=6).map(lambda address: (Kind.IPV6, address.exploded)),
    st.tuples(st.ip_addresses(v=4), st.integers(0, 32)).map(lambda net: (Kind.IPV4_CIDR, f"{net[0]}/{net[1]}")),
    st.tuples(st.ip_addresses(v=6), st.integers(0, 128)).map(lambda net: (Kind.IPV6_CIDR, f"{net[0]}/{net[1]}")),
    st.tuples(label, st.sampled_from(["com", "co.uk", "example", "xn--p1ai"])).map(
        lambda name: (Kind.DOMAIN, f"{name[0].upper()}.evil.{name[1]}")
    ),
    st.tuples(label, st.text(max_size=30)).map(lambda url: (Kind.URL, f"https://u:p@{url[0]}.evil.com:8443/{url[1]}")),
    st.tuples(label, label).map(lambda mail: (Kind.EMAIL, f"{mail[0]}@{mail[1]}.evil.com")),
    st.sampled_from([(Kind.MD5, 32), (Kind.SHA1, 40), (Kind.SHA256, 64), (Kind.SHA512, 128)]).flatmap(
        lambda digest: st.text(hex_digits + "ABCDEF", min_size=digest[1], max_size=digest[1]).map(
            lambda text: (digest[0], text)
        )
    ),
    st.text(hex_digits, min_size=40, max_size=40).map(lambda text: (Kind.ETH, f"0x{text}")),
)


@given(kinds, wild)
@settings(max_examples=1500, deadline=None)
def test_canonical_is_idempotent_and_raises_nothing_else(kind: Kind, raw: str) -> None:
    try:
        value = canonical(kind, raw)
    except InvalidInput as refused:
        assert len(refused.message) < 300
        assert not contains_card(refused.message)
        return
    assert value.text
    value.text.encode("utf-8")
    assert canonical(value.kind, value.text) == value
    private_reason(value)
    reserved_reason(value)


@given(wild)
@settings(max_examples=1500, deadline=None)
def test_detect_raises_nothing_else_and_finds_its_own_text(raw: str) -> None:
    try:
        value = detect(raw)
    except InvalidInput as refused:
        assert not contains_card(refused.message)
        return
    assert canonical(value.kind, value.text) == value
    # The text of these does not show the kind any more.
    if value.kind not in {Kind.PHONE, Kind.BANK_ACCOUNT, Kind.ASN}:
        with contextlib.suppress(InvalidInput):
            assert detect(value.text) == value


@given(good)
@settings(max_examples=500, deadline=None)
def test_canonical_texts_are_detected_as_what_they_are(spelled: tuple[Kind, str]) -> None:
    kind, raw = spelled
    assume(not (kind is Kind.DOMAIN and len(raw) > 253))
    value = canonical(kind, raw)
    assert detect(value.text) == value
    assert canonical(kind, value.text) == value


@given(st.integers(10**8, 10**15 - 1))
@settings(max_examples=500, deadline=None)
def test_phone_digits_are_stable(number: int) -> None:
    try:
        value = canonical(Kind.PHONE, f"+{number}")
    except InvalidInput:
        return
    assert canonical(Kind.PHONE, value.text) == value
    assert detect(f"+{value.text}") == value


@given(wild)
@settings(max_examples=1500, deadline=None)
def test_refang_is_idempotent(text: str) -> None:
    once = refang(text)
    assert refang(once) == once


@given(st.integers(0, 10**14 - 1), st.sampled_from(["4", "51", "55", "37", "6011"]), st.data())
def test_every_card_is_found_in_any_grouping(number: int, prefix: str, draw: st.DataObject) -> None:
    length = 15 if prefix == "37" else 16
    stem = (prefix + f"{number:015d}")[: length - 1]
    card = next(stem + digit for digit in "0123456789" if luhn_holds(stem + digit))
    gaps = draw.draw(st.lists(st.sampled_from(["", "", "", " ", "-"]), min_size=length - 1, max_size=length - 1))
    dressed = "".join(digit + gap for digit, gap in zip(card, [*gaps, ""], strict=True))
    assert redact_cards(f"card: {dressed}.") == f"card: {REPLACEMENT}."


def test_a_value_is_frozen_and_hashable() -> None:
    assert len({Value(Kind.DOMAIN, "evil.example"), Value(Kind.DOMAIN, "evil.example")}) == 1
