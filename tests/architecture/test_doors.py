"""Every door: each URL and method says who may come in, and lets exactly those in.

``tests/golden/doors.json`` is the table: METHOD URL → who → status, for each role alone, for nobody (no
credential) and for a suspended member. The requests are well-formed but for the bodies of POSTs, which are empty:
400 means that the one who asks got past the door. A new URL needs a new row; the failure shows it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.routing import Rule

from hub.auth import Permission, Role
from hub.web.guard import Door, declared
from tests.live import LocalHub, TestMember
from tests.objects import indicator

TABLE = Path(__file__).parent.parent / "golden" / "doors.json"
SHARED = "/taxii2/plain/collections/shared/objects/"
CONTENT_TYPES = {
    "/taxii2/": "application/taxii+json;version=2.1",
    "/taxii/": "application/vnd.oasis.stix+json;version=2.0",
}
NOBODY, SUSPENDED = "nobody", "suspended"


def doors(hub: LocalHub) -> Iterator[tuple[str, Rule]]:
    """(method, rule) of every URL for machines, those that take something away last; HEAD goes with GET.

    The console knows people, not credentials, and has a table of its own.
    """
    rules = [rule for rule in hub.app.url_map.iter_rules() if not str(rule).startswith("/console")]
    found = [(method, rule) for rule in rules for method in rule.methods or ()]
    for method, rule in sorted(found, key=lambda door: (door[0] == "DELETE", str(door[1]), door[0])):
        if method != "HEAD":
            yield method, rule


@pytest.fixture(scope="module")
def people(local_hub: LocalHub) -> dict[str, tuple[TestMember | None, str, str]]:
    """Who asks: (member, an object in the shared collection, a status), its own where it may add any."""
    found: dict[str, tuple[TestMember | None, str, str]] = {}
    first = local_hub.get(SHARED, local_hub.add_member("Somebody"), query_string={"limit": 1})
    hubs_own = first.get_json(force=True)["objects"][0]["id"]
    for role in (*(one.value for one in Role), SUSPENDED):
        member = local_hub.add_member(role, groups=["g"], roles=[Role.CONTRIBUTOR.value if role == SUSPENDED else role])
        own = indicator(role)
        answer = local_hub.post(SHARED, member, [own])
        local_hub.work()
        accepted = answer.status_code == 202
        status = answer.get_json(force=True)["id"] if accepted else "6f1c2a54-5d0e-4a7c-9d6f-3a1b0c9e8d77"
        found[role] = (member, own["id"] if accepted else hubs_own, status)
    suspended = found[SUSPENDED][0]
    assert suspended is not None
    local_hub.suspend(suspended)
    return {**found, NOBODY: (None, hubs_own, "6f1c2a54-5d0e-4a7c-9d6f-3a1b0c9e8d77")}


def ask(hub: LocalHub, method: str, rule: Rule, who: tuple[TestMember | None, str, str]) -> int:
    """The status of one request; HEAD must say the same as GET."""
    member, object_id, status = who
    values = {
        "root": "plain", "version": "no-such-version", "collection": "shared", "stix_id": object_id,
        "submission": status, "submission_id": status, "reference": "no-such-report", "filing_id": "filing--none",
        "check_id": status, "job_id": status,
    }  # fmt: skip
    missing = set(rule.arguments) - set(values)
    assert not missing, f"{rule}: say in this test what to put for {missing}"
    path = rule.build({name: values[name] for name in rule.arguments}, append_unknown=False)[1]
    content_type = next((kind for prefix, kind in CONTENT_TYPES.items() if path.startswith(prefix)), "application/json")
    more = {"content_type": content_type} if method == "POST" else {}
    answer = hub.request(method, path, member, **more)
    if method == "GET":
        assert hub.request("HEAD", path, member).status_code == answer.status_code
    return answer.status_code


def test_every_view_declares_what_it_asks_for(local_hub: LocalHub) -> None:
    """VETTING and ARCHITECTURE, rule 7: a permission, any credential, or nothing, but said so."""
    for _, rule in doors(local_hub):
        needed = declared(local_hub.app.view_functions[rule.endpoint])
        assert isinstance(needed, Permission | Door), f"{rule} declares nothing: add @allow(…)"


def test_only_these_doors_stand_open(local_hub: LocalHub) -> None:
    """What anybody on the network may fetch."""
    public = {
        str(rule)
        for _, rule in doors(local_hub)
        if declared(local_hub.app.view_functions[rule.endpoint]) is Door.PUBLIC
    }
    table: dict[str, dict[str, int]] = json.loads(TABLE.read_text())
    assert public == {door.split()[1] for door, row in table.items() if row[NOBODY] == 200}


def test_each_door_lets_in_whom_it_should(local_hub: LocalHub, people: dict[str, Any]) -> None:
    """The golden table, in full."""
    table: dict[str, dict[str, int]] = json.loads(TABLE.read_text())
    found = {
        f"{method} {rule}": {name: ask(local_hub, method, rule, who) for name, who in people.items()}
        for method, rule in doors(local_hub)
    }
    wrong = {door: row for door, row in found.items() if table.get(door) != row}
    assert not wrong, f"these rows are not those of {TABLE.name}:\n{json.dumps(wrong, indent=1)}"
    assert sorted(table) == sorted(found), "the table has rows for doors that are gone"
