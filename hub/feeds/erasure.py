"""The bytes of submissions that were worked through long enough ago: emptied, where a period is set."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from hub import clock
from hub.audit import record
from hub.clock import DAY
from hub.feeds.inbox import COMPLETE, FAILED
from hub.feeds.records import Submission


def raw_due(session: Session, days: int, limit: int | None) -> Sequence[str]:
    """Ids of submissions whose bytes are due; none where ``days`` is 0."""
    if days == 0:
        return []
    over = select(Submission.id).where(
        Submission.state.in_((COMPLETE, FAILED)),
        Submission.finished_at <= clock.micros() - days * DAY,
        Submission.raw != b"",
    )
    return session.scalars(over.limit(limit)).all()


def empty_raw(session: Session, ids: Sequence[str]) -> None:
    """Empty the bytes of these submissions; what became of them, and their SHA-256, stays."""
    session.execute(update(Submission).where(Submission.id.in_(ids)).values(raw=b""))
    for submission_id in ids:
        record(session, "hub", "submission:empty", submission_id, why="its retention is over")
