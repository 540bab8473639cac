"""What a member sends, put into the inbox in its name."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from hub.feeds import inbox, sources
from hub.feeds.inbox import SubmissionView
from hub.web.identity import actor
from hub.web.services import services


def submit(session: Session, kind: str, raw: bytes, total: int, **more: Any) -> SubmissionView:
    """Put ``raw`` into the inbox as the actor's; ``more`` is what else the Arrival says. Raises as ``receive`` does."""
    source = sources.of_member(session, actor(), services().settings.intake.default_grade)
    arrival = inbox.Arrival(kind, source.id, actor().member_id, raw, total, actor().member_id, **more)
    return inbox.receive(session, services().vault, arrival)
