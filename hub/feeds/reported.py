"""What reports say and take back: a value stays published while any standing report of its source names it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from hub.errors import NotFound
from hub.feeds.holding import REPORT, take_back
from hub.feeds.merge import Merger
from hub.feeds.records import FraudReport, ReportedValue
from hub.feeds.sources import Contributor
from hub.feeds.statements import Statement
from hub.stix.values import Kind, Value

CHUNK = 500


@dataclass(frozen=True, slots=True)
class Said:
    """What a report says: statements to publish, and values that a rule holds back."""

    statements: Sequence[Statement]
    held: frozenset[Value] = frozenset()

    @property
    def published(self) -> set[Value]:
        """The values of the statements."""
        return {one.value for one in self.statements}


def known_reports(session: Session, source: Contributor, references: Sequence[str]) -> dict[str, FraudReport]:
    """The reports that the source has sent before under these references, withdrawn ones too."""
    known: dict[str, FraudReport] = {}
    for start in range(0, len(references), CHUNK):
        wanted = references[start : start + CHUNK]
        found = select(FraudReport).where(FraudReport.source_id == source.id, FraudReport.reference.in_(wanted))
        known.update((report.reference, report) for report in session.scalars(found))
    return known


def settle_new(
    session: Session, merger: Merger, source: Contributor, reports: Sequence[tuple[FraudReport, Said]]
) -> None:
    """Bring the ledger in line with reports that have said nothing before, all at once: the lock is short."""
    if not reports:
        return
    session.flush()  # gives the reports their ids
    merger.merge(session, source, [replace(one, adds=True) for _, said in reports for one in said.statements])
    for report, said in reports:
        _note(session, report, said.published, held=False)
        _note(session, report, said.held - said.published, held=True)


def settle(session: Session, merger: Merger, source: Contributor, report: FraudReport, said: Said) -> None:
    """Bring the ledger in line with what a new or amended report says now."""
    before, held_before = _named_by(session, report.id, held=False), _named_by(session, report.id, held=True)
    now = said.published
    _forget(session, report, held_before)
    merger.merge(session, source, [replace(one, adds=one.value not in before) for one in said.statements])
    _note(session, report, now - before, held=False)
    _take_back(session, merger, source, report, before - now)
    _note(session, report, said.held - now, held=True)
    _leave_quarantine(session, source, held_before - said.held)


def withdraw(session: Session, merger: Merger, source: Contributor, reference: str) -> int:
    """Withdraw a report; what only it supported is revoked. Returns how many indicators were.

    Raises NotFound where the source has no such report, or has withdrawn it already.
    """
    report = session.scalar(
        select(FraudReport).where(FraudReport.source_id == source.id, FraudReport.reference == reference)
    )
    if report is None or report.withdrawn:
        raise NotFound("you have no such report that stands", where="reference")
    report.withdrawn = True
    held = _named_by(session, report.id, held=True)
    _forget(session, report, held)
    _leave_quarantine(session, source, held)
    return _take_back(session, merger, source, report, _named_by(session, report.id, held=False))


def publish_held(session: Session, source: Contributor, value: Value, instead: Value) -> int:
    """A held value was released, as it is or as ``instead``: the standing reports of the source that name it now
    publish it. Returns how many they are.
    """
    count = 0
    for report_id in _reports_naming(session, source, value, held=True):
        there = session.get(ReportedValue, (report_id, instead.kind.value, instead.text))
        count += there is None or there.held
        if instead != value:
            session.delete(session.get_one(ReportedValue, (report_id, value.kind.value, value.text)))
        session.merge(_reported(report_id, instead, held=False))
    session.flush()
    return count


def hold_published(session: Session, source: Contributor, value: Value) -> None:
    """A value that was released is held again: no report of the source publishes it any more."""
    for report_id in _reports_naming(session, source, value, held=False):
        session.merge(_reported(report_id, value, held=True))
    session.flush()


def _reports_naming(session: Session, source: Contributor, value: Value, *, held: bool) -> Sequence[int]:
    """The standing reports of the source that publish ``value``, or name it while it is held."""
    return session.scalars(
        select(ReportedValue.report_id)
        .join(FraudReport, FraudReport.id == ReportedValue.report_id)
        .where(
            FraudReport.source_id == source.id,
            FraudReport.withdrawn.is_(False),
            ReportedValue.held.is_(held),
            ReportedValue.kind == value.kind.value,
            ReportedValue.value == value.text,
        )
    ).all()


def _reported(report_id: int, value: Value, *, held: bool) -> ReportedValue:
    return ReportedValue(report_id=report_id, kind=value.kind.value, value=value.text, held=held)


def _note(session: Session, report: FraudReport, values: Iterable[Value], *, held: bool) -> None:
    session.add_all(_reported(report.id, value, held=held) for value in values)
    session.flush()


def _forget(session: Session, report: FraudReport, values: Iterable[Value]) -> None:
    for value in values:
        session.execute(
            delete(ReportedValue).where(
                ReportedValue.report_id == report.id,
                ReportedValue.kind == value.kind.value,
                ReportedValue.value == value.text,
            )
        )
    session.flush()


def _leave_quarantine(session: Session, source: Contributor, values: Iterable[Value]) -> None:
    """Held values that no standing report of the source names any more wait no longer."""
    left = {value for value in values if not _reports_naming(session, source, value, held=True)}
    take_back(session, source.id, left, REPORT)


def _take_back(
    session: Session, merger: Merger, source: Contributor, report: FraudReport, values: Collection[Value]
) -> int:
    _forget(session, report, values)
    left = {value: len(_reports_naming(session, source, value, held=False)) for value in values}
    return merger.retract(session, source, values, left)


def _named_by(session: Session, report_id: int, *, held: bool) -> set[Value]:
    rows = session.execute(
        select(ReportedValue.kind, ReportedValue.value).where(
            ReportedValue.report_id == report_id, ReportedValue.held.is_(held)
        )
    )
    return {Value(Kind(kind), text) for kind, text in rows}
