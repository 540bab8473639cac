"""Letters about what comes due, each sent once: to the primary contacts, or to the person whom it concerns."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from hub import clock
from hub.clock import timestamp
from hub.members import attention, due, outbox
from hub.members.invitations import Post
from hub.members.sign_in_records import Reminder

ATTESTATION, KEY, CERTIFICATE, DORMANCY = "people-attestation", "key-end", "certificate-end", "dormancy"


@dataclass(slots=True)
class Sent:
    """How many letters of each kind were sent."""

    attestations: int = 0
    keys: int = 0
    certificates: int = 0
    dormancies: int = 0


def send_due(session: Session, post: Post) -> Sent:
    """Write what is due now. A second run at the same time writes nothing twice."""
    now, console, sent = clock.micros(), post.settings.console, Sent()
    base, hub = post.settings.base_url, post.settings.identity.name
    for unconfirmed in due.attestations(session, now):
        member = unconfirmed.member
        if _first_time(session, ATTESTATION, member.id, unconfirmed.due_at):
            text = (
                f"once a quarter the primary contact of {member.name} confirms who signs in to {hub} for it."
                f" It is due:\n\n{base}/console/people"
            )
            sent.attestations += _to_contacts(session, post, member.id, "Please confirm your list of people", text)
    for key in attention.keys_ending(session, now, console.notice_days):
        if not due.has_successor(session, key) and _first_time(session, KEY, key.username, key.expires_at):
            text = (
                f"the API key {key.username} ({key.label or 'without a label'}) of {key.member_name} ends on"
                f" {_day(key.expires_at)}. A new one, with an overlap, is made here:\n\n{base}/console/keys"
            )
            subject = f"An API key ends on {_day(key.expires_at)}"
            sent.keys += _to_contacts(session, post, key.member_id, subject, text)
    for one in attention.certificates_ending(session, now, console.notice_days):
        if _first_time(session, CERTIFICATE, one.username, one.expires_at):
            text = (
                f"the client certificate {one.label} of {one.member_name} (SHA-256 {one.username}) stands for it until"
                f" {_day(one.expires_at)}. Send the renewed one to the hub before, so that both hold for a while; those"
                f" that stand for you are listed here:\n\n{base}/console/keys"
            )
            subject = f"A client certificate ends on {_day(one.expires_at)}"
            sent.certificates += _to_contacts(session, post, one.member_id, subject, text)
    for person, at in due.soon_dormant(session, now, console.dormant_days, console.notice_days):
        if _first_time(session, DORMANCY, person.id, at):
            text = (
                f"you have not signed in to {hub} for a while. On {_day(at)} your account becomes dormant, and signing"
                f" in then takes a new invitation. To keep it, sign in:\n\n{base}/console/"
            )
            _write(session, post, person.email, person.name, f"Your account becomes dormant on {_day(at)}", text)
            sent.dormancies += 1
    return sent


def _to_contacts(session: Session, post: Post, member_id: str, subject: str, text: str) -> int:
    found = due.contacts(session, member_id)
    for person in found:
        _write(session, post, person.email, person.name, subject, text)
    return len(found)


def _write(session: Session, post: Post, email: str, name: str, subject: str, text: str) -> None:
    outbox.put(session, post.vault, email, subject, f"Hello {name},\n\n{text}\n")


def _first_time(session: Session, kind: str, subject: str, due_at: int) -> bool:
    if session.get(Reminder, (kind, subject, due_at)) is not None:
        return False
    try:
        with session.begin_nested():
            session.add(Reminder(kind=kind, subject=subject, due_at=due_at, at=clock.micros()))
    except IntegrityError:  # another worker was faster
        return False
    return True


def _day(us: int) -> str:
    return timestamp(us)[:10]
