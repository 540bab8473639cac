"""How many subjects a member may ask for, by purpose: so many in an hour, so many in a day (UTC).

Counted in the database, in the transaction that keeps the search: all processes count together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub import clock
from hub.audit import record
from hub.checks.searching.records import Quota, QuotaUse
from hub.clock import DAY, HOUR, SECOND
from hub.db.bulk import execute
from hub.errors import InvalidInput, TooMany
from hub.settings import Checks

MOST: Final = 1_000_000_000
PERIODS: Final = {"hour": HOUR, "day": DAY}
COUNT: Final = (
    "INSERT INTO check_quota_use (member_id, purpose, period, start, used)"
    " VALUES (?, ?, 'hour', ?, ?), (?, ?, 'day', ?, ?)"
    " ON CONFLICT (member_id, purpose, period, start) DO UPDATE SET used = check_quota_use.used + excluded.used"
    " RETURNING period, used, (SELECT CASE period WHEN 'hour' THEN q.per_hour ELSE q.per_day END FROM check_quota q"
    " WHERE q.member_id = check_quota_use.member_id AND q.purpose = check_quota_use.purpose)"
)
OWN: Final = "SELECT per_hour, per_day FROM check_quota WHERE member_id = ? AND purpose = ?"


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a member may ask for, and has asked for, in the present hour and day."""

    per_hour: int
    per_day: int
    used_hour: int
    used_day: int


def consume(session: Session, member_id: str, purpose: str, count: int, limits: Checks, *, hourly: bool = True) -> None:
    """Count ``count`` subjects. Raises TooMany, having counted nothing, where they do not fit.

    A job's file counts for the day only (``hourly`` False): it may be larger than what an hour allows.
    """
    now = clock.micros()
    starts = {period: now - now % length for period, length in PERIODS.items()}
    of_hour = count if hourly else 0
    given = {"hour": limits.per_hour, "day": limits.per_day}
    counted = _count(session, member_id, purpose, starts, of_hour, count)
    for period, used, own in sorted(counted, reverse=True):  # the hour first
        most = given[period] if own is None else own
        if used > most:
            _count(session, member_id, purpose, starts, -of_hour, -count)
            raise TooMany(
                f"more than {most:,} subjects in this {period} for {purpose}",
                retry_after=(starts[period] + PERIODS[period] - now) // SECOND + 1,
                advice="Ask for fewer, wait as Retry-After says, or ask the hub for a larger quota.",
            )


def allowance(session: Session, member_id: str, purpose: str, limits: Checks) -> Allowance:
    """What is left to a member."""
    now = clock.micros()
    own = execute(session, OWN, (member_id, purpose))
    per_hour, per_day = own[0] if own else (limits.per_hour, limits.per_day)
    used = {
        period: session.scalar(
            select(QuotaUse.used).where(
                QuotaUse.member_id == member_id,
                QuotaUse.purpose == purpose,
                QuotaUse.period == period,
                QuotaUse.start == now - now % length,
            )
        )
        or 0
        for period, length in PERIODS.items()
    }
    return Allowance(per_hour, per_day, used["hour"], used["day"])


def set_quota(session: Session, by: str, member_id: str, purpose: str, per_hour: int, per_day: int) -> None:
    """Give a member a quota of its own for a purpose."""
    if not 0 <= per_hour <= per_day <= MOST:
        raise InvalidInput(
            f"a quota is at least 0 and at most {MOST:,}, and no more in an hour than in a day", where="per_hour"
        )
    known = session.get(Quota, (member_id, purpose))
    before = {"per_hour": known.per_hour, "per_day": known.per_day} if known else None
    session.merge(Quota(member_id=member_id, purpose=purpose, per_hour=per_hour, per_day=per_day))
    session.flush()
    after = {"purpose": purpose, "per_hour": per_hour, "per_day": per_day}
    record(session, by, "check-quota:set", member_id, before=before, after=after)


def _count(
    session: Session, member_id: str, purpose: str, starts: dict[str, int], of_hour: int, of_day: int
) -> list[tuple[str, int, int | None]]:
    """Add to what was used; (period, used, the member's own quota) of both."""
    whose = (member_id, purpose)
    rows = execute(session, COUNT, (*whose, starts["hour"], of_hour, *whose, starts["day"], of_day))
    return [(period, used, own) for period, used, own in rows]
