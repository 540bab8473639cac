"""The demonstration loads through the real intake, once."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from hub.cli import demo, demo_credentials
from hub.errors import InvalidInput
from hub.factory import Hub, assemble, create_app, prepare
from hub.settings import load

ACCEPT = {"Accept": "application/taxii+json;version=2.1"}


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """A prepared hub with the demonstration, held to hold reserved values like any other."""
    made = assemble(load(data_dir=tmp_path))
    prepare(made)
    demo.load(made)
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
    assert before["member"] == len(demo.MEMBERS)
    assert before["fraud_report"] == demo.REPORTS
    demo.load(hub)
    second = capsys.readouterr()
    demo.load(hub)
    assert _counts(hub) == before
    assert capsys.readouterr() == second
    assert second.err == ""
    for one in demo.MEMBERS:
        assert one.name in second.out


def test_nothing_failed_or_was_held(hub: Hub) -> None:
    with hub.database.reading() as session:
        rows = session.execute(text("SELECT state, counts FROM submission")).all()
    assert len(rows) == len(demo.FEEDS) + 3
    for state, counts in rows:
        found = json.loads(counts) if isinstance(counts, str) else counts
        assert state == "complete"
        assert not {"refused", "quarantined", "held_values"} & set(found), found


def test_two_members_pull_different_things(hub: Hub) -> None:
    large = {obj["id"] for obj in _pulled(hub, demo.NORTHBANK, "fraud")}
    small = {obj["id"] for obj in _pulled(hub, "Southbridge Building Society", "fraud")}
    assert small < large


def test_an_anonymous_member_is_not_named(hub: Hub) -> None:
    shown = json.dumps([_pulled(hub, demo.NORTHBANK, alias) for alias in ("sightings", "shared", "vocabulary")])
    assert demo.HARBOUR not in shown
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
    assert _pulled(hub, demo.NORTHBANK, "fraud")


def test_a_damaged_credentials_file_is_named(hub: Hub) -> None:
    path = hub.settings.data_dir / demo_credentials.FILE_NAME
    path.write_text('{"Northbank": []}')
    with pytest.raises(InvalidInput, match="demo-credentials"):
        demo.load(hub)


def test_each_sample_has_its_notice() -> None:
    notice = (demo.SAMPLES / "NOTICE").read_text()
    shipped = {path.name for path in demo.SAMPLES.iterdir() if path.is_file()} - {"NOTICE"}
    assert shipped == {name for name, _ in demo.FEEDS}
    assert all(name in notice for name in shipped)
    licences = {path.name for path in (demo.SAMPLES / "licences").iterdir()}
    assert all(f"licences/{name}" in notice for name in licences)
