"""hub.stix.reserved: what must not go out to the world, and why."""

from __future__ import annotations

import pytest

from hub.stix.reserved import private_reason, reserved_reason
from hub.stix.values import Kind, Value, canonical


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("ipv4", "10.1.2.3"),
        ("ipv4", "127.0.0.1"),
        ("ipv4", "169.254.1.1"),
        ("ipv4", "100.64.0.1"),
        ("ipv4", "224.0.0.1"),
        ("ipv4", "0.0.0.0"),
        ("ipv4", "255.255.255.255"),
        ("ipv4-cidr", "192.168.0.0/24"),
        ("ipv4-cidr", "0.0.0.0/0"),
        ("ipv4-cidr", "8.0.0.0/5"),
        ("ipv6", "::1"),
        ("ipv6", "::"),
        ("ipv6", "fe80::1"),
        ("ipv6", "fd00::1"),
        ("ipv6", "ff02::1"),
        ("ipv6", "::ffff:10.1.2.3"),
        ("ipv6-cidr", "::/0"),
        ("domain", "printer.local"),
        ("domain", "app.localhost"),
        ("domain", "host.internal"),
        ("domain", "host.test"),
        ("domain", "router.home.arpa"),
        ("url", "http://localhost:8080/"),
        ("url", "http://192.168.1.1/admin"),
        ("url", "http://[::1]/"),
        ("url", "http://intranet/"),
        ("email", "bob@mail.local"),
        ("asn", "64512"),
        ("asn", "4200000000"),
    ],
)
def test_private(kind: str, text: str) -> None:
    assert private_reason(canonical(Kind(kind), text))


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("ipv4", "198.51.100.7"),
        ("ipv4", "192.0.2.1"),
        ("ipv4-cidr", "203.0.113.0/28"),
        ("ipv6", "2001:db8::1"),
        ("ipv6-cidr", "2001:db8:1::/48"),
        ("ipv6", "::ffff:192.0.2.1"),
        ("domain", "example.com"),
        ("domain", "www.example.org"),
        ("domain", "bank.example"),
        ("url", "https://login.example.net/x"),
        ("url", "https://203.0.113.7/x"),
        ("url", "https://[2001:db8::1]/x"),
        ("email", "bob@example.com"),
        ("phone", "07700 900123"),
        ("phone", "020 7946 0123"),
        ("phone", "01632 960123"),
        ("phone", "0191 498 0123"),
        ("phone", "029 2018 0123"),
        ("phone", "03069 990123"),
        ("phone", "08081 570123"),
        ("asn", "64496"),
        ("asn", "AS64511"),
        ("iban", "GB33BUKB20201555555555"),
        ("bank-account", "20-20-15 55555555"),
    ],
)
def test_kept_for_documentation(kind: str, text: str) -> None:
    value = canonical(Kind(kind), text)
    assert reserved_reason(value)
    assert private_reason(value) is None


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("ipv4", "1.1.1.1"),
        ("ipv4-cidr", "8.8.8.0/24"),
        ("ipv4-cidr", "198.51.0.0/16"),
        ("ipv6", "2606:4700::1111"),
        ("domain", "example.co.uk"),
        ("domain", "notexample.com"),
        ("domain", "local.evil.com"),
        ("domain", "4.3.2.1.ip6.arpa"),
        ("url", "http://evil.com/localhost"),
        ("url", "http://evil.com/?u=example.com"),
        ("email", "example.com@evil.com"),
        ("phone", "07700 800123"),
        ("asn", "3356"),
        ("iban", "DE89370400440532013000"),
        ("md5", "d41d8cd98f00b204e9800998ecf8427e"),
        ("user-agent", "curl/8"),
    ],
)
def test_of_the_open_world(kind: str, text: str) -> None:
    value = canonical(Kind(kind), text)
    assert private_reason(value) is None
    assert reserved_reason(value) is None


def test_the_reason_tells_the_network() -> None:
    assert private_reason(Value(Kind.IPV4_CIDR, "0.0.0.0/0")) == "it covers 0.0.0.0/8"
    assert private_reason(Value(Kind.IPV4, "10.0.0.1")) == "the address is private"
