"""Which tags surely do not stand in the checking index (``hub.db.presence``).

A bit that is missing would hide a filing. So the index is read in full first, then the audit log from the number at
which that reading began: no filing is written without an event there, in the same transaction, and its numbers are
given in the order in which transactions end. Whatever was not read yet, everything is looked up.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress
from threading import Lock
from typing import Final

from hub.checks.index import TAG_BYTES
from hub.db import Database
from hub.db.presence import Presence

# In one step, so that no search waits long for it.
TAGS_AT_ONCE: Final = 20_000
EVENTS_AT_ONCE: Final = 5_000
# The events by which tags come into the index (``filings.writing``); a rotation is seen by its epochs.
WRITTEN: Final = frozenset({"filing:file", "filing:amend"})
NEWEST_EVENT: Final = "SELECT coalesce(max(id), 0) FROM audit_event"
EVENTS: Final = "SELECT id, action, subject FROM audit_event WHERE id > ? ORDER BY id LIMIT ?"
COUNT: Final = "SELECT count(*) FROM filing_identifier"
TAGS: Final = "SELECT tag FROM filing_identifier WHERE tag > ? ORDER BY tag LIMIT ?"
OF_FILING: Final = "SELECT tag FROM filing_identifier WHERE filing_id = ?"


class KnownTags:
    """The tags of the index that one process knows of; safe for threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = Lock()
        self._known: _Epoch | None = None

    def possible(self, tags: Sequence[bytes], epochs: Sequence[int]) -> Sequence[bytes]:
        """Those of ``tags`` under which something may stand. ``epochs`` are those that are searched: while a rotation
        goes on there are two, and all of ``tags`` are possible.
        """
        if len(epochs) != 1:
            return tags
        with self._lock:
            known = self._known
            if known is None or known.number != epochs[0] or known.presence.full:
                known = self._known = _Epoch(self._database, epochs[0])
            if not known.is_read():
                return tags
        return list(compress(tags, known.presence.holds(_numbers(tags))))


class _Epoch:
    """What is known of one epoch."""

    def __init__(self, database: Database, number: int) -> None:
        self.number = number
        self._database = database
        ((self._event,),) = database.select(NEWEST_EVENT)  # before the first tag is read
        ((count,),) = database.select(COUNT)
        self.presence = Presence(count)
        self._after: bytes | None = b""

    def is_read(self) -> bool:
        """Go on reading; whether nothing is left to read."""
        if self._after is not None:
            tags = self._add(self._database.select(TAGS, (self._after, TAGS_AT_ONCE)))
            self._after = tags[-1] if len(tags) == TAGS_AT_ONCE else None
            if self._after is not None:
                return False
        events = self._database.select(EVENTS, (self._event, EVENTS_AT_ONCE))
        for _, action, filing_id in events:
            if action in WRITTEN:
                self._add(self._database.select(OF_FILING, (filing_id,)))
        if events:
            self._event = events[-1][0]
        return len(events) < EVENTS_AT_ONCE

    def _add(self, rows: Sequence[Sequence[bytes]]) -> list[bytes]:
        tags = [tag for (tag,) in rows]
        self.presence.add(_numbers(tags))
        return tags


def _numbers(tags: Sequence[bytes]) -> list[int]:
    """The first four bytes of each tag: they are as random as the whole."""
    return memoryview(b"".join(tags)).cast("I")[:: TAG_BYTES // 4].tolist()
