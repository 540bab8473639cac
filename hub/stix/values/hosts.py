"""Domain names, IP addresses and networks, and autonomous system numbers."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Final

from ada_url import idna_to_ascii

from hub.stix.refang import refang
from hub.stix.values.kinds import Kind, Value, refusal
from hub.stix.values.suffixes import is_public_suffix

# RFC 1035 section 2.3.4 for the lengths. Feeds hold names with underscores and with hyphens at the ends of
# labels, which resolve, so RFC 952's letter rules are not asked for.
PLAIN_DOMAIN: Final = re.compile(r"(?:[a-z0-9_-]{1,63}\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
_MAX_DOMAIN: Final = 253
_OCTET: Final = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
PLAIN_IPV4: Final = re.compile(rf"(?:{_OCTET}\.){{3}}{_OCTET}")
_PORT: Final = re.compile(r"(.+):([0-9]{1,5})", re.DOTALL)
_BRACKETED: Final = re.compile(r"\[([^\[\]]*)\]")
_ASN: Final = re.compile(r"(?:ASN?)?\s*([0-9]{1,10})", re.IGNORECASE)


def domain(raw: str) -> Value:
    """Return the domain name in lower case ASCII (UTS 46), without a trailing dot or a port.

    An IP address, with a port or without, comes back as the address that it is.
    """
    value = host(raw)
    if value.kind is Kind.DOMAIN and is_public_suffix(value.text):
        raise refusal(
            raw,
            "is a public suffix, under which many owners hold names",
            advice="Give the registered domain.",
        )
    return value


def host(raw: str) -> Value:
    """Return what ``domain`` returns, and a public suffix too: mail comes from those as well."""
    text = raw.lower()
    if PLAIN_DOMAIN.fullmatch(text) and len(text) <= _MAX_DOMAIN:
        return Value(Kind.DOMAIN, text)
    text = without_port(refang(raw).strip())
    if (found := _address_or_network(text)) is not None:
        return found
    text = domain_ascii(text)
    if not (PLAIN_DOMAIN.fullmatch(text) and len(text) <= _MAX_DOMAIN):
        raise refusal(raw, f"is not a domain name: {_fault(text)}")
    return Value(Kind.DOMAIN, text)


def address(raw: str) -> Value:
    """Return an IPv4 or IPv6 address or network in its standard text (RFC 5952), whichever ``raw`` is.

    A port is dropped, host bits of a network are cleared, and a network of one address is that address.
    """
    if PLAIN_IPV4.fullmatch(raw):
        return Value(Kind.IPV4, raw)
    found = _address_or_network(without_port(refang(raw).strip()))
    if found is None:
        raise refusal(raw, "is not an IP address or network")
    return found


def asn(raw: str) -> Value:
    """Return an autonomous system number (RFC 6793, 32 bits) as plain decimal digits."""
    match = _ASN.fullmatch(raw.strip())
    if match is None or not 0 < int(match.group(1)) < 2**32:
        raise refusal(raw, "is not an autonomous system number")
    return Value(Kind.ASN, str(int(match.group(1))))


def without_port(text: str) -> str:
    """Return the host of "host:port" and of "[address]:port"; a text without a valid port as it is."""
    if text.count(":") > 1 and not text.startswith("["):
        return text
    match = _PORT.fullmatch(text)
    if match is not None and int(match.group(2)) <= 65535:
        text = match.group(1)
    bracketed = _BRACKETED.fullmatch(text)
    return bracketed.group(1) if bracketed else text


def domain_ascii(text: str) -> str:
    """Return ``text`` mapped and encoded by UTS 46, as a browser would, without a trailing dot.

    The result may still be no domain name; it is empty where the mapping fails.
    """
    try:
        return idna_to_ascii(text).decode("ascii", "replace").lower().removesuffix(".")
    except UnicodeEncodeError:  # a lone surrogate
        return ""


def _address_or_network(text: str) -> Value | None:
    if "%" in text:  # a zone index means something on one machine only (RFC 4007)
        return None
    try:
        if "/" in text:
            return _network(text)
        if ":" in text:
            return Value(Kind.IPV6, _text_of(IPv6Address(text)))
        return Value(Kind.IPV4, str(IPv4Address(text)))
    except ValueError:
        return None


def _network(text: str) -> Value:
    network = ip_network(text, strict=False)
    first = network.network_address
    if isinstance(first, IPv4Address):
        if network.prefixlen == 32:
            return Value(Kind.IPV4, str(first))
        return Value(Kind.IPV4_CIDR, f"{first}/{network.prefixlen}")
    if network.prefixlen == 128:
        return Value(Kind.IPV6, _text_of(first))
    return Value(Kind.IPV6_CIDR, f"{_text_of(first)}/{network.prefixlen}")


def _text_of(address: IPv6Address) -> str:
    # Python writes a mapped address in different ways from version to version; this is RFC 5952 section 5.
    mapped = address.ipv4_mapped
    return f"::ffff:{mapped}" if mapped is not None else str(address)


def _fault(text: str) -> str:
    labels = text.split(".")
    faults = (
        (len(text) > _MAX_DOMAIN, "it is longer than 253 characters"),
        ("*" in text, "it holds a wildcard"),
        (len(labels) < 2, "it has fewer than two labels"),
        (not all(labels), "it has an empty label"),
        (any(len(label) > 63 for label in labels), "a label is longer than 63 characters"),
        (labels[-1].isdigit(), "its last label is a number"),
    )
    return next((reason for holds, reason in faults if holds), "it holds characters that no name has")
