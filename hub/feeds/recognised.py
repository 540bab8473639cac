"""Readings that a source has made before: told by what stands in the file, before anything is done with them.

A pull of a feed of which a few rows have changed holds mostly what the last one held. What was merged once, read in
the same way for the same audience by the same rules, changes nothing when it is read again, for as long as the
source's contribution stands: a reading that is recognised is neither sifted nor merged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import orjson
from sqlalchemy import delete
from sqlalchemy.orm import Session

from hub.db.bulk import select_in
from hub.feeds.batch import Target
from hub.feeds.readers.reading import RawIndicator, Unread
from hub.feeds.records import KnownReading, SourceRecord
from hub.feeds.sift import Rules
from hub.stix.values import Kind, Value

DIGEST_DIGITS = 32
KINDS = {kind.value: kind for kind in Kind}
FOUND = (
    "SELECT k.digest, i.kind, i.value FROM known_reading k JOIN indicator i ON i.id = k.indicator_id"
    " WHERE k.source_id = ? AND k.digest IN (…)"
)
# One statement for all rows on PostgreSQL, one prepared statement on SQLite; both leave what is there.
_REMEMBER_POSTGRESQL = (
    "INSERT INTO known_reading (source_id, digest, indicator_id)"
    " SELECT %s, said.digest, i.id FROM unnest(%s::text[], %s::text[]) AS said (digest, key)"
    " JOIN indicator i ON i.key = said.key ON CONFLICT DO NOTHING"
)
_REMEMBER_SQLITE = (
    "INSERT OR IGNORE INTO known_reading (source_id, digest, indicator_id) SELECT ?, ?, id FROM indicator WHERE key = ?"
)


@dataclass(frozen=True, slots=True)
class Recognised:
    """``digests`` of the readings of a batch by their positions, ``values`` of those that were made before."""

    context: bytes = b""
    digests: Mapping[int, str] = field(default_factory=dict)
    values: Mapping[int, Value] = field(default_factory=dict)


NOTHING = Recognised()


def context_of(target: Target, rules: Rules) -> bytes:
    """Equal where the same reading comes to the same statement."""
    said = [
        target.chosen, target.tlp, target.ceiling, sorted(target.groups), sorted(target.aliases.items()),
        sorted(target.default_tlp.items()), target.source.grade, rules.key,
    ]  # fmt: skip
    return hashlib.sha256(orjson.dumps(said)).digest()


def digests_of(context: bytes, batch: Sequence[tuple[int, RawIndicator | Unread]]) -> dict[int, str]:
    """The digest of each reading by its position, wherever in the file it stands."""
    return {
        position: hashlib.sha256(context + orjson.dumps(_said(one))).hexdigest()[:DIGEST_DIGITS]
        for position, one in batch
        if type(one) is RawIndicator
    }


def _said(one: RawIndicator) -> tuple[object, ...]:
    """All of a reading but its place, and the description that nobody merges."""
    return (
        one.raw, one.kind, one.labels, one.first_seen, one.last_seen, one.legitimate, one.tlp, one.kill_chain_phases,
        *(() if one.grade is None else (one.grade,)),
    )  # fmt: skip


def look_up(
    session: Session, batch: Sequence[tuple[int, RawIndicator | Unread]], target: Target, rules: Rules
) -> Recognised:
    """Which readings of ``batch`` the source has made before. Reads only."""
    context = context_of(target, rules)
    digests = digests_of(context, batch)
    rows = select_in(session, FOUND, set(digests.values()), [target.source.id])
    known = {digest: Value(KINDS[kind], text) for digest, kind, text in rows}
    return Recognised(
        context, digests, {position: known[digest] for position, digest in digests.items() if digest in known}
    )


def made_before(session: Session, source_id: int, digests: Iterable[str]) -> set[str]:
    """Those of ``digests`` that are remembered of the source."""
    return {row.digest for row in select_in(session, FOUND, sorted(set(digests)), [source_id])}


def remember(session: Session, source_id: int, context: bytes, merged: Mapping[str, str]) -> None:
    """Keep the readings (digest -> key of its indicator) that were merged, within the caller's transaction.

    What was read in another way is forgotten.
    """
    if not merged:
        return
    source = session.get_one(SourceRecord, source_id)
    if source.reading_context != context:
        session.execute(delete(KnownReading).where(KnownReading.source_id == source_id))
        source.reading_context = context
    session.flush()
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_REMEMBER_POSTGRESQL, (source_id, list(merged), list(merged.values())))
    else:
        connection.exec_driver_sql(_REMEMBER_SQLITE, [(source_id, digest, key) for digest, key in merged.items()])
