"""A change of who may see what holds at the very next request, in every web process, on both databases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from hub.db import Database
from hub.ledger.append import draft
from hub.ledger.classes import Audience
from hub.ledger.collections import by_alias
from hub.ledger.records import AccessEpoch
from hub.members.membership import group_ids, set_status
from hub.stix.tlp import Tlp
from tests.live import LiveHub, TestMember
from tests.objects import indicator

# Each on a connection of its own, so that every process is asked: all but one in 32,000 times.
ASKED = 16
ALIAS = "watched"
OBJECTS = f"/taxii2/signed/collections/{ALIAS}/objects/"


@pytest.fixture(scope="module")
def member(live_hub: LiveHub) -> TestMember:
    """A bank in the group ``banks``."""
    return live_hub.add_member("First Bank", clearance="amber", groups=["banks"])


@pytest.fixture(scope="module")
def collection(live_hub: LiveHub, member: TestMember) -> str:
    """The id of a collection with one GREEN object and one AMBER one of the banks."""
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


def test_each_table_that_decides_raises_the_epoch(database_url: str) -> None:
    """Whatever changes such a row, in SQL or in the hub, makes every process look again."""
    database = Database(database_url)
    changes = [
        "INSERT INTO sharing_group (id, name) VALUES (1, 'g')",  # an empty group decides nothing
        "INSERT INTO member (id, name, kind, status, clearance, roles, anonymous, identity_ref, sighted_ref,"
        " created_at) VALUES ('m', 'M', 'bank', 'active', 1, '[]', false, 'i', 'i', 1)",
        "INSERT INTO member_group (member_id, group_id) VALUES ('m', 1)",
        "INSERT INTO credential (username, member_id, token_hash, created_at) VALUES ('u', 'm', '\\x01', 1)",
        "INSERT INTO collection (no, id, alias, title, description, default_tlp) VALUES (1, 'c', 'c', 'C', '', 1)",
        "INSERT INTO collection_audience (collection_no, action, audience) VALUES (1, 'read', 'members')",
        "INSERT INTO visibility_class (id, key, tlp, disputed) VALUES (1, 'k', 1, 0)",
        "INSERT INTO visibility_class_group (class_id, group_id) VALUES (1, 1)",
        "INSERT INTO visibility_class_recipient (class_id, member_id) VALUES (1, 'm')",
        "INSERT INTO stream (id, collection_no, class_id, stix_type) VALUES (1, 1, 1, 'indicator')",
        "DELETE FROM stream",
        "DELETE FROM visibility_class_recipient",
        "DELETE FROM visibility_class_group",
        "DELETE FROM visibility_class",
        "DELETE FROM collection_audience",
        "DELETE FROM collection",
        "DELETE FROM credential",
        "DELETE FROM member_group",
        "DELETE FROM member",
    ]
    epochs = [_epoch(database)]
    for sql in changes:
        with database.unit_of_work() as session:
            session.execute(text(sql))
        epochs.append(_epoch(database))
    database.close()
    raised = [after > before for before, after in zip(epochs, epochs[1:], strict=False)]
    assert dict(zip(changes, raised, strict=True)) == {sql: "sharing_group" not in sql for sql in changes}


def _epoch(database: Database) -> int:
    with database.reading() as session:
        return session.get_one(AccessEpoch, 1).epoch
