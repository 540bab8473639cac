"""Values that a list names without a time: each counts as seen for as long as the list names it.

That it still stands there is said anew only now and then (``statements.renewal``), whatever the list's size and
however often it is read: what is due is asked of an index, and nothing else is looked at.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from hub import clock
from hub.audit import record
from hub.db import Database
from hub.db.bulk import chunks
from hub.db.database import lock_appends
from hub.feeds.merge import Merger
from hub.feeds.records import Contribution, Feed, Indicator
from hub.feeds.sources import HUB, Contributor
from hub.stix.values import Kind, Value

# Each transaction holds the append lock.
AT_ONCE = 200


class Held(NamedTuple):
    """What a source has said of a value, in short: as in the table ``contribution``."""

    indicator_id: int
    renew_at: int | None
    gone_at: int | None


def due(session: Session, source_id: int) -> list[Value]:
    """What the source lists, as far as is known, and has not been seen there for long enough."""
    rows = session.execute(
        select(Indicator.kind, Indicator.value)
        .join(Contribution, Contribution.indicator_id == Indicator.id)
        .where(
            Contribution.source_id == source_id, Contribution.gone_at.is_(None),
            Contribution.renew_at <= clock.micros(),
        )
    )  # fmt: skip
    return [Value(Kind(kind), text) for kind, text in rows]


def renew(database: Database, merger: Merger, source: Contributor, only: Collection[Value] | None = None) -> int:
    """Let what is due of ``source`` count as seen now; of ``only`` these values where they are given. Returns how
    many did.
    """
    with database.reading() as session:
        listed = [value for value in due(session, source.id) if only is None or value in only]
    renewed = 0
    for start in range(0, len(listed), AT_ONCE):
        with database.unit_of_work() as session:
            seen = merger.renew(session, source, listed[start : start + AT_ONCE])
            if seen:
                record(session, HUB, "indicator:renew", source.name, after={"listed": seen})
        renewed += seen
    return renewed


def is_feed(session: Session, source: Contributor) -> bool:
    """Whether it is pulled; then its runs say what it lists."""
    return session.get(Feed, source.name) is not None


def held(session: Session, source_id: int) -> dict[Value, Held]:
    """What the source has said and not taken back."""
    rows = session.execute(
        select(Indicator.kind, Indicator.value, Contribution.indicator_id, Contribution.renew_at, Contribution.gone_at)
        .join(Contribution, Contribution.indicator_id == Indicator.id)
        .where(Contribution.source_id == source_id)
    )
    return {Value(Kind(kind), text): Held(number, renew_at, gone_at) for kind, text, number, renew_at, gone_at in rows}


def note(database: Database, source_id: int, before: dict[Value, Held], now_listed: Collection[Value]) -> None:
    """Keep which values without times a feed no longer lists, and which it lists again."""
    gone = [
        said.indicator_id for value, said in before.items()
        if said.renew_at is not None and said.gone_at is None and value not in now_listed
    ]  # fmt: skip
    back = [said.indicator_id for value, said in before.items() if said.gone_at is not None and value in now_listed]
    _mark(database, source_id, gone, clock.micros())
    _mark(database, source_id, back, None)


def _mark(database: Database, source_id: int, indicators: Sequence[int], gone_at: int | None) -> None:
    for chunk in chunks(indicators):
        with database.unit_of_work() as session:
            lock_appends(session)
            marked = Contribution.source_id == source_id, Contribution.indicator_id.in_(chunk)
            session.execute(update(Contribution).where(*marked).values(gone_at=gone_at))
