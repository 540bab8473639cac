"""Receipts: the hub's signed word that it took an object in, spliced into the object's bytes.

``prepare`` does what is slow and needs no order (canonical form, root); ``seal`` signs once the ledger has
given the object its place, and joins bytes. The object is never serialized twice.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from hub.errors import InvalidInput
from hub.provenance import jws
from hub.provenance.blinding import (
    EXTENSION_ID,
    EXTENSION_PATH,
    EXTENSIONS,
    PROFILE,
    SEED_BYTES,
    blinded_root,
    canonical_members,
    disclosure_digest,
    text,
    written,
)
from hub.provenance.encoding import b64u
from hub.provenance.keys import Signer
from hub.provenance.published import carries_receipt
from hub.stix.canonical import write_plain, writer_for

NONCE_BYTES: Final = 16
OPERATIONS: Final = frozenset({"add", "revise", "revoke", "withdraw", "erase", "enrich"})

_KEY: Final = f'"{EXTENSION_ID}":'.encode()
_EXTENSION_HEAD: Final = f'{{"extension_type":"property-extension","profile":"{PROFILE}","receipt":"'.encode()


@dataclass(frozen=True, slots=True)
class Prepared:
    """An object ready to be sealed.

    ``plain`` is its RFC 8785 form. The signed form is ``head + extension + tail``; ``cut`` is where in
    ``plain`` the insertion goes. ``head`` is empty for an object that cannot carry the extension.
    """

    plain: bytes
    root: str
    seed: bytes
    head: bytes
    tail: bytes
    cut: int


@dataclass(frozen=True, slots=True)
class Sealed:
    """A receipted object: ``signed[:cut_start] + signed[cut_end:]`` is the plain form.

    ``receipt`` is a compact JWS; ``statement`` is b64u(SHA-256) of its payload, which the log entry holds
    and the next statement about this id names as ``prev``. Where the object cannot carry the extension,
    ``signed`` is the plain form, both cuts are 0, and receipt and seed are served detached.
    """

    signed: bytes
    cut_start: int
    cut_end: int
    receipt: str
    statement: str
    seed: bytes


def prepare(obj: dict[str, Any]) -> Prepared:
    """Canonicalize and blind ``obj`` under a fresh seed; needs no lock.

    Raises ``InvalidInput`` where the object has no canonical form, has no property, or already holds the
    extension: a foreign receipt is not taken over.
    """
    if has_receipt(obj):
        raise InvalidInput(
            "the object already carries a receipt",
            where=f"{EXTENSIONS}.{EXTENSION_ID}",
            advice="Send the object without this extension: the hub writes its own.",
        )
    members = canonical_members(obj, writer_for(obj))
    if not members:
        raise InvalidInput("the object has no property")
    seed = os.urandom(SEED_BYTES)
    root = blinded_root(members, seed)
    left, opener, closer, right = seam(members)
    if not carries_receipt(obj):
        return Prepared(left + right, root, seed, b"", b"", 0)
    return Prepared(left + right, root, seed, left + opener, closer + right, len(left))


def seal(  # noqa: PLR0913 (each is a member of the receipt)
    prepared: Prepared,
    *,
    signer: Signer,
    op: str,
    stix_id: str,
    modified: str | None,
    src: dict[str, str],
    acc: str,
    idx: int,
    prev: str | None,
    col: str,
    nonce: bytes | None = None,
) -> Sealed:
    """Sign the receipt of a prepared object and splice it in.

    ``op`` is one of ``OPERATIONS``; ``src`` comes from ``committed_source``; ``acc`` is the time of
    acceptance; ``idx`` the index in the log; ``prev`` the statement before about this id; ``col`` the
    collection; ``nonce`` 16 bytes. ``modified`` and ``prev`` are absent from the receipt, not null, where
    there is none (cyber-observables and markings have no ``modified``). Raises ``InvalidInput``.
    """
    if op not in OPERATIONS:
        raise InvalidInput(f"{op!r} is not an operation on an object", where="op")
    statement = {
        "acc": acc,
        "col": col,
        "id": stix_id,
        "idx": idx,
        "n": b64u(nonce or os.urandom(NONCE_BYTES)).decode(),
        "op": op,
        "root": prepared.root,
        "src": src,
        "v": 1,
    }
    if modified is not None:
        statement["modified"] = modified
    if prev is not None:
        statement["prev"] = prev
    payload = write_plain(statement)
    receipt = jws.sign(signer, jws.RECEIPT_TYPE, payload)
    named = b64u(sha256(payload).digest()).decode()
    if not prepared.head:
        return Sealed(prepared.plain, 0, 0, receipt.decode(), named, prepared.seed)
    signed = b"".join(
        (prepared.head, _EXTENSION_HEAD, receipt, b'","seed":"', b64u(prepared.seed), b'"}', prepared.tail)
    )
    cut_end = prepared.cut + len(signed) - len(prepared.plain)
    return Sealed(signed, prepared.cut, cut_end, receipt.decode(), named, prepared.seed)


def committed_source(source_class: str, identity_ref: str, salt: bytes) -> dict[str, str]:
    """The ``src`` of a receipt: who reported, as a salted digest that can be opened later by its salt."""
    digest = disclosure_digest(b64u(salt), b'"src"', text(identity_ref))
    return {"class": source_class, "sd": digest.decode()}


def detached(sealed: Sealed, *, stix_id: str, modified: str | None) -> dict[str, str | None]:
    """The entry of a proofs file for this object: ``id, modified, seed, receipt``."""
    return {
        "id": stix_id,
        "modified": modified,
        "seed": b64u(sealed.seed).decode(),
        "receipt": sealed.receipt,
    }


def has_receipt(obj: dict[str, Any]) -> bool:
    """Tell whether ``obj`` holds the hub's extension."""
    extensions = obj.get(EXTENSIONS)
    return isinstance(extensions, dict) and EXTENSION_ID in extensions


def without_receipt(obj: dict[str, Any]) -> dict[str, Any]:
    """A copy of ``obj`` without the hub's extension, and without ``extensions`` where that was all of it."""
    if not has_receipt(obj):
        return dict(obj)
    others = {key: value for key, value in obj[EXTENSIONS].items() if key != EXTENSION_ID}
    bare = {name: value for name, value in obj.items() if name != EXTENSIONS}
    return {**bare, EXTENSIONS: others} if others else bare


def seam(members: list[tuple[str, bytes]]) -> tuple[bytes, bytes, bytes, bytes]:
    """(left, opener, closer, right): ``left + right`` is the plain form, and the signed one is
    ``left + opener + extension + closer + right``."""
    # Names that are not ASCII sort after these two in code points and in UTF-16 units alike.
    place = behind = bisect_left(members, (EXTENSIONS, b""))
    while behind < len(members) and members[behind][0].startswith(EXTENSION_PATH):
        behind += 1
    before, after = _joined(members[:place]), _joined(members[behind:])
    if place == behind:
        lead, trail = _commas(before, after)
        return b"{" + before, lead + b'"extensions":{' + _KEY, b"}" + trail, _then(before, after) + b"}"
    inner = [(path.removeprefix(EXTENSION_PATH), value) for path, value in members[place:behind]]
    inner_place = bisect_left(inner, (EXTENSION_ID, b""))
    inner_before, inner_after = _joined(inner[:inner_place]), _joined(inner[inner_place:])
    lead, trail = _commas(inner_before, inner_after)
    left = b"{" + before + (b"," if before else b"") + b'"extensions":{' + inner_before
    right = _then(inner_before, inner_after) + b"}" + (b"," + after if after else b"") + b"}"
    return left, lead + _KEY, trail, right


def _joined(members: list[tuple[str, bytes]]) -> bytes:
    """Members as they are written, without the braces."""
    return b",".join([written(name)[2] + value for name, value in members])


def _commas(before: bytes, after: bytes) -> tuple[bytes, bytes]:
    """The comma that an insertion brings along, in front of it or behind it."""
    if before:
        return b",", b""
    return b"", b"," if after else b""


def _then(before: bytes, after: bytes) -> bytes:
    return b"," + after if before and after else after
