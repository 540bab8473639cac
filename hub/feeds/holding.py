"""Put into quarantine what a rule holds back, with all that its source says of it; and what was decided of it.

An entry is one value of one source, held by one rule. Its states:

- ``held``: it waits for an analyst;
- ``released``: it was published; what the source says of it later passes that rule;
- ``edited``: another value was published in its place, and is from then on;
- ``rejected``: it is never published; what the source says of it later is counted and not shown again;
- ``gone``: its source took it back before anybody decided; said anew, it is held anew.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from hub import clock
from hub.db.bulk import chunks
from hub.feeds.batch import QUARANTINED
from hub.feeds.confidence import confidence_of
from hub.feeds.contributed import MOST_LABELS, joined_phases, link_row
from hub.feeds.records import Quarantined
from hub.feeds.sift import Held
from hub.feeds.statements import Statement
from hub.stix.values import Kind, Value

HELD = "held"
RELEASED = "released"
EDITED = "edited"
REJECTED = "rejected"
GONE = "gone"
STATES = (HELD, RELEASED, EDITED, REJECTED, GONE)

# What a held value stood in.
PLAIN = "value"
OBJECT = "object"
REPORT = "report"

# What several statements of one source add up in; the rest of an entry is that of the first.
JOINED = ("grade", "tlp", "groups", "labels", "kill_chain_phases", "derived_from", "first_seen", "last_seen")
Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class HeldStatement:
    """A value that a rule holds back (``held.value`` is set), and what its source says of it."""

    held: Held
    statement: Statement
    origin: str = PLAIN


def hold(session: Session, source_id: int, submission_id: str, held: Sequence[HeldStatement]) -> None:
    """Put held values into quarantine within the caller's transaction.

    What waits there already is joined with what is said now, the strictest TLP first, so that a release never
    passes on more than the source allows; what was decided stays as it is.
    """
    said = _rows(source_id, submission_id, held)
    if not said:
        return
    known = _known(session, source_id, said)
    fresh = [row for key, row in said.items() if key not in known]
    if fresh:
        # In one order, so that two workers that hold the same values never wait for each other in a circle.
        fresh.sort(key=lambda row: (row["kind"], row["value"], row["reason"]))
        kind = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
        row = kind.insert(Quarantined)
        session.execute(row.on_conflict_do_nothing(index_elements=["source_id", "kind", "value", "reason"]), fresh)
    again = [_said_again(known[key], row) for key, row in said.items() if key in known]
    changed = [row for row in again if row is not None]
    if changed:
        session.execute(update(Quarantined), changed)


def decided(session: Session, source_id: int) -> Mapping[tuple[Value, str], Value]:
    """(value, reason) -> what is published in spite of that rule: the value itself, or the one put in its place."""
    found = select(
        Quarantined.kind, Quarantined.value, Quarantined.reason, Quarantined.replaced_kind, Quarantined.replaced_value
    ).where(Quarantined.source_id == source_id, Quarantined.state.in_((RELEASED, EDITED)))
    passing: dict[tuple[Value, str], Value] = {}
    for kind, value, reason, new_kind, new_value in session.execute(found):
        own = Value(Kind(kind), value)
        passing[own, reason] = Value(Kind(new_kind), new_value) if new_kind and new_value else own
    return passing


def take_back(session: Session, source_id: int, values: Collection[Value], origin: str) -> None:
    """The source no longer says these values: those that wait wait no longer."""
    texts = sorted({value.text for value in values})
    for chunk in chunks(texts):
        waiting = select(Quarantined.id, Quarantined.kind, Quarantined.value).where(
            Quarantined.source_id == source_id, Quarantined.state == HELD, Quarantined.origin == origin,
            Quarantined.value.in_(chunk),
        )  # fmt: skip
        gone = [row.id for row in session.execute(waiting) if Value(Kind(row.kind), row.value) in values]
        if gone:
            session.execute(update(Quarantined).where(Quarantined.id.in_(gone)).values(state=GONE))


def _rows(source_id: int, submission_id: str, held: Iterable[HeldStatement]) -> dict[Key, dict[str, Any]]:
    rows: dict[Key, dict[str, Any]] = {}
    for one in held:
        value = one.held.value
        if value is None or one.held.status != QUARANTINED:
            continue
        said = one.statement
        row: dict[str, Any] = {
            "source_id": source_id,
            "submission_id": submission_id,
            "where": one.held.where,
            "kind": value.kind.value,
            "value": value.text,
            "reason": one.held.reason,
            "held_at": clock.micros(),
            "state": HELD,
            "origin": one.origin,
            "collection_no": said.collection_no,
            "grade": said.grade,
            "tlp": int(said.audience.tlp),
            "groups": sorted(said.audience.groups),
            "labels": sorted(said.labels),
            "kill_chain_phases": [list(pair) for pair in joined_phases(said.kill_chain_phases)],
            "derived_from": [link_row(said.derived_from)] if said.derived_from else [],
            "first_seen": said.first_seen,
            "last_seen": said.last_seen,
        }
        key = (row["kind"], row["value"], row["reason"])
        rows[key] = {**row, **_joined(rows[key], row)} if key in rows else row
    return rows


def _known(session: Session, source_id: int, said: Mapping[Key, Any]) -> dict[Key, Quarantined]:
    known: dict[Key, Quarantined] = {}
    for chunk in chunks(sorted({value for _, value, _ in said})):
        found = select(Quarantined).where(Quarantined.source_id == source_id, Quarantined.value.in_(chunk))
        known.update(((row.kind, row.value, row.reason), row) for row in session.scalars(found))
    return known


def _said_again(known: Quarantined, row: dict[str, Any]) -> dict[str, Any] | None:
    """What changes in an entry that is said once more, None where nothing does."""
    if known.state == GONE:
        return {**row, "id": known.id}
    if known.state != HELD:
        return None
    before = {name: getattr(known, name) for name in JOINED}
    after = _joined(before, row)
    return None if after == before else {**after, "id": known.id}


def _joined(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Two statements of one source added up as the merge adds them up."""
    tlp = max(one["tlp"], other["tlp"])
    groups = {group for said in (one, other) if said["tlp"] == tlp for group in said["groups"]}
    firsts = [said["first_seen"] for said in (one, other) if said["first_seen"] is not None]
    phases = joined_phases(one["kill_chain_phases"], other["kill_chain_phases"])
    lasts = [said["last_seen"] for said in (one, other) if said["last_seen"] is not None]
    return {
        "grade": max(one["grade"], other["grade"], key=confidence_of),
        "tlp": tlp,
        "groups": sorted(groups),
        "labels": sorted({*one["labels"], *other["labels"]})[:MOST_LABELS],
        "kill_chain_phases": [list(pair) for pair in phases],
        # Of several objects, a release is linked to the last.
        "derived_from": other["derived_from"] or one["derived_from"],
        "first_seen": min(firsts, default=None),
        "last_seen": max(lasts, default=None),
    }
