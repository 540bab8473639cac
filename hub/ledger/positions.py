"""Positions: the readers that page by offset (TAXII 2.0's Range) on a log that is read by keyset.

A position counts the versions that an actor may see and that a question asks for, in the log's order. Each
process remembers how many there are and which entry stands where, so that whoever reads on from page to page
costs no more than by keyset; only a jump into the middle counts its way there, over the index.

A question for the newest versions counts the superseded ones too, and every question for these or for all counts
what was withdrawn: so neither a revision nor a deletion moves what a client has not read yet, as it would if an
object left its place. They are counted, not given.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any

from hub.auth import Actor
from hub.db import Database
from hub.ledger import pages
from hub.ledger.pages import Page, Query, Versions
from hub.ledger.views import Head, Views

EVERY = Versions(last=False, every=True)
LAST = Versions()
REMEMBERED = 1024
MOST_MARKS = 256


@dataclass(slots=True)
class _Known:
    """How many there are up to an entry, and which entry stands before a position."""

    counted_to: int
    total: int = 0
    positions: list[int] = field(default_factory=lambda: [0])
    seqs: list[int] = field(default_factory=lambda: [0])


class Positions:
    """What one process knows of positions."""

    def __init__(self, database: Database, views: Views) -> None:
        self._database = database
        self._views = views
        self._lock = Lock()
        self._known: OrderedDict[Hashable, _Known] = OrderedDict()

    def count(self, actor: Actor, head: Head, query: Query) -> int:
        """How many versions ``query`` asks for; its ``limit`` and ``after`` do not count."""
        if not self._streams(actor, head, query):
            return 0
        known = self._of(actor, head, query)
        if known.counted_to < head.seq:
            sql, values = self._select("COUNT(*)", actor, head, query, known.counted_to)
            ((more,),) = self._database.select(sql, values)
            with self._lock:
                if known.counted_to < head.seq:
                    known.total, known.counted_to = known.total + more, head.seq
        return known.total

    def page(self, actor: Actor, head: Head, query: Query, start: int, length: int) -> Page:
        """``objects`` of the pages for the positions from ``start``, fewer than ``length`` where some are superseded
        or withdrawn.

        The caller has seen by ``count`` that they all exist.
        """
        after = self._seq_before(actor, head, query, start)
        counted = replace(_counted(query), limit=length)
        streams = self._streams(actor, head, query)
        rows = pages._rows(self._database, "e.seq", streams, counted, after, head.seq) if streams else []
        if not rows:
            return Page([], more=False)
        span = Page(rows[:length], more=len(rows) > length)
        last = span.last_seq
        self._remember(self._of(actor, head, query), start + len(span.rows), last)
        wanted = replace(query, after=after, added_after=None, limit=length)
        found = pages.objects(self._database, self._views, actor, head, wanted)
        lacking = tuple(seq for seq in found.redacted if seq <= last)
        return Page([row for row in found.rows if row[0] <= last], more=span.more, redacted=lacking)

    def _seq_before(self, actor: Actor, head: Head, query: Query, start: int) -> int:
        """The seq of the entry before position ``start``; what precedes position 0 for 0."""
        known = self._of(actor, head, query)
        with self._lock:
            nearest = bisect_right(known.positions, start) - 1
            position, seq = known.positions[nearest], known.seqs[nearest]
        if position == start:
            return seq
        sql, values = self._select("seq", actor, head, query, seq)
        ((found,),) = self._database.select(f"{sql} ORDER BY seq LIMIT 1 OFFSET ?", [*values, start - position - 1])
        self._remember(known, start, found)
        return int(found)

    def _of(self, actor: Actor, head: Head, query: Query) -> _Known:
        streams = self._streams(actor, head, query)
        counted = _counted(query)
        # The first version and exact ones are marked anew by what is added, so they hold for one head only.
        fixed = head.seq if counted.versions != EVERY else 0
        key = (head.epoch, fixed, streams, counted.ids, counted.versions, counted.added_after)
        with self._lock:
            known = self._known.get(key)
            if known is None:
                begin = 0 if query.added_after is None else pages._seq_at(self._database, query.added_after)
                known = self._known[key] = _Known(begin, seqs=[begin])
                while len(self._known) > REMEMBERED:
                    self._known.popitem(last=False)
            self._known.move_to_end(key)
            return known

    def _streams(self, actor: Actor, head: Head, query: Query) -> tuple[int, ...]:
        """What the actor sees, and what of it was withdrawn."""
        seen = self._views.of(actor, head).stream_ids(query.collection_no, frozenset(query.types) or None)
        return (*seen, *(-stream for stream in seen))

    def _select(self, what: str, actor: Actor, head: Head, query: Query, after: int) -> tuple[str, list[Any]]:
        """A statement over what ``query`` counts after an entry. ``what`` is a constant of this file."""
        streams = self._streams(actor, head, query)
        condition, values = pages._condition(_counted(query).versions, after, head.seq)
        sql = f"SELECT {what} FROM entry WHERE stream_id IN ({pages._marks(streams)}) AND {condition}"  # noqa: S608 (constants)
        if query.ids:
            sql += f" AND collection_no = ? AND stix_id IN ({pages._marks(query.ids)})"
            values = [*values, query.collection_no, *query.ids]
        return sql, [*streams, *values]

    def _remember(self, known: _Known, position: int, seq: int) -> None:
        with self._lock:
            place = bisect_right(known.positions, position)
            if known.positions[place - 1] == position:
                return
            known.positions.insert(place, position)
            known.seqs.insert(place, seq)
            if len(known.positions) > MOST_MARKS:  # every second one still leads near every place
                known.positions[1::2], known.seqs[1::2] = [], []


def _counted(query: Query) -> Query:
    return replace(query, versions=EVERY) if query.versions == LAST and not query.ids else query
