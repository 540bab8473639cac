"""Identifiers that anybody computes alike from the same content (STIX 2.1 section 2.9)."""

from __future__ import annotations

from typing import Any, Final
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

from hub.errors import InvalidInput
from hub.stix.canonical import canonical_json, write_plain

SCO_NAMESPACE: Final = UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")

# STIX 2.1 section 6: the ID contributing properties of each cyber-observable object. A process has none.
_CONTRIBUTING: Final[dict[str, tuple[str, ...]]] = {
    "artifact": ("hashes", "payload_bin"),
    "autonomous-system": ("number",),
    "directory": ("path",),
    "domain-name": ("value",),
    "email-addr": ("value",),
    "email-message": ("from_ref", "subject", "body"),
    "file": ("hashes", "name", "parent_directory_ref", "extensions"),
    "ipv4-addr": ("value",),
    "ipv6-addr": ("value",),
    "mac-addr": ("value",),
    "mutex": ("name",),
    "network-traffic": (
        "start",
        "end",
        "src_ref",
        "dst_ref",
        "src_port",
        "dst_port",
        "protocols",
        "extensions",
    ),
    "process": (),
    "software": ("name", "cpe", "swid", "vendor", "version"),
    "url": ("value",),
    "user-account": ("account_type", "user_id", "account_login"),
    "windows-registry-key": ("key", "values"),
    "x509-certificate": ("hashes", "serial_number"),
    # The published fraud extensions, see hub.stix.vocabulary.
    "bank-account": ("iban", "account_number"),
    "cryptocurrency-wallet": ("value",),
    "cryptocurrency-transaction": ("symbol", "value"),
    "phone-number": ("value",),
    "user-agent": ("value",),
}
_HASHES_BY_PREFERENCE: Final = ("MD5", "SHA-1", "SHA-256", "SHA-512")


def hub_namespace(base_url: str) -> UUID:
    """Return the namespace of the ids that the hub at ``base_url`` gives to its own objects."""
    return uuid5(NAMESPACE_URL, base_url)


def hub_id(namespace: UUID, stix_type: str, *parts: str) -> str:
    """Return the id of the hub's object of ``stix_type`` that ``parts`` tell from all others of the type.

    Such objects must stay out of the namespace of cyber-observables (STIX 2.1 section 2.9).
    """
    return f"{stix_type}--{uuid5(namespace, write_plain([stix_type, *parts]).decode())}"


def sco_id(obj: dict[str, Any]) -> str:
    """Return the id of a cyber-observable object by its contributing properties (STIX 2.1 section 2.9).

    An object that has none of these, and any process, gets a random id, as the standard asks. Raises
    ``InvalidInput`` for a type whose contributing properties are not known, and for hashes that are empty.
    """
    stix_type = obj.get("type")
    if not isinstance(stix_type, str) or stix_type not in _CONTRIBUTING:
        raise InvalidInput("this is no cyber-observable object of a known type", where="type")
    contributing = {name: obj[name] for name in _CONTRIBUTING[stix_type] if name in obj}
    if "hashes" in contributing:
        contributing["hashes"] = _preferred_hash(contributing["hashes"])
    if not contributing:
        return f"{stix_type}--{uuid4()}"
    return f"{stix_type}--{uuid5(SCO_NAMESPACE, canonical_json(contributing).decode())}"


def _preferred_hash(hashes: object) -> dict[str, Any]:
    if not isinstance(hashes, dict) or not hashes:
        raise InvalidInput("hashes have to hold at least one hash", where="hashes")
    # Of other algorithms the first in order of names, so that the order of members changes nothing.
    algorithm = next((name for name in _HASHES_BY_PREFERENCE if name in hashes), None) or min(map(str, hashes))
    return {algorithm: hashes[algorithm]}
