"""Identifiers of filings and checks: one canonical text, no name alone, no card, and nothing repeated in an error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hub.checks.index import TAG_BYTES, CheckIndex
from hub.checks.subjects import (
    CHECKING_ONLY,
    Subject,
    SubjectKind,
    Term,
    canonical_name,
    canonical_subject,
    indicator_values,
    terms,
)
from hub.errors import InvalidInput
from hub.sealing import Vault
from hub.stix.values import Kind, Value

K = SubjectKind


@pytest.mark.parametrize(
    ("kind", "raw", "canonical"),
    [
        (K.BANK_ACCOUNT, "20-20-15 55555555", "20201555555555"),
        (K.IBAN, "gb33 bukb 2020 1555 5555 55", "GB33BUKB20201555555555"),
        (K.PHONE, "07700 900789", "447700900789"),
        (K.EMAIL, "Payee+a@Example.COM", "payee+a@example.com"),
        (K.NINO, "qq 12-34 56 c", "QQ123456C"),
        (K.NINO, "AB123456A", "AB123456A"),
        (K.PASSPORT, "gbr 123456789", "GBR:123456789"),
        (K.PASSPORT, "L898902C36UTO7408122F1204159ZE184226B<<<<<10", "UTO:L898902C3"),  # ICAO 9303 part 4, appendix B
        (K.PASSPORT, "12345678<8D<<", "D:12345678"),
        (K.DEVICE, "IMEI:49-015420-323751-8", "imei:490154203237518"),
        (K.PASSPORT, "GBR: 123 456 789", "GBR:123456789"),
        (K.DEVICE, "Fingerprint:AbC-123", "fingerprint:abc-123"),
        (K.DEVICE, "mac:00-53-00-AA-BB-CC", "mac:005300aabbcc"),
        (K.DEVICE, "MAC 00:53:00:aa:bb:cc".replace(" ", ":"), "mac:005300aabbcc"),
        (K.DEVICE, "mac:0053.00aa.bbcc", "mac:005300aabbcc"),
        (K.COMPANY, "sc1234", "SC001234"),
        (K.VEHICLE, "ab12 cde", "AB12CDE"),
        (K.SOCIAL_HANDLE, "Telegram:@Bob", "telegram:bob"),
    ],
)
def test_the_canonical_text(kind: SubjectKind, raw: str, canonical: str) -> None:
    assert canonical_subject(kind, raw) == Subject(kind, canonical)


def test_a_wallet_has_the_kind_of_its_chain() -> None:
    found = canonical_subject(K.WALLET, "0x52908400098527886E0F7030069857D2E4169EE7")
    assert found.kind is K.ETH


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        (K.NINO, "QQ12345C"),
        (K.NINO, "GB123456A"),
        (K.NINO, "DA123456A"),
        (K.NINO, "AO123456A"),
        (K.NINO, "AB123456E"),
        (K.PASSPORT, "98765432"),
        (K.PASSPORT, "L898902C37UTO"),
        (K.PASSPORT, "GB:123456789"),
        (K.DEVICE, "imei:490154203237519"),
        (K.DEVICE, "my phone"),
        (K.DEVICE, "490154203237518"),
        (K.DEVICE, "mac:00-53-00-aa-bb"),
        (K.PASSPORT, "GBR:123 456 789 0"),
        (K.SOCIAL_HANDLE, "https://t.me/bob"),
        (K.SOCIAL_HANDLE, "telegram:https://t.me/bob"),
        (K.IBAN, "GB00BUKB20201555555555"),
        (K.PERSON, "Ada Quillfeather"),
        (K.PERSON, {"name": "Ada Quillfeather"}),
        (K.PERSON, {"date_of_birth": "1980-02-29"}),
        (K.PERSON, {"name": "Mr.", "postcode": ""}),
        (K.PERSON, {"name": " - ", "postcode": "SW1A 1AA"}),
        (K.PERSON, {"name": "Ada Quillfeather", "date_of_birth": "29/02/1980"}),
        (K.PERSON, {"name": "Ada Quillfeather", "date_of_birth": "1880-02-29"}),
        (K.PERSON, {"name": "Ada Quillfeather", "date_of_birth": "2999-01-01"}),
        (K.PERSON, {"name": "Ada Quillfeather", "postcode": "London"}),
        (K.PERSON, {"name": "Ada Quillfeather" * 20, "postcode": "SW1A 1AA"}),
        (K.DOMAIN, "192.0.2.1"),
        (K.PHONE, ""),
        (K.PHONE, None),
        (K.PHONE, {"name": "Ada"}),
    ],
)
def test_what_is_none(kind: SubjectKind, raw: Any) -> None:
    with pytest.raises(InvalidInput) as refused:
        canonical_subject(kind, raw)
    told = f"{refused.value} {refused.value.advice or ''}".lower()
    for part in raw.values() if isinstance(raw, dict) else [raw]:
        assert not part or len(part) < 5 or part.lower() not in told


CARD = "4111 1111 1111 1111"


@pytest.mark.parametrize("kind", [kind for kind in K if kind is not K.PERSON])
def test_a_full_card_number_is_refused_whatever_it_is_called(kind: SubjectKind) -> None:
    digits = CARD.replace(" ", "")
    for raw in (
        CARD, digits, f"{digits}@shop.example", f"https://shop.example/{digits}", f"imei:{CARD}",
        f"telegram:{digits}", f"GBR:{CARD}",
    ):  # fmt: skip
        with pytest.raises(InvalidInput) as refused:
            canonical_subject(kind, raw)
        assert "4111" not in str(refused.value)
    with pytest.raises(InvalidInput):
        canonical_subject(K.PERSON, {"name": CARD, "postcode": "SW1A 1AA"})


def test_names() -> None:
    assert canonical_name("Dr. José  O'Neill-Smith") == "jose oneill smith"
    assert canonical_name("SMITH, Ann") == canonical_name("Ann Smith") == "ann smith"
    assert canonical_name("Prof") == "prof"
    # Letters with a stroke of their own are no letters with a mark, and are left out of most keyboards.
    assert canonical_name("Łukasz Żółć") == canonical_name("lukasz zolc")
    assert canonical_name("Søren Ærø, Þóra Đorđević") == "aero dordevic soren thora"


def test_under_what_a_subject_is_found() -> None:
    account = Term("bank-account", "20201555555555")
    assert terms(canonical_subject(K.BANK_ACCOUNT, "20-20-15 55555555")) == [account]
    assert terms(canonical_subject(K.IBAN, "GB33BUKB20201555555555")) == [
        Term("iban", "GB33BUKB20201555555555"), account,
    ]  # fmt: skip
    assert terms(canonical_subject(K.IBAN, "DE89370400440532013000")) == [Term("iban", "DE89370400440532013000")]
    assert terms(canonical_subject(K.EMAIL, "a+b@example.com")) == [
        Term("email", "a+b@example.com"), Term("email", "a@example.com", exact=False),
    ]  # fmt: skip
    person = {"name": "Ann Smith", "date_of_birth": "1980-02-29", "postcode": "sw1a1aa"}
    assert terms(canonical_subject(K.PERSON, person)) == [
        Term("person-name-birth", "ann smith|1980-02-29"), Term("person-name-postcode", "ann smith|SW1A 1AA"),
        Term("person-birth", "1980-02-29", exact=False), Term("person-postcode", "SW1A 1AA", exact=False),
    ]  # fmt: skip


def test_what_is_an_indicator_too() -> None:
    assert indicator_values(canonical_subject(K.IBAN, "GB33BUKB20201555555555")) == [
        Value(Kind.IBAN, "GB33BUKB20201555555555"), Value(Kind.BANK_ACCOUNT, "20201555555555"),
    ]  # fmt: skip
    assert indicator_values(canonical_subject(K.EMAIL, "a+b@example.com")) == [Value(Kind.EMAIL, "a+b@example.com")]
    for kind, raw in (
        (K.NINO, "QQ123456C"), (K.PASSPORT, "GBR:123456789"), (K.DEVICE, "imei:490154203237518"),
        (K.PERSON, {"name": "Ann Smith", "postcode": "SW1A 1AA"}),
    ):  # fmt: skip
        subject = canonical_subject(kind, raw)
        assert kind in CHECKING_ONLY
        assert (indicator_values(subject), subject.value) == ([], None)


def test_tags_are_of_one_key_one_epoch_and_one_facet(tmp_path: Path) -> None:
    vault, other = Vault.in_folder(tmp_path / "one"), Vault.in_folder(tmp_path / "other")
    vault.ring("check-index").numbers()
    vault.ring("check-index").add()
    index = CheckIndex(vault)
    tag = index.tag("phone", "447700900789")
    assert len(tag) == TAG_BYTES
    assert tag == CheckIndex(vault).tag("phone", "447700900789")
    others = [
        CheckIndex(other).tag("phone", "447700900789"),
        CheckIndex(vault, (2, 1)).tag("phone", "447700900789"),
        index.tag("email", "447700900789"),
        index.tag("phone", "447700900788"),
        index.tag("phon", "e\x00447700900789"),
    ]
    assert len({tag, *others}) == 6
    subject = canonical_subject(K.PHONE, "447700900789")
    both = CheckIndex(vault, (2, 1))
    assert both.tags([subject]) == [both.tag("phone", "447700900789"), tag]
    assert both.epoch == 2
