"""Figures of the intake: who contributes, what is new, and how long it takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hub.feeds import inbox
from hub.feeds.records import Contribution, Feed, FeedRun, Indicator, Quarantined, SourceRecord, Submission

HELD = "held"
# The newest submissions are enough to say how long the intake takes.
MOST_TIMED = 50_000


@dataclass(frozen=True, slots=True)
class Lag:
    """From arrival to the end of the intake, in seconds, of the submissions of one day."""

    submissions: int
    median: float
    longest: float


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits in the intake for its turn or for a person. ``failed`` counts submissions since an instant."""

    pending: int
    quarantined: int
    failed: int
    feeds_failing: int


def by_source(session: Session) -> list[tuple[SourceRecord, int]]:
    """Every source with the number of indicators that it names now, the greatest first."""
    counted = select(Contribution.source_id, func.count().label("named")).group_by(Contribution.source_id).subquery()
    rows = session.execute(
        select(SourceRecord, counted.c.named)
        .join(counted, counted.c.source_id == SourceRecord.id)
        .order_by(counted.c.named.desc(), SourceRecord.id)
    )
    return [(row[0], row[1]) for row in rows]


def new_by_kind(session: Session, since: int) -> list[tuple[str, int]]:
    """How many indicators of each kind began since an instant (microseconds), the most frequent first."""
    rows = session.execute(
        select(Indicator.kind, func.count()).where(Indicator.created >= since).group_by(Indicator.kind)
    )
    return sorted(((kind, count) for kind, count in rows), key=lambda row: (-row[1], row[0]))


def in_force(session: Session) -> int:
    """How many indicators are not revoked."""
    return session.scalar(select(func.count()).select_from(Indicator).where(Indicator.content != b"")) or 0


def lag_by_day(session: Session, edges: Sequence[int]) -> list[Lag]:
    """How long the intake took between each two neighbours of ``edges`` (microseconds)."""
    rows = session.execute(
        select(Submission.received_at, Submission.finished_at)
        .where(
            Submission.state.in_([inbox.COMPLETE, inbox.FAILED]),
            Submission.received_at >= edges[0],
        )
        .order_by(Submission.received_at.desc())
        .limit(MOST_TIMED)
    )
    days: list[list[float]] = [[] for _ in edges[1:]]
    for received, finished in rows:
        if finished is None:
            continue
        day = (received - edges[0]) * len(days) // (edges[-1] - edges[0])
        if day < len(days):
            days[day].append(max(0, finished - received) / 1_000_000)
    return [Lag(len(day), median(day), max(day)) if day else Lag(0, 0.0, 0.0) for day in days]


def sent_by_member(session: Session, since: int) -> Counter[str]:
    """How many objects, reports and values each member sent since an instant (microseconds)."""
    rows = session.execute(
        select(Submission.member_id, func.sum(Submission.done))
        .where(Submission.member_id.is_not(None), Submission.received_at >= since)
        .group_by(Submission.member_id)
    )
    return Counter({str(member): int(count) for member, count in rows})


def waiting(session: Session, since: int) -> Waiting:
    """What waits now; failures since an instant (microseconds)."""
    counted = session.execute(
        select(Submission.state, func.count())
        .where(
            Submission.state.in_([inbox.PENDING, inbox.RUNNING])
            | ((Submission.state == inbox.FAILED) & (Submission.received_at >= since))
        )
        .group_by(Submission.state)
    )
    states = dict(counted.all())
    return Waiting(
        pending=states.get(inbox.PENDING, 0) + states.get(inbox.RUNNING, 0),
        quarantined=session.scalar(select(func.count()).where(Quarantined.state == HELD)) or 0,
        failed=states.get(inbox.FAILED, 0),
        feeds_failing=session.scalar(
            select(func.count()).select_from(Feed).where(Feed.enabled.is_(True), Feed.failures > 0)
        )
        or 0,
    )


def last_runs(session: Session) -> dict[str, FeedRun]:
    """The newest run of each feed."""
    newest = select(func.max(FeedRun.id)).group_by(FeedRun.feed)
    return {run.feed: run for run in session.scalars(select(FeedRun).where(FeedRun.id.in_(newest)))}
