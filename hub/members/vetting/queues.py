"""The queues of the vetting desk: which cases wait, for whom, and since when."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.clock import DAY
from hub.members.vetting import agreements, reviews
from hub.members.vetting.records import VettingCase, VettingDecision
from hub.members.vetting.states import State
from hub.settings import Vetting

# The nearest first; a review that is due in more days than the last is in no queue.
SOON = (7, 30, 60)


@dataclass(frozen=True, slots=True)
class Queue:
    """One queue; its cases are those that have waited longest first."""

    name: str
    cases: list[VettingCase]


def of_all(session: Session, now: int, periods: Vetting) -> list[Queue]:
    """Every queue, also those that are empty."""
    decided = set(session.scalars(select(VettingDecision.case_id).where(VettingDecision.round == State.DECISION)))
    appealed = set(session.scalars(select(VettingDecision.case_id).where(VettingDecision.round == State.APPEAL)))
    up = _in(session, State.DECISION)
    appeals = _in(session, State.APPEAL)
    return [
        Queue("New", _in(session, State.SUBMITTED)),
        Queue("Waiting for the hub", _in(session, State.SCREENING, State.DUE_DILIGENCE)),
        Queue("Waiting for the applicant", _in(session, State.INFO_REQUESTED, State.APPROVED_UNSIGNED, State.DRAFT)),
        Queue("First approval", [case for case in up if case.id not in decided]),
        Queue(
            "Second approval",
            [case for case in up if case.id in decided] + [case for case in appeals if case.id in appealed],
        ),
        Queue("Appeals", appeals),
        *_reviews(session, now, periods),
        Queue("Agreement not signed", agreements.unsigned(session)),
        Queue("Suspended", _in(session, State.SUSPENDED)),
        Queue("Off-boarding", _in(session, State.OFFBOARDING)),
    ]


def _reviews(session: Session, now: int, periods: Vetting) -> list[Queue]:
    queues = [Queue("Review open", _in(session, State.REVIEW_DUE))]
    before = now
    coming = sorted(
        (due, case.id, case) for case in _in(session, State.ACTIVE) if (due := reviews.due_at(case, periods))
    )
    for days in SOON:
        until = now + days * DAY
        queues.append(Queue(f"Review due in {days} days", [case for due, _, case in coming if before < due <= until]))
        before = until
    return queues


def _in(session: Session, *states: State) -> list[VettingCase]:
    found = select(VettingCase).where(VettingCase.state.in_([state.value for state in states]))
    return list(session.scalars(found.order_by(VettingCase.since, VettingCase.id)))
