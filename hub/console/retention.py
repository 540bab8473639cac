"""What is due to be deleted, and the runs that deleted something."""

from __future__ import annotations

from typing import Final

import orjson
from flask import Response
from sqlalchemy import select

from hub.audit.records import AuditEvent
from hub.auth import Permission
from hub.checks.kept import retention
from hub.console import naming
from hub.console.furniture import blueprint, page, reading
from hub.web.guard import allow
from hub.web.services import services

SHOWN: Final = 40
SPOKEN: Final = {
    "filings_expired": "Filings whose time has run out",
    "filings_erased": "Filings that ended, erased",
    "answers": "Answers to checks",
    "jobs": "Files of checks with their results",
    "searches": "Records of checks",
    "quota_counters": "Counters of quotas",
    "notices": "Corrections",
    "subject_access_answers": "Answers to requests for access",
    "precheck_keys": "Keys of the pre-check",
    "rotated_keys": "Keys that were rotated out",
    "submissions": "Submissions as they came",
}


@blueprint.get("/retention")
@allow(Permission.CHECKS_WATCH)
def retention_runs() -> Response:
    """The runs, the newest first, and what the next one will delete."""
    kinds, periods = retention.kinds(services().filings(), services().settings.retention), services().settings.retention
    wanted = select(AuditEvent).where(AuditEvent.action == "retention:run").order_by(AuditEvent.id.desc()).limit(SHOWN)
    with reading() as session:
        due = retention.due(session, kinds)
        events = list(session.scalars(wanted))
        names = naming.actors(session, [one.actor for one in events])
    runs = [(one, _counts(one)) for one in events]
    return page(
        "retention.html", "Retention", due=due, runs=runs, names=names, spoken=SPOKEN, periods=periods,
        answers_days=services().settings.checks.keep_answers_days,
    )  # fmt: skip


def _counts(event: AuditEvent) -> dict[str, int]:
    found: dict[str, int] = orjson.loads(event.detail).get("after") or {}
    return {name: count for name, count in found.items() if count}
