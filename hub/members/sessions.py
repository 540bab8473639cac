"""Sessions of the console: in the database, read on every request, revocable at once.

A session begins with the first factor (password, passkey, or the organisation's own sign-in) and is good for nothing
until the second one has been given; its token is then a new one. Only the token's hash is stored.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import uuid
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from hub import clock
from hub.audit import record
from hub.auth import CredentialKind, Permission, Role, SignedIn, permissions_of
from hub.clock import MINUTE
from hub.errors import NotFound, Unauthenticated
from hub.members.people_records import BrowserSession, Person
from hub.members.records import Member
from hub.members.vetting import emergencies
from hub.settings import Console

UUID_FORM = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
# ``last_seen_at`` is written when it is older than this: a page more or less in the half hour is no matter.
SEEN_EVERY = MINUTE
LONGEST_USER_AGENT = 200
# What a session begins with.
PASSWORD, PASSKEY, ORGANISATION = "password", "passkey", "organisation"
# Someone whose organisation is still being admitted sees their own application and nothing else.
APPLYING = frozenset({"applicant", "draft", "submitted", "screening", "info_requested", "due_diligence", "decision",
                      "approved_unsigned"})  # fmt: skip
WHILE_APPLYING = frozenset({Permission.OWN_MEMBERSHIP_READ, Permission.OWN_MEMBERSHIP_CHANGE})
GOOD = frozenset({"active", "review_due"})
PASSWORD_STAGE = frozenset({"identity_checked", "mfa_enrolled", "active"})


@dataclass(frozen=True, slots=True)
class Visit:
    """Where a request comes from."""

    address: str
    user_agent: str


@dataclass(frozen=True, slots=True)
class Resolved:
    """A session that holds: whose it is, and what its next page has to say. ``stale``: it should be touched."""

    signed_in: SignedIn
    complete: bool
    notice: str
    stale: bool


def begin(session: Session, person: Person, visit: Visit, limits: Console, by: str = PASSWORD) -> str:
    """A session after the first factor; gives its token."""
    return _new(session, person, visit, limits, by, second_factor_at=None)


def complete(session: Session, token: str, visit: Visit, limits: Console) -> str:
    """The session after the second factor, under a new token; the earlier one ends."""
    half = half_of(session, token)
    half.revoked_at = clock.micros()
    return begin_whole(session, session.get_one(Person, half.person_id), visit, limits, half.begun_by)


def begin_whole(session: Session, person: Person, visit: Visit, limits: Console, by: str) -> str:
    """A session of somebody who has given both factors; gives its token."""
    person.last_seen_at = clock.micros()
    person.failures = person.locked_until = 0
    fresh = _new(session, person, visit, limits, by, second_factor_at=clock.micros())
    record(session, person.id, "session:begin", person.id, after={"address": visit.address, "by": by})
    return fresh


def half_of(session: Session, token: str) -> BrowserSession:
    """The session that still waits for its second factor. Raises Unauthenticated."""
    half = session.get(BrowserSession, token_hash(token))
    if half is None or half.revoked_at is not None:
        raise Unauthenticated("sign in again")
    return half


def resolve(session: Session, token: str, limits: Console) -> Resolved:
    """The person behind a token. Raises Unauthenticated unless session, person and member all hold."""
    now = clock.micros()
    found = session.execute(
        select(BrowserSession, Person, Member)
        .join(Person, Person.id == BrowserSession.person_id)
        .outerjoin(Member, Member.id == Person.member_id)
        .where(BrowserSession.token_hash == token_hash(token))
    ).one_or_none()
    if found is None:
        raise _ended()
    kept, person, member = found
    if kept.revoked_at is not None or kept.expires_at <= now or kept.last_seen_at + limits.idle_minutes * MINUTE <= now:
        raise _ended()
    whole = kept.second_factor_at is not None
    if person.status not in (PASSWORD_STAGE if not whole else {"active"}):
        raise _ended()
    roles = frozenset(Role(role) for role in person.roles)
    if person.member_id is None:
        roles |= emergencies.roles_of(session, person.id, now)
    permissions = permissions_of(roles, CredentialKind.SESSION) if whole else frozenset()
    if member is not None and member.status not in GOOD:
        if member.status not in APPLYING:
            raise _ended()
        permissions &= WHILE_APPLYING
    signed_in = SignedIn(
        person_id=person.id, session_id=kept.id, name=person.name, email=person.email, member_id=person.member_id,
        member_name=member.name if member else None, roles=roles, permissions=permissions,
    )  # fmt: skip
    return Resolved(signed_in, whole, kept.notice, stale=kept.last_seen_at + SEEN_EVERY <= now)


def touch(session: Session, session_id: str) -> None:
    """Say that the session is in use now."""
    now = clock.micros()
    session.execute(update(BrowserSession).where(BrowserSession.id == session_id).values(last_seen_at=now))


def set_notice(session: Session, session_id: str, notice: str) -> None:
    """What the session's next page says; "" for nothing."""
    session.execute(update(BrowserSession).where(BrowserSession.id == session_id).values(notice=notice))


def begun_at(session: Session, session_id: str) -> int:
    """When a session began, in microseconds."""
    return session.scalars(select(BrowserSession.created_at).where(BrowserSession.id == session_id)).one()


def end_half(session: Session, token: str) -> None:
    """End a session that still waits for its second factor, where there is one: another way in was taken."""
    half = session.get(BrowserSession, token_hash(token)) if token else None
    if half is not None and half.second_factor_at is None and half.revoked_at is None:
        half.revoked_at = clock.micros()
        session.flush()


def end(session: Session, token: str) -> None:
    """Sign out."""
    kept = session.get(BrowserSession, token_hash(token))
    if kept is not None and kept.revoked_at is None:
        kept.revoked_at = clock.micros()
        session.flush()
        record(session, kept.person_id, "session:end", kept.person_id)


def of_person(session: Session, person_id: str, limits: Console) -> list[BrowserSession]:
    """The person's sessions that hold, the latest first."""
    now = clock.micros()
    return list(
        session.scalars(
            select(BrowserSession)
            .where(
                BrowserSession.person_id == person_id,
                BrowserSession.revoked_at.is_(None),
                BrowserSession.second_factor_at.is_not(None),
                BrowserSession.expires_at > now,
                BrowserSession.last_seen_at > now - limits.idle_minutes * MINUTE,
            )
            .order_by(BrowserSession.last_seen_at.desc())
        )
    )


def revoke(session: Session, person_id: str, session_id: str) -> None:
    """End one of the person's sessions. Raises NotFound, also for another's."""
    known = UUID_FORM.fullmatch(session_id)
    kept = session.scalar(select(BrowserSession).where(BrowserSession.id == session_id)) if known else None
    if kept is None or kept.person_id != person_id:
        raise NotFound("there is no such session")
    kept.revoked_at = clock.micros()
    session.flush()
    record(session, person_id, "session:revoke", person_id, after={"session": session_id})


def revoke_all(session: Session, person_id: str, but: str = "") -> None:
    """End every session of a person, but the one with the id ``but``."""
    session.execute(
        update(BrowserSession)
        .where(BrowserSession.person_id == person_id, BrowserSession.revoked_at.is_(None), BrowserSession.id != but)
        .values(revoked_at=clock.micros())
    )


def token_hash(token: str) -> bytes:
    """What is stored of a session's token."""
    return hashlib.sha256(token.encode()).digest()


def _new(session: Session, person: Person, visit: Visit, limits: Console, by: str, second_factor_at: int | None) -> str:
    token, now = secrets.token_urlsafe(32), clock.micros()
    session.add(
        BrowserSession(
            token_hash=token_hash(token), id=str(uuid.uuid4()), person_id=person.id, created_at=now, last_seen_at=now,
            expires_at=now + limits.session_hours * 60 * MINUTE, second_factor_at=second_factor_at, begun_by=by,
            revoked_at=None, address=visit.address, user_agent=visit.user_agent[:LONGEST_USER_AGENT], notice="",
        )
    )  # fmt: skip
    session.flush()
    return token


def _ended() -> Unauthenticated:
    return Unauthenticated("you are not signed in, or your session has ended", advice="Sign in again.")
