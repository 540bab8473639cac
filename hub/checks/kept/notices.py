"""Correction notices: who was given a match on a filing hears of it when that filing is corrected.

What a check rested on is kept with the search (``check_match``). A notice names the member's own checks and what
happened, never the filing or its owner; asking again tells what is so now.
"""

from __future__ import annotations

import uuid
from typing import Final, Protocol

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from hub import clock
from hub.audit import record
from hub.checks.filings.records import FilingEvent
from hub.checks.precheck.keys import THE_HUB
from hub.checks.precheck.records import CorrectionNotice
from hub.checks.searching.records import Search, SearchMatch
from hub.clock import DAY, SECOND
from hub.db.database import lock_appends

# What is told of a filing's events; that one runs out by itself is no correction.
WHAT: Final = {
    "amend": "amended",
    "dispute": "disputed",
    "end-dispute": "dispute-ended",
    "withdraw": "withdrawn",
}
WORDS: Final = {
    "amended": "What it rested on has been amended since.",
    "disputed": "What it rested on is disputed and answers nobody until that is settled.",
    "dispute-ended": "The dispute about what it rested on has been settled, and it stands.",
    "withdrawn": "What it rested on has been withdrawn: do not rely on it any more.",
}
# Events are looked at for so long: a search that commits late is still found.
LOOKS_BACK = 7 * DAY
# What ends every match. A search reads what stands until the event's transaction is over, so one that states a later
# instant than the event may still have matched.
SILENCING: Final = ("dispute", "withdraw")
COMMITS_WITHIN: Final = 2 * SECOND
SUBJECT = "Correction of a match that you were given"


class TellMember(Protocol):
    """Sends a message to a member's contacts; handed in by the composition root."""

    def __call__(self, session: Session, member_id: str, subject: str, text: str) -> None: ...


def make_due(session: Session, tell: TellMember) -> int:
    """Make the notices that are due, and send each; how many. Safe to repeat."""
    lock_appends(session)  # two workers at once make none twice
    made = 0
    for event, member_id, checks in _due(session):
        notice = CorrectionNotice(
            id=f"notice--{uuid.uuid4()}", event_id=event.id, member_id=member_id, what=WHAT[event.what],
            at=clock.micros(), checks=checks,
        )  # fmt: skip
        session.add(notice)
        session.flush()
        tell(session, member_id, SUBJECT, _text(notice))
        after = {"checks": checks, "what": notice.what}
        record(session, THE_HUB, "correction-notice:make", member_id, after=after)
        made += 1
    return made


def any_due(session: Session) -> bool:
    """Whether there is a notice to make; a look without a lock."""
    return bool(_due(session))


def of_member(session: Session, member_id: str, since: int = 0) -> list[CorrectionNotice]:
    """A member's notices made after ``since`` (microseconds), oldest first."""
    return list(
        session.scalars(
            select(CorrectionNotice)
            .where(CorrectionNotice.member_id == member_id, CorrectionNotice.at > since)
            .order_by(CorrectionNotice.at, CorrectionNotice.id)
        )
    )


def _due(session: Session) -> list[tuple[FilingEvent, str, list[str]]]:
    """(event, member, ids of its checks that rested on the filing then) of whoever was not told yet."""
    rows = session.execute(
        select(FilingEvent, Search.member_id, Search.id, SearchMatch.position)
        .join(SearchMatch, SearchMatch.known_ref == FilingEvent.filing_id)
        .join(Search, Search.no == SearchMatch.search_no)
        .outerjoin(
            CorrectionNotice,
            (CorrectionNotice.event_id == FilingEvent.id) & (CorrectionNotice.member_id == Search.member_id),
        )
        .where(
            FilingEvent.what.in_(WHAT),
            FilingEvent.at > clock.micros() - LOOKS_BACK,
            or_(
                Search.at <= FilingEvent.at,
                and_(FilingEvent.what.in_(SILENCING), Search.at <= FilingEvent.at + COMMITS_WITHIN),
            ),
            CorrectionNotice.id.is_(None),
        )
        .order_by(FilingEvent.id, Search.no, SearchMatch.position)
    )
    due: dict[tuple[int, str], tuple[FilingEvent, str, list[str]]] = {}
    for event, member_id, search_id, position in rows:
        due.setdefault((event.id, member_id), (event, member_id, []))[2].append(f"{search_id}.{position}")
    return list(due.values())


def _text(notice: CorrectionNotice) -> str:
    checks = "\n".join(f"  {check}" for check in notice.checks)
    return (
        "A match that your organisation was given has been corrected.\n\n"
        f"{WORDS[notice.what]}\n\nYour checks:\n{checks}"
        "\n\nCheck again before you decide anything, and look at what you decided because of it."
        "\nGET /api/v1/notices lists all your notices.\n"
    )
