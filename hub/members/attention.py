"""What of people and keys needs somebody's attention soon."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, aliased

from hub.clock import DAY
from hub.members import people
from hub.members.people_records import Person
from hub.members.records import ClientCertificate, Credential, Member

KEYS_WITHIN_DAYS = 30


@dataclass(frozen=True, slots=True)
class Ending:
    """A key or a client certificate that ends soon. ``expires_at`` in microseconds."""

    username: str
    label: str
    member_id: str
    member_name: str
    expires_at: int


def dormant(session: Session) -> list[tuple[Person, Member | None]]:
    """People whose access was closed because they have not signed in; the hub's own have no member."""
    rows = session.execute(
        select(Person, Member)
        .outerjoin(Member, Member.id == Person.member_id)
        .where(Person.status == people.DORMANT)
        .order_by(Person.last_seen_at, Person.name)
    )
    return [(row[0], row[1]) for row in rows]


def keys_ending(session: Session, now: int, days: int = KEYS_WITHIN_DAYS) -> list[Ending]:
    """Keys of active members that end within ``days``, the nearest first."""
    rows = session.execute(
        select(Credential.username, Credential.label, Member.id, Member.name, Credential.expires_at)
        .join(Member, Member.id == Credential.member_id)
        .where(
            Credential.revoked_at.is_(None),
            Credential.expires_at > now,
            Credential.expires_at <= now + days * DAY,
            Member.status == "active",
        )
        .order_by(Credential.expires_at)
    )
    return [Ending(username, label, whose, name, int(at or 0)) for username, label, whose, name, at in rows]


def certificates_ending(session: Session, now: int, days: int) -> list[Ending]:
    """The same of client certificates, by fingerprint and subject; without those that are renewed already: the member
    has another one of the same subject that holds for longer.
    """
    renewed = aliased(ClientCertificate)
    renewal = exists().where(
        renewed.member_id == ClientCertificate.member_id,
        renewed.subject == ClientCertificate.subject,
        renewed.expires_at > ClientCertificate.expires_at,
        renewed.revoked_at.is_(None),
    )
    rows = session.execute(
        select(ClientCertificate, Member.name)
        .join(Member, Member.id == ClientCertificate.member_id)
        .where(
            ClientCertificate.revoked_at.is_(None),
            ClientCertificate.expires_at > now,
            ClientCertificate.expires_at <= now + days * DAY,
            Member.status == "active",
            ~renewal,
        )
        .order_by(ClientCertificate.expires_at, ClientCertificate.fingerprint)
    )
    return [Ending(one.fingerprint.hex(), one.subject, one.member_id, name, one.expires_at) for one, name in rows]
