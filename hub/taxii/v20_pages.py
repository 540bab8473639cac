"""Pages for TAXII 2.0: which objects stand at which positions, in the form of STIX 2.0.

Types that 2.0 does not have are never asked for, so they take no positions. An object of a type that it does
have, whose meaning it could not carry, takes one and is left out.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any

import orjson
from flask import Request

from hub.auth import Actor
from hub.db import Row
from hub.ledger import pages
from hub.ledger.collections import CollectionView
from hub.ledger.pages import Page, Query, Versions
from hub.ledger.views import Head
from hub.stix.downconvert import TYPES, NotIn20, down, id20, ids21, milliseconds
from hub.taxii import parameters, v20_ranges
from hub.taxii.v20_ranges import Span
from hub.web import services
from hub.web.compression import Shared
from hub.web.disclosing import disclose
from hub.web.page_cache import CachedPage

EVERY = Versions(last=False, every=True)
FILTERS = ("match[id]", "match[type]", "match[version]")


@dataclass(frozen=True, slots=True)
class Question:
    """One GET of objects or of the manifest: what it asks for, and the positions of its page."""

    actor: Actor
    head: Head
    query: Query
    span: Span

    @classmethod
    def of(
        cls, request: Request, actor: Actor, head: Head, collection: CollectionView, stix_id: str | None = None
    ) -> Question:
        """Parse a request. Raises InvalidInput that names the malformed parameter, 416 for a range."""
        settings = services().settings.taxii
        query = _query(request, collection, stix_id)
        total = services().positions.count(actor, head, query)
        asked = v20_ranges.span(request.headers.get("Range"), total, settings.default_page, settings.max_page)
        return cls(actor, head, query, asked)

    def page(self) -> Page:
        """The rows at these positions."""
        if not self.span.length:
            return Page([], more=False)
        return services().positions.page(self.actor, self.head, self.query, self.span.start, self.span.length)

    def objects(self) -> CachedPage:
        """The objects in the form of STIX 2.0, joined; ``tag`` names them."""
        view = services().views.of(self.actor, self.head)
        streams = view.stream_ids(self.query.collection_no, frozenset(self.query.types))
        hidden = view.hidden_in(streams)
        key = ("2.0", self.head, streams, hidden, self.query, self.span)
        known = services().pages.get(key)
        if known is None:
            known = _joined(self.page(), hidden)
            services().pages.put(key, known)
        further = self.span.start + self.span.length < self.span.total
        cursor = known.last_seq if further and known.seqs else self.head.seq
        disclose(self.query.collection_no, known.seqs, cursor, known.redacted)
        return known


def bundle_id(tag: str) -> str:
    """An id of the bundle that is the same for the same objects (a UUID of version 4 in form)."""
    return f"bundle--{uuid.UUID(bytes=hashlib.sha256(tag.encode()).digest()[:16], version=4)}"


def manifest(question: Question, page: Page) -> list[dict[str, Any]]:
    """One entry for each object of the page (section 5.3.1): its versions that the question asks for, newest first."""
    rows = [row for row in page.rows if _given(row) is not None]
    entries: dict[str, dict[str, Any]] = {}
    versions = _all_versions(question, rows) if question.query.versions == EVERY else {}
    for seq, added, body, _, _ in rows:
        obj = orjson.loads(body)
        stix_id = id20(obj["id"])
        own = milliseconds(obj.get("modified") or obj["created"])
        if seq in versions:
            listed = versions[seq]
        elif versions:
            continue  # another version of this object stands at the object's place
        else:
            earlier = entries.pop(stix_id, {"versions": []})  # the entry stands where its last version was added
            listed = sorted([own, *earlier["versions"]], reverse=True)
        entries[stix_id] = {"id": stix_id, "added": added, "versions": listed}
    return list(entries.values())


def left_out(rows: Iterable[Row]) -> int:
    """How many of the rows have no form in STIX 2.0."""
    return sum(_given(row) is None for row in rows)


def _query(request: Request, collection: CollectionView, stix_id: str | None) -> Query:
    names = FILTERS if stix_id is None else ("match[version]",)
    wanted = parameters.filters(parameters.given_filters(request.args, names))
    ids = (stix_id,) if stix_id is not None else wanted.ids
    types = tuple(sorted(TYPES.intersection(wanted.types or TYPES))) or ("",)
    shown = tuple(dict.fromkeys(one for given in ids for one in ids21(given)))
    added_after = parameters.added_after(request.args) if stix_id is None else None
    return Query(collection.no, 1, added_after=added_after, ids=shown, types=types, versions=wanted.versions)


def _all_versions(question: Question, rows: list[Row]) -> dict[int, list[str]]:
    """By the seq of an object's newest version: all its versions, newest first."""
    ids = tuple({orjson.loads(row[2])["id"] for row in rows})
    if not ids:
        return {}
    parts = services()
    query = Query(question.query.collection_no, 10_000, ids=ids, types=question.query.types, versions=EVERY)
    found: dict[str, list[Row]] = {}
    for row in pages.records(parts.database, parts.views, question.actor, question.head, query).rows:
        found.setdefault(row[2], []).append(row)
    ordered = [sorted(rows, key=lambda row: str(row[3]), reverse=True) for rows in found.values()]
    return {rows[0][0]: [milliseconds(row[3]) for row in rows] for rows in ordered}


def _joined(page: Page, hidden: Hashable) -> CachedPage:
    rows = page.rows
    given = [(row, body) for row in rows if (body := _given(row)) is not None]
    seqs = tuple(row[0] for row, _ in given)
    # What is left out counts: a client that goes on by these dates must come past it.
    added = page.added or (0, 0)
    named = hashlib.blake2b(repr(("2.0", hidden, seqs, *added, len(rows))).encode(), digest_size=12).hexdigest()
    objects = Shared(b",".join(body for _, body in given))
    return CachedPage(
        objects, seqs, *added, more=False, tag=named, left_out=len(rows) - len(given),
        redacted=tuple(seq for seq in page.redacted if seq in seqs),
    )  # fmt: skip


def _given(row: Row) -> bytes | None:
    try:
        return orjson.dumps(down(orjson.loads(pages.without_receipt(row))))
    except NotIn20:
        return None
