"""Retention: what is due is deleted, and each run says in the audit log what it deleted.

Filings end by their own dates (six years at most) and are erased some time after they ended; answers, files of jobs,
searches, keys and the answers to subject access requests each have a period of theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import and_, delete, or_, select, update
from sqlalchemy.orm import Session

from hub import clock
from hub.audit import record
from hub.checks.filings import filing
from hub.checks.filings.parts import Desk
from hub.checks.filings.records import ENDED, LONGEST_MICROS, Filing, FilingEvent, FilingIdentifier, FilingVersion
from hub.checks.kept import rotation
from hub.checks.precheck import keys as precheck_keys
from hub.checks.precheck.keys import THE_HUB
from hub.checks.precheck.records import CorrectionNotice, SubjectAccessRequest
from hub.checks.searching import jobs
from hub.checks.searching.records import (
    CheckJob,
    QuotaUse,
    Search,
    SearchAnswer,
    SearchDecision,
    SearchHash,
    SearchMatch,
    SearchSample,
)
from hub.clock import DAY
from hub.db import Database
from hub.settings import Retention

BATCH: Final = 500
# The counters of quotas are for the present day; a month helps to look back.
QUOTA_DAYS: Final = 31
OF_FILING: Final = (FilingIdentifier, FilingVersion, FilingEvent)
OF_SEARCH: Final = (SearchAnswer, SearchSample, SearchHash, SearchMatch, SearchDecision)


@dataclass(frozen=True, slots=True)
class Kept:
    """A kind of thing that is deleted. ``due(session, limit)`` gives keys of it, ``delete`` deletes what they name."""

    name: str
    due: Callable[[Session, int | None], Sequence[Any]]
    delete: Callable[[Session, Sequence[Any]], object]


def run(database: Database, kinds: Sequence[Kept], by: str) -> dict[str, int]:
    """Delete everything that is due, in batches; how many of each kind. A run that deleted anything is recorded."""
    deleted = dict.fromkeys((kind.name for kind in kinds), 0)
    for kind in kinds:
        while True:
            with database.unit_of_work() as session:
                keys = kind.due(session, BATCH)
                if not keys:
                    break
                kind.delete(session, keys)
            deleted[kind.name] += len(keys)
    if not any(deleted.values()):
        return deleted
    with database.unit_of_work() as session:
        record(session, by, "retention:run", "everything", after=deleted, why="what is due is not kept")
    return deleted


def due(session: Session, kinds: Sequence[Kept]) -> dict[str, int]:
    """What a run would delete now, by kind."""
    return {kind.name: len(kind.due(session, None)) for kind in kinds}


def kinds(desk: Desk, periods: Retention) -> list[Kept]:
    """The kinds of this room, in the order in which they are deleted."""
    vault = desk.vault
    ended, old = periods.ended_filings_days * DAY, periods.searches_days * DAY
    return [
        Kept("filings_expired", _run_out, lambda session, _: filing.expire_due(session, desk, THE_HUB)),
        Kept("filings_erased", lambda session, limit: _over(session, ended, limit), _erase_filings),
        Kept("answers", _answers, lambda session, keys: _delete(session, SearchAnswer.search_no, keys)),
        Kept("jobs", _jobs, lambda session, _: jobs.delete_due(session)),
        Kept("searches", lambda session, limit: _searches(session, old, limit), _delete_searches),
        Kept("quota_counters", _counters, lambda session, keys: _delete(session, QuotaUse.start, keys)),
        Kept(
            "notices",
            lambda session, limit: _ids(session, CorrectionNotice.id, CorrectionNotice.at, old, limit),
            lambda session, keys: _delete(session, CorrectionNotice.id, keys),
        ),
        Kept(
            "subject_access_answers",
            lambda session, limit: _requests(session, periods.subject_access_days * DAY, limit),
            _empty_requests,
        ),
        Kept(
            "precheck_keys",
            lambda session, _: precheck_keys.over(session, vault),
            lambda session, keys: precheck_keys.destroy(session, vault, keys),
        ),
        Kept(
            "rotated_keys",
            lambda session, _: rotation.unused(session, vault),
            lambda session, keys: rotation.destroy(session, vault, keys),
        ),
    ]


def _run_out(session: Session, limit: int | None) -> Sequence[Any]:
    out = and_(Filing.state.not_in(ENDED), Filing.valid_until <= clock.micros())
    return session.scalars(select(Filing.id).where(out).limit(limit)).all()


def _over(session: Session, kept_for: int, limit: int | None) -> Sequence[Any]:
    """Filings that ended long enough ago, or are six years old; the second have run out by then."""
    now = clock.micros()
    over = or_(Filing.ended_at <= now - kept_for, Filing.filed_at <= now - LONGEST_MICROS)
    return session.scalars(select(Filing.id).where(Filing.state.in_(ENDED), over).limit(limit)).all()


def _erase_filings(session: Session, keys: Sequence[Any]) -> None:
    """Nothing of them is left but the events of the audit log, which tell nothing of whom they were about."""
    for table in OF_FILING:
        session.execute(delete(table).where(table.filing_id.in_(keys)))
    session.execute(delete(Filing).where(Filing.id.in_(keys)))
    for filing_id in keys:
        record(session, THE_HUB, "filing:erase", filing_id, why="its retention is over")


def _answers(session: Session, limit: int | None) -> Sequence[Any]:
    return _ids(session, SearchAnswer.search_no, SearchAnswer.delete_after, 0, limit)


def _jobs(session: Session, limit: int | None) -> Sequence[Any]:
    return _ids(session, CheckJob.id, CheckJob.delete_after, 0, limit)


def _searches(session: Session, kept_for: int, limit: int | None) -> Sequence[Any]:
    return _ids(session, Search.no, Search.at, kept_for, limit)


def _delete_searches(session: Session, keys: Sequence[Any]) -> None:
    for table in OF_SEARCH:
        session.execute(delete(table).where(table.search_no.in_(keys)))
    _delete(session, Search.no, keys)


def _counters(session: Session, limit: int | None) -> Sequence[Any]:
    starts = select(QuotaUse.start).where(QuotaUse.start <= clock.micros() - QUOTA_DAYS * DAY)
    return session.scalars(starts.distinct().limit(limit)).all()


def _requests(session: Session, kept_for: int, limit: int | None) -> Sequence[Any]:
    old = and_(SubjectAccessRequest.at <= clock.micros() - kept_for, SubjectAccessRequest.sealed != b"")
    return session.scalars(select(SubjectAccessRequest.id).where(old).limit(limit)).all()


def _empty_requests(session: Session, keys: Sequence[Any]) -> None:
    """That a request was answered, by whom and with which decision, stays on record."""
    session.execute(update(SubjectAccessRequest).where(SubjectAccessRequest.id.in_(keys)).values(sealed=b""))


def _ids(session: Session, key: Any, at: Any, kept_for: int, limit: int | None) -> Sequence[Any]:
    return session.scalars(select(key).where(at <= clock.micros() - kept_for).limit(limit)).all()


def _delete(session: Session, key: Any, keys: Sequence[Any]) -> None:
    session.execute(delete(key.class_).where(key.in_(keys)))
