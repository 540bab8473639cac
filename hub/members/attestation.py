"""The quarterly attestation: a primary contact confirms who of their organisation signs in."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hub import clock
from hub.audit import record
from hub.clock import DAY
from hub.members import people
from hub.members.people_records import PeopleAttestation

EVERY = 92 * DAY


def attest(session: Session, member_id: str, by: str) -> None:
    """Keep the contact's word on the people as they are now."""
    listed = [one.id for one in people.of_member(session, member_id) if one.status != people.DISABLED]
    session.add(PeopleAttestation(member_id=member_id, at=clock.micros(), person_id=by, people=listed))
    session.flush()
    record(session, by, "people:attest", member_id, after={"people": listed})


def last(session: Session, member_id: str) -> int | None:
    """When an organisation's people were last attested (microseconds), None before the first time."""
    return session.scalar(select(func.max(PeopleAttestation.at)).where(PeopleAttestation.member_id == member_id))


def is_due(at: int | None) -> bool:
    """Whether an attestation of ``at`` is older than a quarter, or there is none."""
    return at is None or at + EVERY < clock.micros()
