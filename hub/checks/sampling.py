"""A random sample of searches must be justified: until an overdue one is, its purpose is closed to its member."""

from __future__ import annotations

import secrets

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from hub import clock
from hub.checks.searches_records import Search, SearchSample
from hub.errors import NotPermitted
from hub.settings import Checks

DAY = 86_400_000_000
IN_A_MILLION = 1_000_000


def drawn(limits: Checks) -> bool:
    """Whether this search is one of the sample."""
    return secrets.randbelow(IN_A_MILLION) < limits.sample_share * IN_A_MILLION


def draw(session: Session, search_no: int, member_id: str, purpose: str, limits: Checks) -> int:
    """Put a search into the sample; when its justification is due, in microseconds."""
    due_at = clock.micros() + limits.justify_days * DAY
    session.add(
        SearchSample(search_no=search_no, member_id=member_id, purpose=purpose, due_at=due_at, justified_at=None)
    )
    return due_at


def refuse_overdue(session: Session, member_id: str, purpose: str) -> None:
    """Raise NotPermitted while a justification of this member and purpose is overdue."""
    overdue = session.scalar(
        select(Search.id)
        .join(SearchSample, SearchSample.search_no == Search.no)
        .where(
            SearchSample.member_id == member_id,
            SearchSample.purpose == purpose,
            SearchSample.justified_at.is_(None),
            SearchSample.due_at < clock.micros(),
        )
        .limit(1)
    )
    if overdue is not None:
        raise NotPermitted(
            f"search {overdue} was drawn for a check and its justification is overdue: {purpose} is closed until then",
            advice=f"Say why it was made: POST /api/v1/checks/{overdue}/decision with a justification.",
        )


def waiting(session: Session, member_id: str) -> list[tuple[Search, int]]:
    """A member's searches that wait for a justification, with when it is due; the most urgent first."""
    found = session.execute(
        select(Search, SearchSample.due_at)
        .join(SearchSample, SearchSample.search_no == Search.no)
        .where(SearchSample.member_id == member_id, SearchSample.justified_at.is_(None))
        .order_by(SearchSample.due_at)
    )
    return [(row.Search, row.due_at) for row in found]


def justify(session: Session, search_no: int) -> bool:
    """Note that a search was justified; False where it waited for none."""
    changed = session.execute(
        update(SearchSample)
        .where(SearchSample.search_no == search_no, SearchSample.justified_at.is_(None))
        .values(justified_at=clock.micros())
    )
    return bool(changed.rowcount)  # type: ignore[attr-defined] # an UPDATE's result has it
