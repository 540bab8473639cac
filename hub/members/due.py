"""What comes due for a member's people and keys: attestations, keys that end, people who stay away."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hub.auth import Role
from hub.members import attestation, people
from hub.members.credentials import ACTIVE
from hub.members.people_records import PeopleAttestation, Person
from hub.members.records import Credential, Member

DAY = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Due:
    """What falls due for a member at ``at`` (microseconds). ``subject`` is its id, ``name`` what it is called."""

    member: Member
    subject: str
    name: str
    at: int


def dormant(session: Session) -> list[tuple[Person, Member | None]]:
    """Everybody who is dormant, who stayed away longest first; None is the hub itself."""
    rows = session.execute(
        select(Person, Member)
        .outerjoin(Member, Member.id == Person.member_id)
        .where(Person.status == people.DORMANT)
        .order_by(func.coalesce(Person.last_seen_at, Person.created_at), Person.id)
    )
    return [(row[0], row[1]) for row in rows]


def keys(session: Session, now: int, until: int) -> list[Due]:
    """Keys of active members that end between ``now`` and ``until``, the first first.

    A key that has a successor of the same label is being replaced: nobody has to be told.
    """
    rows = session.execute(
        select(Credential, Member)
        .join(Member, Member.id == Credential.member_id)
        .where(Member.status == ACTIVE, Credential.revoked_at.is_(None))
        .order_by(Credential.expires_at, Credential.username)
    ).all()
    labels: dict[tuple[str, str], int] = {}
    for key, member in rows:
        place = member.id, key.label
        labels[place] = max(labels.get(place, 0), key.created_at)
    return [
        Due(member, key.username, key.label or key.username, key.expires_at)
        for key, member in rows
        if key.expires_at is not None
        and now < key.expires_at <= until
        and (not key.label or key.created_at == labels[member.id, key.label])
    ]


def attestations(session: Session, now: int) -> list[Due]:
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
    found = [Due(member, member.id, member.name, at + attestation.EVERY) for member, at in rows]
    return sorted((one for one in found if one.at <= now), key=lambda one: (one.at, one.subject))


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
