"""One-time links: an invitation to join, or a way back for somebody who has forgotten the password."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from hub import clock
from hub.audit import record
from hub.clock import DAY, MINUTE
from hub.errors import NotFound
from hub.members import outbox, people, sessions
from hub.members.people_records import OneTimeLink, Person
from hub.members.sign_in_records import SignInProvider
from hub.sealing import Vault
from hub.settings import Settings

INVITATION = "invitation"
RESET = "reset"


@dataclass(frozen=True, slots=True)
class Post:
    """What sending a link needs."""

    vault: Vault
    settings: Settings


def invite(session: Session, post: Post, person: Person) -> str:
    """Send a person who is ``invited`` a link; gives its address. Earlier links of theirs end.

    Who is known elsewhere already is told so instead, and gets no link.
    """
    days = post.settings.console.invitation_days
    address = _link(session, post, person, INVITATION, days * DAY)
    if person.invited_as is not None:
        _tell_known(session, post, person.invited_as)
        return address
    own = _own_sign_in(session, post, person)
    text = (
        f"Hello {person.name},\n\nyou are invited to {post.settings.identity.name}.\n\n"
        f"To choose a password and set up sign-in, open:\n\n{address}\n\n"
        f"The link works once, for {days} days. If you did not expect this message, do nothing.\n"
    )
    if own:
        text += f"\nOr sign in with your account at your organisation, now and later:\n\n{own}\n"
    subject = f"Your invitation to {post.settings.identity.name}"
    outbox.put(session, post.vault, person.email, subject, text)
    return address


def send_reset(session: Session, post: Post, email: str) -> None:
    """Send the person with this address a link for a new password; nothing where there is nobody to send it to."""
    person = people.by_email(session, email)
    if person is None or person.status != people.ACTIVE or person.password_hash is None:
        record(session, "nobody", "person:reset-asked", "nobody")  # a write too: both take the same time
        return
    minutes = post.settings.console.reset_minutes
    address = _link(session, post, person, RESET, minutes * MINUTE)
    text = (
        f"Hello {person.name},\n\nsomebody asked for a new password for your account at"
        f" {post.settings.identity.name}. If it was you, open:\n\n{address}\n\n"
        f"The link works once, for {minutes} minutes. If it was not you, do nothing: your password stays as it is.\n"
    )
    outbox.put(session, post.vault, person.email, "Choose a new password", text)
    record(session, person.id, "person:reset-asked", person.id)


def look_up(session: Session, token: str) -> tuple[OneTimeLink, Person]:
    """The link of a token, still unused, and its person. Raises NotFound, in the same words whatever the reason."""
    link = session.get(OneTimeLink, _hash(token))
    person = session.get(Person, link.person_id) if link is not None else None
    wanted = {INVITATION: people.INVITED, RESET: people.ACTIVE}
    if (
        link is None
        or person is None
        or link.used_at is not None
        or link.expires_at <= clock.micros()
        or person.status != wanted[link.purpose]
    ):
        raise NotFound(
            "this link does not work any more", advice="It may have been used or be too old: ask for another."
        )
    return link, person


def use(session: Session, token: str, password_hash: str) -> Person:
    """Set the password of a link's person, once. Every session of theirs ends. Raises NotFound."""
    link, person = look_up(session, token)
    link.used_at = clock.micros()
    person.password_hash = password_hash
    person.failures = person.locked_until = 0
    sessions.revoke_all(session, person.id)
    session.flush()
    if link.purpose == INVITATION:
        people.move(session, person, people.IDENTITY_CHECKED, person.id, "followed the invitation")
    record(session, person.id, "person:password", person.id, why=link.purpose)
    return person


def _link(session: Session, post: Post, person: Person, purpose: str, lifetime: int) -> str:
    token, now = secrets.token_urlsafe(32), clock.micros()
    end_links(session, person.id)
    session.add(
        OneTimeLink(
            token_hash=_hash(token), person_id=person.id, purpose=purpose, created_at=now, expires_at=now + lifetime,
            used_at=None,
        )
    )  # fmt: skip
    session.flush()
    return f"{post.settings.base_url}/console/link/{token}"


def _tell_known(session: Session, post: Post, email: str) -> None:
    hub = post.settings.identity.name
    text = (
        f"Hello,\n\nanother organisation invited you to {hub}. You have an account here already, so the invitation has"
        " no effect, and nobody was told that you have one.\n\nIf you have changed employers, ask the hub to end the"
        " account you have. If you did not expect this message, please tell the hub.\n"
    )
    outbox.put(session, post.vault, email, f"An invitation to {hub}", text)


def _own_sign_in(session: Session, post: Post, person: Person) -> str:
    """Where the person's organisation signs in by its own provider, "" where it has none."""
    provider = session.scalar(select(SignInProvider).where(SignInProvider.member_id == person.member_id))
    return f"{post.settings.base_url}{provider.path}" if provider is not None else ""


def end_links(session: Session, person_id: str) -> None:
    """End the person's links that are still open."""
    session.execute(
        update(OneTimeLink)
        .where(OneTimeLink.person_id == person_id, OneTimeLink.used_at.is_(None))
        .values(used_at=clock.micros())
    )


def open_until(session: Session, person_id: str) -> int:
    """When the person's open link expires (microseconds), 0 without one."""
    latest = select(OneTimeLink.expires_at).where(
        OneTimeLink.person_id == person_id, OneTimeLink.used_at.is_(None), OneTimeLink.expires_at > clock.micros()
    )
    return session.scalar(latest) or 0


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
