"""Look-ups: what an actor may see of single values and ids, through the same pages as every pull.

All reads are of indexes: the indicator of a value by the key that the value gives, its entries by id in each
collection that the actor reads. Neither depends on how much the ledger holds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.auth import Actor
from hub.db import Database
from hub.db.bulk import chunks, select_in
from hub.feeds.contributed import link_of_row
from hub.feeds.indicator import indicator_key
from hub.feeds.records import Contribution, Indicator
from hub.ledger import pages
from hub.ledger.collections import CollectionView
from hub.ledger.pages import Query
from hub.ledger.versions import version_key
from hub.ledger.views import Head, Views
from hub.stix.values import Kind, Value, canonical, detect

PRESENT = "SELECT key, stix_id FROM indicator WHERE key IN (…)"
TYPES = ("indicator",)
# The seq of an entry, and the object in it.
Entered = tuple[int, dict[str, Any]]
# Members' own objects that say one value: as many are looked at.
MOST_OBJECTS = 50


@dataclass(frozen=True, slots=True)
class Shown:
    """An indicator as the actor is shown it, and where it stands. ``withheld``: parts of it are left out."""

    obj: Mapping[str, Any]
    collections: tuple[CollectionView, ...]
    withheld: bool


@dataclass(frozen=True, slots=True)
class Given:
    """What an answer gives of one collection, for the ledger of disclosures."""

    collection_no: int
    seqs: tuple[int, ...]
    redacted: tuple[int, ...]


@dataclass(slots=True)
class Seen:
    """What the actor may see: indicators by id, and the entries that they were read from."""

    indicators: dict[str, Shown] = field(default_factory=dict)
    given: list[Given] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Reader:
    """Who looks up, and where."""

    database: Database
    views: Views
    actor: Actor
    head: Head

    def seen(self, stix_ids: Collection[str]) -> Seen:
        """The newest versions of these indicators that the actor may see, as TAXII gives them by id."""
        found: dict[str, list[tuple[CollectionView, Entered, bool]]] = {}
        for collection in self.views.of(self.actor, self.head).collections if stix_ids else ():
            if not collection.can_read:
                continue
            for ids in chunks(sorted(stix_ids)):
                query = Query(collection.no, len(ids), ids=tuple(ids), types=TYPES)
                page = pages.objects(self.database, self.views, self.actor, self.head, query)
                for row in page.rows:
                    obj = orjson.loads(pages.without_receipt(row))
                    found.setdefault(obj["id"], []).append((collection, (row[0], obj), row[0] in page.redacted))
        return _newest(found)


def read_as(text: str, kind: Kind | None) -> Value:
    """The value that a text spells. Raises InvalidInput with the reason."""
    return detect(text) if kind is None else canonical(kind, text)


def present_ids(session: Session, namespace: UUID, values: Iterable[Value]) -> dict[Value, str]:
    """The id of the hub's present indicator of each value that has one, whoever may see it."""
    keys = {indicator_key(namespace, value): value for value in values}
    return {keys[row.key]: row.stix_id for row in select_in(session, PRESENT, keys)}


def object_ids(session: Session, namespace: UUID, values: Iterable[Value]) -> dict[Value, list[str]]:
    """The ids of the members' own objects that say each value, whoever may see them."""
    keys = {indicator_key(namespace, value): value for value in values}
    found: dict[Value, list[str]] = {}
    for chunk in chunks(list(keys)):
        rows = session.execute(
            select(Indicator.key, Contribution.derived_from)
            .join(Contribution, Contribution.indicator_id == Indicator.id)
            .where(Indicator.key.in_(chunk))
        )
        for key, links in rows:
            said = found.setdefault(keys[key], [])
            said += [link_of_row(link).ref for link in links]
    return {value: sorted(set(refs))[:MOST_OBJECTS] for value, refs in found.items()}


def _newest(found: Mapping[str, Sequence[tuple[CollectionView, Entered, bool]]]) -> Seen:
    """Of each indicator its newest version, and the collections that hold that one."""
    seen = Seen()
    given: dict[int, list[tuple[int, bool]]] = {}
    for stix_id, places in found.items():
        newest = max(version_key(row[1]["modified"]) for _, row, _ in places)
        here = [place for place in places if version_key(place[1][1]["modified"]) == newest]
        withheld = any(lacks for _, _, lacks in here)
        seen.indicators[stix_id] = Shown(here[0][1][1], tuple(collection for collection, _, _ in here), withheld)
        for collection, row, lacks in here:
            given.setdefault(collection.no, []).append((row[0], lacks))
    for number, rows in given.items():
        rows.sort()
        seen.given.append(Given(number, tuple(seq for seq, _ in rows), tuple(seq for seq, lacks in rows if lacks)))
    return seen
