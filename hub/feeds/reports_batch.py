"""A batch of fraud reports: kept sealed where they hold people, their suspects' identifiers merged."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub import clock
from hub.errors import InvalidInput
from hub.feeds.batch import FAILURE, QUARANTINED, SUCCESS, Result, Target, quarantine
from hub.feeds.indicator import PERSONAL
from hub.feeds.merge import Merger, Statement
from hub.feeds.records import FraudReport
from hub.feeds.reports.report import Report
from hub.feeds.reports.schema import load_report
from hub.feeds.sift import Held, Rules, shown, sift
from hub.feeds.values_batch import FRAUD, micros
from hub.ledger.classes import Audience
from hub.sealing import Vault
from hub.stix.canonical import canonical_json
from hub.stix.tlp import Tlp
from hub.stix.values import Kind

NOT_DISSEMINATED = "graded E (suspected to be false): kept, never passed on"


@dataclass(frozen=True, slots=True)
class ReadReport:
    """One document of a batch, as it stands at ``where``."""

    where: str
    document: Any


@dataclass(slots=True)
class ReportPlan:
    """What a batch of reports comes to: each report with its statements."""

    reports: list[tuple[int, Report, list[Statement]]] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    result: Result = field(default_factory=Result)


def plan(batch: Sequence[tuple[int, ReadReport]], target: Target, rules: Rules) -> ReportPlan:
    """Validate reports and find their indicators."""
    planned = ReportPlan()
    for position, read in batch:
        planned.result.counts["read"] += 1
        try:
            report = load_report(read.document, read.where)
        except InvalidInput as error:
            planned.result.counts["refused"] += 1
            planned.result.outcome(
                position, FAILURE, read.where, _reference(read.document), message=str(error)
            )
            continue
        planned.reports.append((position, report, _statements(planned, report, target, rules)))
    return planned


def apply(session: Session, planned: ReportPlan, target: Target, merger: Merger, vault: Vault) -> None:
    """Write a planned batch within the caller's transaction."""
    for position, report, statements in planned.reports:
        change = _store(session, report, target, vault)
        planned.result.counts["accepted"] += 1
        planned.result.counts[change] += 1
        if change != "unchanged":
            adds = change == "new"
            merger.merge(session, target.source, [replace(one, adds=adds) for one in statements])
        planned.result.outcome(position, SUCCESS, report.where, report.reference, message=MESSAGES[change])
    quarantine(session, target.source.id, target.submission_id, planned.held)


MESSAGES = {"new": None, "updated": "amends an earlier report", "unchanged": "already here, unchanged"}


def _statements(planned: ReportPlan, report: Report, target: Target, rules: Rules) -> list[Statement]:
    statements = []
    disseminable = report.grade is None or report.grade.disseminable
    grade = report.grade
    for reading in report.indicators():
        found = sift(reading, rules)
        if not isinstance(found, Held) and not disseminable:
            found = Held(QUARANTINED, reading.where, shown(reading.raw), NOT_DISSEMINATED, found)
        if isinstance(found, Held):
            planned.held.append(found)
            planned.result.counts["held_values"] += 1
            continue
        planned.result.values.add(found)
        statements.append(
            Statement(
                value=found,
                collection_no=target.chosen or target.aliases[FRAUD],
                grade=f"{grade.source}{grade.intelligence}" if grade else target.source.grade,
                audience=audience(found.kind, grade.handling if grade else None, target),
                labels=reading.labels,
                first_seen=micros(reading.first_seen),
                last_seen=micros(reading.last_seen),
            )
        )
    return statements


def audience(kind: Kind, handling: str | None, target: Target) -> Audience:
    """Who an identifier of a report is for (FRAUD.md, "Grading"): handling C asks for AMBER+STRICT, otherwise
    AMBER for what identifies people or their money, GREEN for the rest; never less than the sender asked for.
    """
    if handling == "C":
        own = Tlp.AMBER_STRICT
    else:
        own = Tlp.AMBER if kind in PERSONAL else Tlp.GREEN
    return Audience(max(own, target.tlp or Tlp.CLEAR), target.groups)


def _store(session: Session, report: Report, target: Target, vault: Vault) -> str:
    """Keep the report. Returns "new", "updated" (an amendment) or "unchanged" (sent before)."""
    digest = hashlib.sha256(canonical_json([report.open, report.protected])).digest()
    known = session.scalar(
        select(FraudReport).where(
            FraudReport.source_id == target.source.id, FraudReport.reference == report.reference
        )
    )
    if known is not None and known.digest == digest:
        return "unchanged"
    change = "new" if known is None else "updated"
    if known is None:
        known = FraudReport(source_id=target.source.id, reference=report.reference, withdrawn=False)
        session.add(known)
    known.submission_id = target.submission_id
    known.received_at = clock.micros()
    known.content = report.open
    known.protected = vault.seal(
        canonical_json(report.protected), f"report:{target.source.id}:{report.reference}"
    )
    known.digest = digest
    session.flush()
    return change


def _reference(document: Any) -> str:
    """The reference of a report that is not valid, as far as it has one; never anything else of it."""
    head = document.get("report") if isinstance(document, dict) else None
    reference = head.get("reference") if isinstance(head, dict) else None
    return shown(reference) if isinstance(reference, str) and len(reference) <= 60 else ""
