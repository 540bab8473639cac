"""Nobody raises or approves their own rights, and what one may not see tells nothing, not even by the work it takes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import time_machine
from sqlalchemy import event, select

from hub import clock
from hub.auth import Role
from hub.auth.permissions import MEMBER_ROLES, STAFF_ROLES
from hub.db import Database
from hub.members.people_records import OutgoingMessage, Person
from hub.members.records import Member
from hub.members.vetting import emergencies, grants
from hub.members.vetting.party import person as party_of
from tests.engines import DatabaseEngine
from tests.live import LocalHub, TestMember, local
from tests.objects import indicator
from tests.people import Browser, TestPerson, add_person, invite

OBJECTS = "/taxii2/plain/collections/shared/objects/"
GRANT = re.compile(r"/console/grants/(\d+)")


@pytest.fixture
def hub(database_engine: DatabaseEngine, tmp_path: Path) -> Iterator[LocalHub]:
    """A hub on each product in turn."""
    officer = {"data_protection_officer": "both@hub.test"}
    with database_engine.migrated() as url, local(url, tmp_path, vetting=officer) as found:
        yield found


def roles_of(hub: LocalHub, who: TestPerson) -> list[str]:
    with hub.hub.database.reading() as session:
        return list(session.get_one(Person, who.person_id).roles)


def test_nobody_gives_themselves_a_role(hub: LocalHub) -> None:
    """An administrator, a primary contact and everybody else, through every page that changes people."""
    member = hub.add_member("Own Bank", roles=["reader"])
    for role in Role:
        own = member.member_id if role in MEMBER_ROLES else None
        who = add_person(hub, f"{role}@own.test", [role], own)
        browser = Browser(hub).sign_in(who)
        wanted = sorted(each.value for each in (MEMBER_ROLES if own else STAFF_ROLES))
        for part in ("people", "staff"):
            path = f"/console/{part}/{who.person_id}"
            for action in ("roles", "invite", "end"):
                answer = browser.send(f"{path}/{action}", {"roles": wanted, "why": "more"}, page="/console/account")
                assert answer.status_code in (400, 403, 404, 409), (role, part, action, answer.status_code)
        assert roles_of(hub, who) == [role.value]


def test_a_primary_contact_gives_their_own_member_nothing(hub: LocalHub) -> None:
    """They may ask for a grant, not decide it; and no key carries more than the member has."""
    member = hub.add_member("Asking Bank", clearance="green", roles=["reader"])
    browser = Browser(hub).sign_in(add_person(hub, "contact@asking.test", ["primary-contact"], member.member_id))
    asked = {"kind": "clearance", "value": "amber", "purpose": "more", "days": "30", "lawful_basis": ""}
    assert browser.send("/console/membership/grants/new", asked).status_code == 303
    with hub.hub.database.reading() as session:
        (grant,) = grants.of_member(session, member.member_id)
    decision = {"verdict": "approve", "reason": "mine"}
    assert browser.send(f"/console/grants/{grant.id}", decision, page="/console/account").status_code == 403
    key = {"label": "k", "days": "30", "scopes": ["taxii:objects:write"]}
    assert browser.send("/console/keys/new", key).status_code == 400


def test_one_person_with_two_roles_is_one_voice(hub: LocalHub) -> None:
    """Who asked does not approve, whatever other roles they hold, and nobody is both voices for personal data."""
    member = hub.add_member("Two Hats Bank", clearance="green")
    both = Browser(hub).sign_in(add_person(hub, "both@hub.test", ["vetting-officer", "approver"]))
    asked = {"kind": "clearance", "value": "amber", "purpose": "more", "days": "30", "lawful_basis": ""}
    made = both.send(f"/console/grants/new/{member.member_id}", asked)
    path = made.location
    assert GRANT.search(path)
    assert both.send(path, {"verdict": "approve", "reason": "mine"}).status_code == 403
    other = party_of("other", [Role.VETTING_OFFICER], email="other@hub.test")
    with hub.hub.database.unit_of_work() as session:
        holder = session.get_one(Member, member.member_id)
        personal = grants.ask(
            session, holder, other, kind="personal-data", value="victims", purpose="p", days=1, lawful_basis="b"
        ).id
    path = f"/console/grants/{personal}"
    assert both.send(path, {"verdict": "approve", "reason": "as the officer of data"}).status_code == 303
    assert both.send(path, {"verdict": "approve", "reason": "and as approver"}).status_code in (400, 409)
    with hub.hub.database.reading() as session:
        assert grants.find(session, personal)[0].state == "requested"


def test_break_glass_is_told_ends_and_approves_nothing(hub: LocalHub) -> None:
    """A letter to each administrator, auditor and approver; over after its hours; never an approver's voice."""
    people = {role: add_person(hub, f"{role}@glass.test", [role]) for role in STAFF_ROLES}
    analyst = Browser(hub).sign_in(people[Role.ANALYST])
    taken = {"role": "administrator", "reason": "The house is on fire"}
    with time_machine.travel(clock.now(), tick=False) as time:
        assert analyst.get("/console/staff").status_code == 403
        assert analyst.send("/console/emergencies", {**taken, "role": "approver"}).status_code == 400
        assert analyst.send("/console/emergencies", taken).status_code == 303
        with hub.hub.database.reading() as session:
            found = session.scalars(select(OutgoingMessage).where(OutgoingMessage.subject.contains("emergency"))).all()
            told = {letter.recipient for letter in found}
            texts = [hub.hub.vault.open(one.body, f"outgoing-message:{one.id}").decode() for one in found]
        assert told == {f"{role}@glass.test" for role in ("administrator", "auditor", "approver")}
        assert all("The house is on fire" in text for text in texts)
        assert analyst.get("/console/staff").status_code == 200
        own = f"/console/staff/{people[Role.ANALYST].person_id}/roles"
        assert analyst.send(own, {"roles": ["approver"], "why": "x"}, page="/console/account").status_code in (400, 409)
        assert analyst.send("/console/emergencies", taken).status_code in (400, 409), "one at a time"
        with hub.hub.database.reading() as session:
            emergency = emergencies.unreviewed(session)[0].id
        review = f"/console/emergencies/{emergency}/review"
        assert analyst.send(review, {"findings": "fine"}, page="/console/emergencies").status_code == 403
        time.shift(hub.settings.vetting.break_glass_hours * 3600)
        again = Browser(hub).sign_in(people[Role.ANALYST])
        assert again.get("/console/staff").status_code == 403
        assert roles_of(hub, people[Role.ANALYST]) == ["analyst"]


# What is hidden, forbidden and absent.


def statements(database: Database) -> list[str]:
    """The statements that a process sends from here on, on both ways in."""
    sent: list[str] = []
    plain = database.select

    def counted(sql: str, parameters: Any = ()) -> Any:
        sent.append(sql)
        return plain(sql, parameters)

    database.select = counted  # type: ignore[method-assign] # for this test's own hub
    event.listen(database.engine, "before_cursor_execute", lambda *call: sent.append(call[2]))
    return sent


def same_work(hub: LocalHub, ask: Any, one: str, other: str) -> tuple[Any, Any]:
    """The answers for two ids, which cost the very same statements; asked once before, so that caches are warm."""
    sent = statements(hub.app.extensions["hub"].database)
    ask(one), ask(other)
    found = []
    for each in (one, other):
        sent.clear()
        answer = ask(each)
        found.append((answer, list(sent)))
    assert found[0][1] == found[1][1]
    return found[0][0], found[1][0]


def told(answer: Any) -> tuple[int, str, list[str]]:
    """What an answer tells, without what names the request."""
    text = re.sub(r"[0-9a-f]{16}|[a-z-]+--[0-9a-f-]{36}|[0-9a-f-]{36}", "", answer.text)
    return answer.status_code, text, sorted(answer.headers.keys())


@pytest.fixture
def hidden(hub: LocalHub) -> tuple[TestMember, str]:
    """(a reader, the id of an object that it may not see)."""
    banks = hub.add_member("Banks", groups=["banks"], roles=["contributor"])
    assert hub.add(OBJECTS, banks, [indicator("hidden")])["success_count"] == 1
    return hub.add_member("Outsider", roles=["contributor"]), indicator("hidden")["id"]


@pytest.mark.parametrize(
    "path", ["objects/{}/", "objects/{}/versions/", "manifest/?match[id]={}", "objects/?match[id]={}"]
)
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_what_is_hidden_costs_what_is_absent_costs(
    hub: LocalHub, hidden: tuple[TestMember, str], path: str, method: str
) -> None:
    """The same answer after the same statements: neither the words nor the time tell that it is there."""
    reader, stix_id = hidden
    if method == "DELETE" and path != "objects/{}/":
        return
    base = "/taxii2/plain/collections/shared/"
    answers = same_work(
        hub, lambda one: hub.request(method, base + path.format(one), reader), stix_id, indicator(0)["id"]
    )
    assert told(answers[0]) == told(answers[1])
    assert answers[0].status_code in (200, 404)


def test_a_hidden_collection_costs_what_an_absent_one_costs(hub: LocalHub, hidden: tuple[TestMember, str]) -> None:
    reader, _ = hidden
    closed = hub.add_collection("closed", read=["group:999"], write=[])
    unknown = "6f1c2a54-5d0e-4a7c-9d6f-3a1b0c9e8d77"
    for part in ("", "objects/", "manifest/"):
        ask = lambda one, part=part: hub.get(f"/taxii2/plain/collections/{one}/{part}", reader)  # noqa: E731 (short)
        answers = same_work(hub, ask, closed, unknown)
        assert told(answers[0]) == told(answers[1])
        assert answers[0].status_code == 404


def test_a_forbidden_door_does_not_look_behind_itself(hub: LocalHub) -> None:
    """403 falls before anything is looked up: a page that is there costs and says what one that is not does."""
    member = hub.add_member("Seen Bank")
    colleague = add_person(hub, "colleague@seen.test", ["reader"], member.member_id)
    browser = Browser(hub).sign_in(add_person(hub, "reader@seen.test", ["reader"], member.member_id))
    for path in ("/console/staff/{}", "/console/members/{}", "/console/grants/new/{}"):
        for known in (colleague.person_id, member.member_id):
            ask = lambda one, path=path: browser.get(path.format(one))  # noqa: E731 (short)
            answers = same_work(hub, ask, known, "6f1c2a54-5d0e-4a7c-9d6f-3a1b0c9e8d77")
            assert told(answers[0]) == told(answers[1])
            assert answers[0].status_code in (403, 404)


def test_links_of_letters_tell_nothing(hub: LocalHub) -> None:
    """An invitation that was never made, one that is used, and one that has run out read alike."""
    used, late, sleeping = (invite(hub, f"{n}@links.test", ["auditor"]) for n in ("used", "late", "sleeping"))
    paths = [link.replace(hub.settings.base_url, "") for link in (used, late, sleeping)]
    with time_machine.travel(clock.now(), tick=False) as time:
        fields = {"password": "a-long-enough-passphrase", "again": "a-long-enough-passphrase"}
        assert Browser(hub).send(paths[0], fields).status_code in (303, 400)
        time.shift(hub.settings.console.invitation_days * 86_400 + 1)
        answers = [Browser(hub).get(path) for path in (paths[1], re.sub(r"[^/]{20,}$", "x" * 43, paths[1]))]
        assert {answer.status_code for answer in answers} == {404}
        said = {
            re.sub(r"[0-9a-f]{16}", "", answer.text).replace("x" * 43, "").replace(paths[1].rsplit("/", 1)[1], "")
            for answer in answers
        }
        assert len({re.sub(r"(nonce|value|csrf)[^>]*", "", one) for one in said}) == 1


@pytest.mark.parametrize(
    "onward",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "/console/../../evil", "/console/%2E%2e/taxii2/",
     "javascript:alert(1)",
     "/console//evil.example", "/taxii2/", "/console/\r\nLocation: https://evil.example", "/console@evil.example"],
)  # fmt: skip
def test_signing_in_leads_nowhere_else(hub: LocalHub, onward: str) -> None:
    """No open redirect: whatever ``next`` says, one ends on a page of the console."""
    who = add_person(hub, "onward@hub.test", ["auditor"])
    browser = Browser(hub)
    with_next = browser.client.get("/console/sign-in", query_string={"next": onward})
    assert "evil.example" not in re.sub(r'value="[^"]*"', "", with_next.text)
    first = browser.client.post(
        "/console/sign-in", query_string={"next": onward},
        data={"csrf_token": re.search(r'name="csrf_token" value="([0-9a-f]+)"', with_next.text)[1],
              "email": who.email, "password": "three-random-words", "next": onward},
    )  # fmt: skip
    assert first.status_code == 303
    page = browser.client.get(first.location)
    last = browser.client.post(
        first.location,
        data={"csrf_token": re.search(r'name="csrf_token" value="([0-9a-f]+)"', page.text)[1], "code": who.code,
              "next": onward},
    )  # fmt: skip
    assert last.status_code == 303
    assert re.fullmatch(r"/console/(?!/)[a-z/-]*", last.location), last.location
