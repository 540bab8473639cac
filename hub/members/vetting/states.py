"""The states of a case and the one table of its guarded transitions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy.orm import Session

from hub import clock
from hub.audit import record
from hub.errors import Conflict, NotPermitted
from hub.members.records import Member
from hub.members.vetting import requirements as need
from hub.members.vetting.party import Capacity, Party
from hub.members.vetting.records import CaseStep, VettingCase


class State(StrEnum):
    """Where a case stands."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    SCREENING = "screening"
    INFO_REQUESTED = "info_requested"
    DUE_DILIGENCE = "due_diligence"
    DECISION = "decision"
    REJECTED = "rejected"
    APPEAL = "appeal"
    APPROVED_UNSIGNED = "approved_unsigned"
    ACTIVE = "active"
    REVIEW_DUE = "review_due"
    SUSPENDED = "suspended"
    OFFBOARDING = "offboarding"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


Requirement = Callable[[Session, VettingCase], str]


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may make a transition, and what must be on file: each of ``needs`` says what is missing, or ""."""

    by: frozenset[Capacity]
    needs: tuple[Requirement, ...] = ()


def _by(*capacities: Capacity, needs: tuple[Requirement, ...] = ()) -> Rule:
    return Rule(frozenset(capacities), needs)


S, C = State, Capacity
TRANSITIONS: dict[tuple[State, State], Rule] = {
    (S.DRAFT, S.SUBMITTED): _by(C.APPLICANT, needs=(need.two_contacts, need.email_of_domain)),
    (S.SUBMITTED, S.SCREENING): _by(C.OFFICER, needs=(need.officer,)),
    (S.SCREENING, S.INFO_REQUESTED): _by(C.OFFICER, needs=(need.open_question,)),
    (S.DUE_DILIGENCE, S.INFO_REQUESTED): _by(C.OFFICER, needs=(need.open_question,)),
    (S.INFO_REQUESTED, S.SCREENING): _by(C.APPLICANT, needs=(need.no_open_question,)),
    (S.SCREENING, S.DUE_DILIGENCE): _by(C.OFFICER, needs=(need.registry_extract,)),
    (S.DUE_DILIGENCE, S.DECISION): _by(
        C.OFFICER, needs=(need.sponsor, need.sanctions_check, need.signatory_authority, need.officer_declared)
    ),
    (S.DECISION, S.APPROVED_UNSIGNED): _by(C.APPROVER, needs=(need.two_approvals,)),
    (S.DECISION, S.REJECTED): _by(C.APPROVER, needs=(need.rejection,)),
    (S.REJECTED, S.APPEAL): _by(C.APPLICANT, needs=(need.no_earlier_appeal,)),
    (S.APPEAL, S.APPROVED_UNSIGNED): _by(C.APPROVER, needs=(need.two_approvals,)),
    (S.APPEAL, S.REJECTED): _by(C.APPROVER, needs=(need.rejection,)),
    (S.APPROVED_UNSIGNED, S.ACTIVE): _by(C.APPLICANT, needs=(need.sponsor, need.agreement, need.member)),
    (S.ACTIVE, S.REVIEW_DUE): _by(C.HUB),
    (S.REVIEW_DUE, S.ACTIVE): _by(C.OFFICER, needs=(need.review,)),
    (S.ACTIVE, S.SUSPENDED): _by(C.DUTY, needs=(need.suspension,)),
    (S.REVIEW_DUE, S.SUSPENDED): _by(C.DUTY, C.HUB, needs=(need.suspension,)),
    (S.SUSPENDED, S.ACTIVE): _by(C.DUTY, needs=(need.two_lifts,)),
    (S.ACTIVE, S.OFFBOARDING): _by(C.OFFICER, C.MEMBER),
    (S.REVIEW_DUE, S.OFFBOARDING): _by(C.OFFICER, C.MEMBER),
    (S.SUSPENDED, S.OFFBOARDING): _by(C.OFFICER),
    (S.OFFBOARDING, S.CLOSED): _by(C.OFFICER, needs=(need.offboarding_done,)),
    **{
        (before, S.WITHDRAWN): _by(C.APPLICANT)
        for before in (
            S.DRAFT, S.SUBMITTED, S.SCREENING, S.INFO_REQUESTED, S.DUE_DILIGENCE, S.DECISION, S.APPEAL,
            S.APPROVED_UNSIGNED,
        )
    },
    **{(before, S.LAPSED): _by(C.HUB) for before in (S.DRAFT, S.INFO_REQUESTED, S.APPROVED_UNSIGNED)},
}  # fmt: skip

# What the gate of every request sees of a state that has a member.
MEMBER_STATUS = {
    State.ACTIVE: "active",
    State.REVIEW_DUE: "active",
    State.SUSPENDED: "suspended",
    State.OFFBOARDING: "offboarding",
    State.CLOSED: "closed",
}
IN_FORCE = frozenset({State.ACTIVE, State.REVIEW_DUE})
OPEN = frozenset(before for before, after in TRANSITIONS if after is State.WITHDRAWN)


def advance(session: Session, case: VettingCase, to: State, by: Party, why: str = "") -> None:
    """Bring ``case`` into the state ``to``: the only function that does.

    The member's status follows, so that the very next request feels it. Raises Conflict where the table knows no
    such transition or something is not on file, NotPermitted where it is not this party's to make.
    """
    before = State(case.state)
    rule = TRANSITIONS.get((before, to))
    if rule is None:
        raise Conflict(f"a case that is {words(before)} cannot become {words(to)}", where="state")
    if not rule.by & by.capacities:
        raise NotPermitted(f"this step is for the {' or '.join(sorted(rule.by))}")
    for requirement in rule.needs:
        if missing := requirement(session, case):
            raise Conflict(missing, where="state")
    now = clock.micros()
    case.state, case.since = to.value, now
    session.add(CaseStep(case_id=case.id, at=now, before=before, after=to, by=by.id, why=why))
    session.flush()
    _gate(session, case, before, to)
    record(
        session, by.id, "case:advance", case.id,
        before={"state": before.value}, after={"state": to.value, "member_id": case.member_id}, why=why,
    )  # fmt: skip


def words(state: State) -> str:
    """The state as people read it."""
    return state.value.replace("_", " ")


def _gate(session: Session, case: VettingCase, before: State, after: State) -> None:
    status = MEMBER_STATUS.get(after)
    if status is None or case.member_id is None:
        return
    member = session.get_one(Member, case.member_id)
    if {before, after} == IN_FORCE and member.status == "suspended":
        return  # an operator suspended the member past its case: only an operator resumes it
    member.status = status
    session.flush()
