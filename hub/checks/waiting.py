"""What of the checking service waits for somebody: counts for the overviews of people."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hub.checks.filings.records import DISPUTED, PENDING, Filing
from hub.checks.searching.records import Alarm, SearchSample


def to_approve(session: Session, member_id: str, person_id: str) -> int:
    """Filings of a member that wait for this person: what they wrote waits for another."""
    mine = select(func.count()).where(
        Filing.member_id == member_id, Filing.state == PENDING, Filing.filed_by != person_id
    )
    return session.scalar(mine) or 0


def to_justify(session: Session, member_id: str) -> int:
    """Searches of a member that were drawn and are not justified yet."""
    drawn = select(func.count()).where(SearchSample.member_id == member_id, SearchSample.justified_at.is_(None))
    return session.scalar(drawn) or 0


def open_alarms(session: Session) -> int:
    """Alarms about searches that nobody has closed."""
    return session.scalar(select(func.count()).where(Alarm.handled_at.is_(None))) or 0


def disputed(session: Session) -> int:
    """Filings of all members that are disputed."""
    return session.scalar(select(func.count()).where(Filing.state == DISPUTED)) or 0
