"""``hub import``, as operators and scripts use it."""

from __future__ import annotations

import gzip
import json
import os
import pty
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.commands import Commands
from tests.engines import SQLite

EXPECTED: dict[str, dict[str, int]] = json.loads(
    (Path(__file__).parent.parent / "golden" / "expected.json").read_text("utf-8")
)
FOLDERS = ("ipsum/", "infoblox/csv/", "amnesty/", "abuse.ch/")
FEEDS = sorted(
    name for name in EXPECTED if name.startswith(FOLDERS) and not (name.startswith("amnesty") and name[-6:] != ".stix2")
)
COUNTS = ("read", "accepted", "new", "updated", "unchanged", "sighted", "refused", "quarantined")
EXAMPLES = Path(__file__).parent.parent.parent / "docs" / "examples"
BUNDLE = "bundle--5d0092c5-5f74-4287-9642-33f4c354e56d"


@pytest.fixture(scope="module")
def hub(sqlite: SQLite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    with sqlite.migrated() as url:
        commands = Commands(url, tmp_path_factory.mktemp("import"))
        commands("init")
        yield commands


@pytest.fixture(scope="module")
def open_hub(sqlite: SQLite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    """A hub that lets reserved values through."""
    with sqlite.migrated() as url:
        commands = Commands(url, tmp_path_factory.mktemp("import-open"), HUB_INTAKE__RESERVED="publish")
        commands("init")
        commands("group", "add", "banks")
        yield commands


def indicator(number: int, pattern: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--00000000-0000-4000-8000-{number:012d}",
        "created": "2026-11-01T00:00:00.000Z",
        "modified": "2026-11-01T00:00:00.000Z",
        "pattern": pattern,
        "pattern_type": "stix",
        "valid_from": "2026-11-01T00:00:00Z",
        **more,
    }


def counted(document: dict[str, Any], **expected: int) -> None:
    """The document's counts are ``expected``, 0 where nothing is said, and add up."""
    assert {name: document[name] for name in COUNTS} == dict.fromkeys(COUNTS, 0) | expected
    adds_up(document)


def adds_up(document: dict[str, Any]) -> None:
    assert document["read"] == document["accepted"] + document["refused"] + document["quarantined"]
    assert document["accepted"] == sum(document[name] for name in ("new", "updated", "unchanged", "sighted"))


class TestCounts:
    LIST = "# a list\n45.67.89.10\nevil-parcel.com\nevil-parcel.com\nnot a value\n192.168.0.1\nhxxp://bad[.]top/x\n"

    def test_a_list(self, hub: Commands, tmp_path: Path) -> None:
        path = tmp_path / "list.txt"
        path.write_text(self.LIST)
        ended = hub("import", path, "--source", "a list", "--json", code=3)
        found = ended.document
        counted(found, read=6, accepted=4, new=3, unchanged=1, refused=1, quarantined=1)
        assert found["format"] == "list"
        assert found["indicators"] == {"domain": 1, "url": 1, "ipv4": 1}
        assert [(r["where"], r["value"]) for r in found["reasons"]] == [
            ("line 5", "not a value"),
            ("line 6", "192.168.0.1"),
        ]
        assert all(reason["reason"] for reason in found["reasons"])
        assert ended.err == ""

    def test_the_same_list_again_changes_nothing(self, hub: Commands, tmp_path: Path) -> None:
        path = tmp_path / "list.txt"
        path.write_text(self.LIST.replace("45.67.89.10", "45.67.89.11"))
        hub("import", path, "--source", "twice", code=3)
        found = hub("import", path, "--source", "twice", "--json", code=3).document
        counted(found, read=6, accepted=4, unchanged=4, refused=1, quarantined=1)
        assert found["indicators"] == {"domain": 1, "url": 1, "ipv4": 1}

    def test_another_source_sights_what_is_known(self, hub: Commands, tmp_path: Path) -> None:
        path = tmp_path / "list.txt"
        path.write_text("45.67.89.12\n")
        hub("import", path, "--source", "first")
        counted(hub("import", path, "--source", "second", "--json").document, read=1, accepted=1, sighted=1)

    def test_csv(self, hub: Commands, tmp_path: Path) -> None:
        path = tmp_path / "feed.csv"
        path.write_text(
            "type,indicator,classification\ndomain,one-bad.com,scam\nipv4,1.1.1.300,scam\nipv4,45.67.89.13,scam\n"
        )
        found = hub("import", path, "--source", "csv", "--json", code=3).document
        assert found["format"] == "csv"
        counted(found, read=3, accepted=2, new=2, refused=1)
        assert found["indicators"] == {"domain": 1, "ipv4": 1}
        assert found["reasons"][0]["value"] == "1.1.1.300"
        assert "row 3" in found["reasons"][0]["where"]

    def test_stix(self, hub: Commands, tmp_path: Path) -> None:
        objects = [
            indicator(1, "[domain-name:value = 'stix-bad.com'] OR [ipv4-addr:value = '45.67.89.14']"),
            indicator(2, "[domain-name:value = 'oops"),
            {"type": "indicator"},
            17,
        ]
        path = tmp_path / "bundle.json"
        path.write_text(json.dumps({"type": "bundle", "id": BUNDLE, "objects": objects}))
        found = hub("import", path, "--source", "stix", "--json", code=3).document
        assert found["format"] == "stix"
        counted(found, read=4, accepted=1, new=1, refused=3)
        assert found["indicators"] == {"domain": 1, "ipv4": 1}
        assert [reason["where"] for reason in found["reasons"]] == ["objects[1]", "objects[2]", "objects[3]"]
        assert "pattern" in found["reasons"][0]["reason"]
        again = hub("import", path, "--source", "stix", "--json", code=3).document
        counted(again, read=4, accepted=1, unchanged=1, refused=3)

    def test_a_report(self, open_hub: Commands) -> None:
        found = open_hub("import", EXAMPLES / "report.json", "--source", "report-fraud", "--json").document
        assert found["format"] == "report"
        counted(found, read=1, accepted=1, new=1)
        # Of the IBAN and the account it stands for, the narrative's second domain, the handle.
        assert found["indicators"] == {
            "domain": 1, "url": 1, "email": 1, "phone": 2, "iban": 1, "bank-account": 1, "social-handle": 1,
        }  # fmt: skip
        again = open_hub("import", EXAMPLES / "report.json", "--source", "action-fraud", "--json").document
        counted(again, read=1, accepted=1, unchanged=1)

    def test_reports_as_csv(self, open_hub: Commands, tmp_path: Path) -> None:
        whole = (EXAMPLES / "reports.csv").read_text()
        found = open_hub("import", EXAMPLES / "reports.csv", "--source", "police", "--json").document
        assert found["format"] == "report"
        assert found["read"] == found["accepted"] == found["new"] >= 2
        adds_up(found)
        path = tmp_path / "reports.csv"
        path.write_text(whole.replace(",1H,", ",99Z,", 1))
        found = open_hub("import", path, "--source", "police", "--json", code=3).document
        assert found["refused"] == 1
        assert found["unchanged"] == found["accepted"] == found["read"] - 1
        assert "nfib_code" in found["reasons"][0]["reason"]

    def test_packed(self, hub: Commands, tmp_path: Path) -> None:
        path = tmp_path / "list.txt.gz"
        path.write_bytes(gzip.compress(b"packed-bad.com\n"))
        counted(hub("import", path, "--source", "gz", "--json").document, read=1, accepted=1, new=1)


class TestNothingRead:
    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"", "empty"),
            (b"# only a comment\n", "nothing"),
            (b"\x00\x01\x02\x03" * 100, "format"),
            (b'{"type": "bundle", "id": "' + BUNDLE.encode() + b'", "objects": [{"type": ', "line 1 column"),
            (b'{"type": "bundle", "id": "' + BUNDLE.encode() + b'", "objects": []}', "nothing"),
            (b"[" * 20_000 + b'"type": "bundle"', "depth"),
            (b"\x1f\x8b\x08\x00damaged", "gzip"),
        ],
    )
    def test_says_why(self, hub: Commands, tmp_path: Path, content: bytes, reason: str) -> None:
        path = tmp_path / "in.dat"
        path.write_bytes(content)
        ended = hub("import", path, "--source", "nothing", "--json", code=1)
        counted(ended.document)
        [given] = ended.document["reasons"]
        assert reason in given["reason"].lower(), given

    def test_the_place_in_truncated_json(self, hub: Commands, tmp_path: Path) -> None:
        path = tmp_path / "in.json"
        path.write_text('{"type": "bundle",\n "objects": [\n  {"type": ')
        [given] = hub("import", path, "--source", "x", "--json", code=1).document["reasons"]
        assert "line 3" in given["reason"], given

    def test_binary_for_a_list(self, hub: Commands, tmp_path: Path) -> None:
        path = tmp_path / "in.dat"
        path.write_bytes(b"good.com\n\x00\x00")
        [given] = hub("import", path, "--source", "x", "--format", "list", "--json", code=1).document["reasons"]
        assert "binary" in given["reason"]

    def test_a_bomb(self, hub: Commands, tmp_path: Path) -> None:
        path = tmp_path / "bomb.gz"
        path.write_bytes(gzip.compress(b"\n" * 300_000_000, 9))
        [given] = hub("import", path, "--source", "x", "--json", code=1).document["reasons"]
        assert "archive" in given["reason"]

    def test_too_large(self, hub: Commands, tmp_path: Path) -> None:
        path = tmp_path / "large.txt"
        with path.open("wb") as file:
            file.truncate(209_715_201)
        ended = hub("import", path, "--source", "x", "--json", code=1)
        assert "larger" in ended.err
        assert ended.out == ""


class TestOptions:
    def test_unknown_names(self, hub: Commands, tmp_path: Path) -> None:
        path = tmp_path / "list.txt"
        path.write_text("45.67.89.11\n")
        for options, said in (
            (["--collection", "nowhere"], "hub: there is no collection 'nowhere'"),
            (["--group", "nobody"], "hub: there is no sharing group named 'nobody'"),
        ):
            ended = hub("import", path, "--source", "x", *options, "--json", code=1)
            assert ended.out == ""
            assert ended.err.splitlines()[0] == said
            assert len(ended.err.splitlines()) == 2, "the reason, then the advice"
        assert "tlp" in hub("import", path, "--source", "x", "--tlp", "blue", code=2).err.lower()
        assert "source" in hub("import", path, code=2).err
        assert "nothere" in hub("import", tmp_path / "nothere", "--source", "x", code=2).err
        assert "source" in hub("import", path, "--source", "", code=1).err

    def test_collection_tlp_and_group(self, open_hub: Commands, tmp_path: Path) -> None:
        path = tmp_path / "list.txt"
        path.write_text("options.example\n")
        added = open_hub("collection", "add", "mine", "--title", "Mine", "--read", "members", "--json").document
        options = ("--collection", "mine", "--tlp", "amber+strict", "--group", "banks")
        open_hub("import", path, "--source", "x", *options)
        database = open_hub.environment["HUB_DATABASE_URL"].removeprefix("sqlite:///")
        assert added["alias"] == "mine"
        question = """
            SELECT c.alias, v.tlp, g.name FROM entry e JOIN stream s ON s.id = e.stream_id
            JOIN visibility_class v ON v.id = s.class_id JOIN collection c ON c.no = e.collection_no
            JOIN visibility_class_group vg ON vg.class_id = v.id JOIN sharing_group g ON g.id = vg.group_id
            WHERE CAST(e.body AS TEXT) LIKE '%options.example%'"""
        assert ask(database, question) == [("mine", 3, "banks")]

    def test_for_people(self, hub: Commands, tmp_path: Path) -> None:
        path = tmp_path / "list.txt"
        path.write_text("people-bad.com\n" + "no value here\n" * 30)
        out = hub("import", path, "--source", "people", code=3).out
        assert "read 31" in out
        assert "refused 30" in out
        assert "domain" in out
        assert "and 10 more" in out


def ask(database: str, question: str) -> list[Any]:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(question).fetchall()


def test_a_progress_bar_on_a_terminal_and_one_document_on_standard_output(hub: Commands, tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("".join(f"host{n}.progress-bad.com\n" for n in range(2500)))
    terminal, end = pty.openpty()
    process = hub.start("import", path, "--source", "bar", "--json", stdout=subprocess.PIPE, stderr=end)
    os.close(end)
    shown = b""
    try:
        while part := os.read(terminal, 4096):
            shown += part
    except OSError:
        pass  # the other end is closed
    out, _ = process.communicate(timeout=60)
    os.close(terminal)
    assert process.returncode == 0
    counted(json.loads(out), read=2500, accepted=2500, new=2500)
    assert b"list.txt" in shown
    assert b"2500/2500" in shown


@pytest.mark.parametrize("name", FEEDS)
def test_a_real_feed(hub: Commands, shared_data: Path, name: str) -> None:
    ended = hub("import", shared_data / name, "--source", name, "--json", code=3 if name in WITH_REFUSALS else 0)
    assert ended.document["indicators"] == EXPECTED[name]
    adds_up(ended.document)
    assert ended.document["refused"] == WITH_REFUSALS.get(name, 0), ended.document["reasons"][:3]


# Rows that are no value at all, counted by eye.
WITH_REFUSALS: dict[str, int] = {}


@pytest.mark.parametrize("database_engine", ["postgresql"], indirect=True)
def test_real_feeds_on_postgresql(database_url: str, shared_data: Path, tmp_path: Path) -> None:
    hub = Commands(database_url, tmp_path)
    hub("init")
    name = "infoblox/csv/ameli_cta_20221118_iocs.csv"
    found = hub("import", shared_data / name, "--source", name, "--json").document
    assert found["indicators"] == EXPECTED[name]
    adds_up(found)
