"""Search the audit log: by actor, action, subject and time, the newest first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from hub.audit.export import BATCH, shown
from hub.audit.records import AuditEvent
from hub.errors import NotFound

PAGE = 50


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for; empty parts are open.

    ``actors`` are actors as the log names them, ``action`` the beginning of an action, ``subject`` a part of a
    subject; ``since`` (inclusive) and ``until`` (exclusive) are in microseconds.
    """

    actors: Sequence[str] = ()
    action: str = ""
    subject: str = ""
    since: int | None = None
    until: int | None = None

    @property
    def conditions(self) -> list[ColumnElement[bool]]:
        """The same for SQL."""
        found: list[ColumnElement[bool]] = []
        if self.actors:
            found.append(AuditEvent.actor.in_(self.actors))
        if self.action:
            found.append(AuditEvent.action.startswith(self.action, autoescape=True))
        if self.subject:
            found.append(AuditEvent.subject.contains(self.subject, autoescape=True))
        if self.since is not None:
            found.append(AuditEvent.at >= self.since)
        if self.until is not None:
            found.append(AuditEvent.at < self.until)
        return found


def page(session: Session, wanted: Wanted, before: int | None = None) -> list[AuditEvent]:
    """The newest events that fit, those before an id; one more than a page where more follow."""
    asked = select(AuditEvent).where(*wanted.conditions)
    if before is not None:
        asked = asked.where(AuditEvent.id < before)
    return list(session.scalars(asked.order_by(AuditEvent.id.desc()).limit(PAGE + 1)))


def matching(session: Session, wanted: Wanted) -> Iterator[dict[str, Any]]:
    """Every event that fits, oldest first, as JSON objects; a batch at a time, so that memory stays bounded."""
    last = 0
    while True:
        batch = session.scalars(
            select(AuditEvent).where(*wanted.conditions, AuditEvent.id > last).order_by(AuditEvent.id).limit(BATCH)
        ).all()
        if not batch:
            return
        for event in batch:
            yield shown(event)
            session.expunge(event)
        last = batch[-1].id


def find(session: Session, event_id: int) -> dict[str, Any]:
    """One event as a JSON object. Raises NotFound."""
    event = session.get(AuditEvent, event_id)
    if event is None:
        raise NotFound("there is no such event")
    return shown(event)
