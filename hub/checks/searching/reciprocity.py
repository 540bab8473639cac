"""What members give and what they take: filings beside checks."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hub.checks.filings.records import LIVE, Filing
from hub.checks.searching.records import Search


@dataclass(frozen=True, slots=True)
class Balance:
    """One member since some instant: filings given and subjects asked for. ``live`` counts all its live filings."""

    member_id: str
    filed: int
    live: int
    asked: int

    @property
    def checks_for_each_filing(self) -> float | None:
        """Subjects asked for by each filing given; None for a member that has given none."""
        return self.asked / self.filed if self.filed else None


def balances(session: Session, since: int) -> list[Balance]:
    """Every member that filed or asked since ``since`` (microseconds), those that take most first."""
    counted = (
        select(Filing.member_id, func.count()).where(Filing.filed_at >= since).group_by(Filing.member_id),
        select(Filing.member_id, func.count()).where(Filing.state == LIVE).group_by(Filing.member_id),
        select(Search.member_id, func.sum(Search.size)).where(Search.at >= since).group_by(Search.member_id),
    )
    filed, live, asked = ({member: int(count) for member, count in session.execute(one)} for one in counted)
    members = sorted(filed.keys() | live.keys() | asked.keys())
    found = [Balance(one, filed.get(one, 0), live.get(one, 0), asked.get(one, 0)) for one in members]
    return sorted(found, key=lambda one: (-one.asked, one.member_id))


def balance_of(session: Session, member_id: str, since: int) -> Balance:
    """One member's balance."""
    return next((one for one in balances(session, since) if one.member_id == member_id), Balance(member_id, 0, 0, 0))
