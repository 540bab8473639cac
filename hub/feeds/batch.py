"""One batch of a submission on its way into the ledger: what is planned outside the lock, what came of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from hub.db.bulk import insert_rows
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

    ``by_object`` and ``by_value``: the outcome of each object or value is told, of those that were accepted too.
    ``chosen`` is the collection that was named, None where the kind of value decides; ``tlp`` is None where
    the collection's default holds; ``ceiling`` is the widest label of what states one, ``tlp`` where it is None.
    """

    submission_id: str
    source: Contributor
    chosen: int | None
    tlp: Tlp | None
    groups: frozenset[int]
    aliases: dict[str, int]
    default_tlp: dict[int, Tlp]
    by_object: bool
    ceiling: Tlp | None = None
    by_value: bool = False

    def audience(self, collection_no: int, own: Tlp | None = None) -> Audience:
        """What the content itself says, never wider than the ceiling; what says nothing has the sender's label, or
        the collection's default.
        """
        unstated = self.default_tlp[collection_no] if self.tlp is None else self.tlp
        widest = unstated if self.tlp is not None else Tlp.CLEAR
        widest = widest if self.ceiling is None else self.ceiling
        return Audience(max(unstated if own is None else own, widest), self.groups)


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
        insert_rows(session, Outcome, [{"submission_id": submission_id, **outcome} for outcome in result.outcomes])


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


def by_kind(found: Counter[Kind]) -> dict[str, int]:
    """How many distinct values there are of each kind, in the order of the kinds."""
    return {kind.value: found[kind] for kind in Kind if found[kind]}
