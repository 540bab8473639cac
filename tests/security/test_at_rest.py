"""A stolen database alone: no name, no value, nothing that could be tried out. And its keys can be changed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import MetaData, func, select, update

from hub import clock
from hub.checks.filings.parts import Envelope
from hub.checks.filings.records import Filing, FilingIdentifier, IndexEpoch
from hub.checks.index import CheckIndex
from hub.checks.kept import retention, rotation, subject_access
from hub.checks.subjects import SubjectKind, canonical_subject
from hub.clock import DAY
from hub.errors import IntegrityFailure
from hub.factory import upkeep
from hub.factory.mentions import mentions
from tests import filings
from tests.live import LocalHub, TestMember, local

CHECKS = "/api/v1/checks"
BASIS = {"purpose": "payee-check", "legal_gateway": "serious-crime-act-2007-s68", "case_reference": "CASE-4711-SEALED"}
ACCOUNT = "20201513572468"
PERSON = {"name": "Zebedee Canaryquill", "date_of_birth": "1971-03-29", "postcode": "ZE1 0AA"}
# (facet, text) as the index and the searches have them; then the forms in which somebody might have written them.
PLANTED = {
    "bank-account": [ACCOUNT],
    "phone": ["447700900871"],
    "email": ["zebedee@canaryquill.example"],
    "nino": ["QQ987654C"],
    "passport": ["GBR:987654321"],
    "device": ["imei:490154203237518"],
    "person-name-birth": ["canaryquill zebedee|1971-03-29"],
    "person-name-postcode": ["canaryquill zebedee|ZE1 0AA"],
    "person-birth": ["1971-03-29"],
    "words": [
        "Zebedee",
        "Canaryquill",
        "canaryquill zebedee",
        "13572468",
        "7700900871",
        "CASE-4711-SEALED",
        "490154203237518",
    ],
}
SUBJECT = {
    "sort_code": "20-20-15", "account_number": "13572468", "phone": "+44 7700 900871",
    "email": "zebedee@canaryquill.example", "nino": "QQ987654C", "passport": {"country": "GBR", "number": "987654321"},
    "device": "imei:490154203237518", "person": PERSON,
}  # fmt: skip
HASHES = ("sha256", "sha1", "md5", "sha512", "blake2b", "blake2s", "sha3_256")


@pytest.fixture
def hub(database_url: str, tmp_path: Path) -> Iterator[LocalHub]:
    with local(database_url, tmp_path) as made:
        yield made


@pytest.fixture
def bank(hub: LocalHub) -> TestMember:
    return hub.add_member("Filing Bank", groups=["banks"], roles=["contributor", "reader"], clearance="red")


@pytest.fixture
def asker(hub: LocalHub) -> TestMember:
    return hub.add_member("Asking Bank", groups=["banks"], clearance="red")


def file_everything(hub: LocalHub, bank: TestMember, asker: TestMember) -> str:
    """A filing that is for one member by name and so in no ledger; searches for it; sets; an answered request."""
    document = filings.intelligence(subject=SUBJECT, tlp="red", recipients=[asker.member_id])
    (filing_id,) = filings.filed(hub, bank, document)
    amber = filings.known_fraud(subject=SUBJECT)  # waits for its approval
    filings.filed(hub, bank, amber)
    assert outcomes(hub, asker) == ["match"] * 6
    upkeep.set_builder(hub.hub).run()
    person = canonical_subject(SubjectKind.PERSON, PERSON)
    with hub.hub.database.unit_of_work() as session:
        holding = subject_access.find(session, hub.hub.vault, [person], mentions)
        assert len(holding.filings) == 2
        decision = subject_access.Decision("SAR-1", "officer", frozenset({filing_id}), "Canaryquill is being watched")
        subject_access.answer(session, hub.hub.vault, holding, decision, upkeep.owners(session))
    return filing_id


def outcomes(hub: LocalHub, asker: TestMember) -> list[str]:
    """What a check of each planted identifier is answered."""
    values = {
        "bank-account": "20-20-15 13572468",
        **{kind: PLANTED[kind][0] for kind in ("phone", "email", "nino", "passport")},
    }
    subjects: list[dict[str, str]] = [{"kind": kind, "value": value} for kind, value in values.items()]
    subjects.append({"kind": "person", **PERSON})
    answer = hub.request("POST", CHECKS, asker, json={**BASIS, "subjects": subjects})
    assert answer.status_code == 200, answer.text
    return [one["outcome"] for one in answer.get_json()["answers"]]


def dump(hub: LocalHub) -> bytes:
    """Every value of every column of every table."""
    metadata = MetaData()
    metadata.reflect(hub.hub.database.engine)
    found: list[bytes] = []
    with hub.hub.database.reading() as session:
        for table in metadata.sorted_tables:
            for row in session.execute(select(table)):
                found += [_bytes(value) for value in row]
    return b"\0".join(found)


def _bytes(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    return value.encode() if isinstance(value, str) else json.dumps(value, default=str).encode()


def written(text: bytes) -> set[bytes]:
    """Forms in which bytes stand in a column: as they are, in hex, in base64 at each of the three places."""
    forms = {text, text.hex().encode(), text.hex().upper().encode()}
    for shift in range(3):
        packed = base64.b64encode(b"x" * shift + text)
        cut = packed[(0, 2, 3)[shift] : len(packed) - 4]  # only what does not depend on the neighbours
        if len(cut) >= 8:
            forms |= {cut, cut.replace(b"+", b"-").replace(b"/", b"_")}
    return forms


def digests(facet: str, text: str) -> Iterator[bytes]:
    """What somebody without the key could make of a value, to look for it."""
    for spelt in (text, f"{facet}\0{text}", f"{facet}:{text}", f"{facet}|{text}"):
        for name in HASHES:
            yield hashlib.new(name, spelt.encode()).digest()
            yield hmac.digest(b"", spelt.encode(), name)


def test_no_planted_value_is_in_the_dump_in_any_form(hub: LocalHub, bank: TestMember, asker: TestMember) -> None:
    file_everything(hub, bank, asker)
    stolen = dump(hub)
    lower = stolen.lower()
    assert b"fraud-prevention" in stolen  # the dump holds what is not sealed
    for facet, texts in PLANTED.items():
        for text in texts:
            assert not [form for form in written(text.encode()) if form in stolen], (facet, text)
            assert text.lower().encode() not in lower, (facet, text)
            for digest in digests(facet, text):
                # The index keeps 16 bytes, other places may keep fewer.
                assert digest[:8] not in stolen, (facet, text)
                assert digest.hex()[:16].encode() not in lower, (facet, text)
                assert base64.b64encode(digest)[:16] not in stolen, (facet, text)


def test_trying_all_accounts_gives_nothing_without_the_key(hub: LocalHub, bank: TestMember, asker: TestMember) -> None:
    """10,000 accounts with the right one among them; the same attack succeeds for who has the key."""
    file_everything(hub, bank, asker)
    stolen = dump(hub)
    windows = {stolen[at : at + 8] for at in range(len(stolen) - 7)}
    candidates = [f"{ACCOUNT[:10]}{number:04d}" for number in range(10_000)]
    assert ACCOUNT in candidates
    found = {
        text
        for text in candidates
        for spelt in (text, f"bank-account\0{text}", f"bank-account:{text}")
        for name in ("sha256", "sha1", "md5", "blake2b")
        if hashlib.new(name, spelt.encode()).digest()[:8] in windows
    }
    assert found == set()
    index = CheckIndex(hub.hub.vault)
    assert [text for text in candidates if index.tag("bank-account", text)[:8] in windows] == [ACCOUNT]


def test_the_index_gets_a_new_key_and_every_check_is_answered_meanwhile(
    hub: LocalHub, bank: TestMember, asker: TestMember, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_everything(hub, bank, asker)
    database, vault = hub.hub.database, hub.hub.vault
    with database.reading() as session:
        before = set(session.scalars(select(FilingIdentifier.tag)))
    monkeypatch.setattr(rotation, "BATCH", 3)
    number = rotation._begin_epoch(database, vault, "operator")
    assert outcomes(hub, asker) == ["match"] * 6
    while rotation._retag(database, vault, number):
        assert outcomes(hub, asker) == ["match"] * 6
        with database.reading() as session:
            done = session.scalar(select(func.count()).where(FilingIdentifier.epoch == number))
        if done == 6:
            break  # stopped half-way
    # What is filed meanwhile is of the new epoch; the command goes on where it was stopped.
    filings.filed(hub, bank, filings.intelligence(subject={"phone": "+44 7700 900872"}))
    done_ = rotation.rotate_index(database, vault, "operator", grace_seconds=0)
    assert done_.number == number == 2
    assert outcomes(hub, asker) == ["match"] * 6
    with database.reading() as session:
        assert not before & set(session.scalars(select(FilingIdentifier.tag)))
        assert set(session.scalars(select(FilingIdentifier.epoch))) == {2}
        assert session.get_one(IndexEpoch, 1).retired_at is not None
    assert vault.ring("check-index").numbers() == [1, 2]
    with clock.as_of(clock.micros() + 3_600_000_000):
        deleted = retention.run(database, upkeep.retention_kinds(hub.hub), "hub")
    assert deleted["rotated_keys"] == 1
    assert vault.ring("check-index").numbers() == [2]
    assert outcomes(hub, asker) == ["match"] * 6
    with pytest.raises(IntegrityFailure, match="no key 1"):
        CheckIndex(vault, (1,))


def test_filings_keys_are_wrapped_anew_and_what_they_seal_stays(
    hub: LocalHub, bank: TestMember, asker: TestMember
) -> None:
    filing_id = file_everything(hub, bank, asker)
    database, vault = hub.hub.database, hub.hub.vault
    with database.reading() as session:
        before = {one.id: (one.wrapped_key, one.sealed) for one in session.scalars(select(Filing))}
        document = _document(vault, session.get_one(Filing, filing_id))
    assert document["subject"]["person"]["name"] == PERSON["name"]
    done = rotation.rotate_wrapping(database, vault, "operator")
    assert (done.number, done.rows) == (2, len(before))
    with database.reading() as session:
        for one in session.scalars(select(Filing)):
            assert one.sealed == before[one.id][1]
            assert one.wrapped_key != before[one.id][0]
            assert one.wrapped_key[:4] == (2).to_bytes(4)
        assert _document(vault, session.get_one(Filing, filing_id)) == document
    assert vault.ring("wrapping").numbers() == [1, 2]
    with clock.as_of(clock.micros() + DAY // 24):
        assert retention.run(database, upkeep.retention_kinds(hub.hub), "hub")["rotated_keys"] == 1
    assert vault.ring("wrapping").numbers() == [2]
    with pytest.raises(IntegrityFailure):
        vault.data_key(before[filing_id][0], f"filing-key:{filing_id}")
    assert outcomes(hub, asker) == ["match"] * 6


def test_a_rotation_of_the_wrapping_that_was_stopped_goes_on(
    hub: LocalHub, bank: TestMember, asker: TestMember, monkeypatch: pytest.MonkeyPatch
) -> None:
    filing_id = file_everything(hub, bank, asker)
    database, vault = hub.hub.database, hub.hub.vault
    with database.reading() as session:
        old = session.get_one(Filing, filing_id).wrapped_key
    rotation.rotate_wrapping(database, vault, "operator")
    with database.unit_of_work() as session:
        session.execute(update(Filing).where(Filing.id == filing_id).values(wrapped_key=old))
    with clock.as_of(clock.micros() + DAY // 24):
        assert retention.run(database, upkeep.retention_kinds(hub.hub), "hub")["rotated_keys"] == 0  # still needed
    assert rotation.rotate_wrapping(database, vault, "operator").number == 2
    assert outcomes(hub, asker) == ["match"] * 6


def _document(vault: Any, filing: Filing) -> dict[str, Any]:
    return Envelope.of(vault, filing).open_document(filing.sealed, filing.version)
