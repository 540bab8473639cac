"""The disclosure ledger: which member was given which entries, and when it last asked.

A page is noted in memory and written by a thread of the web process a second later at the latest, and at its
end: a poll waits for nothing. A process that is killed loses what it noted in its last second; what it gave in
that second is then not in the ledger.

Entries are kept exactly, as runs of ``seq`` that follow each other, whatever filters and rights the poll had;
polls that gave nothing change one row for each member and collection.
"""

from __future__ import annotations

import atexit
from collections.abc import Sequence
from dataclasses import dataclass, replace
from multiprocessing.util import Finalize
from threading import Event, Lock, Thread

import orjson
import structlog
from sqlalchemy import insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from hub.db import Database
from hub.errors import HubError
from hub.ledger.records import Collection, Disclosure, Entry, LastPoll
from hub.ledger.versions import WITHDRAWALS, version_key

log = structlog.get_logger(__name__)

FLUSH_SECONDS = 1.0
LONGEST_USER_AGENT = 200
# A row holds the pages that followed each other within one flush, up to so many entries.
MOST_IN_ROW = 20_000
# While the database cannot be reached, so many pages wait for it at most.
MOST_WAITING = 5_000


@dataclass(frozen=True, slots=True)
class Note:
    """One answer: the entries it gave (none for an empty or unchanged page) and how far the reader has come.

    ``cursor`` is None where it looked single objects up, which brings a reader no further. ``redacted``: those of the
    entries that lacked a part which the member may not see.
    """

    member_id: str
    collection_no: int
    at: int
    seqs: tuple[int, ...]
    cursor: int | None
    user_agent: str
    status: int
    redacted: tuple[int, ...] = ()

    def after(self, earlier: Note) -> Note:
        """As the last of both: how far ``earlier`` had come holds where this one says nothing of it."""
        return replace(self, cursor=earlier.cursor) if self.cursor is None else self

    def joins(self, earlier: Note) -> bool:
        """Whether it goes on where ``earlier`` ended, for the same reader, in one row."""
        return (
            (self.member_id, self.collection_no, self.user_agent, self.status)
            == (earlier.member_id, earlier.collection_no, earlier.user_agent, earlier.status)
            and self.seqs[0] > earlier.seqs[-1]
            and len(self.seqs) + len(earlier.seqs) <= MOST_IN_ROW
        )


@dataclass(frozen=True, slots=True)
class Received:
    """A member was given an entry first at ``at`` (microseconds); ``redacted``: never with all its parts."""

    member_id: str
    at: int
    redacted: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """One version of an object in one collection, and who was given it. ``revoked``: it says that the object is."""

    collection_no: int
    seq: int
    version: str | None
    revoked: bool
    received: list[Received]


class Disclosures:
    """Notes what one process gives, and writes it down."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = Lock()
        self._stop = Event()
        self._thread: Thread | None = None
        self._given: list[Note] = []
        self._polls: dict[tuple[str, int], tuple[Note, int]] = {}

    def note(self, note: Note) -> None:
        """Remember one answer; it is written within a second."""
        key = (note.member_id, note.collection_no)
        with self._lock:
            if note.seqs:
                self._given.append(note)
            earlier, polls = self._polls.get(key, (note, 0))
            self._polls[key] = (note.after(earlier), polls + 1)
            if self._thread is None:
                self._start()

    def flush(self) -> None:
        """Write what was noted. What cannot be written now stays for the next time."""
        with self._lock:
            given, self._given = self._given, []
            polls, self._polls = self._polls, {}
        if not given and not polls:
            return
        try:
            with self._database.unit_of_work() as session:
                if given:
                    session.execute(insert(Disclosure), [_row(one) for one in _joined(given)])
                for note, count in polls.values():
                    _count_polls(session, note, count)
        except HubError as error:
            log.warning("the disclosure ledger waits for the database", error=str(error), waiting=len(given))
            with self._lock:
                self._given = [*given, *self._given]
                if len(self._given) > MOST_WAITING:
                    log.error("the disclosure ledger loses pages", lost=len(self._given) - MOST_WAITING)
                    del self._given[MOST_WAITING:]
                for key, (note, count) in polls.items():
                    latest, more = self._polls.get(key, (note, 0))
                    self._polls[key] = (latest.after(note), count + more)

    def close(self) -> None:
        """Stop the thread and write what is left."""
        self._stop.set()
        if self._thread is not None and self._thread.is_alive():
            self._thread.join(5 * FLUSH_SECONDS)
        self.flush()

    def _start(self) -> None:
        """Begin with the first note: by then the process is the one that serves, whoever made this object."""
        self._thread = Thread(target=self._run, name="disclosures", daemon=True)
        self._thread.start()
        atexit.register(self.close)
        Finalize(None, self.close, exitpriority=10)  # a child of multiprocessing ends without atexit

    def _run(self) -> None:
        while not self._stop.wait(FLUSH_SECONDS):
            self.flush()


def told(session: Session, stix_id: str, version: str | None = None) -> list[Told]:
    """Every version of an object that the log holds, or the one named, with who was given it; in the log's order."""
    entries = select(Entry.seq, Entry.collection_no, Entry.version, Entry.body).where(
        Entry.collection_no.in_(select(Collection.no)), Entry.stix_id == stix_id,
        Entry.stream_id != WITHDRAWALS,
    )  # fmt: skip
    return [
        Told(
            row.collection_no,
            row.seq,
            row.version,
            _is_revoked(row.body),
            _receivers(session, row.collection_no, row.seq),
        )
        for row in session.execute(entries.order_by(Entry.seq))
        if version is None or version_key(row.version) == version_key(version)
    ]


def who_received(session: Session, collection_no: int, stix_id: str, version: str | None) -> list[Received]:
    """The members that were given this version in this collection, each with its first time."""
    return [
        one
        for each in told(session, stix_id)
        if each.collection_no == collection_no and version_key(each.version) == version_key(version)
        for one in each.received
    ]


def who_pulled_revocation(session: Session, collection_no: int, stix_id: str) -> list[Received]:
    """The members that were given a version which says that the object is revoked, each with its first time."""
    first: dict[str, int] = {}
    for each in told(session, stix_id):
        if each.collection_no == collection_no and each.revoked:
            for one in each.received:
                first[one.member_id] = min(one.at, first.get(one.member_id, one.at))
    return [Received(member_id, at) for member_id, at in sorted(first.items(), key=lambda pair: pair[1])]


def last_polls(session: Session) -> list[LastPoll]:
    """When each member last asked for each collection's objects, the latest first."""
    return list(session.scalars(select(LastPoll).order_by(LastPoll.at.desc())))


def packed(seqs: Sequence[int], origin: int | None = None) -> bytes:
    """Rising numbers as runs: for each the gap since the one before and its length, 7 bits to a byte (LEB128).

    The first gap is that since ``origin``, the first number itself without one.
    """
    begin = end = seqs[0]
    before = begin if origin is None else origin
    if seqs[-1] - begin + 1 == len(seqs):
        return _number(begin - before) + _number(len(seqs))
    written = bytearray()
    for seq in (*seqs[1:], None):
        if seq == end + 1:
            end = seq
            continue
        written += _number(begin - before) + _number(end - begin + 1)
        if seq is not None:
            before, begin, end = end, seq, seq
    return bytes(written)


def holds(runs: bytes, first_seq: int, seq: int) -> bool:
    """Whether ``packed`` runs that begin at ``first_seq`` hold ``seq``."""
    numbers = _numbers(runs)
    before = first_seq
    for place in range(0, len(numbers), 2):
        begin = before + numbers[place]
        before = begin + numbers[place + 1] - 1
        if seq <= before:
            return seq >= begin
    return False


def _receivers(session: Session, collection_no: int, seq: int) -> list[Received]:
    found = session.execute(
        select(Disclosure.member_id, Disclosure.at, Disclosure.first_seq, Disclosure.runs, Disclosure.redacted)
        .where(
            Disclosure.collection_no == collection_no,
            Disclosure.first_seq <= seq,
            Disclosure.last_seq >= seq,
        )
        .order_by(Disclosure.at)
    )
    first: dict[str, int] = {}
    whole: set[str] = set()
    for row in found:
        if row.member_id in whole or not holds(row.runs, row.first_seq, seq):
            continue
        first.setdefault(row.member_id, row.at)
        if row.redacted is None or not holds(row.redacted, row.first_seq, seq):
            whole.add(row.member_id)
    return [Received(member_id, at, member_id not in whole) for member_id, at in first.items()]


def _joined(given: Sequence[Note]) -> list[Note]:
    """The notes with those that follow each other in one; ``at`` is that of the first."""
    rows: dict[tuple[str, int], list[Note]] = {}
    for note in given:
        own = rows.setdefault((note.member_id, note.collection_no), [])
        if own and note.joins(own[-1]):
            last = own[-1]
            own[-1] = replace(last, seqs=last.seqs + note.seqs, redacted=last.redacted + note.redacted)
        else:
            own.append(note)
    return [one for own in rows.values() for one in own]


def _row(note: Note) -> dict[str, object]:
    return {
        "member_id": note.member_id,
        "collection_no": note.collection_no,
        "at": note.at,
        "first_seq": note.seqs[0],
        "last_seq": note.seqs[-1],
        "objects": len(note.seqs),
        "runs": packed(note.seqs),
        "user_agent": note.user_agent,
        "status": note.status,
        "redacted": packed(note.redacted, note.seqs[0]) if note.redacted else None,
    }


def _count_polls(session: Session, note: Note, count: int) -> None:
    make = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    latest: dict[str, object] = {
        "at": note.at,
        "objects": len(note.seqs),
        "user_agent": note.user_agent,
        "status": note.status,
    }
    first = {"member_id": note.member_id, "collection_no": note.collection_no, "polls": count}
    row = make(LastPoll).values(cursor=note.cursor or 0, **first, **latest)
    if note.cursor is not None:
        latest["cursor"] = note.cursor
    same = [LastPoll.member_id, LastPoll.collection_no]
    session.execute(row.on_conflict_do_update(index_elements=same, set_={"polls": LastPoll.polls + count, **latest}))


def _is_revoked(body: bytes) -> bool:
    return bool(orjson.loads(body).get("revoked", False))


def _number(value: int) -> bytes:
    written = bytearray()
    while value > 127:
        written.append(value & 127 | 128)
        value >>= 7
    written.append(value)
    return bytes(written)


def _numbers(written: bytes) -> list[int]:
    found, value, shift = [], 0, 0
    for byte in written:
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            found.append(value)
            value, shift = 0, 0
    return found
