"""STIX 1.x packages."""

from __future__ import annotations

import pytest

from hub.errors import InvalidInput
from hub.feeds.readers import RawIndicator, Reading, Unread, choose
from hub.feeds.readers.stix1 import StixXml
from hub.stix.tlp import Tlp
from hub.stix.values import Kind, canonical, detect

STIX1 = StixXml()
NAMESPACES = " ".join(
    f'xmlns:{prefix}="{uri}"'
    for prefix, uri in {
        "stix": "http://stix.mitre.org/stix-1",
        "stixCommon": "http://stix.mitre.org/common-1",
        "indicator": "http://stix.mitre.org/Indicator-2",
        "cybox": "http://cybox.mitre.org/cybox-2",
        "cyboxCommon": "http://cybox.mitre.org/common-2",
        "AddressObj": "http://cybox.mitre.org/objects#AddressObject-2",
        "DomainNameObj": "http://cybox.mitre.org/objects#DomainNameObject-1",
        "URIObj": "http://cybox.mitre.org/objects#URIObject-2",
        "FileObj": "http://cybox.mitre.org/objects#FileObject-2",
        "HostnameObj": "http://cybox.mitre.org/objects#HostnameObject-1",
        "EmailMessageObj": "http://cybox.mitre.org/objects#EmailMessageObject-2",
        "MutexObj": "http://cybox.mitre.org/objects#MutexObject-2",
        "marking": "http://data-marking.mitre.org/Marking-1",
        "tlpMarking": "http://data-marking.mitre.org/extensions/MarkingStructure#TLP-1",
        "xsi": "http://www.w3.org/2001/XMLSchema-instance",
    }.items()
)
DOMAIN = '<DomainNameObj:Value condition="Equals">bad.example</DomainNameObj:Value>'


def properties(inside: str, kind: str = "DomainNameObj:DomainNameObjectType", more: str = "") -> str:
    return f'<cybox:Object><cybox:Properties xsi:type="{kind}" {more}>{inside}</cybox:Properties></cybox:Object>'


def indicator(inside: str, more: str = "", after: str = "", inner: str = "") -> str:
    return f"""<stix:Indicator timestamp="2026-01-01T00:00:00+00:00" {more}>
        <indicator:Title>A title</indicator:Title><indicator:Type>Domain Watchlist</indicator:Type>
        <indicator:Observable {inner}>{inside}</indicator:Observable>{after}</stix:Indicator>"""


def marking(colour: str) -> str:
    return (
        "<stix:Handling><marking:Marking><marking:Marking_Structure "
        f'xsi:type="tlpMarking:TLPMarkingStructureType" color="{colour}"/></marking:Marking></stix:Handling>'
    )


def package(*parts: str, header: str = "") -> bytes:
    inside = "".join(parts)
    return (
        f'<stix:STIX_Package {NAMESPACES} version="1.2"><stix:STIX_Header>{header}</stix:STIX_Header>'
        f"{inside}</stix:STIX_Package>"
    ).encode()


def read(raw: bytes) -> list[Reading]:
    return list(STIX1.read(raw))


def only(raw: bytes) -> RawIndicator:
    (found,) = read(raw)
    assert isinstance(found, RawIndicator)
    return found


ADDRESS = "<AddressObj:Address_Value>{}</AddressObj:Address_Value>"
HASHES = (
    "<FileObj:File_Name>a.exe</FileObj:File_Name><FileObj:Hashes><cyboxCommon:Hash>"
    "<cyboxCommon:Type>SHA256</cyboxCommon:Type>"
    f"<cyboxCommon:Simple_Hash_Value>{'A' * 64}</cyboxCommon:Simple_Hash_Value>"
    "</cyboxCommon:Hash></FileObj:Hashes>"
)
MESSAGE = '<EmailMessageObj:{0} category="e-mail">{1}</EmailMessageObj:{0}>'
FROM = MESSAGE.format("From", ADDRESS.format("a@bad.example"))
TO = MESSAGE.format("To", ADDRESS.format("v@victim.example"))


@pytest.mark.parametrize(
    ("inside", "kind", "more", "expected"),
    [
        (DOMAIN, "DomainNameObj:DomainNameObjectType", "", (Kind.DOMAIN, "bad.example")),
        (ADDRESS.format("192.0.2.7"), "a", 'category="ipv4-addr"', (Kind.IPV4, "192.0.2.7")),
        (ADDRESS.format("192.0.2.7"), "a", "", (Kind.IPV4, "192.0.2.7")),
        (ADDRESS.format("192.0.2.0/24"), "a", 'category="cidr"', (Kind.IPV4_CIDR, "192.0.2.0/24")),
        (ADDRESS.format("2001:db8::7"), "a", 'category="ipv6-addr"', (Kind.IPV6, "2001:db8::7")),
        (ADDRESS.format("a@bad.example"), "a", 'category="e-mail"', (Kind.EMAIL, "a@bad.example")),
        ("<URIObj:Value>http://b.example/a</URIObj:Value>", "u", 'type="URL"', (Kind.URL, "http://b.example/a")),
        ("<URIObj:Value>b.example</URIObj:Value>", "u", 'type="Domain Name"', (Kind.DOMAIN, "b.example")),
        ("<HostnameObj:Hostname_Value>b.example</HostnameObj:Hostname_Value>", "h", "", (Kind.DOMAIN, "b.example")),
        (HASHES, "FileObj:FileObjectType", "", (Kind.SHA256, "a" * 64)),
        (FROM, "EmailMessageObj:EmailMessageObjectType", "", (Kind.EMAIL, "a@bad.example")),
    ],
)
def test_objects(inside: str, kind: str, more: str, expected: tuple[Kind, str]) -> None:
    found = only(package(indicator(properties(inside, kind, more))))
    value = canonical(found.kind, found.raw) if found.kind else detect(found.raw)
    assert (value.kind, value.text) == expected
    assert found.labels == ("domain watchlist",)
    assert found.description == "A title"
    assert found.first_seen == "2026-01-01T00:00:00Z"


def test_a_list_in_one_field() -> None:
    inside = DOMAIN.replace("bad.example", "a.example##comma##b.example").replace(">", ' apply_condition="ANY">', 1)
    assert [one.raw for one in read(package(indicator(properties(inside)))) if isinstance(one, RawIndicator)] == [
        "a.example",
        "b.example",
    ]
    other = inside.replace("##comma##", "|").replace('apply_condition="ANY"', 'delimiter="|"')
    assert len(read(package(indicator(properties(other))))) == 2


MUTEX = properties("<MutexObj:Name>m</MutexObj:Name>", "MutexObj:MutexObjectType")


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        (indicator(properties(DOMAIN), more='negate="true"'), "negated"),
        (indicator(properties(DOMAIN), inner='negate="true"'), "negated"),
        (indicator(properties(DOMAIN.replace("Equals", "DoesNotEqual"))), "negated"),
        (indicator(properties(DOMAIN.replace("Equals", "FitsPattern"))), "pattern"),
        (indicator(MUTEX), "a CybOX MutexObject that names no value"),
        (indicator(properties(TO)), "receiver"),
        (indicator(properties(ADDRESS.format("00:11"), "a", 'category="mac"')), "category mac"),
    ],
)
def test_what_stays_out_says_why(written: str, reason: str) -> None:
    (found,) = read(package(written))
    assert isinstance(found, Unread)
    assert reason in found.reason


def observable(name: str, value: str, more: str = "") -> str:
    inside = DOMAIN.replace("bad.example", value)
    return f'<cybox:Observable id="{name}" {more}>{properties(inside)}</cybox:Observable>'


def test_observables_count_where_an_indicator_refers_to_them() -> None:
    observables = f"<stix:Observables>{observable('o1', 'a.example')}{observable('o2', 'b.example')}</stix:Observables>"
    refers = '<stix:Indicator><indicator:Observable idref="o1"/></stix:Indicator>'
    found = read(package(observables, refers))
    assert [type(one) for one in found] == [RawIndicator, Unread]
    negated = '<stix:Indicator negate="true"><indicator:Observable idref="o1"/></stix:Indicator>'
    assert [type(one) for one in read(package(observables, negated))] == [Unread, Unread]


def test_observables_count_where_there_is_no_indicator() -> None:
    assert only(package(f"<stix:Observables>{observable('o', 'a.example')}</stix:Observables>")).raw == "a.example"


@pytest.mark.parametrize(
    ("header", "own", "after", "expected"),
    [
        ("", "", "", None),
        (marking("GREEN"), "", "", Tlp.GREEN),
        (marking("GREEN"), marking("AMBER"), "", Tlp.AMBER),
        (marking("AMBER"), marking("WHITE"), "", Tlp.AMBER),
        ("", "", f"<stix:Incident>{marking('RED')}</stix:Incident>", Tlp.RED),
        (marking("MAUVE"), "", "", Tlp.AMBER_STRICT),
    ],
)
def test_the_strictest_marking_holds(header: str, own: str, after: str, expected: Tlp | None) -> None:
    assert only(package(indicator(properties(DOMAIN), after=own), after, header=header)).tlp is expected


def test_it_is_chosen_by_its_content() -> None:
    assert choose(package()).name == "stix1"
    assert read(package()) == []


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"<html/>",
        b"<a><Indicator/></a>",
        package()[:-5],
        b"<!DOCTYPE x []>" + package(),
        b"{}",
        package(*["<a>"] * 200),
    ],
)
def test_what_is_no_package_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidInput):
        read(raw)
