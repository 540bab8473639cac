"""Whom a filing is about stands nowhere in clear: not in an answer, the log, the audit log or the database.

Only what may be published is published; everything here is filed about victims, false identities and people, of
whom nothing may be.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hub.checks.filings import filing as life
from hub.checks.filings.view import own_opened
from hub.checks.index import open_index
from hub.checks.subjects import SubjectKind, canonical_subject
from tests.filings import BASIS, URL, intelligence, known_fraud
from tests.live import LiveHub, TestMember, serving

PERSON = {"name": "Zanthia Quillfeather", "date_of_birth": "1931-07-19", "postcode": "ZZ9 9QQ"}
SUBJECT = {
    "person": PERSON, "sort_code": "20-20-15", "account_number": "87654321", "iban": "GB27BUKB20201587654321",
    "phone": "+44 7700 900987", "email": "zanthia.quillfeather@canary-mail.example", "nino": "QQ 98 76 54 C",
    "url": "https://canary-site.example/quillfeather", "domain": "canary-domain.example", "vehicle": "CA11 ARY",
    "social": {"platform": "telegram", "handle": "handlecanary"}, "device": "fingerprint:devicecanary00",
    "passport": {"country": "GBR", "number": "CANARY789"}, "company": "09876543",
    "wallet": "0x52908400098527886E0F7030069857D2E4169EE7",
}  # fmt: skip
# The longest of them only: eight digits occur among a megabyte of signatures by chance.
CANARIES = (
    "zanthia", "quillfeather", "1931-07-19", "zz9 9qq", "20201587654321", "gb27bukb", "447700900987", "7700 900987",
    "canary-mail", "qq987654c", "canary-site", "canary-domain", "ca11ary", "handlecanary", "devicecanary",
    "gbr:canary789", "52908400098527886e0f", "conditioncanary", "reasoncanary",
)  # fmt: skip


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def hub(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHub]:
    engine = request.getfixturevalue(request.param)
    with (
        engine.migrated() as url,
        serving(url, tmp_path_factory.mktemp("filings"), environment={"HUB_LOG__LEVEL": "debug"}) as made,
    ):
        yield made


@pytest.fixture(scope="module")
def bank(hub: LiveHub) -> TestMember:
    return hub.add_member("Example Bank", groups=("banks",), roles=("contributor",))


def invalid() -> list[Any]:
    """Filings with a fault each, in which the fault itself is personal."""
    whole = {**SUBJECT, "person": {"name": PERSON["name"]}}
    return [
        intelligence(subject=whole),
        intelligence(subject={**SUBJECT, "Zanthia Quillfeather": 1}),
        intelligence(subject={"person": {**PERSON, "date_of_birth": "Quillfeather"}}),
        intelligence(subject={"person": {**PERSON, "postcode": "Quillfeather"}}),
        intelligence(subject={"nino": "Zanthia"}),
        intelligence(subject={"iban": "GB27BUKB2020158765432X", "phone": "zanthia", "email": "quillfeather"}),
        intelligence(subject={"social": {"platform": "Quill feather", "handle": "zanthia"}}),
        intelligence(subject=SUBJECT, reference="zanthia-1"),
        intelligence(subject=SUBJECT, case_reference="QUILLFEATHER"),
        intelligence(subject=SUBJECT, role="Zanthia", tier="Quillfeather", category="zanthia", grade="quillfeather"),
        intelligence(subject="Zanthia Quillfeather"),
        "Zanthia Quillfeather",
        {"filings": [], "Zanthia Quillfeather": 1},
    ]


@pytest.fixture(scope="module")
def answers(hub: LiveHub, bank: TestMember) -> dict[str, str]:
    """Everything that the hub answered, but for the member's own look at its own filing."""
    said: dict[str, str] = {}

    def note(name: str, answer: Any) -> Any:
        said[name] = f"{answer.headers}\n{answer.text}"
        return answer

    hidden = {"role": "impersonated-victim", "subject": SUBJECT, "grade": "1B:C", "conditions": "Conditioncanary"}
    documents = [
        intelligence(reference="CANARY-1", **hidden),
        intelligence(reference="CANARY-2", role="false-identity", subject=SUBJECT),
        known_fraud(reference="CANARY-3", role="suspect", subject={"person": PERSON, "nino": SUBJECT["nino"]}),
    ]
    taken = note("filed", hub.request("POST", URL, bank, json={"filings": documents}))
    done = hub.wait_done(taken.headers["Location"], bank)
    assert done["counts"]["accepted"] == 3, done
    said["done"] = json.dumps(done)
    for number, one in enumerate(invalid()):
        for door in (URL, "/api/v1/reports"):
            assert note(f"{door} {number}", hub.request("POST", door, bank, json=one)).status_code == 400, one
        mixed = hub.request("POST", URL, bank, json=[intelligence(), one])
        if note(f"mixed {number}", mixed).status_code == 202:
            said[f"mixed {number}, done"] = json.dumps(hub.wait_done(mixed.headers["Location"], bank))
    header = "reference,role,legal_gateway,subject_person_name\n"
    csv = [
        f"{header}1,2,3,Zanthia Quillfeather,5\n",
        f"{header}1,2,3,Zanthia\0\n",
        "Zanthia Quillfeather,1931-07-19\n1,2",
    ]
    for number, text in enumerate(csv):
        answer = hub.request("POST", URL, bank, data=text.encode(), headers={"Content-Type": "text/csv"})
        assert note(f"csv {number}", answer).status_code == 400
    listed = note("list", hub.get(URL, bank)).json()["filings"]
    first = next(one["id"] for one in listed if one["reference"] == "CANARY-1")
    hub.request("POST", f"{URL}/{first}/dispute", bank, json={"reason": "Reasoncanary: Zanthia Quillfeather called"})
    note("again", hub.request("POST", f"{URL}/{first}/dispute", bank, json={"reason": "Zanthia Quillfeather"}))
    hub.request("PUT", f"{URL}/{first}", bank, json={**BASIS, **documents[0], "grade": "1A:C"})
    note("list", hub.get(URL, bank))
    return said


def clean(name: str, text: str) -> None:
    lower = text.casefold()
    found = [canary for canary in CANARIES if canary in lower]
    assert not found, f"{name}: {found}"


def test_no_answer_repeats_them(answers: dict[str, str]) -> None:
    assert len(answers) > 30
    for name, text in answers.items():
        clean(name, text)


def test_no_log_line_holds_them(hub: LiveHub, answers: dict[str, str]) -> None:
    said = hub.log.read_text("utf-8", "replace")
    assert "submission finished" in said
    clean("the log", said)


def dump(hub: LiveHub) -> bytes:
    """Every byte of the database."""
    url = hub.settings.database_location
    if url.startswith("sqlite"):
        file = Path(url.removeprefix("sqlite:///"))
        return b"".join(path.read_bytes() for path in sorted(file.parent.glob(f"{file.name}*")))
    held = b""
    with psycopg.connect(url) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (table,) in tables:
            with connection.cursor().copy(f'COPY "{table}" TO STDOUT (FORMAT binary)') as rows:
                held += b"".join(bytes(row) for row in rows)
    return held


def test_a_stolen_database_tells_no_name_and_cannot_be_tried_out(hub: LiveHub, answers: dict[str, str]) -> None:
    held = dump(hub)
    assert b"CANARY-1" in held
    lower = held.lower()
    assert not [canary for canary in CANARIES if canary.encode() in lower]
    # Somebody who guesses the value right finds no trace of it by any plain hash of any of its forms.
    texts = ("zanthia", "quillfeather zanthia", "quillfeather zanthia|1931-07-19", "20201587654321", "1931-07-19")
    for facet in ("", "bank-account", "person-name-birth", "person-birth"):
        for text in (*texts, "447700900987", "QQ987654C", "GBR:CANARY789"):
            for message in (text, f"{facet}\0{text}", f"{facet}:{text}"):
                for name in ("md5", "sha1", "sha256", "sha512", "blake2b"):
                    assert hashlib.new(name, message.encode()).digest()[:16] not in held
    # With the key, which no database holds, the tags are there.
    with hub.hub.database.reading() as session:
        index = open_index(session, hub.hub.vault)
    for kind, raw in ((SubjectKind.PERSON, PERSON), (SubjectKind.NINO, SUBJECT["nino"])):
        for tag in index.tags([canonical_subject(kind, raw)]):
            assert tag in held


def test_yet_their_own_member_reads_them(hub: LiveHub, bank: TestMember, answers: dict[str, str]) -> None:
    first = next(one["id"] for one in hub.get(URL, bank).json()["filings"] if one["reference"] == "CANARY-1")
    answer = hub.get(f"{URL}/{first}", bank).json()
    assert answer["document"]["subject"]["person"]["name"] == "Zanthia Quillfeather"
    assert answer["history"][1]["why"] == "Reasoncanary: Zanthia Quillfeather called"
    with hub.hub.database.reading() as session:
        seen = own_opened(session, hub.hub.filings(), bank.member_id, first)
    assert seen.document["conditions"] == "Conditioncanary"
    assert (seen.published, life.PENDING in {event.state for event in seen.events}) == (0, False)
