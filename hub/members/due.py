"""What comes due for a member's people and keys: attestations, keys that end, people who stay away."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hub.auth import Role
from hub.clock import DAY
from hub.members import attestation, people
from hub.members.attention import Ending
from hub.members.credentials import ACTIVE
from hub.members.people_records import PeopleAttestation, Person
from hub.members.records import Credential, Member


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """A member whose list of people is to be confirmed since ``due_at`` (microseconds)."""

    member: Member
    due_at: int


def has_successor(session: Session, key: Ending) -> bool:
    """Whether a key is being replaced: the member has another one of the same label that holds for longer."""
    later = Credential.expires_at.is_(None) | (Credential.expires_at > key.expires_at)
    return bool(key.label) and session.scalar(
        select(Credential.username)
        .where(Credential.member_id == key.member_id, Credential.label == key.label, later)
        .where(Credential.revoked_at.is_(None), Credential.username != key.username)
        .limit(1)
    ) is not None  # fmt: skip


def attestations(session: Session, now: int) -> list[Unconfirmed]:
    """Active members whose list of people is to be confirmed, the longest due first.

    The first quarter begins with the first person.
    """
    begun = select(Person.member_id, func.min(Person.created_at).label("at")).group_by(Person.member_id).subquery()
    last = (
        select(PeopleAttestation.member_id, func.max(PeopleAttestation.at).label("at"))
        .group_by(PeopleAttestation.member_id)
        .subquery()
    )
    rows = session.execute(
        select(Member, func.coalesce(last.c.at, begun.c.at))
        .join(begun, begun.c.member_id == Member.id)
        .outerjoin(last, last.c.member_id == Member.id)
        .where(Member.status == ACTIVE)
    )
    found = [Unconfirmed(member, at + attestation.EVERY) for member, at in rows]
    return sorted((one for one in found if one.due_at <= now), key=lambda one: (one.due_at, one.member.id))


def soon_dormant(session: Session, now: int, days: int, notice: int) -> list[tuple[Person, int]]:
    """(person, when they become dormant) of active people who become so within ``notice`` days."""
    seen = func.coalesce(Person.last_seen_at, Person.created_at)
    found = session.scalars(
        select(Person)
        .where(Person.status == people.ACTIVE, seen <= now - (days - notice) * DAY, seen > now - days * DAY)
        .order_by(Person.id)
    )
    return [(person, (person.last_seen_at or person.created_at) + days * DAY) for person in found]


def contacts(session: Session, member_id: str) -> list[Person]:
    """A member's active primary contacts."""
    found = people.of_member(session, member_id)
    return [one for one in found if one.status == people.ACTIVE and Role.PRIMARY_CONTACT in one.roles]
