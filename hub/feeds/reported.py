"""What reports say and take back: a value stays published while any standing report of its source names it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from hub.errors import NotFound
from hub.feeds.merge import Merger, Statement
from hub.feeds.records import FraudReport, ReportedValue
from hub.feeds.sources import Contributor
from hub.stix.values import Kind, Value

CHUNK = 500


def known_reports(session: Session, source: Contributor, references: Sequence[str]) -> dict[str, FraudReport]:
    """The reports that the source has sent before under these references, withdrawn ones too."""
    known: dict[str, FraudReport] = {}
    for start in range(0, len(references), CHUNK):
        wanted = references[start : start + CHUNK]
        found = select(FraudReport).where(FraudReport.source_id == source.id, FraudReport.reference.in_(wanted))
        known.update((report.reference, report) for report in session.scalars(found))
    return known


def settle_new(
    session: Session,
    merger: Merger,
    source: Contributor,
    reports: Sequence[tuple[FraudReport, Sequence[Statement]]],
) -> None:
    """Bring the ledger in line with reports that have said nothing before, all at once: the lock is short."""
    if not reports:
        return
    session.flush()  # gives the reports their ids
    merger.merge(session, source, [replace(one, adds=True) for _, statements in reports for one in statements])
    session.add_all(
        ReportedValue(report_id=report.id, kind=value.kind.value, value=value.text)
        for report, statements in reports
        for value in {one.value for one in statements}
    )


def settle(
    session: Session, merger: Merger, source: Contributor, report: FraudReport, statements: Sequence[Statement]
) -> None:
    """Bring the ledger in line with what a new or amended report says now."""
    before = _named_by(session, report.id)
    now = {one.value for one in statements}
    merger.merge(session, source, [replace(one, adds=one.value not in before) for one in statements])
    session.add_all(
        ReportedValue(report_id=report.id, kind=value.kind.value, value=value.text) for value in now - before
    )
    _take_back(session, merger, source, report, before - now)


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
    return _take_back(session, merger, source, report, _named_by(session, report.id))


def _take_back(
    session: Session, merger: Merger, source: Contributor, report: FraudReport, values: Collection[Value]
) -> int:
    for value in values:
        session.execute(
            delete(ReportedValue).where(
                ReportedValue.report_id == report.id,
                ReportedValue.kind == value.kind.value,
                ReportedValue.value == value.text,
            )
        )
    session.flush()
    left = {value: _supported_by(session, source, value) for value in values}
    return merger.retract(session, source, values, left)


def _named_by(session: Session, report_id: int) -> set[Value]:
    rows = session.execute(select(ReportedValue.kind, ReportedValue.value).where(ReportedValue.report_id == report_id))
    return {Value(Kind(kind), text) for kind, text in rows}


def _supported_by(session: Session, source: Contributor, value: Value) -> int:
    """How many standing reports of the source name the value."""
    return (
        session.scalar(
            select(func.count())
            .select_from(ReportedValue)
            .join(FraudReport, FraudReport.id == ReportedValue.report_id)
            .where(
                FraudReport.source_id == source.id,
                FraudReport.withdrawn.is_(False),
                ReportedValue.kind == value.kind.value,
                ReportedValue.value == value.text,
            )
        )
        or 0
    )
