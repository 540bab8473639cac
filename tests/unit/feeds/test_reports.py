"""Fraud reports: their schema, what is open and what is sealed, and what becomes an indicator."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hub.documents import grade, nfib
from hub.documents.faults import FAULT_LIMIT, InvalidReport
from hub.documents.table import Misshapen
from hub.errors import InvalidInput
from hub.feeds.readers import RawIndicator, Unread, choose
from hub.feeds.reports import bulk
from hub.feeds.reports.schema import load_batch, load_report
from hub.stix.canonical import parse_json
from hub.stix.cards import contains_card
from hub.stix.validation import check
from hub.stix.values import Kind

EXAMPLES = Path(__file__).resolve().parents[3] / "docs/examples"
REPORT: dict[str, Any] = json.loads((EXAMPLES / "report.json").read_text("utf-8"))
CARD = "4111 1111 1111 1111"
Change = Callable[[dict[str, Any]], Any]


@pytest.fixture
def document() -> dict[str, Any]:
    return copy.deepcopy(REPORT)


def found(document: dict[str, Any]) -> set[tuple[str, str]]:
    return {(str(each.kind), each.raw) for each in load_report(document).indicators()}


def test_the_example() -> None:
    report = load_report(REPORT)
    assert (report.reference, report.code.code, str(report.grade)) == ("RF-2026-0000123", "3A", "2B:P")
    assert found(REPORT) == {
        ("phone", "+44 20 7946 0123"),
        ("phone", "07700 900321"),
        ("email", "refunds@parcel-fee.example"),
        ("url", "hxxps://parcel-fee[.]example/pay?ref=77"),
        ("domain", "www.parcel-fee.example"),
        ("social-handle", "telegram:parcel_desk_example"),
        ("iban", "GB33BUKB20201555555555"),
        ("bank-account", "20-20-15 55555555"),
    }
    first = report.indicators()[0]
    assert first.where == "suspects[0].phone"
    assert first.labels == ("nfib-3a", "consumer-fraud")
    assert (first.first_seen, first.last_seen) == ("2026-10-28T00:00:00Z", "2026-11-02T00:00:00Z")


def test_what_is_open_and_what_is_sealed() -> None:
    report = load_report(REPORT)
    shown = json.dumps(report.open)
    assert "victim" not in report.open
    for personal in (
        "Sampleton",
        "Alex Example",
        "Parcel Desk",
        "I had a text",
        "900456",
        "date_of_birth",
    ):
        assert personal not in shown
    assert report.open["suspects"][0]["phone"] == "+44 20 7946 0123"
    assert report.protected["victim"] == REPORT["victim"]
    assert report.protected["narrative"] == REPORT["report"]["narrative"]
    assert report.protected["people"]["suspects[0]"] == {"name": "Alex Example", "alias": "Parcel Desk"}


CANARIES = {
    "name": "Canary Birdwhistle",
    "date_of_birth": "1949-02-03",
    "address": "7 Canary Cage, Example Town",
    "postcode": "EX4 4MP",
    "phone": "+44 7700 900999",
    "email": "canary+bird@example.net",
    "sort_code": "20-20-15",
    "account_number": "55555555",
    "iban": "GB33BUKB20201555555555",
    "wallet": "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
}


def spill(document: dict[str, Any]) -> None:
    """The victim's data in every place where a hurried clerk could put it, in other spellings."""
    document["victim"] = dict(CANARIES)
    document["report"]["narrative"] = (
        "I am Canary Birdwhistle, call 07700 900 999 or write to canary+bird[@]example[.]net. "
        "My account is 20-20-15 55555555, IBAN GB33 BUKB 2020 1555 5555 55, wallet "
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4. The site was https://trap.example/ "
        "and https://trap.example/?m=canary%2Bbird%40example.net"
    )
    document["report"]["platform"] = "Canary Birdwhistle's page"
    document["report"]["grade"], document["report"]["conditions"] = "2B:C", "Ring 07700900999 first."
    document["payments"][0]["beneficiary"] = {"sort_code": "202015", "account_number": "55555555"}
    document["suspects"] = [
        {
            "phone": "0044 7700 900999",
            "email": "CANARY+BIRD@example.net",
            "url": "https://trap.example/login?user=canary%252Bbird%2540example.net",
            "social": {"platform": "telegram", "handle": "canary_birdwhistle"},
            "iban": "GB33 BUKB 2020 1555 5555 55",
            "wallet": "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
            "company": {"name": "Canary Birdwhistle Ltd"},
        },
        {"phone": "020 7946 0123"},
    ]


def test_no_victims_canary_is_open_or_an_indicator(document: dict[str, Any]) -> None:
    spill(document)
    report = load_report(document)
    told = json.dumps(report.open) + json.dumps([each.raw for each in report.indicators()])
    squeezed = "".join(character for character in told.casefold() if character.isalnum())
    for canary in (
        "birdwhistle",
        "700900999",
        "canarybird",
        "canary2bbird",
        "55555555",
        "bc1qw508",
        "ex44mp",
    ):
        assert canary not in squeezed
    assert {each.raw for each in report.indicators()} == {"020 7946 0123", "https://trap.example/"}
    assert report.protected["removed"]["suspects[0].phone"] == "0044 7700 900999"


def test_a_victims_iban_hides_the_account_in_it(document: dict[str, Any]) -> None:
    document["victim"] = {"iban": "GB33BUKB20201555555555"}
    assert not {kind for kind, _ in found(document)} & {"iban", "bank-account"}
    assert "55555555" not in json.dumps(load_report(document).open)


def test_the_reference_may_not_hold_the_victims_data(document: dict[str, Any]) -> None:
    document["report"]["reference"] = "RF/sam sampleton"
    with pytest.raises(InvalidReport) as refused:
        load_report(document)
    assert refused.value.faults[0].where == "report.reference"


@pytest.mark.parametrize(
    ("where", "change"),
    [
        ("report", lambda doc: doc.pop("report")),
        ("report.reference", lambda doc: doc["report"].pop("reference")),
        ("report.kind", lambda doc: doc["report"].update(kind="rumour")),
        ("report.nfib_code", lambda doc: doc["report"].update(nfib_code="99Z")),
        ("report.grade", lambda doc: doc["report"].update(grade="9Z")),
        ("report.conditions", lambda doc: doc["report"].update(grade="2B:C")),
        ("report.conditions", lambda doc: doc["report"].update(conditions="Ask first.")),
        ("report.reported_at", lambda doc: doc["report"].update(reported_at="2999-01-01")),
        ("report.reported_at", lambda doc: doc["report"].update(reported_at="2026-11-03T10:15:00")),
        ("report.last_incident", lambda doc: doc["report"].update(last_incident="2026-10-01")),
        (
            "report.first_incident",
            lambda doc: doc["report"].update(first_incident="2026-11-10", last_incident="2026-11-11"),
        ),
        ("report.narrative", lambda doc: doc["report"].update(narrative="x" * 20_001)),
        ("report.narrative", lambda doc: doc["report"].update(narrative="a\x00b")),
        ("report.surprise", lambda doc: doc["report"].update(surprise=1)),
        ("surprise", lambda doc: doc.update(surprise=1)),
        ("loss.lost", lambda doc: doc["loss"].update(lost=950.0)),
        ("loss.lost", lambda doc: doc["loss"].update(lost="-1")),
        ("loss.recovered", lambda doc: doc["loss"].update(recovered="951.00")),
        ("loss.currency", lambda doc: doc["loss"].update(currency="XXY")),
        ("payments[0].method", lambda doc: doc["payments"][0].update(method="barter")),
        ("payments[0].beneficiary.pan", lambda doc: doc["payments"][0]["beneficiary"].update(pan=CARD)),
        ("payments", lambda doc: doc.update(payments=[{}] * 101)),
        ("suspects", lambda doc: doc.update(suspects=[{}] * 51)),
        ("suspects", lambda doc: doc.update(suspects={"phone": "x"})),
        ("suspects[1]", lambda doc: doc["suspects"].__setitem__(1, "x")),
        ("suspects[1].phone", lambda doc: doc["suspects"][1].update(phone="0" * 41)),
        ("suspects[1].phone", lambda doc: doc["suspects"][1].update(phone=7)),
        ("suspects[1].phone", lambda doc: doc["suspects"][1].update(phone="  ")),
        ("suspects[1].phone", lambda doc: doc["suspects"][1].update(phone="a\nb")),
        ("suspects[0].date_of_birth", lambda doc: doc["suspects"][0].update(date_of_birth="1850-01-01")),
        ("suspects[0].social.handle", lambda doc: doc["suspects"][0].update(social={"platform": "x"})),
        ("victim.support_consent", lambda doc: doc["victim"].update(support_consent="maybe")),
        ("victim.age_band", lambda doc: doc["victim"].update(age_band="old")),
    ],
)
def test_faults_have_their_place(document: dict[str, Any], where: str, change: Change) -> None:
    change(document)
    with pytest.raises(InvalidReport) as refused:
        load_report(document)
    assert [fault.where for fault in refused.value.faults] == [where]
    assert refused.value.where == where


@pytest.mark.parametrize(
    ("where", "change"),
    [
        ("suspects[1].phone", lambda doc: doc["suspects"][1].update(phone=CARD)),
        (
            "suspects[1].account_number",
            lambda doc: doc["suspects"][1].update(account_number="4242424242424242"),
        ),
        ("suspects[1].alias", lambda doc: doc["suspects"][1].update(alias=f"card {CARD}")),
        ("victim.account_number", lambda doc: doc["victim"].update(account_number="4111111111111111")),
        ("payments[0].beneficiary.iban", lambda doc: doc["payments"][0]["beneficiary"].update(iban=CARD)),
    ],
)
def test_a_card_number_is_refused_and_not_repeated(document: dict[str, Any], where: str, change: Change) -> None:
    change(document)
    with pytest.raises(InvalidReport) as refused:
        load_report(document)
    assert [fault.where for fault in refused.value.faults] == [where]
    assert not contains_card(repr(refused.value.faults) + str(refused.value))


def test_an_unknown_key_that_is_a_card_number_is_not_repeated(document: dict[str, Any]) -> None:
    document["suspects"][0]["4111111111111111"] = "x"
    with pytest.raises(InvalidReport) as refused:
        load_report(document)
    assert not contains_card(repr(refused.value.faults))


def test_a_card_number_in_the_narrative_is_redacted(document: dict[str, Any]) -> None:
    document["report"]["narrative"] = f"I gave him {CARD} and 20-20-15 55555555"
    report = load_report(document)
    assert not contains_card(report.protected["narrative"])
    assert "20-20-15 55555555" in report.protected["narrative"]


def test_a_typo_in_an_identifier_is_left_to_the_intake(document: dict[str, Any]) -> None:
    document["suspects"] = [{"iban": "GB33BUKB20201555555556"}]
    assert ("iban", "GB33BUKB20201555555556") in found(document)


def test_batches() -> None:
    assert len(load_batch(REPORT)) == 1
    assert [report.where for report in load_batch([REPORT, REPORT])] == ["reports[0]", "reports[1]"]
    (second, *_) = load_batch({"reports": [REPORT]})[0].indicators()
    assert second.where == "reports[0].suspects[0].phone"


@pytest.mark.parametrize(
    "document", [[], {"reports": []}, {"reports": 7}, {"reports": [], "x": 1}, [{}] * 1001, 7, None]
)
def test_batches_that_are_none(document: Any) -> None:
    with pytest.raises(InvalidReport):
        load_batch(document)


def test_all_faults_of_a_batch_are_listed_up_to_a_limit() -> None:
    with pytest.raises(InvalidReport) as refused:
        load_batch([REPORT, {}, {"report": 7}])
    assert [fault.where for fault in refused.value.faults] == ["reports[1].report", "reports[2].report"]
    with pytest.raises(InvalidReport) as refused:
        load_batch([{}] * 1000)
    assert len(refused.value.faults) == FAULT_LIMIT


def test_the_csv_example() -> None:
    documents = bulk.load_csv((EXAMPLES / "reports.csv").read_bytes())
    first, second, third = load_batch(documents)
    assert documents[0]["suspects"] == [
        {"name": "Alex Example", "phone": "01632 960123"},
        {"phone": "0191 498 0123"},
    ]
    assert documents[1]["suspects"][0]["social"] == {
        "platform": "instagram",
        "handle": "account_check_example",
    }
    assert documents[0]["victim"]["support_consent"] is True
    assert (first.code.code, second.code.code, third.code.code) == ("1H", "52C", "2E")
    assert "Sampleton" not in json.dumps([first.open, second.open, third.open])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "reference,nfib_code\n",
        "reference,surprise\nA,b\n",
        "reference,reference\nA,b\n",
        "reference,suspect_0_phone\nA,b\n",
        "reference,payment_beneficiary\nA,b\n",
    ],
)
def test_csv_files_that_are_none(text: str) -> None:
    with pytest.raises(InvalidInput):
        bulk.load_csv(text.encode())


@pytest.mark.parametrize("bad", ["A", 'A,"crime" x', 'A,"crime'])
def test_a_bad_row_of_a_bulk_file_costs_itself_alone(bad: str) -> None:
    found = bulk.load_csv(f"reference,kind\nF-1,crime\n{bad}\n".encode())
    assert found[0] == {"report": {"reference": "F-1", "kind": "crime"}}
    with pytest.raises(InvalidReport, match="row 3") as refused:
        load_report(found[1], "reports[1]")
    assert refused.value.where == "reports[1]"


def test_rows_behind_a_bad_one_are_read() -> None:
    found = bulk.load_csv(b'reference,kind\nA\nB,"crime" x\nC,crime\n')
    assert [isinstance(one, Misshapen) for one in found] == [True, True, False]


@pytest.mark.parametrize("place", ["attachments", "report.attachments", "suspects[0].files"])
def test_attachments_are_refused_in_words(place: str) -> None:
    sent = copy.deepcopy(REPORT)
    holder = {"attachments": sent, "report.attachments": sent["report"], "suspects[0].files": sent["suspects"][0]}
    holder[place][place.rpartition(".")[2]] = [{"name": "photo.jpg"}]
    with pytest.raises(InvalidReport, match="attachments are not taken") as refused:
        load_report(sent)
    assert refused.value.where == place


@pytest.mark.parametrize("name", ["report.json", "reports.csv"])
def test_the_reader_gives_indicators_only(name: str) -> None:
    raw = (EXAMPLES / name).read_bytes()
    reader = choose(raw, name)
    readings = list(reader.read(raw))
    assert reader.name == "report"
    assert readings
    assert all(isinstance(reading, RawIndicator) for reading in readings)


def test_an_invalid_report_in_a_batch_costs_only_itself(document: dict[str, Any]) -> None:
    document["victim"]["phone"] = CARD
    raw = json.dumps([document, REPORT]).encode()
    readings = list(choose(raw).read(raw))
    assert isinstance(readings[0], Unread)
    assert readings[0].where == "reports[0].victim.phone"
    assert not contains_card(repr(readings))
    assert sum(isinstance(reading, RawIndicator) for reading in readings) == 8


def test_the_envelope_example_is_valid_stix() -> None:
    envelope = parse_json((EXAMPLES / "envelope.json").read_bytes())
    assert {obj["type"] for obj in envelope["objects"]} == {"identity", "indicator"}
    for obj in envelope["objects"]:
        check(obj)


def test_the_bank_filing_example_uses_known_grades_codes_and_reserved_values() -> None:
    filing = parse_json((EXAMPLES / "bank-filing.json").read_bytes())
    assert filing["purpose"]
    assert filing["legal_gateway"]
    for entry in filing["filings"]:
        assert nfib.code(entry["category"])
        assert grade.parse(entry["grade"]).disseminable
        subject = entry["subject"]
        assert subject.get("iban", "GB33BUKB20201555555555") == "GB33BUKB20201555555555"
        assert subject.get("phone", "+44 7700 900").startswith("+44 7700 900")


def test_grades() -> None:
    assert grade.confidence(grade.parse("1A")) == 90
    assert grade.confidence(grade.parse("2b:p")) == 48
    assert grade.confidence(grade.parse("3D C")) == 10
    assert str(grade.parse("2BC")) == "2B:C"
    assert not grade.parse("1E").disseminable
    assert grade.confidence(grade.parse("1E")) == 0
    for text in ("", "4A", "1F", "1A:X", "1A:P:C", "A1"):
        with pytest.raises(InvalidInput):
            grade.parse(text)


def test_nfib_table() -> None:
    table = nfib.table()
    assert not table.verified
    assert len(table.codes) == 55
    assert nfib.labels(" nfib 52c ") == ("nfib-52c", "computer-misuse")
    assert Kind.BANK_ACCOUNT == "bank-account"
