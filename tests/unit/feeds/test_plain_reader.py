"""Plain lists."""

from __future__ import annotations

import pytest

from hub.errors import InvalidInput
from hub.feeds.readers import RawIndicator, Unread, choose
from hub.feeds.readers.plain import LINE_LIMIT, PlainList
from hub.stix.tlp import Tlp

LIST = PlainList()


def raws(text: str) -> list[str]:
    return [reading.raw for reading in LIST.read(text.encode()) if isinstance(reading, RawIndicator)]


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("198.51.100.7", ["198.51.100.7"]),
        ("  evil[.]example  ", ["evil[.]example"]),
        ("198.51.100.7\t10", ["198.51.100.7"]),
        ("198.51.100.7 10", ["198.51.100.7"]),
        ("198.51.100.7:8080", ["198.51.100.7:8080"]),
        ("0.0.0.0 a.example b.example # both", ["a.example", "b.example"]),
        ("127.0.0.1 localhost", []),
        ("::1 ip6-localhost", []),
        ("||evil.example^", ["evil.example"]),
        ("||evil.example/path^$all", ["evil.example/path"]),
        ("|https://evil.example/a|", ["https://evil.example/a"]),
        ('local-zone: "evil.example" always_nxdomain', ["evil.example"]),
        ("evil.example CNAME .", ["evil.example"]),
        ("*.evil.example CNAME .", ["evil.example"]),
        ("evil.example # seen today", ["evil.example"]),
        ("evil.example ; seen today", ["evil.example"]),
        ("evil.example // seen today", ["evil.example"]),
        ("https://evil.example/a;b#c//d", ["https://evil.example/a;b#c//d"]),
        ("+44 7700 900123", ["+44 7700 900123"]),
        ("20-20-15 55555555", ["20-20-15 55555555"]),
        ("# comment", []),
        ("; comment", []),
        ("// comment", []),
        ("! comment", []),
        ("[Adblock Plus 2.0]", []),
        ("", []),
    ],
)
def test_lines(line: str, values: list[str]) -> None:
    assert raws(line) == values


def test_place_and_description() -> None:
    found = list(LIST.read(b"# head\n\nevil.example\tfake shop\n"))
    assert found == [RawIndicator("line 3", "evil.example", description="fake shop")]


@pytest.mark.parametrize("line", ["@@||good.example^", "evil.example##.banner", "||evil.*^"])
def test_rules_that_are_no_value(line: str) -> None:
    assert isinstance(next(LIST.read(line.encode())), Unread)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(end: str) -> None:
    assert raws(end.join(["a.example", "b.example", ""])) == ["a.example", "b.example"]


def test_one_very_long_line_is_one_unread() -> None:
    found = list(LIST.read(b"a" * 1_000_000 + b"\nb.example"))
    assert isinstance(found[0], Unread)
    assert len(found[0].raw) == 120
    assert str(LINE_LIMIT) in found[0].reason
    assert found[1] == RawIndicator("line 2", "b.example")


def test_binary_is_refused() -> None:
    with pytest.raises(InvalidInput, match="binary"):
        list(LIST.read(b"MZ\x00\x00"))


@pytest.mark.parametrize(
    "text",
    [
        "evil[.]example\nevil2[.]example\n",
        "# a\n198.51.100.7\t3\n",
        "||evil.example^\n",
        "0.0.0.0 a.example\n",
    ],
)
def test_chosen(text: str) -> None:
    assert choose(text.encode()).name == "list"


def test_a_list_of_wallets_is_chosen() -> None:
    assert choose(b"1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2\n3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy\n").name == "list"
    assert LIST.fits(b"1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2\n", "") == 70


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("bad.example CNAME .", "bad.example"),
        ("*.bad.example 30 IN CNAME .", "bad.example"),
        ("32.7.2.0.192.rpz-ip CNAME .", "192.0.2.7/32"),
        ("24.0.2.0.192.rpz-ip CNAME .", "192.0.2.0/24"),
        ("48.zz.db8.2001.rpz-ip CNAME .", "2001:db8::/48"),
        ("128.7.zz.db8.2001.rpz-ip CNAME .", "2001:db8::7/128"),
        ('local-zone: "bad.example" always_nxdomain', "bad.example"),
    ],
)
def test_zones_of_name_servers(line: str, value: str) -> None:
    (found,) = LIST.read(line.encode())
    assert isinstance(found, RawIndicator)
    assert found.raw == value


@pytest.mark.parametrize(
    "line",
    [
        "good.example CNAME rpz-passthru.",
        'local-zone: "good.example" transparent',
        'local-zone: "good.example" always_transparent',
    ],
)
def test_what_a_zone_lets_through_is_no_indicator(line: str) -> None:
    (found,) = LIST.read(line.encode())
    assert isinstance(found, Unread)
    assert "lets a name through" in found.reason


def test_adblock_lists_are_lists_whatever_share_of_their_rules_is_no_value() -> None:
    content = b"""[Adblock Plus 2.0]
! Title: many exceptions
||evil.example^
||evil.net^$all
@@||good.example^
@@||better.example^
evil.info##.banner
||evil.*^
|https://evil.org/a|
"""
    assert choose(content, "rules.txt").name == "list"
    found = list(LIST.read(content))
    assert [one.raw for one in found if isinstance(one, RawIndicator)] == [
        "evil.example", "evil.net", "https://evil.org/a",
    ]  # fmt: skip
    assert len([one for one in found if isinstance(one, Unread)]) == 4


def test_a_licence_is_no_list() -> None:
    lines = ["Permission is hereby granted free of charge to any person", "obtaining a copy of this software and files"]
    with pytest.raises(InvalidInput, match="not known"):
        choose("\n".join(lines * 6 + ["http://www.apache.org/licenses/"]).encode(), "LICENSE.txt")
    assert choose(b"20-20-15 55555555\n20-20-16 55555556\n", "accounts.txt").name == "list"


@pytest.mark.parametrize(
    ("head", "tlp"),
    [
        ("# TLP:AMBER", Tlp.AMBER),
        ("; Distribution: TLP:AMBER+STRICT", Tlp.AMBER_STRICT),
        ("# TLP: red", Tlp.RED),
        ("# TLP:AMBER, some of it TLP:RED", Tlp.RED),
        ("# TLP:GREEN", None),
        ("# TLP:CLEAR", None),
        ("# not tlp amber", None),
    ],
)
def test_a_label_above_the_values_narrows_and_never_widens(head: str, tlp: Tlp | None) -> None:
    found = list(LIST.read(f"{head}\nevil.example\n".encode()))
    assert [one.tlp for one in found if isinstance(one, RawIndicator)] == [tlp]
