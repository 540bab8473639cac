"""Lists of searches: a member's own, and what the hub's staff looks at across members. Neither tells a value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, func, literal, select
from sqlalchemy.orm import Session

from hub import clock
from hub.checks.searching.answers import LETTERS, Outcome
from hub.checks.searching.records import QuotaUse, Search, SearchDecision, SearchSample
from hub.clock import DAY

PAGE: Final = 50
FOUND: Final = tuple(LETTERS[one] for one in (Outcome.MATCH, Outcome.POSSIBLE))
SEARCHED: Final = (*FOUND, LETTERS[Outcome.NO_MATCH])


@dataclass(frozen=True, slots=True)
class Listed:
    """A search in a list. ``justify_by`` (microseconds) stands until the justification is given."""

    search: Search
    decision: str
    justify_by: int | None

    @property
    def found(self) -> int:
        """How many of its subjects were found, exactly or possibly."""
        return sum(self.search.outcomes.count(letter) for letter in FOUND)


@dataclass(frozen=True, slots=True)
class Use:
    """What a member asked for since some instant: subjects searched and found; ``today`` is what its quotas count."""

    member_id: str
    asked: int
    searched: int
    found: int
    today: int

    @property
    def share(self) -> float:
        """Found of all that was searched, 0 to 1."""
        return self.found / self.searched if self.searched else 0.0


def searches_of(session: Session, member_id: str, before: int | None = None, limit: int = PAGE) -> list[Listed]:
    """A member's searches, the newest first, from the one before number ``before`` on."""
    wanted = select(Search).where(Search.member_id == member_id).order_by(Search.no.desc()).limit(limit)
    if before is not None:
        wanted = wanted.where(Search.no < before)
    found = list(session.scalars(wanted))
    return _with_decisions(session, found)


def uses(session: Session, since: int) -> list[Use]:
    """What every member asked for since ``since`` (microseconds), the member that asked most first.

    The database counts the letters of every search of that time: ask for days, not for years.
    """
    rows = session.execute(
        select(Search.member_id, func.sum(Search.size), _letters(SEARCHED), _letters(FOUND))
        .where(Search.at >= since)
        .group_by(Search.member_id)
    )
    counts = {member_id: (int(asked), int(searched), int(found)) for member_id, asked, searched, found in rows}
    now = clock.micros()
    counted = session.execute(
        select(QuotaUse.member_id, func.sum(QuotaUse.used))
        .where(QuotaUse.period == "day", QuotaUse.start == now - now % DAY)
        .group_by(QuotaUse.member_id)
    )
    today = {member_id: int(used) for member_id, used in counted}
    found = []
    for one in sorted(counts.keys() | today.keys()):
        asked, searched, hits = counts.get(one, (0, 0, 0))
        found.append(Use(one, asked, searched, hits, today.get(one, 0)))
    return sorted(found, key=lambda one: (-one.asked, one.member_id))


def _letters(letters: Sequence[str]) -> ColumnElement[int]:
    """How often any of ``letters`` stands in the outcomes, summed."""
    length = func.length(Search.outcomes)
    return func.sum(sum((length - func.length(func.replace(Search.outcomes, one, "")) for one in letters), literal(0)))


def _with_decisions(session: Session, found: Sequence[Search]) -> list[Listed]:
    numbers = [one.no for one in found]
    decided = session.execute(
        select(SearchDecision.search_no, SearchDecision.decision)
        .where(SearchDecision.search_no.in_(numbers))
        .order_by(SearchDecision.id)
    )
    latest = {row.search_no: row.decision for row in decided}
    waiting = session.execute(
        select(SearchSample.search_no, SearchSample.due_at).where(
            SearchSample.search_no.in_(numbers), SearchSample.justified_at.is_(None)
        )
    )
    due = {row.search_no: row.due_at for row in waiting}
    return [Listed(one, latest.get(one.no, ""), due.get(one.no)) for one in found]
