"""Values that must not become indicators for the world: private ones, and those kept for documentation."""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final

from hub.stix.values import Kind, Value
from hub.stix.values.hosts import address
from hub.stix.values.urls import host_of

_Network = IPv4Network | IPv6Network

# IANA's special-purpose address registries (RFC 6890), without the documentation networks.
_PRIVATE_NETWORKS: Final[tuple[tuple[_Network, str], ...]] = tuple(
    (ip_network(network), reason)
    for network, reason in (
        ("0.0.0.0/8", "unspecified"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "shared by a carrier's customers"),
        ("127.0.0.0/8", "loopback"),
        ("169.254.0.0/16", "link-local"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "kept for protocols"),
        ("192.168.0.0/16", "private"),
        ("198.18.0.0/15", "for benchmarks"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved or broadcast"),
        ("::/128", "unspecified"),
        ("::1/128", "loopback"),
        ("64:ff9b:1::/48", "private"),
        ("100::/64", "discard-only"),
        ("fc00::/7", "private"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "site-local"),
        ("ff00::/8", "multicast"),
    )
)
# RFC 5737, RFC 3849, RFC 9637.
_DOCUMENTATION_NETWORKS: Final[tuple[_Network, ...]] = tuple(
    map(ip_network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20"))
)
# RFC 6761, RFC 6762, RFC 8375, ICANN's "internal" and the names that private networks use by habit.
_PRIVATE_NAMES: Final = frozenset(
    {
        "corp",
        "home",
        "home.arpa",
        "internal",
        "intranet",
        "invalid",
        "lan",
        "local",
        "localdomain",
        "localhost",
        "private",
        "test",
    }
)
_DOCUMENTATION_NAMES: Final = frozenset({"example", "example.com", "example.net", "example.org"})
# Numbers that Ofcom keeps for drama, E.164 without "+".
_DRAMA_NUMBER: Final = re.compile(
    r"44(?:7700900|2079460|1632960|1914980|2920180|3069990|8081570)[0-9]{3}",
)
_DOCUMENTATION_ACCOUNTS: Final = frozenset(
    {Value(Kind.IBAN, "GB33BUKB20201555555555"), Value(Kind.BANK_ACCOUNT, "20201555555555")}
)
# The first numbers of all IPv4 addresses that any rule below concerns: a look at them spares the rest a search.
_CONCERNED: Final = frozenset(
    first
    for network in (*(network for network, _ in _PRIVATE_NETWORKS), *_DOCUMENTATION_NETWORKS)
    if isinstance(network, IPv4Network)
    for first in range(int(network[0]) >> 24, (int(network[-1]) >> 24) + 1)
)
_NETWORK_KINDS: Final = frozenset({Kind.IPV4, Kind.IPV6, Kind.IPV4_CIDR, Kind.IPV6_CIDR})


def private_reason(value: Value) -> str | None:
    """Say why the value means something inside one network only; ``None`` where it does not.

    A network that overlaps a private one is private too: ``0.0.0.0/0`` would hit everybody's own hosts.
    """
    host = _host(value)
    if _is_ordinary(host):
        return None
    if host.kind in _NETWORK_KINDS:
        network = _network(host)
        for private, reason in _PRIVATE_NETWORKS:
            if private.overlaps(network):
                inside = network.prefixlen >= private.prefixlen
                return f"the address is {reason}" if inside else f"it covers {private}"
    elif host.kind is Kind.DOMAIN:
        suffix = _listed_suffix(host.text, _PRIVATE_NAMES)
        if suffix is not None or "." not in host.text:
            return f"names under {suffix or host.text} are local"
    elif host.kind is Kind.ASN and _is_private_asn(int(host.text)):
        return "the number is for private use (RFC 6996, RFC 7300)"
    return None


def reserved_reason(value: Value) -> str | None:
    """Say why the value belongs to documentation, tests or drama; ``None`` where it does not."""
    host = _host(value)
    if host.kind in _NETWORK_KINDS:
        kept = not _is_ordinary(host) and _is_for_documentation(_network(host))
        return "the address is kept for documentation (RFC 5737, RFC 3849, RFC 9637)" if kept else None
    if host.kind is Kind.DOMAIN and _listed_suffix(host.text, _DOCUMENTATION_NAMES):
        return "the name is kept for documentation (RFC 2606)"
    if host.kind is Kind.PHONE and _DRAMA_NUMBER.fullmatch(host.text):
        return "the number is kept for drama (Ofcom)"
    if host.kind is Kind.ASN and _is_documentation_asn(int(host.text)):
        return "the number is kept for documentation (RFC 5398)"
    if host in _DOCUMENTATION_ACCOUNTS:
        return "the account is the example of the IBAN registry"
    return None


def _host(value: Value) -> Value:
    """Return the host of a URL, the domain of an e-mail address, any other value as it is."""
    if value.kind is Kind.EMAIL:
        return Value(Kind.DOMAIN, value.text.rpartition("@")[2])
    if value.kind is not Kind.URL:
        return value
    host = host_of(value.text)
    last = host.rpartition(".")[2]
    return address(host) if ":" in host or last.isdigit() else Value(Kind.DOMAIN, host)


def _is_ordinary(value: Value) -> bool:
    return value.kind is Kind.IPV4 and int(value.text.partition(".")[0]) not in _CONCERNED


def _network(value: Value) -> _Network:
    network = ip_network(value.text)
    if isinstance(network, IPv6Network) and network.prefixlen == 128:
        mapped = network.network_address.ipv4_mapped
        if mapped is not None:
            return IPv4Network(mapped)
    return network


def _listed_suffix(name: str, listed: frozenset[str]) -> str | None:
    labels = name.split(".")
    # No listed name has more than two labels.
    return next((suffix for count in (1, 2) if (suffix := ".".join(labels[-count:])) in listed), None)


def _is_for_documentation(network: _Network) -> bool:
    return any(kept.overlaps(network) and network.prefixlen >= kept.prefixlen for kept in _DOCUMENTATION_NETWORKS)


def _is_documentation_asn(number: int) -> bool:
    return 64496 <= number <= 64511 or 65536 <= number <= 65551


def _is_private_asn(number: int) -> bool:
    return 64512 <= number <= 65535 or 4_200_000_000 <= number <= 4_294_967_295
