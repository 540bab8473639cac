"""The form of a filing: what a document comes to, in JSON and CSV, and every fault with its place."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub import clock
from hub.checks.filings import rows as filing_rows
from hub.checks.filings.forms import load_filing, parts
from hub.checks.filings.forms_csv import is_header, load_csv
from hub.checks.filings.gateways import CHECKING_PURPOSES, TABLE, Basis, Gateway, Purpose, basis
from hub.checks.filings.records import ALL_PILLARS, LONGEST_MICROS
from hub.checks.subjects import SubjectKind
from hub.clock import DAY
from hub.documents.faults import InvalidFiling
from hub.documents.table import Misshapen
from hub.errors import InvalidInput, TooLarge
from hub.members.membership import MemberKind
from hub.stix.tlp import Tlp
from tests.filings import BASIS, EXAMPLE, EXAMPLES, PERSON, account, intelligence, known_fraud

CSV = (EXAMPLES / "bank-filings.csv").read_bytes()


def faults(document: Any, kind: str = "bank") -> dict[str, str]:
    with pytest.raises(InvalidFiling) as refused:
        load_filing(document, kind, "filings[3]")
    return {fault.where.removeprefix("filings[3]").lstrip("."): fault.message for fault in refused.value.faults}


def test_the_example() -> None:
    forms = [load_filing(document, "bank", where) for where, document in parts(EXAMPLE)]
    assert [form.reference for form in forms] == ["EXB-2026-4711-1", "EXB-2026-4711-2"]
    assert {form.basis for form in forms} == {Basis(Purpose.FRAUD_PREVENTION, Gateway.SCA_2007_S68)}
    assert [one.kind for one in forms[0].subjects] == [SubjectKind.BANK_ACCOUNT, SubjectKind.IBAN]
    assert [one.text for one in forms[1].subjects] == [
        "447700900789", "payee@invest-now.example", "https://invest-now.example/",
    ]  # fmt: skip
    assert forms[0].first_seen == int(datetime(2026, 10, 20, tzinfo=UTC).timestamp()) * 1_000_000
    assert forms[1].conditions == "Not to be shown to the subject."


def test_the_example_in_csv() -> None:
    forms = [load_filing(document, "bank", where) for where, document in parts(load_csv(CSV))]
    assert [(form.role, form.tier, form.pillars) for form in forms] == [
        ("mule-account", "known_fraud", ALL_PILLARS), ("payee", "intelligence", 0),
        ("impersonated-victim", "intelligence", 0),
    ]  # fmt: skip
    assert forms[0].subjects[1].person is not None
    assert is_header(CSV.splitlines()[0].decode())
    assert not is_header("reference,kind,reporter_kind,nfib_code")
    assert load_csv(b"\xef\xbb\xbf" + CSV) == load_csv(CSV)


@pytest.mark.parametrize(
    ("raw", "where"),
    [
        (b"", None),
        (b"reference,role\n", None),
        (b"reference,reference\n1,2\n", "row 1"),
        (b"reference,Ada Quillfeather\n1,2\n", "row 1, column 2"),
        (b"reference,subject\n1,2\n", "row 1, column 2"),
        (b"reference,subject_person\n1,2\n", "row 1, column 2"),
        (b"reference,role\n\xff\xfe,1\n", "byte 15"),
    ],
)
def test_csv_that_is_none(raw: bytes, where: str | None) -> None:
    with pytest.raises(InvalidInput) as refused:
        load_csv(raw)
    assert refused.value.where == where
    assert "Quillfeather" not in f"{refused.value} {refused.value.advice}"


def test_a_row_that_is_none_costs_itself_alone() -> None:
    rows = CSV.splitlines(keepends=True)
    faulty = [rows[0], b"one,two\n", rows[1], b'"three"x,\n', rows[2]]
    found = parts(load_csv(b"".join(faulty)))
    faults = []
    for where, document in found:
        if isinstance(document, Misshapen):
            with pytest.raises(InvalidFiling) as refused:
                load_filing(document, "bank", where)
            faults += [(fault.where, fault.message) for fault in refused.value.faults]
        else:
            assert load_filing(document, "bank", where)
    assert [where for where, _ in faults] == ["filings[0]", "filings[2]"]
    assert "2 cells under" in faults[0][1]
    assert "(row 2)" in faults[0][1]
    assert "not a row of a CSV file" in faults[1][1]
    assert "three" not in faults[1][1]


def test_csv_of_too_many() -> None:
    with pytest.raises(TooLarge):
        load_csv(b"reference\n" + b"1\n" * 1001)
    assert len(load_csv(b"reference\n" + b"1\n" * 1000)) == 1000


def test_frames() -> None:
    assert parts(intelligence())[0][0] == ""
    assert [where for where, _ in parts([1, 2])] == ["filings[0]", "filings[1]"]
    framed = {"purpose": "a", "filings": [{"purpose": "b"}, {}, 7]}
    assert [one for _, one in parts(framed)] == [{"purpose": "b"}, {"purpose": "a"}, 7]
    for wrong in ({"filings": {}}, {"filings": [], "purpose": "a"}, {"filings": [1], "more": 1}, []):
        with pytest.raises(InvalidFiling):
            parts(wrong)
    with pytest.raises(TooLarge) as refused:
        parts([{}] * 10_000)
    assert "10,000" in str(refused.value)


def test_every_pillar_of_known_fraud_is_needed() -> None:
    assert load_filing(known_fraud(), "bank").pillars == ALL_PILLARS
    for name in known_fraud()["pillars"]:
        for lacking in (False, None):
            document = known_fraud()
            document["pillars"] = {**document["pillars"], name: lacking}
            if lacking is None:
                del document["pillars"][name]
            assert list(faults(document)) == [f"pillars.{name}"]
    assert list(faults(known_fraud(category="90"))) == ["category"]
    assert list(faults(known_fraud(action="payment-stopped"))) == ["action"]
    document = known_fraud()
    del document["evidence"]
    assert list(faults(document)) == ["evidence"]


def test_no_fault_repeats_what_was_written() -> None:
    document = intelligence(
        subject={"phone": "zz-canary", "email": "zz-canary", "iban": "ZZ00CANARY000000", "wallet": "zz-canary"},
        grade="canary", category="canary", legal_gateway="canary",
    )  # fmt: skip
    found = faults(document)
    assert {"subject.phone", "subject.email", "subject.iban", "subject.wallet", "grade", "legal_gateway"} <= set(found)
    assert not [message for message in found.values() if "canary" in message.lower()]


@pytest.mark.parametrize("name", ["reference", "case_reference", "evidence"])
@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("case quillfeather 4", {"person": PERSON}),
        ("QUILLFEATHER/ADA", {"person": PERSON}),
        ("pay-20-20-15-0777.0001", account(7770001)),
        ("447700900789/1", {"phone": "07700 900789"}),
        ("QQ-123456-C", {"nino": "QQ123456C"}),
        ("AdaQuillfeather-1", {"person": PERSON}),
        ("quillfeather1980", {"person": PERSON}),
        ("X-ADA-1", {"person": PERSON}),
        ("PAY 07700900789", {"phone": "+44 7700 900789"}),
        ("ACC/07770001", account(7770001)),
        ("20201555555555", {"iban": "GB33BUKB20201555555555"}),
        ("PASS 123456789", {"passport": {"country": "GBR", "number": "123456789"}}),
        ("ada.quillfeather.4", {"email": "ada.quillfeather@invest-now.example"}),
    ],
)
def test_open_fields_do_not_name_the_subject(name: str, text: str, subject: dict[str, Any]) -> None:
    assert name in faults(known_fraud(role="suspect", subject=subject, **{name: text}))


def test_open_fields_may_hold_what_tells_nobody() -> None:
    subject = {"person": {**PERSON, "name": "Li Price Ada"}, "email": "payee@invest-now.example", **account(7770001)}
    for text in ("ADAPT-2026-1", "PAYEE-2026-1", "LIST-20-20-15", "E-1980"):
        assert load_filing(intelligence(reference=text, subject=subject), "bank").reference == text


def test_the_last_day_is_one_of_the_days_and_not_past() -> None:
    today = clock.now().date()
    assert load_filing(intelligence(valid_until=today.isoformat()), "bank").valid_until is not None
    yesterday = (today - timedelta(days=1)).isoformat()
    assert list(faults(intelligence(valid_until=yesterday))) == ["valid_until"]


def test_how_long_and_for_whom() -> None:
    now = int(datetime(2026, 11, 22, tzinfo=UTC).timestamp()) * 1_000_000
    phone = load_filing(intelligence(subject={"phone": "+44 7700 900789"}), "bank")
    assert filing_rows.valid_until(phone, SubjectKind.PHONE, now) == phone.last_seen + 30 * DAY
    assert filing_rows.valid_until(phone, SubjectKind.PASSPORT, now) == phone.last_seen + 365 * DAY
    case = load_filing(known_fraud(), "bank")
    assert filing_rows.valid_until(case, SubjectKind.BANK_ACCOUNT, now) == now + LONGEST_MICROS
    short = load_filing(known_fraud(valid_until="2026-12-24"), "bank")
    # To the end of that day.
    assert filing_rows.valid_until(short, SubjectKind.BANK_ACCOUNT, now) == now + 33 * DAY - 1
    long = load_filing(known_fraud(valid_until="2099-12-24"), "bank")
    assert filing_rows.valid_until(long, SubjectKind.BANK_ACCOUNT, now) == now + LONGEST_MICROS

    def tlp(**changes: Any) -> Tlp:
        return filing_rows.audience_of(load_filing(intelligence(**changes), "bank"), frozenset({1})).tlp

    assert tlp() == Tlp.AMBER
    assert tlp(subject={"url": "https://a.example/", "company": "12345678"}) == Tlp.GREEN
    assert tlp(subject={"url": "https://a.example/"}, tlp="amber") == Tlp.AMBER
    assert tlp(tlp="green") == Tlp.AMBER
    assert tlp(grade="1B:C", conditions="Ask first.") == Tlp.AMBER_STRICT
    assert tlp(tlp="red", recipients=["5d0f6a1e-7c34-4c55-9f0e-1b2a3c4d5e6f"]) == Tlp.RED


def test_the_gateways_say_for_what_and_for_whom() -> None:
    assert set(TABLE) == set(Gateway)
    kinds = {kind.value for kind in MemberKind}
    for law, rule in TABLE.items():
        assert rule.kinds <= kinds
        for kind in kinds:
            for purpose in Purpose:
                for filing in (True, False):
                    allowed = kind in rule.kinds and purpose in rule.purposes
                    allowed = allowed and not (filing and purpose in CHECKING_PURPOSES)
                    try:
                        found = basis(purpose, law, kind, filing=filing, action="account-closed")
                    except InvalidInput as error:
                        assert not allowed
                        assert error.where in ("purpose", "legal_gateway")
                    else:
                        assert allowed
                        assert found == Basis(purpose, law)
    with pytest.raises(InvalidInput) as refused:
        basis("fraud-prevention", "eccta-2023-s188", "bank", filing=True, action="payment-stopped")
    assert refused.value.where == "action"
    assert basis("payee-check", "eccta-2023-s188", "bank", filing=False)


def test_fields_of_the_wrong_type_are_faults() -> None:
    for name in (*BASIS, "reference", "role", "tier", "category", "grade", "reported_at", "subject"):
        for wrong in (None, 7, [], "", "x" * 10_000, "\x00", "\ud800"):
            document = {**copy.deepcopy(intelligence()), name: wrong}
            assert any(place.startswith(name) for place in faults(document)), (name, wrong)
        document = intelligence()
        del document[name]
        assert name in faults(document)
    for wrong in (None, 7, [], "text"):
        assert faults(wrong) == {"": "must be a JSON object"}
    assert "recipients" in faults(intelligence(tlp="red", recipients=["5d0f6a1e-7c34-4c55-9f0e-1b2a3c4d5e6f"] * 51))
    assert "valid_until" in faults(intelligence(valid_until="soon"))
