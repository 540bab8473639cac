"""Files that a worker checks: taken in, claimed, checked part by part, and read again until they are deleted.

The day's quota is taken for the whole file when it comes in. Each part is a search of its own in the record. The
member must still be active when a part is checked, and sees what it may see then.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from threading import Event
from typing import Any, Final

import orjson
import structlog
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from hub import clock
from hub.audit import record
from hub.auth import Actor
from hub.checks.filings.gateways import Basis, Gateway, Purpose
from hub.checks.searching import quotas, sampling
from hub.checks.searching.checking import Checks
from hub.checks.searching.jobs_files import asked_of, counted, rows, written
from hub.checks.searching.questions import Question
from hub.checks.searching.records import CheckJob, CheckJobPart
from hub.clock import DAY
from hub.db import Database
from hub.db.bulk import execute
from hub.errors import Conflict, HubError, NotFound, Unavailable
from hub.sealing import Vault
from hub.settings import Checks as Limits

log = structlog.get_logger(__name__)

PENDING, RUNNING, COMPLETE, FAILED = "pending", "running", "complete", "failed"
LEASE: Final = 60_000_000
PART: Final = 1000
LOOKS_EVERY_SECONDS: Final = 1.0
OUR_FAULT: Final = "something went wrong on our side"
COLUMNS: Final = (
    "check_id", "ref", "kind", "outcome", "tier", "category", "grade", "confidence", "sources", "first_seen",
    "last_seen", "status", "handling", "tlp", "marker", "contact", "reason", "words",
)  # fmt: skip

# The actor that a job runs for, as it stands now: (session, member id, user name). Raises HubError where it is gone.
ActorOf = Callable[[Session, str, str], Actor]


@dataclass(frozen=True, slots=True)
class File:
    """A file of subjects as it came in. ``format``: "csv" or "jsonl"."""

    basis: Basis
    case_reference: str
    format: str
    raw: bytes


def take(session: Session, vault: Vault, limits: Limits, actor: Actor, file: File) -> CheckJob:
    """Take a file in. Raises InvalidInput, TooLarge, TooMany and NotPermitted as a search does."""
    total = counted(file.raw, file.format, limits.max_file_rows)
    sampling.refuse_overdue(partial(execute, session), actor.member_id, file.basis.purpose)
    quotas.consume(session, actor.member_id, file.basis.purpose, total, limits, hourly=False)
    job_id, now = str(uuid.uuid4()), clock.micros()
    job = CheckJob(
        id=job_id, member_id=actor.member_id, actor=actor.username, purpose=file.basis.purpose.value,
        gateway=file.basis.gateway.value, case_reference=vault.seal(file.case_reference.encode(), _context(job_id)),
        format=file.format, state=PENDING, received_at=now, finished_at=None, total=total, done=0,
        raw=vault.seal(file.raw, _context(job_id)), failure=None, lease_by=None, lease_until=None,
        delete_after=now + limits.keep_files_days * DAY,
    )  # fmt: skip
    session.add(job)
    session.flush()
    after = {"by": actor.username, "purpose": job.purpose, "gateway": job.gateway, "subjects": total}
    record(session, actor.member_id, "check-job:take", job_id, after=after)
    return job


def of_member(session: Session, member_id: str, job_id: str) -> CheckJob:
    """A member's job. Raises NotFound."""
    found = session.get(CheckJob, job_id) if job_id.isprintable() else None
    if found is None or found.member_id != member_id or found.delete_after <= clock.micros():
        raise NotFound("there is no such job", advice="Files and results are deleted after some days.")
    return found


def result(session: Session, vault: Vault, job: CheckJob) -> Iterator[bytes]:
    """The result of a finished job, line by line. Raises Conflict before it is finished."""
    if job.state != COMPLETE:
        raise Conflict(f"this job is {job.state}: it has no result", advice="Ask for its state first.")
    parts = session.scalars(select(CheckJobPart).where(CheckJobPart.job_id == job.id).order_by(CheckJobPart.start))
    answers = (one for part in parts for one in orjson.loads(vault.open(part.sealed, _context(job.id))))
    return written(answers, COLUMNS, job.format)


def delete_due(session: Session) -> int:
    """Delete files and results that have been kept long enough; how many jobs that were."""
    due = list(session.scalars(select(CheckJob.id).where(CheckJob.delete_after <= clock.micros())))
    for job_id in due:
        session.execute(delete(CheckJobPart).where(CheckJobPart.job_id == job_id))
        session.execute(delete(CheckJob).where(CheckJob.id == job_id))
        record(session, "hub", "check-job:delete", job_id)
    return len(due)


class JobWorker:
    """Checks files, until it is told to stop."""

    def __init__(self, database: Database, checks: Checks, actor_of: ActorOf, name: str) -> None:
        self._database = database
        self._checks = checks
        self._actor_of = actor_of
        self._name = name

    def run(self, stop: Event) -> None:
        """Work until ``stop`` is set; the part under way is finished first."""
        while not stop.is_set():
            try:
                worked = self.work_once(stop)
            except Unavailable as error:
                log.warning("jobs wait for the database", error=str(error))
                worked = False
            if not worked:
                stop.wait(LOOKS_EVERY_SECONDS)

    def work_once(self, stop: Event | None = None) -> bool:
        """Work on one job. Returns False where none waits."""
        now = clock.micros()
        waiting = self._database.select(
            "SELECT id FROM check_job WHERE state = ? OR (state = ? AND lease_until < ?) ORDER BY received_at LIMIT 1",
            (PENDING, RUNNING, now),
        )
        if not waiting or not self._claim(waiting[0][0]):
            return bool(waiting)
        job_id: str = waiting[0][0]
        try:
            self._check(job_id, stop)
        except Unavailable:
            raise
        except HubError as error:
            self._finish(job_id, FAILED, str(error))
        except Exception as error:
            # A fault of our own: this job ends, the worker and all others go on.
            log.error("job failed", id=job_id, exc_info=error)
            self._finish(job_id, FAILED, OUR_FAULT)
        return True

    def _claim(self, job_id: str) -> bool:
        now = clock.micros()
        with self._database.unit_of_work() as session:
            claimed = session.execute(
                update(CheckJob)
                .where(
                    CheckJob.id == job_id,
                    (CheckJob.state == PENDING) | ((CheckJob.state == RUNNING) & (CheckJob.lease_until < now)),
                )
                .values(state=RUNNING, lease_by=self._name, lease_until=now + LEASE)
            )
            return bool(claimed.rowcount)  # type: ignore[attr-defined] # an UPDATE's result has it

    def _check(self, job_id: str, stop: Event | None) -> None:
        vault = self._checks.vault
        with self._database.reading() as session:
            job = session.get_one(CheckJob, job_id)
            raw = vault.open(job.raw, _context(job_id))
        case_reference = vault.open(job.case_reference, _context(job_id)).decode()
        basis = Basis(Purpose(job.purpose), Gateway(job.gateway))
        done = job.done
        left = islice(rows(raw, job.format), done, None)
        while part := list(islice(left, PART)):
            if stop is not None and stop.is_set():
                self._release(job_id)
                return
            asked = [asked_of(row, number) for number, row in enumerate(part, done + 1)]
            with self._database.reading() as session:
                actor = self._actor_of(session, job.member_id, job.actor)
            checked = self._checks.search(actor, Question(basis, case_reference, asked, "job"), counted=True)
            answers: list[dict[str, Any]] = self._checks.told(checked)["answers"]
            sealed = vault.seal(orjson.dumps(answers), _context(job_id))
            if not self._store(job_id, done, len(part), sealed):
                return
            done += len(part)
        self._finish(job_id, COMPLETE, None)

    def _store(self, job_id: str, start: int, count: int, sealed: bytes) -> bool:
        """Keep the answers to a part; False where another worker has taken the job over."""
        with self._database.unit_of_work() as session:
            moved = session.execute(
                update(CheckJob)
                .where(CheckJob.id == job_id, CheckJob.lease_by == self._name, CheckJob.done == start)
                .values(done=start + count, lease_until=clock.micros() + LEASE)
            )
            if not moved.rowcount:  # type: ignore[attr-defined] # an UPDATE's result has it
                return False
            session.add(CheckJobPart(job_id=job_id, start=start, sealed=sealed))
            return True

    def _release(self, job_id: str) -> None:
        with self._database.unit_of_work() as session:
            mine = update(CheckJob).where(CheckJob.id == job_id, CheckJob.lease_by == self._name)
            session.execute(mine.values(state=PENDING, lease_by=None, lease_until=None))

    def _finish(self, job_id: str, state: str, failure: str | None) -> None:
        """End a job; its file is not needed any longer."""
        with self._database.unit_of_work() as session:
            mine = update(CheckJob).where(CheckJob.id == job_id, CheckJob.lease_by == self._name)
            ended = mine.values(
                state=state, failure=failure, finished_at=clock.micros(), raw=b"", lease_by=None, lease_until=None
            )
            session.execute(ended)


def _context(job_id: str) -> str:
    return f"check-job:{job_id}"
