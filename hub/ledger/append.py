"""Append: the only way anything enters the log.

The caller prepares drafts outside the transaction (parsing, validation, the blinded root); ``append`` then
runs under the one append lock: it finds duplicates, numbers the rest densely, signs a receipt that names the
number, and writes. Readers that follow by ``seq`` or ``date_added`` can therefore never miss an entry that
commits late.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from hub import clock
from hub.db.bulk import chunks, insert_rows, select_in
from hub.db.database import lock_appends
from hub.ledger.classes import Audience, stream_id
from hub.ledger.records import Collection, DetachedReceipt, Entry, LogHead
from hub.ledger.versions import WITHDRAWALS, WITHDRAWN, version_key, version_of
from hub.provenance.keys import Signer
from hub.provenance.published import carries_receipt
from hub.provenance.receipts import Prepared, Sealed, committed_source, prepare, seal

KNOWN_VERSIONS = (
    "SELECT stix_id, version_key, digest, latest, earliest, seq, statement, source_id FROM entry"
    " WHERE collection_no = ? AND stix_id IN (…) ORDER BY seq"
)


@dataclass(frozen=True, slots=True)
class Source:
    """Who an entry came from: ``source_class`` (member, feed, report-fraud, hub …) is public, ``name`` is not."""

    id: int
    source_class: str
    name: str


@dataclass(frozen=True, slots=True)
class Draft:
    """An object version that is ready to be appended to one collection."""

    prepared: Prepared
    stix_id: str
    stix_type: str
    version: str | None
    modified: str | None
    carries_receipt: bool
    collection_no: int
    audience: Audience
    source: Source
    op: str = "add"

    def into(self, collection_no: int) -> Draft:
        """The same object version for another collection."""
        return replace(self, collection_no=collection_no)


@dataclass(frozen=True, slots=True)
class Appended:
    """What became of a draft: ``seq`` where it was added, ``refused`` with a reason where it was not.

    Neither: it was an exact duplicate, which is no error and changes nothing. ``known``: another version of the
    object stands in the collection.
    """

    seq: int | None = None
    known: bool = False
    refused: str | None = None


@dataclass(slots=True)
class _Known:
    """What the collection holds of one object id while a batch is appended."""

    digests: dict[str, bytes] = field(default_factory=dict)
    owner: int = 0
    latest_key: str = ""
    latest_seq: int = 0
    earliest_key: str = ""
    earliest_seq: int = 0
    newest_seq: int = 0
    statement: str | None = None

    def take(self, row: Any) -> None:
        if WITHDRAWN not in row.version_key:
            self.digests[row.version_key] = bytes(row.digest)
        if row.latest:
            self.latest_key, self.latest_seq = row.version_key, row.seq
        if row.earliest:
            self.earliest_key, self.earliest_seq = row.version_key, row.seq
        if row.seq > self.newest_seq:
            self.newest_seq, self.statement = row.seq, row.statement
            self.owner = self.owner or row.source_id


def draft(obj: dict[str, Any], collection_no: int, audience: Audience, source: Source, op: str = "add") -> Draft:
    """Prepare ``obj`` (already validated) for ``append``. Raises InvalidInput where it has no canonical form."""
    return Draft(
        prepared=prepare(obj),
        stix_id=obj["id"],
        stix_type=obj["type"],
        version=version_of(obj),
        modified=obj.get("modified"),
        carries_receipt=carries_receipt(obj),
        collection_no=collection_no,
        audience=audience,
        source=source,
        op=op,
    )


class Log:
    """The log as a writer sees it: the signer of its receipts and the key of its source commitments."""

    def __init__(self, signer: Signer, commitment_key: bytes) -> None:
        self._signer = signer
        self._commitment_key = commitment_key

    def append(self, session: Session, drafts: Sequence[Draft]) -> list[Appended]:
        """Append ``drafts`` in order within the caller's transaction; one answer each, in the same order."""
        if not drafts:
            return []
        lock_appends(session)
        head = session.get_one(LogHead, 1, with_for_update=True)
        batch = _Batch(session, self, head, drafts)
        outcomes = [batch.add(one) for one in drafts]
        batch.write()
        return outcomes

    def withdraw(self, session: Session, drafts: Sequence[Draft]) -> None:
        """Append the statements that versions have left every view, under ``op`` withdraw, within the caller's
        transaction. The log keeps them; no reader of any collection is given one.
        """
        lock_appends(session)
        head = session.get_one(LogHead, 1, with_for_update=True)
        batch = _Batch(session, self, head, drafts)
        for one in drafts:
            batch.withdraw(one)
        batch.write()

    def sealed(self, one: Draft, idx: int, acc: str, prev: str | None, alias: str) -> Sealed:
        """The receipt of ``one`` at log index ``idx``, spliced in."""
        return seal(
            one.prepared,
            signer=self._signer,
            op=one.op,
            stix_id=one.stix_id,
            modified=one.modified,
            src=committed_source(one.source.source_class, one.source.name, self._salt(idx)),
            acc=acc,
            idx=idx,
            prev=prev,
            col=alias,
        )

    def _salt(self, idx: int) -> bytes:
        """The salt of the source commitment at ``idx``: told to open it, guessed by nobody without the key."""
        return hmac.digest(self._commitment_key, str(idx).encode(), "sha256")


class _Batch:
    """One append under the lock: known versions, streams, rows to write."""

    def __init__(self, session: Session, log: Log, head: LogHead, drafts: Sequence[Draft]) -> None:
        self._session = session
        self._log = log
        self._head = head
        self._seq, self._date_added = head.seq, head.date_added
        self._aliases = {row.no: row.alias for row in session.execute(select(Collection.no, Collection.alias))}
        self._known = _known_versions(session, {(d.collection_no, d.stix_id) for d in drafts})
        self._streams: dict[tuple[int, Audience, str], int] = {}
        self._rows: dict[int, dict[str, Any]] = {}
        self._detached: list[dict[str, Any]] = []
        self._no_longer_latest: list[int] = []
        self._no_longer_earliest: list[int] = []

    def add(self, one: Draft) -> Appended:
        key = version_key(one.version)
        known = self._known.setdefault((one.collection_no, one.stix_id), _Known())
        digest = digest_of(one.prepared.plain)
        if key in known.digests:
            if known.digests[key] == digest:
                return Appended()
            return Appended(refused="this version is already here with other content; give it a later 'modified'")
        if known.owner and known.owner != one.source.id:
            return Appended(refused="another source owns this id; only the creator of an object may version it")
        appended_to = bool(known.digests)
        row = self._row(one, known, digest, self._stream(one))
        self._place(known, row)
        return Appended(row["seq"], appended_to)

    def withdraw(self, one: Draft) -> None:
        known = self._known.setdefault((one.collection_no, one.stix_id), _Known())
        row = self._row(one, known, digest_of(one.prepared.plain), WITHDRAWALS)
        row["version_key"] += f"{WITHDRAWN}{row['seq']}"
        row["latest"] = row["earliest"] = 0
        known.newest_seq, known.statement = row["seq"], row["statement"]

    def _row(self, one: Draft, known: _Known, digest: bytes, stream: int) -> dict[str, Any]:
        """The next entry, numbered, signed and noted to be written; its marks are the only thing left open."""
        seq, added = self._number()
        sealed = self._log.sealed(one, seq, clock.timestamp(added), known.statement, self._aliases[one.collection_no])
        row = {
            "seq": seq,
            "date_added": added,
            "collection_no": one.collection_no,
            "stream_id": stream,
            "stix_id": one.stix_id,
            "version": one.version,
            "version_key": version_key(one.version),
            "latest": 1,
            "earliest": 1,
            "source_id": one.source.id,
            "digest": digest,
            "statement": sealed.statement,
            "cut_start": sealed.cut_start,
            "cut_end": sealed.cut_end,
            "body": sealed.signed,
        }
        self._rows[seq] = row
        if not one.carries_receipt:
            self._detached.append({"seq": seq, "seed": one.prepared.seed, "receipt": sealed.receipt})
        return row

    def write(self) -> None:
        """Write what was added; the head row last."""
        for column, seqs in (("latest", self._no_longer_latest), ("earliest", self._no_longer_earliest)):
            for chunk in chunks(seqs):
                self._session.execute(update(Entry).where(Entry.seq.in_(chunk)).values({column: 0}))
        if self._rows:
            insert_rows(self._session, Entry, list(self._rows.values()))
        if self._detached:
            self._session.execute(insert(DetachedReceipt), self._detached)
        self._head.seq, self._head.date_added = self._seq, self._date_added
        self._session.flush()

    def _number(self) -> tuple[int, int]:
        self._seq += 1
        self._date_added = max(self._date_added + 1, clock.micros())
        return self._seq, self._date_added

    def _stream(self, one: Draft) -> int:
        key = (one.collection_no, one.audience, one.stix_type)
        if key not in self._streams:
            self._streams[key] = stream_id(self._session, one.collection_no, one.audience, one.stix_type)
        return self._streams[key]

    def _place(self, known: _Known, row: dict[str, Any]) -> None:
        """Decide which version is the newest and which the oldest: by instant, not by arrival."""
        key, seq = row["version_key"], row["seq"]
        if known.digests and key < known.latest_key:
            row["latest"] = 0
        else:
            self._unmark(known.latest_seq, "latest", self._no_longer_latest)
            known.latest_key, known.latest_seq = key, seq
        if known.digests and key > known.earliest_key:
            row["earliest"] = 0
        else:
            self._unmark(known.earliest_seq, "earliest", self._no_longer_earliest)
            known.earliest_key, known.earliest_seq = key, seq
        known.digests[key] = row["digest"]
        known.owner = known.owner or row["source_id"]
        known.newest_seq, known.statement = seq, row["statement"]

    def _unmark(self, seq: int, column: str, stored: list[int]) -> None:
        if seq in self._rows:
            self._rows[seq][column] = 0
        elif seq:
            stored.append(seq)


def known_versions(session: Session, ids: Iterable[tuple[int, str]]) -> dict[tuple[int, str], dict[str, bytes]]:
    """(collection, id) → {version key: digest} for what the log holds: to drop duplicates before any other work."""
    return {key: known.digests for key, known in _known_versions(session, set(ids)).items()}


def digest_of(plain: bytes) -> bytes:
    """What ``known_versions`` compares: a prefix of SHA-256 over the plain canonical bytes."""
    return hashlib.sha256(plain).digest()[:16]


def _known_versions(session: Session, ids: set[tuple[int, str]]) -> dict[tuple[int, str], _Known]:
    known: dict[tuple[int, str], _Known] = {}
    for collection_no in {collection for collection, _ in ids}:
        wanted = sorted(stix_id for collection, stix_id in ids if collection == collection_no)
        for row in select_in(session, KNOWN_VERSIONS, wanted, [collection_no]):
            known.setdefault((collection_no, row.stix_id), _Known()).take(row)
    return known
