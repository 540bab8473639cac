"""A batch of plain values: sift, then merge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from hub.feeds.batch import QUARANTINED, REFUSED, SUCCESS, Result, Target
from hub.feeds.holding import HeldStatement, hold
from hub.feeds.indicator import FRAUD_KINDS, indicator_key
from hub.feeds.merge import MergePlan, Merger
from hub.feeds.readers.reading import RawIndicator, Unread
from hub.feeds.recognised import NOTHING, Recognised, remember
from hub.feeds.sift import Held, Rules, shown, sift
from hub.feeds.statements import Change, Statement
from hub.stix.tlp import Tlp
from hub.stix.values import Kind, Value

FRAUD = "fraud"
CYBER = "cyber"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TOLD = {
    Change.NEW: None,
    Change.UPDATED: "adds to what you said before",
    Change.UNCHANGED: "already here, unchanged",
}
Numbered = tuple[int, RawIndicator | Unread]


@dataclass(slots=True)
class ValuePlan:
    """What a batch of values comes to before anything is written; ``merged`` by the digests of their readings.

    ``places`` are those of the ``statements``, ``repeated`` the positions among them that the source has made before.
    """

    statements: list[Statement] = field(default_factory=list)
    places: list[tuple[int, str]] = field(default_factory=list)
    repeated: set[int] = field(default_factory=set)
    held: list[HeldStatement] = field(default_factory=list)
    merge: MergePlan | None = None
    merged: dict[str, Value] = field(default_factory=dict)
    known: Recognised = NOTHING
    result: Result = field(default_factory=Result)


def plan(batch: Sequence[Numbered], target: Target, rules: Rules, known: Recognised = NOTHING) -> ValuePlan:
    """Sift ``batch``: statements to merge, values held back, everything counted.

    What is ``known`` to have been said before in the same way is passed over.
    """
    planned = ValuePlan(known=known)
    again = len(known.values)
    planned.result.counts.update({"read": len(batch), "accepted": again, "unchanged": again})
    planned.result.values.update(known.values.values())
    for position, reading in batch:
        if position in known.values:
            continue
        if isinstance(reading, Unread):
            planned.result.held(position, Held(REFUSED, reading.where, shown(reading.raw), reading.reason))
            continue
        found = _for_members(reading, rules)
        if isinstance(found, Held):
            planned.result.held(position, found)
            if found.status == QUARANTINED and found.value is not None:
                planned.held.append(HeldStatement(found, _statement(reading, found.value, target)))
            continue
        planned.result.values.add(found)
        planned.statements.append(_statement(reading, found, target))
        planned.places.append((position, reading.where))
        if position in known.digests:
            planned.merged[known.digests[position]] = found
    return planned


def _statement(reading: RawIndicator, value: Value, target: Target) -> Statement:
    """What the source says of ``value``, which is the reading's or was put in its place."""
    collection_no = target.chosen or target.aliases[collection_of(value.kind)]
    return Statement(
        value=value,
        collection_no=collection_no,
        grade=reading.grade or target.source.grade,
        audience=target.audience(collection_no, reading.tlp),
        labels=reading.labels,
        first_seen=micros(reading.first_seen),
        last_seen=micros(reading.last_seen),
        kill_chain_phases=reading.kill_chain_phases,
        listed=reading.first_seen is None and reading.last_seen is None,
    )


def _for_members(reading: RawIndicator, rules: Rules) -> Value | Held:
    if reading.tlp == Tlp.RED:
        reason = "its source marks it TLP:RED, which is for named people only and never enters a collection"
        return Held(REFUSED, reading.where, shown(reading.raw), reason)
    return sift(reading, rules)


def plan_merge(session: Session, planned: ValuePlan, target: Target, merger: Merger) -> None:
    """Merge what is planned, without a lock; what the source has said before in the same words is left out."""
    planned.repeated = repeated = merger.unchanged(session, target.source, planned.statements)
    fresh = [one for position, one in enumerate(planned.statements) if position not in repeated]
    planned.result.counts["unchanged"] += len(repeated)
    planned.merge = merger.plan(session, target.source, fresh) if fresh else None


def apply(session: Session, planned: ValuePlan, target: Target, merger: Merger) -> None:
    """Write a planned batch within the caller's transaction."""
    changes = merger.write(session, target.source, planned.merge) if planned.merge else []
    planned.result.counts["accepted"] += len(planned.statements)
    if target.by_value:
        changes = own_changes(changes)
        _tell(planned, changes)
    planned.result.counts.update(change.value for change in changes)
    merged = {digest: indicator_key(merger.namespace, value) for digest, value in planned.merged.items()}
    remember(session, target.source.id, planned.known.context, merged)
    hold(session, target.source.id, target.submission_id, planned.held)


def own_changes(changes: Sequence[Change]) -> list[Change]:
    """The changes as the member may be told them: whether others have named the value before is theirs to know."""
    return [Change.NEW if change is Change.SIGHTED else change for change in changes]


def _tell(planned: ValuePlan, changes: Sequence[Change]) -> None:
    """Say what became of each value that was accepted."""
    made = iter(changes)
    for place, (statement, (position, where)) in enumerate(zip(planned.statements, planned.places, strict=True)):
        change = Change.UNCHANGED if place in planned.repeated else next(made)
        planned.result.outcome(position, SUCCESS, where, statement.value.text, message=TOLD[change])


def collection_of(kind: Kind) -> str:
    """The collection that a kind of value goes to where nothing else is said."""
    return FRAUD if kind in FRAUD_KINDS else CYBER


def micros(text: str | None) -> int | None:
    """An RFC 3339 text of a reader in microseconds since the epoch."""
    return None if text is None else (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1)
