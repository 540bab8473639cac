"""Filings by the API: in, approved, amended, disputed, withdrawn; what other members see of them meanwhile."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from hub import clock
from hub.checks.filings import filing as life
from hub.checks.filings.forms import load_filing
from hub.checks.filings.records import Filing, FilingIdentifier
from hub.checks.index import open_index
from hub.checks.subjects import SubjectKind, canonical_subject
from hub.cli import imports
from hub.errors import Conflict, NotFound, NotPermitted
from hub.members import keys
from tests.filings import (
    EXAMPLE,
    EXAMPLES,
    PERSON,
    URL,
    account,
    all_of,
    filed,
    indicators,
    intelligence,
    known_fraud,
    shown,
)
from tests.live import LocalHub, TestMember, local
from tests.people import TestPerson, add_person

PROBLEM = "application/problem+json"


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def hub(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalHub]:
    engine = request.getfixturevalue(request.param)
    with engine.migrated() as url, local(url, tmp_path_factory.mktemp("filings")) as made:
        yield made


@pytest.fixture(scope="module")
def bank(hub: LocalHub) -> TestMember:
    return hub.add_member("Example Bank", groups=("banks",), roles=("contributor",))


@pytest.fixture(scope="module")
def other(hub: LocalHub) -> TestMember:
    return hub.add_member("Other Bank", groups=("banks",), clearance="amber+strict", roles=("contributor", "reader"))


@pytest.fixture(scope="module")
def approver(hub: LocalHub, bank: TestMember) -> TestPerson:
    return add_person(hub, "approver@bank.example", ("contributor",), bank.member_id)


@pytest.fixture(scope="module")
def fraud(hub: LocalHub) -> str:
    with hub.hub.database.reading() as session:
        found: str = session.scalars(text("SELECT id FROM collection WHERE alias = 'fraud'")).one()
        return found


def pattern(document: dict[str, Any]) -> str:
    subject = document["subject"]
    return f"[bank-account:account_number = '202015{subject['account_number']}']"


def desk(hub: LocalHub) -> Any:
    return hub.hub.filings()


def problem(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == PROBLEM
    found: dict[str, Any] = answer.get_json(force=True)
    return found


def test_the_example_is_filed_and_published(hub: LocalHub, bank: TestMember, other: TestMember, fraud: str) -> None:
    answer = hub.request("POST", URL, bank, json=EXAMPLE, headers={"Idempotency-Key": "example"})
    assert answer.status_code == 202, answer.text
    assert (
        hub.request("POST", URL, bank, json=EXAMPLE, headers={"Idempotency-Key": "example"}).json["id"]
        == (answer.json["id"])
    )
    hub.work()
    outcome = hub.get(answer.headers["Location"].removeprefix("http://localhost"), bank).get_json()
    assert outcome["state"] == "complete"
    assert outcome["counts"]["accepted"] == outcome["counts"]["new"] == 2
    assert outcome["counts"]["indicators"] == {"url": 1, "email": 1, "phone": 1, "iban": 1, "bank-account": 1}
    seen = indicators(hub, other, fraud)
    found = seen["[bank-account:iban = 'GB33BUKB20201555555555']"]
    assert 0.3 * 72 <= found["confidence"] <= 72  # 1B, faded since the example was written
    assert {"mule-account", "nfib-5e"} <= set(found["labels"])
    assert "[bank-account:account_number = '20201555555555']" in seen
    assert found["object_marking_refs"] == ["marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"]
    strict = seen["[email-addr:value = 'payee@invest-now.example']"]  # handling C
    assert strict["object_marking_refs"] == ["marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003"]
    again = hub.request("POST", URL, bank, json=EXAMPLE)
    hub.work()
    assert hub.get(again.headers["Location"].removeprefix("http://localhost"), bank).json["counts"]["unchanged"] == 2


def test_the_door_of_reports_takes_filings_too(hub: LocalHub, other: TestMember) -> None:
    document = intelligence()
    csv = (EXAMPLES / "bank-filings.csv").read_bytes()
    by_json = hub.request("POST", "/api/v1/reports", other, json={"filings": [document]})
    by_csv = hub.request("POST", "/api/v1/reports", other, data=csv, content_type="text/csv")
    assert (by_json.status_code, by_csv.status_code) == (202, 202), by_json.text + by_csv.text
    hub.work()
    references = {one["reference"]: one for one in all_of(hub, other)}
    assert {document["reference"], "EXB-2026-4712-1", "EXB-2026-4712-2", "EXB-2026-4713-1"} <= set(references)
    assert references["EXB-2026-4712-1"]["state"] == "pending"
    assert references["EXB-2026-4713-1"]["role"] == "impersonated-victim"


def test_known_fraud_waits_for_a_second_person(
    hub: LocalHub, bank: TestMember, other: TestMember, approver: TestPerson, fraud: str
) -> None:
    document = known_fraud()
    (filing_id,) = filed(hub, bank, document)
    assert shown(hub, bank, filing_id)["state"] == "pending"
    assert pattern(document) not in indicators(hub, other, fraud)
    outsider = add_person(hub, "approver@other.example", ("contributor",), other.member_id)
    with hub.hub.database.unit_of_work() as session, pytest.raises(NotFound):
        life.approve(session, desk(hub), outsider.person_id, other.member_id, filing_id)
    with hub.hub.database.unit_of_work() as session:
        life.approve(session, desk(hub), approver.person_id, bank.member_id, filing_id)
    found = shown(hub, bank, filing_id)
    assert (found["state"], found["approved_by"]) == ("live", approver.person_id)
    assert [one["what"] for one in found["history"]] == ["file", "approve"]
    assert pattern(document) in indicators(hub, other, fraud)
    # An amendment is a version that nobody has approved yet: it is suppressed until somebody does.
    changed = {**document, "case_reference": "EXB-2026-9"}
    answer = hub.request("PUT", f"{URL}/{filing_id}", bank, json=changed)
    assert answer.status_code == 200, answer.text
    assert (answer.json["state"], answer.json["version"], answer.json["approved_by"]) == ("pending", 2, None)
    assert indicators(hub, other, fraud)[pattern(document)]["revoked"] is True
    with hub.hub.database.unit_of_work() as session:
        life.approve(session, desk(hub), approver.person_id, bank.member_id, filing_id)
    assert shown(hub, bank, filing_id)["published"] == 1


def test_the_one_who_filed_cannot_approve(hub: LocalHub, bank: TestMember, approver: TestPerson) -> None:
    with hub.hub.database.unit_of_work() as session:
        filer = desk(hub).filer_of(session, bank.member_id, approver.person_id)
        done, _ = life.file_all(session, desk(hub), filer, [load_filing(known_fraud(), "bank")])
        filing_id = done[0].filing.id
    with hub.hub.database.unit_of_work() as session, pytest.raises(NotPermitted):
        life.approve(session, desk(hub), approver.person_id, bank.member_id, filing_id)
    with hub.hub.database.unit_of_work() as session:
        life.refuse(session, desk(hub), approver.person_id, bank.member_id, filing_id, "the evidence is thin")
    found = shown(hub, bank, filing_id)
    assert (found["state"], found["history"][-1]["why"]) == ("refused", "the evidence is thin")
    with hub.hub.database.unit_of_work() as session, pytest.raises(Conflict):
        life.approve(session, desk(hub), approver.person_id, bank.member_id, filing_id)


def test_who_made_a_key_cannot_approve_what_it_filed(hub: LocalHub, bank: TestMember, approver: TestPerson) -> None:
    contact = add_person(hub, "contact@bank.example", ("primary-contact", "contributor"), bank.member_id)
    with hub.hub.database.unit_of_work() as session:
        made = keys.issue(session, bank.member_id, contact.person_id, "filing robot", 10)
    robot = replace(bank, username=made[0], token=made[1])
    (filing_id,) = filed(hub, robot, known_fraud())
    assert shown(hub, bank, filing_id)["history"][0]["by"] == f"credential:{robot.username}"
    with hub.hub.database.unit_of_work() as session, pytest.raises(NotPermitted, match="made the key"):
        life.approve(session, desk(hub), contact.person_id, bank.member_id, filing_id)
    # Its successor is that of whoever made it, so the two can still do this for each other.
    with hub.hub.database.unit_of_work() as session:
        fresh = keys.rotate(session, bank.member_id, approver.person_id, robot.username, 7)
    (later,) = filed(hub, replace(bank, username=fresh[0], token=fresh[1]), known_fraud())
    with hub.hub.database.unit_of_work() as session:
        with pytest.raises(NotPermitted):
            life.approve(session, desk(hub), approver.person_id, bank.member_id, later)
        life.approve(session, desk(hub), contact.person_id, bank.member_id, later)
        life.approve(session, desk(hub), approver.person_id, bank.member_id, filing_id)
    assert [shown(hub, bank, one)["state"] for one in (filing_id, later)] == ["live", "live"]


def test_a_dispute_suppresses_at_once(hub: LocalHub, bank: TestMember, other: TestMember, fraud: str) -> None:
    document = intelligence()
    (filing_id,) = filed(hub, bank, document)
    assert not indicators(hub, other, fraud)[pattern(document)].get("revoked")
    before = hub.request("POST", f"{URL}/{filing_id}/dispute", bank, json={"reason": " "})
    assert problem(before, 400)["where"] == "reason"
    answer = hub.request("POST", f"{URL}/{filing_id}/dispute", bank, json={"reason": "the victim's own account"})
    assert (answer.status_code, answer.json["state"]) == (200, "disputed")
    assert indicators(hub, other, fraud)[pattern(document)]["revoked"] is True
    again = hub.request("POST", f"{URL}/{filing_id}/dispute", bank, json={"reason": "again"})
    assert problem(again, 409)["where"] == "state"
    ended = hub.request("POST", f"{URL}/{filing_id}/dispute/end", bank, json={"reason": "it was checked"})
    assert (ended.json["state"], ended.json["published"]) == ("live", 1)
    assert not indicators(hub, other, fraud)[pattern(document)].get("revoked")
    with hub.hub.database.unit_of_work() as session:
        life.dispute(session, desk(hub), "operator", life.HUB, filing_id, "a person complained")
    refused = hub.request("POST", f"{URL}/{filing_id}/dispute/end", bank, json={"reason": "no"})
    assert problem(refused, 403)
    assert problem(hub.request("PUT", f"{URL}/{filing_id}", bank, json={**document, "grade": "1A:P"}), 403)
    assert hub.request("DELETE", f"{URL}/{filing_id}", bank).json["state"] == "withdrawn"


def test_a_value_stays_while_another_filing_of_the_member_names_it(
    hub: LocalHub, bank: TestMember, other: TestMember, fraud: str
) -> None:
    first, second = intelligence(), intelligence()
    second["subject"] = {**first["subject"], "phone": "+44 7700 900111"}
    one, two = filed(hub, bank, first, second)
    assert hub.request("DELETE", f"{URL}/{one}", bank).status_code == 200
    assert not indicators(hub, other, fraud)[pattern(first)].get("revoked")
    moved = {**second, "subject": {"phone": "+44 7700 900111"}}
    assert hub.request("PUT", f"{URL}/{two}", bank, json=moved).status_code == 200
    seen = indicators(hub, other, fraud)
    assert seen[pattern(first)]["revoked"] is True
    assert not seen["[phone-number:value = '447700900111']"].get("revoked")
    gone = hub.request("DELETE", f"{URL}/{one}", bank)
    assert problem(gone, 409)
    assert problem(hub.request("PUT", f"{URL}/{one}", bank, json=first), 409)


def test_what_is_for_checking_only_is_never_published(hub: LocalHub, bank: TestMember, other: TestMember) -> None:
    with hub.hub.database.reading() as session:
        before = session.execute(text("SELECT count(*) FROM indicator")).scalar()
    documents = [
        intelligence(role="suspect", subject={"person": PERSON}),
        intelligence(role="suspect", subject={"nino": "QQ 12 34 56 C", "device": "imei:490154203237518"}),
        intelligence(role="suspect", subject={"passport": {"country": "GBR", "number": "123456789"}}),
        intelligence(role="impersonated-victim", subject={**account(777001), "person": PERSON}),
        intelligence(role="false-identity", subject={"phone": "+44 7700 900222", "person": PERSON}),
        intelligence(grade="2E:P", subject=account(777002)),
        intelligence(tlp="red", recipients=[other.member_id], subject=account(777003)),
    ]
    ids = filed(hub, bank, *documents)
    with hub.hub.database.reading() as session:
        assert session.execute(text("SELECT count(*) FROM indicator")).scalar() == before
        rows = session.scalars(select(FilingIdentifier).where(FilingIdentifier.filing_id.in_(ids))).all()
        assert not any(row.published for row in rows)
        index = open_index(session, hub.hub.vault)
        subject = canonical_subject(SubjectKind.PERSON, PERSON)
        exact = [tag for tag, term in index.tagged(subject) if term.exact]
        found = {row.filing_id for row in rows if bytes(row.tag) in exact}
    assert found == {ids[0], ids[3], ids[4]}


def test_time_runs_out(hub: LocalHub, bank: TestMember, other: TestMember, fraud: str) -> None:
    tomorrow = clock.timestamp(clock.micros() + 86_400_000_000)[:10]
    document = intelligence(valid_until=tomorrow)
    (filing_id,) = filed(hub, bank, document)
    assert shown(hub, bank, filing_id)["valid_until"].startswith(tomorrow)
    with hub.hub.database.unit_of_work() as session:
        session.execute(text("UPDATE filing SET valid_until = 1 WHERE id = :id"), {"id": filing_id})
    with hub.hub.database.unit_of_work() as session:
        assert life.expire_due(session, desk(hub), "operator") >= 1
    assert shown(hub, bank, filing_id)["state"] == "expired"
    assert indicators(hub, other, fraud)[pattern(document)]["revoked"] is True


def test_known_fraud_lasts_six_years_and_intelligence_as_long_as_its_kind(hub: LocalHub, bank: TestMember) -> None:
    case, phone = filed(hub, bank, known_fraud(), intelligence(subject={"phone": "+44 7700 900333"}))
    lasts = datetime.fromisoformat(shown(hub, bank, case)["valid_until"]) - clock.now()
    assert timedelta(days=2190) < lasts < timedelta(days=2191)  # six calendar years are 2,191 or 2,192 days
    assert shown(hub, bank, phone)["valid_until"].startswith("2026-12-01")  # 30 days after the first of November


def test_another_member_s_filings_are_not_found(hub: LocalHub, bank: TestMember, other: TestMember) -> None:
    (filing_id,) = filed(hub, bank, intelligence())
    for method, path, body in (
        ("GET", "", None), ("PUT", "", intelligence()), ("DELETE", "", None),
        ("POST", "/dispute", {"reason": "x"}), ("POST", "/dispute/end", {"reason": "x"}),
    ):  # fmt: skip
        answer = hub.request(method, f"{URL}/{filing_id}{path}", other, json=body)
        assert problem(answer, 404)["detail"] == "there is no such filing of your organisation"
    assert filing_id not in {one["id"] for one in all_of(hub, other)}


def test_lists_come_in_pages_and_by_state(hub: LocalHub, bank: TestMember) -> None:
    filed(hub, bank, intelligence(), intelligence(), known_fraud())
    every = all_of(hub, bank)
    assert [one["id"] for one in every] == sorted(one["id"] for one in every)
    page = hub.get(URL, bank, query_string={"limit": 2}).json
    assert [one["id"] for one in page["filings"]] == [one["id"] for one in every[:2]]
    assert page["next"] == every[1]["id"]
    waiting = hub.get(URL, bank, query_string={"state": "pending"}).json["filings"]
    assert {one["state"] for one in waiting} == {"pending"}
    assert problem(hub.get(URL, bank, query_string={"state": "asleep"}), 400)["where"] == "state"
    for limit in ("0", "101", "x", "9" * 9):
        assert problem(hub.get(URL, bank, query_string={"limit": limit}), 400)["where"] == "limit"


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"subject": {"person": {"name": "Ada Quillfeather"}}}, "subject.person.name"),
        ({"subject": {"iban": "4111 1111 1111 1111"}}, "subject.iban"),
        ({"subject": {"device": "imei:4111111111111111"}}, "subject.device"),
        ({"subject": {}}, "subject"),
        ({"subject": {"sort_code": "20-20-15"}}, "subject.sort_code"),
        ({"legal_gateway": "eccta-2023-s189", "action": "payment-stopped"}, "action"),
        ({"legal_gateway": "the-law"}, "legal_gateway"),
        ({"purpose": "payee-check"}, "purpose"),
        ({"tier": "known_fraud"}, "pillars.reasonable_grounds"),
        ({"role": "impersonated-victim", "tier": "known_fraud"}, "tier"),
        ({"role": "false-identity"}, "subject"),
        ({"grade": "2B:C"}, "conditions"),
        ({"grade": "9Z"}, "grade"),
        ({"category": "romance"}, "category"),
        ({"tlp": "red"}, "recipients"),
        ({"first_seen": "2026-11-19"}, "first_seen"),
        ({"reference": "x-202015-99000000", "subject": account(99000000)}, "reference"),
        ({"case_reference": "QUILLFEATHER/1", "subject": {"person": PERSON}}, "case_reference"),
        ({"nonsense": 1}, "nonsense"),
    ],
)
def test_faults_say_what_and_where(hub: LocalHub, bank: TestMember, change: dict[str, Any], where: str) -> None:
    answer = hub.request("POST", URL, bank, json=intelligence(**change))
    found = problem(answer, 400)
    assert where in [fault["where"] for fault in found["faults"]]
    assert "41111" not in answer.text.replace(" ", "")
    assert "quillfeather" not in answer.text.lower()


def test_a_gateway_is_not_for_every_kind_of_member(hub: LocalHub) -> None:
    telco = hub.add_member("Example Telco", "telco", roles=("contributor",))
    answer = hub.request("POST", URL, telco, json=intelligence(legal_gateway="eccta-2023-s188"))
    fault = problem(answer, 400)["faults"][0]
    assert fault["where"] == "legal_gateway"
    assert "telco" in fault["message"]
    assert "serious-crime-act-2007-s68" in fault["message"]


def test_bodies_that_are_none(hub: LocalHub, bank: TestMember) -> None:
    many = [intelligence() for _ in range(3)] * 3400
    assert "10,200" in problem(hub.request("POST", URL, bank, json=many), 413)["detail"]
    assert problem(hub.request("POST", URL, bank, data=b"", content_type="application/json"), 400)
    assert problem(hub.request("POST", URL, bank, data=b"{", content_type="application/json"), 400)
    assert problem(hub.request("POST", URL, bank, data=b"x", content_type="text/html"), 415)
    assert problem(hub.request("POST", URL, bank, json=[]), 400)
    assert problem(hub.request("POST", URL, bank, json={"filings": 3}), 400)
    assert problem(hub.request("POST", URL, bank, json={"filings": [], "Quillfeather": 1}), 400)
    assert problem(hub.request("POST", URL, bank, data=b"reference,role,Quillfeather\n", content_type="text/csv"), 400)
    reader = hub.add_member("Reading Bank", roles=("reader",))
    assert problem(hub.request("POST", URL, reader, json=EXAMPLE), 403)


def test_one_bad_filing_does_not_refuse_the_rest(hub: LocalHub, bank: TestMember) -> None:
    good, bad = intelligence(), intelligence(grade="9Z")
    answer = hub.request("POST", URL, bank, json={"filings": [bad, good]})
    hub.work()
    outcome = hub.get(answer.headers["Location"].removeprefix("http://localhost"), bank).get_json()
    assert (outcome["counts"]["accepted"], outcome["counts"]["refused"]) == (1, 1)
    failed = next(one for one in outcome["outcomes"] if one["status"] == "failure")
    assert failed["where"] == "filings[0]"
    assert "grade" in failed["message"]


def test_who_is_named_to_hear_it_is_a_member(hub: LocalHub, bank: TestMember, other: TestMember) -> None:
    red = intelligence(tlp="red", recipients=[other.member_id])
    (filing_id,) = filed(hub, bank, red)
    nobody = [other.member_id, "5d0f6a1e-7c34-4c55-9f0e-1b2a3c4d5e6f"]
    amended = hub.request("PUT", f"{URL}/{filing_id}", bank, json={**red, "recipients": nobody})
    assert problem(amended, 400)["where"] == "recipients"
    answer = hub.request("POST", URL, bank, json=intelligence(tlp="red", recipients=nobody))
    hub.work()
    outcome = hub.get(answer.headers["Location"].removeprefix("http://localhost"), bank).get_json()
    assert outcome["counts"]["refused"] == 1
    assert "no member's id" in outcome["outcomes"][0]["message"]


def test_a_reason_holds_no_card_number(hub: LocalHub, bank: TestMember) -> None:
    (filing_id,) = filed(hub, bank, intelligence())
    paid = {"reason": "paid with 4111 1111 1111 1111"}
    assert hub.request("POST", f"{URL}/{filing_id}/dispute", bank, json=paid).status_code == 200
    assert shown(hub, bank, filing_id)["history"][-1]["why"] == "paid with [card number removed]"


def test_held_values_are_not_published_until_they_are_released(sqlite: Any, tmp_path: Any) -> None:
    with sqlite.migrated() as url, local(url, tmp_path, intake={"reserved": "hold"}) as hub:
        bank = hub.add_member("Example Bank", groups=("banks",), roles=("contributor",))
        (filing_id,) = filed(hub, bank, intelligence(subject={"phone": "+44 7700 900444"}))
        with hub.hub.database.reading() as session:
            held = session.execute(text("SELECT id, value, state FROM quarantined")).one()
            assert (held.value, held.state) == ("447700900444", "held")
            assert session.execute(text("SELECT count(*) FROM indicator")).scalar() == 0
        with hub.hub.database.unit_of_work() as session:
            hub.hub.quarantine().release(session, held.id, reason="known to be real", by="operator")
        with hub.hub.database.reading() as session:
            assert session.execute(text("SELECT count(*) FROM contribution")).scalar() == 1
        assert hub.request("DELETE", f"{URL}/{filing_id}", bank).status_code == 200
        with hub.hub.database.reading() as session:
            assert session.execute(text("SELECT count(*) FROM contribution")).scalar() == 0
        (waiting,) = filed(hub, bank, intelligence(subject={"phone": "+44 7700 900445"}))
        assert hub.request("DELETE", f"{URL}/{waiting}", bank).status_code == 200
        with hub.hub.database.reading() as session:
            states = session.execute(text("SELECT value, state FROM quarantined WHERE value LIKE '%445'")).all()
        assert [tuple(one) for one in states] == [("447700900445", "gone")]


def test_the_audit_log_tells_who_did_what_and_never_whom_it_is_about(hub: LocalHub, bank: TestMember) -> None:
    (filing_id,) = filed(hub, bank, intelligence(role="suspect", subject={"person": PERSON, **account(31415926)}))
    hub.request("POST", f"{URL}/{filing_id}/dispute", bank, json={"reason": "Ada Quillfeather called"})
    with hub.hub.database.reading() as session:
        events = session.execute(
            text("SELECT actor, action, detail FROM audit_event WHERE subject = :id ORDER BY id"), {"id": filing_id}
        ).all()
    assert [(one.actor, one.action) for one in events] == [
        (f"credential:{bank.username}", "filing:file"), (f"credential:{bank.username}", "filing:dispute"),
    ]  # fmt: skip
    assert "serious-crime-act-2007-s68" in events[0].detail
    assert not [
        word for word in ("Quillfeather", "quillfeather", "31415926") if word in json.dumps(list(map(str, events)))
    ]


def test_amendments_by_the_inbox_and_ended_references(hub: LocalHub, bank: TestMember) -> None:
    document = intelligence()
    (filing_id,) = filed(hub, bank, document)
    assert filed(hub, bank, {**document, "grade": "2A:P"}, {**document, "grade": "1A:P"}) == [filing_id] * 2
    found = shown(hub, bank, filing_id)
    assert (found["version"], found["grade"], found["document"]["grade"]) == (3, "1A:P", "1A:P")
    assert [(one["what"], one["version"]) for one in found["history"]] == [("file", 1), ("amend", 2), ("amend", 3)]
    twice = known_fraud()
    (twin,) = set(filed(hub, bank, twice, {**twice, "grade": "1A:P"}))
    assert (shown(hub, bank, twin)["version"], shown(hub, bank, twin)["state"]) == (2, "pending")
    hub.request("DELETE", f"{URL}/{filing_id}", bank)
    answer = hub.request("POST", URL, bank, json=document)
    hub.work()
    outcome = hub.get(answer.headers["Location"].removeprefix("http://localhost"), bank).get_json()
    assert outcome["outcomes"][0]["status"] == "failure"
    assert "withdrawn" in outcome["outcomes"][0]["message"]
    wrong = hub.request("PUT", f"{URL}/{filing_id}", bank, json=intelligence())
    assert problem(wrong, 400)["where"] == "reference"


def test_the_rows_hold_the_filing_s_version_only(hub: LocalHub, bank: TestMember) -> None:
    document = intelligence()
    (filing_id,) = filed(hub, bank, document)
    hub.request("PUT", f"{URL}/{filing_id}", bank, json={**document, "subject": {"email": "a+b@mule.example"}})
    with hub.hub.database.reading() as session:
        rows = session.scalars(select(FilingIdentifier).where(FilingIdentifier.filing_id == filing_id)).all()
        assert {(row.facet, row.exact) for row in rows} == {("email", True), ("email", False)}
        assert session.get_one(Filing, filing_id).version == 2
        assert session.execute(
            text("SELECT count(*) FROM filing_version WHERE filing_id = :id"), {"id": filing_id}
        ).scalar() == 2  # fmt: skip


def test_a_file_is_imported_in_the_name_of_its_member(hub: LocalHub, tmp_path: Path, fraud: str) -> None:
    bank = hub.add_member("Importing Bank", groups=("banks",), roles=("contributor", "reader"))
    document = {**intelligence(), "reference": "IMPORT-1", "subject": {"phone": "+44 7700 900555"}}
    path = tmp_path / "anything.dat"
    path.write_text(json.dumps({"filings": [document]}, indent=2))
    found = imports.summary(imports.take_in(hub.hub, path, bank.name))
    assert (found["format"], found["new"], found["indicators"]) == ("bank-filing", 1, {"phone": 1})
    (kept,) = all_of(hub, bank)
    assert (kept["reference"], kept["filed_by"], kept["tlp"]) == ("IMPORT-1", "operator", "amber")
    assert "[phone-number:value = '447700900555']" in indicators(hub, bank, fraud)
    again = imports.summary(imports.take_in(hub.hub, path, bank.name))
    assert (again["new"], again["unchanged"]) == (0, 1)
    nobody = imports.take_in(hub.hub, path, "Somebody Else")
    assert nobody.failure == "source: filings come from a member, and this source is none"
    assert len(all_of(hub, bank)) == 1
