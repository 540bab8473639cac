"""What a member sees is exactly what the one visibility rule says, for random members, collections and objects."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.auth import Actor, CredentialKind, Permission, Role, permissions_of
from hub.db import Database
from hub.ledger import collections, pages
from hub.ledger.append import Log, Source, draft
from hub.ledger.classes import Audience
from hub.ledger.pages import Query, Versions
from hub.ledger.views import Views
from hub.provenance.keys import FileSigner
from hub.stix.tlp import Tlp
from tests.engines import DatabaseEngine
from tests.objects import indicator, malware

SOURCE = Source(1, "feed", "a feed")
MEMBERS = ("m1", "m2", "m3")
GROUPS = (1, 2, 3)
MAKE = {"indicator": indicator, "malware": malware}
INSTANTS = ("2024-01-01T00:00:00.000Z", "2024-01-01T00:00:00.5Z", "2025-06-01T00:00:00Z")
# The first tells the one who added an object when that was, the second cuts bytes that were read already.
WITHOUT_ACTOR = {"unversioned_added", "without_receipt"}

members = st.builds(
    lambda member_id, roles, clearance, groups: Actor(
        member_id, f"{member_id}-1", "bank", "identity--1", "identity--1", roles, clearance, groups,
        permissions_of(roles, CredentialKind.TOKEN),
    ),
    st.sampled_from(MEMBERS),
    st.frozensets(st.sampled_from(Role), min_size=1, max_size=3),
    st.sampled_from(Tlp),
    st.frozensets(st.sampled_from(GROUPS)),
)  # fmt: skip
collection_audiences = st.frozensets(
    st.sampled_from(
        ["members", *(f"member:{m}" for m in MEMBERS), *(f"group:{g}" for g in GROUPS), *(f"role:{r}" for r in Role)]
    ),
    max_size=3,
)
object_audiences = st.builds(
    Audience,
    st.sampled_from(Tlp),
    st.frozensets(st.sampled_from(GROUPS)),
    st.frozensets(st.sampled_from(MEMBERS)),
    st.sampled_from([False, False, False, True]),
)


@dataclass(frozen=True, slots=True)
class Placed:
    """One object version that is to be added: into which of the collections, of which object, for whom."""

    collection: int
    stix_type: str
    name: int
    modified: str
    audience: Audience


placed = st.builds(
    Placed,
    st.integers(0, 1),
    st.sampled_from(sorted(MAKE)),
    st.integers(0, 3),
    st.sampled_from(INSTANTS),
    object_audiences,
)


@dataclass(frozen=True, slots=True)
class Row:
    """An object version as the log took it."""

    seq: int
    stix_id: str
    placed: Placed

    @property
    def instant(self) -> int:
        return INSTANTS.index(self.placed.modified)


# The oracle: the rule of the design once more, in plain Python.


def belongs(actor: Actor, audiences: frozenset[str]) -> bool:
    own = {"members", f"member:{actor.member_id}"}
    own |= {f"group:{group}" for group in actor.groups} | {f"role:{role.value}" for role in actor.roles}
    return bool(own & audiences)


def may_see(actor: Actor, readers: frozenset[str], audience: Audience) -> bool:
    if not belongs(actor, readers) or audience.disputed or audience.tlp > actor.clearance:
        return False
    if audience.tlp in (Tlp.CLEAR, Tlp.GREEN):
        return True
    if audience.tlp in (Tlp.AMBER, Tlp.AMBER_STRICT):
        return bool(audience.groups & actor.groups)
    return actor.member_id in audience.recipients


def newest(rows: list[Row], row: Row) -> bool:
    return all(
        row.instant >= other.instant
        for other in rows
        if (other.placed.collection, other.stix_id) == (row.placed.collection, row.stix_id)
    )


@dataclass(slots=True)
class World:
    """A database with a log, used by every example of one product; each makes collections of its own."""

    database: Database
    log: Log
    views: Views
    names: Iterator[int] = field(default_factory=count)

    def add(self, readers: list[frozenset[str]], writers: list[frozenset[str]], wanted: list[Placed]) -> Any:
        """(numbers of the collections, their aliases, rows in the log's order)."""
        turn = next(self.names)
        aliases = [f"c{turn}-{n}" for n in range(len(readers))]
        with self.database.unit_of_work() as session:
            numbers = [
                collections.add(session, alias, alias, read=read, write=write).no
                for alias, read, write in zip(aliases, readers, writers, strict=True)
            ]
            objects = [MAKE[one.stix_type](f"{turn} {one.name}", modified=one.modified) for one in wanted]
            drafts = [
                draft(obj, numbers[one.collection], one.audience, SOURCE)
                for obj, one in zip(objects, wanted, strict=True)
            ]
            appended = self.log.append(session, drafts)
        rows = [
            Row(outcome.seq, obj["id"], one)
            for outcome, obj, one in zip(appended, objects, wanted, strict=True)
            if outcome.seq is not None
        ]
        return numbers, aliases, rows

    def follow(self, read: Any, actor: Actor, query: Query, limit: int) -> list[int]:
        """The seqs of all pages, read by ``limit``."""
        head = self.views.head()
        found: list[int] = []
        after = query.after
        while True:
            asked = Query(query.collection_no, limit, after, None, query.ids, query.types, query.versions)
            page = read(self.database, self.views, actor, head, asked)
            found += [row[0] for row in page.rows]
            if not page.more:
                return found
            assert len(page.rows) == limit
            after = page.last_seq


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    engine: DatabaseEngine = request.getfixturevalue(request.param)
    with engine.migrated() as url:
        database = Database(url)
        key: Path = tmp_path_factory.mktemp("keys") / "receipt.pem"
        signer = FileSigner.read_or_create(key)
        yield World(database, Log(signer, b"k" * 32), Views(database, signer))
        database.close()


@pytest.fixture(scope="module", params=[(2, 400), (0, 400), (0, 0)], ids=["both", "merged", "scanned"])
def plan(request: pytest.FixtureRequest) -> Iterator[None]:
    """Each way that a page can be read."""
    scanned, merged = request.param
    with patch.object(pages, "SCANNED", scanned), patch.object(pages, "MERGED_STREAMS", merged):
        yield


def _examples(world: World) -> int:
    return 60 if world.database.product == "sqlite" else 25


def test_pages_hold_exactly_what_the_rule_allows(world: World, plan: None) -> None:
    @settings(
        max_examples=_examples(world),
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(
        st.lists(members, min_size=1, max_size=3),
        st.lists(collection_audiences, min_size=2, max_size=2),
        st.lists(placed, max_size=14),
        st.integers(1, 6),
    )
    def check(actors: list[Actor], readers: list[frozenset[str]], wanted: list[Placed], limit: int) -> None:
        numbers, _, rows = world.add(readers, [frozenset(), frozenset()], wanted)
        for actor in actors:
            for place, number in enumerate(numbers):
                mine = [
                    row
                    for row in rows
                    if row.placed.collection == place and may_see(actor, readers[place], row.placed.audience)
                ]
                _compare(world, actor, number, rows, mine, limit)

    check()


def _compare(world: World, actor: Actor, number: int, rows: list[Row], mine: list[Row], limit: int) -> None:
    every, last = Versions(last=False, every=True), Versions()
    for read in (pages.objects, pages.records):
        assert world.follow(read, actor, Query(number, 1, versions=every), limit) == [row.seq for row in mine]
        expected = [row.seq for row in mine if newest(rows, row)]
        assert world.follow(read, actor, Query(number, 1, versions=last), limit) == expected
        for stix_type in MAKE:
            expected = [row.seq for row in mine if row.placed.stix_type == stix_type]
            query = Query(number, 1, types=(stix_type,), versions=every)
            assert world.follow(read, actor, query, limit) == expected
    head = world.views.head()
    for stix_id in {row.stix_id for row in rows}:
        theirs = [row.seq for row in mine if row.stix_id == stix_id]
        query = Query(number, 1, ids=(stix_id,), versions=every)
        assert world.follow(pages.objects, actor, query, limit) == theirs
        assert pages.exists(world.database, world.views, actor, head, number, stix_id) == bool(theirs)


def test_views_show_exactly_the_collections_of_the_actor(world: World) -> None:
    @settings(max_examples=_examples(world), deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(
        members,
        st.lists(collection_audiences, min_size=2, max_size=2),
        st.lists(collection_audiences, min_size=2, max_size=2),
    )
    def check(actor: Actor, readers: list[frozenset[str]], writers: list[frozenset[str]]) -> None:
        _, aliases, _ = world.add(readers, writers, [])
        expected = {}
        for alias, read, write in zip(aliases, readers, writers, strict=True):
            can_read = belongs(actor, read) and Permission.TAXII_READ in actor.permissions
            can_write = belongs(actor, write) and Permission.TAXII_WRITE in actor.permissions
            if can_read or can_write:
                expected[alias] = (can_read, can_write)
        shown = world.views.of(actor, world.views.head()).collections
        assert {c.alias: (c.can_read, c.can_write) for c in shown if c.alias in aliases} == expected

    check()


def test_each_public_read_of_the_ledger_asks_for_an_actor() -> None:
    public = {
        name: inspect.signature(function)
        for name, function in inspect.getmembers(pages, inspect.isfunction)
        if function.__module__ == pages.__name__ and not name.startswith("_")
    }
    reads = {name for name in public if name not in WITHOUT_ACTOR}
    assert {"objects", "records", "exists"} <= reads
    for name in reads:
        actor = public[name].parameters.get("actor")
        assert actor is not None and actor.default is inspect.Parameter.empty, name
