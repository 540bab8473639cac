"""The files that the verifier is given, read without trust. Every function raises ``InvalidInput``."""

from __future__ import annotations

from typing import Any, Final

from hub.errors import InvalidInput
from hub.provenance import strict_json

Proofs = dict[tuple[str, str | None], dict[str, Any]]

_ENTRY_MEMBERS: Final = frozenset({"id", "modified", "receipt", "seed"})


def read_objects(raw: bytes) -> list[Any]:
    """The objects of a STIX bundle, a TAXII envelope, a list, or the one object that ``raw`` is."""
    content = strict_json.parse(raw)
    if isinstance(content, list):
        return content
    if not isinstance(content, dict):
        raise InvalidInput("this is neither a bundle, an envelope, a list nor an object")
    # By all of its names, so that an object whose type was changed to "bundle" is still taken for an object.
    if content.keys() <= {"more", "next", "objects"} or (
        content.get("type") == "bundle" and content.keys() <= {"type", "id", "spec_version", "objects"}
    ):
        objects = content.get("objects", [])
        if not isinstance(objects, list):
            raise InvalidInput("this must be a list", where="objects")
        return objects
    if not {"type", "id"} & content.keys():
        raise InvalidInput("this is not STIX")
    return [content]


def read_proofs(proofs: object) -> Proofs:
    """Detached receipts by id and ``modified``, from ``{"proofs": […]}`` or the bare list; none for None."""
    if proofs is None:
        return {}
    entries = proofs.get("proofs") if isinstance(proofs, dict) else proofs
    if not isinstance(entries, list):
        raise InvalidInput("this is not a list of detached receipts", where="proofs")
    known: Proofs = {}
    for position, entry in enumerate(entries):
        where = f"proofs[{position}]"
        if not isinstance(entry, dict) or entry.keys() != _ENTRY_MEMBERS:
            raise InvalidInput("a detached receipt has id, modified, seed and receipt", where=where)
        version = (entry["id"], entry["modified"])
        if not isinstance(version[0], str) or not isinstance(version[1], str | None):
            raise InvalidInput("id and modified are strings", where=where)
        if known.setdefault(version, entry) != entry:
            raise InvalidInput("two different receipts for one version of an object", where=where)
    return known


def read_pins(jwks: dict[str, Any]) -> dict[str, str]:
    """The content digests, by id, of the hub's own extension-definitions that its JWK Set names."""
    pins = jwks.get("definitions", {})
    if not isinstance(pins, dict) or not all(isinstance(digest, str) for digest in pins.values()):
        raise InvalidInput("this must map ids to digests", where="definitions")
    return pins
