"""Sponsors: a member asked by a link to stand for an applicant, and its answer, given once."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub import clock
from hub.audit import record
from hub.clock import DAY
from hub.errors import Conflict, InvalidInput
from hub.members import corporate
from hub.members.credentials import ACTIVE
from hub.members.membership import MemberKind
from hub.members.records import Member
from hub.members.vetting import cases, links, wording
from hub.members.vetting.links import Purpose
from hub.members.vetting.party import Party
from hub.members.vetting.records import CaseLink, SponsorAnswer, SponsorInvitation, VettingCase
from hub.members.vetting.states import State
from hub.settings import Vetting

AT_ONCE = frozenset({MemberKind.LAW_ENFORCEMENT, MemberKind.GOVERNMENT})
SPONSORED_IN = frozenset({State.SCREENING, State.INFO_REQUESTED, State.DUE_DILIGENCE})


def eligible(session: Session, case: VettingCase, periods: Vetting) -> list[Member]:
    """Members that may sponsor: of another group, active for long enough, or police or a regulator; by name."""
    since = clock.micros() - periods.sponsor_days * DAY
    independent = Member.id.not_in(corporate.related(case.id))
    active = session.scalars(select(Member).where(Member.status == ACTIVE, independent).order_by(Member.name))
    return [member for member in active if member.created_at <= since or member.kind in AT_ONCE]


def invite(
    session: Session, case: VettingCase, by: Party, member_id: str, email: str, periods: Vetting
) -> tuple[SponsorInvitation, str]:
    """Ask a member to sponsor: (the invitation, the token of its one-time link).

    Raises InvalidInput for a member that may not sponsor.
    """
    cases.own(case, by)
    if State(case.state) not in SPONSORED_IN:
        raise Conflict("a sponsor is named before the decision")
    member = next((one for one in eligible(session, case, periods) if one.id == member_id), None)
    if member is None:
        raise InvalidInput(
            f"Choose a member of another group and of {periods.sponsor_days} days or more, or police or a regulator",
            where="member_id",
        )
    invitation = SponsorInvitation(
        case_id=case.id, member_id=member.id, email=wording.email(email, "email"), by=by.id, at=clock.micros()
    )
    session.add(invitation)
    session.flush()
    record(session, by.id, "case:invite-sponsor", case.id, after={"member_id": member.id})
    return invitation, links.issue(session, case, Purpose.SPONSOR, periods.link_days, invitation.id)


def answer(
    session: Session, link: CaseLink, *, confirmed: bool, name: str, statement: str, in_confidence: str, address: str
) -> SponsorAnswer:
    """The sponsor's answer, by the link, which is used up by it.

    Raises Conflict where the sponsor is no longer an active member or the case is past asking.
    """
    assert link.invitation_id is not None
    case = cases.hold(session, link.case_id)
    invitation = session.get_one(SponsorInvitation, link.invitation_id)
    given = SponsorAnswer(
        invitation_id=invitation.id,
        confirmed=confirmed,
        name=wording.line(name, "name"),
        statement=wording.prose(statement, "statement"),
        in_confidence=wording.prose(in_confidence, "in_confidence", optional=True),
        at=clock.micros(),
        address=address,
    )
    if session.get_one(Member, invitation.member_id).status != ACTIVE or State(case.state) not in SPONSORED_IN:
        raise Conflict("this application is not waiting for a sponsor any more")
    if confirmed and invitation.member_id in set(session.scalars(corporate.related(case.id))):
        raise Conflict("a sponsor is of another corporate group than the applicant")
    links.use_up(session, link)
    session.add(given)
    session.flush()
    record(
        session,
        f"sponsor:{invitation.member_id}",
        "case:sponsor",
        case.id,
        after={"confirmed": confirmed},
        why=statement,
    )
    return given


def of_case(session: Session, case: VettingCase) -> list[tuple[SponsorInvitation, Member, SponsorAnswer | None]]:
    """Every invitation of a case with its answer."""
    rows = session.execute(
        select(SponsorInvitation, Member, SponsorAnswer)
        .join(Member, Member.id == SponsorInvitation.member_id)
        .outerjoin(SponsorAnswer, SponsorAnswer.invitation_id == SponsorInvitation.id)
        .where(SponsorInvitation.case_id == case.id)
        .order_by(SponsorInvitation.id)
    )
    return [(row[0], row[1], row[2]) for row in rows]
