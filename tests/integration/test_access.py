"""A change of who may see what holds at the very next request, in every web process, on both databases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from hub.db import Database
from hub.ledger import collections
from hub.ledger.append import draft
from hub.ledger.classes import Audience
from hub.ledger.collections import by_alias
from hub.ledger.records import AccessEpoch
from hub.members.membership import group_ids, set_status
from hub.stix.tlp import Tlp
from tests.live import LiveHub, TestMember, local
from tests.objects import indicator

# Each on a connection of its own, so that every process is asked: all but one in 32,000 times.
ASKED = 16
ALIAS = "watched"
OBJECTS = f"/taxii2/signed/collections/{ALIAS}/objects/"


@pytest.fixture
def member(live_hub: LiveHub) -> TestMember:
    """A bank in the group ``banks``."""
    return _member(live_hub)


@pytest.fixture
def collection(live_hub: LiveHub, member: TestMember) -> str:
    """The id of a collection with one GREEN object and one AMBER one of the banks."""
    return _collection(live_hub)


# Once for each of the shared hubs: a module's fixture is made again where a worker comes back to the module.
@cache
def _member(live_hub: LiveHub) -> TestMember:
    return live_hub.add_member("First Bank", clearance="amber", groups=["banks"])


@cache
def _collection(live_hub: LiveHub) -> str:
    live_hub.add_collection(ALIAS)
    hub = live_hub.hub
    with hub.database.unit_of_work() as session:
        found = by_alias(session, ALIAS)
        assert found is not None
        source = hub.own_source(session).of_ledger
        banks = Audience(Tlp.AMBER, group_ids(session, ["banks"]))
        drafts = [
            draft(indicator("green"), found.no, Audience(Tlp.GREEN), source),
            draft(indicator("amber"), found.no, banks, source),
        ]
        hub.log.append(session, drafts)
        return found.id


def change(live_hub: LiveHub, sql: str, **values: Any) -> None:
    """What an operator might do by hand, past the hub's own code."""
    with live_hub.hub.database.unit_of_work() as session:
        assert session.execute(text(sql), values).rowcount >= 1


def answers(live_hub: LiveHub, member: TestMember, path: str = OBJECTS) -> Counter[tuple[int, int]]:
    """(status, number of objects) of each answer."""
    found: Counter[tuple[int, int]] = Counter()
    for _ in range(ASKED):
        answer = live_hub.get(path, member)
        found[answer.status_code, len(answer.json().get("objects", ()))] += 1
    return found


def all_are(status: int, objects: int = 0) -> Counter[tuple[int, int]]:
    return Counter({(status, objects): ASKED})


Step = Callable[[LiveHub, TestMember, str], None]


def suspended(live_hub: LiveHub, member: TestMember, _collection: str) -> None:
    live_hub.suspend(member)


def resumed(live_hub: LiveHub, member: TestMember, _collection: str) -> None:
    with live_hub.hub.database.unit_of_work() as session:
        set_status(session, member.member_id, "active")


def by_sql(sql: str) -> Step:
    """Direct SQL: ``:member`` is the member's id, ``:username`` its credential's, ``:collection`` the number."""

    def step(live_hub: LiveHub, member: TestMember, collection: str) -> None:
        with live_hub.hub.database.reading() as session:
            found = by_alias(session, collection)
            assert found is not None
        known = {"member": member.member_id, "username": member.username, "collection": found.no}
        change(live_hub, sql, **{name: value for name, value in known.items() if f":{name}" in sql})

    return step


AMBER_CLASSES = "SELECT id FROM visibility_class WHERE tlp = 2"
CHANGES: dict[str, tuple[Step, Step, tuple[int, int]]] = {
    "suspension": (suspended, resumed, (401, 0)),
    "status by SQL": (
        by_sql("UPDATE member SET status = 'dormant' WHERE id = :member"),
        by_sql("UPDATE member SET status = 'active' WHERE id = :member"),
        (401, 0),
    ),
    "clearance": (
        by_sql("UPDATE member SET clearance = 1 WHERE id = :member"),
        by_sql("UPDATE member SET clearance = 2 WHERE id = :member"),
        (200, 1),
    ),
    "group": (
        by_sql("DELETE FROM member_group WHERE member_id = :member"),
        by_sql("INSERT INTO member_group SELECT :member, id FROM sharing_group WHERE name = 'banks'"),
        (200, 1),
    ),
    "credential": (
        by_sql("UPDATE credential SET revoked_at = 1 WHERE username = :username"),
        by_sql("UPDATE credential SET revoked_at = NULL WHERE username = :username"),
        (401, 0),
    ),
    "collection's audience": (
        by_sql(
            "UPDATE collection_audience SET audience = 'member:x' WHERE collection_no = :collection AND action = 'read'"
        ),
        by_sql(
            "UPDATE collection_audience SET audience = 'members' WHERE collection_no = :collection AND action = 'read'"
        ),
        (404, 0),
    ),
    "dispute": (
        by_sql("UPDATE visibility_class SET disputed = 1 WHERE tlp = 2"),
        by_sql("UPDATE visibility_class SET disputed = 0 WHERE tlp = 2"),
        (200, 1),
    ),
    "groups of a class": (
        by_sql(f"UPDATE visibility_class_group SET group_id = group_id + 1000 WHERE class_id IN ({AMBER_CLASSES})"),
        by_sql(f"UPDATE visibility_class_group SET group_id = group_id - 1000 WHERE class_id IN ({AMBER_CLASSES})"),
        (200, 1),
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_it_holds_at_the_next_request(live_hub: LiveHub, member: TestMember, collection: str, name: str) -> None:
    do, undo, then = CHANGES[name]
    assert answers(live_hub, member) == all_are(200, 2)
    do(live_hub, member, collection)
    try:
        assert answers(live_hub, member) == all_are(*then)
    finally:
        undo(live_hub, member, collection)
    assert answers(live_hub, member) == all_are(200, 2)


def test_an_unseen_object_is_as_absent_as_one_that_is_not_there(
    live_hub: LiveHub, member: TestMember, collection: str
) -> None:
    outsider = live_hub.add_member("Outsider", clearance="amber", groups=["telcos"])
    hidden, unknown = indicator("amber")["id"], indicator("never made")["id"]
    assert live_hub.get(f"{OBJECTS}{hidden}/", member).status_code == 200
    told = []
    for stix_id in (hidden, unknown):
        answer = live_hub.get(f"{OBJECTS}{stix_id}/", outsider)
        assert answer.status_code == 404
        told.append({name: value for name, value in answer.json().items() if name != "error_id"})
    assert told[0] == told[1]


# Each with a column that is set to what it is: that a row was written is enough.
DECIDING = {
    "member": "status",
    "member_group": "group_id",
    "credential": "label",
    "collection": "alias",
    "collection_audience": "audience",
    "visibility_class": "tlp",
    "visibility_class_group": "group_id",
    "visibility_class_recipient": "member_id",
    "stream": "stix_type",
}


def test_each_table_that_decides_raises_the_epoch(database_url: str, tmp_path: Path) -> None:
    """Whatever writes such a row, in SQL or in the hub, makes every process look again."""
    with local(database_url, tmp_path) as hub:
        member = hub.add_member("First Bank", groups=["banks"])
        with hub.hub.database.unit_of_work() as session:
            number = collections.add(session, "c", "C", read=["members"]).no
            source = hub.hub.own_source(session).of_ledger
            audiences = [
                Audience(Tlp.AMBER, groups=group_ids(session, ["banks"])),
                Audience(Tlp.RED, recipients=frozenset([member.member_id])),
            ]
            drafts = [draft(indicator(n), number, audience, source) for n, audience in enumerate(audiences)]
            hub.hub.log.append(session, drafts)
        raised = {}
        for table, column in DECIDING.items():
            before = _epoch(hub.hub.database)
            with hub.hub.database.unit_of_work() as session:
                written = session.execute(text(f"UPDATE {table} SET {column} = {column}"))
                assert written.rowcount >= 1, table
            raised[table] = _epoch(hub.hub.database) > before
    assert raised == dict.fromkeys(DECIDING, True)


def _epoch(database: Database) -> int:
    with database.reading() as session:
        return session.get_one(AccessEpoch, 1).epoch
