"""Write an event to the audit log."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub import clock
from hub.audit.records import AuditEvent
from hub.db.database import lock_appends
from hub.stix.canonical import canonical_json


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
    lock_appends(session)
    last = session.execute(select(AuditEvent.id, AuditEvent.chain).order_by(AuditEvent.id.desc()).limit(1)).first()
    detail = canonical_json({"before": before, "after": after, "why": why})
    at = clock.micros()
    event_id = (last.id if last else 0) + 1
    head = canonical_json([event_id, at, actor, action, subject])
    chain = hashlib.sha256((last.chain if last else b"") + head + detail).digest()
    session.add(
        AuditEvent(
            id=event_id,
            at=at,
            actor=actor,
            action=action,
            subject=subject,
            detail=detail.decode(),
            chain=chain,
        )
    )
    session.flush()
