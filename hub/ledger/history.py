"""The history of objects: every version that the log holds, for whom each was meant, and what a reader sees of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.auth import Actor
from hub.ledger.classes import Audience
from hub.ledger.records import (
    ClassGroup,
    ClassRecipient,
    Collection,
    DetachedReceipt,
    Entry,
    Stream,
    VisibilityClass,
)
from hub.ledger.versions import WITHDRAWALS
from hub.ledger.visibility import judged_streams
from hub.provenance.encoding import b64u
from hub.stix.tlp import Tlp

PAGE = 40


@dataclass(frozen=True, slots=True)
class Kept:
    """One entry of the log. ``audience`` is None for a withdrawn one; ``proof`` is its detached receipt, if any."""

    seq: int
    date_added: int
    collection_no: int
    stix_id: str
    version: str | None
    latest: bool
    stream_id: int
    audience: Audience | None
    source_id: int
    body: bytes
    proof: dict[str, str | None] | None

    @property
    def withdrawn(self) -> bool:
        """It has left every view, or says that one has; the log keeps it."""
        return self.stream_id <= WITHDRAWALS


@dataclass(frozen=True, slots=True)
class Judged:
    """Whether a reader sees a stream, and which parts of the rule hold (names of ``class_parts``, and collection)."""

    visible: bool
    parts: dict[str, bool]


def versions(session: Session, stix_ids: Sequence[str], before: int | None = None) -> list[Kept]:
    """A page of the entries of some objects in every collection, the newest first, those before a place in the log.

    One more than ``PAGE`` where more follow.
    """
    asked = select(Entry).where(Entry.collection_no.in_(select(Collection.no)), Entry.stix_id.in_(stix_ids))
    if before is not None:
        asked = asked.where(Entry.seq < before)
    return _kept(session, session.scalars(asked.order_by(Entry.seq.desc()).limit(PAGE + 1)).all())


def latest(session: Session, stix_ids: Sequence[str]) -> list[Kept]:
    """The last version of each of some objects in every collection, the newest first."""
    asked = select(Entry).where(
        Entry.collection_no.in_(select(Collection.no)), Entry.stix_id.in_(stix_ids), Entry.latest == 1
    )
    return _kept(session, session.scalars(asked.order_by(Entry.seq.desc())).all())


def latest_of_types(session: Session, types: Sequence[str], most: int) -> list[Kept]:
    """The last versions of objects of some STIX types, the newest first, ``most`` of them."""
    streams = session.scalars(select(Stream.id).where(Stream.stix_type.in_(types))).all()
    found = session.scalars(
        select(Entry).where(Entry.stream_id.in_(streams), Entry.latest == 1).order_by(Entry.seq.desc()).limit(most)
    ).all()
    return _kept(session, found)


def judge(session: Session, actor: Actor, streams: Sequence[int]) -> dict[int, Judged]:
    """What the one visibility rule says of each stream for ``actor``; a withdrawn entry's stream is in no answer."""
    return {
        row["id"]: Judged(
            bool(row["visible"]), {name: bool(holds) for name, holds in row.items() if name not in ("id", "visible")}
        )
        for row in session.execute(judged_streams(actor, streams)).mappings()
    }


def _kept(session: Session, entries: Sequence[Entry]) -> list[Kept]:
    audiences = _audiences(session, {entry.stream_id for entry in entries})
    receipts = {
        one.seq: one
        for one in session.scalars(
            select(DetachedReceipt).where(DetachedReceipt.seq.in_([entry.seq for entry in entries]))
        )
    }
    return [
        Kept(
            entry.seq, entry.date_added, entry.collection_no, entry.stix_id, entry.version, entry.latest == 1,
            entry.stream_id, audiences.get(entry.stream_id), entry.source_id, bytes(entry.body),
            _proof(entry, receipts.get(entry.seq)),
        )
        for entry in entries
    ]  # fmt: skip


def _proof(entry: Entry, receipt: DetachedReceipt | None) -> dict[str, str | None] | None:
    if receipt is None:
        return None
    seed = b64u(receipt.seed).decode()
    return {"id": entry.stix_id, "modified": entry.version, "seed": seed, "receipt": receipt.receipt}


def _audiences(session: Session, streams: set[int]) -> dict[int, Audience]:
    rows = session.execute(
        select(Stream.id, VisibilityClass)
        .join(VisibilityClass, VisibilityClass.id == Stream.class_id)
        .where(Stream.id.in_(streams))
    ).all()
    classes = {row.VisibilityClass.id for row in rows}
    groups: dict[int, set[int]] = {}
    for class_id, group in session.execute(
        select(ClassGroup.class_id, ClassGroup.group_id).where(ClassGroup.class_id.in_(classes))
    ):
        groups.setdefault(class_id, set()).add(group)
    recipients: dict[int, set[str]] = {}
    for class_id, member in session.execute(
        select(ClassRecipient.class_id, ClassRecipient.member_id).where(ClassRecipient.class_id.in_(classes))
    ):
        recipients.setdefault(class_id, set()).add(member)
    return {
        stream: Audience(
            Tlp(known.tlp), frozenset(groups.get(known.id, ())), frozenset(recipients.get(known.id, ())),
            bool(known.disputed),
        )
        for stream, known in rows
    }  # fmt: skip
