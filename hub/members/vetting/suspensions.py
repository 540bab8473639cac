"""Suspension at once by one duty officer; lifting by two people."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub import clock
from hub.audit import record
from hub.errors import Conflict
from hub.members.vetting import cases, requirements, wording
from hub.members.vetting.party import Capacity, Party
from hub.members.vetting.records import Suspension, SuspensionLift, VettingCase
from hub.members.vetting.states import IN_FORCE, State, advance


def suspend(session: Session, case: VettingCase, by: Party, reason: str) -> Suspension:
    """Suspend a member; its very next request is refused."""
    if by.capacities != {Capacity.HUB}:
        cases.require(by, Capacity.DUTY)
    if State(case.state) not in IN_FORCE:
        raise Conflict("only a member in force can be suspended")
    suspension = Suspension(case_id=case.id, reason=wording.prose(reason, "reason"), by=by.id, at=clock.micros())
    session.add(suspension)
    session.flush()
    advance(session, case, State.SUSPENDED, by, suspension.reason)
    return suspension


def lift(session: Session, case: VettingCase, by: Party, reason: str) -> bool:
    """One of the two voices for lifting; gives whether the member is active again by it.

    ``case`` comes from ``cases.hold``. Raises Conflict for a second voice of the same person.
    """
    cases.require(by, Capacity.DUTY)
    suspension = requirements.last_suspension(session, case)
    if case.state != State.SUSPENDED or suspension is None:
        raise Conflict("the member is not suspended")
    if by.id in {voice.person_id for voice in voices(session, suspension)}:
        raise Conflict("you have agreed already", advice="A second person is needed.")
    said = wording.prose(reason, "reason")
    session.add(SuspensionLift(suspension_id=suspension.id, person_id=by.id, reason=said, at=clock.micros()))
    session.flush()
    record(session, by.id, "case:lift", case.id, after={"suspension": suspension.id}, why=said)
    if requirements.two_lifts(session, case):
        return False
    advance(session, case, State.ACTIVE, by, "two people lift the suspension")
    return True


def voices(session: Session, suspension: Suspension) -> list[SuspensionLift]:
    """Who wants a suspension lifted, in their order."""
    return list(
        session.scalars(
            select(SuspensionLift)
            .where(SuspensionLift.suspension_id == suspension.id)
            .order_by(SuspensionLift.at, SuspensionLift.person_id)
        )
    )
