"""A member deletes an object: what it alone said of a value is taken back."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.feeds.batch import SUCCESS, Result, Target
from hub.feeds.holding import OBJECT, take_back
from hub.feeds.merge import Merger
from hub.feeds.objects_batch import patterned_values
from hub.ledger.records import Entry
from hub.ledger.versions import WITHDRAWALS
from hub.stix.canonical import parse_json
from hub.stix.values import Value


@dataclass(frozen=True, slots=True)
class Retraction:
    """Versions of the object with this id were deleted from the submission's collection."""

    stix_id: str


def apply(
    session: Session, batch: list[tuple[int, Retraction]], target: Target, merger: Merger, result: Result
) -> None:
    """Take back within the caller's transaction what the deleted versions said and none that stands still says."""
    for position, one in batch:
        found = select(Entry.body, Entry.stream_id, Entry.latest).where(
            Entry.collection_no == target.chosen, Entry.stix_id == one.stix_id, Entry.source_id == target.source.id
        )
        said: dict[bool, set[Value]] = {True: set(), False: set()}
        for body, stream_id, latest in session.execute(found):
            if stream_id < WITHDRAWALS or latest:
                said[stream_id < WITHDRAWALS].update(patterned_values(parse_json(bytes(body))))
        gone = said[True] - said[False]
        revoked = merger.retract(session, target.source, gone, objects=dict.fromkeys(gone, (one.stix_id,)))
        take_back(session, target.source.id, gone, OBJECT)
        result.counts.update({"read": 1, "accepted": 1, "revoked": revoked})
        result.outcome(position, SUCCESS, "object", one.stix_id, message=f"{revoked} indicators revoked")
