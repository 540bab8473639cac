"""Where a request came from, and the certificate that its client showed: to the hub, or to a trusted proxy.

Nobody but a trusted proxy is believed: the same headers from any other address are ignored.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import unquote

from flask import Request

from hub.errors import Unauthenticated
from hub.settings import Server

PEM = re.compile(r"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", re.DOTALL)
LONGEST_HEADER = 16 * 1024
# Where the hub's own server puts the connection's certificate (DER) in the WSGI environ, once it has verified it.
# No request can: whatever it sends has a name that begins with HTTP_.
CONNECTION_CERTIFICATE = "hub.connection_certificate"


class Proxies:
    """The proxies that a process trusts."""

    def __init__(self, settings: Server) -> None:
        self._networks = settings.trusted_proxies
        self._header = settings.client_certificate_header
        self._trusted = lru_cache(maxsize=1024)(self._is_trusted)

    def address_of(self, request: Request) -> str:
        """The client's address: the last one of X-Forwarded-For that no trusted proxy has, read from the right."""
        address = request.remote_addr or ""
        if not self._networks:
            return address
        for hop in reversed(request.headers.get("X-Forwarded-For", "").split(",")):
            if not self._trusted(address):
                break
            address = hop.strip() or address
        return address

    def comes_from(self, request: Request, networks: tuple[IPv4Network | IPv6Network, ...]) -> bool:
        """Whether the client's address is in one of ``networks``; an address that cannot be read is in none."""
        try:
            address = ip_address(self.address_of(request))
        except ValueError:
            return False
        mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
        return any((mapped or address) in network for network in networks)

    def certificate_of(self, request: Request) -> bytes | None:
        """SHA-256 of the client's certificate, which the hub's server or a trusted proxy has verified, or None.

        A trusted proxy's word is taken as ``Client-Cert`` has it (RFC 9440: DER in base64 between colons) or as
        nginx's ``$ssl_client_escaped_cert`` (PEM, URL-encoded). The certificate of its own connection is not its
        client's and never stands for one. Raises Unauthenticated for a header that is anything else.
        """
        if self._trusted(request.remote_addr or ""):
            text = request.headers.get(self._header, "").strip() if self._header else ""
            return fingerprint(text) if text else None
        shown: bytes | None = request.environ.get(CONNECTION_CERTIFICATE)
        return hashlib.sha256(shown).digest() if shown else None

    def _is_trusted(self, address: str) -> bool:
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._networks)  # never so for the other IP version


def fingerprint(text: str) -> bytes:
    """SHA-256 over the DER form of a certificate given as a header. Raises Unauthenticated."""
    if len(text) > LONGEST_HEADER:
        raise _unreadable()
    if text.startswith(":") and text.endswith(":") and len(text) > 2:
        encoded = text[1:-1]
    else:
        found = PEM.search(unquote(text))
        if found is None:
            raise _unreadable()
        encoded = "".join(found[1].split())
    try:
        return hashlib.sha256(base64.b64decode(encoded, validate=True)).digest()
    except (binascii.Error, ValueError):
        raise _unreadable() from None


def _unreadable() -> Unauthenticated:
    return Unauthenticated("the proxy passed on a certificate that cannot be read")
