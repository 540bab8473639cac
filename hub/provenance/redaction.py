"""Redacted views: an object without some of its properties, that its receipt still vouches for.

A full view holds the seed of all salts. A redacted one holds ``salts`` for what it shows and ``hidden``, the digests
of the rest, so that the same root comes out. Anyone who holds a full view could hide a property in this way, so the
hub signs which ones it has hidden: the view token, by its key of role ``hub-view``. Where what is left of a property
is shown in its place (``granular_markings``), ``set`` names it, and the token commits to what is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hub.errors import InvalidInput
from hub.provenance import jws, strict_json
from hub.provenance.blinding import (
    EXTENSION_ID,
    EXTENSIONS,
    PROFILE,
    SEED_BYTES,
    canonical_members,
    disclosure_digest,
    salt_of,
    written,
)
from hub.provenance.encoding import unb64u
from hub.provenance.keys import Signer
from hub.provenance.receipts import seam
from hub.provenance.view_token import REPLACEABLE, VIEW_TYPE, claims
from hub.stix.canonical import write_plain, writer_for


@dataclass(frozen=True, slots=True)
class Redacted:
    """A redacted view: ``signed[:cut_start] + signed[cut_end:]`` is the plain form of what it shows."""

    signed: bytes
    cut_start: int
    cut_end: int


def redact(full: dict[str, Any], shown: dict[str, Any], *, signer: Signer, audience: str, since: str) -> Redacted:
    """The view of ``full``, an object with its receipt and seed, that shows ``shown`` (without the extension).

    ``audience`` says for whom the view is, ``since`` from when on it stands (a timestamp): the same arguments give
    the same bytes. Raises ``InvalidInput`` where ``full`` carries no receipt, and where ``shown`` holds what
    ``full`` does not.
    """
    extension = full.get(EXTENSIONS, {}).get(EXTENSION_ID)
    if not isinstance(extension, dict) or "seed" not in extension:
        raise InvalidInput("the object carries no receipt with its seed")
    seed = unb64u(extension["seed"], where="seed", size=SEED_BYTES)
    members = canonical_members(shown, writer_for(shown))
    whole = dict(canonical_members(full, writer_for(full)))
    replaced = sorted(path for path, value in members if whole.get(path) != value)
    if not REPLACEABLE.issuperset(replaced):
        raise InvalidInput("a view shows what the object holds, and nothing else")
    salts = {path: salt_of(path, seed) for path, _ in members if path not in replaced}
    hidden = sorted(
        disclosure_digest(salt_of(path, seed).encode(), written(path)[1], value).decode()
        for path, value in whole.items()
        if path not in salts
    )
    statement = jws.named(jws.read(extension["receipt"], jws.RECEIPT_TYPE, where="receipt"))
    values = {path: shown[path] for path in replaced}
    token = jws.sign(signer, VIEW_TYPE, write_plain(claims(statement, hidden, values, audience, since)))
    content: dict[str, Any] = {
        "extension_type": "property-extension", "hidden": hidden, "profile": PROFILE,
        "receipt": extension["receipt"], "salts": salts, "view": token.decode(),
    }  # fmt: skip
    if replaced:
        content["set"] = replaced
    left, opener, closer, right = seam(members)
    inserted = opener + strict_json.canonical(content) + closer
    return Redacted(left + inserted + right, len(left), len(left) + len(inserted))
