"""Members' own STIX on its way in: kept as it came, judged object by object, spoken for by nobody else."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub import clock
from hub.feeds import inbox, intake, lease, sources
from hub.feeds.lease import LostLease
from hub.feeds.worker import Worker
from hub.stix.canonical import canonical_json
from hub.stix.ids import hub_id
from hub.stix.tlp import Tlp
from tests.live import LocalHub, TestMember, local

SHARED = "/taxii2/plain/collections/shared/objects/"
numbers = itertools.count(1)


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def hub(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalHub]:
    engine = request.getfixturevalue(request.param)
    with engine.migrated() as url, local(url, tmp_path_factory.mktemp("intake"), intake={"batch": 50}) as made:
        yield made


@pytest.fixture(scope="module")
def bank(hub: LocalHub) -> TestMember:
    return hub.add_member("First Bank", groups=("banks",), roles=("contributor",))


@pytest.fixture(scope="module")
def other(hub: LocalHub) -> TestMember:
    return hub.add_member("Other Bank", groups=("banks",), roles=("contributor",))


def stix_id(stix_type: str) -> str:
    return f"{stix_type}--00000000-0000-4000-8000-{next(numbers):012d}"


def indicator(pattern: str = "[domain-name:value = 'own.example']", **more: Any) -> dict[str, Any]:
    return {
        "type": "indicator",
        "spec_version": "2.1",
        "id": stix_id("indicator"),
        "created": "2026-11-01T00:00:00.000Z",
        "modified": "2026-11-01T00:00:00.000Z",
        "pattern": pattern,
        "pattern_type": "stix",
        "valid_from": "2026-11-01T00:00:00Z",
        **more,
    }


def at(hub: LocalHub, member: TestMember, obj: dict[str, Any], root: str = "plain") -> Any:
    return hub.get(f"/taxii2/{root}/collections/shared/objects/{obj['id']}/", member)


def refused(hub: LocalHub, member: TestMember, obj: Any) -> str:
    """The reason for which an object is refused, while a good one beside it goes in."""
    good = indicator()
    status = hub.add(SHARED, member, [obj, good])
    assert (status["success_count"], status["failure_count"], status["pending_count"]) == (1, 1, 0), status
    assert at(hub, member, good).status_code == 200
    [failure] = status["failures"]
    assert set(failure) == {"id", "version", "message"}
    return str(failure["message"])


class TestAsItCame:
    def test_the_plain_root_gives_the_bytes_that_the_member_sent(self, hub: LocalHub, bank: TestMember) -> None:
        sent = indicator(
            name="Ünïcode ☃ \u2028", description='tabs\tand "quotes"', labels=["b", "a"], confidence=33,
            valid_until="2027-01-01T00:00:00.5Z", x_own={"nested": [1, 2.5, True, {"deep": "er"}]},
            created_by_ref=bank.identity_ref, object_marking_refs=[Tlp.GREEN.marking_id],
        )  # fmt: skip
        assert hub.add(SHARED, bank, [sent])["success_count"] == 1
        answer = at(hub, bank, sent)
        assert canonical_json(answer.get_json(force=True)["objects"][0]) == canonical_json(sent)
        assert canonical_json(sent) in answer.data
        signed = at(hub, bank, sent, "signed").get_json(force=True)["objects"][0]
        assert {name: value for name, value in signed.items() if name != "extensions"} == sent

    def test_what_was_pulled_signed_may_come_back(self, hub: LocalHub, bank: TestMember) -> None:
        sent = indicator()
        hub.add(SHARED, bank, [sent])
        signed = at(hub, bank, sent, "signed").get_json(force=True)["objects"][0]
        status = hub.add(SHARED, bank, [signed])
        assert status["successes"][0]["message"] == "already here, unchanged"

    def test_the_same_again_changes_nothing(self, hub: LocalHub, bank: TestMember) -> None:
        sent = indicator()
        hub.add(SHARED, bank, [sent])
        [(before,)] = hub.hub.database.select("SELECT seq FROM log_head")
        status = hub.add(SHARED, bank, [sent, sent])
        assert [s["message"] for s in status["successes"]] == ["already here, unchanged"] * 2
        assert hub.hub.database.select("SELECT seq FROM log_head") == [(before,)]

    def test_a_new_version_of_ones_own(self, hub: LocalHub, bank: TestMember) -> None:
        sent = indicator()
        later = {**sent, "modified": "2026-11-02T00:00:00.000Z", "revoked": True}
        status = hub.add(SHARED, bank, [sent, later])
        assert status["success_count"] == 2
        assert at(hub, bank, sent).get_json(force=True)["objects"] == [later]

    def test_its_values_become_sightings(self, hub: LocalHub, bank: TestMember) -> None:
        hub.add(SHARED, bank, [indicator("[domain-name:value = 'merged-of-own.example']", labels=["Phish"])])
        page = hub.get("/taxii2/plain/collections/cyber/objects/", bank, query_string={"limit": 10000})
        [merged] = [o for o in page.get_json(force=True)["objects"] if "merged-of-own" in o.get("pattern", "")]
        assert (merged["created_by_ref"], merged["labels"]) == (hub.hub.hub_ref, ["phish"])
        page = hub.get("/taxii2/plain/collections/sightings/objects/", bank, query_string={"limit": 10000})
        seen = [o for o in page.get_json(force=True)["objects"] if o.get("sighting_of_ref") == merged["id"]]
        assert [one["where_sighted_refs"] for one in seen] == [[bank.identity_ref]]


class TestRefused:
    def test_speaking_as_the_hub(self, hub: LocalHub, bank: TestMember) -> None:
        assert "hub" in refused(hub, bank, indicator(created_by_ref=hub.hub.hub_ref))

    def test_speaking_as_another_member(self, hub: LocalHub, bank: TestMember, other: TestMember) -> None:
        assert "another member" in refused(hub, bank, indicator(created_by_ref=other.identity_ref))

    def test_the_hubs_identity(self, hub: LocalHub, bank: TestMember) -> None:
        identity = {
            "type": "identity", "spec_version": "2.1", "id": hub.hub.hub_ref, "name": "Not the hub",
            "created": "2026-11-01T00:00:00.000Z", "modified": "2027-11-01T00:00:00.000Z",
        }  # fmt: skip
        assert "hub" in refused(hub, bank, identity)

    def test_a_version_of_another_members_object(self, hub: LocalHub, bank: TestMember, other: TestMember) -> None:
        theirs = indicator("[domain-name:value = 'theirs.example']")
        hub.add(SHARED, other, [theirs])
        stolen = {**theirs, "pattern": "[domain-name:value = 'stolen.example']", "modified": "2026-11-09T00:00:00.000Z"}
        assert "another source" in refused(hub, bank, stolen)
        assert at(hub, other, theirs).get_json(force=True)["objects"] == [theirs]
        # What is refused has no effect at all.
        assert hub.hub.database.select("SELECT 1 FROM indicator WHERE value = 'stolen.example'") == []

    def test_a_version_of_the_hubs_own_indicator(self, hub: LocalHub, bank: TestMember) -> None:
        hub.add(SHARED, bank, [indicator("[domain-name:value = 'hubs-own.example']")])
        own = hub_id(hub.hub.namespace, "indicator", "domain", "hubs-own.example")
        spoofed = indicator("[domain-name:value = 'hubs-own.example']", id=own, modified="2027-01-01T00:00:00.000Z")
        assert "another source" in refused(hub, bank, {**spoofed, "revoked": True})

    def test_other_content_under_a_version_that_is_here(self, hub: LocalHub, bank: TestMember) -> None:
        sent = indicator()
        hub.add(SHARED, bank, [sent])
        assert "modified" in refused(hub, bank, {**sent, "name": "changed"})

    @pytest.mark.parametrize(
        "marking", [Tlp.RED.marking_id, "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"]
    )
    def test_red(self, hub: LocalHub, bank: TestMember, marking: str) -> None:
        assert "RED" in refused(hub, bank, indicator(object_marking_refs=[marking]))
        part = [{"marking_ref": marking, "selectors": ["pattern"]}]
        assert "RED" in refused(hub, bank, indicator(granular_markings=part))

    @pytest.mark.parametrize(
        ("fault", "said"),
        [
            ({"pattern": "[domain-name:value = "}, "pattern"),
            ({"pattern": 7}, "pattern"),
            ({"created": "2026-02-30T00:00:00Z"}, "created"),
            ({"modified": "2026-10-01T00:00:00.000Z"}, "modified"),
            ({"valid_until": "2026-10-01T00:00:00Z"}, "valid_until"),
            ({"confidence": 101}, "confidence"),
            ({"id": "indicator--1"}, "id"),
            ({"id": []}, "id"),
            ({"id": {"a": 1}}, "id"),
            ({"id": None}, "id"),
            ({"id": "x" * 5000}, "id"),
            ({"type": 5}, "type"),
            ({"spec_version": "9.9"}, "spec_version"),
            ({"labels": "one"}, "labels"),
            ({"object_marking_refs": ["indicator--" + "0" * 8]}, "object_marking_refs"),
            ({"created_by_ref": ["a"]}, "created_by_ref"),
            ({"granular_markings": "all"}, "granular_markings"),
            ({"extensions": []}, "extensions"),
            ({"valid_from": "2026-11-01T00:00:00"}, "valid_from"),
            ({"pattern_type": "stix", "pattern": ""}, "pattern"),
        ],
    )
    def test_one_fault_among_good_objects(
        self, hub: LocalHub, bank: TestMember, fault: dict[str, Any], said: str
    ) -> None:
        assert said in refused(hub, bank, {**indicator(), **fault})

    @pytest.mark.parametrize(
        "obj", [{}, {"type": "indicator"}, {"a" * 3000: {"b": []}}, {"type": "relationship", "id": 0}]
    )
    def test_no_objects_at_all(self, hub: LocalHub, bank: TestMember, obj: Any) -> None:
        assert refused(hub, bank, obj)

    def test_a_pattern_of_a_thousand_ors(self, hub: LocalHub, bank: TestMember) -> None:
        pattern = " OR ".join(f"[domain-name:value = 'or{n}.many-alternatives.example.org']" for n in range(1000))
        assert len(pattern) > 55_000
        started = time.monotonic()
        status = hub.add(SHARED, bank, [indicator(pattern), indicator()])
        assert time.monotonic() - started < 5
        assert status["pending_count"] == 0
        assert status["success_count"] >= 1

    def test_a_deep_pattern(self, hub: LocalHub, bank: TestMember) -> None:
        pattern = "(" * 5000 + "[a:b = 1]" + ")" * 5000
        started = time.monotonic()
        assert "pattern" in refused(hub, bank, indicator(pattern))
        assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    "stamp",
    ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "2026-11-01T00:00:00.123456789Z", "1969-12-31T23:59:59.9Z"],
)
def test_times_at_the_edge(hub: LocalHub, bank: TestMember, stamp: str) -> None:
    obj = indicator(f"[domain-name:value = 't{next(numbers)}.example']", valid_from=stamp)
    assert hub.add(SHARED, bank, [obj])["success_count"] == 1
    page = hub.get("/taxii2/plain/collections/cyber/objects/", bank, query_string={"limit": 10000})
    merged = [o for o in page.get_json(force=True)["objects"] if o.get("pattern") == obj["pattern"]]
    assert len(merged) == 1
    assert len(merged[0]["valid_from"]) == len("2026-11-01T00:00:00.000Z")


def test_a_status_lists_each_object(hub: LocalHub, bank: TestMember) -> None:
    objects = [indicator() if n % 3 else {**indicator(), "pattern": "no"} for n in range(120)]  # three batches
    status = hub.add(SHARED, bank, objects)
    assert (status["total_count"], status["success_count"], status["failure_count"]) == (120, 80, 40)
    assert [s["id"] for s in status["successes"]] == [o["id"] for n, o in enumerate(objects) if n % 3]
    assert all(f["version"] == "2026-11-01T00:00:00.000Z" for f in status["failures"])


# The worker


def received(hub: LocalHub, content: bytes, source: str = "w") -> str:
    with hub.hub.database.unit_of_work() as session:
        by = sources.named(session, source, "2B")
        arrival = inbox.Arrival(inbox.FILE, by.id, "operator", content, format="list")
        return inbox.receive(session, hub.hub.vault, arrival).id


def state_of(hub: LocalHub, submission: str) -> inbox.SubmissionView:
    from hub.feeds.records import Submission

    with hub.hub.database.reading() as session:
        return inbox.view(session, session.get_one(Submission, submission))


def test_a_worker_that_is_told_to_stop_gives_its_submission_back(hub: LocalHub) -> None:
    stop = threading.Event()
    worker = Worker(hub.hub.intake(), 0.0, stop)
    submission = received(hub, b"".join(b"stop%d.example\n" % n for n in range(120)))
    stop.set()
    assert worker.work_once()
    found = state_of(hub, submission)
    assert (found.state, found.done, found.failure) == ("pending", 50, None)
    assert hub.work() == 1
    found = state_of(hub, submission)
    assert (found.state, found.done, found.counts["new"]) == ("complete", 120, 120)
    assert found.counts["indicators"] == {"domain": 120}


def test_what_a_successor_counts_is_what_one_worker_would(hub: LocalHub) -> None:
    lines = [f"again{n % 70}.resume.example" if n % 7 else ("10.0.0.1", "not one")[n % 2] for n in range(160)]
    content = "\n".join(lines).encode()
    whole = received(hub, content, "whole")
    hub.work()
    stop = threading.Event()
    stop.set()
    parted = received(hub, content, "parted")
    while Worker(hub.hub.intake(), 0.0, stop).work_once():
        pass
    one, two = state_of(hub, whole), state_of(hub, parted)
    assert two.state == "complete"
    assert two.counts["indicators"] == one.counts["indicators"]
    assert {o.where for o in one.outcomes} == {o.where for o in two.outcomes}
    for name in ("read", "accepted", "refused", "quarantined", "unchanged"):
        assert two.counts[name] == one.counts[name], name


def test_a_successor_reads_past_objects_that_were_refused(hub: LocalHub, bank: TestMember) -> None:
    objects = [
        {**indicator(f"[domain-name:value = 'past{n}.example']"), **({} if n % 9 else {"pattern": "no"})}
        for n in range(120)
    ]
    answer = hub.post(SHARED, bank, objects)
    stop = threading.Event()
    stop.set()
    while Worker(hub.hub.intake(), 0.0, stop).work_once():
        pass
    found = state_of(hub, answer.get_json(force=True)["id"])
    assert (found.state, found.done) == ("complete", 120)
    assert found.counts["indicators"] == {"domain": sum(1 for n in range(120) if n % 9)}


def test_an_object_of_more_than_a_mebibyte_is_refused_alone(hub: LocalHub, bank: TestMember) -> None:
    objects = [indicator(f"[domain-name:value = 'large{n}.example']") for n in range(3)]
    objects[1]["description"] = "x" * 1_048_576
    objects[2]["description"] = "x" * 1_000_000
    answer = hub.post(SHARED, bank, objects)
    hub.work()
    found = state_of(hub, answer.get_json(force=True)["id"])
    assert (found.state, found.counts["accepted"], found.counts["refused"]) == ("complete", 2, 1)
    (refused,) = [one.message or "" for one in found.outcomes if one.subject == objects[1]["id"]]
    assert "at most 1,048,576 bytes" in refused


def test_a_lost_lease_ends_the_work_without_a_trace(hub: LocalHub) -> None:
    parts = hub.hub.intake()
    submission = received(hub, b"".join(b"lease%d.example\n" % n for n in range(120)))
    with hub.hub.database.unit_of_work() as session:
        assert lease.claim(session, "one", 1, submission) == submission
    time.sleep(0.001)
    with hub.hub.database.unit_of_work() as session:
        assert lease.claim(session, "two", 60_000_000, submission) == submission
        assert lease.claim(session, "three", 60_000_000, submission) is None
    with pytest.raises(LostLease):
        parts.run(submission, "one")
    assert state_of(hub, submission).done == 0
    parts.run(submission, "two")
    assert state_of(hub, submission).counts["new"] == 120


def test_a_slow_worker_keeps_its_lease(hub: LocalHub, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    parts = replace(hub.hub.intake(), lease_micros=200_000)
    submission = received(hub, b"slow.example\n")
    with hub.hub.database.unit_of_work() as session:
        lease.claim(session, "slow", parts.lease_micros, submission)
    began, going = threading.Event(), threading.Event()

    def wait(self: Any, *_: Any) -> Any:
        began.set()
        assert going.wait(20)
        return original(self, *_)

    original = intake.Intake._units
    monkeypatch.setattr(intake.Intake, "_units", wait)
    working = threading.Thread(target=parts.run, args=(submission, "slow"))
    working.start()
    assert began.wait(20)
    until = clock.micros() + 600_000
    while clock.micros() < until:
        with hub.hub.database.unit_of_work() as session:
            assert lease.claim(session, "thief", 1, submission) is None
        time.sleep(0.02)
    going.set()
    working.join()
    assert state_of(hub, submission).state == "complete"


def test_a_fault_of_our_own_ends_one_submission_and_no_worker(hub: LocalHub, monkeypatch: pytest.MonkeyPatch) -> None:
    submission = received(hub, b"broken.example\n")

    def broken(*_: Any) -> Any:
        raise RuntimeError("a fault of ours with secret content")

    with monkeypatch.context() as patched:
        patched.setattr(intake.Intake, "_run_batches", broken)
        assert hub.work() == 1
    found = state_of(hub, submission)
    assert found.state == "failed"
    assert "our side" in (found.failure or "")
    assert "secret" not in (found.failure or "")
    fine = received(hub, b"fine.example\n")
    hub.work()
    assert state_of(hub, fine).state == "complete"


def test_a_database_that_is_away_fails_nothing(hub: LocalHub, monkeypatch: pytest.MonkeyPatch) -> None:
    from hub.errors import Unavailable

    submission = received(hub, b"away.example\n")

    def away(*_: Any) -> Any:
        raise Unavailable("the database cannot be reached")

    with monkeypatch.context() as patched:
        patched.setattr(intake.Intake, "_run_batches", away)
        with pytest.raises(Unavailable):
            hub.work()
    assert state_of(hub, submission).state == "running"
    with hub.hub.database.unit_of_work() as session:
        session.execute(__import__("sqlalchemy").text("UPDATE submission SET lease_until = 0 WHERE state = 'running'"))
    hub.work()
    assert state_of(hub, submission).state == "complete"


def test_the_next_is_claimed_with_the_end_of_one_and_given_back_on_a_stop(hub: LocalHub) -> None:
    first, second = received(hub, b"ahead-one.example\n", "one"), received(hub, b"ahead-two.example\n", "two")
    stop = threading.Event()
    worker = Worker(hub.hub.intake(), 0.0, stop)
    assert worker.work_once()
    assert [state_of(hub, each).state for each in (first, second)] == ["complete", "running"]
    stop.set()
    worker.run()
    assert [state_of(hub, each).state for each in (first, second)] == ["complete", "pending"]
    hub.work()
    assert state_of(hub, second).state == "complete"


def test_the_next_is_given_back_by_a_worker_whose_submission_fails(
    hub: LocalHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("a fault after the last batch")

    submissions = [received(hub, b"fault-%d.example\n" % n, str(n)) for n in range(2)]
    with monkeypatch.context() as patched:
        patched.setattr("hub.feeds.intake._log_end", fail)
        Worker(hub.hub.intake(), 0.0, threading.Event()).work_once()
    assert state_of(hub, submissions[1]).state == "pending"
    hub.work()
    assert state_of(hub, submissions[1]).state == "complete"


def test_two_workers_never_work_on_one_submission(postgresql: Any, tmp_path: Path) -> None:
    with postgresql.migrated() as url, local(url, tmp_path, intake={"batch": 10}) as hub:
        submissions = [
            received(hub, b"".join(b"s%d-%d.example\n" % (s, n % 15) for n in range(40)), f"s{s % 3}")
            for s in range(12)
        ]
        workers = [Worker(hub.hub.intake(), 0.0, threading.Event()) for _ in range(3)]
        seen: dict[str, set[str]] = {}
        run = intake.Intake.run

        def watched(self: intake.Intake, submission: str, worker: str, *told: Any) -> None:
            seen.setdefault(submission, set()).add(worker)
            run(self, submission, worker, *told)

        def work(worker: Worker) -> None:
            while worker.work_once() or any(state_of(hub, s).state == "pending" for s in submissions):
                pass
            hub.hub.database._drop_raw()

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(intake.Intake, "run", watched)
            threads = [threading.Thread(target=work, args=(worker,)) for worker in workers]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
        assert all(len(by) == 1 for by in seen.values())
        assert len({worker for by in seen.values() for worker in by}) > 1
        for number, submission in enumerate(submissions):
            found = state_of(hub, submission)
            assert (found.state, found.done, found.failure) == ("complete", 40, None)
            assert found.counts["indicators"] == {"domain": 15}, number
        [(entries, distinct)] = hub.hub.database.select(
            "SELECT COUNT(*), COUNT(DISTINCT stix_id) FROM entry WHERE left(stix_id, 9) = 'indicator'"
        )
        assert entries == distinct == 12 * 15
