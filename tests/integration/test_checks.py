"""The checking service by its API: filing, second approval, check, dispute; quotas, samples, alarms, files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from hub import clock
from hub.audit.records import AuditEvent
from hub.checks.searching import canaries, contacts, quotas, watch
from hub.checks.searching.hashes import SearchHashes
from hub.checks.searching.reading import who_searched
from hub.checks.searching.records import Alarm, CheckJob, Search, SearchSample
from hub.checks.subjects import SubjectKind, canonical_subject
from hub.db.records import Record
from hub.factory import checks as joined
from hub.feeds.records import Indicator, SourceRecord
from hub.ledger import collections
from hub.ledger.classes import Audience
from hub.members.people_records import OutgoingMessage
from hub.members.records import SharingGroup
from hub.stix.tlp import Tlp
from tests.engines import DatabaseEngine
from tests.filings import filed, intelligence
from tests.known import DAY, put_contribution, put_filing
from tests.live import LocalHub, TestMember, local

URL = "/api/v1/checks"
BASIS = {"purpose": "payee-check", "legal_gateway": "serious-crime-act-2007-s68", "case_reference": "CASE-7 Quill"}
OFFICER = "duty@hub.example"
LIMITS = {"sample_share": 0.0, "duty_officer": OFFICER, "hit_least": 5, "neighbours": 6}
PERSON = {"name": "Ada Quillfeather", "date_of_birth": "1980-02-29"}


@pytest.fixture
def hub(database_engine: DatabaseEngine, tmp_path: Path) -> Iterator[LocalHub]:
    with database_engine.migrated() as url, local(url, tmp_path, checks=LIMITS) as made:
        yield made


@pytest.fixture
def banks(hub: LocalHub) -> list[TestMember]:
    """A filer, an asker in its group, an asker in another."""
    groups = (("banks",), ("banks",), ("others",))
    return [
        hub.add_member(f"Bank {n}", groups=own, roles=["reader", "contributor"], clearance="amber+strict")
        for n, own in enumerate(groups)
    ]


def account(number: int) -> str:
    return f"20-20-15 {number:08d}"


def put(hub: LocalHub, member: TestMember, kind: str, raw: Any, tlp: Tlp = Tlp.AMBER, **more: Any) -> str:
    """A filing of ``member`` for the group "banks"."""
    with hub.hub.database.unit_of_work() as session:
        group = session.scalars(select(SharingGroup.id).where(SharingGroup.name == "banks")).one()
        subject = canonical_subject(SubjectKind(kind), raw)
        audience = Audience(tlp, frozenset({group}), more.pop("recipients", frozenset()))
        return put_filing(session, hub.hub.vault, member.member_id, [subject], audience, **more)


def ask(hub: LocalHub, member: TestMember, *subjects: dict[str, Any], **changes: Any) -> Any:
    return hub.request("POST", URL, member, json={**BASIS, "subjects": list(subjects), **changes})


def told(hub: LocalHub, member: TestMember, *subjects: dict[str, Any]) -> list[dict[str, Any]]:
    answer = ask(hub, member, *subjects)
    assert answer.status_code == 200, answer.text
    answers: list[dict[str, Any]] = answer.get_json()["answers"]
    return answers


def of_account(number: int) -> dict[str, Any]:
    return {"kind": "bank-account", "value": account(number)}


def test_a_match_tells_the_least_that_helps_and_a_miss_has_its_shape(hub: LocalHub, banks: list[TestMember]) -> None:
    filer, asker, other = banks
    put(hub, filer, "bank-account", account(1), tier="known_fraud", grade="1B:C")
    match, miss = told(hub, asker, of_account(1), {**of_account(2), "ref": "mine"})
    assert list(match) == list(miss)
    assert {name: match[name] for name in ("outcome", "tier", "category", "grade", "confidence", "sources")} == {
        "outcome": "match", "tier": "known_fraud", "category": "5D", "grade": "1B", "confidence": 72, "sources": "1",
    }  # fmt: skip
    assert (match["status"], match["handling"], match["tlp"]) == ("live", "C", "amber")
    assert len(match["first_seen"]) == len(match["last_seen"]) == len("2026-03")
    assert (miss["outcome"], miss["ref"], miss["tier"], miss["contact"]) == ("no_match", "mine", None, None)
    words = json.dumps({**match, "contact": None})  # a token is random, and may hold any two letters
    for hidden in (filer.name, filer.member_id, filer.identity_ref, "R-"):
        assert hidden not in words
    assert told(hub, other, of_account(1))[0]["outcome"] == "no_match"
    assert told(hub, filer, of_account(1))[0]["outcome"] == "no_match", "one's own filing is no source"


def test_the_owner_is_reached_by_a_token_that_only_the_hub_opens(hub: LocalHub, banks: list[TestMember]) -> None:
    filer, asker, _ = banks
    filing = put(hub, filer, "bank-account", account(1))
    token = told(hub, asker, of_account(1))[0]["contact"]
    with hub.hub.database.unit_of_work() as session:
        search, found = contacts.owners(session, hub.hub.vault, "operator", token)
        assert (search.member_id, [one.id for one in found]) == (asker.member_id, [filing])
        assert session.scalars(select(AuditEvent.action).order_by(AuditEvent.id.desc())).first() == "check:contact"
    assert filing not in token


def test_a_dispute_silences_at_once_and_the_earlier_check_says_so(hub: LocalHub, banks: list[TestMember]) -> None:
    from hub.checks.filings.records import Filing

    filer, asker, other = banks
    filing = put(hub, filer, "bank-account", account(1))
    before = told(hub, asker, of_account(1))[0]
    with hub.hub.database.unit_of_work() as session:
        session.execute(update(Filing).where(Filing.id == filing).values(state="disputed"))
    assert told(hub, asker, of_account(1))[0]["outcome"] == "no_match"
    again = hub.get(f"{URL}/{before['check_id']}", asker).get_json()
    assert again["case_reference"] == BASIS["case_reference"]
    (answer,) = again["answers"]
    assert {**answer, "contact": None} == {**before, "status": "disputed", "contact": None}
    assert hub.get(f"{URL}/{before['check_id']}", other).status_code == 404
    assert hub.get(f"{URL}/{again['id']}.7", asker).status_code == 404


def test_people_are_found_by_name_and_birth_date_and_likeness_is_only_possible(
    hub: LocalHub, banks: list[TestMember]
) -> None:
    filer, asker, other = banks
    put(hub, filer, "person", PERSON)
    exact, like, unlike, alone, born = told(
        hub, asker,
        {"kind": "person", **PERSON},
        {"kind": "person", "name": "Ada Quilfeather", "date_of_birth": "1980-02-29"},
        {"kind": "person", "name": "Bob Marley", "date_of_birth": "1980-02-29"},
        {"kind": "person", "name": "Ada Quillfeather"},
        {"kind": "person", "name": "Ada Quillfeather", "date_of_birth": "1980-02-28"},
    )  # fmt: skip
    assert [one["outcome"] for one in (exact, like, unlike, alone, born)] == [
        "match", "possible", "no_match", "not_searchable", "no_match",
    ]  # fmt: skip
    assert "quil" not in json.dumps([exact, like, unlike]).lower()
    assert told(hub, other, {"kind": "person", "name": "Ada Quilfeather", "date_of_birth": "1980-02-29"})[0][
        "outcome"
    ] == ("no_match")


def test_an_impersonated_person_is_said_to_be_innocent(hub: LocalHub, banks: list[TestMember]) -> None:
    filer, asker, _ = banks
    put(hub, filer, "person", PERSON, role="impersonated-victim")
    (answer,) = told(hub, asker, {"kind": "person", **PERSON})
    assert (answer["tier"], answer["marker"]) == ("protect", "impersonated-victim")
    assert "innocent" in answer["words"]


@pytest.mark.parametrize(
    ("body", "status", "where"),
    [
        ({**BASIS, "subjects": [of_account(1)] * 1001}, 413, "subjects"),
        ({**BASIS, "subjects": []}, 400, "subjects"),
        ({**BASIS}, 400, "subjects"),
        ({**BASIS, "subject": "20-20-15"}, 400, "subjects[0]"),
        ({**BASIS, "subject": {"kind": "phone", "value": "1", "note": "x"}}, 400, "subjects[0].note"),
        ({**BASIS, "subject": of_account(1), "purpose": "curiosity"}, 400, "purpose"),
        ({**BASIS, "subject": of_account(1), "legal_gateway": "crime-and-courts-act-2013-s7"}, 400, "purpose"),
        ({**BASIS, "subject": of_account(1), "case_reference": ""}, 400, "case_reference"),
        ({**BASIS, "subject": of_account(1), "who": "me"}, 400, "who"),
        ({**BASIS, "subject": of_account(1), "case_reference": "4111 1111 1111 1111"}, 400, "case_reference"),
        ({**BASIS, "subject": {**of_account(1), "ref": "4242424242424242"}}, 400, "subjects[0].ref"),
        ([], 400, None),
    ],
)
def test_what_is_no_search_is_refused_with_its_place(local_hub: LocalHub, body: Any, status: int, where: str) -> None:
    member = _once(local_hub)
    answer = local_hub.request("POST", URL, member, json=body)
    assert (answer.status_code, answer.get_json(force=True).get("where")) == (status, where)
    assert answer.content_type == "application/problem+json"


def _once(hub: LocalHub) -> TestMember:
    if not hasattr(hub, "asker"):
        hub.asker = hub.add_member("Asker")  # type: ignore[attr-defined] # kept for this module
    asker: TestMember = hub.asker  # type: ignore[attr-defined] # as above
    return asker


def test_what_cannot_be_searched_is_an_answer_of_its_own(local_hub: LocalHub) -> None:
    answers = told(
        local_hub, _once(local_hub),
        {"kind": "phone", "value": "4111 1111 1111 1111"},
        {"kind": "iban", "value": "GB33BUKB20201555555556"},
        {"kind": "shoe-size", "value": "42"},
        {"kind": "phone"},
        {"kind": "nino", "value": "QQ 12 34 56 C"},
    )  # fmt: skip
    assert [one["outcome"] for one in answers] == ["invalid", "invalid", "not_searchable", "invalid", "no_match"]
    assert "4111" not in json.dumps(answers)
    assert "card" in answers[0]["reason"]


def test_a_british_iban_is_also_its_account(hub: LocalHub, banks: list[TestMember]) -> None:
    filer, asker, _ = banks
    put(hub, filer, "bank-account", "20-20-15 55555555")
    assert told(hub, asker, {"kind": "iban", "value": "GB33BUKB20201555555555"})[0]["outcome"] == "match"


def test_a_mailbox_without_its_tag_is_only_possible_and_silent_beside_the_whole(
    hub: LocalHub, banks: list[TestMember]
) -> None:
    filer, asker, _ = banks
    put(hub, filer, "email", "ann+shop@example.com", group="one house")
    put(hub, filer, "email", "bob@example.com", group="one house")
    asked = ["ann+shop", "ann", "ann+bank", "bob", "bob+shop", "carl+shop"]

    def outcomes() -> list[str]:
        mailboxes = ({"kind": "email", "value": f"{one}@example.com"} for one in asked)
        return [one["outcome"] for one in told(hub, asker, *mailboxes)]

    assert outcomes() == ["match", "possible", "possible", "match", "possible", "no_match"]
    put(hub, filer, "email", "ann@example.com", group="another house", grade="1A:P")
    assert outcomes()[:3] == ["match", "match", "possible"]
    (whole,) = told(hub, asker, {"kind": "email", "value": "ann@example.com"})
    assert (whole["sources"], whole["grade"]) == ("1", "1A")


def test_a_victim_is_protected_whatever_else_is_known_of_the_identifier(hub: LocalHub, banks: list[TestMember]) -> None:
    filer, asker, _ = banks
    put(hub, filer, "bank-account", account(1), role="impersonated-victim", grade="3D:P")
    put(hub, filer, "bank-account", account(1), tier="known_fraud", grade="1A:P", group="another house")
    (answer,) = told(hub, asker, of_account(1))
    assert (answer["tier"], answer["marker"]) == ("protect", "impersonated-victim")
    assert (answer["grade"], answer["confidence"], answer["sources"]) == ("3D", 10, "1"), "the rest is silent"
    assert "innocent" in answer["words"]


def test_a_false_identity_is_marked_whoever_else_speaks(hub: LocalHub, banks: list[TestMember]) -> None:
    filer, asker, _ = banks
    put(hub, filer, "nino", "QQ123456C", role="false-identity", grade="3D:P")
    put(hub, filer, "nino", "QQ123456C", tier="known_fraud", grade="1A:P", group="another house")
    (answer,) = told(hub, asker, {"kind": "nino", "value": "QQ 12 34 56 C"})
    assert (answer["tier"], answer["marker"], answer["grade"]) == ("known_fraud", "false-identity", "1A")


def test_father_and_son_at_one_address_are_two_people(hub: LocalHub, banks: list[TestMember]) -> None:
    filer, asker, _ = banks
    son = {"name": "Alan Penrose", "date_of_birth": "1990-01-02", "postcode": "SW1A 1AA"}
    filed(hub, filer, intelligence(subject={"person": son}))
    address_only = {"name": "Grace Penrose", "postcode": "SW1A 1AA"}
    filed(hub, filer, intelligence(subject={"person": address_only}))

    def outcome(**person: str) -> str:
        return str(told(hub, asker, {"kind": "person", **person})[0]["outcome"])

    assert outcome(**son) == "match"
    assert outcome(name="Alan Penrose", date_of_birth="1990-01-02") == "match"
    assert outcome(name="Alan Penrose", postcode="sw1a1aa") == "match", "nothing says that it is not him"
    assert outcome(**{**son, "postcode": "EC1A 1BB"}) == "match", "he has moved"
    assert outcome(**{**son, "date_of_birth": "1960-01-02"}) == "possible", "his father"
    assert outcome(**address_only, date_of_birth="1992-01-02") == "match", "no other birth date is known"


def test_one_house_has_one_vote(hub: LocalHub, banks: list[TestMember]) -> None:
    for group, confidence, sources in (("one", 48, "1"), ("one", 48, "1"), ("other", 73, "2")):
        put(hub, banks[0], "bank-account", account(1), grade="2B:P", group=group)
        (answer,) = told(hub, banks[1], of_account(1))
        assert (answer["confidence"], answer["sources"]) == (confidence, sources)


def test_intelligence_that_is_suspected_to_be_false_is_not_told(hub: LocalHub, banks: list[TestMember]) -> None:
    put_said(hub, SubjectKind.BANK_ACCOUNT, account(1), "a feed", grade="1E")
    put(hub, banks[0], "bank-account", account(1), grade="1E:P")
    assert told(hub, banks[1], of_account(1))[0]["outcome"] == "no_match"


def put_said(hub: LocalHub, kind: SubjectKind, raw: str, name: str, **more: Any) -> None:
    """What the source ``name``, a house of its own, says of an indicator, for everybody."""
    with hub.hub.database.unit_of_work() as session:
        source = SourceRecord(name=name, source_class="feed", grade="2B", independence_group=name)
        session.add(source)
        session.flush()
        everybody = [one.no for one in collections.all_collections(session)]
        value = canonical_subject(kind, raw).value
        assert value is not None
        put_contribution(session, value, source, collections=everybody, tlp=int(Tlp.GREEN), **more)


def test_an_indicator_is_about_its_own_mailbox_alone(hub: LocalHub, banks: list[TestMember]) -> None:
    put_said(hub, SubjectKind.EMAIL, "ann@example.com", "a feed")
    mailboxes = [{"kind": "email", "value": f"{one}@example.com"} for one in ("ann", "ann+shop")]
    assert [one["outcome"] for one in told(hub, banks[1], *mailboxes)] == ["match", "no_match"]


def test_an_echo_is_no_source_but_it_is_a_sighting(hub: LocalHub, banks: list[TestMember]) -> None:
    put_said(hub, SubjectKind.BANK_ACCOUNT, account(1), "a feed", last_seen=clock.micros() - 200 * DAY)
    (alone,) = told(hub, banks[1], of_account(1))
    assert (alone["sources"], alone["confidence"]) == ("1", round(48 * (1 - 0.7 * 200 / 365)))
    put_said(hub, SubjectKind.BANK_ACCOUNT, account(1), "a parrot", grade="1A", echo=True)
    (repeated,) = told(hub, banks[1], of_account(1))
    assert (repeated["sources"], repeated["confidence"]) == ("1", 48)


def test_intelligence_fades_and_known_fraud_does_not(hub: LocalHub, banks: list[TestMember]) -> None:
    filer, asker, _ = banks
    times = {"first_seen": clock.micros() - 300 * DAY, "last_seen": clock.micros() - 200 * DAY}
    put(hub, filer, "bank-account", account(1), grade="2B:P", **times)
    put(hub, filer, "bank-account", account(2), grade="2B:P", tier="known_fraud", **times)
    put(hub, filer, "device", "imei:490154203237518", grade="2B:P", **times)
    faded, known, device = told(
        hub, asker, of_account(1), of_account(2), {"kind": "device", "value": "imei:490154203237518"}
    )
    # 48, of which seven tenths are lost within the year that an account's indicator lasts.
    assert [one["confidence"] for one in (faded, known, device)] == [round(48 * (1 - 0.7 * 200 / 365)), 48, 48]
    assert [one["grade"] for one in (faded, known, device)] == ["2B"] * 3


def test_every_search_is_on_record_and_no_value_is(hub: LocalHub, banks: list[TestMember]) -> None:
    _, asker, _ = banks
    checked = ask(hub, asker, of_account(41), {"kind": "person", **PERSON}).get_json()
    with hub.hub.database.reading() as session:
        event = session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc())).first()
        assert event is not None
        assert (event.actor, event.action, event.subject) == (asker.member_id, "check:search", checked["id"])
        detail = json.loads(event.detail)["after"]
        assert (detail["purpose"], detail["subjects"]) == ("payee-check", 2)
        assert detail["outcomes"] == {"no_match": 2}
        for table in Record.metadata.sorted_tables:
            if table.name.startswith("check_") or table.name == "audit_event":
                held = "\n".join(repr(tuple(row)) for row in session.execute(select(table)))
                for value in ("20201500000041", "00000041", "uill", "1980-02-29"):
                    assert value not in held, table.name
        hashes = SearchHashes(hub.hub.vault)
        for kind, raw, place in (("bank-account", account(41), 0), ("person", PERSON, 1)):
            found = who_searched(session, hashes, canonical_subject(SubjectKind(kind), raw))
            assert [(one.id, at) for one, at in found] == [(checked["id"], place)]
        assert not who_searched(session, hashes, canonical_subject(SubjectKind.BANK_ACCOUNT, account(42)))


def test_the_record_of_searches_cannot_be_altered(hub: LocalHub, banks: list[TestMember]) -> None:
    ask(hub, banks[1], of_account(1))
    for statement in (
        "UPDATE check_search SET size = 0",
        "DELETE FROM check_search",
        "UPDATE check_match SET position=9",
    ):
        with pytest.raises(Exception, match=r"append-only|kept"), hub.hub.database.unit_of_work() as session:
            session.connection().exec_driver_sql(statement)


def test_a_quota_used_up_is_429_with_when_to_come_again(hub: LocalHub, banks: list[TestMember]) -> None:
    _, asker, other = banks
    with hub.hub.database.unit_of_work() as session:
        quotas.set_quota(session, "operator", asker.member_id, "payee-check", 3, 5)
    assert ask(hub, asker, of_account(1), of_account(2)).status_code == 200
    refused = ask(hub, asker, of_account(3), of_account(4))
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 3600
    assert refused.content_type == "application/problem+json"
    assert ask(hub, asker, of_account(3)).status_code == 200, "what was refused has used nothing up"
    assert ask(hub, asker, of_account(4)).status_code == 429
    assert ask(hub, asker, of_account(4), purpose="customer-review").status_code == 200, "another purpose"
    assert ask(hub, other, of_account(4)).status_code == 200, "another member"
    left = hub.get(f"{URL}/allowance", asker).get_json()
    assert left["purposes"]["payee-check"] == {"per_hour": 3, "per_day": 5, "left_this_hour": 0, "left_this_day": 2}
    with hub.hub.database.reading() as session:
        kept = session.scalars(select(Search).where(Search.member_id == asker.member_id)).all()
        assert len(kept) == 3, "a refused search is not kept as one"


def test_a_drawn_search_closes_its_purpose_until_it_is_justified(
    database_engine: DatabaseEngine, tmp_path: Path
) -> None:
    with database_engine.migrated() as url, local(url, tmp_path, checks={"sample_share": 1.0}) as hub:
        asker = hub.add_member("Asker")
        first = ask(hub, asker, of_account(1)).get_json()
        assert first["justify_by"] > first["at"]
        with hub.hub.database.unit_of_work() as session:
            session.execute(update(SearchSample).values(due_at=clock.micros() - 1))
        refused = ask(hub, asker, of_account(2))
        assert (refused.status_code, first["id"] in refused.text) == (403, True)
        assert ask(hub, asker, of_account(2), purpose="customer-review").status_code == 200
        decide = f"{URL}/{first['id']}/decision"
        assert hub.request("POST", decide, asker, json={"justification": "because"}).status_code == 400
        why = {"justification": "The customer asked us to pay this account for the first time."}
        assert hub.request("POST", decide, asker, json=why).status_code == 201
        assert ask(hub, asker, of_account(2)).status_code == 200
        assert hub.request("POST", decide, asker, json=why).status_code == 409, "justified once is enough"


def test_what_was_decided_is_kept_with_the_check(hub: LocalHub, banks: list[TestMember]) -> None:
    _, asker, other = banks
    check = told(hub, asker, of_account(1))[0]["check_id"]
    decided = {"decision": "declined", "reason": "Quillfeather could not explain the payment"}
    assert hub.request("POST", f"{URL}/{check}/decision", other, json=decided).status_code == 404
    assert hub.request("POST", f"{URL}/{check}/decision", asker, json={"decision": "guilty"}).status_code == 400
    assert hub.request("POST", f"{URL}/{check}/decision", asker, json=decided).status_code == 201
    (kept,) = hub.get(f"{URL}/{check}", asker).get_json()["decisions"]
    assert (kept["decision"], kept["reason"], kept["position"]) == ("declined", decided["reason"], 0)
    paid = {**decided, "reason": "paid with 4111-1111-1111-1111"}
    assert hub.request("POST", f"{URL}/{check}/decision", asker, json=paid).status_code == 201
    assert hub.get(f"{URL}/{check}", asker).get_json()["decisions"][1]["reason"] == "paid with [card number removed]"
    with hub.hub.database.reading() as session:
        assert "uill" not in "".join(session.scalars(select(AuditEvent.detail)))


def alarms_of(hub: LocalHub) -> list[str]:
    looks = joined.watch(hub.hub)
    while looks.look():
        pass
    with hub.hub.database.reading() as session:
        return [one.kind for one in watch.alarms(session)]


def test_a_planted_value_pages_the_officer_and_tells_the_asker_nothing(hub: LocalHub, banks: list[TestMember]) -> None:
    filer, asker, _ = banks
    put(hub, filer, "phone", "07700 900555")
    with hub.hub.database.unit_of_work() as session:
        for number in ("07700 900444", "07700 900555"):
            canaries.add(session, hub.hub.vault, "operator", SubjectKind.PHONE, number, "planted in a test list")
    phone = {"kind": "phone"}
    plain, planted, filed = told(
        hub, asker, *({**phone, "value": f"07700 900{n}"} for n in (333, 444, 555))
    )  # fmt: skip
    assert {**planted, "check_id": ""} == {**plain, "check_id": ""}
    assert filed["outcome"] == "match"
    assert alarms_of(hub) == [watch.CANARY]
    assert alarms_of(hub) == [watch.CANARY], "one search is one alarm"
    with hub.hub.database.reading() as session:
        message = session.scalars(select(OutgoingMessage)).one()
        assert (message.recipient, "planted" in message.subject) == (OFFICER, True)
        actions = session.scalars(select(AuditEvent.action)).all()
        assert "check-alarm:raise" in actions
        alarm = session.scalars(select(Alarm)).one()
        assert "7700" not in json.dumps(alarm.detail)


def test_many_finds_and_numbers_in_a_row_raise_alarms(hub: LocalHub, banks: list[TestMember]) -> None:
    filer, asker, other = banks
    for number in range(0, 500, 100):
        put(hub, filer, "bank-account", account(number))
    for number in range(0, 400, 100):
        told(hub, asker, of_account(number))
    assert alarms_of(hub) == []
    told(hub, asker, of_account(400))
    assert alarms_of(hub) == [watch.HIT_RATE]
    for number in (7001, 7005, 7002, 7090, 7044):
        told(hub, other, of_account(number))
        told(hub, other, of_account(number))
    assert alarms_of(hub) == [watch.HIT_RATE], "five numbers, asked for twice"
    told(hub, other, of_account(7077))
    assert alarms_of(hub) == [watch.SEQUENCE, watch.HIT_RATE]
    with hub.hub.database.unit_of_work() as session:
        for one in watch.alarms(session):
            watch.handle(session, "operator", one.id, "spoken to")
    assert alarms_of(hub) == []


def send_file(hub: LocalHub, member: TestMember, body: str, content_type: str = "text/csv", **changes: str) -> Any:
    return hub.request(
        "POST", f"{URL}/jobs", member, query_string={**BASIS, **changes}, data=body, content_type=content_type
    )


def work(hub: LocalHub) -> None:
    worker = joined.job_worker(hub.hub, "tests")
    while worker.work_once():
        pass


def test_a_file_is_checked_by_a_worker_in_its_order_and_format(hub: LocalHub, banks: list[TestMember]) -> None:
    filer, asker, other = banks
    put(hub, filer, "bank-account", account(1500))
    rows = "".join(f"bank-account,{account(n)},=r{n}\n" for n in range(2100))
    taken = send_file(hub, asker, f"kind,value,ref\n{rows}phone,12,\n")
    assert (taken.status_code, taken.get_json()["total"]) == (202, 2101)
    job = taken.headers["Location"].removeprefix("http://localhost")
    assert hub.get(f"{job}/result", asker).status_code == 409
    work(hub)
    done = hub.get(job, asker).get_json()
    assert (done["state"], done["done"]) == ("complete", 2101)
    result = list(csv.DictReader(io.StringIO(hub.get(f"{job}/result", asker).text)))
    assert len(result) == 2101
    assert {n for n, one in enumerate(result) if one["outcome"] == "match"} == {1500}
    assert (result[7]["ref"], result[2100]["outcome"]) == ("'=r7", "invalid"), "no cell is a formula"
    assert hub.get(job, other).status_code == 404
    assert hub.get(f"{job}/result", other).status_code == 404
    with hub.hub.database.unit_of_work() as session:
        kept = session.scalars(select(CheckJob)).one()
        assert kept.raw == b"", "the file is not needed any longer"
        session.execute(update(CheckJob).values(delete_after=clock.micros() - DAY))
    assert hub.get(job, asker).status_code == 404


def test_a_file_of_json_lines_and_what_is_none(hub: LocalHub, banks: list[TestMember]) -> None:
    _, asker, _ = banks
    lines = json.dumps(of_account(1)) + "\n\n" + json.dumps({"kind": "person", **PERSON}) + "\n"
    job = send_file(hub, asker, lines, "application/x-ndjson").get_json()["id"]
    work(hub)
    result = hub.get(f"{URL}/jobs/{job}/result", asker).text.splitlines()
    assert [json.loads(line)["outcome"] for line in result] == ["no_match", "no_match"]
    for body, kind, status in (
        ("", "text/csv", 400),
        ("value\n1\n", "text/csv", 400),
        ("kind,value\nphone,1,2\n", "text/csv", 400),
        ('kind,value\n"phone,1\n', "text/csv", 400),
        ("[1]\n", "application/x-ndjson", 400),
        ("kind,value\nphone,1\n", "application/pdf", 415),
    ):
        assert send_file(hub, asker, body, kind).status_code == status, body
    assert send_file(hub, asker, lines, "application/x-ndjson", purpose="").status_code == 400


def test_a_suspended_members_file_is_not_checked(hub: LocalHub, banks: list[TestMember]) -> None:
    _, asker, _ = banks
    job = send_file(hub, asker, f"kind,value\nbank-account,{account(1)}\n").get_json()["id"]
    hub.suspend(asker)
    work(hub)
    with hub.hub.database.reading() as session:
        kept = session.get_one(CheckJob, job)
        assert (kept.state, kept.failure) == ("failed", "the member is not active")
        assert not session.scalars(select(Search)).all()


def test_what_a_report_brought_is_checkable_as_intelligence(hub: LocalHub, banks: list[TestMember]) -> None:
    """Point 7: an indicator of the ledger counts, as one that its reader may see; its own contributor hears nothing."""
    _, asker, other = banks
    reporter = hub.add_member(
        "Report Fraud", kind="report-fraud", groups=["banks"], roles=["reporting-partner", "reader"], clearance="amber"
    )
    report = json.loads((Path(__file__).parents[2] / "docs" / "examples" / "report.json").read_text("utf-8"))
    assert hub.request("POST", "/api/v1/reports", reporter, json=report).status_code == 202
    hub.work()
    iban = {"kind": "iban", "value": "GB33BUKB20201555555555"}
    (answer,) = told(hub, asker, iban)
    assert (answer["outcome"], answer["tier"], answer["sources"]) == ("match", "intelligence", "1")
    assert answer["confidence"] <= 75
    assert told(hub, other, iban)[0]["outcome"] == "no_match", "AMBER, and not of its group"
    assert told(hub, reporter, iban)[0]["outcome"] == "no_match"
    again = hub.get(f"{URL}/{answer['check_id']}", asker).get_json()["answers"][0]
    assert again["status"] == "live"
    withdrawn = hub.request("DELETE", f"/api/v1/reports/{report['report']['reference']}", reporter)
    assert withdrawn.status_code == 202
    hub.work()
    assert told(hub, asker, iban)[0]["outcome"] == "no_match"
    again = hub.get(f"{URL}/{answer['check_id']}", asker).get_json()["answers"][0]
    assert (again["outcome"], again["status"]) == ("match", "expired")


def test_a_filing_and_the_indicator_it_became_are_one_source(hub: LocalHub, banks: list[TestMember]) -> None:
    filer, asker, _ = banks
    document = intelligence()
    filed(hub, filer, document)
    subject = {"kind": "bank-account", "value": "20-20-15 " + document["subject"]["account_number"]}
    (answer,) = told(hub, asker, subject)
    assert (answer["outcome"], answer["sources"]) == ("match", "1")
    assert answer["category"] == document["category"], "as its member filed it, not as the indicator is labelled"
    with hub.hub.database.reading() as session:
        assert session.scalars(select(Indicator)).all(), "it was published too"
