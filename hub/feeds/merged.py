"""Indicators while statements are merged into them: loaded with all that is said of them, and stored again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from hub.db.bulk import chunks, insert_rows, select_in
from hub.feeds import sources
from hub.feeds.contributed import Contributed, Derived, contributed, contribution_row
from hub.feeds.records import Contribution, Indicator
from hub.feeds.sources import Contributor
from hub.stix.values import Value, account_of

# The row id of an indicator that is not written yet.
UNNUMBERED = 0
INDICATORS = "SELECT id, key, stix_id, generation, created, modified, content FROM indicator WHERE key IN (…)"


@dataclass(slots=True)
class Merged:
    """One indicator while a batch is merged into it.

    By the ids of the sources: ``fresh`` spoke first, ``touched`` said something new, ``relinked`` only have other
    links, ``retracted`` took back what they said. ``dropped`` are links of what is said in other objects still.
    """

    value: Value
    key: str
    stix_id: str
    row_id: int
    is_new: bool
    generation: int = 0
    created: int = 0
    modified: int = 0
    content: bytes = b""
    falls_at: int | None = None
    said: dict[int, Contributed] = field(default_factory=dict)
    fresh: set[int] = field(default_factory=set)
    touched: set[int] = field(default_factory=set)
    relinked: set[int] = field(default_factory=set)
    retracted: dict[int, Contributed] = field(default_factory=dict)
    dropped: list[Derived] = field(default_factory=list)

    @property
    def revoked(self) -> bool:
        """Nobody says it any more."""
        return not self.said

    @property
    def is_changed(self) -> bool:
        """Something is to be stored."""
        return bool(self.touched or self.relinked or self.retracted)


def load(session: Session, by_key: dict[str, Value], source: Contributor | None = None) -> dict[Value, Merged]:
    """The indicators that there are under these keys, with everything that is said of them; ``source`` need not be
    looked up.
    """
    merged: dict[Value, Merged] = {}
    by_row: dict[int, Merged] = {}
    for row in select_in(session, INDICATORS, by_key):
        one = Merged(
            by_key[row.key], row.key, row.stix_id, row.id, False, row.generation, row.created, row.modified,
            bytes(row.content),
        )  # fmt: skip
        merged[one.value] = by_row[row.id] = one
    rows: list[Any] = []
    for chunk in chunks(list(by_row)):
        rows += session.execute(select(Contribution.__table__).where(Contribution.indicator_id.in_(chunk))).all()
    known = {} if source is None else {source.id: source}
    known |= sources.by_ids(session, {row.source_id for row in rows} - set(known))
    for row in rows:
        by_row[row.indicator_id].said[row.source_id] = contributed(row, known[row.source_id])
    return merged


def store(session: Session, changed: Sequence[Merged]) -> None:
    """Write indicators and contributions; call under the append lock."""
    fresh = [one for one in changed if one.is_new]
    again = [one for one in changed if not one.is_new]
    if fresh:
        insert_rows(session, Indicator, [_indicator_row(one) for one in fresh])
    if again:
        session.execute(update(Indicator), [_indicator_row(one) for one in again])
    rows = [(one, source_id) for one in changed for source_id in sorted(one.touched | one.relinked)]
    added = [_contribution(one, source_id) for one, source_id in rows if source_id in one.fresh]
    revised = [_contribution(one, source_id) for one, source_id in rows if source_id not in one.fresh]
    if added:
        insert_rows(session, Contribution, added)
    if revised:
        session.execute(update(Contribution), revised)
    _delete(session, ((one.row_id, source_id) for one in changed for source_id in one.retracted))


def _delete(session: Session, contributions: Iterable[tuple[int, int]]) -> None:
    for indicator_id, source_id in contributions:
        session.execute(
            delete(Contribution).where(Contribution.indicator_id == indicator_id, Contribution.source_id == source_id)
        )


def _contribution(one: Merged, source_id: int) -> dict[str, Any]:
    return contribution_row(one.row_id, one.said[source_id])


def _indicator_row(one: Merged) -> dict[str, Any]:
    return {
        "id": one.row_id,
        "key": one.key,
        "stix_id": one.stix_id,
        "generation": one.generation,
        "kind": one.value.kind.value,
        "value": one.value.text,
        "account": account_of(one.value),
        "created": one.created,
        "modified": one.modified,
        "content": one.content,
        "falls_at": one.falls_at,
    }
