"""``hub backup`` and ``hub restore``: the whole hub, from either product into either."""

from __future__ import annotations

import json
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from hub.cli import commands
from hub.clock import DAY, micros, stix_timestamp
from hub.db import Database, snapshot
from hub.errors import Conflict, HubError, IntegrityFailure, InvalidInput
from hub.factory.backup import back_up, restore
from hub.web.services import EXTENSION
from tests.engines import PRODUCTS, SQLite
from tests.live import LOCAL_URL, LocalHub, TestMember, local

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
SHARED = "/taxii2/signed/collections/shared/objects/"
# What a restored hub has done of its own: it has noted in its audit log that it was restored.
OWN = {"audit_event": 1}


@contextmanager
def filled(url: str, folder: Path) -> Iterator[tuple[LocalHub, TestMember]]:
    """A hub with members, groups, objects, reports and filings."""
    with local(url, folder, intake={"reserved": "publish"}) as hub:
        bank = hub.add_member("A bank", roles=["contributor", "reader"], groups=["fraud desk"], clearance="amber")
        police = hub.add_member("A force", kind="report-fraud", roles=["reporting-partner"])
        envelope = json.loads((EXAMPLES / "envelope.json").read_text())
        hub.add(SHARED, bank, envelope["objects"])
        report = json.loads((EXAMPLES / "report.json").read_text())
        filing = json.loads((EXAMPLES / "bank-filing.json").read_text())
        assert hub.request("POST", "/api/v1/reports", police, json=report).status_code == 202
        assert hub.request("POST", "/api/v1/filings", bank, json=filing).status_code in (200, 201, 202)
        hub.work()
        hub.app.extensions[EXTENSION].key_uses.flush()  # else it is written at some moment of the second that follows
        yield hub, bank


def everything(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables of a snapshot."""
    with closing(sqlite3.connect(path)) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: sorted(database.execute(f'SELECT * FROM "{name}"'), key=repr) for name in tables}


def snapshot_of(hub: LocalHub, path: Path) -> dict[str, list[tuple[Any, ...]]]:
    snapshot.take(hub.hub.database, path)
    return everything(path)


@pytest.mark.parametrize("source", PRODUCTS)
@pytest.mark.parametrize("target", PRODUCTS)
def test_a_hub_comes_back_whole(source: str, target: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Every row, the keys, what a member pulls and its credential; and the hub goes on from there."""
    archive = tmp_path / "hub.backup"
    old, new = request.getfixturevalue(source), request.getfixturevalue(target)
    with old.migrated() as url, filled(url, tmp_path / "old") as (hub, bank):
        manifest = back_up(hub.hub, archive)
        before = snapshot_of(hub, tmp_path / "before.sqlite")
        pulled = hub.get(SHARED, bank).data
        keys = hub.get("/.well-known/jwks.json").data
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    assert manifest["rows"]["entry"] == len(before["entry"]) > 10
    with new.empty() as url:
        settings = hub.settings.model_copy(update={"data_dir": tmp_path / "new", "database_url": url})
        assert restore(settings, archive) == manifest
        assert stat.S_IMODE((tmp_path / "new" / "keys").stat().st_mode) == 0o700
        with local(url, tmp_path / "new", intake={"reserved": "publish"}) as again:
            after = snapshot_of(again, tmp_path / "after.sqlite")
            assert set(after) == set(before)
            for table, rows in before.items():
                assert len(after[table]) == len(rows) + OWN.get(table, 0), table
                assert set(map(repr, rows)) <= set(map(repr, after[table])), table
            assert again.get(SHARED, bank).data == pulled
            assert again.get("/.well-known/jwks.json").data == keys
            more = {
                "type": "indicator", "spec_version": "2.1", "id": "indicator--55555555-1111-4111-8111-111111111111",
                "created": stix_timestamp(micros() - DAY), "modified": stix_timestamp(micros() - DAY),
                "pattern": "[domain-name:value = 'after-the-restore.example']", "pattern_type": "stix",
                "valid_from": stix_timestamp(micros() - DAY), "indicator_types": ["malicious-activity"],
            }  # fmt: skip
            assert again.add(SHARED, bank, [more])["success_count"] == 1
            again.add_member("Another bank", groups=["another desk"])


def test_nothing_is_overwritten(sqlite: SQLite, tmp_path: Path) -> None:
    archive = tmp_path / "hub.backup"
    with sqlite.migrated() as url, local(url, tmp_path / "old") as hub:
        back_up(hub.hub, archive)
        with pytest.raises(Conflict, match="there is a file already"):
            back_up(hub.hub, archive)
        with pytest.raises(Conflict, match="data folder is not empty"):
            restore(hub.settings, archive)
        elsewhere = hub.settings.model_copy(update={"data_dir": tmp_path / "new"})
        with pytest.raises(Conflict, match="database is not empty"):
            restore(elsewhere, archive)
        assert not (tmp_path / "new").exists()


def test_another_hub_is_refused(sqlite: SQLite, tmp_path: Path) -> None:
    """Under another address, what the hub says next would come from somebody else."""
    archive = tmp_path / "hub.backup"
    with sqlite.migrated() as url, local(url, tmp_path / "old") as hub:
        back_up(hub.hub, archive)
    new = {"data_dir": tmp_path / "new", "database_url": "", "base_url": "https://other.example"}
    with pytest.raises(InvalidInput, match="is the backup of"):
        restore(hub.settings.model_copy(update=new), archive)
    assert not (tmp_path / "new").exists()


def _cut(archive: Path) -> None:
    archive.write_bytes(archive.read_bytes()[:-500])


def _changed(archive: Path) -> None:
    raw = bytearray(archive.read_bytes())
    raw[len(raw) // 2] ^= 1
    archive.write_bytes(raw)


def _no_archive(archive: Path) -> None:
    archive.write_bytes(b"This is a letter.")


@pytest.mark.parametrize("damage", [_cut, _changed, _no_archive])
def test_damage_is_seen_and_leaves_nothing(damage: Callable[[Path], None], sqlite: SQLite, tmp_path: Path) -> None:
    archive = tmp_path / "hub.backup"
    with sqlite.migrated() as url, local(url, tmp_path / "old") as hub:
        back_up(hub.hub, archive)
    damage(archive)
    settings = hub.settings.model_copy(update={"data_dir": tmp_path / "new", "database_url": ""})
    with pytest.raises((IntegrityFailure, InvalidInput)):
        restore(settings, archive)
    assert not (tmp_path / "new").exists()
    assert not list(tmp_path.glob(".hub-restore-*"))


def test_commands(sqlite: SQLite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tmp_path / "hub.backup"
    with sqlite.migrated() as url, local(url, tmp_path / "old"):
        monkeypatch.setenv("HUB_BASE_URL", LOCAL_URL)
        monkeypatch.setenv("HUB_DATA_DIR", str(tmp_path / "old"))
        monkeypatch.setenv("HUB_DATABASE_URL", url)
        made = CliRunner().invoke(commands, ["backup", str(archive), "--json"])
        assert made.exit_code == 0, made.output
        monkeypatch.setenv("HUB_DATA_DIR", str(tmp_path / "new"))
        refused = CliRunner().invoke(commands, ["restore", str(archive)])
        assert isinstance(refused.exception, HubError), refused.output
        monkeypatch.setenv("HUB_DATABASE_URL", "")
        restored = CliRunner().invoke(commands, ["restore", str(archive)])
        assert restored.exit_code == 0, restored.output
        assert "entries of the log" in restored.output
    database = Database(f"sqlite:///{tmp_path / 'new' / 'hub.db'}")
    noted = database.select("SELECT action FROM audit_event ORDER BY id DESC LIMIT 2")
    database.close()
    assert [action for (action,) in noted] == ["hub:restore", "hub:backup"]
