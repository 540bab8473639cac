"""Which of some ids an actor may see, anywhere or in one collection."""

from __future__ import annotations

from collections.abc import Sequence

from hub.auth import Actor
from hub.db import Database
from hub.ledger.views import Head, Views

CHUNK = 200


def visible_ids(
    database: Database, views: Views, actor: Actor, head: Head, ids: Sequence[str], collection_no: int | None = None
) -> set[str]:
    """Those of ``ids`` that stand for an object which the actor may see."""
    view = views.of(actor, head)
    numbers = tuple(view.streams) if collection_no is None else (collection_no,)
    streams = tuple(stream for no in numbers for stream in view.stream_ids(no))
    if not streams:
        return set()
    found: set[str] = set()
    for start in range(0, len(ids), CHUNK):
        chunk = ids[start : start + CHUNK]
        sql = (
            f"SELECT DISTINCT stix_id FROM entry WHERE collection_no IN ({_marks(numbers)})"  # noqa: S608 (marks only)
            f" AND stix_id IN ({_marks(chunk)}) AND stream_id IN ({_marks(streams)})"
        )
        found.update(row[0] for row in database.select(sql, [*numbers, *chunk, *streams]))
    return found


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))
