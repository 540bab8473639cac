"""A report is amended and withdrawn: what only it supported is revoked, what others support stays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.feeds import lease
from tests.live import LocalHub, TestMember, local

ROOT = Path(__file__).resolve().parent.parent.parent
FRAUD = "/taxii2/plain/collections/fraud/objects/"


@pytest.fixture
def hub(database_url: str, tmp_path: Path) -> Iterator[LocalHub]:
    """A hub on each database."""
    with local(database_url, tmp_path / "data") as made:
        yield made


@pytest.fixture
def partner(hub: LocalHub) -> TestMember:
    """Report Fraud."""
    return hub.add_member("Report Fraud", "report-fraud", "amber", ["g"], ["reporting-partner"])


@pytest.fixture
def bank(hub: LocalHub, partner: TestMember) -> TestMember:
    """A bank that pulls."""
    return hub.add_member("First Bank", "bank", "amber", ["g"], ["reader"])


def report(reference: str, phones: list[str]) -> dict[str, Any]:
    head = {
        "reference": reference,
        "kind": "crime",
        "reporter_kind": "victim",
        "reported_at": "2026-11-03T10:15:00Z",
        "nfib_code": "3A",
    }
    return {"report": head, "suspects": [{"phone": phone} for phone in phones]}


def send(hub: LocalHub, partner: TestMember, *documents: dict[str, Any]) -> dict[str, Any]:
    answer = hub.request("POST", "/api/v1/reports", partner, json={"reports": list(documents)})
    assert answer.status_code == 202, answer.text
    return done(hub, partner, answer)


def withdraw(hub: LocalHub, partner: TestMember, reference: str) -> dict[str, Any]:
    answer = hub.request("DELETE", f"/api/v1/reports/{reference}", partner)
    assert answer.status_code == 202, answer.text
    return done(hub, partner, answer)


def done(hub: LocalHub, partner: TestMember, answer: Any) -> dict[str, Any]:
    hub.work()
    final: dict[str, Any] = hub.get(f"/api/v1/submissions/{answer.get_json()['id']}", partner).get_json()
    assert final["state"] == "complete", final
    return final


def indicators(hub: LocalHub, bank: TestMember) -> dict[str, dict[str, Any]]:
    """The newest version of each indicator that the bank sees, by its name."""
    answer = hub.get(FRAUD, bank, query_string={"match[type]": "indicator"})
    return {one["name"]: one for one in json.loads(answer.data).get("objects", [])}


FIRST, SECOND, THIRD = "07700900101", "07700900102", "07700900103"
NAMES = {FIRST: "phone: 447700900101", SECOND: "phone: 447700900102", THIRD: "phone: 447700900103"}


def test_what_only_the_withdrawn_report_supported_is_revoked(
    hub: LocalHub, partner: TestMember, bank: TestMember
) -> None:
    send(hub, partner, report("RF-1", [FIRST, SECOND]), report("RF-2", [SECOND]))
    both = indicators(hub, bank)[NAMES[SECOND]]["confidence"]
    outcome = withdraw(hub, partner, "RF-1")
    assert outcome["counts"]["withdrawn"] == 1
    assert outcome["counts"]["revoked"] == 1
    found = indicators(hub, bank)
    assert found[NAMES[FIRST]]["revoked"] is True
    assert "revoked" not in found[NAMES[SECOND]]
    assert found[NAMES[SECOND]]["confidence"] < both, "one report less supports it"


def test_the_sighting_is_revoked_with_it(hub: LocalHub, partner: TestMember, bank: TestMember) -> None:
    send(hub, partner, report("RF-1", [FIRST]))
    withdraw(hub, partner, "RF-1")
    seen = json.loads(hub.get("/taxii2/plain/collections/sightings/objects/?match[type]=sighting", bank).data)
    assert [one["revoked"] for one in seen["objects"]] == [True]


def test_withdrawing_twice_or_the_unknown_is_a_stated_failure(
    hub: LocalHub, partner: TestMember, bank: TestMember
) -> None:
    send(hub, partner, report("RF-1", [FIRST]))
    withdraw(hub, partner, "RF-1")
    for reference in ("RF-1", "RF-none"):
        (outcome,) = withdraw(hub, partner, reference)["outcomes"]
        assert outcome["status"] == "failure"
        assert "no such report" in outcome["message"]


def test_an_amendment_takes_back_what_it_no_longer_names(hub: LocalHub, partner: TestMember, bank: TestMember) -> None:
    send(hub, partner, report("RF-1", [FIRST, SECOND]))
    (outcome,) = send(hub, partner, report("RF-1", [SECOND, THIRD]))["outcomes"]
    assert outcome["message"] == "amends an earlier report"
    found = indicators(hub, bank)
    assert found[NAMES[FIRST]]["revoked"] is True
    assert "revoked" not in found[NAMES[SECOND]]
    assert "revoked" not in found[NAMES[THIRD]]


def test_a_value_that_comes_back_is_a_new_object(hub: LocalHub, partner: TestMember, bank: TestMember) -> None:
    """STIX 2.1 section 3.6.2: a revoked object has no later version."""
    send(hub, partner, report("RF-1", [FIRST]))
    first = indicators(hub, bank)[NAMES[FIRST]]["id"]
    withdraw(hub, partner, "RF-1")
    send(hub, partner, report("RF-1", [FIRST]))
    every = json.loads(hub.get(FRAUD, bank, query_string={"match[type]": "indicator"}).data)["objects"]
    assert {one["id"]: one.get("revoked", False) for one in every}[first] is True
    assert [one for one in every if one["id"] != first and "revoked" not in one]


def test_another_partner_cannot_withdraw_it(hub: LocalHub, partner: TestMember, bank: TestMember) -> None:
    other = hub.add_member("Second Partner", "payments", "amber", ["g"], ["reporting-partner"])
    send(hub, partner, report("RF-1", [FIRST]))
    (outcome,) = withdraw(hub, other, "RF-1")["outcomes"]
    assert outcome["status"] == "failure"
    assert "revoked" not in indicators(hub, bank)[NAMES[FIRST]]


def test_workers_take_a_sources_reports_in_the_order_they_came(
    hub: LocalHub, partner: TestMember, bank: TestMember
) -> None:
    """A withdrawal waits for the report before it, another source's reports do not wait for either."""
    other = hub.add_member("Second Partner", "payments", "amber", ["g"], ["reporting-partner"])
    sent = hub.request("POST", "/api/v1/reports", partner, json=report("RF-1", [FIRST])).get_json()["id"]
    taken_back = hub.request("DELETE", "/api/v1/reports/RF-1", partner).get_json()["id"]
    others = hub.request("POST", "/api/v1/reports", other, json=report("X-1", [SECOND])).get_json()["id"]

    def claim(worker: str) -> str | None:
        with hub.hub.database.unit_of_work() as session:
            return lease.claim(session, worker, 60_000_000)

    assert [claim("one"), claim("two"), claim("three")] == [sent, others, None]
    with hub.hub.database.unit_of_work() as session:
        for submission, worker in ((sent, "one"), (others, "two")):
            lease.release(session, submission, worker)
    hub.work()
    for submission in (sent, taken_back):
        outcome = hub.get(f"/api/v1/submissions/{submission}", partner).get_json()
        assert outcome["outcomes"][0]["status"] == "success", outcome
    assert indicators(hub, bank)[NAMES[FIRST]]["revoked"] is True
