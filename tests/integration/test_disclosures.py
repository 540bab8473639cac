"""The disclosure ledger: exactly what was given, to whom, when; polls that gave nothing; what an end leaves."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from hub.ledger import collections
from hub.ledger.disclosures import (
    LONGEST_USER_AGENT,
    Disclosures,
    Note,
    holds,
    last_polls,
    packed,
    told,
    who_pulled_revocation,
    who_received,
)
from hub.ledger.records import Disclosure, LastPoll
from hub.stix.downconvert import id20
from hub.stix.tlp import Tlp
from hub.web.services import EXTENSION
from tests.commands import Commands
from tests.engines import DatabaseEngine, SQLite
from tests.live import LocalHub, TestMember, local, serving
from tests.objects import T0, indicator

AMBER = {"object_marking_refs": [Tlp.AMBER.marking_id]}
LATER = "2025-01-01T00:00:00.000Z"
URL = "/taxii2/signed/collections/told/objects/"


@pytest.fixture
def hub(database_engine: DatabaseEngine, tmp_path: Path) -> Iterator[LocalHub]:
    with database_engine.migrated() as url, local(url, tmp_path) as made:
        made.add_collection("told")
        yield made


@pytest.fixture
def writer(hub: LocalHub) -> TestMember:
    return hub.add_member("First Bank", groups=["banks"], roles=["contributor"])


def _flush(hub: LocalHub) -> None:
    hub.app.extensions[EXTENSION].disclosures.flush()


def _no(hub: LocalHub) -> int:
    with hub.hub.database.reading() as session:
        found = collections.by_alias(session, "told")
        assert found is not None
        return found.no


def _receivers(hub: LocalHub, stix_id: str, version: str = T0) -> set[str]:
    _flush(hub)
    with hub.hub.database.reading() as session:
        return {one.member_id for one in who_received(session, _no(hub), stix_id, version)}


def test_who_received_a_version_is_told_exactly(hub: LocalHub, writer: TestMember) -> None:
    objects = [indicator(n, **AMBER) for n in range(10)]
    hub.add(URL, writer, objects)
    one, two, three = (hub.add_member(f"Reader {n}", groups=["banks"]) for n in range(3))
    outsider = hub.add_member("Outsider", groups=["telcos"])
    first = hub.get(URL, one, query_string={"limit": 4}).json
    hub.get(URL, one, query_string={"limit": 4, "next": first["next"]})
    wanted = [objects[1]["id"], objects[8]["id"]]
    hub.get(URL, two, query_string={"match[id]": ",".join(wanted)})
    hub.get(f"{URL}{objects[9]['id']}/", three)
    hub.get(URL, outsider)
    hub.request("HEAD", URL, three)
    for number, obj in enumerate(objects):
        expected = {one.member_id} if number < 8 else set()
        expected |= {two.member_id} if obj["id"] in wanted else set()
        expected |= {three.member_id} if number == 9 else set()
        assert _receivers(hub, obj["id"]) == expected, number
    assert _receivers(hub, objects[0]["id"], LATER) == set()


def test_a_304_gives_nothing_and_a_cached_page_gives_it_again(hub: LocalHub, writer: TestMember) -> None:
    obj = indicator("cached", **AMBER)
    hub.add(URL, writer, [obj])
    one, two = (hub.add_member(f"Reader {n}", groups=["banks"]) for n in range(2))
    etag = hub.get(URL, one).headers["ETag"]
    assert hub.get(URL, two, headers={"If-None-Match": etag}).status_code == 304
    assert _receivers(hub, obj["id"]) == {one.member_id}
    assert hub.get(URL, two).status_code == 200
    assert _receivers(hub, obj["id"]) == {one.member_id, two.member_id}


def test_who_has_pulled_a_revocation(hub: LocalHub, writer: TestMember) -> None:
    hub.add(URL, writer, [indicator("wrong", **AMBER)])
    early, late = hub.add_member("Early", groups=["banks"]), hub.add_member("Late", groups=["banks"])
    for member in (early, late):
        hub.get(URL, member)
    hub.add(URL, writer, [indicator("wrong", modified=LATER, revoked=True, **AMBER)])
    hub.get(URL, early)
    before = time.time_ns() // 1000
    _flush(hub)
    stix_id = indicator("wrong")["id"]
    with hub.hub.database.reading() as session:
        pulled = who_pulled_revocation(session, _no(hub), stix_id)
        assert [one.member_id for one in pulled] == [early.member_id]
        assert before - 60_000_000 < pulled[0].at <= before
        versions = told(session, stix_id)
    assert [(one.version, one.revoked) for one in versions] == [(T0, False), (LATER, True)]
    assert {one.member_id for one in versions[0].received} == {early.member_id, late.member_id}


def test_taxii_20_is_disclosed_too(hub: LocalHub, writer: TestMember) -> None:
    objects = [indicator(n, **AMBER) for n in range(4)]
    hub.add(URL, writer, objects)
    reader = hub.add_member("Old client", groups=["banks"])
    number = hub.get("/taxii2/plain/collections/told/", reader).get_json(force=True)["id"]
    path = f"/taxii/root/collections/{number}/objects/"
    answer = hub.get(path, reader, headers={"Range": "items 1-2"})
    given = {one["id"] for one in answer.get_json(force=True)["objects"]}
    for obj in objects:
        assert (_receivers(hub, obj["id"]) == {reader.member_id}) == (id20(obj["id"]) in given)


def test_an_idle_reader_is_one_row(hub: LocalHub, writer: TestMember) -> None:
    hub.add(URL, writer, [indicator("idle", **AMBER)])
    reader = hub.add_member("Idle", groups=["banks"])
    added = hub.get(URL, reader).headers["X-TAXII-Date-Added-Last"]
    agent = "poller/1.0 " + "x" * 500
    for number in range(30):
        answer = hub.get(URL, reader, query_string={"added_after": added}, headers={"User-Agent": agent})
        assert answer.json == {}
        if number % 10 == 0:
            _flush(hub)
    _flush(hub)
    with hub.hub.database.reading() as session:
        (row,) = [one for one in last_polls(session) if one.member_id == reader.member_id]
        assert (row.polls, row.objects, row.status) == (31, 0, 200)
        assert row.user_agent == agent[:LONGEST_USER_AGENT]
        assert row.cursor > 0
        assert session.scalar(select(func.count()).select_from(Disclosure)) == 1


def test_pages_that_follow_each_other_are_one_row(hub: LocalHub, writer: TestMember) -> None:
    hub.add(URL, writer, [indicator(n, **AMBER) for n in range(60)])
    reader = hub.add_member("Drains", groups=["banks"])
    query: dict[str, Any] = {"limit": 7}
    while True:
        page = hub.get(URL, reader, query_string=query).json
        if not page.get("more"):
            break
        query["next"] = page["next"]
    _flush(hub)
    with hub.hub.database.reading() as session:
        rows = session.scalars(select(Disclosure).where(Disclosure.member_id == reader.member_id)).all()
        assert sum(row.objects for row in rows) == 60
        assert len(rows) <= 3, "one for each second that the drain took"


def test_runs_hold_what_was_packed() -> None:
    chance = random.Random(7)
    for size in (1, 2, 3, 50, 1000):
        for spread in (1, 2, 10, 100_000):
            start = chance.randrange(1, 2**40)
            seqs = sorted(chance.sample(range(start, start + size * spread), size))
            runs = packed(seqs)
            assert len(runs) <= 4 * size + 4
            near = {seq + step for seq in seqs[:100] for step in (-1, 0, 1)}
            assert {seq for seq in near if holds(runs, seqs[0], seq)} == near & set(seqs)
            # A part of them, its first gap from the first of all.
            part = sorted(chance.sample(seqs, (size + 1) // 2))
            assert {seq for seq in near if holds(packed(part, seqs[0]), seqs[0], seq)} == near & set(part)


def test_notes_wait_for_a_database_that_is_away(hub: LocalHub, monkeypatch: pytest.MonkeyPatch) -> None:
    from hub.errors import Unavailable

    database = hub.hub.database
    ledger = Disclosures(database)

    def away() -> Any:
        raise Unavailable("away")

    note = Note("somebody", 1, 5, (1, 2, 3), 3, "agent", 200)
    with monkeypatch.context() as broken:
        broken.setattr(database, "unit_of_work", away)
        ledger.note(note)
        ledger.flush()
        ledger.note(Note("somebody", 1, 6, (), 3, "agent", 304))
        ledger.flush()
    ledger.close()
    with database.reading() as session:
        row = session.get_one(LastPoll, ("somebody", 1))
        assert (row.polls, row.at, row.status) == (2, 6, 304)
        assert session.scalar(select(func.count()).select_from(Disclosure)) == 1


def test_two_processes_count_together(hub: LocalHub) -> None:
    ledgers = [Disclosures(hub.hub.database) for _ in range(2)]
    for number in range(6):
        ledgers[number % 2].note(Note("somebody", 1, number, (), 9, "agent", 200))
    for ledger in ledgers:
        ledger.close()
    with hub.hub.database.reading() as session:
        assert session.get_one(LastPoll, ("somebody", 1)).polls == 6


def test_a_clean_end_loses_nothing_and_the_command_tells(sqlite: SQLite, tmp_path: Path) -> None:
    with sqlite.migrated() as url:
        with serving(url, tmp_path) as served:
            writer = served.add_member("First Bank", groups=["banks"], roles=["contributor"])
            reader = served.add_member("Second Bank", groups=["banks"])
            obj = indicator("served", **AMBER)
            served.add("/taxii2/plain/collections/shared/objects/", writer, [obj])
            time.sleep(1.2)  # what came before is written; the next poll comes within its second
            answer = served.get("/taxii2/signed/collections/shared/objects/", reader)
            assert obj["id"] in {one["id"] for one in answer.json()["objects"]}
        command = partial(Commands(url, tmp_path), "disclosures")
        for more in ([], ["--version", T0]):
            (shown,) = command(obj["id"], *more, "--json").document
            assert (shown["collection"], shown["version"], shown["revoked"]) == ("shared", T0, False)
            assert [one["member"] for one in shown["received"]] == ["Second Bank"]
        assert command(id20(obj["id"]), "--json").document[0]["version"] == T0
        command(obj["id"], "--version", LATER, code=1)
        assert "Second Bank" in command(obj["id"]).out
        polls = command("--json").document
        assert {(one["member"], one["collection"], one["polls"]) for one in polls} == {("Second Bank", "shared", 1)}
        assert "Second Bank" in command().out
