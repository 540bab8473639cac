"""People and keys, on both databases; and the pages on which an organisation keeps its own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import time_machine
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from werkzeug.test import TestResponse

from hub import clock
from hub.audit.records import AuditEvent
from hub.auth import Role
from hub.errors import Conflict, InvalidInput, NotFound
from hub.members import attestation, keys, people, sessions
from hub.members.people_records import OutgoingMessage, Person
from hub.members.sessions import Visit
from tests.engines import DatabaseEngine
from tests.live import LocalHub, local
from tests.people import Browser, add_person, text_of

TOKEN = re.compile(r'id="token">(hub_[\w-]+)<')
USERNAME = re.compile(r'value hub-mono">([\w-]+)</dd>')
INVITED = re.compile(r'href="/console/people/([0-9a-f-]{36})"[^>]*>Ola Finch<')
DAY = 86400


@pytest.fixture
def hub(database_engine: DatabaseEngine, tmp_path: Path) -> Iterator[LocalHub]:
    """A hub on each product in turn."""
    with database_engine.migrated() as url, local(url, tmp_path) as found:
        yield found


def add(hub: LocalHub, email: str, roles: list[str], member_id: str | None = None) -> Person:
    with hub.hub.database.unit_of_work() as session:
        return people.add(session, "operator", email, "Sam Reed", [Role(role) for role in roles], member_id)


def test_an_address_belongs_to_one_person(hub: LocalHub) -> None:
    assert add(hub, " Sam@Bank.TEST ", ["auditor"]).email == "sam@bank.test"
    with pytest.raises(Conflict):
        add(hub, "SAM@bank.test", ["auditor"])
    with pytest.raises(IntegrityError), hub.hub.database.unit_of_work() as session:
        session.execute(text("UPDATE person SET email = 'Sam@bank.test'"))
    with pytest.raises(InvalidInput):
        add(hub, "no address", ["auditor"])


def test_roles_fit_the_person(hub: LocalHub) -> None:
    member = hub.add_member("Fit Bank")
    for roles, member_id in ((["reader"], None), (["approver"], member.member_id), ([], None)):
        with pytest.raises(InvalidInput):
            add(hub, "fit@bank.test", roles, member_id)


def test_only_the_drawn_steps_are_taken(hub: LocalHub) -> None:
    person = add(hub, "steps@bank.test", ["auditor"])
    with hub.hub.database.unit_of_work() as session:
        kept = session.get_one(Person, person.id)
        for wrong in (people.ACTIVE, people.DORMANT, people.MFA_ENROLLED, people.INVITED):
            with pytest.raises(Conflict):
                people.move(session, kept, wrong, "operator")
        people.move(session, kept, people.DISABLED, "operator")
        with pytest.raises(Conflict):
            people.move(session, kept, people.ACTIVE, "operator")


def test_nobody_changes_themselves(hub: LocalHub) -> None:
    person = add_person(hub, "self@bank.test", ["administrator"])
    with hub.hub.database.unit_of_work() as session:
        kept = session.get_one(Person, person.person_id)
        for change in (
            lambda: people.set_roles(session, kept, [Role.APPROVER], kept.id),
            lambda: people.disable(session, kept, kept.id),
            lambda: people.reinstate(session, kept, kept.id),
        ):
            with pytest.raises(Conflict):
                change()


def test_sessions_on_both_databases(hub: LocalHub) -> None:
    person = add_person(hub, "both@bank.test", ["auditor"])
    limits = hub.settings.console
    with hub.hub.database.unit_of_work() as session:
        kept = session.get_one(Person, person.person_id)
        half = sessions.begin(session, kept, Visit("192.0.2.1", "x" * 900), limits)
        whole = sessions.complete(session, half, Visit("192.0.2.1", "x"), limits)
        assert sessions.resolve(session, whole, limits).complete
        with pytest.raises(Exception, match="not signed in"):
            sessions.resolve(session, half, limits)
        assert len(sessions.of_person(session, kept.id, limits)) == 1
        people.disable(session, kept, "operator")
        with pytest.raises(Exception, match="not signed in"):
            sessions.resolve(session, whole, limits)


def test_keys_from_the_first_to_the_last(hub: LocalHub) -> None:
    member, other = hub.add_member("Key Bank"), hub.add_member("Other Bank")
    database = hub.hub.database
    with time_machine.travel(clock.now(), tick=False) as time:
        with database.unit_of_work() as session:
            username, token = keys.issue(session, member.member_id, "p", "SIEM", 365)
            with pytest.raises(InvalidInput):
                keys.issue(session, member.member_id, "p", " ", None)
        first = {"Authorization": f"Bearer {token}"}
        assert hub.client.get("/taxii2/", headers=first).status_code == 200
        hub.app.extensions["hub"].key_uses.flush()
        with database.unit_of_work() as session:
            found = keys.find(session, member.member_id, username)
            assert (found.state, found.last_used_at) == ("active", clock.micros())
            with pytest.raises(NotFound):
                keys.find(session, other.member_id, username)
            successor, second = keys.rotate(session, member.member_id, "p", username, 7)
        both = [first, {"Authorization": f"Bearer {second}"}]
        assert [hub.client.get("/taxii2/", headers=one).status_code for one in both] == [200, 200]
        time.shift(7 * DAY + 1)
        assert [hub.client.get("/taxii2/", headers=one).status_code for one in both] == [401, 200]
        with database.unit_of_work() as session:
            assert keys.find(session, member.member_id, username).state == "expired"
            latest = keys.find(session, member.member_id, successor)
            assert latest.label == "SIEM"
            keys.revoke(session, member.member_id, "p", latest.username)
            for change in (
                lambda: keys.revoke(session, member.member_id, "p", username),
                lambda: keys.rotate(session, member.member_id, "p", latest.username, 7),
            ):
                with pytest.raises(Conflict):
                    change()
        assert [hub.client.get("/taxii2/", headers=one).status_code for one in both] == [401, 401]


def test_a_use_does_not_raise_the_epoch(hub: LocalHub) -> None:
    member = hub.add_member("Epoch Bank")
    before = hub.app.extensions["hub"].views.head().epoch
    assert hub.get("/taxii2/", member).status_code == 200
    hub.app.extensions["hub"].key_uses.flush()
    assert hub.hub.database.select("SELECT COUNT(*) FROM credential_use")[0][0] == 1
    assert hub.app.extensions["hub"].views.head().epoch == before


@pytest.mark.parametrize("word", ["%00", "x%00y", "%ed%a0%80", "%27%20OR%201=1", "../..", "9" * 400])
def test_odd_words_in_addresses_are_not_found(hub: LocalHub, word: str) -> None:
    member = hub.add_member("Odd Bank")
    browser = Browser(hub).sign_in(add_person(hub, "odd@bank.test", ["primary-contact"], member.member_id))
    for path in ("people", "keys", "submissions", "connection", "link"):
        assert browser.get(f"/console/{path}/{word}").status_code == 404
        assert browser.get(f"/console/{path}?before={word}&next={word}").status_code in (200, 404)
    token = browser.token("/console/account")
    for path in ("people/{}/end", "people/{}/roles", "keys/{}/revoke", "account/sessions/{}/end"):
        fields = {"csrf_token": token, "roles": "reader", "why": "\0\ud7ff"}
        assert browser.client.post(f"/console/{path.format(word)}", data=fields).status_code == 404
    for field in ("email", "password", "next"):
        fields = {"csrf_token": token, "email": "a@b.test", "password": "p", field: "\0'\u202e" * 50}
        assert browser.client.post("/console/sign-in", data=fields).status_code == 400
        assert browser.client.post("/console/forgotten", data=fields).status_code in (200, 400)


def test_the_contact_keeps_people_and_keys(local_hub: LocalHub) -> None:
    member = local_hub.add_member("Contact Bank")
    contact = add_person(local_hub, "contact@contact.test", ["primary-contact"], member.member_id, name="Jo Quill")
    browser = Browser(local_hub).sign_in(contact)
    assert "needs a primary contact and a deputy" in text_of(browser.get("/console/people"))
    nothing = browser.send("/console/people/invite", {})
    assert nothing.status_code == 400
    for message, field in (("full name", "name"), ("e-mail address", "email"), ("at least one role", "roles")):
        assert re.search(rf'<a href="#{field}">[^<]*{message}', nothing.text)
    fields = {"name": "Lee Marsh", "email": "lee@contact.test", "roles": ["reader", "approver"]}
    assert browser.send("/console/people/invite", fields).status_code == 303
    listed = browser.get("/console/people").text
    assert "Lee Marsh" in listed
    assert "approver" not in listed  # what the form does not offer is not taken
    assert browser.send("/console/people/invite", fields).status_code == 400
    person = re.search(r'href="(/console/people/[0-9a-f-]{36})">Lee Marsh', listed)[1]
    roles = {"roles": "contributor", "why": "new task"}
    assert browser.send(f"{person}/roles", roles, page=person).status_code == 303
    assert browser.send(f"{person}/end", page=person).status_code == 303
    assert "Disabled" in browser.get(person).text
    assert browser.send(f"{person}/invite", page=person).status_code == 303
    assert browser.send("/console/people/attest", page="/console/people").status_code == 303
    with local_hub.hub.database.reading() as session:
        assert not attestation.is_due(attestation.last(session, member.member_id))
    made = browser.send("/console/keys/new", {"label": "SIEM", "days": "90"})
    token, username = TOKEN.search(made.text)[1], USERNAME.search(made.text)[1]
    assert local_hub.get("/taxii2/", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    assert token not in browser.get(f"/console/keys/{username}").text
    rotated = browser.send(f"/console/keys/{username}/rotate", page=f"/console/keys/{username}")
    assert TOKEN.search(rotated.text)[1] != token
    assert browser.send(f"/console/keys/{username}/revoke", page=f"/console/keys/{username}").status_code == 303
    assert local_hub.get("/taxii2/", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_one_organisation_never_reaches_another(local_hub: LocalHub) -> None:
    ours, theirs = local_hub.add_member("Ours"), local_hub.add_member("Theirs")
    contact = add_person(local_hub, "contact@ours.test", ["primary-contact"], ours.member_id)
    person = add_person(local_hub, "person@theirs.test", ["reader"], theirs.member_id)
    browser = Browser(local_hub).sign_in(contact)
    unknown = "00000000-0000-4000-8000-000000000000"
    for found, missing in ((person.person_id, unknown), (theirs.username, "no-such-key")):
        part = "people" if found == person.person_id else "keys"
        answers = [browser.get(f"/console/{part}/{one}") for one in (found, missing)]
        assert [answer.status_code for answer in answers] == [404, 404]
        said = {re.sub(r"Request [0-9a-f]+", "", text_of(answer)) for answer in answers}
        assert len(said) == 1
    for path in (f"people/{person.person_id}/end", f"keys/{theirs.username}/revoke"):
        assert browser.send(f"/console/{path}", page="/console/account").status_code == 404
    assert browser.get("/console/staff").status_code == 403


def test_readers_look_and_change_nothing(local_hub: LocalHub) -> None:
    member = local_hub.add_member("Reading Bank")
    browser = Browser(local_hub).sign_in(add_person(local_hub, "r@reading.test", ["reader"], member.member_id))
    assert browser.get("/console/keys").status_code == browser.get("/console/people").status_code == 200
    assert "Make a key" not in browser.get("/console/keys").text
    for path in ("/console/keys/new", "/console/people/invite"):
        assert browser.get(path).status_code == 403
        assert browser.send(path, page="/console/account").status_code == 403


def test_submissions_and_connection(local_hub: LocalHub) -> None:
    from tests.objects import indicator

    member = local_hub.add_member("Sending Bank", roles=["reader", "contributor"])
    local_hub.add("/taxii2/plain/collections/shared/objects/", member, [indicator("connection")])
    local_hub.get("/taxii2/plain/collections/shared/objects/", member, headers={"User-Agent": "poller/1.0"})
    local_hub.app.extensions["hub"].disclosures.flush()
    contact = add_person(local_hub, "c@sending.test", ["primary-contact"], member.member_id)
    browser = Browser(local_hub).sign_in(contact)
    listed = browser.get("/console/submissions").text
    one = browser.get(re.search(r'href="(/console/submissions/[0-9a-f-]{36})"', listed)[1])
    assert "Success" in text_of(one)
    assert browser.get("/console/submissions?before=x").status_code == 200
    shown = text_of(browser.get("/console/connection"))
    assert "http://localhost/taxii2/" in shown
    assert "poller/1.0" in shown
    tools = re.findall(r'href="(/console/connection/[a-z0-9-]+)"', browser.get("/console/connection").text)
    assert len(tools) == 9
    for tool in tools:
        told = text_of(browser.get(tool))
        assert "http://localhost/taxii2/" in told
        assert not re.search(r"\{[a-z]+\}", told)
    assert browser.get("/console/connection/none").status_code == 404


def test_an_invitation_does_not_tell_whom_the_hub_knows(hub: LocalHub) -> None:
    other = hub.add_member("Other Bank")
    add_person(hub, "known@other.test", ["reader"], other.member_id)
    add_person(hub, "staff@hub.test", ["auditor"])
    addresses = ["fresh@asking.test", "known@other.test", "staff@hub.test"]
    told = []
    for number, address in enumerate(addresses):
        bank = hub.add_member(f"Asking Bank {number}")
        contact = add_person(hub, f"contact{number}@asking.test", ["primary-contact"], bank.member_id)
        browser = Browser(hub).sign_in(contact)
        fields = {"name": "Ola Finch", "email": address, "roles": ["reader"]}
        answer = browser.send("/console/people/invite", fields)
        listed = browser.get("/console/people")
        again = browser.send("/console/people/invite", fields)
        (path,) = INVITED.findall(listed.text)
        page = f"/console/people/{path}"
        shown = browser.get(page)
        roles = browser.send(f"{page}/roles", {"roles": ["contributor"]}, page=page)
        resent = browser.send(f"{page}/invite", page=page)
        notice = browser.get("/console/people")
        assert "elsewhere" not in listed.text + shown.text + notice.text + again.text
        ended = browser.send(f"{page}/end", page=page)
        seen = [answer, listed, again, shown, roles, resent, notice, ended, browser.get(page)]
        told.append([
            (one.status_code, (one.location or "").replace(path, "ID"), plain(one, address)) for one in seen
        ])  # fmt: skip
    assert told[0] == told[1] == told[2]
    with hub.hub.database.reading() as session:
        letters = session.scalars(select(OutgoingMessage).order_by(OutgoingMessage.created_at)).all()
        told_by = {}
        for one in letters:
            told_by.setdefault(one.recipient, []).append(
                hub.hub.vault.open(one.body, f"outgoing-message:{one.id}").decode()
            )
        events = select(AuditEvent).where(AuditEvent.action == "person:invite-known").order_by(AuditEvent.id)
        audited = [json.loads(one.detail)["after"] for one in session.scalars(events)]
    assert sorted(told_by) == sorted(addresses)
    assert "/console/link/" in told_by["fresh@asking.test"][0]
    for address in addresses[1:]:
        assert all("account here already" in one and "/console/link/" not in one for one in told_by[address])
    assert [one["member"] for one in audited] == [other.member_id, None]
    assert audited[-1]["asked_by_member"] == bank.member_id


def plain(answer: TestResponse, address: str) -> str:
    """What a page says, whoever asks and whoever it is about."""
    said = re.sub(r"\d\d:\d\d|contact\d|Bank \d", "…", text_of(answer))
    return said.replace(address, "ADDRESS")
