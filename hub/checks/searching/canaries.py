"""Planted values that nobody has a reason to ask for. Who does is found out; who asks learns nothing.

A canary is answered as whatever else is known of the value says: a miss where it is only planted, a match where it
was filed too. The watch finds the search in the record afterwards, so that not even the time tells.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub import clock
from hub.audit import record
from hub.checks.searching.hashes import SearchHashes
from hub.checks.searching.records import Canary
from hub.checks.subjects import SubjectKind, canonical_subject
from hub.errors import Conflict, InvalidInput, NotFound
from hub.sealing import Vault

LONGEST_NOTE = 500


def add(
    session: Session, vault: Vault, by: str, kind: SubjectKind, raw: str | Mapping[str, Any], note: str
) -> list[Canary]:
    """Plant a value; one row for each text that a search for it may stand under.

    Raises InvalidInput for no value or no note, Conflict where it is planted already.
    """
    if not note.strip() or len(note) > LONGEST_NOTE:
        raise InvalidInput(f"say in 1 to {LONGEST_NOTE} characters where it is planted", where="note")
    subject = canonical_subject(kind, raw)
    planted = []
    for hashed in SearchHashes(vault).all_of(subject):
        known = session.scalar(select(Canary).where(Canary.hash == hashed))
        if known is not None and known.removed_at is None:
            raise Conflict("this value is planted already", where=f"canary {known.id}")
        if known is None:
            known = Canary(kind=subject.kind.value, hash=hashed, sealed=b"", note="", added_by="", added_at=0)
        known.sealed = vault.seal(subject.text.encode(), _context(hashed))
        known.note, known.added_by, known.added_at, known.removed_at = note.strip(), by, clock.micros(), None
        session.add(known)
        planted.append(known)
    session.flush()
    for one in planted:
        record(session, by, "check-canary:add", str(one.id), after={"kind": one.kind, "note": one.note})
    return planted


def remove(session: Session, by: str, canary_id: int) -> None:
    """Stop watching for a planted value. Raises NotFound."""
    known = session.get(Canary, canary_id)
    if known is None or known.removed_at is not None:
        raise NotFound(f"there is no canary {canary_id}", advice="hub check canary list shows them.")
    known.removed_at = clock.micros()
    session.flush()
    record(session, by, "check-canary:remove", str(canary_id))


def planted(session: Session) -> list[Canary]:
    """Every canary that is watched for."""
    return list(session.scalars(select(Canary).where(Canary.removed_at.is_(None)).order_by(Canary.id)))


def value_of(vault: Vault, canary: Canary) -> str:
    """The planted value, for those who keep the canaries."""
    return vault.open(canary.sealed, _context(canary.hash)).decode()


def _context(hashed: bytes) -> str:
    return f"check-canary:{hashed.hex()}"
