"""What is looked up and sighted tells of no victim and of no other member."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engines import DatabaseEngine
from tests.live import LocalHub, TestMember, local
from tests.security.test_canaries import CANARIES, VICTIM, report

ASKED = ("020 7946 0321", "https://canary-1.phish.example/", "https://clean.phish.example/", "zz.phish.example")
OF_THE_VICTIM = (VICTIM["phone"], VICTIM["email"], "20-20-15 87654321")


@pytest.fixture
def hub(database_engine: DatabaseEngine, tmp_path: Path) -> Iterator[LocalHub]:
    with database_engine.migrated() as url, local(url, tmp_path) as made:
        yield made


@pytest.fixture
def partner(hub: LocalHub) -> TestMember:
    return hub.add_member("Reportcanary", "report-fraud", groups=["banks"], roles=["reporting-partner"], anonymous=True)


@pytest.fixture
def bank(hub: LocalHub) -> TestMember:
    return hub.add_member("Asking Bank", clearance="red", groups=["banks"], roles=["contributor"])


def test_no_byte_of_a_victim_or_of_another_member(hub: LocalHub, partner: TestMember, bank: TestMember) -> None:
    third = hub.add_member("Thirdcanary Bank", groups=["banks"], roles=["contributor"])
    assert hub.request("POST", "/api/v1/reports", partner, json=report("canary-1")).status_code == 202
    rows = [{"value": one} for one in ASKED[:1]]
    assert hub.request("POST", "/api/v1/sightings", third, json={"sightings": rows}).status_code == 202
    assert hub.request("POST", "/api/v1/indicators", third, json={"indicators": rows}).status_code == 202
    hub.work()
    answers = [hub.get("/api/v1/indicators", bank, query_string={"value": ASKED})]
    found = [indicator["id"] for one in answers[0].get_json()["answers"] for indicator in one["indicators"]]
    assert found, "the suspect's telephone is there to be found"
    answers.append(hub.get("/api/v1/indicators", bank, query_string={"id": found}))
    sent = hub.request("POST", "/api/v1/sightings", bank, json={"sightings": [{"indicator": one} for one in found]})
    hub.work()
    answers += [sent, hub.get(sent.headers["Location"].removeprefix("http://localhost"), bank)]
    answers.append(hub.get("/api/v1/submissions", bank))
    said = "\n".join(f"{one.headers}\n{one.text}" for one in answers).lower()
    strangers = ("reportcanary", "thirdcanary")
    ids = [part for who in (partner, third) for part in (who.member_id, who.identity_ref, who.username)]
    assert [canary for canary in (*CANARIES, *strangers, *ids) if canary in said] == []


def test_a_victims_own_values_are_unknown(hub: LocalHub, partner: TestMember, bank: TestMember) -> None:
    assert hub.request("POST", "/api/v1/reports", partner, json=report("canary-2")).status_code == 202
    hub.work()
    answer: Any = hub.request("POST", "/api/v1/indicators/look-up", bank, json={"values": list(OF_THE_VICTIM)})
    answers = answer.get_json()["answers"]
    assert [one["invalid"] for one in answers] == [None] * 3
    assert [one["indicators"] for one in answers] == [[]] * 3


def test_what_is_sent_lies_sealed_and_is_in_no_log(
    hub: LocalHub, bank: TestMember, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    rows = [{"value": "n/a Logcanary", "description": "Logcanary describes"}, {"value": "logcanary.example"}]
    assert hub.request("POST", "/api/v1/indicators", bank, json={"indicators": rows}).status_code == 202
    bad = [{"value": "a.example", "Logcanary": 1}, {"value": "a.example", "kind": "Logcanary"}]
    refused = hub.request("POST", "/api/v1/indicators", bank, json={"indicators": bad})
    assert refused.status_code == 400
    hub.work()
    hub.get("/api/v1/indicators", bank, query_string={"value": "logcanary.example"})
    caught = capfd.readouterr()
    assert "ogcanary" not in caught.out + caught.err
    assert "ogcanary describes" not in "".join(
        one.read_bytes().decode("latin-1") for one in tmp_path.rglob("*") if one.is_file()
    )
