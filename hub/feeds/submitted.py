"""What a member has submitted, the latest first."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.feeds.records import Submission

PAGE = 50


def of_member(session: Session, member_id: str, before: int | None = None) -> list[Submission]:
    """A page of a member's submissions, those received before an instant (microseconds); one more where more follow."""
    asked = select(Submission).where(Submission.member_id == member_id)
    if before is not None:
        asked = asked.where(Submission.received_at < before)
    return list(session.scalars(asked.order_by(Submission.received_at.desc()).limit(PAGE + 1)))
