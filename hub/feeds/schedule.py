"""Scheduled pulls: each feed when it is due, with jitter, and with back-off after a failure.

A feed's failure is its own: it is recorded, the earlier data stays, and the others go on.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from typing import Any

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hub import clock
from hub.clock import SECOND
from hub.errors import HubError, InvalidInput, Unavailable
from hub.feeds import catalogue, inbox, lease, listed, sources
from hub.feeds.intake import Intake
from hub.feeds.pull.fetch import FETCHERS, Payload
from hub.feeds.pull.transport import Bounds
from hub.feeds.records import Feed, FeedRun, Submission
from hub.feeds.sources import Contributor
from hub.feeds.worker import worker_name
from hub.ledger import collections
from hub.stix.values import Value

log = structlog.get_logger(__name__)

JITTER = 0.1
LONGEST_BACKOFF = 6
LEASE_SECONDS = 3600
# A feed that suddenly holds less than this part of what it held is more likely broken than right.
PLAUSIBLE_PART = 0.5
SCHEDULER = "scheduler"
# Of the protocols, the one whose every pull gives all that the feed holds.
WHOLE_FILE = "http"
GroupIds = Callable[[Session, list[str]], frozenset[int]]


@dataclass(frozen=True, slots=True)
class Puller:
    """Runs feeds. ``group_ids`` turns names of sharing groups into ids."""

    parts: Intake
    bounds: Bounds
    group_ids: GroupIds

    def run_due(self) -> int:
        """Run every feed that is due. Returns how many were run."""
        ran = 0
        while (name := self._claim_due()) is not None:
            self.run(name)
            ran += 1
        return ran

    def run(self, name: str) -> FeedRun:
        """Pull one feed now, record the run, and set when it is due again. Raises NotFound for an unknown one."""
        started = clock.micros()
        with self.parts.database.reading() as session:
            feed = catalogue.find(session, name)
        counts: Counter[str] = Counter()
        seen: set[Value] = set()
        fetched, state, failure = 0, dict(feed.state), ""
        try:
            secret = os.environ.get(feed.secret_variable, "") if feed.secret_variable else ""
            auth = (feed.username, secret) if feed.username else None
            repeated = True
            for payload in FETCHERS[feed.protocol](feed.url, auth, self.bounds, state):
                fetched += len(payload[1])
                held = self._take_in(feed, payload, counts)
                repeated = repeated and held is None
                seen |= held or set()
            if not repeated:
                counts["gone"] = self._settle_gone(feed, seen, counts)
            if _counts_as_seen(feed):
                counts["renewed"] = self._renew(feed)
        except HubError as error:
            failure = str(error)
        return self._record(feed, started, fetched, counts, state, failure)

    def _claim_due(self) -> str | None:
        now = clock.micros()
        due = (Feed.enabled.is_(True)) & (Feed.next_run_at <= now) & (Feed.lease_until < now)
        found = select(Feed.name).where(due).order_by(Feed.next_run_at).limit(1)
        with self.parts.database.reading() as session:
            if session.scalar(found) is None:
                return None
        with self.parts.database.unit_of_work() as session:
            name = session.scalar(found.with_for_update(skip_locked=True))
            if name is not None:
                session.get_one(Feed, name).lease_until = now + LEASE_SECONDS * SECOND
            return name

    def _take_in(self, feed: Feed, payload: Payload, counts: Counter[str]) -> set[Value] | None:
        """Carry one payload through the inbox and the intake, here and now. Returns what the intake does."""
        filename, raw = payload
        if not raw.strip():
            raise InvalidInput("the feed is empty now; what it held before stays", where=filename)
        worker = worker_name()
        with self.parts.database.unit_of_work() as session:
            source = _source_of(session, feed)
            target = collections.by_alias(session, feed.collection) if feed.collection else None
            if feed.collection and target is None:
                raise InvalidInput(f"there is no collection {feed.collection!r}", where=f"{feed.name}.collection")
            received = inbox.receive(
                session,
                self.parts.vault,
                inbox.Arrival(
                    inbox.FILE, source.id, SCHEDULER, raw, collection_no=target.no if target else None,
                    filename=filename, format=feed.format, mapping=feed.mapping, tlp=feed.tlp,
                    tlp_ceiling=feed.tlp_ceiling, groups=self.group_ids(session, feed.groups),
                ),
            )  # fmt: skip
            lease.claim(session, worker, self.parts.lease_micros, received.id)
        held = self.parts.run(received.id, worker)
        with self.parts.database.reading() as session:
            done = session.get_one(Submission, received.id)
            counts.update({name: count for name, count in done.counts.items() if isinstance(count, int)})
            if done.failure:
                raise InvalidInput(done.failure, where=filename)
        return held

    def _settle_gone(self, feed: Feed, seen: set[Value], counts: Counter[str]) -> int:
        """Values that the feed held before and does not hold now; taken back where its policy says so."""
        if feed.protocol != WHOLE_FILE:
            return 0  # the others give what is new, not everything that they hold
        with self.parts.database.reading() as session:
            source = sources.named(session, feed.name, feed.grade)
            held = listed.held(session, source.id)
        listed.note(self.parts.database, source.id, held, seen)
        gone = held.keys() - seen
        if not gone or feed.gone != catalogue.REVOKE:
            return len(gone)
        if len(seen) < PLAUSIBLE_PART * len(held):
            raise InvalidInput(
                f"the feed holds {len(seen)} values now and held {len(held)}; nothing was taken back",
                advice='If that is right, set gone to "age" for one run.',
            )
        ordered = sorted(gone, key=lambda value: (value.kind, value.text))
        for start in range(0, len(ordered), self.parts.batch):
            with self.parts.database.unit_of_work() as session:
                counts["revoked"] += self.parts.merger.retract(
                    session, source, ordered[start : start + self.parts.batch]
                )
        return len(gone)

    def _renew(self, feed: Feed) -> int:
        """Let what the feed still lists count as seen now, where that is due; the run's answer may be that nothing
        has changed.
        """
        with self.parts.database.unit_of_work() as session:
            source = _source_of(session, feed)
        return listed.renew(self.parts.database, self.parts.merger, source)

    def _record(
        self, feed: Feed, started: int, fetched: int, counts: Counter[str], state: dict[str, Any], failure: str
    ) -> FeedRun:
        now = clock.micros()
        with self.parts.database.unit_of_work() as session:
            current = catalogue.find(session, feed.name)
            current.state = state
            current.failures = current.failures + 1 if failure else 0
            current.next_run_at = now + _delay(current.every_seconds, current.failures)
            current.lease_until = 0
            run = FeedRun(
                id=(session.scalar(select(func.max(FeedRun.id))) or 0) + 1,
                feed=feed.name,
                started_at=started,
                finished_at=now,
                outcome="failed" if failure else "done" if fetched else "unchanged",
                fetched_bytes=fetched,
                counts=dict(counts),
                message=failure,
            )
            session.add(run)
        log.info("feed run", feed=feed.name, outcome=run.outcome, bytes=fetched, message=failure, **counts)
        return run


class Scheduler:
    """Runs due feeds until it is told to stop; a thread of the worker process."""

    def __init__(self, puller: Puller, stop: Event, every_seconds: float) -> None:
        self._puller = puller
        self._stop = stop
        self._every_seconds = every_seconds

    def run(self) -> None:
        """Look for due feeds until ``stop`` is set."""
        while not self._stop.wait(self._every_seconds):
            try:
                self._puller.run_due()
            except Unavailable as error:
                log.warning("the database cannot be reached", error=str(error))


def _counts_as_seen(feed: Feed) -> bool:
    """Whether what it lists counts as seen: only of a file is it known what stands in it now."""
    return feed.listed_is_seen and feed.protocol == WHOLE_FILE


def _source_of(session: Session, feed: Feed) -> Contributor:
    return sources.of_feed(session, feed.name, feed.grade, feed.allows_wider, listed_is_seen=_counts_as_seen(feed))


def _delay(every_seconds: int, failures: int) -> int:
    """Until the next run, in microseconds: doubled for each failure in a row, spread by a tenth."""
    spread = 1 + random.uniform(-JITTER, JITTER)  # noqa: S311 (to spread load, not to keep a secret)
    return int(every_seconds * 2 ** min(failures, LONGEST_BACKOFF) * spread * SECOND)
