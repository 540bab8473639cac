"""``hub member``, ``hub group`` and ``hub collection``, and what the command says when something is wrong."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from hub.audit.records import AuditEvent
from hub.db import Database
from hub.members import corporate
from tests.commands import Commands
from tests.engines import SQLite
from tests.live import TestMember, local

SHOWN = {"member_id", "name", "kind", "status", "clearance", "roles", "groups", "anonymous", "identity_ref"}


@pytest.fixture(scope="module")
def hub(sqlite: SQLite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    with sqlite.migrated() as url:
        commands = Commands(url, tmp_path_factory.mktemp("members"), HUB_BASE_URL="http://localhost")
        commands("init")
        commands("group", "add", "banks")
        yield commands


def refused(hub: Commands, *arguments: str, code: int = 1) -> str:
    """What the command says on standard error, the first line unless the usage is wrong; nothing else is said."""
    ended = hub(*arguments, code=code)
    assert ended.out == ""
    assert "Traceback" not in ended.err
    return ended.err if code == 2 else ended.err.splitlines()[0]


def add(hub: Commands, name: str, *options: str) -> dict[str, Any]:
    made: dict[str, Any] = hub(
        "member", "add", name, "--kind", "bank", "--clearance", "amber", *options, "--json"
    ).document
    return made


def test_init_is_safe_to_repeat(hub: Commands) -> None:
    assert hub("init").out == ""


def test_a_member(hub: Commands) -> None:
    made = add(hub, "First Bank", "--group", "banks", "--role", "contributor", "--role", "reader")
    assert set(made) == {"member_id", "identity_ref", "username", "token"}
    uuid.UUID(made["member_id"])
    assert made["identity_ref"].startswith("identity--")
    assert len(made["token"]) > 40
    shown = hub("member", "show", made["member_id"], "--json").document
    assert shown == {
        "member_id": made["member_id"], "name": "First Bank", "kind": "bank", "status": "active", "clearance": "amber",
        "roles": ["contributor", "reader"], "groups": ["banks"], "anonymous": False,
        "identity_ref": made["identity_ref"],
    }  # fmt: skip
    assert hub("member", "show", "First Bank", "--json").document == shown
    listed = hub("member", "list", "--json").document
    assert [one for one in listed if one["member_id"] == made["member_id"]] == [shown]
    assert all(set(one) == SHOWN for one in listed)
    for text in (hub("member", "list").out, hub("member", "show", "First Bank").out, str(shown)):
        assert made["token"] not in text
    assert "First Bank" in hub("member", "list").out


def test_a_member_of_a_corporate_group(hub: Commands) -> None:
    by_name = add(hub, "Offshoot Bank", "--parent", "Example Holdings plc")
    by_number = add(hub, "Other Offshoot", "--parent", "Exampel Group", "--parent-number", "00123456")
    same = add(hub, "Third Offshoot", "--parent-number", "123456")
    alone = add(hub, "Example")  # what the first one's parent is called, less its legal words
    with closing(Database(hub.environment["HUB_DATABASE_URL"])) as database, database.reading() as session:
        related = {
            one["member_id"]: set(session.scalars(corporate.related(one["member_id"])))
            for one in (by_name, by_number, same, alone)
        }
        events = select(AuditEvent.subject).where(AuditEvent.action == "member:corporate-group")
        assert set(session.scalars(events)) == {one["member_id"] for one in (by_name, by_number, same)}
    assert related[by_name["member_id"]] == {alone["member_id"]}
    assert related[by_number["member_id"]] == {same["member_id"]}


def test_suspend_and_resume(hub: Commands, tmp_path: Path) -> None:
    made = add(hub, "Turned Bank")
    member = TestMember("Turned Bank", **made)
    url, folder = hub.environment["HUB_DATABASE_URL"], Path(hub.environment["HUB_DATA_DIR"])
    with local(url, folder) as served:
        assert served.get("/taxii2/", member).status_code == 200
        assert hub("member", "suspend", made["member_id"], "--reason", "a test").out == "Suspended Turned Bank\n"
        assert served.get("/taxii2/", member).status_code == 401
        assert hub("member", "show", "Turned Bank", "--json").document["status"] == "suspended"
        assert "suspended" in refused(hub, "member", "suspend", "Turned Bank")
        assert hub("member", "resume", "Turned Bank", "--json").document["status"] == "active"
        assert served.get("/taxii2/", member).status_code == 200
        assert "active" in refused(hub, "member", "resume", "Turned Bank")
        found = served.hub.database.select("SELECT COUNT(*) FROM audit_event WHERE action = 'member:status'")
        assert found == [(2,)]


def test_what_is_unknown(hub: Commands) -> None:
    for verb in ("show", "suspend", "resume"):
        assert refused(hub, "member", verb, "Nobody") == "hub: there is no member 'Nobody'"
    assert "no sharing group named 'insurers'" in refused(
        hub, "member", "add", "Lost", "--kind", "bank", "--clearance", "green", "--group", "insurers"
    )
    assert "Lost" not in hub("member", "list").out, "what is refused leaves nothing behind"
    for wrong in (("--kind", "shop"), ("--clearance", "blue"), ("--role", "king")):
        options = {"--kind": "bank", "--clearance": "green"} | dict([wrong])
        line = refused(hub, "member", "add", "Lost", *(part for option in options.items() for part in option), code=2)
        assert wrong[0] in line or wrong[1] in line
    assert "kind" in refused(hub, "member", "add", "Lost", "--clearance", "green", code=2)


def test_names(hub: Commands) -> None:
    add(hub, "Once Only")
    options = ("--kind", "bank", "--clearance", "green")
    assert "exists already" in refused(hub, "member", "add", "Once Only", *options)
    assert "name" in refused(hub, "member", "add", " ", *options)
    assert "name" in refused(hub, "member", "add", "two\nlines", *options)
    assert "exists already" in refused(hub, "group", "add", "banks")
    assert "name" in refused(hub, "group", "add", "")


def test_a_group(hub: Commands) -> None:
    made = hub("group", "add", "telcos", "--json").document
    assert made["name"] == "telcos"
    assert set(made) == {"id", "name"}


class TestCollections:
    def test_add(self, hub: Commands) -> None:
        member = add(hub, "Collection Bank")
        made = hub(
            "collection", "add", "special", "--title", "Special", "--read", "group:banks", "--read",
            f"member:{member['member_id']}", "--write", "role:contributor", "--default-tlp", "green", "--json",
        ).document  # fmt: skip
        assert set(made) == {"id", "alias"}
        uuid.UUID(made["id"])
        listed = hub("collection", "list", "--json").document
        assert {one["alias"] for one in listed} >= {"fraud", "cyber", "sightings", "shared", "vocabulary", "special"}
        [shown] = [one for one in listed if one["alias"] == "special"]
        assert shown == {"id": made["id"], "alias": "special", "title": "Special", "default_tlp": "green"}
        assert "special" in hub("collection", "list").out
        # An empty audience reads nothing, the named ones do.
        hub("collection", "add", "closed", "--title", "Closed", "--read", "none")
        url, folder = hub.environment["HUB_DATABASE_URL"], Path(hub.environment["HUB_DATA_DIR"])
        with local(url, folder) as served:
            other = TestMember("Other", **add(hub, "Other Collection Bank"))
            assert served.get("/taxii2/plain/collections/special/", TestMember("x", **member)).status_code == 200
            assert served.get("/taxii2/plain/collections/special/", other).status_code == 404
            assert served.get("/taxii2/plain/collections/closed/", other).status_code == 404

    def test_refused(self, hub: Commands) -> None:
        title = ("--title", "T")
        assert "exists already" in refused(hub, "collection", "add", "fraud", *title)
        assert "alias" in refused(hub, "collection", "add", "with space", *title)
        assert "audience" in refused(hub, "collection", "add", "new", *title, "--read", "everyone")
        assert "audience" in refused(hub, "collection", "add", "new", *title, "--read", "role:king")
        assert "sharing group" in refused(hub, "collection", "add", "new", *title, "--read", "group:nowhere")
        assert "no member" in refused(hub, "collection", "add", "new", *title, "--write", "member:nobody")
        assert "new" not in [one["alias"] for one in hub("collection", "list", "--json").document]


class TestWrongSettings:
    """One clear line, whatever is wrong."""

    @pytest.mark.parametrize(
        ("variable", "value", "said"),
        [
            ("HUB_TAXII__MAX_PAGE", "many", "taxii.max_page"),
            ("HUB_UNKNOWN", "1", "HUB_UNKNOWN"),
            ("HUB_DATABASE_URL", "nonsense", "database_url"),
            ("HUB_DATABASE_URL", "mysql://x/y", "database_url"),
            ("HUB_DATABASE_URL", "postgresql://postgres@127.0.0.1:1/none?connect_timeout=2", "cannot be reached"),
            ("HUB_DATA_DIR", "/dev/null/below", "/dev/null"),
            ("HUB_CONFIG", "/nowhere", "HUB_CONFIG"),
        ],
    )
    def test_init(self, tmp_path: Path, variable: str, value: str, said: str) -> None:
        hub = Commands(f"sqlite:///{tmp_path / 'x.db'}", tmp_path, **{variable: value})
        ended = hub("init", code=1)
        assert said in ended.err.splitlines()[0]
        assert ended.err.startswith("hub: ")
        assert len(ended.err.splitlines()) <= 2

    def test_before_init(self, empty_database_url: str, tmp_path: Path) -> None:
        hub = Commands(empty_database_url, tmp_path)
        ended = hub.apart("member", "list", code=1)
        assert ended.err.splitlines() == ["hub: the hub is not prepared", "     Run: hub init"]

    def test_in_a_process_of_its_own(self, tmp_path: Path) -> None:
        ended = Commands(f"sqlite:///{tmp_path / 'x.db'}", tmp_path, HUB_LOG__LEVEL="loud").apart("serve", code=1)
        assert ended.err.startswith("hub: log.level: ")
        assert len(ended.err.splitlines()) == 1
