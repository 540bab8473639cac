"""Who said what of a value, and what members see of it: one indicator, sightings, TLP, groups, quarantine."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub import clock
from hub.cli.imports import summary, take_in
from hub.stix.tlp import Tlp
from tests.live import LocalHub, TestMember, local

SIGNED, PLAIN = "/taxii2/signed", "/taxii2/plain"
STAMPS = ("created", "modified", "valid_from", "valid_until")
numbers = itertools.count(1)
# Just now: what was seen longer ago has faded.
REPORTED = clock.stix_timestamp(clock.micros() - 60_000_000)


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def hub(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalHub]:
    engine = request.getfixturevalue(request.param)
    with engine.migrated() as url, local(url, tmp_path_factory.mktemp("merge")) as made:
        yield made


@pytest.fixture(scope="module")
def everyone(hub: LocalHub) -> TestMember:
    """A member that sees whatever may be seen at all."""
    groups = ("banks", "telcos")
    return hub.add_member("The reader", clearance="red", groups=groups, roles=("reader",))


def partner(hub: LocalHub, kind: str = "bank", **more: Any) -> TestMember:
    more.setdefault("groups", ("banks",))
    return hub.add_member(f"{kind} {next(numbers)}", kind, roles=("contributor",), **more)


def pulled(hub: LocalHub, member: TestMember, alias: str, root: str = PLAIN, **query: Any) -> list[dict[str, Any]]:
    """Every object of a collection that the member may see, by following the pages."""
    found: list[dict[str, Any]] = []
    query = {"limit": 500, **query}
    while True:
        answer = hub.get(f"{root}/collections/{alias}/objects/", member, query_string=query)
        assert answer.status_code == 200, answer.text
        page = answer.get_json(force=True)
        found += page.get("objects", [])
        if not page.get("more"):
            return found
        query["next"] = page["next"]


def indicators(hub: LocalHub, member: TestMember, text: str, alias: str, **query: Any) -> list[dict[str, Any]]:
    return [one for one in pulled(hub, member, alias, **query) if text in one.get("pattern", "")]


def sightings(hub: LocalHub, member: TestMember, indicator: str) -> list[dict[str, Any]]:
    return [one for one in pulled(hub, member, "sightings") if one.get("sighting_of_ref") == indicator]


def entries(hub: LocalHub) -> int:
    [(seq,)] = hub.hub.database.select("SELECT seq FROM log_head")
    return int(seq)


def feed(hub: LocalHub, tmp_path: Path, content: str, source: str, **options: Any) -> dict[str, Any]:
    path = tmp_path / f"{next(numbers)}.txt"
    path.write_text(content)
    return summary(take_in(hub.hub, path, source, **options))


def report(hub: LocalHub, member: TestMember, reference: str, *, grade: str | None = None, **suspect: str) -> Any:
    body: dict[str, Any] = {
        "report": {
            "reference": reference, "kind": "crime", "reporter_kind": "victim", "reported_at": REPORTED,
            "nfib_code": "3A",
        },
        "suspects": [suspect],
    }  # fmt: skip
    if grade:
        body["report"]["grade"] = grade
        if grade.endswith(":C"):
            body["report"]["conditions"] = "Ask first"
    answer = hub.request("POST", "/api/v1/reports", member, json=body)
    assert answer.status_code == 202, answer.text
    hub.work()
    done = hub.get(answer.headers["Location"].removeprefix("http://localhost"), member).get_json()
    assert done["state"] == "complete", done
    return done


class TestTwoSources:
    def test_one_indicator_with_two_contributions(self, hub: LocalHub, everyone: TestMember, tmp_path: Path) -> None:
        assert feed(hub, tmp_path, "two-feeds.example\n", "feed-a")["new"] == 1
        assert feed(hub, tmp_path, "TWO-feeds[.]example.\n", "feed-b")["sighted"] == 1
        [one] = indicators(hub, everyone, "two-feeds", "cyber")
        assert one["created_by_ref"] == hub.hub.hub_ref
        assert [r["source_name"] for r in one["external_references"]] == ["feed-a", "feed-b"]
        assert one["object_marking_refs"] == [Tlp.GREEN.marking_id]
        # Two of 2B: 1 - 0.52 * 0.52
        assert one["confidence"] == 73
        said = hub.hub.database.select(
            "SELECT s.name FROM contribution c JOIN indicator i ON i.id = c.indicator_id"
            " JOIN source s ON s.id = c.source_id WHERE i.value = 'two-feeds.example' ORDER BY s.name"
        )
        assert [name for (name,) in said] == ["feed-a", "feed-b"]
        assert [one["modified"] > one["created"]] == [True]
        versions = indicators(hub, everyone, "two-feeds", "cyber", **{"match[version]": "all"})
        assert len({v["modified"] for v in versions}) == len(versions) == 2

    def test_a_repeat_adds_no_entry(self, hub: LocalHub, tmp_path: Path) -> None:
        content = "".join(f"again{n}.example\n" for n in range(20))
        feed(hub, tmp_path, content, "feed-a")
        before = entries(hub)
        found = feed(hub, tmp_path, content, "feed-a")
        assert (found["unchanged"], found["accepted"]) == (20, 20)
        assert entries(hub) == before

    def test_a_repeat_of_a_file_that_names_a_value_twice_adds_none(self, hub: LocalHub, tmp_path: Path) -> None:
        rows = "".join(
            f"domain,thrice.example,{label},2026-10-{day:02d}\n"
            for day, label in ((1, "scam"), (2, "phish"), (3, "scam"))
        )
        content = "type,indicator,classification,first_seen\n" + rows
        feed(hub, tmp_path, content, "feed-c")
        before = entries(hub)
        found = feed(hub, tmp_path, content, "feed-c")
        assert entries(hub) == before
        assert (found["accepted"], found["unchanged"]) == (3, 3), found


class TestConfidence:
    def test_one_vote_is_capped(self, hub: LocalHub, everyone: TestMember) -> None:
        report(hub, partner(hub), "CAP-1", grade="1A", phone="020 7946 0001")
        [one] = indicators(hub, everyone, "442079460001", "fraud")
        assert one["confidence"] == 75

    def test_a_group_has_one_vote_however_often_it_speaks(self, hub: LocalHub, everyone: TestMember) -> None:
        bank, other = partner(hub), partner(hub)
        for number in range(3):
            report(hub, bank, f"GROUP-{number}", grade="1C", phone="020 7946 0002")
        [one] = indicators(hub, everyone, "442079460002", "fraud")
        assert one["confidence"] == 54
        [seen] = sightings(hub, everyone, one["id"])
        assert (seen["count"], seen["where_sighted_refs"]) == (3, [bank.identity_ref])
        report(hub, other, "GROUP-X", grade="1C", phone="020 7946 0002")
        [one] = indicators(hub, everyone, "442079460002", "fraud")
        assert one["confidence"] == 79
        assert len(sightings(hub, everyone, one["id"])) == 2

    def test_up_to_three_victims_count(self, hub: LocalHub, everyone: TestMember) -> None:
        police = partner(hub, "report-fraud")
        seen = []
        for number in range(5):
            report(hub, police, f"VICTIM-{number}", phone="020 7946 0003")
            [one] = indicators(hub, everyone, "442079460003", "fraud")
            seen.append(one["confidence"])
        assert seen == [48, 73, 86, 86, 86]  # 1 - 0.52 ** n
        [sighting] = sightings(hub, everyone, one["id"])
        assert sighting["count"] == 5

    def test_suspected_to_be_false_is_never_passed_on(self, hub: LocalHub, everyone: TestMember) -> None:
        done = report(hub, partner(hub), "FALSE-1", grade="2E", phone="020 7946 0004")
        assert indicators(hub, everyone, "442079460004", "fraud") == []
        assert "not published" in done["outcomes"][0]["message"]

    def test_the_same_report_again_does_not_count(self, hub: LocalHub, everyone: TestMember) -> None:
        police = partner(hub, "report-fraud")
        report(hub, police, "SAME-1", phone="020 7946 0005")
        before = entries(hub)
        done = report(hub, police, "SAME-1", phone="020 7946 0005")
        assert done["counts"]["unchanged"] == 1
        assert entries(hub) == before


class TestWhoSees:
    def test_the_strictest_label_holds(self, hub: LocalHub, everyone: TestMember, tmp_path: Path) -> None:
        plain = hub.add_member("Green reader", clearance="green")
        feed(hub, tmp_path, "strict.example\n", "feed-a", tlp=Tlp.GREEN)
        assert len(indicators(hub, plain, "strict.example", "cyber")) == 1
        feed(hub, tmp_path, "strict.example\n", "feed-b", tlp=Tlp.AMBER_STRICT, groups=("banks",))
        feed(hub, tmp_path, "strict.example\n", "feed-d", tlp=Tlp.CLEAR)
        [one] = indicators(hub, everyone, "strict.example", "cyber")
        assert one["object_marking_refs"] == [Tlp.AMBER_STRICT.marking_id]
        assert all(len(v["external_references"]) < 2 for v in indicators(hub, plain, "strict.example", "cyber"))

    def test_groups(self, hub: LocalHub, tmp_path: Path) -> None:
        bank = hub.add_member("A bank of the group", groups=("banks",))
        telco = hub.add_member("A telco of another", groups=("telcos",))
        feed(hub, tmp_path, "020 7946 0006\n", "feed-a", tlp=Tlp.AMBER, groups=("banks",))
        assert len(indicators(hub, bank, "442079460006", "fraud")) == 1
        assert indicators(hub, telco, "442079460006", "fraud") == []

    def test_handling_c_is_amber_strict(self, hub: LocalHub, everyone: TestMember) -> None:
        report(hub, partner(hub), "HANDLING-1", grade="2B:C", phone="020 7946 0007")
        [one] = indicators(hub, everyone, "442079460007", "fraud")
        assert one["object_marking_refs"] == [Tlp.AMBER_STRICT.marking_id]

    def test_what_names_no_person_is_green(self, hub: LocalHub, everyone: TestMember) -> None:
        report(hub, partner(hub), "GREEN-1", grade="2B:P", url="https://green-report.example/x")
        [one] = indicators(hub, everyone, "green-report", "fraud")
        assert one["object_marking_refs"] == [Tlp.GREEN.marking_id]

    def test_an_anonymous_member_shows_as_its_sector(self, hub: LocalHub, everyone: TestMember) -> None:
        shy = partner(hub, "telco", anonymous=True)
        report(hub, shy, "SHY-1", phone="020 7946 0008")
        [one] = indicators(hub, everyone, "442079460008", "fraud")
        [seen] = sightings(hub, everyone, one["id"])
        assert seen["where_sighted_refs"] != [shy.identity_ref]
        whole = b"".join(
            hub.get(f"{root}/collections/{alias}/objects/", everyone, query_string={"limit": 10000}).data
            for root in (SIGNED, PLAIN)
            for alias in ("fraud", "cyber", "sightings", "shared", "vocabulary")
        ).decode()
        for secret in (shy.identity_ref, shy.member_id, shy.name):
            assert secret not in whole
        [identity] = [i for i in pulled(hub, everyone, "sightings") if i["id"] == seen["where_sighted_refs"][0]]
        assert identity["identity_class"] == "class"
        assert identity["sectors"] == ["telecommunications"]

    def test_a_feed_is_named_and_a_member_is_sighted(self, hub: LocalHub, everyone: TestMember, tmp_path: Path) -> None:
        feed(hub, tmp_path, "020 7946 0009\n", "the-feed", groups=("banks",))
        bank = partner(hub)
        report(hub, bank, "BOTH-1", phone="020 7946 0009")
        [one] = indicators(hub, everyone, "442079460009", "fraud")
        assert [r["source_name"] for r in one["external_references"]] == ["the-feed"]
        assert [s["where_sighted_refs"] for s in sightings(hub, everyone, one["id"])] == [[bank.identity_ref]]
        assert one["confidence"] == 73


def test_what_an_object_refers_to_is_in_its_collection(hub: LocalHub, everyone: TestMember, tmp_path: Path) -> None:
    bank = partner(hub)
    report(
        hub,
        bank,
        "REFS-1",
        grade="2B:C",
        phone="020 7946 0010",
        url="https://refs.example/",
        iban="GB33BUKB20201555555555",
    )
    feed(hub, tmp_path, "refs-feed.example\n", "feed-a")
    own = {
        "type": "indicator", "spec_version": "2.1", "id": "indicator--11111111-2222-4333-8444-555555555555",
        "created_by_ref": bank.identity_ref, "created": "2026-11-01T00:00:00.000Z",
        "modified": "2026-11-01T00:00:00.000Z",
        "pattern": "[url:value = 'https://refs-own.example/']", "pattern_type": "stix",
        "valid_from": "2026-11-01T00:00:00Z", "object_marking_refs": [Tlp.AMBER.marking_id],
    }  # fmt: skip
    assert hub.add(f"{PLAIN}/collections/shared/objects/", bank, [own])["failure_count"] == 0
    for alias in ("fraud", "cyber", "sightings", "shared", "vocabulary"):
        objects = pulled(hub, everyone, alias, SIGNED)
        present = {one["id"] for one in objects}
        for one in objects:
            if one.get("created_by_ref", hub.hub.hub_ref) not in (hub.hub.hub_ref, bank.identity_ref):
                continue  # a published vocabulary, as it came: its author's identity is not the hub's to make
            wanted = [
                one.get("created_by_ref"),
                *one.get("object_marking_refs", []),
                *one.get("where_sighted_refs", []),
            ]
            wanted += [ref for ref in one.get("extensions", {}) if ref.startswith("extension-definition--")]
            missing = {ref for ref in wanted if ref} - present - BUILT_IN
            assert not missing, (alias, json.dumps(one)[:300])


# The TLP 2.0 extension is OASIS's own and part of the marking itself.
BUILT_IN = {"extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"}


class TestQuarantine:
    CONTENT = "192.168.7.7\n10.0.0.0/8\nheld.example\n203.0.113.9\n07700 900111\nfe80::1\n45.67.89.10\n"

    @pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)
    def test_hold(self, database_url: str, tmp_path: Path) -> None:
        with local(database_url, tmp_path, intake={"reserved": "hold"}) as hub:
            everyone = hub.add_member("All", clearance="red", groups=("banks",), roles=("reader", "contributor"))
            found = feed(hub, tmp_path, self.CONTENT, "feed-a", groups=("banks",), format_name="list")
            assert (found["quarantined"], found["new"], found["read"]) == (6, 1, 7)
            assert {r["value"] for r in found["reasons"]} == set(self.CONTENT.splitlines()) - {"45.67.89.10"}
            report(hub, everyone, "HOLD-1", phone="07700 900112", url="https://held-report.example/")
            again = feed(hub, tmp_path, self.CONTENT, "feed-a", groups=("banks",), format_name="list")
            assert again["quarantined"] == 6
            said = b"".join(
                hub.get(f"{PLAIN}/collections/{alias}/objects/", everyone).data
                for alias in ("fraud", "cyber", "sightings", "shared")
            ).decode()
            assert "45.67.89.10" in said
            for held in ("192.168.7.7", "10.0.0.0", "held.example", "203.0.113.9", "447700900", "fe80", "held-report"):
                assert held not in said, held
            rows = hub.hub.database.select("SELECT value FROM quarantined ORDER BY value")
            assert len(rows) == len(set(rows)) == 8

    def test_publish_lets_reserved_values_through_and_no_private_ones(
        self, hub: LocalHub, everyone: TestMember, tmp_path: Path
    ) -> None:
        found = feed(hub, tmp_path, self.CONTENT, "feed-q", groups=("banks",), format_name="list")
        assert found["quarantined"] == 3
        assert indicators(hub, everyone, "192.168.7.7", "cyber") == []
        assert len(indicators(hub, everyone, "held.example", "cyber")) == 1

    def test_what_the_source_calls_legitimate(self, hub: LocalHub, everyone: TestMember, tmp_path: Path) -> None:
        content = "type,indicator,classification\ndomain,fine.example,legitimate\ndomain,unfine.example,malicious\n"
        found = feed(hub, tmp_path, content, "feed-l")
        assert (found["quarantined"], found["new"]) == (1, 1)
        assert [i["pattern"] for i in indicators(hub, everyone, "fine.example", "cyber")] == [
            "[domain-name:value = 'unfine.example']"
        ]
