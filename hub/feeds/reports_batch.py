"""A batch of fraud reports: kept sealed where they hold people, their suspects' identifiers merged."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from hub import clock
from hub.documents.faults import InvalidReport
from hub.errors import InvalidInput, NotFound
from hub.feeds.batch import FAILURE, QUARANTINED, SUCCESS, Result, Target
from hub.feeds.holding import REPORT, HeldStatement, hold
from hub.feeds.indicator import PERSONAL
from hub.feeds.merge import Merger
from hub.feeds.readers.reading import RawIndicator
from hub.feeds.records import FraudReport
from hub.feeds.reported import Said, known_reports, settle, settle_new, withdraw
from hub.feeds.reports.report import Report
from hub.feeds.reports.schema import load_report
from hub.feeds.sift import Held, Rules, shown, sift
from hub.feeds.statements import Statement
from hub.feeds.values_batch import FRAUD, micros
from hub.ledger.classes import Audience
from hub.sealing import Vault
from hub.stix.canonical import canonical_json
from hub.stix.tlp import Tlp
from hub.stix.values import Kind, Value

NOT_DISSEMINATED = "graded E (suspected to be false): kept, never passed on"


@dataclass(frozen=True, slots=True)
class ReadReport:
    """One document of a batch, as it stands at ``where``."""

    where: str
    document: Any


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A source takes back the report with this reference."""

    reference: str


@dataclass(frozen=True, slots=True)
class PlannedReport:
    """A report with what it says of each identifier, and the places of those that are not published."""

    position: int
    report: Report
    said: Said
    unpublished: list[str]


@dataclass(slots=True)
class ReportPlan:
    """What a batch of reports comes to: each report with its statements."""

    reports: list[PlannedReport] = field(default_factory=list)
    held: list[HeldStatement] = field(default_factory=list)
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
            planned.result.outcome(position, FAILURE, read.where, _reference(read.document, error), message=str(error))
            continue
        planned.reports.append(_plan_report(planned, position, report, target, rules))
    return planned


def apply(session: Session, planned: ReportPlan, target: Target, merger: Merger, vault: Vault) -> None:
    """Write a planned batch within the caller's transaction."""
    known = known_reports(session, target.source, [one.report.reference for one in planned.reports])
    fresh: list[tuple[FraudReport, Said]] = []
    for one in planned.reports:
        kept, change = _store(session, one.report, target, vault, known)
        planned.result.counts["accepted"] += 1
        planned.result.counts[change] += 1
        if change == "new":
            fresh.append((kept, one.said))
        elif change == "updated":
            # It may amend a report of this very batch.
            settle_new(session, merger, target.source, fresh)
            fresh = []
            settle(session, merger, target.source, kept, one.said)
        message = "; ".join([*MESSAGES[change], *one.unpublished]) or None
        planned.result.outcome(one.position, SUCCESS, one.report.where, one.report.reference, message=message)
    settle_new(session, merger, target.source, fresh)
    hold(session, target.source.id, target.submission_id, planned.held)


def withdraw_all(
    session: Session, batch: Sequence[tuple[int, Withdrawal]], target: Target, merger: Merger, result: Result
) -> None:
    """Withdraw reports within the caller's transaction."""
    for position, one in batch:
        result.counts["read"] += 1
        try:
            revoked = withdraw(session, merger, target.source, one.reference)
        except NotFound as error:
            result.counts["refused"] += 1
            result.outcome(position, FAILURE, "reference", one.reference, message=error.message)
            continue
        result.counts["accepted"] += 1
        result.counts["withdrawn"] += 1
        result.counts["revoked"] += revoked
        result.outcome(
            position, SUCCESS, "reference", one.reference, message=f"withdrawn; {revoked} indicators revoked"
        )


MESSAGES = {"new": [], "updated": ["amends an earlier report"], "unchanged": ["already here, unchanged"]}


def _plan_report(planned: ReportPlan, position: int, report: Report, target: Target, rules: Rules) -> PlannedReport:
    statements, held, unpublished = [], [], []
    for reading, found in _sifted(report, rules):
        if not isinstance(found, Held):
            planned.result.values.add(found)
            statements.append(_statement(report, reading, found, target))
            continue
        planned.result.counts["held_values"] += 1
        # The place and the rule only: a value that nobody could make sense of is not repeated.
        unpublished.append(f"{found.where} is not published" + (f" ({found.reason})" if found.value else ""))
        if found.value is not None:
            statement = _statement(report, reading, found.value, target)
            planned.held.append(HeldStatement(found, statement, REPORT))
            held.append(found.value)
    return PlannedReport(position, report, Said(statements, frozenset(held)), unpublished)


def _statement(report: Report, reading: RawIndicator, value: Value, target: Target) -> Statement:
    grade = report.grade
    return Statement(
        value=value,
        collection_no=target.chosen or target.aliases[FRAUD],
        grade=f"{grade.source}{grade.intelligence}" if grade else target.source.grade,
        audience=audience(value.kind, grade.handling if grade else None, target),
        labels=reading.labels,
        first_seen=micros(reading.first_seen),
        last_seen=micros(reading.last_seen),
        kill_chain_phases=reading.kill_chain_phases,
    )


def _sifted(report: Report, rules: Rules) -> Iterator[tuple[RawIndicator, Value | Held]]:
    """Each identifier of a report, held back where it may not be published."""
    for reading in report.indicators():
        found = sift(reading, rules)
        if not isinstance(found, Held) and report.grade is not None and not report.grade.disseminable:
            found = Held(QUARANTINED, reading.where, shown(reading.raw), NOT_DISSEMINATED, found)
        yield reading, found


def values_of(read: ReadReport, rules: Rules) -> list[Value | Held]:
    """What an acceptable report stands for."""
    return [found for _, found in _sifted(load_report(read.document, read.where), rules)]


def audience(kind: Kind, handling: str | None, target: Target) -> Audience:
    """Who an identifier of a report is for (FRAUD.md, "Grading"): handling C asks for AMBER+STRICT, otherwise
    AMBER for what identifies people or their money, GREEN for the rest; never less than the sender asked for.
    """
    ordinary = Tlp.AMBER if kind in PERSONAL else Tlp.GREEN
    own = Tlp.AMBER_STRICT if handling == "C" else ordinary
    return Audience(max(own, target.tlp or Tlp.CLEAR), target.groups)


def _store(
    session: Session, report: Report, target: Target, vault: Vault, known: dict[str, FraudReport]
) -> tuple[FraudReport, str]:
    """Keep the report. Returns it with "new", "updated" (an amendment) or "unchanged" (sent before)."""
    digest = hashlib.sha256(canonical_json([report.open, report.protected])).digest()
    kept = known.get(report.reference)
    if kept is not None and kept.digest == digest and not kept.withdrawn:
        return kept, "unchanged"
    change = "new" if kept is None or kept.withdrawn else "updated"
    if kept is None:
        kept = known[report.reference] = FraudReport(source_id=target.source.id, reference=report.reference)
        session.add(kept)
    kept.withdrawn = False
    kept.submission_id = target.submission_id
    kept.received_at = clock.micros()
    kept.content = report.open
    kept.protected = vault.seal(canonical_json(report.protected), f"report:{target.source.id}:{report.reference}")
    kept.digest = digest
    return kept, change


def _reference(document: Any, error: InvalidInput) -> str:
    """The reference of a report that is not valid, unless it is at fault itself; never anything else of it."""
    places = [fault.where for fault in error.faults] if isinstance(error, InvalidReport) else []
    if any(place.endswith("report.reference") for place in places):
        return ""
    head = document.get("report") if isinstance(document, dict) else None
    reference = head.get("reference") if isinstance(head, dict) else None
    return shown(reference) if isinstance(reference, str) and len(reference) <= 64 else ""
