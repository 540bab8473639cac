"""What an analyst decides of held values: who sees what afterwards, and what the next pull does."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.auth import Role
from hub.cli.imports import summary, take_in
from hub.errors import Conflict, InvalidInput, NotFound
from hub.feeds import quarantine_view as view
from hub.feeds.quarantine_view import EntryView, Wanted
from hub.feeds.records import Quarantined
from hub.members import people
from hub.stix.tlp import Tlp
from hub.stix.values import Kind
from tests.live import LocalHub, TestMember, local

WHO = "person-1"
BECAUSE = "seen in two of our cases"
numbers = itertools.count(1)


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def hub(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalHub]:
    engine = request.getfixturevalue(request.param)
    with engine.migrated() as url, local(url, tmp_path_factory.mktemp("quarantine")) as made:
        yield made


@pytest.fixture(scope="module")
def reader(hub: LocalHub) -> TestMember:
    return hub.add_member("The reader", clearance="red", groups=("banks",), roles=("reader",))


def fed(hub: LocalHub, tmp_path: Path, content: str, source: str, **options: Any) -> dict[str, Any]:
    path = tmp_path / f"{next(numbers)}.txt"
    path.write_text(content)
    return summary(take_in(hub.hub, path, source, **options))


def waiting(hub: LocalHub, **wanted: Any) -> list[EntryView]:
    with hub.hub.database.reading() as session:
        return view.page(session, Wanted(**wanted))


def decide(hub: LocalHub, action: str, entry_id: int, *arguments: Any, **more: Any) -> Quarantined:
    desk = hub.hub.quarantine()
    with hub.hub.database.unit_of_work() as session:
        return getattr(desk, action)(session, entry_id, *arguments, **{"reason": BECAUSE, "by": WHO, **more})


def held(hub: LocalHub, tmp_path: Path, value: str, source: str, **options: Any) -> EntryView:
    """``value`` in quarantine."""
    fed(hub, tmp_path, f"{value}\n", source, **options)
    [one] = waiting(hub, source=source, text=value)
    return one


def published(hub: LocalHub, reader: TestMember, text: str, alias: str = "cyber") -> list[dict[str, Any]]:
    answer = hub.get(f"/taxii2/plain/collections/{alias}/objects/", reader, query_string={"limit": 1000})
    assert answer.status_code == 200, answer.text
    found = answer.get_json(force=True).get("objects", [])
    return [one for one in found if text in one.get("pattern", "") and not one.get("revoked")]


class TestRelease:
    def test_publishes_what_the_source_said(self, hub: LocalHub, reader: TestMember, tmp_path: Path) -> None:
        rows = "type,indicator,classification,first_seen,last_seen\nip,10.1.0.1,botnet,2026-09-01,2026-10-02\n"
        fed(hub, tmp_path, rows, "rel-a", tlp=Tlp.AMBER, groups=("banks",))
        [one] = waiting(hub, source="rel-a")
        assert (one.kind, one.value, one.state) == ("ipv4", "10.1.0.1", "held")
        decide(hub, "release", one.id)
        [seen] = published(hub, reader, "10.1.0.1")
        assert seen["object_marking_refs"] == [Tlp.AMBER.marking_id]
        assert seen["valid_from"].startswith("2026-09-01") and seen["valid_until"].startswith("2026-10-16")
        assert seen["labels"] == ["botnet"]
        assert [r["source_name"] for r in seen["external_references"]] == ["rel-a"]

    def test_is_recorded_and_may_be_repeated(self, hub: LocalHub, reader: TestMember, tmp_path: Path) -> None:
        one = held(hub, tmp_path, "10.1.0.2", "rel-b")
        for _ in range(2):
            decide(hub, "release", one.id)
        assert len(published(hub, reader, "10.1.0.2")) == 1
        with hub.hub.database.reading() as session:
            full = view.entry(session, one.id)
        assert [(d.action, d.by, d.why, d.effect) for d in full.decisions] == [("release", WHO, BECAUSE, "new")]
        [(actor, detail)] = hub.hub.database.select(
            f"SELECT actor, detail FROM audit_event WHERE subject = 'quarantine:{one.id}'"
        )
        assert actor == WHO and BECAUSE in detail and "10.1.0.2" not in detail

    def test_the_next_pull_lets_it_pass(self, hub: LocalHub, tmp_path: Path) -> None:
        one = held(hub, tmp_path, "10.1.0.3", "rel-c")
        decide(hub, "release", one.id)
        again = fed(hub, tmp_path, "10.1.0.3\nother-c.example\n", "rel-c")
        assert (again["accepted"], again["unchanged"], again["quarantined"]) == (2, 1, 0)
        assert again["indicators"] == {"domain": 1, "ipv4": 1}
        assert waiting(hub, source="rel-c") == []

    def test_holds_for_the_one_source(self, hub: LocalHub, tmp_path: Path) -> None:
        decide(hub, "release", held(hub, tmp_path, "10.1.0.4", "rel-d").id)
        assert fed(hub, tmp_path, "10.1.0.4\n", "rel-e")["quarantined"] == 1

    def test_another_rule_holds_it_again(self, hub: LocalHub, reader: TestMember, tmp_path: Path) -> None:
        rows = '{"deny": ["deny-f.example"], "allow": ["10.1.0.5"]}'
        fed(hub, tmp_path, rows, "rel-f", format_name="allow-deny")
        [one] = waiting(hub, source="rel-f")
        assert "legitimate" in one.reason
        decide(hub, "release", one.id)
        assert published(hub, reader, "10.1.0.5") == []
        [second] = waiting(hub, source="rel-f")
        assert second.reason == "the address is private"
        decide(hub, "release", second.id)
        assert len(published(hub, reader, "10.1.0.5")) == 1

    def test_never_wider_than_any_of_what_was_said(self, hub: LocalHub, reader: TestMember, tmp_path: Path) -> None:
        held(hub, tmp_path, "10.1.0.6", "rel-g", tlp=Tlp.GREEN)
        one = held(hub, tmp_path, "10.1.0.6", "rel-g", tlp=Tlp.AMBER_STRICT, groups=("banks",))
        decide(hub, "release", one.id)
        [seen] = published(hub, reader, "10.1.0.6")
        assert seen["object_marking_refs"] == [Tlp.AMBER_STRICT.marking_id]

    def test_needs_a_reason(self, hub: LocalHub, tmp_path: Path) -> None:
        one = held(hub, tmp_path, "10.1.0.7", "rel-h")
        for reason in ("", "  ", "x" * 1001):
            with pytest.raises(InvalidInput):
                decide(hub, "release", one.id, reason=reason)
        with pytest.raises(NotFound):
            decide(hub, "release", 10_000_000)


class TestEdit:
    def test_publishes_the_other_value_from_then_on(self, hub: LocalHub, reader: TestMember, tmp_path: Path) -> None:
        one = held(hub, tmp_path, "10.2.0.1", "edit-a")
        decide(hub, "edit_and_replay", one.id, "edited-a[.]example", kind=Kind.DOMAIN)
        assert len(published(hub, reader, "edited-a.example")) == 1
        again = fed(hub, tmp_path, "10.2.0.1\n\n", "edit-a")
        assert (again["unchanged"], again["quarantined"], again["indicators"]) == (1, 0, {"domain": 1})
        assert published(hub, reader, "10.2.0.1") == []

    def test_refuses_what_would_be_held_itself(self, hub: LocalHub, tmp_path: Path) -> None:
        one = held(hub, tmp_path, "10.2.0.2", "edit-b")
        for text in ("10.2.0.3", "10.2.0.2", "no address"):
            with pytest.raises(InvalidInput):
                decide(hub, "edit_and_replay", one.id, text)
        assert [entry.state for entry in waiting(hub, source="edit-b")] == ["held"]

    def test_stands(self, hub: LocalHub, tmp_path: Path) -> None:
        one = held(hub, tmp_path, "10.2.0.4", "edit-c")
        for _ in range(2):
            decide(hub, "edit_and_replay", one.id, "198.51.100.4")
        for action in ("release", "reject"):
            with pytest.raises(Conflict):
                decide(hub, action, one.id)


class TestReject:
    def test_is_not_shown_again(self, hub: LocalHub, reader: TestMember, tmp_path: Path) -> None:
        one = held(hub, tmp_path, "10.3.0.1", "rej-a")
        decide(hub, "reject", one.id)
        again = fed(hub, tmp_path, "10.3.0.1\n\n", "rej-a")
        assert again["quarantined"] == 1
        assert waiting(hub, source="rej-a") == []
        assert published(hub, reader, "10.3.0.1") == []

    def test_takes_back_what_was_released(self, hub: LocalHub, reader: TestMember, tmp_path: Path) -> None:
        one = held(hub, tmp_path, "10.3.0.2", "rej-b")
        decide(hub, "release", one.id)
        decide(hub, "reject", one.id)
        assert published(hub, reader, "10.3.0.2") == []
        decide(hub, "release", one.id)
        assert len(published(hub, reader, "10.3.0.2")) == 1
        with hub.hub.database.reading() as session:
            assert [d.action for d in view.entry(session, one.id).decisions] == ["release", "reject", "release"]


class TestReports:
    """With documentation values held, as outside of demonstrations."""

    @pytest.fixture(params=["sqlite", "postgresql"])
    def strict(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LocalHub]:
        engine = request.getfixturevalue(request.param)
        with engine.migrated() as url, local(url, tmp_path, intake={"reserved": "hold"}) as made:
            yield made

    @pytest.fixture
    def bank(self, strict: LocalHub) -> TestMember:
        return strict.add_member("A bank", "bank", roles=("contributor", "reader"), clearance="red", groups=("banks",))

    def report(self, hub: LocalHub, member: TestMember, reference: str, **head: Any) -> dict[str, Any]:
        body = {
            "report": {"reference": reference, "kind": "crime", "reporter_kind": "victim", "nfib_code": "3A",
                       "reported_at": "2026-11-03T10:00:00Z", **head},
            "suspects": [{"phone": "020 7946 0011"}],
        }  # fmt: skip
        answer = hub.request("POST", "/api/v1/reports", member, json=body)
        assert answer.status_code == 202, answer.text
        hub.work()
        found: dict[str, Any] = hub.get(answer.headers["Location"].removeprefix("http://localhost"), member).get_json()
        return found

    def withdraw(self, hub: LocalHub, member: TestMember, reference: str) -> None:
        answer = hub.request("DELETE", f"/api/v1/reports/{reference}", member)
        assert answer.status_code == 202, answer.text
        hub.work()

    def test_a_release_counts_each_report_and_a_withdrawal_takes_back(self, strict: LocalHub, bank: TestMember) -> None:
        for number in (1, 2, 3):
            self.report(strict, bank, f"Q-{number}")
        self.withdraw(strict, bank, "Q-3")
        [one] = waiting(strict)
        decide(strict, "release", one.id)
        [(count,)] = strict.hub.database.select("SELECT count FROM contribution")
        assert count == 2
        assert len(published(strict, bank, "442079460011", "fraud")) == 1
        self.withdraw(strict, bank, "Q-1")
        [(count,)] = strict.hub.database.select("SELECT count FROM contribution")
        assert count == 1
        self.withdraw(strict, bank, "Q-2")
        assert published(strict, bank, "442079460011", "fraud") == []

    def test_what_was_withdrawn_is_not_released(self, strict: LocalHub, bank: TestMember) -> None:
        self.report(strict, bank, "Q-1")
        [one] = waiting(strict)
        self.withdraw(strict, bank, "Q-1")
        assert [entry.state for entry in waiting(strict, state="gone")] == ["gone"]
        with pytest.raises(Conflict):
            decide(strict, "release", one.id)
        self.report(strict, bank, "Q-1", kind="information")
        assert [entry.id for entry in waiting(strict)] == [one.id]

    def test_a_rejected_release_is_taken_back_from_its_reports(self, strict: LocalHub, bank: TestMember) -> None:
        self.report(strict, bank, "Q-1")
        [one] = waiting(strict)
        for action, count in (("release", 1), ("reject", 0), ("release", 1)):
            decide(strict, action, one.id)
            assert len(published(strict, bank, "442079460011", "fraud")) == count

    def test_an_edited_value_is_what_the_report_says(self, strict: LocalHub, bank: TestMember) -> None:
        self.report(strict, bank, "Q-1")
        [one] = waiting(strict)
        decide(strict, "edit_and_replay", one.id, "020 8200 0012")
        assert len(published(strict, bank, "442082000012", "fraud")) == 1
        self.report(strict, bank, "Q-1", kind="information")  # an amendment that names the same
        assert len(published(strict, bank, "442082000012", "fraud")) == 1
        self.withdraw(strict, bank, "Q-1")
        assert published(strict, bank, "442082000012", "fraud") == []

    def test_graded_e_is_never_released(self, strict: LocalHub, bank: TestMember) -> None:
        self.report(strict, bank, "Q-1", grade="2E")
        for one in waiting(strict):
            with pytest.raises(Conflict):
                if "graded E" in one.reason:
                    decide(strict, "release", one.id)
                else:
                    raise Conflict(one.reason)

    def test_refused_reports_are_shown_with_their_reason(self, strict: LocalHub, bank: TestMember) -> None:
        batch = [{"report": {"reference": "BAD-1"}}, {"report": {"reference": "BAD-2", "kind": "gossip"}}]
        answer = strict.request("POST", "/api/v1/reports", bank, json=batch)
        assert answer.status_code == 202, answer.text
        strict.work()
        with strict.hub.database.reading() as session:
            [one] = view.refusals(session)
            rows = view.refused_rows(session, one.submission_id)
        assert one.count == 2
        assert [(position, row.subject) for position, row in rows] == [(0, "BAD-1"), (1, "BAD-2")]
        assert all(row.message for _, row in rows)


class TestObjects:
    def indicator(self, stix_id: str, value: str, **more: Any) -> dict[str, Any]:
        return {
            "type": "indicator", "spec_version": "2.1", "id": stix_id, "created": "2026-11-01T00:00:00.000Z",
            "modified": "2026-11-01T00:00:00.000Z", "pattern": f"[ipv4-addr:value = '{value}']", "name": "one",
            "pattern_type": "stix", "valid_from": "2026-11-01T00:00:00Z", **more,
        }  # fmt: skip

    def test_released_rejected_and_revoked(self, hub: LocalHub, reader: TestMember) -> None:
        bank = hub.add_member("Object bank", "bank", roles=("contributor",), clearance="red", groups=("banks",))
        collection = hub.add_collection("own", read=("members",), write=("members",))
        ids = [f"indicator--00000000-0000-4000-8000-00000000000{n}" for n in (1, 2)]
        path = f"/taxii2/plain/collections/{collection}/objects/"
        hub.add(path, bank, [self.indicator(one, f"10.4.0.{n}") for n, one in enumerate(ids)])
        entries = sorted(waiting(hub, text="10.4.0."), key=lambda one: one.value)
        assert [one.origin for one in entries] == ["object", "object"]
        with pytest.raises(Conflict):
            decide(hub, "edit_and_replay", entries[0].id, "198.51.100.77")
        decide(hub, "release", entries[0].id)
        assert len(published(hub, reader, "10.4.0.0")) == 1
        later = {"modified": "2026-11-02T00:00:00.000Z", "revoked": True}
        hub.add(path, bank, [self.indicator(one, f"10.4.0.{n}", **later) for n, one in enumerate(ids)])
        assert published(hub, reader, "10.4.0.0") == []
        assert [one.state for one in waiting(hub, text="10.4.0.1", state="")] == ["gone"]


def test_a_members_own_domain_is_held_as_soon_as_it_is_a_member(hub: LocalHub, tmp_path: Path) -> None:
    content = "login.bank-of-ours.net\n"
    assert fed(hub, tmp_path, content, "own-a")["accepted"] == 1
    member = hub.add_member("Bank of ours", "bank")
    with hub.hub.database.unit_of_work() as session:
        roles = [Role.PRIMARY_CONTACT]
        person = people.add(session, WHO, "jo@bank-of-ours.net", "Jo", roles, member.member_id)
        person.status = people.ACTIVE
    again = fed(hub, tmp_path, content, "own-a")
    assert (again["accepted"], again["quarantined"]) == (0, 1), "the same file, under other rules"
    assert again["reasons"][0]["reason"] == "it belongs to a member of this hub"


class TestLooking:
    def test_filters_and_pages(self, hub: LocalHub, tmp_path: Path) -> None:
        fed(hub, tmp_path, "".join(f"10.9.0.{n}\n" for n in range(1, 8)) + "fe80::1\n", "look-a")
        with hub.hub.database.reading() as session:
            first = view.page(session, Wanted(source="look-a"), size=5)
            assert len(first) == 6
            rest = view.page(session, Wanted(source="look-a"), before=first[4].id, size=5)
            assert len({one.id for one in [*first[:5], *rest]}) == 8 == view.total(session, Wanted(source="look-a"))
            assert view.total(session, Wanted(source="look-a", kind="ipv6")) == 1
            assert view.total(session, Wanted(source="look-a", text="FE80")) == 1
            assert view.total(session, Wanted(source="look-a", text="_")) == 0
            submission = first[0].submission_id
            assert view.total(session, Wanted(submission=submission, reason=rest[0].reason)) >= 1
            assert "look-a" in view.source_names(session)
            assert sum(count for _, count in view.reasons(session)) == view.counts(session)["held"]
            with pytest.raises(InvalidInput):
                view.page(session, Wanted(state="nonsense"))
