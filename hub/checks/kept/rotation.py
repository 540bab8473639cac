"""Rotating the keys of what is at rest, while everything goes on: the index's, and the one that wraps filings' keys.

Both can be stopped and begun again at any point. An old key is destroyed by the retention job (``unused``), when no
process can still be in the middle of something that began before.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from hub import clock
from hub.audit import record
from hub.checks.filings.parts import Envelope, wrapping_context
from hub.checks.filings.records import Filing, FilingIdentifier, IndexEpoch
from hub.checks.index import RING, CheckIndex
from hub.db import Database
from hub.db.database import lock_appends
from hub.sealing import NUMBER_BYTES, WRAPPING, Vault

BATCH = 500
# A search reads which epochs there are, then the tags: nothing is tagged anew until every such search is over.
GRACE_SECONDS = 5.0
UNUSED_MICROS = 600_000_000


@dataclass(frozen=True, slots=True)
class Rotated:
    """The number of the key that is used now, and how many rows were written for it."""

    number: int
    rows: int


def rotate_index(database: Database, vault: Vault, by: str, grace_seconds: float = GRACE_SECONDS) -> Rotated:
    """Give every identifier a tag of a new epoch, batch by batch; meanwhile both epochs are searched.

    Goes on with a rotation that was stopped. A row has either tag at any moment, so that every check finds it.
    """
    number = _begin_epoch(database, vault, by)
    time.sleep(grace_seconds)
    rows = 0
    while done := _retag(database, vault, number):
        rows += done
    with database.unit_of_work() as session:
        # Under the lock under which filings are written: none of an old epoch can come after this.
        lock_appends(session)
        left = _old_identifiers(session, number)
        if left == 0:
            session.execute(
                update(IndexEpoch)
                .where(IndexEpoch.epoch < number, IndexEpoch.retired_at.is_(None))
                .values(retired_at=clock.micros())
            )
            record(session, by, "index-key:rotate", str(number), after={"rows": rows}, why="the old tags are gone")
    return Rotated(number, rows) if left == 0 else rotate_index(database, vault, by, grace_seconds)


def rotate_wrapping(database: Database, vault: Vault, by: str) -> Rotated:
    """Wrap every filing's key under a new key; what the filings' keys seal is not touched."""
    ring = vault.ring(WRAPPING)
    with database.unit_of_work() as session:
        if not _outdated(session, ring.newest):  # otherwise a rotation was stopped: go on with it
            number = ring.add()
            record(session, by, "wrapping-key:make", str(number), why="rotation")
    number = ring.newest
    rows = 0
    while done := _rewrap(database, vault, number):
        rows += done
    with database.unit_of_work() as session:
        record(
            session, by, "wrapping-key:rotate", str(number), after={"filings": rows}, why="all keys are wrapped anew"
        )
    return Rotated(number, rows)


def unused(session: Session, vault: Vault) -> list[tuple[str, int]]:
    """(ring, number) of the keys of the index and of wrapping that nothing needs any more."""
    before = clock.micros() - UNUSED_MICROS
    retired = set(session.scalars(select(IndexEpoch.epoch).where(IndexEpoch.retired_at <= before)))
    index, wrapping = vault.ring(RING), vault.ring(WRAPPING)
    found = [(RING, number) for number in index.numbers()[:-1] if number in retired]
    for number, follower in itertools.pairwise(wrapping.numbers()):
        if wrapping.made_at(follower) <= before and not _wrapped_by(session, number):
            found.append((WRAPPING, number))
    return found


def destroy(session: Session, vault: Vault, keys: Sequence[tuple[str, int]]) -> None:
    """Destroy keys that ``unused`` has named."""
    for ring, number in keys:
        record(session, "hub", "key:destroy", f"{ring}/{number}", why="nothing is kept under it any more")
        vault.ring(ring).remove(number)


def _begin_epoch(database: Database, vault: Vault, by: str) -> int:
    ring = vault.ring(RING)
    with database.unit_of_work() as session:
        lock_appends(session)
        present = list(
            session.scalars(select(IndexEpoch.epoch).where(IndexEpoch.retired_at.is_(None)).order_by(IndexEpoch.epoch))
        )
        if len(present) > 1:
            return present[-1]
        newest = present[-1] if present else 0
        # A key that an earlier try has made, but no epoch yet, is taken now.
        number = ring.newest if ring.newest > newest else ring.add()
        session.add(IndexEpoch(epoch=number, made_at=clock.micros(), retired_at=None))
        record(session, by, "index-key:make", str(number), why="rotation")
        return number


def _retag(database: Database, vault: Vault, number: int) -> int:
    """One batch; 0 where nothing is left."""
    index = CheckIndex(vault, (number,))
    with database.unit_of_work() as session:
        old = session.execute(
            select(FilingIdentifier, Filing.wrapped_key)
            .join(Filing, Filing.id == FilingIdentifier.filing_id)
            .where(FilingIdentifier.epoch < number)
            .limit(BATCH)
            .with_for_update(of=FilingIdentifier)
        ).all()
        for row, wrapped_key in old:
            envelope = Envelope.opened(vault, row.filing_id, wrapped_key)
            opened = envelope.open_identifier(row.position, row.sealed)
            row.tag, row.epoch = index.tag(opened["facet"], opened["text"]), number
        return len(old)


def _old_identifiers(session: Session, number: int) -> int:
    return session.scalar(select(func.count()).where(FilingIdentifier.epoch < number)) or 0


def _rewrap(database: Database, vault: Vault, number: int) -> int:
    with database.unit_of_work() as session:
        old = _outdated(session, number)
        for filing in old:
            filing.wrapped_key = vault.rewrapped(filing.wrapped_key, wrapping_context(filing.id))
        return len(old)


def _outdated(session: Session, number: int) -> list[Filing]:
    """A batch of filings whose key is wrapped by an older key than that one."""
    head = func.substr(Filing.wrapped_key, 1, NUMBER_BYTES)
    return list(session.scalars(select(Filing).where(head != number.to_bytes(NUMBER_BYTES)).limit(BATCH)))


def _wrapped_by(session: Session, number: int) -> bool:
    head = func.substr(Filing.wrapped_key, 1, NUMBER_BYTES)
    return session.scalar(select(Filing.id).where(head == number.to_bytes(NUMBER_BYTES)).limit(1)) is not None
