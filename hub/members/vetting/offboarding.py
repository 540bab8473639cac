"""Off-boarding: a list to tick, then closing, which revokes every key at once."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from hub import clock
from hub.audit import record
from hub.errors import Conflict, InvalidInput
from hub.members import people
from hub.members.records import ClientCertificate, Credential
from hub.members.vetting import cases, certificates, requirements, wording
from hub.members.vetting.party import Capacity, Party
from hub.members.vetting.records import MembershipCertificate, OffboardingStep, VettingCase
from hub.members.vetting.states import State, advance


def begin(session: Session, case: VettingCase, by: Party, reason: str) -> None:
    """The membership ends: by notice of its primary contact, or by the officer. Access ends with it."""
    if Capacity.MEMBER not in by.capacities or by.member_id != case.member_id:
        cases.own(case, by)
    advance(session, case, State.OFFBOARDING, by, wording.prose(reason, "reason"))


def tick(session: Session, case: VettingCase, by: Party, step: str, note: str) -> None:
    """One point of the list is done. Raises InvalidInput for an unknown one, Conflict for one that is."""
    cases.own(case, by)
    if step not in requirements.OFFBOARDING_STEPS:
        raise InvalidInput("there is no such point on the list", where="step")
    if case.state != State.OFFBOARDING:
        raise Conflict("the member is not being off-boarded")
    if session.get(OffboardingStep, (case.id, step)) is not None:
        raise Conflict("this point is done already")
    said = wording.prose(note, "note")
    session.add(OffboardingStep(case_id=case.id, step=step, note=said, by=by.id, at=clock.micros()))
    session.flush()
    record(session, by.id, "case:offboard", case.id, after={"step": step}, why=said)


def close(session: Session, case: VettingCase, by: Party) -> MembershipCertificate:
    """Close the file: every key is revoked, the people's access ends, the certificate of cessation is issued."""
    cases.own(case, by)
    advance(session, case, State.CLOSED, by, "every point of the list is done")
    assert case.member_id is not None
    revoked = revoke_keys(session, case.member_id)
    for person in people.of_member(session, case.member_id):
        if person.status != people.DISABLED:
            people.disable(session, person, by.id, "the membership has ended")
    record(session, by.id, "member:revoke-keys", case.member_id, after={"revoked": revoked}, why="the file is closed")
    return certificates.issue(session, case, by, certificates.CESSATION)


def revoke_keys(session: Session, member_id: str) -> int:
    """Revoke every credential of a member; how many there were."""
    now = clock.micros()
    count = 0
    for kind in (Credential, ClientCertificate):
        standing = (kind.member_id == member_id, kind.revoked_at.is_(None))
        count += len(session.scalars(select(kind).where(*standing)).all())
        session.execute(update(kind).where(*standing).values(revoked_at=now))
    return count
