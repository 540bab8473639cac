"""A batch of sightings: what a member saw, counted in its contribution to the indicator, each row once.

A row is known again by its value, count and times; one without a time by the day on which it came. What the member
may see was looked up when it came (``Resolved``): for the indicator that it saw, in a collection where it stands.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy.orm import Session

from hub import clock
from hub.db.database import lock_appends
from hub.feeds import recognised
from hub.feeds.batch import FAILURE, QUARANTINED, SUCCESS, Result, Target
from hub.feeds.holding import HeldStatement, hold
from hub.feeds.indicator import indicator_key
from hub.feeds.merge import Merger
from hub.feeds.posted import PostedSighting
from hub.feeds.readers.reading import RawIndicator
from hub.feeds.records import SourceRecord
from hub.feeds.sift import Held, Rules, passed, sift
from hub.feeds.statements import Change, Statement
from hub.feeds.values_batch import TOLD, collection_of, micros, own_changes
from hub.ledger.classes import Audience
from hub.stix.values import Kind, Value

# The same whether there is none or the member may not see it.
NO_INDICATOR = "there is no such indicator"


@dataclass(frozen=True, slots=True)
class Resolved:
    """The hub's indicator that a row is of, which the member saw in this collection when the row came."""

    value: Value
    collection_no: int


@dataclass(frozen=True, slots=True)
class ReadSighting:
    """One row of a submission that came on ``day`` ("2026-11-22"); ``refused`` says why it is none."""

    row: PostedSighting
    day: str
    resolved: Resolved | None
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class PlannedSighting:
    """A row whose value may be published."""

    position: int
    read: ReadSighting
    value: Value
    resolved: Resolved | None


@dataclass(slots=True)
class SightingPlan:
    """What a batch of sightings comes to before anything is written."""

    rows: list[PlannedSighting] = field(default_factory=list)
    held: list[HeldStatement] = field(default_factory=list)
    result: Result = field(default_factory=Result)


def column_of(resolved: Mapping[int, Resolved], refused: Mapping[int, str]) -> dict[str, Any]:
    """What was looked up, by the position of the row, as the inbox keeps it beside the body."""
    found: dict[str, Any] = {str(n): [one.collection_no, one.value.kind.value, one.value.text]
                             for n, one in resolved.items()}  # fmt: skip
    return {**found, **{str(n): reason for n, reason in refused.items()}}


def readings(rows: Iterable[PostedSighting], column: Mapping[str, Any], received_at: int) -> list[ReadSighting]:
    """The rows of a submission with what ``column_of`` kept of them."""
    day = clock.timestamp(received_at)[:10]
    read = []
    for position, row in enumerate(rows):
        kept = column.get(str(position))
        resolved = Resolved(Value(Kind(kept[1]), kept[2]), kept[0]) if isinstance(kept, list) else None
        read.append(ReadSighting(row, day, resolved, kept if isinstance(kept, str) else None))
    return read


def plan(batch: Sequence[tuple[int, ReadSighting]], target: Target, rules: Rules) -> SightingPlan:
    """Sift ``batch``: rows to count, rows that are none, values held back."""
    planned = SightingPlan()
    planned.result.counts["read"] += len(batch)
    for position, read in batch:
        found = found_in(read, rules)
        if found is None:
            _refuse(planned.result, position, read)
        elif isinstance(found, Held):
            planned.result.held(position, found)
            if found.status == QUARANTINED and found.value is not None:
                planned.held.append(HeldStatement(found, _statement(read, found.value, *_fresh(found.value, target),
                                                                    target)))  # fmt: skip
        else:
            planned.result.values.add(found)
            same = read.resolved is not None and read.resolved.value == found
            planned.rows.append(PlannedSighting(position, read, found, read.resolved if same else None))
    return planned


def found_in(read: ReadSighting, rules: Rules) -> Value | Held | None:
    """The value that a row is of, why a rule holds it back, None where there is no such indicator for the member."""
    if read.resolved is None:
        if read.row.raw is None:
            return None
        return sift(RawIndicator(read.row.where, read.row.raw, kind=read.row.kind), rules)
    value = read.resolved.value
    through = passed(value, rules)
    return Held(QUARANTINED, read.row.where, value.text, through, value) if isinstance(through, str) else through


def apply(session: Session, planned: SightingPlan, target: Target, merger: Merger) -> None:
    """Count a planned batch within the caller's transaction. Takes the append lock where there is any."""
    hold(session, target.source.id, target.submission_id, planned.held)
    if not planned.rows:
        return
    lock_appends(session)
    source = session.get_one(SourceRecord, target.source.id)
    digests = {one.position: _digest(one) for one in planned.rows}
    counted = recognised.made_before(session, source.id, digests.values())
    fresh = {digests[one.position]: one for one in reversed(planned.rows) if digests[one.position] not in counted}
    standing = merger.audiences(session, {one.value for one in fresh.values() if one.resolved})
    gone = {digest for digest, one in fresh.items() if one.read.row.indicator and one.value not in standing}
    rows = sorted((one for digest, one in fresh.items() if digest not in gone), key=lambda one: one.position)
    statements = [_statement(one.read, one.value, *_for(one, standing, target), target) for one in rows]
    changes = own_changes(merger.merge(session, target.source, statements)) if statements else []
    keys = {digests[one.position]: indicator_key(merger.namespace, one.value) for one in rows}
    recognised.remember(session, source.id, source.reading_context, keys)
    made = {one.position: change for one, change in zip(rows, changes, strict=True)}
    for one in planned.rows:
        if digests[one.position] in gone:  # taken back since the row came
            _refuse(planned.result, one.position, one.read)
            continue
        change = made.get(one.position, Change.UNCHANGED)
        planned.result.counts["accepted"] += 1
        planned.result.counts[change.value] += 1
        subject = one.read.row.indicator or one.value.text
        planned.result.outcome(one.position, SUCCESS, one.read.row.where, subject, message=TOLD[change])


def _refuse(result: Result, position: int, read: ReadSighting) -> None:
    result.counts["refused"] += 1
    message = read.refused or NO_INDICATOR
    result.outcome(position, FAILURE, read.row.where, read.row.indicator or "", message=message)


def _statement(read: ReadSighting, value: Value, collection_no: int, audience: Audience, target: Target) -> Statement:
    return Statement(
        value=value,
        collection_no=collection_no,
        grade=target.source.grade,
        audience=audience,
        first_seen=micros(read.row.first_seen),
        last_seen=micros(read.row.last_seen),
        adds=True,
        count=read.row.count,
    )


def _for(one: PlannedSighting, standing: Mapping[Value, Audience], target: Target) -> tuple[int, Audience]:
    """Where the sighting goes and for whom it is: as the indicator is, so that it makes that neither narrower nor
    wider; of its groups those that the member is in.
    """
    known = standing.get(one.value)
    if one.resolved is None or known is None:
        return _fresh(one.value, target)
    groups = known.groups & target.groups if known.counts_groups else target.groups
    return one.resolved.collection_no, Audience(known.tlp, groups)


def _fresh(value: Value, target: Target) -> tuple[int, Audience]:
    """A value that the member itself is the first to name, as far as it may know."""
    collection_no = target.aliases[collection_of(value.kind)]
    return collection_no, target.audience(collection_no)


def _digest(one: PlannedSighting) -> str:
    row = one.read.row
    when = [row.first_seen, row.last_seen] if row.last_seen else [one.read.day]
    said = ["sighting", one.value.kind.value, one.value.text, row.count, *when]
    return hashlib.sha256(orjson.dumps(said)).hexdigest()[: recognised.DIGEST_DIGITS]
