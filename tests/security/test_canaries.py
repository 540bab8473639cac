"""Victims' data never leaves: unique texts in every such field are in no byte that anybody else may get."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hub.feeds.records import FraudReport
from tests.live import LiveHub, TestMember, serving

ROOTS = ("/taxii2/signed", "/taxii2/plain")
DOCUMENTED = json.loads((Path(__file__).parent.parent.parent / "docs" / "examples" / "report.json").read_text("utf-8"))

# In every field of the victim, in the narrative, and wherever else a person is named.
VICTIM = {
    "name": "Zanthia Quillfeather", "date_of_birth": "1931-07-19", "address": "77 Canarybird Lane, Wobbleton",
    "postcode": "ZZ9 9QQ", "phone": "07700 900987", "email": "zanthia.quillfeather@canary-mail.example",
    "sort_code": "20-20-15", "account_number": "87654321", "iban": "GB05BUKB20201587654321", "age_band": "85+",
    "vulnerability": "Vulnerability-Canary-Text", "support_consent": True,
}  # fmt: skip
PEOPLE = {
    "name": "Suspect Namecanary", "alias": "Aliascanary", "date_of_birth": "1984-02-29",
    "address": "9 Addresscanary Road",
}  # fmt: skip
NARRATIVE = (
    "Narrativecanary: call me, Zanthia Quillfeather, on 07700 900987 or +44 7700 900 987, write to"
    " ZANTHIA.QUILLFEATHER [at] canary-mail.example; I paid from 20 20 15 87654321. He used 020 7946 0321."
)
CANARIES = (
    "zanthia", "quillfeather", "1931-07-19", "canarybird", "zz9 9qq", "zz99qq", "07700 900987", "447700900987",
    "7700900987", "canary-mail", "87654321", "gb05bukb", "vulnerability-canary", "namecanary", "aliascanary",
    "1984-02-29", "addresscanary", "narrativecanary", "beneficiarycanary",
)  # fmt: skip


def report(reference: str) -> dict[str, Any]:
    made = copy.deepcopy(DOCUMENTED)
    made["report"] |= {"reference": reference, "narrative": NARRATIVE}
    made["victim"] = VICTIM
    made["payments"][0]["beneficiary"] = {
        "name": "Beneficiarycanary Ltd",
        "sort_code": "20-20-15",
        "account_number": "55555555",
    }
    made["suspects"] = [
        PEOPLE | {"phone": "020 7946 0321", "url": f"https://{reference.lower()}.phish.example/?to={VICTIM['email']}"},
        {"email": VICTIM["email"], "phone": "+44 (0)7700 900987", "iban": VICTIM["iban"]},
        {"url": "https://clean.phish.example/", "sort_code": "202015", "account_number": "87654321"},
    ]
    return made


def invalid(kind: str) -> Any:
    """A report with one fault, so that an error is what leaves."""
    made = report("CANARY-INVALID")
    if kind == "field":
        made["victim"] = VICTIM | {"Zanthia Quillfeather": "narrativecanary"}
    elif kind == "date":
        made["victim"] = VICTIM | {"date_of_birth": "1931-07-19T00:00 Zanthia"}
    elif kind == "choice":
        made["victim"] = VICTIM | {"age_band": "quillfeather"}
    elif kind == "reference":
        made["report"]["reference"] = "Zanthia Quillfeather"
    elif kind == "code":
        made["report"]["nfib_code"] = "narrativecanary"
    elif kind == "type":
        made["victim"] = "Zanthia Quillfeather"
    elif kind == "grade":
        made["report"]["grade"] = "quillfeather"
    return made


INVALID = ("field", "date", "choice", "reference", "code", "type", "grade")
HEADERLESS = b'Zanthia Quillfeather,1931-07-19,"77 Canarybird Lane"\nnarrativecanary,87654321,ZZ9 9QQ\n'
BAD_CSV = (
    b"reference,kind,reporter_kind,reported_at,nfib_code,victim_name,victim_age_band\n"
    b"CSV-1,crime,victim,2026-11-03T10:00:00Z,3A,Zanthia Quillfeather,quillfeather\n"
)


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def hub(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHub]:
    engine = request.getfixturevalue(request.param)
    with (
        engine.migrated() as url,
        serving(url, tmp_path_factory.mktemp("canaries"), environment={"HUB_LOG__LEVEL": "debug"}) as made,
    ):
        yield made


@pytest.fixture(scope="module")
def partner(hub: LiveHub) -> TestMember:
    return hub.add_member("Partner", "report-fraud", groups=("banks",), roles=("reporting-partner",))


@pytest.fixture(scope="module")
def bank(hub: LiveHub) -> TestMember:
    return hub.add_member("Pulling Bank", clearance="red", groups=("banks",), roles=("contributor", "analyst"))


@pytest.fixture(scope="module")
def answers(hub: LiveHub, partner: TestMember) -> dict[str, str]:
    """Everything that the hub answered while reports came in, good ones and bad ones."""
    said: dict[str, str] = {}
    accepted: dict[str, str] = {}

    def post(name: str, body: Any, media: str = "application/json", **headers: str) -> Any:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = hub.request("POST", "/api/v1/reports", partner, data=raw, headers={"Content-Type": media, **headers})
        said[name] = f"{answer.headers}\n{answer.text}"
        if answer.status_code == 202:
            accepted[name] = answer.headers["Location"]
        return answer

    assert post("good", report("CANARY-1"), **{"Idempotency-Key": "canary"}).status_code == 202
    assert post("other", report("CANARY-2"), **{"Idempotency-Key": "canary"}).status_code == 409
    assert post("amended", report("CANARY-1") | {"loss": {"lost": "1.00", "currency": "GBP"}}).status_code == 202
    for kind in INVALID:
        assert post(kind, invalid(kind)).status_code == 400, kind
        assert post(f"{kind} in a batch", [report(f"CANARY-{kind}"), invalid(kind)]).status_code == 202
    assert post("headerless", HEADERLESS, "text/csv").status_code == 400
    assert post("csv", BAD_CSV, "text/csv").status_code == 400
    assert (
        post("csv batch", BAD_CSV + BAD_CSV.splitlines(True)[1].replace(b"CSV-1", b"CSV-2"), "text/csv").status_code
        == 202
    )
    assert post("cut", json.dumps(report("CANARY-3")).encode()[:-40]).status_code == 400
    assert post("media", report("CANARY-4"), "text/plain").status_code == 415
    twice = json.dumps(report("CANARY-5")).replace('"victim": {', '"victim": {"name": "Zanthia Quillfeather", ')
    assert post("twice", twice.encode()).status_code == 400
    for name, location in accepted.items():
        done = hub.wait_done(location, partner)
        assert done["state"] == "complete", done
        said[f"{name}, done"] = json.dumps(done, ensure_ascii=False)
        said[f"{name}, status"] = hub.get(f"/taxii2/plain/status/{location.rsplit('/', 1)[1]}/", partner).text
    return said


def clean(name: str, text: str | bytes) -> None:
    lower = (text if isinstance(text, str) else text.decode("utf-8", "replace")).casefold()
    found = [canary for canary in CANARIES if canary in lower]
    assert not found, f"{name}: {found} in …{_around(lower, found[0])}…"


def _around(text: str, canary: str) -> str:
    at = text.index(canary)
    return text[max(0, at - 100) : at + 60]


def test_no_answer_repeats_them(answers: dict[str, str]) -> None:
    for name, text in answers.items():
        clean(name, text)


def test_no_collection_holds_them(hub: LiveHub, answers: dict[str, str], bank: TestMember) -> None:
    seen = b""
    for root in ROOTS:
        for collection in hub.get(f"{root}/collections/", bank).json()["collections"]:
            for kind in ("objects", "manifest"):
                path = f"{root}/collections/{collection['id']}/{kind}/"
                answer = hub.get(path, bank, params={"limit": 10000, "match[version]": "all"})
                assert answer.status_code == 200
                assert "next" not in answer.json()
                # "87654321" and the like may stand in salts, signatures and ids by chance: those hold no text.
                clean(path, json.dumps(_without_receipts(answer.json()), ensure_ascii=False))
                seen += answer.content
    assert b"442079460321" in seen, "the suspect's phone is what members are told"
    assert b"clean.phish.example" in seen


def _without_receipts(part: Any) -> Any:
    if isinstance(part, dict):
        return {k: _without_receipts(v) for k, v in part.items() if k not in ("seed", "receipt", "id")}
    return [_without_receipts(one) for one in part] if isinstance(part, list) else part


def test_no_log_line_holds_them(hub: LiveHub, answers: dict[str, str]) -> None:
    said = hub.log.read_bytes()
    assert b"submission finished" in said
    clean("the log", said)


def test_the_database_does_not_hold_them_in_clear(hub: LiveHub, answers: dict[str, str]) -> None:
    url = hub.settings.database_location
    if url.startswith("sqlite"):
        file = Path(url.removeprefix("sqlite:///"))
        held = b"".join(path.read_bytes() for path in sorted(file.parent.glob(f"{file.name}*")))
    else:
        with psycopg.connect(url) as connection:
            tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
            held = b""
            for (table,) in tables:
                with connection.cursor().copy(f'COPY "{table}" TO STDOUT') as rows:
                    held += b"".join(bytes(row) for row in rows)
    assert b"CANARY-1" in held
    lower = held.lower()
    # The longest of them only: eight digits occur among a megabyte of signatures by chance.
    found = [canary for canary in CANARIES if len(canary) > 8 and canary.encode() in lower]
    assert not found, found


def test_yet_the_hub_keeps_them_under_seal(hub: LiveHub, answers: dict[str, str]) -> None:
    with hub.hub.database.reading() as session:
        kept = session.query(FraudReport).filter(FraudReport.reference == "CANARY-1").one()
        protected = hub.hub.vault.open(kept.protected, f"report:{kept.source_id}:CANARY-1").decode()
    for expected in (
        "Zanthia Quillfeather",
        "Narrativecanary",
        "Suspect Namecanary",
        "1984-02-29",
        "Beneficiarycanary",
    ):
        assert expected in protected
    clean("the open part", json.dumps(kept.content))
