"""What people change of a feed: run it soon, pull it or leave it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub import clock
from hub.audit import record
from hub.errors import Conflict
from hub.feeds import catalogue
from hub.feeds.records import Feed, FeedRun

RUNS_SHOWN = 50


def make_due(session: Session, name: str, by: str) -> Feed:
    """Let the scheduler run a feed next. Raises NotFound, Conflict for one that is switched off or runs now."""
    feed = _held(session, name)
    if not feed.enabled:
        raise Conflict("This feed is switched off", advice="Switch it on: it is then run at once.")
    if feed.lease_until > clock.micros():
        raise Conflict("This feed runs now")
    feed.next_run_at = 0
    session.flush()
    record(session, by, "feed:run", name)
    return feed


def switch(session: Session, name: str, by: str, *, enabled: bool, why: str = "") -> Feed:
    """Pull a feed from now on, or no more; what it brought stays. Raises NotFound."""
    feed = _held(session, name)
    before, feed.enabled = feed.enabled, enabled
    feed.next_run_at, feed.failures = 0, 0
    session.flush()
    record(session, by, "feed:switch", name, before={"enabled": before}, after={"enabled": enabled}, why=why)
    return feed


def runs(session: Session, name: str, most: int = RUNS_SHOWN) -> Sequence[FeedRun]:
    """The last runs of a feed, the newest first."""
    return session.scalars(select(FeedRun).where(FeedRun.feed == name).order_by(FeedRun.id.desc()).limit(most)).all()


def _held(session: Session, name: str) -> Feed:
    catalogue.find(session, name)
    return session.scalars(
        select(Feed).where(Feed.name == name).with_for_update().execution_options(populate_existing=True)
    ).one()
