"""Leases: of all workers one holds a submission, for as long as it shows that it is alive."""

from __future__ import annotations

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session, aliased

from hub import clock
from hub.errors import Conflict
from hub.feeds import inbox
from hub.feeds.records import Submission


class LostLease(Conflict):
    """Another worker has taken the submission over."""


def claim(session: Session, worker: str, lease_micros: int, submission_id: str | None = None) -> str | None:
    """Claim the oldest submission that waits, or whose worker has died; or the one named. None where there is none.

    A source's reports, amendments and withdrawals are taken in the order they came, however many workers there
    are: one of them waits until those before it are finished.
    """
    now = clock.micros()
    earlier = aliased(Submission)
    must_wait = exists().where(
        earlier.source_id == Submission.source_id,
        earlier.received_at < Submission.received_at,
        earlier.kind.in_(inbox.IN_ORDER),
        earlier.state.in_([inbox.PENDING, inbox.RUNNING]),
    )
    waiting = (Submission.state == inbox.PENDING) | (
        (Submission.state == inbox.RUNNING) & (Submission.lease_until < now)
    )
    free = ~(Submission.kind.in_(inbox.IN_ORDER) & must_wait)
    found = select(Submission.id).where(waiting, free).order_by(Submission.received_at).limit(1)
    if submission_id is not None:
        found = found.where(Submission.id == submission_id)
    taken = session.scalar(found.with_for_update(skip_locked=True))
    if taken is not None:
        session.execute(
            update(Submission)
            .where(Submission.id == taken)
            .values(state=inbox.RUNNING, lease_by=worker, lease_until=now + lease_micros)
        )
    return taken


def extend(session: Session, submission_id: str, worker: str, lease_micros: int) -> None:
    """Hold a claimed submission for another lease from now."""
    session.execute(
        update(Submission)
        .where(Submission.id == submission_id, Submission.lease_by == worker)
        .values(lease_until=clock.micros() + lease_micros)
    )


def release(session: Session, submission_id: str, worker: str) -> None:
    """Give a claimed submission back unfinished, for another worker to continue."""
    session.execute(
        update(Submission)
        .where(Submission.id == submission_id, Submission.lease_by == worker)
        .values(state=inbox.PENDING, lease_by=None, lease_until=None)
    )


def claimed(session: Session, submission_id: str, worker: str) -> Submission:
    """The submission, locked, while ``worker`` still holds it. Raises LostLease."""
    submission = session.get(Submission, submission_id, with_for_update=True)
    if submission is None or submission.lease_by != worker:
        raise LostLease("another worker has taken this submission over", where=submission_id)
    return submission
