"""Write an event to the audit log."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from hub import clock
from hub.audit.records import AuditEvent
from hub.db.bulk import execute, insert_rows
from hub.db.database import lock_appends
from hub.stix.canonical import canonical_json


@dataclass(frozen=True, slots=True)
class Event:
    """One event, as ``record`` takes it."""

    actor: str
    action: str
    subject: str
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    why: str = ""


def record(
    session: Session,
    actor: str,
    action: str,
    subject: str,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    why: str = "",
) -> None:
    """Append one event within the caller's transaction, so that it stands exactly when the change does.

    ``actor`` is a member or person id, or "operator" for the command line; ``action`` is resource:verb.
    """
    record_all(session, [Event(actor, action, subject, before, after, why)])


def record_all(session: Session, events: Sequence[Event]) -> None:
    """Append several events, in their order, as ``record`` appends one."""
    lock_appends(session)
    last = execute(session, "SELECT id, chain FROM audit_event ORDER BY id DESC LIMIT 1")
    newest, chain = (last[0].id, bytes(last[0].chain)) if last else (0, b"")
    at = clock.micros()
    rows = []
    for number, event in enumerate(events, newest + 1):
        detail = canonical_json({"before": event.before, "after": event.after, "why": event.why})
        head = canonical_json([number, at, event.actor, event.action, event.subject])
        chain = hashlib.sha256(chain + head + detail).digest()
        rows.append(
            {
                "id": number,
                "at": at,
                "actor": event.actor,
                "action": event.action,
                "subject": event.subject,
                "detail": detail.decode(),
                "chain": chain,
            }
        )
    if rows:
        insert_rows(session, AuditEvent, rows)
