"""Full payment card numbers are refused at every door, never kept in clear and never repeated."""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.cli.imports import summary, take_in
from tests.engines import SQLite
from tests.live import LocalHub, TestMember, local

CARD = "4242424242424242"
WRITTEN = (
    CARD,
    "4242 4242 4242 4242",
    "4242-4242-4242-4242",
    "4242.4242.4242.4242",
    "4242\u00a04242\u00a04242\u00a04242",
)
DOCUMENTED = json.loads((Path(__file__).parent.parent.parent / "docs" / "examples" / "report.json").read_text("utf-8"))
numbers = itertools.count(1)
SHARED = "/taxii2/plain/collections/shared/objects/"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cards")


@pytest.fixture(scope="module")
def hub(sqlite: SQLite, folder: Path) -> Iterator[LocalHub]:
    with sqlite.migrated() as url, local(url, folder) as made:
        yield made


@pytest.fixture(scope="module")
def bank(hub: LocalHub) -> TestMember:
    return hub.add_member("Card Bank", clearance="red", groups=("banks",), roles=("contributor",))


def no_card(text: str) -> None:
    digits = "".join(character for character in text if character.isdigit())
    assert CARD not in digits, text


@pytest.fixture(autouse=True)
def nothing_kept(hub: LocalHub, folder: Path, capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """No test leaves a card's number in the database or in the log."""
    yield
    said = capfd.readouterr()
    no_card(said.out + said.err)
    file = Path(hub.settings.database_location.removeprefix("sqlite:///"))
    held = b"".join(path.read_bytes() for path in file.parent.glob(f"{file.name}*"))
    for written in WRITTEN:
        assert written.encode() not in held


@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize("media", ["list", "csv"])
def test_import(hub: LocalHub, tmp_path: Path, written: str, media: str) -> None:
    path = tmp_path / f"cards.{media}"
    rows = (
        ["type,indicator", f"domain,{written}", "domain,fine.example"] if media == "csv" else [written, "fine.example"]
    )
    path.write_text("\n".join(rows) + "\n")
    found = summary(take_in(hub.hub, path, "cards", media))
    assert found["refused"] == 1
    assert found["accepted"] == 1
    no_card(json.dumps(found))
    assert "removed" in found["reasons"][0]["value"]


def indicator(number: int, **more: Any) -> dict[str, Any]:
    return {
        "type": "indicator", "spec_version": "2.1", "id": f"indicator--33333333-0000-4000-8000-{number:012d}",
        "created": "2026-11-01T00:00:00.000Z", "modified": "2026-11-01T00:00:00.000Z",
        "pattern": "[domain-name:value = 'cards.example']", "pattern_type": "stix",
        "valid_from": "2026-11-01T00:00:00Z", **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    "place",
    [
        {"pattern": f"[x-payment-card:value = '{CARD}']"},
        {"pattern": f"[domain-name:value = '{CARD}']"},
        {"name": f"card {WRITTEN[1]}"},
        {"description": f"He paid with {WRITTEN[2]} twice"},
        {"labels": ["fine", CARD]},
        {"x_card": int(CARD)},
        {"x_deep": {"list": [{"number": CARD}]}},
        {"x_deep": {f"card_{CARD}": 1}},
        {"external_references": [{"source_name": "s", "url": f"https://cards.example/?pan={CARD}"}]},
    ],
)
def test_stix(hub: LocalHub, bank: TestMember, place: dict[str, Any]) -> None:
    number = next(numbers) * 2
    status = hub.add(SHARED, bank, [indicator(number, **place), indicator(number + 1)])
    assert (status["failure_count"], status["success_count"]) == (1, 1)
    no_card(json.dumps(status["failures"]))
    no_card(hub.get(SHARED, bank, query_string={"limit": 10000}).text)


@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize("place", ["phone", "account_number", "name", "alias", "url", "address"])
def test_fields_of_a_report(hub: LocalHub, bank: TestMember, written: str, place: str) -> None:
    body = copy.deepcopy(DOCUMENTED)
    body["suspects"] = [{place: f"https://x.example/{written}" if place == "url" else written}]
    for sent in (body, [body, body]):
        answer = hub.request("POST", "/api/v1/reports", bank, json=sent)
        no_card(answer.text)
        if answer.status_code == 202:
            hub.work()
            done = hub.get(answer.headers["Location"].removeprefix("http://localhost"), bank)
            no_card(done.text)
            assert {o["status"] for o in done.get_json()["outcomes"]} == {"failure"}
        else:
            assert answer.status_code == 400
            assert "card" in answer.get_json(force=True)["faults"][0]["message"]


@pytest.mark.parametrize("written", WRITTEN)
def test_a_narrative_is_redacted(hub: LocalHub, bank: TestMember, written: str) -> None:
    body = copy.deepcopy(DOCUMENTED)
    reference = f"CARD-{WRITTEN.index(written)}"
    body["report"] |= {"reference": reference, "narrative": f"I gave him {written} on the phone"}
    answer = hub.request("POST", "/api/v1/reports", bank, json=body)
    assert answer.status_code == 202
    hub.work()
    [(source, sealed)] = hub.hub.database.select(
        "SELECT source_id, protected FROM fraud_report WHERE reference = ?", [reference]
    )
    kept = json.loads(hub.hub.vault.open(sealed, f"report:{source}:{reference}"))
    assert kept["narrative"] == "I gave him [card number removed] on the phone"


def test_a_reference_is_not_repeated(hub: LocalHub, bank: TestMember) -> None:
    body = copy.deepcopy(DOCUMENTED)
    body["report"]["reference"] = CARD
    answer = hub.request("POST", "/api/v1/reports", bank, json=[body, body])
    hub.work()
    no_card(hub.get(answer.headers["Location"].removeprefix("http://localhost"), bank).text)


def test_a_number_beyond_json(hub: LocalHub, bank: TestMember) -> None:
    long_card = "6304000000000000000"  # 19 digits that pass, as an integer that no double holds
    answer = hub.request(
        "POST", "/api/v1/reports", bank, data=f'{{"victim": {{"card": {long_card}}}}}', content_type="application/json"
    )
    assert answer.status_code == 400
    assert long_card not in answer.text
