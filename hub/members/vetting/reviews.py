"""The annual review, and everything else that falls due by itself: one job, safe to run as often as one likes."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from hub import clock
from hub.audit import record
from hub.clock import DAY
from hub.errors import Conflict
from hub.members.invitations import Post
from hub.members.vetting import cases, emergencies, grants, letters, suspensions, wording
from hub.members.vetting.evidence import EvidenceFolder
from hub.members.vetting.party import THE_HUB, Party
from hub.members.vetting.records import MembershipReview, VettingCase
from hub.members.vetting.states import State, advance
from hub.settings import Vetting

WAITING_FOR_REPLY = (State.DRAFT, State.INFO_REQUESTED, State.APPROVED_UNSIGNED)
NEVER_MEMBER = (State.REJECTED, State.WITHDRAWN, State.LAPSED)


@dataclass(slots=True)
class Done:
    """What a run of the job did: how many cases or grants of each kind."""

    lapsed: int = 0
    reviews_opened: int = 0
    suspended: int = 0
    grants_expired: int = 0
    emergencies_ended: int = 0
    files_erased: int = 0


def pass_review(session: Session, case: VettingCase, by: Party, findings: str) -> None:
    """The review is done and the membership goes on; another 12 months begin."""
    cases.own(case, by)
    if case.state != State.REVIEW_DUE:
        raise Conflict("no review is due")
    now = clock.micros()
    review = MembershipReview(case_id=case.id, findings=wording.prose(findings, "findings"), by=by.id, at=now)
    session.add(review)
    case.reviewed_at = now
    session.flush()
    record(session, by.id, "case:review", case.id, after={"review": review.id}, why=review.findings)
    advance(session, case, State.ACTIVE, by, "the review is done")


def due_at(case: VettingCase, periods: Vetting) -> int | None:
    """When the next review falls due, in microseconds; None before there is a membership."""
    return None if case.reviewed_at is None else case.reviewed_at + periods.review_days * DAY


def of_case(session: Session, case: VettingCase) -> list[MembershipReview]:
    """The reviews of a case, newest first."""
    return list(
        session.scalars(
            select(MembershipReview).where(MembershipReview.case_id == case.id).order_by(MembershipReview.id.desc())
        )
    )


def run_due(session: Session, now: int, post: Post, files: EvidenceFolder) -> Done:
    """Do everything that is due at ``now`` (microseconds).

    Cases without a reply lapse, reviews open, reviews that stay open suspend, grants and emergency roles end, and
    evidence is erased when its retention is over.
    """
    done, periods = Done(), post.settings.vetting
    for case in _since(session, WAITING_FOR_REPLY, now - periods.reply_days * DAY):
        confirmed = case.state != State.DRAFT  # else its address may be anybody's
        advance(session, case, State.LAPSED, THE_HUB, f"no reply in {periods.reply_days} days")
        if confirmed:
            letters.tell(session, post, case)
        done.lapsed += 1
    # Before reviews open, so that one run never both opens and ends one.
    for case in _since(session, (State.REVIEW_DUE,), now - periods.review_reply_days * DAY):
        suspensions.suspend(session, case, THE_HUB, f"the review stayed open for {periods.review_reply_days} days")
        letters.tell(session, post, case)
        done.suspended += 1
    for case in _reviewed_before(session, now - periods.review_days * DAY):
        advance(session, case, State.REVIEW_DUE, THE_HUB, f"{periods.review_days} days since the last review")
        letters.tell(session, post, case)
        done.reviews_opened += 1
    done.grants_expired = grants.expire(session, now)
    done.emergencies_ended = emergencies.end(session, now)
    over = [
        *_since(session, NEVER_MEMBER, now - periods.keep_rejected_days * DAY),
        *_since(session, (State.CLOSED,), now - periods.keep_closed_days * DAY),
    ]
    done.files_erased = sum(files.erase(session, case, THE_HUB) for case in over)
    return done


def _since(session: Session, states: tuple[State, ...], instant: int) -> list[VettingCase]:
    waiting = VettingCase.state.in_([state.value for state in states])
    return _held(session, waiting, VettingCase.since <= instant)


def _reviewed_before(session: Session, instant: int) -> list[VettingCase]:
    return _held(session, VettingCase.state == State.ACTIVE.value, VettingCase.reviewed_at <= instant)


def _held(session: Session, *conditions: ColumnElement[bool]) -> list[VettingCase]:
    """Cases to change, in one order, so that two runs at once do not wait for each other in a circle."""
    found = select(VettingCase).where(*conditions).order_by(VettingCase.id)
    return list(session.scalars(found.with_for_update().execution_options(populate_existing=True)))
