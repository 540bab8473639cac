"""The demonstration loads through the real intake, once."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from hub import clock
from hub.cli import demo
from hub.cli.demo import credentials as demo_credentials
from hub.cli.demo import month, organisations, vetting
from hub.errors import InvalidInput
from hub.factory import Hub, assemble
from hub.factory.app import create_app
from hub.settings import load

ACCEPT = {"Accept": "application/taxii+json;version=2.1"}


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a fresh demonstration, held to hold reserved values like any other hub."""
    folder = tmp_path_factory.mktemp("demo")
    made = assemble(load(data_dir=folder))
    demo.found(made)
    demo.load(made)
    made.database.close()
    return folder


@pytest.fixture
def hub(loaded: Path, tmp_path: Path) -> Iterator[Hub]:
    """A copy of it for one test."""
    folder = tmp_path / "hub"
    shutil.copytree(loaded, folder)
    made = assemble(load(data_dir=folder))
    yield made
    made.database.close()


def _counts(hub: Hub) -> dict[str, int]:
    with hub.database.reading() as session:
        tables = [row[0] for row in session.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'"))]
        return {name: session.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in tables}


def _pulled(hub: Hub, member: str, alias: str) -> list[dict[str, object]]:
    held = demo_credentials.read(hub.settings.data_dir)[member]
    client = create_app(hub.settings).test_client()
    login = (held.username, held.token)
    listed = client.get("/taxii2/plain/collections/", auth=login, headers=ACCEPT).get_json()["collections"]
    found = next(one["id"] for one in listed if one.get("alias") == alias)
    answer = client.get(f"/taxii2/plain/collections/{found}/objects/?limit=10000", auth=login, headers=ACCEPT)
    return answer.get_json()["objects"]


def test_a_second_start_creates_nothing_and_shows_the_same(hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    before = _counts(hub)
    admitted = sum(vetting.sign in case.steps for case in vetting.CASES)
    assert before["member"] == len(organisations.MEMBERS) + admitted
    assert before["fraud_report"] == month.REPORTS
    demo.load(hub)
    second = capsys.readouterr()
    demo.load(hub)
    assert _counts(hub) == before
    assert capsys.readouterr() == second
    assert second.err == ""
    for one in organisations.MEMBERS:
        assert one.name in second.out


def test_nothing_failed_and_only_the_watchlist_was_held(hub: Hub) -> None:
    with hub.database.reading() as session:
        rows = session.execute(text("SELECT state, counts, filename FROM submission")).all()
    for state, counts, filename in rows:
        found = json.loads(counts) if isinstance(counts, str) else counts
        assert state == "complete"
        held = {"refused", "quarantined", "held_values"} & set(found)
        assert held == ({"quarantined"} if filename == "member-watchlist.txt" else set()), (filename, found)


def test_there_is_a_case_in_every_queue_and_a_month_of_polls(hub: Hub) -> None:
    with hub.database.reading() as session:
        states = set(session.execute(text("SELECT state FROM vetting_case")).scalars())
        polls = session.execute(text("SELECT count(DISTINCT at / 86400000000) FROM disclosure")).scalar_one()
        days = session.execute(text("SELECT count(DISTINCT date_added / 86400000000) FROM entry")).scalar_one()
        last = session.execute(text("SELECT max(date_added) FROM entry")).scalar_one()
    assert {
        "submitted", "info_requested", "due_diligence", "decision", "approved_unsigned", "active", "review_due",
        "suspended", "appeal", "offboarding",
    } <= states  # fmt: skip
    assert polls >= month.DAYS - 6
    assert days >= month.DAYS - 6
    assert last <= clock.micros()


def test_two_members_pull_different_things(hub: Hub) -> None:
    large = {obj["id"] for obj in _pulled(hub, organisations.NORTHBANK, "fraud")}
    small = {obj["id"] for obj in _pulled(hub, "Southbridge Building Society", "fraud")}
    assert small < large


def test_an_anonymous_member_is_not_named(hub: Hub) -> None:
    shown = json.dumps(
        [_pulled(hub, organisations.NORTHBANK, alias) for alias in ("sightings", "shared", "vocabulary")]
    )
    assert organisations.HARBOUR not in shown
    assert "A member of the hub (insurer)" in shown


def test_the_credentials_are_the_owners_alone(hub: Hub) -> None:
    path = hub.settings.data_dir / demo_credentials.FILE_NAME
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_lost_credentials_are_issued_anew(hub: Hub) -> None:
    path = hub.settings.data_dir / demo_credentials.FILE_NAME
    before = demo_credentials.read(hub.settings.data_dir)
    path.unlink()
    demo.load(hub)
    after = demo_credentials.read(hub.settings.data_dir)
    assert before.keys() == after.keys()
    assert not {one.token for one in before.values()} & {one.token for one in after.values()}
    assert _pulled(hub, organisations.NORTHBANK, "fraud")


def test_a_damaged_credentials_file_is_named(hub: Hub) -> None:
    path = hub.settings.data_dir / demo_credentials.FILE_NAME
    path.write_text('{"Northbank": []}')
    with pytest.raises(InvalidInput, match="demo-credentials"):
        demo.load(hub)


def test_each_sample_has_its_notice() -> None:
    notice = (month.SAMPLES / "NOTICE").read_text()
    shipped = {path.name for path in month.SAMPLES.iterdir() if path.is_file()} - {"NOTICE"}
    assert shipped == {name for _, name, _ in month.FEEDS}
    assert all(name in notice for name in shipped)
    licences = {path.name for path in (month.SAMPLES / "licences").iterdir()}
    assert all(f"licences/{name}" in notice for name in licences)
