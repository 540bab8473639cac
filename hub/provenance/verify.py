"""The offline verifier: given objects and the hub's published keys, is each object what the hub accepted?

It needs cryptography and rfc8785 alone and knows no database. Source claims, enrichment (``orig``), inclusion in
the log and witnesses are not read yet: an object that holds a member for them is invalid, and ``require`` for them
is unmet. A redacted view is sound where the hub's view token vouches for what it hides.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, TextIO

from cryptography.exceptions import InvalidSignature

from hub.errors import HubError, IntegrityFailure, InvalidInput
from hub.provenance import jws, published, strict_json
from hub.provenance.blinding import (
    EXTENSION_ID,
    EXTENSIONS,
    PROFILE,
    SEED_BYTES,
    blinded_root,
    canonical_members,
    disclosure_digest,
    root_of,
    text,
)
from hub.provenance.encoding import unb64u
from hub.provenance.files import Proofs, read_objects, read_pins, read_proofs
from hub.provenance.keys import KeyStatus, PublishedKey, Role, content_digest, read_jwks
from hub.provenance.view_token import VIEW_TYPE, check_claims, read_view

LEVELS: Final = frozenset({"receipt", "source", "log", "witness"})

SOUND: Final = "sound"
INVALID: Final = "invalid"
UNMET: Final = "unmet"

_EXTENSION: Final = {"extension_type": "property-extension", "profile": PROFILE}
_FULL_MEMBERS: Final = frozenset({"extension_type", "profile", "receipt", "seed"})
_VIEW_MEMBERS: Final = frozenset({"extension_type", "profile", "receipt", "hidden", "salts", "view"})
_KNOWN_MEMBERS: Final = _FULL_MEMBERS | _VIEW_MEMBERS | {"set"}
_RECEIPT_TYPES: Final = {
    "acc": str, "col": str, "id": str, "idx": int, "n": str, "op": str, "root": str, "src": dict, "v": int
}  # fmt: skip
_RECEIPT_OPTIONS: Final = frozenset({"modified", "prev"})
_OPERATIONS: Final = frozenset({"add", "revise", "revoke", "withdraw", "enrich"})


@dataclass(slots=True)
class ObjectReport:
    """What the verifier found about one object.

    ``levels`` are what holds: ``receipt``, or ``published`` for an object that equals one known in advance.
    ``source`` is the class of source that the receipt states, ``acc`` the time of acceptance, ``idx`` the
    index in the log. ``result`` is ``sound``, ``invalid`` or ``unmet`` (a policy is not met).
    """

    id: str | None = None
    modified: str | None = None
    levels: list[str] = field(default_factory=list)
    source: str | None = None
    acc: str | None = None
    idx: int | None = None
    hidden: int = 0
    key_status: str | None = None
    restored: list[str] = field(default_factory=list)
    result: str = SOUND
    reason: str | None = None

    def fail(self, result: str, reason: str) -> None:
        """Lower the result; the gravest finding keeps its reason."""
        if self.result == SOUND or (self.result == UNMET and result == INVALID):
            self.result, self.reason = result, reason


@dataclass(frozen=True, slots=True)
class _Trust:
    """What the one who verifies brings along."""

    keys: dict[str, PublishedKey]
    definitions: dict[str, str]
    proofs: Proofs
    proven_ids: frozenset[str]
    require: frozenset[str]


def verify_bundle(
    raw: bytes, jwks: dict[str, Any], proofs: dict[str, Any] | list[Any] | None, require: Iterable[str]
) -> list[ObjectReport]:
    """One report for each object of a STIX bundle, a TAXII envelope, a list, or a single object.

    ``proofs`` are detached receipts, ``{"proofs": [{"id", "modified", "seed", "receipt"}]}`` or the bare
    list; ``require`` names levels that must hold. Raises ``InvalidInput`` where the input, the keys or the
    proofs cannot be read, or a required level is unknown.
    """
    wanted = frozenset(require)
    if wanted - LEVELS:
        raise InvalidInput(f"unknown level: {', '.join(sorted(wanted - LEVELS))}", where="require")
    entries = read_proofs(proofs)
    trust = _Trust(read_jwks(jwks), read_pins(jwks), entries, frozenset(stix_id for stix_id, _ in entries), wanted)
    reports: list[ObjectReport] = []
    statements: list[str | None] = []
    for obj in read_objects(raw):
        report = ObjectReport()
        reports.append(report)
        statements.append(_judge(obj, trust, report))
    _compare(reports, statements)
    return reports


def exit_code(reports: Iterable[ObjectReport]) -> int:
    """0 all sound, 1 one is invalid, 3 a policy is unmet."""
    results = {report.result for report in reports}
    if INVALID in results:
        return 1
    return 3 if UNMET in results else 0


def run(
    bundle: str,
    *,
    keys: str,
    proofs: str | None = None,
    require: Iterable[str] = (),
    out: TextIO = sys.stdout,
    err: TextIO = sys.stderr,
) -> int:
    """``hub verify``: one JSON line for each object on ``out``; the exit code.

    ``bundle`` is a path, or ``-`` for standard input. 0 sound, 1 invalid, 2 unreadable or bad usage,
    3 policy unmet.
    """
    try:
        raw = sys.stdin.buffer.read() if bundle == "-" else Path(bundle).read_bytes()
        detached = None if proofs is None else strict_json.parse(Path(proofs).read_bytes())
        reports = verify_bundle(raw, strict_json.parse(Path(keys).read_bytes()), detached, require)
    except (HubError, OSError, ValueError) as fault:
        err.write(f"hub verify: {fault}\n")
        return 2
    for report in reports:
        out.write(json.dumps(asdict(report)) + "\n")
    return exit_code(reports)


def _judge(obj: Any, trust: _Trust, report: ObjectReport) -> str | None:
    """Fill the report in; return the hash of the receipt's payload where there is a good receipt."""
    statement = None
    try:
        if not isinstance(obj, dict):
            raise IntegrityFailure("this is not an object")
        report.id, report.modified = _text(obj, "id"), _text(obj, "modified")
        if report.id is None or _text(obj, "type") is None:
            raise IntegrityFailure("the object has no id and type")
        if not _is_published(obj, trust, report):
            proof = _find_proof(obj, report, trust)
            statement = None if proof is None else _check_proof(obj, proof, trust, report)
    except (IntegrityFailure, InvalidInput) as fault:
        report.fail(INVALID, str(fault))
    # What everyone knows byte for byte needs no source, log or witness of its own.
    missing = trust.require - set(report.levels)
    if missing and "published" not in report.levels:
        report.fail(UNMET, f"required, but not shown: {', '.join(sorted(missing))}")
    return statement


def _text(obj: dict[str, Any], name: str) -> str | None:
    value = obj.get(name)
    if value is not None and not isinstance(value, str):
        raise IntegrityFailure(f"{name} is not a string")
    if name in obj and value is None:
        raise IntegrityFailure(f"{name} is null")
    return value


def _is_published(obj: dict[str, Any], trust: _Trust, report: ObjectReport) -> bool:
    """Tell whether the object is known in advance; raises where it bears the id of one and differs."""
    digest = published.MARKINGS.get(obj["id"])
    if digest is None and obj["type"] == "extension-definition":
        digest = trust.definitions.get(obj["id"]) or published.definitions().get((obj["id"], report.modified or ""))
    if digest is None:
        return False
    if content_digest(obj) != digest:
        raise IntegrityFailure("the object differs from what was published under this id")
    report.levels.append("published")
    return True


def _find_proof(obj: dict[str, Any], report: ObjectReport, trust: _Trust) -> dict[str, Any] | None:
    """Receipt and seed, from the object or detached; None where an extension-definition has neither."""
    extensions = obj.get(EXTENSIONS)
    if isinstance(extensions, dict) and EXTENSION_ID in extensions:
        if not published.carries_receipt(obj):
            raise IntegrityFailure("an object of this type cannot carry a receipt")
        return _read_extension(extensions[EXTENSION_ID])
    proof = trust.proofs.get((obj["id"], report.modified))
    if proof is None and (obj["type"] != "extension-definition" or obj["id"] in trust.proven_ids):
        raise IntegrityFailure("no receipt")
    if proof is None:
        report.fail(UNMET, "an extension-definition carries no receipt, and none came detached")
    return proof


def _read_extension(extension: object) -> dict[str, Any]:
    if not isinstance(extension, dict):
        raise IntegrityFailure("the provenance extension is not an object")
    unknown = extension.keys() - _KNOWN_MEMBERS
    if unknown:
        raise IntegrityFailure(f"unknown member in the provenance extension: {', '.join(sorted(unknown))}")
    complete = extension.keys() == _FULL_MEMBERS or extension.keys() - {"set"} == _VIEW_MEMBERS
    if not complete or not _EXTENSION.items() <= extension.items():
        raise IntegrityFailure(f"the provenance extension is not one of profile {PROFILE}")
    return extension


def _check_proof(obj: dict[str, Any], proof: dict[str, Any], trust: _Trust, report: ObjectReport) -> str:
    token = jws.read(proof["receipt"], jws.RECEIPT_TYPE, where="receipt")
    key = _signing_key(token, Role.HUB_RECEIPT, trust, "receipt")
    receipt = _read_receipt(token.payload)
    if receipt["id"] != report.id or receipt.get("modified") != report.modified:
        raise IntegrityFailure("the receipt is for another object or version")
    if "seed" in proof:
        root = blinded_root(canonical_members(obj), unb64u(proof["seed"], where="seed", size=SEED_BYTES))
    else:
        root = _check_view(obj, proof, jws.named(token), receipt["idx"], trust, report)
    if root != receipt["root"]:
        raise IntegrityFailure("the object is not what the receipt was given for")
    report.source, report.acc, report.idx = receipt["src"].get("class"), receipt["acc"], receipt["idx"]
    status = key.status(receipt["idx"])
    report.key_status = status.value
    _check_status(status, "receipt", report)
    report.levels.append("receipt")
    return jws.named(token)


def _check_view(
    obj: dict[str, Any], view: dict[str, Any], statement: str, idx: int, trust: _Trust, report: ObjectReport
) -> str:
    """The root of a redacted view, once the hub's own word for what it hides has been checked."""
    members = canonical_members(obj)
    salts, hidden, replaced = read_view(view, {path for path, _ in members})
    token = jws.read(view["view"], VIEW_TYPE, where="view")
    key = _signing_key(token, Role.HUB_VIEW, trust, "view token")
    check_claims(token.payload, statement, hidden, {name: obj[name] for name in replaced})
    _check_status(key.status(idx), "view token", report)
    report.hidden = len(hidden)
    shown = [disclosure_digest(salts[path], text(path), value) for path, value in members if path in salts]
    return root_of([*shown, *(each.encode() for each in hidden)])


def _signing_key(token: jws.Token, role: Role, trust: _Trust, what: str) -> PublishedKey:
    """The published key of ``role`` whose signature on a token holds."""
    key = trust.keys.get(token.kid)
    if key is None:
        raise IntegrityFailure(f"the {what} is signed by a key that is not published")
    if key.role is not role:
        raise IntegrityFailure(f"the {what} is signed by a key of role {key.role}")
    try:
        key.public_key().verify(token.signature, token.signing_input)
    except InvalidSignature:
        raise IntegrityFailure(f"the signature of the {what} does not hold") from None
    return key


def _check_status(status: KeyStatus, what: str, report: ObjectReport) -> None:
    if status is KeyStatus.OUTSIDE:
        raise IntegrityFailure(f"the key of the {what} did not count at this index of the log")
    if status is KeyStatus.SUSPECT:
        report.fail(UNMET, f"the key of the {what} is suspect at this index of the log")


def _read_receipt(payload: bytes) -> dict[str, Any]:
    receipt = strict_json.parse(payload)
    if not isinstance(receipt, dict) or receipt.keys() - _RECEIPT_OPTIONS != _RECEIPT_TYPES.keys():
        raise IntegrityFailure("the receipt does not have the members of version 1")
    expected = {**_RECEIPT_TYPES, **dict.fromkeys(_RECEIPT_OPTIONS & receipt.keys(), str)}
    if any(type(receipt[name]) is not kind for name, kind in expected.items()) or receipt["v"] != 1:
        raise IntegrityFailure("the receipt is not one of version 1")
    if {type(value) for value in receipt["src"].values()} - {str}:
        raise IntegrityFailure("the source in the receipt is not spelled in strings")
    if receipt["op"] not in _OPERATIONS:
        raise IntegrityFailure(f"a receipt of operation {receipt['op']!r} does not stand for an object")
    return receipt


def _compare(reports: list[ObjectReport], statements: list[str | None]) -> None:
    """Mark what cannot be true together: one place in the log, or one version, with two statements."""
    places: dict[Any, set[str]] = defaultdict(set)
    for report, statement in zip(reports, statements, strict=True):
        if statement is not None:
            places[report.idx].add(statement)
            places[report.id, report.modified].add(statement)
    for report, statement in zip(reports, statements, strict=True):
        if statement is None:
            continue
        if len(places[report.idx]) > 1:
            report.fail(INVALID, "another object here claims the same index of the log")
        # Without `modified` (cyber-observables, markings), statements about one id differ by idx.
        if report.modified is not None and len(places[report.id, report.modified]) > 1:
            report.fail(INVALID, "another object here claims to be the same version")
