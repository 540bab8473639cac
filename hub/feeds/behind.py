"""Which member stands behind an object: what the hub knows and shows to nobody but by way of an unmasking."""

from __future__ import annotations

from uuid import UUID

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.feeds.records import SourceRecord
from hub.feeds.values_batch import micros
from hub.ledger.records import Collection, Entry
from hub.stix.ids import hub_id


def member_behind(session: Session, namespace: UUID, stix_id: str) -> str | None:
    """The id of the member that an object, or a sighting by the hub, came from; None where it came from none."""
    found = session.execute(
        select(Entry.source_id, Entry.body)
        .where(Entry.collection_no.in_(select(Collection.no)), Entry.stix_id == stix_id)
        .order_by(Entry.seq)
        .limit(1)
    ).one_or_none()
    if found is None:
        return None
    source = session.get(SourceRecord, found.source_id)
    if source is not None and source.member_id is not None:
        return source.member_id
    obj = orjson.loads(found.body)
    if obj["type"] != "sighting":
        return None
    # The hub's sightings are named after their source; what it said may be taken back by now, so each is tried.
    said = obj["sighting_of_ref"], str(micros(obj["created"]))
    sources = session.execute(
        select(SourceRecord.name, SourceRecord.member_id).where(SourceRecord.member_id.is_not(None))
    )
    return next((row.member_id for row in sources if hub_id(namespace, "sighting", row.name, *said) == stix_id), None)
