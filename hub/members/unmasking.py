"""Unmasking: who an anonymous source is, told for a limited time to those who asked and agreed.

It takes two people beside the one who asks: an approver for legal and a vetting officer for operations. The database
holds them to it. The source is told, unless legal bars that and says why.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub import clock
from hub.audit import record
from hub.auth import Role
from hub.clock import HOUR
from hub.errors import Conflict, InvalidInput, NotFound, NotPermitted
from hub.members import outbox, people
from hub.members.invitations import Post
from hub.members.people_records import Person
from hub.members.records import Member
from hub.members.unmasking_records import Unmasking, UnmaskingVoice
from hub.members.vetting import wording
from hub.settings import Vetting

REQUESTED, OPEN, REFUSED = "requested", "open", "refused"
APPROVE, REFUSE = "approve", "refuse"
LEGAL, OPERATIONS = "legal", "operations"
# Which role a person holds, as their own and not for an emergency, to speak for a function.
FUNCTIONS = {LEGAL: Role.APPROVER, OPERATIONS: Role.VETTING_OFFICER}
NO_SOURCE = "No anonymous member stands behind an object with this id"


@dataclass(frozen=True, slots=True)
class Voice:
    """What one person says to a request. ``barred``: why the source must not be told, "" where it is."""

    function: str
    verdict: str
    reason: str
    barred: str = ""


def ask(session: Session, by: str, subject: str, member_id: str | None, reason: str) -> Unmasking:
    """Ask who stands behind ``subject``, a STIX id; ``member_id`` is what the ledger knows, None where nothing.

    Raises InvalidInput where the source is no anonymous member, Conflict where such a request waits already.
    """
    _staff(session, by)
    member = session.get(Member, member_id) if member_id else None
    if member is None or not member.anonymous:
        raise InvalidInput(NO_SOURCE, where="subject")
    waiting = select(Unmasking.id).where(Unmasking.subject == subject, Unmasking.state == REQUESTED)
    if session.scalar(waiting.limit(1)) is not None:
        raise Conflict("A request for this object waits for its decision", where="subject")
    asked = Unmasking(
        subject=subject, member_id=member.id, reason=wording.prose(reason, "reason"), requested_by=by,
        requested_at=clock.micros(), state=REQUESTED, shown_until=None,
    )  # fmt: skip
    session.add(asked)
    session.flush()
    # Neither here nor later does the audit log name the source: those who read it have not been given that.
    record(session, by, "unmasking:ask", subject, after={"unmasking": asked.id}, why=asked.reason)
    return asked


def decide(session: Session, request_id: int, by: str, voice: Voice, post: Post) -> str:
    """One voice; gives the state of the request after it. The second approval opens it, one refusal ends it.

    Raises NotFound, NotPermitted for who asked, or has spoken, or does not hold the function's role, Conflict where
    it is decided or the function has spoken.
    """
    asked = _held(session, request_id)
    _speaking(session, asked, by, voice, post.settings.vetting)
    spoken = of_request(session, asked.id)
    if any(one.person_id == by for one in spoken):
        raise NotPermitted("you have spoken: the other function is for somebody else")
    if any(one.function == voice.function for one in spoken):
        raise Conflict(f"{voice.function} has spoken already", where="function")
    barred = wording.prose(voice.barred, "barred", optional=True)
    if barred and (voice.function != LEGAL or voice.verdict != APPROVE):
        raise InvalidInput("Only legal bars the hub from telling the source, with its approval", where="barred")
    said = UnmaskingVoice(
        unmasking_id=asked.id, function=voice.function, person_id=by, requested_by=asked.requested_by,
        verdict=voice.verdict, reason=wording.prose(voice.reason, "reason"), barred=barred, at=clock.micros(),
    )  # fmt: skip
    session.add(said)
    session.flush()
    after = {"unmasking": asked.id, "for": voice.function, "source is told": not barred}
    record(session, by, f"unmasking:{voice.verdict}", asked.subject, after=after, why=said.reason)
    if voice.verdict == REFUSE:
        _change(session, asked, by, REFUSED)
    elif len(spoken) == 1:
        _open(session, asked, by, [*spoken, said], post)
    return asked.state


def source_of(session: Session, request_id: int, by: str) -> str:
    """The name of the source: for who asked and who agreed, while it is shown; each look is audited.

    Raises NotFound, NotPermitted for anybody else, Conflict before and after its time.
    """
    asked = _held(session, request_id)
    if by not in {asked.requested_by, *(one.person_id for one in of_request(session, asked.id))}:
        raise NotPermitted("the source is shown to those who asked and agreed")
    if not is_shown(asked):
        raise Conflict("the source is not shown, or no longer")
    record(session, by, "unmasking:look", asked.subject, after={"unmasking": asked.id})
    return session.get_one(Member, asked.member_id).name


def is_shown(asked: Unmasking) -> bool:
    """Whether the answer is shown now."""
    return asked.state == OPEN and asked.shown_until is not None and clock.micros() < asked.shown_until


def find(session: Session, request_id: int) -> Unmasking:
    """A request to read. Raises NotFound."""
    found = session.get(Unmasking, request_id)
    if found is None:
        raise NotFound("there is no such request")
    return found


def all_requests(session: Session, most: int = 200) -> list[Unmasking]:
    """The requests, the newest first."""
    return list(session.scalars(select(Unmasking).order_by(Unmasking.id.desc()).limit(most)))


def of_request(session: Session, request_id: int) -> list[UnmaskingVoice]:
    """The voices on a request, the first one first."""
    found = select(UnmaskingVoice).where(UnmaskingVoice.unmasking_id == request_id)
    return list(session.scalars(found.order_by(UnmaskingVoice.at, UnmaskingVoice.function)))


def functions_of(person: Person, periods: Vetting) -> list[str]:
    """The functions that a person may speak for."""
    if person.member_id is not None:
        return []
    held = [function for function, role in FUNCTIONS.items() if role.value in person.roles]
    counsel = {address.lower() for address in periods.legal_counsel}
    return [one for one in held if one != LEGAL or not counsel or person.email in counsel]


def _held(session: Session, request_id: int) -> Unmasking:
    found = session.scalar(
        select(Unmasking).where(Unmasking.id == request_id).with_for_update().execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound("there is no such request")
    return found


def _staff(session: Session, person_id: str) -> Person:
    person = session.get(Person, person_id)
    if person is None or person.member_id is not None:
        raise NotPermitted("unmasking is for the hub's own people")
    return person


def _speaking(session: Session, asked: Unmasking, by: str, voice: Voice, periods: Vetting) -> None:
    if asked.state != REQUESTED:
        raise Conflict("this request is decided")
    if voice.function not in FUNCTIONS:
        raise InvalidInput("Choose what you speak for", where="function")
    if voice.verdict not in (APPROVE, REFUSE):
        raise InvalidInput("Choose what you decide", where="verdict")
    if by == asked.requested_by:
        raise NotPermitted("you have asked: two other people decide")
    if voice.function not in functions_of(_staff(session, by), periods):
        raise NotPermitted(
            f"you do not speak for {voice.function}",
            advice="Legal is an approver, operations a vetting officer; an emergency role does not do.",
        )


def _open(session: Session, asked: Unmasking, by: str, voices: list[UnmaskingVoice], post: Post) -> None:
    asked.shown_until = clock.micros() + post.settings.vetting.unmasked_hours * HOUR
    _change(session, asked, by, OPEN)
    barred = next((one.barred for one in voices if one.barred), "")
    if barred:
        record(session, by, "unmasking:not-told", asked.subject, after={"unmasking": asked.id}, why=barred)
        return
    contacts = [
        person
        for person in people.of_member(session, asked.member_id)
        if person.status == people.ACTIVE and Role.PRIMARY_CONTACT.value in person.roles
    ]
    text = (
        f"your organisation shares with {post.settings.identity.name} without being named. Two people of the hub, one"
        f" for legal and one for operations, have agreed that others of the hub may know who stands behind\n\n"
        f"{asked.subject}\n\nThe reason: {asked.reason}\n\nOther members still do not see your name."
    )
    for person in contacts:
        outbox.put(
            session, post.vault, person.email, "Your organisation was unmasked", f"Hello {person.name},\n\n{text}\n"
        )
    record(session, by, "unmasking:told", asked.subject, after={"unmasking": asked.id, "letters": len(contacts)})


def _change(session: Session, asked: Unmasking, by: str, state: str) -> None:
    before, asked.state = asked.state, state
    session.flush()
    record(
        session, by, f"unmasking:{state}", asked.subject,
        before={"state": before}, after={"unmasking": asked.id, "state": state},
    )  # fmt: skip
