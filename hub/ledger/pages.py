"""Pages: what TAXII and every export read. Bytes out, no ORM, no JSON parsed but where a part is hidden.

A page is a keyset range on ``seq`` over the streams that the actor may see. It begins with a short scan of the log
in its order, which is all that an actor who sees most of it needs. What is then still missing is a merge of one
index range for each stream, so the cost does not depend on how much the actor may not see, nor on how deep it reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hub.auth import Actor
from hub.db import Database, Row
from hub.ledger.redacted import redacted
from hub.ledger.versions import version_key
from hub.ledger.views import Head, Views

# The scan covers so many times the entries that the page may hold.
SCANNED = 2
# SQLite takes no more than 500 parts of a UNION; an actor with more streams sees most of the log.
MERGED_STREAMS = 400

OBJECT_COLUMNS = "e.seq, e.date_added, e.body, e.cut_start, e.cut_end"
RECORD_COLUMNS = "e.seq, e.date_added, e.stix_id, e.version"


@dataclass(frozen=True, slots=True)
class Versions:
    """``match[version]``: which versions of each object (TAXII 2.1 section 3.4.1). Default: the last.

    ``exact`` are STIX timestamps. ``added`` are the same in microseconds: the version of an object that has
    none of its own is the instant at which it was added.
    """

    last: bool = True
    first: bool = False
    every: bool = False
    exact: tuple[str, ...] = ()
    added: tuple[int, ...] = ()

    @property
    def rare(self) -> bool:
        """Of most objects none of these versions is there: a walk in the log's order would find little."""
        return not (self.last or self.first or self.every)


@dataclass(frozen=True, slots=True)
class Query:
    """What a reader asks of one collection. ``after`` is a seq, ``added_after`` microseconds, both exclusive."""

    collection_no: int
    limit: int
    after: int = 0
    added_after: int | None = None
    ids: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    versions: Versions = Versions()


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of one page. ``more``: at least one more visible row follows the last.

    ``redacted``: the seqs of those that lack a part which the actor may not see.
    """

    rows: list[Row]
    more: bool
    redacted: tuple[int, ...] = ()

    @property
    def last_seq(self) -> int:
        """The seq to continue after."""
        return int(self.rows[-1][0])

    @property
    def added(self) -> tuple[int, int] | None:
        """``date_added`` of the first and the last row, in microseconds; None for an empty page."""
        return (self.rows[0][1], self.rows[-1][1]) if self.rows else None


def objects(database: Database, views: Views, actor: Actor, head: Head, query: Query) -> Page:
    """(seq, date_added, body, cut_start, cut_end) of the objects the actor may see, in the log's order.

    Where the actor may not see a part of an object, these are the bytes of the object without it.
    """
    view = views.of(actor, head)
    hidden = dict(view.hidden_in(view.stream_ids(query.collection_no, frozenset(query.types) or None)))
    if not hidden:
        return _page(database, views, actor, head, query, OBJECT_COLUMNS)
    page = _page(database, views, actor, head, query, f"{OBJECT_COLUMNS}, e.stream_id")
    given = [redacted(row[:5], hidden.get(row[5]), views.signer) for row in page.rows]
    lacking = tuple(one[0] for one, whole in zip(given, page.rows, strict=True) if one[2] is not whole[2])
    return Page(given, page.more, lacking)


def records(database: Database, views: Views, actor: Actor, head: Head, query: Query) -> Page:
    """(seq, date_added, id, version) of the same rows: what manifests and version lists are made of."""
    return _page(database, views, actor, head, query, RECORD_COLUMNS)


def exists(database: Database, views: Views, actor: Actor, head: Head, collection_no: int, stix_id: str) -> bool:
    """Whether the actor may see any version of the object in the collection."""
    query = Query(collection_no, limit=1, ids=(stix_id,), versions=Versions(every=True))
    return bool(records(database, views, actor, head, query).rows)


def unversioned_added(database: Database, collection_no: int, ids: Sequence[str]) -> dict[str, int]:
    """When objects that state no version were added to the collection, in microseconds, by id.

    For the one who added them, and so without an actor: it tells nothing but the time.
    """
    if not ids:
        return {}
    found = database.select(
        "SELECT stix_id, date_added FROM entry WHERE collection_no = ? AND version_key = ''"
        f" AND stix_id IN ({_marks(list(ids))})",
        [collection_no, *ids],
    )
    return {stix_id: int(added) for stix_id, added in found}


def without_receipt(row: Row) -> bytes:
    """The object of an ``objects`` row as it was accepted: the receipt cut out of the stored bytes."""
    _, _, body, start, end = row
    return body if start == end else bytes(body[:start] + body[end:])


def _page(database: Database, views: Views, actor: Actor, head: Head, query: Query, columns: str) -> Page:
    types = frozenset(query.types) if query.types else None
    streams = views.of(actor, head).stream_ids(query.collection_no, types)
    if not streams or query.after >= head.seq or (query.added_after or 0) >= head.date_added:
        return Page([], more=False)
    after = query.after
    if query.added_after is not None:
        after = max(after, _seq_at(database, query.added_after))
    rows = _rows(database, columns, streams, query, after, head.seq)
    return Page(rows[: query.limit], more=len(rows) > query.limit)


def _rows(
    database: Database, columns: str, streams: tuple[int, ...], query: Query, after: int, head_seq: int
) -> list[Row]:
    """Up to one row more than the page may hold."""
    fetch = query.limit + 1
    if query.ids:
        return database.select(*_by_id(columns, streams, query, after, head_seq, fetch))
    if query.versions.rare:
        return database.select(*_by_version(columns, streams, query.versions, after, head_seq, fetch))
    scanned_to = min(after + SCANNED * fetch, head_seq)
    rows = database.select(*_scan(columns, streams, query.versions, after, scanned_to, fetch))
    if len(rows) == fetch or scanned_to == head_seq:
        return rows
    rest = _merge if len(streams) <= MERGED_STREAMS else _scan
    return rows + database.select(*rest(columns, streams, query.versions, scanned_to, head_seq, fetch - len(rows)))


# The SQL of a page and its parameters. Only constants of this file are put into the text.
Statement = tuple[str, list[Any]]


def _by_id(columns: str, streams: tuple[int, ...], query: Query, after: int, head_seq: int, fetch: int) -> Statement:
    """By the index on ids; the pluses keep the planners from reading whole streams, or the log, for single ids."""
    condition, values = _condition(query.versions, after, head_seq, seq="+seq")
    sql = (
        f"SELECT {columns} FROM entry e WHERE collection_no = ? AND stix_id IN ({_marks(query.ids)})"
        f" AND +stream_id IN ({_marks(streams)}) AND {condition} ORDER BY +e.seq LIMIT ?"
    )
    return sql, [query.collection_no, *query.ids, *streams, *values, fetch]


def _scan(
    columns: str, streams: tuple[int, ...], versions: Versions, after: int, head_seq: int, fetch: int
) -> Statement:
    """The log in its order; the plus keeps the planners from reading whole streams and sorting them."""
    condition, values = _condition(versions, after, head_seq)
    sql = (
        f"SELECT {columns} FROM entry e WHERE {condition} AND +stream_id IN ({_marks(streams)}) ORDER BY e.seq LIMIT ?"
    )
    return sql, [*values, *streams, fetch]


def _merge(
    columns: str, streams: tuple[int, ...], versions: Versions, after: int, head_seq: int, fetch: int
) -> Statement:
    """One index range for each stream, merged."""
    condition, values = _condition(versions, after, head_seq)
    one = f"SELECT seq FROM entry WHERE stream_id = ? AND {condition} ORDER BY seq LIMIT ?"
    merged = " UNION ALL ".join(f"SELECT seq FROM ({one}) AS s{n}" for n in range(len(streams)))
    parameters: list[Any] = []
    for stream in streams:
        parameters += [stream, *values, fetch]
    return _joined(columns, merged), [*parameters, fetch]


def _by_version(
    columns: str, streams: tuple[int, ...], versions: Versions, after: int, head_seq: int, fetch: int
) -> Statement:
    """One index range for each stream and version, merged; where there are many, all of them sorted (the plus keeps
    the planners from a walk through the log).
    """
    keys = sorted({version_key(version) for version in versions.exact})
    between = "seq > ? AND seq <= ?"
    one = f"SELECT seq FROM entry WHERE stream_id = ? AND version_key = ? AND {between} ORDER BY seq LIMIT ?"
    parts = [(one, [stream, key, after, head_seq, fetch]) for stream in streams for key in keys]
    if len(parts) > MERGED_STREAMS:
        among = f"stream_id IN ({_marks(streams)}) AND version_key IN ({_marks(keys)})"
        some = f"SELECT seq FROM entry WHERE {among} AND +seq > ? AND +seq <= ? ORDER BY +seq LIMIT ?"
        parts = [(some, [*streams, *keys, after, head_seq, fetch])]
    if versions.added:
        unversioned = f"version_key = '' AND date_added IN ({_marks(versions.added)}) AND {between}"
        some = f"SELECT seq FROM entry WHERE +stream_id IN ({_marks(streams)}) AND {unversioned}"
        parts.append((some, [*streams, *versions.added, after, head_seq]))
    merged = " UNION ALL ".join(f"SELECT seq FROM ({part}) AS p{n}" for n, (part, _) in enumerate(parts))
    values = [value for _, given in parts for value in given]
    return _joined(columns, merged), [*values, fetch]


def _joined(columns: str, merged: str) -> str:
    """The rows of a page whose seqs are merged from several ranges."""
    return (
        f"SELECT {columns} FROM (SELECT seq FROM ({merged}) AS ranges ORDER BY seq LIMIT ?) AS page"
        " JOIN entry e ON e.seq = page.seq ORDER BY e.seq"
    )


def _seq_at(database: Database, added: int) -> int:
    """The seq of the newest entry that was added at ``added`` microseconds or before, 0 where there is none."""
    rows = database.select("SELECT seq FROM entry WHERE date_added <= ? ORDER BY date_added DESC LIMIT 1", (added,))
    return int(rows[0][0]) if rows else 0


def _condition(versions: Versions, after: int, head_seq: int, seq: str = "seq") -> tuple[str, list[Any]]:
    values: list[Any]
    parts, values = [f"{seq} > ?", f"{seq} <= ?"], [after, head_seq]
    if not versions.every:
        wanted = ["latest = 1"] if versions.last else []
        wanted += ["earliest = 1"] if versions.first else []
        exact: list[Any] = [version_key(version) for version in versions.exact]
        wanted += [f"version_key IN ({_marks(exact)})"] if exact else []
        wanted += [f"version_key = '' AND date_added IN ({_marks(versions.added)})"] if versions.added else []
        parts.append(f"({' OR '.join(wanted)})" if len(wanted) > 1 else wanted[0])
        values += [*exact, *versions.added]
    return " AND ".join(parts), values


def _marks(values: tuple[Any, ...] | list[Any]) -> str:
    return ", ".join("?" * len(values))
