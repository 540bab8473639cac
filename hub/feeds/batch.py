"""One batch of a submission on its way into the ledger: what is planned outside the lock, what came of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from hub import clock
from hub.feeds.records import Outcome
from hub.feeds.sift import Held
from hub.feeds.sources import Contributor
from hub.ledger.classes import Audience
from hub.stix.tlp import Tlp
from hub.stix.values import Kind, Value

REFUSED = "refused"
QUARANTINED = "quarantined"
SUCCESS = "success"
FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class Target:
    """Where the content of a submission goes, and for whom.

    ``chosen`` is the collection that was named, None where the kind of value decides; ``tlp`` is None where
    the collection's default holds.
    """

    submission_id: str
    source: Contributor
    chosen: int | None
    tlp: Tlp | None
    groups: frozenset[int]
    aliases: dict[str, int]
    default_tlp: dict[int, Tlp]
    by_object: bool

    def audience(self, collection_no: int, own: Tlp | None = None) -> Audience:
        """The strictest of what the content itself and its sender say, the collection's default for neither."""
        stated = [tlp for tlp in (own, self.tlp) if tlp is not None]
        return Audience(max(stated, default=self.default_tlp[collection_no]), self.groups)


@dataclass(slots=True)
class Result:
    """Counts and outcomes of a batch, to be added to the submission's."""

    counts: Counter[str] = field(default_factory=Counter)
    outcomes: list[dict[str, Any]] = field(default_factory=list)
    values: set[Value] = field(default_factory=set)

    def outcome(
        self,
        position: int,
        status: str,
        where: str,
        subject: str,
        version: str | None = None,
        message: str | None = None,
    ) -> None:
        """Note what became of the reading at ``position``."""
        self.outcomes.append(
            {"position": position, "status": status, "where": where, "subject": subject, "version": version,
             "message": message}
        )  # fmt: skip

    def held(self, position: int, held: Held) -> None:
        """Count a value that was refused or quarantined, and say why."""
        self.counts[held.status] += 1
        self.outcome(position, held.status, held.where, held.shown, message=held.reason)


def store_outcomes(session: Session, submission_id: str, result: Result) -> None:
    """Write the outcomes of a batch."""
    if result.outcomes:
        rows = [{"submission_id": submission_id, **outcome} for outcome in result.outcomes]
        session.execute(insert(Outcome), rows)


def repeat_outcomes(session: Session, earlier: str, later: str) -> None:
    """Give a submission the outcomes of an earlier one that held the same."""
    session.execute(_REPEAT, {"earlier": earlier, "later": later})


_REPEAT = text(
    'INSERT INTO outcome (submission_id, position, status, "where", subject, version, message)'
    ' SELECT :later, position, status, "where", subject, version, message FROM outcome WHERE submission_id = :earlier'
)


def held_positions(session: Session, submission_id: str) -> frozenset[int]:
    """The positions of what was not accepted so far."""
    held = select(Outcome.position).where(
        Outcome.submission_id == submission_id, Outcome.status.in_((REFUSED, QUARANTINED, FAILURE))
    )
    return frozenset(session.scalars(held))


def quarantine(session: Session, source_id: int, submission_id: str, held: list[Held]) -> None:
    """Put held values into quarantine; what is there already stays as it is."""
    rows = [
        {"source_id": source_id, "submission_id": submission_id, "where": one.where, "kind": one.value.kind.value,
         "value": one.value.text, "reason": one.reason, "held_at": clock.micros()}
        for one in held
        if one.value is not None and one.status == QUARANTINED
    ]  # fmt: skip
    if rows:
        # In one order, so that two workers that hold the same values never wait for each other in a circle.
        rows.sort(key=lambda row: (row["kind"], row["value"], row["reason"]))
        session.execute(_QUARANTINE, rows)


# Both products know ON CONFLICT, SQLAlchemy's common insert() does not.
_QUARANTINE = text(
    'INSERT INTO quarantined (source_id, submission_id, "where", kind, value, reason, held_at)'
    " VALUES (:source_id, :submission_id, :where, :kind, :value, :reason, :held_at)"
    " ON CONFLICT (source_id, kind, value, reason) DO NOTHING"
)


def by_kind(found: Counter[Kind]) -> dict[str, int]:
    """How many distinct values there are of each kind, in the order of the kinds."""
    return {kind.value: found[kind] for kind in Kind if found[kind]}
