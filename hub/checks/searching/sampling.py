"""A random sample of searches must be justified: until an overdue one is, its purpose is closed to its member."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from hub import clock
from hub.checks.searching.records import Search, SearchSample
from hub.errors import NotPermitted
from hub.settings import Checks

IN_A_MILLION = 1_000_000
OVERDUE = (
    "SELECT s.id FROM check_sample d JOIN check_search s ON s.no = d.search_no"
    " WHERE d.member_id = ? AND d.purpose = ? AND d.justified_at IS NULL AND d.due_at < ? LIMIT 1"
)


# Runs one statement, parameters as ``?``: ``Database.select``, or within a transaction.
Select = Callable[[str, Sequence[Any]], Sequence[Any]]


def drawn(limits: Checks) -> bool:
    """Whether this search is one of the sample."""
    return secrets.randbelow(IN_A_MILLION) < limits.sample_share * IN_A_MILLION


def refuse_overdue(select: Select, member_id: str, purpose: str) -> None:
    """Raise NotPermitted while a justification of this member and purpose is overdue."""
    overdue = select(OVERDUE, (member_id, purpose, clock.micros()))
    if overdue:
        search_id = overdue[0][0]
        raise NotPermitted(
            f"search {search_id} was drawn and its justification is overdue: {purpose} is closed until it is given",
            advice=f"Say why it was made: POST /api/v1/checks/{search_id}/decision with a justification.",
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
