"""Merge: one hub-authored indicator for each canonical value, whoever reports it and however often.

Every statement is recorded as a contribution of its source. The indicator gets a new version only when what
it says changes; the same statement again changes nothing at all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from hub import clock
from hub.db.bulk import chunks, insert_rows, select_in
from hub.db.database import lock_appends
from hub.feeds import sources
from hub.feeds.indicator import (
    MOST_LABELS,
    Contributed,
    audience_of,
    compose,
    confidence_of,
    indicator_id,
    indicator_key,
    sighting,
)
from hub.feeds.records import Contribution, Indicator
from hub.feeds.sources import Contributor
from hub.ledger.append import Draft, Log, Source, draft
from hub.ledger.classes import Audience
from hub.stix.tlp import Tlp
from hub.stix.validation import check
from hub.stix.values import Value

MILLISECOND = 1000
# The row id of an indicator that is not written yet.
UNNUMBERED = 0
NONE_LEFT: Mapping[Value, int] = {}
FINGERPRINTS = (
    "SELECT i.key, c.fingerprint FROM indicator i JOIN contribution c ON c.indicator_id = i.id"
    " WHERE c.source_id = ? AND i.key IN (…)"
)
INDICATORS = "SELECT id, key, stix_id, generation, created, modified, content FROM indicator WHERE key IN (…)"


class Change(StrEnum):
    """What a statement did."""

    NEW = "new"
    SIGHTED = "sighted"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class Statement:
    """What a source says of one value. Times in microseconds, None where the source states none.

    ``adds``: it is one more report and counts as such, rather than the source's present view of the value.
    """

    value: Value
    collection_no: int
    grade: str
    audience: Audience
    labels: tuple[str, ...] = ()
    first_seen: int | None = None
    last_seen: int | None = None
    adds: bool = False

    @cached_property
    def fingerprint(self) -> bytes:
        """Equal exactly for statements that say the same."""
        said = [
            self.collection_no, self.grade, self.audience.key, sorted(self.labels), self.first_seen, self.last_seen,
        ]  # fmt: skip
        return hashlib.sha256(orjson.dumps(said)).digest()[:16]


@dataclass(slots=True)
class _Merged:
    """One indicator while a batch is merged into it."""

    value: Value
    key: str
    stix_id: str
    row_id: int
    is_new: bool
    generation: int = 0
    created: int = 0
    modified: int = 0
    content: bytes = b""
    said: dict[int, Contributed] = field(default_factory=dict)
    fresh: set[int] = field(default_factory=set)
    touched: set[int] = field(default_factory=set)
    retracted: dict[int, Contributed] = field(default_factory=dict)

    @property
    def revoked(self) -> bool:
        """Nobody says it any more."""
        return not self.said


@dataclass(frozen=True, slots=True)
class MergePlan:
    """What statements come to: the changes, the objects to append, and the state that this was made from."""

    statements: Sequence[Statement]
    baseline: dict[Value, _Merged]
    touched: list[_Merged]
    changes: list[Change]
    drafts: list[Draft]


@dataclass(frozen=True, slots=True)
class Merger:
    """Merges statements into the ledger. ``sightings_no`` is the collection that members' sightings go to."""

    log: Log
    namespace: UUID
    hub_ref: str
    hub_source_id: int
    sightings_no: int

    def unchanged(self, session: Session, source: Contributor, statements: Sequence[Statement]) -> set[int]:
        """Positions of statements that the source has made before in the same words: no lock, reads only."""
        keys = [indicator_key(self.namespace, one.value) for one in statements]
        found = select_in(session, FINGERPRINTS, keys, [source.id])
        known: dict[str, bytes] = {key: bytes(fingerprint) for key, fingerprint in found}
        return {
            position
            for position, (key, one) in enumerate(zip(keys, statements, strict=True))
            if not one.adds and known.get(key) == one.fingerprint
        }

    def merge(self, session: Session, source: Contributor, statements: Sequence[Statement]) -> list[Change]:
        """Merge ``statements`` of ``source``; one Change each, in order. Takes the append lock."""
        lock_appends(session)
        return self._commit(session, self.plan(session, source, statements))

    def plan(self, session: Session, source: Contributor, statements: Sequence[Statement]) -> MergePlan:
        """Merge ``statements`` without writing anything: reads only, so that all that is slow needs no lock."""
        values = [one.value for one in statements]
        # First what ``write`` will compare: a change in between is then seen as one, never overlooked.
        baseline = self._load(session, source, values)
        merged = self._load(session, source, values) if baseline else {}
        for value in values:
            if value not in merged:
                key = indicator_key(self.namespace, value)
                merged[value] = _Merged(value, key, key, UNNUMBERED, True)
        changes = [self._apply(merged[one.value], source, one) for one in statements]
        touched = [one for one in merged.values() if one.touched]
        return MergePlan(
            statements, baseline, touched, changes, [made for one in touched for made in self._drafts(one)]
        )

    def write(self, session: Session, source: Contributor, planned: MergePlan) -> list[Change]:
        """Write a plan under the append lock; it is made anew where what it was made from has changed since."""
        lock_appends(session)
        if self._load(session, source, [one.value for one in planned.statements]) != planned.baseline:
            planned = self.plan(session, source, planned.statements)
        return self._commit(session, planned)

    def _commit(self, session: Session, planned: MergePlan) -> list[Change]:
        """Number and append what is planned; under the append lock, nothing can have changed since."""
        number = session.scalar(select(func.max(Indicator.id))) or 0
        for one in planned.touched:
            if one.is_new:
                number += 1
                one.row_id = number
        self._append(session, planned.touched, planned.drafts)
        return planned.changes

    def retract(
        self, session: Session, source: Contributor, values: Iterable[Value], left: Mapping[Value, int] = NONE_LEFT
    ) -> int:
        """Take back what ``source`` says of ``values``; what nobody else says is revoked. Returns how many were.

        ``left`` counts the reports of the source that still name a value: with any left, only the count falls.
        A source that never spoke of a value, or has taken it back, changes nothing. Takes the append lock.
        """
        lock_appends(session)
        merged = self._load(session, source, values)
        for one in merged.values():
            if source.id not in one.said:
                continue
            if still := left.get(one.value, 0):
                one.said[source.id].count = still
                one.touched.add(source.id)
            else:
                one.retracted[source.id] = one.said.pop(source.id)
        changed = [one for one in merged.values() if one.retracted or one.touched]
        self._append(session, changed, [made for one in changed for made in self._drafts(one)])
        return sum(1 for one in changed if one.revoked)

    def _append(self, session: Session, changed: Sequence[_Merged], drafts: Sequence[Draft]) -> None:
        """Store what changed, and append the objects that it gives."""
        self._store(session, changed)
        for outcome in self.log.append(session, drafts):
            if outcome.refused:
                raise RuntimeError(f"the hub's own object was refused: {outcome.refused}")

    def _load(self, session: Session, source: Contributor, values: Iterable[Value]) -> dict[Value, _Merged]:
        """The indicators of ``values`` that there are, with everything that is said of them."""
        by_key = {indicator_key(self.namespace, value): value for value in values}
        merged: dict[Value, _Merged] = {}
        by_row: dict[int, _Merged] = {}
        for row in select_in(session, INDICATORS, by_key):
            one = _Merged(
                by_key[row.key], row.key, row.stix_id, row.id, False, row.generation, row.created, row.modified,
                bytes(row.content),
            )  # fmt: skip
            merged[one.value] = by_row[row.id] = one
        self._load_contributions(session, source, by_row)
        return merged

    def _load_contributions(self, session: Session, source: Contributor, by_row: dict[int, _Merged]) -> None:
        rows: list[Any] = []
        for chunk in chunks(list(by_row)):
            found = select(Contribution.__table__).where(Contribution.indicator_id.in_(chunk))
            rows += session.execute(found).all()
        known = {source.id: source} | sources.by_ids(session, {row.source_id for row in rows} - {source.id})
        for row in rows:
            by_row[row.indicator_id].said[row.source_id] = Contributed(
                known[row.source_id], frozenset(row.collections), row.first_seen, row.last_seen, row.count, row.grade,
                Tlp(row.tlp), frozenset(row.groups), tuple(row.labels), row.fingerprint, row.sighting_created,
                row.sighting_modified,
            )  # fmt: skip

    def _drafts(self, one: _Merged) -> list[Draft]:
        """The objects that a changed indicator gives: its new version where it says something new, sightings."""
        said = list((one.said or one.retracted).values())
        audience = audience_of(said)
        content = compose(one.value, said, audience, self.hub_ref)
        if one.revoked:
            content["revoked"] = True
        digest = hashlib.sha256(orjson.dumps(content)).digest()
        now = clock.micros() // MILLISECOND * MILLISECOND
        if digest != one.content:
            one.modified = max(now, one.modified + MILLISECOND)
            one.created = one.created or one.modified
            one.content = b"" if one.revoked else digest
        obj = {
            **content,
            "id": one.stix_id,
            "created": clock.stix_timestamp(one.created),
            "modified": clock.stix_timestamp(one.modified),
        }
        check(obj)
        hub = Source(self.hub_source_id, sources.HUB, self.hub_ref)
        op = "revoke" if one.revoked else "add" if one.is_new else "revise"
        collections = {no for entry in (*said, *one.retracted.values()) for no in entry.collections}
        first = draft(obj, min(collections), audience, hub, op)
        drafts = [first, *(first.into(other) for other in sorted(collections - {first.collection_no}))]
        spoken = [one.said[source_id] for source_id in sorted(one.touched)]
        drafts += [self._sighting(one, by, hub, now, revoked=False) for by in spoken if not by.source.is_feed]
        taken_back = one.retracted.values()
        drafts += [self._sighting(one, by, hub, now, revoked=True) for by in taken_back if not by.source.is_feed]
        return drafts

    def _sighting(self, one: _Merged, by: Contributed, hub: Source, now: int, *, revoked: bool) -> Draft:
        by.sighting_modified = max(now, by.sighting_modified + MILLISECOND)
        by.sighting_created = by.sighting_created or by.sighting_modified
        seen = sighting(self.namespace, self.hub_ref, one.stix_id, by)
        if revoked:
            seen["revoked"] = True
        check(seen)
        return draft(seen, self.sightings_no, by.audience, hub, "revoke" if revoked else "add")

    def _store(self, session: Session, touched: Sequence[_Merged]) -> None:
        fresh = [one for one in touched if one.is_new]
        changed = [one for one in touched if not one.is_new]
        if fresh:
            insert_rows(session, Indicator, [_indicator_row(one) for one in fresh])
        if changed:
            session.execute(update(Indicator), [_indicator_row(one) for one in changed])
        rows = [(one, source_id) for one in touched for source_id in sorted(one.touched)]
        added = [_contribution_row(one, s) for one, s in rows if s in one.fresh]
        revised = [_contribution_row(one, s) for one, s in rows if s not in one.fresh]
        if added:
            insert_rows(session, Contribution, added)
        if revised:
            session.execute(update(Contribution), revised)
        for one in touched:
            for source_id in one.retracted:
                session.execute(
                    delete(Contribution).where(
                        Contribution.indicator_id == one.row_id, Contribution.source_id == source_id
                    )
                )

    def _apply(self, one: _Merged, source: Contributor, statement: Statement) -> Change:
        """Record ``statement``; a value that comes back after a revocation begins anew, under a new id."""
        if one.revoked and not one.is_new and not one.touched:
            one.generation += 1
            one.stix_id = indicator_id(self.namespace, one.value, one.generation)
            one.created = 0
        return _record(one, source, statement)


def _record(one: _Merged, source: Contributor, statement: Statement) -> Change:
    """Record ``statement`` in the contribution of ``source``."""
    known = one.said.get(source.id)
    if known is not None and not statement.adds and known.fingerprint == statement.fingerprint:
        return Change.UNCHANGED
    if known is None:
        now = clock.micros()
        last = min(statement.last_seen or statement.first_seen or now, now)
        first = min(statement.first_seen or last, last)
        one.touched.add(source.id)
        change = Change.SIGHTED if one.said else Change.NEW
        one.fresh.add(source.id)
        one.said[source.id] = Contributed(
            source, frozenset({statement.collection_no}), first, last, 1, statement.grade, statement.audience.tlp,
            statement.audience.groups, tuple(sorted(statement.labels)), statement.fingerprint, 0, 0,
        )  # fmt: skip
        return change
    joined = _joined_with(known, statement)
    if joined == known:
        return Change.UNCHANGED
    one.said[source.id] = replace(joined, fingerprint=statement.fingerprint)
    one.touched.add(source.id)
    return Change.UPDATED


def _joined_with(known: Contributed, statement: Statement) -> Contributed:
    """What the source says after ``statement``, in whatever order it says it: the strictest TLP and whom that is
    for, the best grade, all labels and collections, the widest span of time; one more report where it ``adds``.
    """
    now = clock.micros()
    last = min(statement.last_seen or (now if statement.adds else known.last_seen), now)
    first = statement.first_seen or known.first_seen
    tlp = max(known.tlp, statement.audience.tlp)
    audiences = ((known.tlp, known.groups), (statement.audience.tlp, statement.audience.groups))
    return replace(
        known,
        collections=known.collections | {statement.collection_no},
        first_seen=min(known.first_seen, first),
        last_seen=max(known.last_seen, last, first),
        count=known.count + statement.adds,
        grade=max(known.grade, statement.grade, key=confidence_of),
        tlp=tlp,
        groups=frozenset().union(*(groups for level, groups in audiences if level == tlp)),
        labels=_joined(known.labels, statement.labels),
    )


def _joined(known: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    """Labels said before and now, no more than an indicator shows."""
    return tuple(sorted({*known, *more})[:MOST_LABELS])


def _indicator_row(one: _Merged) -> dict[str, Any]:
    return {
        "id": one.row_id,
        "key": one.key,
        "stix_id": one.stix_id,
        "generation": one.generation,
        "kind": one.value.kind.value,
        "value": one.value.text,
        "created": one.created,
        "modified": one.modified,
        "content": one.content,
    }


def _contribution_row(one: _Merged, source_id: int) -> dict[str, Any]:
    said = one.said[source_id]
    return {
        "indicator_id": one.row_id,
        "source_id": source_id,
        "collections": sorted(said.collections),
        "fingerprint": said.fingerprint,
        "first_seen": said.first_seen,
        "last_seen": said.last_seen,
        "count": said.count,
        "grade": said.grade,
        "tlp": int(said.tlp),
        "groups": sorted(said.groups),
        "labels": list(said.labels),
        "sighting_created": said.sighting_created,
        "sighting_modified": said.sighting_modified,
    }
