"""The keys of the pre-check: epochs. A new key means new sets; the old one is evaluated for a while, then destroyed.

A private key lies in a ring outside the database (``hub.sealing``). Once it is removed, what was made under it can
be tried out by nobody any more, the hub included.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from hub import clock
from hub.audit import record
from hub.checks.precheck.records import PrecheckEpoch, PrecheckOutput, PrecheckSet
from hub.checks.precheck.voprf import OprfKey
from hub.clock import DAY
from hub.db.database import lock_appends
from hub.errors import InvalidInput, NotFound
from hub.sealing import Vault

RING = "precheck"
THE_HUB = "hub"


def open_key(vault: Vault, number: int) -> OprfKey:
    """The private key of an epoch. Raises IntegrityFailure where it is destroyed."""
    return OprfKey(vault.ring(RING).key(number), f"precheck epoch {number}".encode())


def published(public_key: bytes) -> str:
    """A public key as it is published and pinned: base64url without padding."""
    return base64.urlsafe_b64encode(public_key).rstrip(b"=").decode()


def epochs(session: Session) -> list[PrecheckEpoch]:
    """The epochs that are evaluated now, the newest first."""
    return list(
        session.scalars(
            select(PrecheckEpoch)
            .where(or_(PrecheckEpoch.refused_after.is_(None), PrecheckEpoch.refused_after > clock.micros()))
            .order_by(PrecheckEpoch.number.desc())
        )
    )


def in_use(session: Session, number: int) -> PrecheckEpoch:
    """The epoch of that number. Raises NotFound for an unknown one, InvalidInput for one that is over."""
    found = session.get(PrecheckEpoch, number)
    if found is None:
        raise NotFound(f"there is no key epoch {number}", advice="GET /api/v1/precheck names the present ones.")
    if found.refused_after is not None and found.refused_after <= clock.micros():
        raise InvalidInput(
            f"key epoch {number} is over", where="epoch", advice="Download the sets of the present epoch, and its key."
        )
    return found


def ensure_first(session: Session, vault: Vault) -> None:
    """Make the first epoch where there is none."""
    if session.scalar(select(PrecheckEpoch.number).limit(1)) is None:
        lock_appends(session)
        if session.scalar(select(PrecheckEpoch.number).limit(1)) is None:
            _make(session, vault, vault.ring(RING).newest, THE_HUB, "the first key")


def rotate(session: Session, vault: Vault, by: str, overlap_days: int, why: str) -> PrecheckEpoch:
    """A new key from now on; the old ones are evaluated for ``overlap_days`` more. The sets have to be built then."""
    ensure_first(session, vault)
    lock_appends(session)
    until = clock.micros() + overlap_days * DAY
    for old in epochs(session):
        old.refused_after = min(until, old.refused_after or until)
    return _make(session, vault, vault.ring(RING).add(), by, why)


def over(session: Session, vault: Vault) -> list[int]:
    """The numbers of keys that are evaluated no longer and not destroyed yet."""
    there = vault.ring(RING).numbers()
    past = select(PrecheckEpoch.number).where(PrecheckEpoch.refused_after <= clock.micros())
    return [number for number in session.scalars(past) if number in there]


def destroy(session: Session, vault: Vault, numbers: Sequence[int]) -> None:
    """Delete what was made under these keys, and the keys themselves."""
    for number in numbers:
        session.execute(delete(PrecheckSet).where(PrecheckSet.epoch == number))
        session.execute(delete(PrecheckOutput).where(PrecheckOutput.epoch == number))
        record(session, THE_HUB, "precheck-key:destroy", str(number), why="its overlap is over")
        vault.ring(RING).remove(number)


def _make(session: Session, vault: Vault, number: int, by: str, why: str) -> PrecheckEpoch:
    public_key = open_key(vault, number).public_key
    fresh = PrecheckEpoch(
        number=number, public_key=public_key, made_at=clock.micros(), refused_after=None, building_until=0
    )
    session.add(fresh)
    session.flush()
    record(session, by, "precheck-key:make", str(number), after={"public_key": public_key.hex()}, why=why)
    return fresh
