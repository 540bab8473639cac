"""OpenIOC 1.0 and 1.1."""

from __future__ import annotations

import pytest

from hub.errors import InvalidInput
from hub.feeds.readers import RawIndicator, Reading, Unread, choose
from hub.feeds.readers.openioc import OpenIoc
from hub.stix.tlp import Tlp
from hub.stix.values import Kind, canonical

OPENIOC = OpenIoc()


def document(items: str, links: str = "", operator: str = "OR") -> bytes:
    return f"""<?xml version="1.0" encoding="us-ascii"?>
<!-- a licence -->
<ioc xmlns="http://schemas.mandiant.com/2010/ioc" id="1">
  <short_description>A campaign</short_description>
  <links>{links}</links>
  <definition><Indicator operator="{operator}" id="2">{items}</Indicator></definition>
</ioc>""".encode()


def item(search: str, content: str, condition: str = "is", more: str = "") -> str:
    return (
        f'<IndicatorItem id="x" condition="{condition}" {more}><Context document="d" search="{search}" type="mir"/>'
        f'<Content type="string">{content}</Content></IndicatorItem>'
    )


OPEN = '<IndicatorItem condition="is"><Context search="Network/DNS"/>'


def read(raw: bytes) -> list[Reading]:
    return list(OPENIOC.read(raw))


@pytest.mark.parametrize(
    ("search", "content", "expected"),
    [
        ("FileItem/Md5sum", "0" * 32, Kind.MD5),
        ("ProcessItem/SectionList/MemorySection/Md5sum", "0" * 32, Kind.MD5),
        ("FileItem/Sha1sum", "A" * 40, Kind.SHA1),
        ("FileItem/Sha256sum", "a" * 64, Kind.SHA256),
        ("DnsEntryItem/Host", "bad.example", Kind.DOMAIN),
        ("Network/DNS", "bad.example", Kind.DOMAIN),
        ("PortItem/remoteIP", "192.0.2.7", Kind.IPV4),
        ("ProcessItem/PortList/PortItem/remoteIP", "192.0.2.7", Kind.IPV4),
        ("Email/From", "a@bad.example", Kind.EMAIL),
        ("UrlHistoryItem/URL", "http://bad.example/a", Kind.URL),
        ("Network/UserAgent", "Bad/1.0", Kind.USER_AGENT),
    ],
)
def test_terms(search: str, content: str, expected: Kind) -> None:
    (found,) = read(document(item(search, content)))
    assert isinstance(found, RawIndicator)
    assert found.kind is not None
    assert canonical(found.kind, found.raw).kind is expected
    assert found.description == "A campaign"


@pytest.mark.parametrize(
    "written",
    [
        f'{OPEN}<Content type="string" value="bad.example"/></IndicatorItem>',
        f'{OPEN}<Content type="string" content="bad.example"></Content></IndicatorItem>',
        '<IndicatorItem condition="is" value="bad.example"><Context search="Network/DNS"/></IndicatorItem>',
        '<IndicatorItem condition="is" search="Network/DNS" content="bad.example"/>',
        '<IndicatorItem><Context search="network/dns"/><Content>\n bad.example \n</Content></IndicatorItem>',
    ],
)
def test_the_value_may_stand_in_an_attribute(written: str) -> None:
    (found,) = read(document(written))
    assert isinstance(found, RawIndicator)
    assert (found.kind, found.raw) == (Kind.DOMAIN, "bad.example")


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        (item("FileItem/FileName", "a.exe"), "has no indicator form"),
        (item("", "a.exe"), "has no indicator form"),
        (item("Network/DNS", "bad.example", "isnot"), "negated"),
        (item("Network/DNS", "bad.example", "is", 'negate="TRUE"'), "negated"),
        (item("Network/DNS", ".*[.]example", "matches"), "part of a value"),
        (item("Network/UserAgent", "MSIE", "contains"), "part of a value"),
        (item("Network/DNS", ""), "no content"),
        ("<IndicatorItem/>", "has no indicator form"),
    ],
)
def test_every_item_that_stays_out_says_why(written: str, reason: str) -> None:
    (found,) = read(document(written))
    assert isinstance(found, Unread)
    assert reason in found.reason


def test_items_joined_by_and_still_name_their_values() -> None:
    found = read(document(item("Network/DNS", "a.example") + item("FileItem/FileName", "x"), operator="AND"))
    assert [type(one) for one in found] == [RawIndicator, Unread]


def test_links_label_the_items() -> None:
    links = '<link rel="threatgroup">APT 0</link><link rel="license">Apache</link><link rel="TLP">green</link>'
    (found,) = read(document(item("Network/DNS", "a.example"), links))
    assert isinstance(found, RawIndicator)
    assert (found.labels, found.tlp) == (("apt 0",), Tlp.GREEN)


def test_version_1_1() -> None:
    raw = b"""<OpenIOC xmlns="http://openioc.org/schemas/OpenIOC_1.1" id="1">
      <metadata><short_description>New</short_description></metadata>
      <criteria><Indicator operator="OR"><IndicatorItem condition="is" negate="false">
      <Context search="Network/DNS"/><Content type="string">a.example</Content></IndicatorItem></Indicator></criteria>
      </OpenIOC>"""
    assert choose(raw).name == "openioc"
    (found,) = read(raw)
    assert isinstance(found, RawIndicator)
    assert (found.raw, found.where) == ("a.example", "item 1, line 3")


def test_it_is_found_behind_a_long_comment() -> None:
    assert choose(b"<!--" + b"licence " * 2000 + b'--><ioc xmlns="x"/>').name == "openioc"


def test_truncated_xml_names_the_place_after_what_stands_before() -> None:
    raw = document(item("Network/DNS", "a.example") + "\n")
    readings = OPENIOC.read(raw[: raw.rindex(b"</Indicator>")])
    with pytest.raises(InvalidInput) as refused:
        list(readings)
    assert refused.value.where == "line 7 column 1"


@pytest.mark.parametrize("raw", [b"<html/>", b"<a><IndicatorItem/></a>", b"", b"{}", b"<!DOCTYPE ioc []><ioc/>"])
def test_other_documents_are_refused(raw: bytes) -> None:
    with pytest.raises(InvalidInput):
        read(raw)


def test_an_empty_one_holds_nothing() -> None:
    assert read(document("")) == []
