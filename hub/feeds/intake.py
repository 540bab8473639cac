"""The intake: carries a submission from the inbox into the ledger, batch by batch.

Whatever is slow (opening, parsing, sifting, validating, blinding) happens outside the transaction. Each batch
then commits its effect together with the submission's progress, so a worker that dies in the middle loses
nothing and its successor repeats nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import islice
from threading import Event, Thread
from typing import Any, NamedTuple, TypeVar

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from hub import clock
from hub.audit import record
from hub.db import Database
from hub.errors import InvalidInput, TooLarge, Unavailable
from hub.feeds import (
    holding,
    inbox,
    lease,
    listed,
    objects_batch,
    readers,
    recognised,
    reports_batch,
    retraction,
    sightings_batch,
    sources,
    values_batch,
)
from hub.feeds.batch import Result, Target, by_kind, held_positions, repeat_outcomes, store_outcomes
from hub.feeds.filings import Filings, ReadFiling
from hub.feeds.merge import Merger
from hub.feeds.posted import load_indicators, load_sightings, readings_of
from hub.feeds.readers.reading import RawIndicator, Reading, StixObject, Unread, counted
from hub.feeds.readers.text import as_utf8
from hub.feeds.records import Submission
from hub.feeds.reports import bulk
from hub.feeds.reports.schema import parts
from hub.feeds.reports_batch import ReadReport, Withdrawal
from hub.feeds.retraction import Retraction
from hub.feeds.sift import Held, Rules, sift
from hub.feeds.sightings_batch import ReadSighting
from hub.ledger.collections import all_collections
from hub.sealing import Vault
from hub.stix.canonical import parse_json
from hub.stix.tlp import Tlp
from hub.stix.values import Kind, Value

log = structlog.get_logger(__name__)

REPORT_FORMAT = "report"
PUSHED = {inbox.REPORTS: REPORT_FORMAT, inbox.FILINGS: "bank-filing"}
WHAT_MAKES_A_REPEAT = (
    "kind",
    "sha256",
    "filename",
    "mapping",
    "collection_no",
    "tlp",
    "tlp_ceiling",
    "groups",
    "rules",
)
RENEWALS_PER_LEASE = 4
Progress = Callable[[int, int], None]
AtEnd = Callable[[Session], None]
Unit = Reading | ReadReport | ReadFiling | ReadSighting | Withdrawal | Retraction
T = TypeVar("T")


class Watch(NamedTuple):
    """Who is told how a submission goes: after each batch (done, total), and within the transaction of the last."""

    progress: Progress | None
    at_end: AtEnd | None


@dataclass(frozen=True, slots=True)
class Intake:
    """The parts that the intake of one process works with. ``own_names`` gives the domains of the hub's members."""

    database: Database
    vault: Vault
    merger: Merger
    rules: Rules
    filings: Filings
    batch: int
    max_file_bytes: int
    lease_micros: int
    own_names: Callable[[Session], frozenset[str]]

    def run(
        self, submission_id: str, worker: str, progress: Progress | None = None, at_end: AtEnd | None = None
    ) -> set[Value] | None:
        """Process a claimed submission to its end. Returns the values it held that may be published.

        ``at_end`` is called within the transaction that writes the last batch, where that is written here.
        None where it is, to the byte, what the source sent last: then nothing can have changed, and nothing is
        read. Raises LostLease where another worker has taken it over.
        """
        seen: set[Value] = set()
        with self.database.reading() as session:
            submission = session.get_one(Submission, submission_id)
            raw = self.vault.open(submission.raw, inbox.sealing_context(submission_id))
        try:
            with self._kept_lease(submission_id, worker):
                if not submission.done and self._repeats_the_last(submission, worker):
                    return None
                units, total = counted(self._units(submission, raw))
                if not total:
                    raise InvalidInput("there is nothing in it that could be read")
                self._run_batches(submission, worker, units, total, Watch(progress, at_end), seen)
        except (InvalidInput, TooLarge) as error:
            self.finish(submission_id, worker, inbox.FAILED, failure=str(error))
        else:
            if submission.done == total:  # a predecessor wrote its last batch and did not come to note the end
                self.finish(submission_id, worker, inbox.COMPLETE)
            self._renew(submission, seen)
        return seen

    def _repeats_the_last(self, submission: Submission, worker: str) -> bool:
        """Close a file at once that is the same as the source's last one, read in the same way for the same
        audience by the same rules; its counts are those of the last one, everything unchanged.
        """
        if submission.kind != inbox.FILE:
            return False
        with self.database.unit_of_work() as session:
            current = lease.claimed(session, submission.id, worker)
            current.rules = replace(self.rules, own=self.own_names(session)).key
            last = session.scalar(
                select(Submission)
                .where(Submission.source_id == current.source_id, Submission.id != current.id)
                .order_by(Submission.received_at.desc())
                .limit(1)
            )
            if last is None or last.state != inbox.COMPLETE:
                return False
            if any(getattr(last, name) != getattr(current, name) for name in WHAT_MAKES_A_REPEAT):
                return False
            if current.format not in (readers.AUTO, last.format):
                return False
            source = sources.by_id(session, current.source_id)
            if not listed.is_feed(session, source) and listed.due(session, source.id):
                return False  # what it lists counts as seen anew, so it has to be read
            changed = sum(last.counts.get(name, 0) for name in ("new", "updated", "sighted", "unchanged"))
            current.counts = {**last.counts, "new": 0, "updated": 0, "sighted": 0, "unchanged": changed}
            current.format, current.total, current.done = last.format, last.total, last.total
            repeat_outcomes(session, last.id, current.id)
        self.finish(submission.id, worker, inbox.COMPLETE)
        return True

    def _renew(self, submission: Submission, seen: set[Value]) -> None:
        """What a file or a member lists and states no time of counts as seen; of a feed, its whole run decides."""
        if submission.kind not in (inbox.FILE, inbox.INDICATORS):
            return
        with self.database.reading() as session:
            source = sources.by_id(session, submission.source_id)
            if listed.is_feed(session, source):
                return
        listed.renew(self.database, self.merger, source, seen)

    def _units(self, submission: Submission, raw: bytes) -> Callable[[], Iterator[Unit]]:
        """A function that reads the submission from its beginning, each time it is called."""
        if submission.kind == inbox.ENVELOPE:
            objects = parse_json(raw)["objects"]
            return lambda: (StixObject(f"objects[{n}]", obj) for n, obj in enumerate(objects))
        if submission.kind in (inbox.WITHDRAWAL, inbox.RETRACTION):
            said = Withdrawal(raw.decode()) if submission.kind == inbox.WITHDRAWAL else Retraction(raw.decode())
            return lambda: iter((said,))
        if submission.kind in (inbox.INDICATORS, inbox.SIGHTINGS):
            rows = self._rows(submission, raw)
            return lambda: iter(rows)
        opened = readers.opened(raw, self.max_file_bytes)
        if submission.kind in PUSHED:
            return self._documents(PUSHED[submission.kind], opened)
        reader = readers.for_file(opened, submission.filename, submission.format, submission.mapping)
        submission.format = reader.name
        documents = reader.name in PUSHED.values()
        return self._documents(reader.name, opened) if documents else lambda: reader.read(opened)

    def _rows(self, submission: Submission, raw: bytes) -> Sequence[Unit]:
        """What a member posted without writing STIX."""
        document = parse_json(raw)
        if submission.kind == inbox.SIGHTINGS:
            return sightings_batch.readings(load_sightings(document), submission.mapping, submission.received_at)
        with self.database.reading() as session:
            return readings_of(load_indicators(document), sources.by_id(session, submission.source_id).grade)

    def _documents(self, form: str, opened: bytes) -> Callable[[], Iterator[Unit]]:
        if form == REPORT_FORMAT:
            return _reports(opened)
        found = self.filings.parts(opened)
        return lambda: (ReadFiling(where, one) for where, one in found)

    def _run_batches(
        self,
        submission: Submission,
        worker: str,
        units: Callable[[], Iterator[Unit]],
        total: int,
        watch: Watch,
        seen: set[Value],
    ) -> None:
        with self.database.reading() as session:
            target = _target(session, submission)
            decided = holding.decided(session, submission.source_id)
            rules = replace(self.rules, own=self.own_names(session), decided=decided)
        done = submission.done
        stream = enumerate(units())
        if done:
            with self.database.reading() as session:
                held = held_positions(session, submission.id)
            for position, unit in islice(stream, done):
                seen.update(() if position in held else _values_of(unit, rules))
        kinds = Counter(value.kind for value in seen)
        while batch := list(islice(stream, self.batch)):
            result, write = self._plan(batch, target, rules)
            done += len(batch)
            with self.database.unit_of_work() as session:
                locked = lease.claimed(session, submission.id, worker)
                write(session)
                kinds.update(value.kind for value in result.values - seen)
                seen |= result.values
                locked.counts = _added(locked.counts, result.counts, kinds)
                locked.format, locked.total, locked.done = submission.format, total, done
                locked.rules = rules.key
                locked.lease_until = clock.micros() + self.lease_micros
                store_outcomes(session, submission.id, result)
                if done == total:
                    _end(session, locked, inbox.COMPLETE)
                    if watch.at_end is not None:
                        watch.at_end(session)
            if done == total:
                _log_end(locked)
            if watch.progress is not None:
                watch.progress(done, total)

    def _plan(
        self, batch: Sequence[tuple[int, Unit]], target: Target, rules: Rules
    ) -> tuple[Result, Callable[[Session], None]]:
        """(result, what to write): sorted by the nature of the units, which one file may mix."""
        values = [(n, unit) for n, unit in batch if isinstance(unit, RawIndicator | Unread)]
        objects = [(n, unit) for n, unit in batch if isinstance(unit, StixObject)]
        reports = [(n, unit) for n, unit in batch if isinstance(unit, ReadReport)]
        withdrawals = [(n, unit) for n, unit in batch if isinstance(unit, Withdrawal)]
        retractions = [(n, unit) for n, unit in batch if isinstance(unit, Retraction)]
        with self.database.reading() as session:
            known = recognised.NOTHING if target.by_value else recognised.look_up(session, values, target, rules)
            value_plan = values_batch.plan(values, target, rules, known)
            values_batch.plan_merge(session, value_plan, target, self.merger)
            object_plan = objects_batch.plan(session, objects, target, self.merger, rules)
        report_plan = reports_batch.plan(reports, target, rules)
        seen_plan = sightings_batch.plan([(n, one) for n, one in batch if isinstance(one, ReadSighting)], target, rules)
        filings = [(n, unit) for n, unit in batch if isinstance(unit, ReadFiling)]
        filing_plan = self.filings.plan(target.submission_id, filings) if filings else None
        combined = Result()

        def write(session: Session) -> None:
            values_batch.apply(session, value_plan, target, self.merger)
            objects_batch.apply(session, object_plan, target, self.merger)
            reports_batch.apply(session, report_plan, target, self.merger, self.vault)
            sightings_batch.apply(session, seen_plan, target, self.merger)
            retraction.apply(session, retractions, target, self.merger, combined)
            reports_batch.withdraw_all(session, withdrawals, target, self.merger, combined)
            filed = filing_plan.write(session) if filing_plan else Result()
            for part in (value_plan.result, object_plan.result, report_plan.result, seen_plan.result, filed):
                combined.counts.update(part.counts)
                combined.outcomes += part.outcomes
                combined.values.update(part.values)

        return combined, write

    @contextmanager
    def _kept_lease(self, submission_id: str, worker: str) -> Iterator[None]:
        """Renew the lease while a large file is read or a slow batch is written."""
        done = Event()

        def renew() -> None:
            while not done.wait(self.lease_micros / RENEWALS_PER_LEASE / 1_000_000):
                with suppress(Unavailable), self.database.unit_of_work() as session:
                    lease.extend(session, submission_id, worker, self.lease_micros)

        renewing = Thread(target=renew, name="lease", daemon=True)
        renewing.start()
        try:
            yield
        finally:
            done.set()
            renewing.join()

    def finish(self, submission_id: str, worker: str, state: str, failure: str | None = None) -> None:
        """Note the end of a submission: COMPLETE, or FAILED with the reason. Raises LostLease."""
        with self.database.unit_of_work() as session:
            submission = lease.claimed(session, submission_id, worker)
            _end(session, submission, state, failure)
        _log_end(submission)


def _end(session: Session, submission: Submission, state: str, failure: str | None = None) -> None:
    """Note the end of a claimed submission within the caller's transaction."""
    submission.state, submission.failure = state, failure
    submission.finished_at = clock.micros()
    submission.lease_by = submission.lease_until = None
    totals = _totals(submission)
    record(session, submission.actor, f"submission:{state}", submission.id, after=totals, why=failure or "")


def _log_end(submission: Submission) -> None:
    state, totals = submission.state, _totals(submission)
    log.info("submission finished", id=submission.id, state=state, failure=submission.failure, **totals)


def _totals(submission: Submission) -> dict[str, Any]:
    return {name: count for name, count in submission.counts.items() if name != "indicators"}


def _target(session: Session, submission: Submission) -> Target:
    collections = all_collections(session)
    return Target(
        submission_id=submission.id,
        source=sources.by_id(session, submission.source_id),
        chosen=submission.collection_no,
        tlp=None if submission.tlp is None else Tlp(submission.tlp),
        ceiling=None if submission.tlp_ceiling is None else Tlp(submission.tlp_ceiling),
        groups=frozenset(submission.groups),
        aliases={collection.alias: collection.no for collection in collections},
        default_tlp={collection.no: Tlp(collection.default_tlp) for collection in collections},
        by_object=submission.kind == inbox.ENVELOPE,
        by_value=submission.kind == inbox.INDICATORS,
    )


def _reports(opened: bytes) -> Callable[[], Iterator[Unit]]:
    text = as_utf8(opened)
    document = parse_json(text) if text.lstrip()[:1] in (b"{", b"[") else bulk.load_csv(opened)
    return lambda: (ReadReport(where, one) for where, one in parts(document))


def _values_of(unit: Unit, rules: Rules) -> Iterator[Value]:
    """The values of a unit that was accepted before a restart: the count of distinct ones starts from them."""
    if isinstance(unit, StixObject):
        found: Iterable[Value | Held] = objects_batch.values_of(unit, rules)
    elif isinstance(unit, ReadReport):
        found = reports_batch.values_of(unit, rules)
    elif isinstance(unit, ReadSighting):
        found = filter(None, (sightings_batch.found_in(unit, rules),))
    else:
        found = (sift(unit, rules),) if isinstance(unit, RawIndicator) else ()
    return (value for value in found if not isinstance(value, Held))


def _added(counts: dict[str, Any], more: Counter[str], kinds: Counter[Kind]) -> dict[str, Any]:
    plain = Counter({name: count for name, count in counts.items() if name != "indicators"})
    plain.update(more)
    return {**plain, "indicators": by_kind(kinds)}
