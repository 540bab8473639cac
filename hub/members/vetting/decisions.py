"""Decisions: two approvers who are neither the officer nor each other, or one rejection with its reason."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub import clock
from hub.audit import record
from hub.clock import DAY
from hub.errors import Conflict, NotPermitted
from hub.members.vetting import cases, requirements, wording
from hub.members.vetting.party import Capacity, Party
from hub.members.vetting.records import CaseOfficer, VettingCase, VettingDecision
from hub.members.vetting.states import State, advance
from hub.settings import Vetting

APPROVE, REJECT = "approve", "reject"
ROUNDS = frozenset({State.DECISION, State.APPEAL})


def decide(session: Session, case: VettingCase, by: Party, verdict: str, reason: str) -> VettingDecision:
    """One approver's verdict; the second approval, or the first rejection, moves the case on.

    ``case`` comes from ``cases.hold``, so that two verdicts at once are one after the other. Raises NotPermitted
    for who is or was its officer, has a conflict, or decided the round before an appeal; Conflict for a second
    verdict of the same person or a case that is not up for a decision.
    """
    state = State(case.state)
    if state not in ROUNDS:
        raise Conflict("the case is not up for a decision")
    if barred := why_not(session, case, by):
        raise NotPermitted(barred)
    if by.id in {earlier.approver_id for earlier in of_round(session, case, state)}:
        raise Conflict("you have decided this case already", advice="A second approver is needed.")
    given = VettingDecision(
        case_id=case.id,
        round=state.value,
        officer_id=case.officer_id,
        approver_id=by.id,
        verdict=verdict,
        reason=wording.prose(reason, "reason"),
        at=clock.micros(),
    )
    session.add(given)
    session.flush()
    record(session, by.id, "case:decide", case.id, after={"round": state.value, "verdict": verdict}, why=given.reason)
    if verdict == REJECT:
        advance(session, case, State.REJECTED, by, given.reason)
    elif not requirements.two_approvals(session, case):
        advance(session, case, State.APPROVED_UNSIGNED, by, "two approvers agree")
    return given


def why_not(session: Session, case: VettingCase, by: Party) -> str:
    """Why ``by`` may not decide this case; "" where they may."""
    if Capacity.APPROVER not in by.capacities:
        return "only an approver decides"
    if session.get(CaseOfficer, (case.id, by.id)) is not None:
        return "you have worked on this case as its officer and cannot decide it"
    declared = cases.declarations(session, case, by.id)
    if True in declared:
        return "you have declared a conflict of interest in this case"
    if not declared:
        return "declare first whether you have a conflict of interest"
    if case.state == State.APPEAL and by.id in {one.approver_id for one in of_round(session, case, State.DECISION)}:
        return "an appeal is decided by other people than the decision before it"
    return ""


def appeal(session: Session, case: VettingCase, grounds: str, periods: Vetting) -> None:
    """The applicant appeals against the rejection, once and in time."""
    if case.state == State.REJECTED and clock.micros() > case.since + periods.appeal_days * DAY:
        raise Conflict(f"the {periods.appeal_days} days for an appeal are over")
    advance(session, case, State.APPEAL, cases.applicant(case), wording.prose(grounds, "grounds"))


def of_round(session: Session, case: VettingCase, state: State) -> list[VettingDecision]:
    """The verdicts of one round, in their order."""
    return [one for one in of_case(session, case) if one.round == state]


def of_case(session: Session, case: VettingCase) -> list[VettingDecision]:
    """Every verdict on a case, in their order."""
    return list(
        session.scalars(select(VettingDecision).where(VettingDecision.case_id == case.id).order_by(VettingDecision.id))
    )
