"""Who said what of a value, and what members see of it: one indicator, sightings, TLP, groups, quarantine."""

from __future__ import annotations

import itertools
import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub import clock
from hub.cli.imports import summary, take_in
from hub.clock import DAY
from hub.factory import housekeeping
from hub.feeds.confidence import left
from hub.stix.tlp import Tlp
from hub.stix.validation import check
from hub.stix.values import Kind
from hub.web.services import EXTENSION
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
    more.setdefault("roles", ("contributor",))
    return hub.add_member(f"{kind} {next(numbers)}", kind, **more)


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

    def test_an_amber_sighting_tells_a_green_reader_nothing(self, hub: LocalHub, tmp_path: Path) -> None:
        feed(hub, tmp_path, "open.example\n", "feed-a", tlp=Tlp.GREEN)
        bank, plain = partner(hub), hub.add_member("Another green reader", clearance="green")

        def everything() -> set[str]:
            aliases = ("fraud", "cyber", "sightings", "shared")
            versions = {"match[version]": "all"}
            return {json.dumps(one) for alias in aliases for one in pulled(hub, plain, alias, **versions)}

        before = everything()
        assert any("open.example" in one for one in before)
        share(hub, bank, own_object("open.example", labels=["seen-by-a-bank"]))
        assert everything() == before
        assert indicators(hub, plain, "open.example", "cyber") == []

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


def own_object(text: str, **more: Any) -> dict[str, Any]:
    """A member's own indicator of a domain, seen just now."""
    return {
        "type": "indicator", "spec_version": "2.1", "id": f"indicator--{uuid.uuid4()}", "created": REPORTED,
        "modified": REPORTED, "pattern": f"[domain-name:value = '{text}']", "pattern_type": "stix",
        "valid_from": REPORTED, "object_marking_refs": [Tlp.AMBER.marking_id], **more,
    }  # fmt: skip


SHARED = f"{PLAIN}/collections/shared/objects/"


def share(hub: LocalHub, member: TestMember, *objects: dict[str, Any]) -> None:
    assert hub.add(SHARED, member, objects)["failure_count"] == 0


def links(hub: LocalHub, member: TestMember, ref: str, **query: Any) -> list[dict[str, Any]]:
    """What the hub says that derives from the object ``ref``."""
    return [one for one in pulled(hub, member, "sightings", **query) if one.get("target_ref") == ref]


class TestKillChainPhases:
    def test_those_of_all_contributions_once_and_sorted(
        self, hub: LocalHub, everyone: TestMember, tmp_path: Path
    ) -> None:
        f3 = {"kill_chain_name": "mitre-f3", "phase_name": "initial-access"}
        attack = {"kill_chain_name": "mitre-attack", "phase_name": "command-and-control"}
        bank, other = partner(hub), partner(hub)
        share(hub, bank, own_object("phases.example", kill_chain_phases=[f3, attack]))
        share(hub, other, own_object("phases.example", kill_chain_phases=[attack]))
        feed(hub, tmp_path, "phases.example\n", "feed-a", groups=("banks",))
        [one] = indicators(hub, everyone, "phases.example", "cyber")
        assert one["kill_chain_phases"] == [attack, f3]
        share(hub, bank, own_object("no-phases.example"))
        [none] = indicators(hub, everyone, "no-phases.example", "cyber")
        assert "kill_chain_phases" not in none

    def test_quarantine_keeps_them_and_a_release_passes_them_on(self, database_url: str, tmp_path: Path) -> None:
        with local(database_url, tmp_path, intake={"reserved": "hold"}) as held:
            bank = partner(held, roles=("reader", "contributor"))
            phase = {"kill_chain_name": "mitre-attack", "phase_name": "impact"}
            mine = own_object("kept.example", kill_chain_phases=[phase])
            share(held, bank, mine)
            assert indicators(held, bank, "kept.example", "cyber") == []
            with held.hub.database.unit_of_work() as session:
                [(entry,)] = held.hub.database.select("SELECT id FROM quarantined")
                held.hub.quarantine().release(session, entry, reason="seen", by="analyst")
            [one] = indicators(held, bank, "kept.example", "cyber")
            assert one["kill_chain_phases"] == [phase]
            assert [link["source_ref"] for link in links(held, bank, mine["id"])] == [one["id"]]


class TestDerivedFrom:
    def test_once_for_an_object_whatever_its_versions(self, hub: LocalHub, everyone: TestMember) -> None:
        bank = partner(hub)
        mine = own_object("derived.example")
        share(hub, bank, mine)
        [one] = indicators(hub, everyone, "derived.example", "cyber")
        [link] = links(hub, everyone, mine["id"])
        assert (link["type"], link["relationship_type"]) == ("relationship", "derived-from")
        assert (link["source_ref"], link["created_by_ref"]) == (one["id"], hub.hub.hub_ref)
        check(link)
        later = clock.stix_timestamp(clock.micros() - 1_000_000)
        share(hub, bank, {**mine, "modified": later, "name": "again"})
        assert links(hub, everyone, mine["id"], **{"match[version]": "all"}) == [link]

    def test_only_for_those_who_may_see_both(self, hub: LocalHub, everyone: TestMember) -> None:
        bank, telco = partner(hub), partner(hub, "telco", groups=("telcos",))
        in_banks, in_telcos = (hub.add_member(f"Reader of {group}", groups=(group,)) for group in ("banks", "telcos"))
        mine = own_object("both.example")
        open_one = own_object("both.example", object_marking_refs=[Tlp.GREEN.marking_id])
        share(hub, bank, mine)
        share(hub, telco, open_one)
        # The indicator is AMBER for the banks: the telco's own object may be read by all, the link may not.
        for ref in (mine["id"], open_one["id"]):
            assert len(links(hub, in_banks, ref)) == 1
            assert links(hub, in_telcos, ref) == []
        share(hub, bank, {**mine, "modified": clock.stix_timestamp(clock.micros()), "revoked": True})
        # Now the telco alone says it, and says it to all.
        assert len(links(hub, in_telcos, open_one["id"])) == 1
        assert [one["revoked"] for one in links(hub, in_banks, mine["id"])] == [True]
        assert links(hub, in_telcos, mine["id"]) == []

    def test_a_stricter_indicator_narrows_a_link_that_was_open(self, hub: LocalHub, tmp_path: Path) -> None:
        bank = partner(hub)
        in_telcos = hub.add_member("Another reader of telcos", groups=("telcos",))
        mine = own_object("narrow.example", object_marking_refs=[Tlp.GREEN.marking_id])
        share(hub, bank, mine)
        assert len(links(hub, in_telcos, mine["id"])) == 1
        feed(hub, tmp_path, "narrow.example\n", "feed-n", tlp=Tlp.AMBER, groups=("banks",))
        assert links(hub, in_telcos, mine["id"]) == []
        in_banks = hub.add_member("Another reader of banks", groups=("banks",))
        assert len(links(hub, in_banks, mine["id"])) == 1

    def test_no_link_to_what_stands_where_not_all_may_read(self, hub: LocalHub, everyone: TestMember) -> None:
        bank = partner(hub)
        hub.add_collection(f"few-{bank.member_id}", read=[f"member:{bank.member_id}"], write=["members"])
        mine = own_object("few.example")
        assert hub.add(f"{PLAIN}/collections/few-{bank.member_id}/objects/", bank, [mine])["failure_count"] == 0
        assert len(indicators(hub, everyone, "few.example", "cyber")) == 1
        assert links(hub, everyone, mine["id"]) == []

    def test_one_object_of_two_that_is_deleted_takes_its_link(self, hub: LocalHub, everyone: TestMember) -> None:
        bank = partner(hub)
        first, second = own_object("pair.example"), own_object("pair.example")
        share(hub, bank, first)
        before = entries(hub)
        share(hub, bank, second)
        assert entries(hub) == before + 2, "the object and its link: the member says nothing new"
        assert hub.request("DELETE", f"{SHARED}{first['id']}/", bank).status_code == 200
        hub.work()
        [one] = indicators(hub, everyone, "pair.example", "cyber")
        assert "revoked" not in one
        assert [link["revoked"] for link in links(hub, everyone, first["id"])] == [True]
        assert ["revoked" in link for link in links(hub, everyone, second["id"])] == [False]
        share(hub, bank, {**second, "modified": clock.stix_timestamp(clock.micros()), "revoked": True})
        assert indicators(hub, everyone, "pair.example", "cyber")[0]["revoked"] is True
        assert [link["revoked"] for link in links(hub, everyone, second["id"])] == [True]

    def test_a_link_names_nobody(self, hub: LocalHub, everyone: TestMember) -> None:
        shy = partner(hub, "telco", anonymous=True)
        mine = own_object("shy.example")
        share(hub, shy, mine)
        said = json.dumps(links(hub, everyone, mine["id"]))
        assert mine["id"] in said
        assert not any(secret in said for secret in (shy.identity_ref, shy.member_id, shy.name))


class TestEcho:
    def read(self, hub: LocalHub, member: TestMember, alias: str) -> None:
        pulled(hub, member, alias)
        hub.app.extensions[EXTENSION].disclosures.flush()

    def contribution(self, hub: LocalHub, text: str, member: TestMember) -> tuple[bool, int]:
        [(echo, last_seen)] = hub.hub.database.select(
            "SELECT c.echo, c.last_seen FROM contribution c JOIN indicator i ON i.id = c.indicator_id"
            " JOIN source s ON s.id = c.source_id WHERE i.value = ? AND s.member_id = ?",
            (text, member.member_id),
        )
        return bool(echo), last_seen

    def test_who_read_it_here_counts_for_freshness_alone(self, hub: LocalHub, everyone: TestMember) -> None:
        first, parrot, blind = (partner(hub, roles=("reader", "contributor")) for _ in range(3))
        long_ago = clock.stix_timestamp(clock.micros() - 20 * DAY)
        share(hub, first, own_object("echo.example", created=long_ago, modified=long_ago, valid_from=long_ago))
        [before] = indicators(hub, everyone, "echo.example", "cyber")
        assert before["confidence"] == round(48 * left(Kind.DOMAIN, 20 * 24)) == 28
        self.read(hub, parrot, "cyber")
        self.read(hub, blind, "fraud")  # it was given no page that holds the indicator
        share(hub, parrot, own_object("echo.example"))
        assert self.contribution(hub, "echo.example", parrot)[0] is True
        [echoed] = indicators(hub, everyone, "echo.example", "cyber")
        assert (echoed["confidence"], echoed["valid_until"] > before["valid_until"]) == (48, True)
        share(hub, blind, own_object("echo.example"))
        assert self.contribution(hub, "echo.example", blind)[0] is False
        [twice] = indicators(hub, everyone, "echo.example", "cyber")
        assert twice["confidence"] == 73
        assert len(sightings(hub, everyone, twice["id"])) == 3

    def test_it_is_decided_when_a_member_first_speaks(self, hub: LocalHub) -> None:
        first, second = (partner(hub, roles=("reader", "contributor")) for _ in range(2))
        for member in (first, second):
            share(hub, member, own_object("first-word.example"))
        self.read(hub, second, "cyber")
        share(hub, second, own_object("first-word.example", labels=["again"]))
        assert [self.contribution(hub, "first-word.example", one)[0] for one in (first, second)] == [False, False]

    def test_a_page_that_passes_over_an_indicator_gives_nothing_of_it(self, hub: LocalHub) -> None:
        first, picky = (partner(hub, roles=("reader", "contributor")) for _ in range(2))
        for text in ("before.example", "passed-over.example", "after.example"):
            share(hub, first, own_object(text))
        for text in ("before.example", "after.example"):
            [one] = indicators(hub, first, text, "cyber")
            assert len(pulled(hub, picky, "cyber", **{"match[id]": one["id"]})) == 1
        hub.app.extensions[EXTENSION].disclosures.flush()
        for text in ("passed-over.example", "after.example"):
            share(hub, picky, own_object(text))
        assert self.contribution(hub, "passed-over.example", picky)[0] is False
        assert self.contribution(hub, "after.example", picky)[0] is True

    def test_victims_were_given_nothing(self, hub: LocalHub, everyone: TestMember) -> None:
        police = partner(hub, "report-fraud", roles=("reader", "contributor"))
        share(hub, partner(hub), own_object("victims.example"))
        self.read(hub, police, "cyber")
        share(hub, police, own_object("victims.example"))
        assert self.contribution(hub, "victims.example", police)[0] is False
        assert indicators(hub, everyone, "victims.example", "cyber")[0]["confidence"] == 73


class TestFading:
    def test_a_new_version_when_the_confidence_falls_by_a_band(self, database_url: str, tmp_path: Path) -> None:
        with local(database_url, tmp_path) as hub:
            reader = hub.add_member("Reader")
            feed(hub, tmp_path, "fades.example\n", "feed-a", tlp=Tlp.GREEN)
            [fresh] = indicators(hub, reader, "fades.example", "cyber")
            # 48 · (1 − (t/120 d)^½) rounds to 29 after 17.6 days
            assert fresh["confidence"] == 48
            begun = clock.micros()
            for days, confidence, versions in ((16, 48, 1), (19, 29, 2), (30, 29, 2), (89, 29, 2), (120, 29, 2)):
                with clock.as_of(begun + days * DAY):
                    housekeeping.run_all(hub.hub, (housekeeping.faded,))
                every = indicators(hub, reader, "fades.example", "cyber", **{"match[version]": "all"})
                assert (len(every), every[-1]["confidence"]) == (versions, confidence), days
            assert every[-1]["valid_until"] == fresh["valid_until"]
            audited = hub.hub.database.select("SELECT count(*) FROM audit_event WHERE action = 'indicator:fade'")
            assert audited == [(1,)]
            feed(hub, tmp_path, "fades.example\n", "feed-b", tlp=Tlp.GREEN)
            assert indicators(hub, reader, "fades.example", "cyber")[0]["confidence"] == 73
