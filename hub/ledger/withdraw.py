"""Withdrawal: an object version leaves every view, the log keeps it and says so.

An entry is visible through its stream only; a withdrawn one has that stream's number below zero, which no actor
sees. Its version
key is set aside, so that the same version may be added again: as a new entry at the end of the log, where those
who follow it find it. Each withdrawal is an entry of its own in the stream WITHDRAWALS, signed under ``op``
withdraw: it names the statement before it about this id, as the next one will name it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Text, cast, literal, select, update
from sqlalchemy.orm import Session

from hub import clock
from hub.db.database import lock_appends
from hub.errors import NotFound, NotPermitted
from hub.ledger.append import Draft, Log, Source, draft
from hub.ledger.classes import Audience
from hub.ledger.pages import Versions
from hub.ledger.records import AccessEpoch, Entry
from hub.ledger.versions import WITHDRAWALS, WITHDRAWN, version_key
from hub.stix.canonical import parse_json
from hub.stix.tlp import Tlp

# In a stream that nobody sees, whom a statement is for is never asked.
NOBODY = Audience(Tlp.RED)


def withdraw(
    log: Log,
    session: Session,
    collection_no: int,
    stix_id: str,
    versions: Versions,
    *,
    source: Source,
    streams: Sequence[int],
) -> list[str]:
    """Withdraw the chosen versions of an object within the caller's transaction; gives those versions.

    ``streams`` are the ones that the actor sees; ``source`` is the one it speaks for. Raises NotFound where
    it sees no such version, NotPermitted where one of them came from another source.
    """
    lock_appends(session)
    standing = _standing(session, collection_no, stix_id)
    chosen = [row for row in standing if row.stream_id in streams and _is_chosen(row, versions)]
    if not chosen:
        raise NotFound("there is no such object, or no such version of it, in this collection")
    if any(row.source_id != source.id for row in chosen):
        raise NotPermitted(
            "only the member that added an object may delete it",
            advice="Tell the hub if this object is wrong: its source or the hub can revoke it.",
        )
    gone = [row.seq for row in chosen]
    session.execute(
        update(Entry)
        .where(Entry.seq.in_(gone))
        .values(
            stream_id=-Entry.stream_id,
            latest=0,
            earliest=0,
            version_key=Entry.version_key + literal(WITHDRAWN) + cast(Entry.seq, Text),
        )
    )
    _mark_ends(session, [row for row in standing if row.seq not in gone])
    log.withdraw(session, _statements(session, gone, source))
    # What a process remembers of pages is good for one epoch; nothing else moves when an entry goes.
    session.execute(update(AccessEpoch).values(epoch=AccessEpoch.epoch + 1))
    return [clock.timestamp(row.date_added) if row.version is None else row.version for row in chosen]


def _statements(session: Session, seqs: Sequence[int], source: Source) -> list[Draft]:
    entries = select(Entry.collection_no, Entry.body, Entry.cut_start, Entry.cut_end).where(Entry.seq.in_(seqs))
    return [
        draft(
            parse_json(row.body[: row.cut_start] + row.body[row.cut_end :]),
            row.collection_no,
            NOBODY,
            source,
            "withdraw",
        )
        for row in session.execute(entries.order_by(Entry.seq))
    ]


def _standing(session: Session, collection_no: int, stix_id: str) -> list[Any]:
    columns = (
        Entry.seq, Entry.date_added, Entry.stream_id, Entry.source_id, Entry.version, Entry.version_key,
        Entry.latest, Entry.earliest,
    )  # fmt: skip
    found = select(*columns).where(
        Entry.collection_no == collection_no, Entry.stix_id == stix_id, Entry.stream_id > WITHDRAWALS
    )
    return list(session.execute(found.order_by(Entry.seq)))


def _is_chosen(row: Any, versions: Versions) -> bool:
    """The same meaning of ``match[version]`` as a page has."""
    return (
        versions.every
        or (versions.last and row.latest == 1)
        or (versions.first and row.earliest == 1)
        or (row.version is not None and row.version_key in map(version_key, versions.exact))
        or (row.version is None and row.date_added in versions.added)
    )


def _mark_ends(session: Session, remaining: Sequence[Any]) -> None:
    """Mark the newest and the oldest of the versions that remain."""
    if not remaining:
        return
    newest = max(remaining, key=lambda row: row.version_key)
    oldest = min(remaining, key=lambda row: row.version_key)
    session.execute(update(Entry).where(Entry.seq == newest.seq).values(latest=1))
    session.execute(update(Entry).where(Entry.seq == oldest.seq).values(earliest=1))
