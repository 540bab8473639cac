"""Every door of the console: which roles it lets in, asked for real with a session of each role.

``tests/golden/console_doors.json`` is the table: METHOD URL → "public", or the roles that come in. A new page needs a
new row; the failure shows it. What a role may do once inside is each page's own affair.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.routing import IntegerConverter, Rule

from hub.auth import Role
from hub.auth.permissions import MEMBER_ROLES
from hub.web.guard import Door, declared
from tests.live import LocalHub
from tests.people import Browser, add_person

TABLE = Path(__file__).parent.parent / "golden" / "console_doors.json"
PUBLIC = "public"


def doors(hub: LocalHub) -> Iterator[tuple[str, Rule]]:
    """(method, rule) of every URL of the console; signing out comes last."""
    found = [(method, rule) for rule in hub.app.url_map.iter_rules() for method in rule.methods or ()]
    for method, rule in sorted(found, key=lambda door: ("sign-out" in str(door[1]), str(door[1]), door[0])):
        if str(rule).startswith("/console") and method in ("GET", "POST"):
            yield method, rule


@pytest.fixture(scope="module")
def browsers(local_hub: LocalHub) -> dict[str, Browser]:
    """A person of each role, signed in."""
    found = {}
    for role in Role:
        member = local_hub.add_member(f"Bank of {role}").member_id if role in MEMBER_ROLES else None
        found[role.value] = Browser(local_hub).sign_in(add_person(local_hub, f"{role}@doors.test", [role], member))
    return found


def path_of(rule: Rule) -> str:
    """An address of the rule, its parts filled with what does not exist."""
    values: dict[str, Any] = {
        name: 999999 if isinstance(converter, IntegerConverter) else "no-such"
        for name, converter in rule._converters.items()
    }
    built = rule.build(values, append_unknown=False)
    assert built is not None
    return str(built[1])


def lets_in(hub: LocalHub, browser: Browser, method: str, rule: Rule) -> bool:
    """Whether the door opens: not "sign in", not "your roles do not cover this"."""
    answer = browser.client.open(path_of(rule), method=method)
    assert answer.status_code < 500, f"{method} {rule}: {answer.status_code}"
    if method == "POST":
        assert answer.status_code in (303, 400, 403), f"{method} {rule} takes a form without its token"
    return answer.status_code != 403 and "/console/sign-in" not in (answer.location or "")


def test_each_door_lets_in_whom_it_should(local_hub: LocalHub, browsers: dict[str, Browser]) -> None:
    """The golden table, in full."""
    table: dict[str, Any] = json.loads(TABLE.read_text())
    found: dict[str, Any] = {}
    for method, rule in doors(local_hub):
        if declared(local_hub.app.view_functions[rule.endpoint]) is Door.PUBLIC:
            found[f"{method} {rule}"] = PUBLIC
        else:
            opened = {role: lets_in(local_hub, browser, method, rule) for role, browser in browsers.items()}
            found[f"{method} {rule}"] = " ".join(role for role, opens in opened.items() if opens)
    wrong = {door: row for door, row in found.items() if table.get(door) != row}
    assert not wrong, f"these rows are not those of {TABLE.name}:\n{json.dumps(wrong, indent=1)}"
    assert sorted(table) == sorted(found), "the table has rows for doors that are gone"


def test_nobody_comes_in_without_a_session(local_hub: LocalHub) -> None:
    """Every door that is not public leads to the sign-in page, also with an API credential."""
    member = local_hub.add_member("Machine", roles=[role.value for role in MEMBER_ROLES])
    for method, rule in doors(local_hub):
        if declared(local_hub.app.view_functions[rule.endpoint]) is not Door.PUBLIC:
            for who in (None, member):
                answer = local_hub.request(method, path_of(rule), who)
                assert answer.status_code == 303, f"{method} {rule}"
                assert answer.location.startswith("/console/sign-in")
