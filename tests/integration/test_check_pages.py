"""The console's pages of the checking service: file, approve, check, decide, dispute, be told; the staff's side.

The tests share a hub and its people, and nothing else: each has values and references of its own.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from typing import Any

import pytest
from sqlalchemy import select

from hub.audit.records import AuditEvent
from hub.checks.filings.records import Filing
from hub.checks.kept import retention
from hub.checks.searching import lists as search_lists
from hub.checks.searching.records import Alarm, Search
from hub.factory import checks as joined
from hub.factory import upkeep
from tests.filings import BASIS, PERSON, filed, intelligence, known_fraud
from tests.live import LocalHub, TestMember, local
from tests.operations import SCRIPT
from tests.people import Browser, TestPerson, add_person, text_of

GATEWAY = "serious-crime-act-2007-s68"
# Ofcom's numbers for drama.
PHONE = "+44 7700 900{:03d}"
ALL_DRAWN = {"sample_share": 1.0}
NONE_DRAWN = {"sample_share": 0.0}


@dataclass(frozen=True, slots=True)
class Desk:
    """A hub with two banks and their people's browsers, and the hub's staff."""

    hub: LocalHub
    bank: TestMember
    other: TestMember
    writer: Browser
    second: Browser
    checker: Browser
    analyst: Browser
    auditor: Browser

    def events(self, action: str) -> list[dict[str, Any]]:
        """Everything that the audit log says of an action."""
        with self.hub.hub.database.reading() as session:
            found = session.scalars(select(AuditEvent).where(AuditEvent.action == action).order_by(AuditEvent.id))
            return [{"subject": one.subject, "actor": one.actor, **json.loads(one.detail)} for one in found]

    def filing(self, reference: str) -> Filing:
        """A filing of the bank by its reference."""
        with self.hub.hub.database.reading() as session:
            return session.scalars(select(Filing).where(Filing.reference == reference)).one()

    def person(self, email: str, role: str, member: TestMember | None) -> Browser:
        """Somebody, signed in."""
        made: TestPerson = add_person(self.hub, email, [role], member.member_id if member else None)
        return Browser(self.hub).sign_in(made)


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def desk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    engine = request.getfixturevalue(request.param)
    with engine.migrated() as url, local(url, tmp_path_factory.mktemp("checks"), checks=NONE_DRAWN) as hub:
        both: dict[str, Any] = {"groups": ("banks",), "roles": ("reader", "contributor"), "clearance": "amber+strict"}
        bank, other = hub.add_member("First Bank", **both), hub.add_member("Second Bank", **both)

        def signed_in(email: str, role: str, member: TestMember | None) -> Browser:
            made = add_person(hub, email, [role], member.member_id if member else None, name=email.partition("@")[0])
            return Browser(hub).sign_in(made)

        yield Desk(
            hub, bank, other, signed_in("writer@first.test", "contributor", bank),
            signed_in("second@first.test", "primary-contact", bank), signed_in("checker@second.test", "reader", other),
            signed_in("analyst@hub.test", "analyst", None), signed_in("auditor@hub.test", "auditor", None),
        )  # fmt: skip


def fields_of(document: dict[str, Any]) -> dict[str, Any]:
    """A filing's document as the form sends it."""
    sent: dict[str, Any] = {}

    def walk(prefix: str, found: dict[str, Any]) -> None:
        for name, value in found.items():
            if name == "pillars":
                sent["pillars"] = list(value)
            elif isinstance(value, dict):
                walk(f"{prefix}{name}_", value)
            else:
                sent[f"{prefix}{name}"] = value

    walk("", document)
    return sent


def file_by_form(desk: Desk, document: dict[str, Any]) -> str:
    """File by the console's form; the address of the filing."""
    answer = desk.writer.send("/console/filings/new", fields_of(document))
    assert answer.status_code == 303, text_of(answer)
    return str(answer.location)


def asking(kind: str, value: str = "", **more: str) -> dict[str, str]:
    return {
        "kind": kind, "value": value, "purpose": "payee-check", "legal_gateway": GATEWAY, "case_reference": "PAY-1",
        **more,
    }  # fmt: skip


def check(browser: Browser, kind: str, value: str = "", **more: str) -> str:
    """Check by the form; the address of the answer."""
    answer = browser.send("/console/checks/new", asking(kind, value, **more))
    assert answer.status_code == 303, text_of(answer)
    return str(answer.location)


def said(browser: Browser, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200, f"{path}: {answer.status_code}"
    return text_of(answer)


def test_known_fraud_waits_for_a_second_person_and_then_answers_until_it_is_disputed(desk: Desk) -> None:
    phone = PHONE.format(1)
    path = file_by_form(desk, known_fraud(reference="WALK-1", subject={"phone": phone}, grade="1B:P"))
    assert "waits for a second person" in said(desk.writer, path)
    assert "No match" in said(desk.checker, check(desk.checker, "phone", phone))
    refused = desk.writer.send(f"{path}/approval", {"verdict": "approve", "why": ""}, page=path)
    assert refused.status_code == 403, "nobody approves what they wrote"
    assert "WALK-1" in said(desk.second, "/console/filings/approvals")
    assert "1 Filings to approve" in said(desk.second, "/console/")
    assert "to approve" not in said(desk.writer, "/console/"), "what I wrote waits for another"
    approved = desk.second.send(f"{path}/approval", {"verdict": "approve", "why": ""}, page=path)
    assert approved.status_code == 303, text_of(approved)

    answer = check(desk.checker, "phone", phone)
    found = said(desk.checker, answer)
    for words in ("Match", "Known fraud", "High (72 of 100)", "1 other organisation", "Still stands", "PAY-1",
                  "A match is not evidence of fraud", "1B: a reliable source"):  # fmt: skip
        assert words in found, words
    assert "First Bank" not in found
    assert "WALK-1" not in found
    decided = desk.checker.send(answer, {"decision": "declined", "reason": "the customer " + SCRIPT})
    assert decided.status_code == 303
    assert "Declined , checker, Second Bank" in said(desk.checker, answer)
    assert "Declined" in said(desk.checker, "/console/checks")

    disputed = desk.writer.send(f"{path}/step", {"step": "dispute", "reason": "the holder's own"}, page=path)
    assert disputed.status_code == 303, text_of(disputed)
    assert "No match" in said(desk.checker, check(desk.checker, "phone", phone))
    assert "Disputed since" in said(desk.checker, answer)
    upkeep.make_notices(desk.hub.hub)
    told = said(desk.checker, "/console/corrections")
    assert "is disputed and answers nobody" in told
    assert answer.rsplit("/", 1)[1] in told
    assert "Nothing yet" in said(desk.writer, "/console/corrections")
    history = said(desk.writer, path)
    assert [word for word in ("Disputed", "Approved", "Filed") if word in history] == ["Disputed", "Approved", "Filed"]


def test_an_answer_about_a_victim_protects_and_is_never_a_match_in_red(desk: Desk) -> None:
    victim = {"name": "Vera Holmwood", "date_of_birth": "1971-03-04"}
    filed(desk.hub, desk.bank, intelligence(role="impersonated-victim", subject={"person": victim}))
    answer = check(desk.checker, "person", **victim)
    page = said(desk.checker, answer)
    assert "The person is innocent" in page
    assert "Match" not in page.replace("A match is not", "")
    assert "govuk-tag--red" not in desk.checker.get(answer).text
    assert "Vera" not in page
    assert "1971" not in page


def test_a_person_is_never_checked_by_a_name_alone_and_nothing_is_searched_then(desk: Desk) -> None:
    with desk.hub.hub.database.reading() as session:
        before = len(session.scalars(select(Search.no)).all())
    for fields, words in (
        (asking("person", name="Ada Quillfeather"), "a name alone is not searched"),
        (asking("phone", ""), "Enter the value"),
        (asking("bank-account", "4111 1111 1111 1111"), "card"),
        (asking("phone", PHONE.format(2), legal_gateway=""), "Choose the law"),
        (asking("phone", PHONE.format(2), legal_gateway="crime-and-courts-act-2013-s7"), "does not cover payee-check"),
        (asking("phone", PHONE.format(2), purpose="curiosity"), "Choose what the check is for"),
    ):
        answer = desk.checker.send("/console/checks/new", fields)
        assert answer.status_code == 400, fields
        assert words.lower() in text_of(answer).lower(), words
    with desk.hub.hub.database.reading() as session:
        assert len(session.scalars(select(Search.no)).all()) == before


def test_only_gateways_of_the_member_s_kind_are_offered(desk: Desk) -> None:
    insurer = desk.hub.add_member("Quiet Insurance", "insurer", groups=("banks",), roles=("reader",))
    person = desk.person("kim@insurer.test", "reader", insurer)
    shown = desk.checker.get("/console/checks/new").text
    assert "eccta-2023-s189" in shown
    assert "eccta-2023-s189" not in person.get("/console/checks/new").text
    assert "crime-investigation" in shown


def test_a_filing_form_shows_each_fault_at_its_field_and_keeps_what_was_typed(desk: Desk) -> None:
    document = known_fraud(reference="FAULTS-1", subject={"sort_code": "20-20-15", "account_number": "55555551"})
    sent = fields_of(document) | {"pillars": ["clear_evidence"], "evidence": ""}
    empty = desk.writer.send("/console/filings/new", {})
    assert empty.status_code == 400
    for name in ("role", "category", "purpose", "legal_gateway", "case_reference", "reference"):
        assert f'href="#{name}"' in empty.text, name
    answer = desk.writer.send("/console/filings/new", sent)
    assert answer.status_code == 400
    for name in ("pillars", "evidence"):
        assert f'href="#{name}"' in answer.text, name
        assert f'id="{name}' in answer.text, name
    assert 'value="55555551"' in answer.text
    assert 'value="clear_evidence" checked' in answer.text
    twice = intelligence(reference="TWICE-1", subject={"phone": PHONE.format(3)})
    file_by_form(desk, twice)
    again = desk.writer.send("/console/filings/new", fields_of(twice))
    assert again.status_code == 400
    assert "Another filing of yours has this reference" in text_of(again)


def test_amend_withdraw_and_the_list_with_its_filters(desk: Desk) -> None:
    path = file_by_form(desk, intelligence(reference="AMEND-1", subject={"person": dict(PERSON)}))
    form = desk.writer.get(f"{path}/amend").text
    assert f'value="{PERSON["name"]}"' in form
    sent = fields_of(intelligence(reference="AMEND-1", subject={"person": dict(PERSON), "phone": PHONE.format(4)}))
    answer = desk.writer.send(f"{path}/amend", sent)
    assert answer.status_code == 303, text_of(answer)
    assert desk.filing("AMEND-1").version == 2
    assert "Telephone number " + PHONE.format(4) in said(desk.writer, path)
    nothing = desk.writer.send(f"{path}/step", {"step": "withdraw", "reason": ""}, page=path)
    assert nothing.status_code == 400
    assert desk.writer.send(f"{path}/step", {"step": "withdraw", "reason": "mine"}, page=path).status_code == 303
    assert "AMEND-1" in said(desk.writer, "/console/filings?state=withdrawn")
    assert "AMEND-1" not in said(desk.writer, "/console/filings?state=live")
    assert "AMEND-1" in said(desk.writer, "/console/filings?reference=AMEND")
    assert PERSON["name"] not in desk.writer.get("/console/filings").text
    assert desk.checker.get(path).status_code == 403, "a reader has no filings"
    neighbour = desk.person("neighbour@second.test", "contributor", desk.other)
    assert neighbour.get(path).status_code == 404


def test_a_csv_file_goes_through_the_inbox(desk: Desk) -> None:
    header = "reference,purpose,legal_gateway,case_reference,role,tier,category,grade,reported_at,subject_phone\n"
    basis = f"{BASIS['purpose']},{BASIS['legal_gateway']},C-1"
    row = f"CSV-1,{basis},payee,intelligence,5D,2B:P,2026-11-01,{PHONE.format(5)}\n"
    bad = desk.writer.send("/console/filings/upload", {"file": (io.BytesIO(b"a,b\n1,2\n"), "x.csv")})
    assert bad.status_code == 400
    assert "not the name of a column" in text_of(bad)
    answer = desk.writer.send("/console/filings/upload", {"file": (io.BytesIO((header + row).encode()), "x.csv")})
    assert answer.status_code == 303, text_of(answer)
    desk.hub.work()
    assert "CSV-1" in said(desk.writer, answer.location)
    assert "writer, First Bank" in said(desk.writer, f"/console/filings/{desk.filing('CSV-1').id}")


def test_what_was_drawn_is_justified_in_the_console(sqlite: Any, tmp_path: Any) -> None:
    with sqlite.migrated() as url, local(url, tmp_path, checks=ALL_DRAWN) as hub:
        bank = hub.add_member("First Bank", roles=("reader",))
        browser = Browser(hub).sign_in(add_person(hub, "jo@first.test", ["reader"], bank.member_id))
        answer = check(browser, "phone", PHONE.format(6))
        assert "To be justified" in said(browser, "/console/checks")
        assert "1 Checks to justify" in said(browser, "/console/")
        assert browser.send(answer, {"justification": "too short"}).status_code == 400
        given = browser.send(answer, {"justification": "The payee of a new standing order of a customer"})
        assert given.status_code == 303, text_of(given)
        assert "To be justified" not in said(browser, "/console/checks")
        assert "a new standing order" in said(browser, answer)


def test_the_staff_see_alarms_planted_values_and_balances(desk: Desk) -> None:
    phone = PHONE.format(7)
    planted = desk.analyst.send(
        "/console/oversight/canaries", {"kind": "phone", "value": phone, "note": "list " + SCRIPT}
    )
    assert planted.status_code == 303, text_of(planted)
    page = desk.analyst.get("/console/oversight/canaries").text
    assert "447700900007" in unescape(page)
    assert SCRIPT not in page
    assert "447700900007" not in desk.auditor.get("/console/oversight/canaries").text
    answer = check(desk.checker, "phone", phone)
    assert "No match" in said(desk.checker, answer)
    joined.watch(desk.hub.hub).look()
    overview = said(desk.analyst, "/console/oversight")
    assert "A planted value was asked for: Second Bank" in overview
    assert "1 Alarms about checks" in said(desk.analyst, "/console/")
    with desk.hub.hub.database.reading() as session:
        alarm = session.scalars(select(Alarm).where(Alarm.kind == "canary")).one()
    assert (
        desk.analyst.send(
            f"/console/oversight/alarms/{alarm.id}", {f"note-{alarm.id}": ""}, page="/console/oversight"
        ).status_code
        == 400
    )
    closed = desk.analyst.send(
        f"/console/oversight/alarms/{alarm.id}",
        {f"note-{alarm.id}": "spoken to them " + SCRIPT},
        page="/console/oversight",
    )
    assert closed.status_code == 303
    assert SCRIPT not in desk.auditor.get("/console/oversight?alarms=all").text
    assert "spoken to them" in said(desk.auditor, "/console/oversight?alarms=all")
    found = PHONE.format(11)
    filed(desk.hub, desk.bank, intelligence(subject={"phone": found}))
    assert ": Match" in said(desk.checker, check(desk.checker, "phone", found))
    with desk.hub.hub.database.reading() as session:
        outcomes = "".join(session.scalars(select(Search.outcomes).where(Search.member_id == desk.other.member_id)))
        (use,) = [one for one in search_lists.uses(session, 0) if one.member_id == desk.other.member_id]
    assert (use.asked, use.found) == (len(outcomes), outcomes.count("m") + outcomes.count("p"))
    assert use.searched == use.found + outcomes.count("n")
    assert use.found
    assert f"Second Bank {use.asked} {use.found}" in said(desk.auditor, "/console/oversight")


def test_the_hub_disputes_by_the_contact_token_and_sees_nothing_of_the_content(desk: Desk) -> None:
    phone = PHONE.format(8)
    path = file_by_form(desk, intelligence(reference="HUBS-1", subject={"phone": phone}))
    answer = desk.checker.get(check(desk.checker, "phone", phone)).text
    token = re.search(r'hub-mono">([^<]+)</p>', answer)
    assert token
    found = desk.analyst.send("/console/disputes", {"wanted": token[1]})
    filing = desk.filing("HUBS-1")
    assert filing.id in found.text
    one = f"/console/disputes/{filing.id}"
    assert "7700900008" not in desk.analyst.get(one).text.replace(" ", "")
    assert desk.analyst.send(one, {"step": "dispute", "reason": "The number has a new holder"}).status_code == 303
    assert "No match" in said(desk.checker, check(desk.checker, "phone", phone))
    held = desk.writer.send(f"{path}/step", {"step": "end-dispute", "reason": "no"}, page=path)
    assert held.status_code == 403, "what the hub disputes only the hub ends"
    assert desk.analyst.send(one, {"step": "end-dispute", "reason": "Checked"}).status_code == 303
    assert ": Match" in said(desk.checker, check(desk.checker, "phone", phone))
    nonsense = desk.analyst.send("/console/disputes", {"wanted": "nonsense"})
    assert nonsense.status_code == 400


def test_subject_access_looks_decides_and_prints(desk: Desk) -> None:
    person = {"name": "Orla Penhallow", "date_of_birth": "1969-07-20"}
    quiet = desk.hub.add_member("Hushed Bank", roles=("reader", "contributor"), groups=("banks",), anonymous=True)
    first = filed(desk.hub, desk.bank, intelligence(subject={"person": person}))[0]
    hushed = filed(desk.hub, quiet, intelligence(subject={"person": person}))[0]
    answer = check(desk.checker, "person", **person)
    asked = {"reference": "SAR-1", **person, "postcode": "", "identifiers": ""}
    look = desk.analyst.send("/console/subject-access", asked)
    assert look.status_code == 200
    shown = text_of(look)
    for words in (first, hushed, "First Bank", "withheld: the organisation shares without its name", "Second Bank"):
        assert words in shown, words
    assert "Hushed Bank" not in shown
    assert [one["subject"] for one in desk.events("subject-access:look")].count("SAR-1") == 1
    unreasoned = desk.analyst.send(
        "/console/subject-access/answer", {**asked, "withhold": [first]}, page="/console/subject-access"
    )
    assert unreasoned.status_code == 400
    assert "needs its reason" in text_of(unreasoned)
    done = desk.analyst.send(
        "/console/subject-access/answer", {**asked, "withhold": [first], "reason": "prejudice " + SCRIPT},
        page="/console/subject-access",
    )  # fmt: skip
    assert done.status_code == 303, text_of(done)
    record, copy = said(desk.auditor, done.location), said(desk.auditor, f"{done.location}/copy")
    assert first in record
    assert "prejudice" in record
    assert SCRIPT not in desk.auditor.get(done.location).text
    assert "prejudice" not in copy
    assert first not in copy
    assert "First Bank" not in copy
    assert "Orla Penhallow" in copy
    assert "Second Bank" in copy
    assert "Hushed Bank" not in copy
    assert len(desk.events("subject-access:exempt")) == 1
    again = desk.analyst.send("/console/subject-access/answer", asked, page="/console/subject-access")
    assert again.status_code == 400
    assert "answered already" in text_of(again)
    nobody = desk.analyst.send("/console/subject-access", {"reference": "SAR-2", "name": "Orla Penhallow"})
    assert nobody.status_code == 400
    assert answer


def test_retention_shows_what_is_due_and_what_a_run_deleted(desk: Desk) -> None:
    assert "Filings whose time has run out" in said(desk.auditor, "/console/retention")
    retention.run(desk.hub.hub.database, [_one_answer()], "hub")
    assert "Answers to checks: 7" in said(desk.auditor, "/console/retention")


def _one_answer() -> retention.Kept:
    """A kind of which seven are due once."""
    left = [7]

    def due(*_: Any) -> list[int]:
        return list(range(left.pop())) if left else []

    return retention.Kept("answers", due, lambda *_: None)


def test_free_text_is_text(desk: Desk) -> None:
    document = intelligence(
        reference="TEXT-1", grade="2B:C", conditions=SCRIPT,
        subject={"social": {"platform": "telegram", "handle": "bobby"}},
    )  # fmt: skip
    path = file_by_form(desk, document)
    assert desk.writer.send(f"{path}/step", {"step": "dispute", "reason": SCRIPT}, page=path).status_code == 303
    answer = check(desk.checker, "phone", PHONE.format(9), case_reference=SCRIPT)
    assert desk.checker.send(answer, {"decision": "none", "reason": SCRIPT}).status_code == 303
    for browser, page in (
        (desk.writer, path), (desk.writer, f"{path}/amend"), (desk.writer, "/console/filings"), (desk.checker, answer),
        (desk.checker, "/console/checks"), (desk.analyst, f"/console/disputes/{desk.filing('TEXT-1').id}"),
    ):  # fmt: skip
        text = browser.get(page).text
        assert SCRIPT not in text, page
        assert len(text) < 60_000, page
    assert "&lt;script&gt;" in desk.writer.get(path).text
    bad = desk.checker.send("/console/checks/new", asking(SCRIPT, SCRIPT, name=SCRIPT, case_reference=SCRIPT))
    assert bad.status_code == 400
    assert SCRIPT not in bad.text


def test_no_value_is_in_an_address_a_log_or_the_audit_log(
    desk: Desk, caplog: pytest.LogCaptureFixture, capfd: Any
) -> None:
    answer = check(desk.checker, "person", name="Zebediah Thackthwaite", postcode="SW1A 1AA")
    assert re.fullmatch(r"/console/checks/[0-9a-f-]{36}\.0", answer)
    desk.analyst.send(
        "/console/subject-access", {"reference": "SAR-9", "name": "Zebediah Thackthwaite", "postcode": "SW1A 1AA"}
    )
    said_aloud = caplog.text + "".join(capfd.readouterr())
    with desk.hub.hub.database.reading() as session:
        said_aloud += " ".join(session.scalars(select(AuditEvent.detail)))
    for word in ("Zebediah", "Thackthwaite", "SW1A"):
        assert word.lower() not in said_aloud.lower()
        assert word not in desk.checker.get(answer).text


def test_odd_addresses_are_answered(desk: Desk) -> None:
    for browser, path, status in (
        (desk.writer, "/console/filings/%00", 404),
        (desk.writer, "/console/filings?reference=%00&start=x&state=no", 200),
        (desk.writer, "/console/filings/new?about=%00", 200),
        (desk.checker, "/console/checks/%00", 404),
        (desk.checker, f"/console/checks/{'x' * 300}", 404),
        (desk.checker, "/console/checks?before=99999999999999999", 200),
        (desk.checker, "/console/corrections?start=999999", 200),
        (desk.analyst, "/console/disputes/%00", 404),
        (desk.analyst, "/console/subject-access/%00", 404),
    ):
        assert browser.get(path).status_code == status, path
    assert desk.analyst.send("/console/disputes", {"wanted": "filing--\0"}).status_code == 400
    assert desk.analyst.send("/console/disputes", {"wanted": "filing--none"}).status_code == 404
    for path in ("filings/%00", "filings?after=%00", "checks/%00", "checks/jobs/%00", "precheck/sets/%00"):
        assert desk.hub.get(f"/api/v1/{path}", desk.bank).status_code in (400, 404), path


def test_an_analyst_gives_a_member_its_own_quota(desk: Desk) -> None:
    path = f"/console/members/{desk.bank.member_id}/quotas"
    assert path in desk.analyst.get(f"/console/members/{desk.bank.member_id}").text
    assert path not in desk.auditor.get(f"/console/members/{desk.bank.member_id}").text
    assert desk.auditor.get(path).status_code == 403
    assert "First Bank" in said(desk.analyst, path)

    def sent(**changes: str) -> Any:
        return desk.analyst.send(
            path, {"purpose": "customer-review", "per_hour": "1234", "per_day": "56789", **changes}
        )

    for wrong, word in (
        ({"per_hour": "many"}, "Enter a whole number in digits"),
        ({"per_hour": "²"}, "Enter a whole number in digits"),
        ({"per_day": ""}, "Enter a number of subjects"),
        ({"per_day": "9999999999"}, "Must be 9 characters or fewer"),
        ({"per_day": "5"}, "no more in an hour than in a day"),
        ({"purpose": "curiosity"}, "Choose a purpose"),
    ):
        refused = sent(**wrong)
        assert (refused.status_code, word in text_of(refused)) == (400, True), wrong
    assert sent().status_code == 303
    assert "Review a customer 1,234 0 56,789 0" in said(desk.analyst, path)
    (event,) = desk.events("check-quota:set")
    assert event["subject"] == desk.bank.member_id and event["after"]["per_hour"] == 1234
    assert desk.analyst.get("/console/members/nobody/quotas").status_code == 404
