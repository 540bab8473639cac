"""What must be on file before a case goes on: each function says what is missing, or nothing ("").

The triggers of ``hub.db.vetting_rules`` hold the gravest of these once more, for whoever writes past this code.
"""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hub.members import corporate
from hub.members.vetting.records import (
    AgreementAcceptance,
    CaseStep,
    ConflictDeclaration,
    Evidence,
    InformationAnswer,
    InformationRequest,
    MembershipReview,
    OffboardingStep,
    SponsorAnswer,
    SponsorInvitation,
    Suspension,
    SuspensionLift,
    VettingCase,
    VettingDecision,
)

APPROVALS = 2
LIFTS = 2
OFFBOARDING_STEPS = {
    "notice": "The other members and the member's people are told the last day",
    "contributions": "It is agreed what becomes of the content that the member has contributed",
    "feeds": "Feeds and connections of the member are switched off",
    "destruction": "The member attests that it has destroyed what it received",
}


def two_contacts(_session: Session, case: VettingCase) -> str:
    """A primary contact and a deputy, two people."""
    if not case.primary_email or not case.deputy_email:
        return "a primary contact and a deputy are required"
    same = case.primary_email == case.deputy_email
    return "the primary contact and the deputy are two people with addresses of their own" if same else ""


def email_of_domain(_session: Session, case: VettingCase) -> str:
    """The link that confirms an application went to an address of the domain, which proves it."""
    host = case.primary_email.rpartition("@")[2]
    return "" if f".{host}".endswith(f".{case.domain}") else "the primary contact's e-mail address is not of the domain"


def officer(_session: Session, case: VettingCase) -> str:
    """Somebody has taken the case."""
    return "" if case.officer_id else "no officer has taken the case"


def open_question(session: Session, case: VettingCase) -> str:
    """There is something to ask."""
    return "" if open_questions(session, case) else "there is no open question to the applicant"


def no_open_question(session: Session, case: VettingCase) -> str:
    """Everything asked is answered."""
    return "not every question is answered" if open_questions(session, case) else ""


def open_questions(session: Session, case: VettingCase) -> list[InformationRequest]:
    """Questions without an answer, oldest first."""
    answered = select(InformationAnswer.request_id)
    return list(
        session.scalars(
            select(InformationRequest)
            .where(InformationRequest.case_id == case.id, InformationRequest.id.not_in(answered))
            .order_by(InformationRequest.id)
        )
    )


def registry_extract(session: Session, case: VettingCase) -> str:
    """The organisation exists."""
    return _evidence(session, case, "registry-extract", "the extract of the company register")


def sanctions_check(session: Session, case: VettingCase) -> str:
    """The organisation is on no sanctions list."""
    return _evidence(session, case, "sanctions-check", "the result of the sanctions check")


def signatory_authority(session: Session, case: VettingCase) -> str:
    """Who will sign may sign."""
    return _evidence(session, case, "signatory-authority", "the proof of the signatory's authority")


def _evidence(session: Session, case: VettingCase, kind: str, name: str) -> str:
    found = session.scalar(select(Evidence.id).where(Evidence.case_id == case.id, Evidence.kind == kind).limit(1))
    return "" if found else f"{name} is not on file"


def sponsor(session: Session, case: VettingCase) -> str:
    """A sponsor of another corporate group has confirmed."""
    confirmed = set(
        session.scalars(
            select(SponsorInvitation.member_id)
            .join(SponsorAnswer, SponsorInvitation.id == SponsorAnswer.invitation_id)
            .where(SponsorInvitation.case_id == case.id, SponsorAnswer.confirmed)
        )
    )
    if not confirmed:
        return "no sponsor has confirmed"
    own_group = set(session.scalars(corporate.related(case.id)))
    return "" if confirmed - own_group else "the sponsor is of the applicant's own corporate group"


def officer_declared(session: Session, case: VettingCase) -> str:
    """The officer has declared to have no conflict of interest."""
    found = session.scalars(
        select(ConflictDeclaration.conflicted).where(
            ConflictDeclaration.case_id == case.id, ConflictDeclaration.person_id == case.officer_id
        )
    ).all()
    if not found:
        return "the officer has not declared whether there is a conflict of interest"
    return "the officer has a conflict of interest: somebody else takes the case" if any(found) else ""


def two_approvals(session: Session, case: VettingCase) -> str:
    """Two approve, nobody rejects, in the round that the case's state is."""
    if _verdicts(session, case, "reject"):
        return "an approver has rejected it"
    return "" if _verdicts(session, case, "approve") >= APPROVALS else "a second approver has to agree"


def rejection(session: Session, case: VettingCase) -> str:
    """An approver has rejected it in this round."""
    return "" if _verdicts(session, case, "reject") else "no approver has rejected it"


def _verdicts(session: Session, case: VettingCase, verdict: str) -> int:
    return session.scalars(
        select(func.count()).where(
            VettingDecision.case_id == case.id, VettingDecision.round == case.state, VettingDecision.verdict == verdict
        )
    ).one()


def no_earlier_appeal(session: Session, case: VettingCase) -> str:
    """One appeal."""
    earlier = session.scalar(select(CaseStep.id).where(CaseStep.case_id == case.id, CaseStep.after == "appeal"))
    return "the appeal has been decided already" if earlier else ""


def agreement(session: Session, case: VettingCase) -> str:
    """The agreement is signed."""
    found = session.scalar(
        select(AgreementAcceptance.id).where(AgreementAcceptance.case_id == case.id).limit(1)
    )  # fmt: skip
    return "" if found else "the agreement is not signed"


def member(_session: Session, case: VettingCase) -> str:
    """There is a member to let in."""
    return "" if case.member_id else "the member is not entered"


def review(session: Session, case: VettingCase) -> str:
    """The review that fell due is written."""
    found = session.scalar(
        select(MembershipReview.id).where(MembershipReview.case_id == case.id, MembershipReview.at >= case.since)
    )
    return "" if found else "the review is not written"


def suspension(session: Session, case: VettingCase) -> str:
    """The suspension is written, with its reason."""
    last = last_suspension(session, case)
    return "" if last and not lifts(session, last) else "the suspension is not written"


def two_lifts(session: Session, case: VettingCase) -> str:
    """Two people want the suspension lifted."""
    last = last_suspension(session, case)
    return "" if last and lifts(session, last) >= LIFTS else "a second person has to agree"


def last_suspension(session: Session, case: VettingCase) -> Suspension | None:
    """The newest suspension of a case."""
    return session.scalar(
        select(Suspension).where(Suspension.case_id == case.id).order_by(Suspension.id.desc()).limit(1)
    )


def lifts(session: Session, of: Suspension) -> int:
    """How many people want a suspension lifted."""
    return session.scalars(select(func.count()).where(SuspensionLift.suspension_id == of.id)).one()


def offboarding_done(session: Session, case: VettingCase) -> str:
    """Every point of the list is ticked."""
    done = offboarded(session, case)
    missing = [words for step, words in OFFBOARDING_STEPS.items() if step not in done]
    return f"still to do: {missing[0][0].lower()}{missing[0][1:]}" if missing else ""


def last_steps(session: Session, case: VettingCase, count: int) -> list[CaseStep]:
    """The newest changes of state, newest first."""
    return list(
        session.scalars(select(CaseStep).where(CaseStep.case_id == case.id).order_by(CaseStep.id.desc()).limit(count))
    )


def questions(session: Session, case: VettingCase) -> list[tuple[InformationRequest, InformationAnswer | None]]:
    """Every question with its answer, oldest first."""
    rows = session.execute(
        select(InformationRequest, InformationAnswer)
        .outerjoin(InformationAnswer, InformationAnswer.request_id == InformationRequest.id)
        .where(InformationRequest.case_id == case.id)
        .order_by(InformationRequest.id)
    )
    return [(row[0], row[1]) for row in rows]


def declared(session: Session, case: VettingCase) -> list[ConflictDeclaration]:
    """Every declaration of a conflict of interest, or of none, oldest first."""
    return list(
        session.scalars(
            select(ConflictDeclaration).where(ConflictDeclaration.case_id == case.id).order_by(ConflictDeclaration.id)
        )
    )


def offboarded(session: Session, case: VettingCase) -> dict[str, OffboardingStep]:
    """The points of the off-boarding list that are done, by their name."""
    return {one.step: one for one in session.scalars(select(OffboardingStep).where(OffboardingStep.case_id == case.id))}


def missing_for_decision(session: Session, case: VettingCase) -> list[str]:
    """What the officer still has to bring on file before the case can be decided."""
    checks = (registry_extract, sponsor, sanctions_check, signatory_authority, officer_declared)
    return [missing for check in checks if (missing := check(session, case))]
