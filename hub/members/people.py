"""People: who they are, what they may become, and the one-time links that let them in.

    invited -> identity_checked -> mfa_enrolled -> active -> dormant -> disabled

Whoever invites vouches for the person behind the address; following the link shows that the address is theirs.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from hub import clock
from hub.audit import record
from hub.auth import Role
from hub.auth.permissions import MEMBER_ROLES, STAFF_ROLES
from hub.clock import DAY
from hub.errors import Conflict, InvalidInput, NotFound
from hub.members import sessions
from hub.members.people_records import Person
from hub.members.sign_in_records import Passkey, ProviderSubject

INVITED = "invited"
IDENTITY_CHECKED = "identity_checked"
MFA_ENROLLED = "mfa_enrolled"
ACTIVE = "active"
DORMANT = "dormant"
DISABLED = "disabled"
NEXT = {
    INVITED: {IDENTITY_CHECKED, DISABLED},
    IDENTITY_CHECKED: {MFA_ENROLLED, DORMANT, DISABLED},
    MFA_ENROLLED: {ACTIVE, DORMANT, DISABLED},
    ACTIVE: {DORMANT, DISABLED},
    DORMANT: {INVITED, DISABLED},
    DISABLED: {INVITED},
}
LONGEST_NAME = 200
KNOWN = "A person with this e-mail address is known already"
# Of addresses that nobody has (RFC 6761, section 6.4).
NOWHERE = "elsewhere.invalid"
# Who does in the audit log what falls due by itself.
RULE = "rule"


def add(session: Session, by: str, email: str, name: str, roles: Iterable[Role], member_id: str | None) -> Person:
    """A person who is invited to sign in, of a member or (None) of the hub. ``by`` is who invites.

    Raises InvalidInput for an address, name or role that cannot be, Conflict where the address is taken.
    """
    address, held = canonical_email(email), _fitting(roles, member_id)
    _check_name(name)
    if session.scalar(select(Person.id).where(Person.email == address)) is not None:
        raise Conflict(KNOWN, where="email")
    return _added(session, by, address, name, held, member_id)


def add_colleague(session: Session, by: str, email: str, name: str, roles: Iterable[Role], member_id: str) -> Person:
    """The same for people of a member, who must not learn whom else the hub knows.

    Where the address is known elsewhere, the person stands in for somebody who never answers (``Person.invited_as``).
    Raises as ``add`` does; Conflict only where the member itself has invited the address before.
    """
    address, held = canonical_email(email), _fitting(roles, member_id)
    _check_name(name)
    known = by_email(session, address)
    if (known is not None and known.member_id == member_id) or _stands_in(session, address, member_id):
        raise Conflict(KNOWN, where="email")
    person = _added(session, by, address, name, held, member_id, stands_in=known is not None)
    if known is not None:
        told = {"person": known.id, "member": known.member_id, "asked_by_member": member_id}
        record(session, by, "person:invite-known", person.id, after=told)
    return person


def _stands_in(session: Session, address: str, member_id: str) -> bool:
    wanted = select(Person.id).where(Person.member_id == member_id, Person.invited_as == address)
    return session.scalar(wanted.limit(1)) is not None


def _check_name(name: str) -> None:
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise InvalidInput("Enter the person's full name", where="name")


def _added(
    session: Session, by: str, address: str, name: str, held: list[str], member_id: str | None, *,
    stands_in: bool = False,
) -> Person:  # fmt: skip
    person_id = str(uuid.uuid4())
    person = Person(
        id=person_id, member_id=member_id, email=f"{person_id}@{NOWHERE}" if stands_in else address,
        name=name.strip(), roles=held, status=INVITED, password_hash=None, totp_secret=None, totp_step=0, failures=0,
        locked_until=0, created_at=clock.micros(), last_seen_at=None, invited_as=address if stands_in else None,
    )  # fmt: skip
    session.add(person)
    session.flush()
    record(
        session, by, "person:invite", person.id,
        after={"email": address, "name": person.name, "roles": held, "member": member_id},
    )  # fmt: skip
    return person


def move(session: Session, person: Person, status: str, by: str, why: str = "") -> None:
    """Change a person's status. Raises Conflict where it cannot become that from what it is."""
    if status not in NEXT[person.status]:
        raise Conflict(f"the person is {person.status} and cannot become {status}", where="status")
    before, person.status = person.status, status
    session.flush()
    record(session, by, "person:status", person.id, before={"status": before}, after={"status": status}, why=why)


def disable(session: Session, person: Person, by: str, why: str = "") -> None:
    """End a person's access at once, on every session. Raises Conflict for one's own account or one that has ended."""
    if person.id == by:
        raise Conflict("You cannot end your own access", advice="Ask another contact of your organisation, or the hub.")
    move(session, person, DISABLED, by, why)
    sessions.revoke_all(session, person.id)


def reinstate(session: Session, person: Person, by: str, why: str = "") -> None:
    """Invite a dormant or disabled person anew: password, second factor and passkeys begin again."""
    if person.id == by:
        raise Conflict("You cannot reinstate yourself")
    move(session, person, INVITED, by, why)
    sessions.revoke_all(session, person.id)
    person.password_hash, person.totp_secret, person.last_seen_at = None, None, None
    for ways_in in (Passkey, ProviderSubject):
        session.execute(delete(ways_in).where(ways_in.person_id == person.id))
    person.failures = person.locked_until = 0
    session.flush()


def set_roles(session: Session, person: Person, roles: Iterable[Role], by: str, why: str = "") -> None:
    """Change a person's roles; nobody changes their own."""
    if person.id == by:
        raise Conflict("You cannot change your own roles", where="roles")
    held = _fitting(roles, person.member_id)
    before, person.roles = person.roles, held
    session.flush()
    record(session, by, "person:roles", person.id, before={"roles": before}, after={"roles": held}, why=why)


def close_dormant(session: Session, days: int) -> int:
    """Make everybody dormant who has not signed in for ``days``; how many those were."""
    limit = clock.micros() - days * DAY
    late = session.scalars(
        select(Person)
        .where(
            Person.status.in_([IDENTITY_CHECKED, MFA_ENROLLED, ACTIVE]),
            Person.created_at < limit,
            Person.last_seen_at.is_(None) | (Person.last_seen_at < limit),
        )
        .order_by(Person.id)
        .with_for_update(skip_locked=True)
    ).all()
    for person in late:
        move(session, person, DORMANT, RULE, stayed_away(days))
        sessions.revoke_all(session, person.id)
    return len(late)


def stayed_away(days: int) -> str:
    """Why somebody is dormant."""
    return f"not signed in for {days} days"


def by_email(session: Session, email: str) -> Person | None:
    """The person with this address, None where there is none or it is no address."""
    try:
        address = canonical_email(email)
    except InvalidInput:
        return None
    return session.scalar(select(Person).where(Person.email == address))


def of_member(session: Session, member_id: str | None) -> list[Person]:
    """The people of a member, or (None) of the hub, by name."""
    return list(session.scalars(select(Person).where(Person.member_id == member_id).order_by(Person.name, Person.id)))


def find(session: Session, person_id: str, member_id: str | None) -> Person:
    """A person of this member. Raises NotFound, also for another's."""
    person = session.get(Person, person_id) if sessions.UUID_FORM.fullmatch(person_id) else None
    if person is None or person.member_id != member_id:
        raise NotFound("there is no such person")
    return person


def canonical_email(email: str) -> str:
    """An address in the form that it is stored in. Raises InvalidInput; no name is looked up."""
    try:
        return validate_email(email.strip(), check_deliverability=False, test_environment=True).normalized.lower()
    except EmailNotValidError:
        raise InvalidInput(
            "Enter an e-mail address in the correct format, like name@example.com", where="email"
        ) from None


def _fitting(roles: Iterable[Role], member_id: str | None) -> list[str]:
    """The roles as they are stored. Raises InvalidInput unless they are the hub's or a member's, as the person is."""
    held = frozenset(roles)
    allowed = STAFF_ROLES if member_id is None else MEMBER_ROLES
    if not held:
        raise InvalidInput("Select at least one role", where="roles")
    if not held <= allowed:
        kind = "the hub's own people" if member_id is None else "people of a member"
        raise InvalidInput(f"{kind} may hold: {', '.join(sorted(allowed))}", where="roles")
    return sorted(role.value for role in held)
