"""Filings as their own member, and the hub's operators, read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hub.checks.filings.filing import own
from hub.checks.filings.parts import Desk, Envelope
from hub.checks.filings.records import STATES, Filing, FilingEvent, FilingIdentifier
from hub.errors import InvalidInput

MOST_LISTED: Final = 100


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a filing."""

    at: int
    by: str
    what: str
    version: int
    state: str
    why: str


@dataclass(frozen=True, slots=True)
class FilingView:
    """A filing with its document and history, opened for those who may read it. Times in microseconds."""

    filing: Filing
    document: dict[str, Any]
    events: Sequence[Event]
    published: int

    @property
    def waits(self) -> bool:
        """It waits for a second person's approval."""
        return self.filing.state == "pending"


def listed(
    session: Session, *, member_id: str | None = None, state: str = "", after: str = "", limit: int = MOST_LISTED
) -> list[Filing]:
    """Filings in the order of their ids, from the one behind ``after`` on; of one member, or (None) of all.

    Raises InvalidInput for a state or an id that there is not, and for a limit below 1 or above 100.
    """
    if state and state not in STATES:
        raise InvalidInput("is not a state of filings", where="state", advice=f"States: {', '.join(STATES)}.")
    if not after.isprintable():
        raise InvalidInput("is not the id of a filing", where="after")
    if not 1 <= limit <= MOST_LISTED:
        raise InvalidInput(f"must be 1 to {MOST_LISTED}", where="limit")
    found = select(Filing).where(Filing.id > after).order_by(Filing.id).limit(limit)
    if member_id is not None:
        found = found.where(Filing.member_id == member_id)
    if state:
        found = found.where(Filing.state == state)
    return list(session.scalars(found))


def opened(session: Session, desk: Desk, filing: Filing) -> FilingView:
    """A filing that the caller may read, with what it says and what happened to it."""
    envelope = Envelope.of(desk.vault, filing)
    events = session.scalars(select(FilingEvent).where(FilingEvent.filing_id == filing.id).order_by(FilingEvent.id))
    published = select(func.count()).where(FilingIdentifier.filing_id == filing.id, FilingIdentifier.published)
    return FilingView(
        filing=filing,
        document=envelope.open_document(filing.sealed, filing.version),
        events=[
            Event(one.at, one.by, one.what, one.version, one.state, envelope.open_reason(one.why)) for one in events
        ],
        published=session.scalar(published) or 0,
    )


def own_opened(session: Session, desk: Desk, member_id: str, filing_id: str) -> FilingView:
    """A member's own filing, opened. Raises NotFound."""
    return opened(session, desk, own(session, member_id, filing_id))
