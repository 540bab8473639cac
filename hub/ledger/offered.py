"""What a collection offers to somebody: how many objects they may see there, and how new the newest is."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hub.auth import Actor
from hub.ledger.records import Entry, LastPoll
from hub.ledger.views import Head, Views


@dataclass(frozen=True, slots=True)
class Offered:
    """One collection as one reader sees it. ``newest`` is in microseconds, None for an empty one."""

    id: str
    alias: str
    title: str
    can_read: bool
    can_write: bool
    objects: int
    newest: int | None
    last_poll: LastPoll | None
    behind: int


def offered(session: Session, views: Views, actor: Actor, head: Head) -> list[Offered]:
    """Every collection that the actor may know of, with what it holds for them and how they last asked.

    ``behind`` counts the versions since the last poll. What the actor may not see is not counted.
    """
    polls = {
        poll.collection_no: poll
        for poll in session.scalars(select(LastPoll).where(LastPoll.member_id == actor.member_id))
    }
    view = views.of(actor, head)
    found = []
    for one in view.collections:
        poll = polls.get(one.no)
        streams = Entry.stream_id.in_(view.stream_ids(one.no))
        objects, newest = session.execute(
            select(func.count(), func.max(Entry.date_added)).where(streams, Entry.latest == 1)
        ).one()
        after = select(func.count()).where(streams, Entry.latest == 1, Entry.seq > (poll.cursor if poll else 0))
        found.append(
            Offered(
                one.id, one.alias, one.title, one.can_read, one.can_write, objects, newest, poll,
                session.scalar(after) or 0,
            )
        )  # fmt: skip
    return found
