"""What a member has submitted, the latest first."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from hub.errors import InvalidInput
from hub.feeds import inbox
from hub.feeds.inbox import SubmissionView
from hub.feeds.records import Submission

PAGE = 50


def of_member(session: Session, member_id: str, before: int | None = None) -> list[Submission]:
    """A page of a member's submissions, those received before an instant (microseconds); one more where more follow."""
    asked = select(Submission).where(Submission.member_id == member_id)
    if before is not None:
        asked = asked.where(Submission.received_at < before)
    return list(session.scalars(asked.order_by(Submission.received_at.desc()).limit(PAGE + 1)))


def page(
    session: Session, member_id: str, limit: int, after: str | None = None, state: str | None = None
) -> Sequence[SubmissionView]:
    """A page of a member's submissions without their outcomes, one more than ``limit`` where more follow.

    ``after`` is the id of the last one before it. Raises InvalidInput where that is none of the member's.
    """
    # What stands behind the sealed bytes of a row is read of those of the page only.
    order = (Submission.received_at, Submission.id)
    ids = select(Submission.id).where(Submission.member_id == member_id)
    if state is not None:
        ids = ids.where(Submission.state == state)
    if after is not None:
        last = session.get(Submission, after) if inbox.UUID_FORM.fullmatch(after) else None
        if last is None or last.member_id != member_id:
            raise InvalidInput("this is the id of none of your submissions", where="after")
        ids = ids.where(tuple_(*order) < (last.received_at, last.id))
    wanted = session.scalars(ids.order_by(*(one.desc() for one in order)).limit(limit + 1)).all()
    found = {one.id: one for one in session.scalars(select(Submission).where(Submission.id.in_(wanted)))}
    return [inbox.summary(found[one]) for one in wanted]
