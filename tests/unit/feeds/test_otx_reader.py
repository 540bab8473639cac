"""OTX pulses."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub.errors import InvalidInput
from hub.feeds.readers import RawIndicator, Reading, Unread, choose
from hub.feeds.readers.otx import OtxPulses
from hub.stix.tlp import Tlp
from hub.stix.values import Kind

OTX = OtxPulses()


def pulse(*indicators: Any, **more: Any) -> dict[str, Any]:
    return {
        "id": "5cb5",
        "name": "A pulse",
        "author_name": "somebody",
        "tags": ["Phishing", 7],
        "adversary": "Nobody",
        "malware_families": [{"display_name": "Bad"}, "Worse"],
        "tlp": "white",
        "indicators": list(indicators),
        **more,
    }


def one(kind: str, value: Any, **more: Any) -> dict[str, Any]:
    return {"type": kind, "indicator": value, "created": "2026-01-01T01:02:03", **more}


def read(document: Any) -> list[Reading]:
    return list(OTX.read(json.dumps(document).encode()))


def test_what_a_pulse_says_is_said_of_each_of_its_indicators() -> None:
    assert read(pulse(one("hostname", "a.example"))) == [
        RawIndicator(
            "pulse 5cb5, indicator 1",
            "a.example",
            Kind.DOMAIN,
            ("phishing", "bad", "worse", "nobody"),
            "2026-01-01T01:02:03Z",
            description="A pulse",
            tlp=Tlp.CLEAR,
        )
    ]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("domain", Kind.DOMAIN),
        ("URL", Kind.URL),
        ("IPv4", Kind.IPV4),
        ("IPv6", Kind.IPV6),
        ("CIDR", Kind.IPV4_CIDR),
        ("email", Kind.EMAIL),
        ("FileHash-MD5", Kind.MD5),
        ("FileHash-SHA1", Kind.SHA1),
        ("FileHash-SHA256", Kind.SHA256),
        ("BitcoinAddress", Kind.BTC),
    ],
)
def test_types(kind: str, expected: Kind) -> None:
    (found,) = read(pulse(one(kind, "x")))
    assert isinstance(found, RawIndicator)
    assert found.kind is expected


@pytest.mark.parametrize(
    "broken",
    [
        one("YARA", "x"),
        one("CVE", "CVE-2026-1"),
        one("domain", ""),
        one("domain", None),
        one("domain", "a.example", is_active=0),
        7,
        None,
        [],
    ],
)
def test_what_stays_out_is_counted(broken: Any) -> None:
    assert [type(found) for found in read(pulse(broken, one("domain", "a.example")))] == [Unread, RawIndicator]


@pytest.mark.parametrize(("label", "tlp"), [("amber", Tlp.AMBER), ("", None), (None, None), ("odd", Tlp.AMBER_STRICT)])
def test_tlp(label: str | None, tlp: Tlp | None) -> None:
    (found,) = read(pulse(one("domain", "a.example"), tlp=label))
    assert isinstance(found, RawIndicator)
    assert found.tlp is tlp


@pytest.mark.parametrize("wrap", [lambda p: p, lambda p: [p], lambda p: {"count": 1, "results": [p]}])
def test_forms(wrap: Any) -> None:
    document = wrap(pulse(one("domain", "a.example")))
    assert choose(json.dumps(document).encode()).name == "otx"
    assert len(read(document)) == 1


@pytest.mark.parametrize(
    "raw", [b"", b"{}", b"[]", b"7", b'{"indicators": 5}', b'{"results": [7]}', b'{"indicators": [']
)
def test_what_is_no_pulse_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidInput):
        list(OTX.read(raw))


def test_a_bare_pulse_is_known_by_its_entries_and_its_label_holds() -> None:
    raw = json.dumps({"TLP": "amber", "indicators": [{"type": "hostname", "indicator": "a.example"}]}).encode()
    reader = choose(raw)
    assert reader.name == "otx"
    assert [one.tlp for one in reader.read(raw) if isinstance(one, RawIndicator)] == [Tlp.AMBER]
