"""The audit log's table."""

from __future__ import annotations

from sqlalchemy import Index, Integer, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from hub.db import Record, Timestamp


class AuditEvent(Record):
    """One event. ``chain`` is SHA-256 over the previous event's chain and this event's canonical JSON."""

    __tablename__ = "audit_event"
    __table_args__ = (Index("ix_audit_event_action", "action", "id"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    at: Mapped[Timestamp]
    actor: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    detail: Mapped[str] = mapped_column(Text)
    chain: Mapped[bytes] = mapped_column(LargeBinary)
