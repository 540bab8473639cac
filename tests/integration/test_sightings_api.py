"""Sightings by the API: counted once, shown under the member's own name, never wider than what was seen."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
import time_machine

from hub.feeds import inbox, sources
from hub.feeds.worker import Worker
from hub.ledger.collections import by_alias
from hub.members.membership import group_ids
from hub.stix.tlp import AMBER_ID, GREEN_ID, Tlp
from tests.live import LocalHub, TestMember, local
from tests.objects import indicator

URL = "/api/v1/sightings"
NONE = "indicator--00000000-0000-5000-8000-000000000000"
NO_INDICATOR = "there is no such indicator"
FIRST, LAST = "2026-01-02T08:00:00.000Z", "2026-01-03T09:30:00.000Z"
numbers = itertools.count(1)


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def hub(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalHub]:
    engine = request.getfixturevalue(request.param)
    with engine.migrated() as url, local(url, tmp_path_factory.mktemp("sightings")) as made:
        yield made


@pytest.fixture(scope="module")
def bank(hub: LocalHub) -> TestMember:
    """Who names the values that others see."""
    return hub.add_member("Naming Bank", groups=["banks"], roles=["contributor"])


@pytest.fixture
def other(hub: LocalHub) -> TestMember:
    return hub.add_member(f"Other Bank {next(numbers)}", groups=["banks", "wider"], roles=["contributor"])


def fresh() -> str:
    return f"seen{next(numbers)}.example"


def done(hub: LocalHub, member: TestMember, path: str, body: Any, **more: Any) -> dict[str, Any]:
    answer = hub.request("POST", path, member, json=body, **more)
    assert answer.status_code == 202, answer.text
    hub.work()
    finished: dict[str, Any] = hub.get(answer.headers["Location"].removeprefix("http://localhost"), member).get_json()
    assert finished["state"] == "complete", finished
    return finished


def known(hub: LocalHub, bank: TestMember, value: str, **more: Any) -> str:
    """The id of a value's indicator that the bank names."""
    done(hub, bank, "/api/v1/indicators", {"indicators": [{"value": value}], **more})
    found = look_up(hub, bank, value)
    assert found is not None
    return str(found["id"])


def look_up(hub: LocalHub, member: TestMember, value: str) -> dict[str, Any] | None:
    answer = hub.get("/api/v1/indicators", member, query_string={"value": value})
    (one,) = answer.get_json()["answers"]
    return one["indicators"][0] if one["indicators"] else None


def see(hub: LocalHub, member: TestMember, *rows: dict[str, Any]) -> dict[str, Any]:
    return done(hub, member, URL, {"sightings": list(rows)})


def sightings(hub: LocalHub, reader: TestMember, stix_id: str) -> dict[str, dict[str, Any]]:
    """The sightings of an indicator that a member is given, by the name of who saw it."""
    page = hub.get("/taxii2/plain/collections/sightings/objects/", reader, query_string={"limit": 1000})
    objects = {one["id"]: one for one in page.get_json(force=True).get("objects", [])}
    return {
        objects[one["where_sighted_refs"][0]]["name"]: one
        for one in objects.values()
        if one["type"] == "sighting" and one["sighting_of_ref"] == stix_id and not one.get("revoked")
    }


class TestSeen:
    def test_by_id_and_by_value_under_the_own_name(self, hub: LocalHub, bank: TestMember, other: TestMember) -> None:
        value = fresh()
        stix_id = known(hub, bank, value)
        rows = (
            {"indicator": stix_id, "count": 3, "first_seen": FIRST, "last_seen": LAST},
            {"value": value.replace(".", "[.]"), "count": 2, "first_seen": "2026-01-01"},
        )
        told = see(hub, other, *rows)
        assert [(one["where"], one["status"], one["subject"]) for one in told["outcomes"]] == [
            ("sightings[0]", "success", stix_id), ("sightings[1]", "success", value),
        ]  # fmt: skip
        mine = sightings(hub, bank, stix_id)[other.name]
        assert (mine["count"], mine["first_seen"], mine["last_seen"]) == (5, "2026-01-01T00:00:00.000Z", LAST)
        assert mine["object_marking_refs"] == [GREEN_ID]

    def test_again_changes_nothing(self, hub: LocalHub, bank: TestMember, other: TestMember) -> None:
        value = fresh()
        stix_id = known(hub, bank, value)
        dated = {"indicator": stix_id, "count": 3, "first_seen": FIRST, "last_seen": LAST}
        rows = (dated, {"value": value}, {"indicator": stix_id}, dated)
        first = see(hub, other, *rows)
        assert first["counts"]["accepted"] == 4
        assert [one["message"] for one in first["outcomes"]][2:] == ["already here, unchanged"] * 2
        before = sightings(hub, bank, stix_id)[other.name]
        assert before["count"] == 4
        version = look_up(hub, bank, value)
        for _ in range(2):
            again = see(hub, other, *rows)
            assert again["counts"]["unchanged"] == 4
        assert sightings(hub, bank, stix_id)[other.name] == before
        assert look_up(hub, bank, value) == version
        see(hub, other, {**dated, "last_seen": "2026-01-03T09:31:00Z"})
        assert sightings(hub, bank, stix_id)[other.name]["count"] == 7

    def test_one_without_a_time_counts_once_a_day(self, hub: LocalHub, bank: TestMember, other: TestMember) -> None:
        value = fresh()
        with time_machine.travel("2026-03-01T10:00:00Z"):
            stix_id = known(hub, bank, value)
        for moment, count in (("01T11", 1), ("01T23", 1), ("02T01", 2)):
            with time_machine.travel(f"2026-03-{moment}:00:00Z"):
                see(hub, other, {"value": value})
                assert sightings(hub, bank, stix_id)[other.name]["count"] == count
        assert sightings(hub, bank, stix_id)[other.name]["last_seen"].startswith("2026-03-02T01:00")

    def test_an_anonymous_member_is_its_sector(self, hub: LocalHub, bank: TestMember) -> None:
        shy = hub.add_member(f"Shy {next(numbers)}", groups=["banks"], roles=["contributor"], anonymous=True)
        stix_id = known(hub, bank, fresh())
        see(hub, shy, {"indicator": stix_id})
        page = hub.get("/taxii2/signed/collections/sightings/objects/", bank, query_string={"limit": 1000})
        assert shy.name not in page.text
        assert shy.member_id not in page.text
        assert shy.identity_ref not in page.text
        assert "A member of the hub (bank)" in sightings(hub, bank, stix_id)

    def test_a_value_that_nobody_named_yet(self, hub: LocalHub, other: TestMember) -> None:
        value = fresh()
        told = see(hub, other, {"value": value, "count": 4})
        assert told["counts"]["new"] == 1
        found = look_up(hub, other, value)
        assert found is not None
        assert sightings(hub, other, found["id"])[other.name]["count"] == 4

    def test_what_a_rule_holds_and_what_is_none(self, hub: LocalHub, other: TestMember) -> None:
        told = see(hub, other, {"value": "10.0.0.9"}, {"value": "n/a"}, {"indicator": NONE})
        assert [one["status"] for one in told["outcomes"]] == ["quarantined", "refused", "failure"]
        assert (told["counts"]["refused"], told["counts"]["quarantined"]) == (2, 1)

    def test_the_count_has_an_end(self, hub: LocalHub, other: TestMember) -> None:
        value = fresh()
        for hour in (0, 1):
            times = (f"2026-01-02T{hour:02}:{n // 60:02}:{n % 60:02}Z" for n in range(600))
            see(hub, other, *({"value": value, "count": 1_000_000, "last_seen": each} for each in times))
        found = look_up(hub, other, value)
        assert found is not None
        assert sightings(hub, other, found["id"])[other.name]["count"] == 999_999_999

    def test_two_workers_count_it_once(self, hub: LocalHub, bank: TestMember, other: TestMember) -> None:
        value = fresh()
        stix_id = known(hub, bank, value)
        rows = [{"indicator": stix_id, "count": 2, "last_seen": f"2026-01-02T00:00:{n:02}Z"} for n in range(20)]
        for _ in range(6):
            assert hub.request("POST", URL, other, json={"sightings": rows}).status_code == 202

        def work(worker: Worker) -> int:
            worked = sum(1 for _ in iter(worker.work_once, False))
            hub.hub.database._drop_raw()
            return worked

        with ThreadPoolExecutor(3) as pool:
            assert sum(pool.map(work, [Worker(hub.hub.intake(), 0.0, Event()) for _ in range(3)])) == 6
        assert sightings(hub, bank, stix_id)[other.name]["count"] == 40


class TestBelief:
    def test_who_read_it_first_has_no_vote_and_makes_it_fresh(
        self, hub: LocalHub, bank: TestMember, other: TestMember
    ) -> None:
        value = fresh()
        done(hub, bank, "/api/v1/indicators", {"indicators": [{"value": value, "last_seen": "2026-01-02"}]})
        read = look_up(hub, other, value)
        assert read is not None
        see(hub, other, {"indicator": read["id"], "last_seen": "2026-01-09"})
        echoed = look_up(hub, bank, value)
        assert echoed is not None
        assert echoed["valid_until"] > read["valid_until"]
        third = hub.add_member(f"Third {next(numbers)}", groups=["banks"], roles=["contributor"])
        see(hub, third, {"value": value, "last_seen": "2026-01-09"})
        believed = look_up(hub, bank, value)
        assert believed is not None
        assert believed["confidence"] > echoed["confidence"]


class TestAudience:
    def test_hidden_is_as_unknown(self, hub: LocalHub, bank: TestMember) -> None:
        value, unknown = fresh(), fresh()
        stix_id = known(hub, bank, value, tlp="amber")
        outsider = hub.add_member(f"Outsider {next(numbers)}", groups=["telcos"], roles=["contributor"])
        partner = hub.add_member(f"Partner {next(numbers)}", groups=["banks"], roles=["reporting-partner"])
        for member in (outsider, partner):
            told = see(hub, member, {"indicator": stix_id}, {"indicator": NONE})
            one, two = told["outcomes"]
            assert one == {**two, "where": "sightings[0]", "subject": stix_id}
            assert one["message"] == NO_INDICATOR
        hidden, new = (see(hub, outsider, {"value": one}) for one in (value, unknown))
        assert hidden["counts"] == new["counts"]
        assert hidden["outcomes"] == [{**new["outcomes"][0], "subject": value}]
        assert look_up(hub, outsider, value) is None

    def test_a_sighting_makes_the_indicator_neither_narrower_nor_wider(self, hub: LocalHub, bank: TestMember) -> None:
        wide = hub.add_member(f"Wide {next(numbers)}", groups=["banks", "wider"], roles=["contributor"])
        reader = hub.add_member(f"Wider only {next(numbers)}", groups=["wider"])
        low = hub.add_member(f"Low {next(numbers)}", clearance="green")
        amber, green = fresh(), fresh()
        hidden, shown = known(hub, bank, amber, tlp="amber"), known(hub, bank, green, tlp="clear")
        for row in ({"indicator": hidden}, {"value": amber, "count": 2}, {"indicator": shown}, {"value": green}):
            see(hub, wide, row)
        assert look_up(hub, reader, amber) is None
        assert sightings(hub, reader, hidden) == {}
        found = look_up(hub, low, green)
        assert found is not None
        assert found["tlp"] == "clear"
        assert sightings(hub, bank, hidden)[wide.name]["object_marking_refs"] == [AMBER_ID]

    def test_it_stays_in_the_collection_where_it_was_seen(self, hub: LocalHub, bank: TestMember) -> None:
        """An indicator of a club's collection does not get out of it because somebody of the club saw it."""
        value = fresh()
        hub._add_groups(["club"])
        member = hub.add_member(f"Club {next(numbers)}", groups=["club"], roles=["contributor"])
        outside = hub.add_member(f"Outside {next(numbers)}")
        number = _club_collection(hub)
        _import(hub, number, value)
        found = look_up(hub, member, value)
        assert found is not None
        assert found["collections"] == ["club"]
        assert look_up(hub, outside, value) is None
        see(hub, member, {"indicator": found["id"]}, {"value": value, "count": 9})
        assert look_up(hub, outside, value) is None
        again = look_up(hub, member, value)
        assert again is not None
        assert again["collections"] == ["club"]
        assert sightings(hub, member, found["id"])[member.name]["count"] == 10

    def test_what_cannot_be_sighted_by_its_id(self, hub: LocalHub, bank: TestMember, other: TestMember) -> None:
        own = indicator(f"own {next(numbers)}", object_marking_refs=[Tlp.GREEN.marking_id])
        path = "/taxii2/plain/collections/shared/objects/"
        hub.add(path, bank, [own])
        value = own["pattern"].split("'")[1]
        found = look_up(hub, other, value)
        assert found is not None
        hub.add(path, bank, [{**own, "modified": "2025-01-01T00:00:00.000Z", "revoked": True}])
        told = see(hub, other, {"indicator": own["id"]}, {"indicator": found["id"]})
        assert [one["status"] for one in told["outcomes"]] == ["failure", "failure"]
        assert "a member's own object" in told["outcomes"][0]["message"]
        assert "revoked" in told["outcomes"][1]["message"]

    def test_taken_back_before_the_worker_came(self, hub: LocalHub, bank: TestMember, other: TestMember) -> None:
        own = indicator(f"own {next(numbers)}", object_marking_refs=[AMBER_ID])
        path = "/taxii2/plain/collections/shared/objects/"
        hub.add(path, bank, [own])
        value = own["pattern"].split("'")[1]
        found = look_up(hub, other, value)
        assert found is not None
        hub.post(path, bank, [{**own, "modified": "2025-01-01T00:00:00.000Z", "revoked": True}])
        told = see(hub, other, {"indicator": found["id"]})
        assert [one["message"] for one in told["outcomes"]] == [NO_INDICATOR]
        outsider = hub.add_member(f"Outsider {next(numbers)}")
        assert look_up(hub, outsider, value) is None


class TestRefused:
    @pytest.mark.parametrize(
        ("body", "status", "where"),
        [
            (b'{"sightings": [{"value": "a.example", "value": "b.example"}]}', 400, "sightings[0].value"),
            (b'{"sightings": [{"value": "a\\u0000.example"}]}', 400, "sightings[0].value"),
            (b'{"sightings": [{"value": "a.example", "colour": 1}]}', 400, "sightings[0].colour"),
            (b'{"sightings": [{}]}', 400, "sightings[0]"),
            (json.dumps({"sightings": [{"indicator": NONE}] * 10_000}).encode(), 413, "sightings"),
            (b'{"sightings": [{"indicator": 5}]}', 400, "sightings[0].indicator"),
            (b'[{"value": "a.example"}]', 400, "body"),
        ],
    )
    def test_bad_bodies(self, hub: LocalHub, bank: TestMember, body: bytes, status: int, where: str) -> None:
        answer = hub.request("POST", URL, bank, data=body, content_type="application/json")
        assert answer.status_code == status
        assert answer.get_json(force=True)["where"] == where

    def test_who_may(self, hub: LocalHub, bank: TestMember) -> None:
        for role, status in (("reader", 403), ("contributor", 202), ("reporting-partner", 202), ("analyst", 403)):
            member = hub.add_member(f"{role} {next(numbers)}", roles=[role])
            assert hub.request("POST", URL, member, json={"sightings": [{"value": fresh()}]}).status_code == status
        hub.work()

    def test_the_same_key(self, hub: LocalHub, bank: TestMember) -> None:
        key, body = {"Idempotency-Key": f"s-{next(numbers)}"}, {"sightings": [{"value": fresh()}]}
        first, second = (hub.request("POST", URL, bank, json=body, headers=key) for _ in range(2))
        assert first.get_json()["id"] == second.get_json()["id"]
        hub.work()


def _club_collection(hub: LocalHub) -> int:
    """The number of a collection for one group."""
    with hub.hub.database.reading() as session:
        (group,) = group_ids(session, ["club"])
    hub.add_collection("club", read=[f"group:{group}"])
    with hub.hub.database.reading() as session:
        found = by_alias(session, "club")
        assert found is not None
        return found.no


def _import(hub: LocalHub, number: int, value: str) -> None:
    """A file of an operator's into one collection, as ``hub import --collection`` puts it."""
    with hub.hub.database.unit_of_work() as session:
        source = sources.named(session, "a feed", "2B")
        arrival = inbox.Arrival(
            inbox.FILE, source.id, "operator", value.encode(), collection_no=number, filename="list.txt",
            tlp=int(Tlp.GREEN),
        )  # fmt: skip
        inbox.receive(session, hub.hub.vault, arrival)
    hub.work()
