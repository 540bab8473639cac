"""Cases from the application to due diligence: apply, take, ask, answer, declare."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hub import clock
from hub.audit import record
from hub.auth import Role
from hub.errors import Conflict, InvalidInput, NotFound, NotPermitted
from hub.members import corporate, membership
from hub.members.membership import MemberKind
from hub.members.vetting import requirements, wording
from hub.members.vetting.party import Capacity, Party
from hub.members.vetting.records import (
    CaseOfficer,
    ConflictDeclaration,
    InformationAnswer,
    InformationRequest,
    VettingCase,
    VettingDecision,
)
from hub.members.vetting.states import OPEN, State, advance
from hub.stix.tlp import Tlp

# What an applicant is let in with unless the officer proposes otherwise.
FIRST_CLEARANCE = Tlp.GREEN
# Kinds that no organisation applies as.
OWN_KINDS = frozenset({MemberKind.HUB, MemberKind.FEED})
# Roles that an organisation's credentials may carry.
MEMBER_ROLES = frozenset({Role.READER, Role.CONTRIBUTOR, Role.PRIMARY_CONTACT, Role.REPORTING_PARTNER})


@dataclass(frozen=True, slots=True)
class Application:
    """What an organisation says of itself; every field is text as it was typed."""

    name: str
    kind: str
    domain: str
    registration: str
    regulator_reference: str
    purpose: str
    primary_name: str
    primary_email: str
    deputy_name: str
    deputy_email: str
    parent: str = ""
    parent_registration: str = ""
    anonymous: bool = False


def apply(session: Session, application: Application) -> VettingCase:
    """A new case, a draft until the primary contact confirms it by the link in its letter.

    Raises InvalidInput with the field in ``where``. It says nothing about other members or cases: names that are
    taken come out in screening.
    """
    given = application
    kinds = {kind.value for kind in set(MemberKind) - OWN_KINDS}
    if given.kind not in kinds:
        raise InvalidInput("Choose what kind of organisation it is", where="kind")
    now = clock.micros()
    case = VettingCase(
        id=str(uuid.uuid4()),
        state=State.DRAFT.value,
        since=now,
        created_at=now,
        name=wording.line(given.name, "name"),
        kind=given.kind,
        domain=wording.domain(given.domain, "domain"),
        registration=wording.line(given.registration, "registration", most=60),
        regulator_reference=wording.line(
            given.regulator_reference, "regulator_reference", most=60, optional=True
        ),
        parent=wording.line(given.parent, "parent", optional=True),
        parent_registration=wording.line(given.parent_registration, "parent_registration", most=60, optional=True),
        purpose=wording.prose(given.purpose, "purpose"),
        anonymous=given.anonymous,
        primary_name=wording.line(given.primary_name, "primary_name"),
        primary_email=wording.email(given.primary_email, "primary_email"),
        deputy_name=wording.line(given.deputy_name, "deputy_name"),
        deputy_email=wording.email(given.deputy_email, "deputy_email"),
        clearance=int(FIRST_CLEARANCE),
        roles=[Role.READER.value],
        groups=[],
        officer_id=None,
        member_id=None,
        reviewed_at=None,
    )  # fmt: skip
    host = case.primary_email.rpartition("@")[2]
    if not f".{host}".endswith(f".{case.domain}"):
        raise InvalidInput(f"Enter an address of {case.domain}: it proves the domain", where="primary_email")
    if case.primary_email == case.deputy_email:
        raise InvalidInput("The deputy needs an address of their own", where="deputy_email")
    session.add(case)
    session.flush()
    _keep_group(session, case)
    record(session, "applicant", "case:apply", case.id, after={"name": case.name, "domain": case.domain})
    return case


def set_parent(session: Session, case: VettingCase, by: Party, parent: str, parent_registration: str) -> None:
    """Correct which corporate group the organisation is of, as the register's extract shows it."""
    own(case, by)
    before = {"parent": case.parent, "parent_registration": case.parent_registration}
    case.parent = wording.line(parent, "parent", optional=True)
    case.parent_registration = wording.line(parent_registration, "parent_registration", most=60, optional=True)
    session.flush()
    _keep_group(session, case)
    after = {"parent": case.parent, "parent_registration": case.parent_registration}
    record(session, by.id, "case:group", case.id, before=before, after=after)


def _keep_group(session: Session, case: VettingCase) -> None:
    held = corporate.keys(case.name, case.registration, case.parent, case.parent_registration)
    for organisation in filter(None, (case.id, case.member_id)):
        corporate.keep(session, organisation, held)


def drafts(session: Session, email: str) -> int:
    """How many unconfirmed applications name this primary contact."""
    unconfirmed = (VettingCase.state == State.DRAFT.value, VettingCase.primary_email == email)
    return session.scalars(select(func.count()).select_from(VettingCase).where(*unconfirmed)).one()


def find(session: Session, case_id: str) -> VettingCase:
    """A case to read. Raises NotFound."""
    case = session.get(VettingCase, case_id)
    if case is None:
        raise NotFound("there is no such case")
    return case


def hold(session: Session, case_id: str) -> VettingCase:
    """A case to change: nobody else changes it until the transaction ends. Raises NotFound."""
    case = session.scalar(
        select(VettingCase).where(VettingCase.id == case_id).with_for_update().execution_options(populate_existing=True)
    )
    if case is None:
        raise NotFound("there is no such case")
    return case


def of_member(session: Session, member_id: str) -> VettingCase | None:
    """The case of a member, None where an operator added it without vetting."""
    return session.scalar(select(VettingCase).where(VettingCase.member_id == member_id))


def applicant(case: VettingCase) -> Party:
    """Who holds the link of the letter to the primary contact."""
    return Party(f"applicant:{case.id}", frozenset({Capacity.APPLICANT}), email=case.primary_email)


def confirm(session: Session, case: VettingCase) -> None:
    """The primary contact confirms the application, which proves the domain's address."""
    advance(session, case, State.SUBMITTED, applicant(case), "confirmed by the link sent to the primary contact")


def withdraw(session: Session, case: VettingCase, reason: str) -> None:
    """The applicant takes the application back."""
    advance(session, case, State.WITHDRAWN, applicant(case), wording.prose(reason, "reason"))


def take(session: Session, case: VettingCase, by: Party) -> None:
    """Become the officer of a case; a new case goes into screening.

    Raises NotPermitted for who is no officer, has declared a conflict or has decided the case.
    """
    require(by, Capacity.OFFICER)
    if State(case.state) not in OPEN | {State.ACTIVE, State.REVIEW_DUE, State.SUSPENDED, State.OFFBOARDING}:
        raise Conflict("the case is over", where="state")
    if conflicted(session, case, by.id):
        raise NotPermitted("you have declared a conflict of interest in this case")
    decided = select(VettingDecision.id).where(VettingDecision.case_id == case.id, VettingDecision.approver_id == by.id)
    if session.scalar(decided.limit(1)) is not None:
        raise NotPermitted("you have decided this case and cannot be its officer")
    before = case.officer_id
    if session.get(CaseOfficer, (case.id, by.id)) is None:
        session.add(CaseOfficer(case_id=case.id, person_id=by.id, at=clock.micros()))
        session.flush()
    case.officer_id = by.id
    session.flush()
    record(session, by.id, "case:take", case.id, before={"officer": before}, after={"officer": by.id})
    if case.state == State.SUBMITTED:
        advance(session, case, State.SCREENING, by, "taken")


def own(case: VettingCase, by: Party) -> None:
    """Raise NotPermitted unless ``by`` is the officer of the case."""
    require(by, Capacity.OFFICER)
    if case.officer_id != by.id:
        raise NotPermitted("another officer has this case", advice="Take the case first.")


def require(by: Party, capacity: Capacity) -> None:
    """Raise NotPermitted unless ``by`` acts in ``capacity``."""
    if capacity not in by.capacities:
        raise NotPermitted(f"this is for the {capacity.value}")


def ask(session: Session, case: VettingCase, by: Party, question: str) -> InformationRequest:
    """Ask the applicant something; the case waits for the answer."""
    own(case, by)
    asked = InformationRequest(
        case_id=case.id, question=wording.prose(question, "question"), by=by.id, at=clock.micros()
    )
    session.add(asked)
    session.flush()
    if case.state != State.INFO_REQUESTED:
        advance(session, case, State.INFO_REQUESTED, by, "a question to the applicant")
    else:
        record(session, by.id, "case:ask", case.id, after={"request": asked.id})
    return asked


def answer(session: Session, case: VettingCase, request_id: int, text: str) -> None:
    """The applicant answers; after the last answer the case goes on. Raises NotFound, Conflict."""
    by = applicant(case)
    asked = session.get(InformationRequest, request_id)
    if asked is None or asked.case_id != case.id:
        raise NotFound("there is no such question")
    if session.get(InformationAnswer, request_id) is not None:
        raise Conflict("the question is answered already")
    if case.state != State.INFO_REQUESTED:
        raise Conflict("the case does not wait for an answer")
    session.add(
        InformationAnswer(request_id=request_id, answer=wording.prose(text, "answer"), by=by.id, at=clock.micros())
    )
    session.flush()
    record(session, by.id, "case:answer", case.id, after={"request": request_id})
    if not requirements.open_questions(session, case):
        advance(session, case, State.SCREENING, by, "every question is answered")


def propose(
    session: Session, case: VettingCase, by: Party, *, clearance: Tlp, groups: Sequence[str], roles: Sequence[Role]
) -> None:
    """What the officer proposes that the organisation gets; the approvers decide on just that."""
    own(case, by)
    if State(case.state) not in (State.SCREENING, State.DUE_DILIGENCE):
        raise Conflict("the proposal can be changed in screening and due diligence only")
    if not roles or not set(roles) <= MEMBER_ROLES:
        raise InvalidInput("Choose one or more roles of a member", where="roles")
    if clearance is Tlp.RED:
        raise InvalidInput("RED goes to named recipients; the ceiling is AMBER+STRICT", where="clearance")
    membership.group_ids(session, groups)
    before = {"clearance": case.clearance, "groups": case.groups, "roles": case.roles}
    case.clearance, case.groups, case.roles = int(clearance), sorted(groups), sorted(role.value for role in roles)
    session.flush()
    after = {"clearance": case.clearance, "groups": case.groups, "roles": case.roles}
    record(session, by.id, "case:propose", case.id, before=before, after=after)


def to_due_diligence(session: Session, case: VettingCase, by: Party, why: str) -> None:
    """Screening is done."""
    own(case, by)
    advance(session, case, State.DUE_DILIGENCE, by, wording.prose(why, "why"))


def to_decision(session: Session, case: VettingCase, by: Party, why: str) -> None:
    """Due diligence is done; the officer's summary is what the approvers read first."""
    own(case, by)
    advance(session, case, State.DECISION, by, wording.prose(why, "why"))


def declare(session: Session, case: VettingCase, by: Party, *, conflict: bool, explanation: str) -> None:
    """Declare whether one has a conflict of interest. A conflict, once declared, stands."""
    if not by.capacities & {Capacity.OFFICER, Capacity.APPROVER}:
        raise NotPermitted("only officers and approvers declare conflicts of interest")
    said = wording.prose(explanation, "explanation", optional=not conflict)
    session.add(
        ConflictDeclaration(
            case_id=case.id, person_id=by.id, conflicted=conflict, explanation=said, at=clock.micros()
        )
    )  # fmt: skip
    session.flush()
    record(session, by.id, "case:declare", case.id, after={"conflict": conflict}, why=said)


def conflicted(session: Session, case: VettingCase, person_id: str) -> bool:
    """The person has declared a conflict in this case."""
    return True in declarations(session, case, person_id)


def declarations(session: Session, case: VettingCase, person_id: str) -> set[bool]:
    """What the person has declared: empty where nothing yet."""
    return set(
        session.scalars(
            select(ConflictDeclaration.conflicted).where(
                ConflictDeclaration.case_id == case.id, ConflictDeclaration.person_id == person_id
            )
        )
    )
