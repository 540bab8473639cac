"""Where subject access meets the feeds: who named an identifier in an indicator, a report or a value that is held."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from hub.checks.kept.mentions import Mention
from hub.feeds.holding import HELD
from hub.feeds.records import Contribution, FraudReport, Indicator, Quarantined, ReportedValue, SourceRecord
from hub.stix.values import Value


def mentions(session: Session, values: Sequence[Value]) -> list[Mention]:
    """Who named one of ``values`` (``hub.checks.kept.mentions.Mentioned``), by kind of mention, the oldest first."""
    if not values:
        return []
    found = [*_indicators(session, values), *_reports(session, values), *_held(session, values)]
    return sorted(found, key=lambda one: (one.what, one.at, one.id))


def _indicators(session: Session, values: Sequence[Value]) -> Iterator[Mention]:
    wanted = or_(*(and_(Indicator.kind == one.kind.value, Indicator.value == one.text) for one in values))
    rows = session.execute(
        select(Indicator, Contribution, SourceRecord)
        .join(Contribution, Contribution.indicator_id == Indicator.id)
        .join(SourceRecord, SourceRecord.id == Contribution.source_id)
        .where(wanted)
    )
    for indicator, said, source in rows:
        yield Mention(
            f"{indicator.stix_id}.{source.id}", "indicator", source.member_id, source.name, indicator.value,
            ", ".join(said.labels), "in force" if indicator.content else "revoked", said.last_seen,
        )  # fmt: skip


def _reports(session: Session, values: Sequence[Value]) -> Iterator[Mention]:
    wanted = or_(*(and_(ReportedValue.kind == one.kind.value, ReportedValue.value == one.text) for one in values))
    rows = session.execute(
        select(ReportedValue, FraudReport, SourceRecord)
        .join(FraudReport, FraudReport.id == ReportedValue.report_id)
        .join(SourceRecord, SourceRecord.id == FraudReport.source_id)
        .where(wanted)
    )
    for named, report, source in rows:
        yield Mention(
            f"report.{report.id}.{named.kind}", "report", source.member_id, source.name, named.value,
            str(report.content.get("report", {}).get("nfib_code", "")),
            "withdrawn" if report.withdrawn else "held back" if named.held else "published", report.received_at,
        )  # fmt: skip


def _held(session: Session, values: Sequence[Value]) -> Iterator[Mention]:
    wanted = or_(*(and_(Quarantined.kind == one.kind.value, Quarantined.value == one.text) for one in values))
    rows = session.execute(
        select(Quarantined, SourceRecord)
        .join(SourceRecord, SourceRecord.id == Quarantined.source_id)
        .where(wanted, Quarantined.state == HELD)
    )
    for held, source in rows:
        yield Mention(
            f"held.{held.id}", "held value", source.member_id, source.name, held.value, ", ".join(held.labels),
            held.state, held.held_at,
        )  # fmt: skip
