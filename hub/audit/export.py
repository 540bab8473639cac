"""The audit log as JSON lines, and the check of its chain."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub import clock
from hub.audit.records import AuditEvent
from hub.errors import IntegrityFailure
from hub.stix.canonical import canonical_json

BATCH = 1000


def events(session: Session, *, since: int = 0) -> Iterator[dict[str, Any]]:
    """Events from ``since`` (microseconds) on, oldest first, as JSON objects with the chain in hex."""
    for event in _rows(session):
        if event.at >= since:
            yield shown(event)


def shown(event: AuditEvent) -> dict[str, Any]:
    """One event as a JSON object."""
    return {
        "id": event.id,
        "at": clock.timestamp(event.at),
        "actor": event.actor,
        "action": event.action,
        "subject": event.subject,
        **json.loads(event.detail),
        "chain": event.chain.hex(),
    }


def verify(session: Session) -> int:
    """Check the whole chain; how many events it has.

    Raises IntegrityFailure at the first event that is missing or is not what was recorded. A log that was cut at
    its end shows only beside a chain value that was noted elsewhere, in an earlier export.
    """
    chain, expected = b"", 0
    for event in _rows(session):
        expected += 1
        head = canonical_json([event.id, event.at, event.actor, event.action, event.subject])
        chain = hashlib.sha256(chain + head + event.detail.encode()).digest()
        if event.id != expected or event.chain != chain:
            raise IntegrityFailure("the audit log has been altered here", where=f"event {expected}")
    return expected


def _rows(session: Session) -> Iterator[AuditEvent]:
    """Every event in its order, a batch at a time, so that memory stays bounded."""
    last = 0
    while True:
        batch = session.scalars(
            select(AuditEvent).where(AuditEvent.id > last).order_by(AuditEvent.id).limit(BATCH)
        ).all()
        if not batch:
            return
        yield from batch
        last = batch[-1].id
        for event in batch:
            session.expunge(event)
