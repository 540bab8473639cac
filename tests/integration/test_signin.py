"""Signing in to the console: invitation, password, second factor, lock-out, sessions, sign-out."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

import pyotp
import pytest
import time_machine
from sqlalchemy import select

from hub import clock
from hub.audit.records import AuditEvent
from hub.members import people
from hub.members.outbox import Outbox
from hub.members.people_records import BrowserSession, Person
from tests.live import LocalHub
from tests.people import COOKIE, PASSWORD, Browser, add_person, invite, text_of

SECRET = re.compile(r'hub-mono">([A-Z2-7 ]+)<')
SEALED = re.compile(r'name="sealed" value="([0-9a-f]+)"')
CODE = re.compile(r"<li>([a-z0-9]{5}-[a-z0-9]{5})</li>")


@pytest.fixture
def browser(local_hub: LocalHub) -> Browser:
    return Browser(local_hub)


def path_of(link: str) -> str:
    return link.removeprefix("http://localhost")


def events(hub: LocalHub, subject: str) -> list[str]:
    with hub.hub.database.reading() as session:
        return list(
            session.scalars(select(AuditEvent.action).where(AuditEvent.subject == subject).order_by(AuditEvent.id))
        )


def test_from_invitation_to_overview(local_hub: LocalHub, browser: Browser) -> None:
    link = path_of(invite(local_hub, "First.Officer@bank.test", ["vetting-officer"], name="Kim Hale"))
    assert browser.get(link).status_code == browser.get(link).status_code == 200  # looking uses nothing up
    answer = browser.send(link, {"password": PASSWORD, "again": PASSWORD})
    assert (answer.status_code, answer.location) == (303, "/console/sign-in/code")
    assert browser.get("/console/").status_code == 303  # a password alone opens nothing
    assert browser.get("/console/sign-in/code").location == "/console/enrol"
    shown = browser.get("/console/enrol")
    secret = SECRET.search(shown.text)[1].replace(" ", "")
    sealed = SEALED.search(shown.text)[1]
    wrong = browser.send("/console/enrol", {"sealed": sealed, "code": "12345x"})
    assert wrong.status_code == 400
    assert "Check the time of your phone" in text_of(wrong)
    kept = browser.send("/console/enrol", {"sealed": sealed, "code": pyotp.TOTP(secret).now()})
    assert len(set(CODE.findall(kept.text))) == 10
    home = browser.get("/console/")
    assert home.status_code == 200
    assert "Kim Hale" in home.text
    gone = Browser(local_hub).get(link)
    assert gone.status_code == 404
    with local_hub.hub.database.reading() as session:
        person = people.by_email(session, "first.officer@BANK.test")
        assert person.email == "first.officer@bank.test"
        assert person.status == people.ACTIVE
    assert events(local_hub, person.id) == [
        "person:invite", "person:status", "person:password", "person:status", "person:status", "session:begin",
    ]  # fmt: skip


def test_the_link_of_another_person_cannot_carry_ones_secret(local_hub: LocalHub) -> None:
    first, second = Browser(local_hub), Browser(local_hub)
    for browser, email in ((first, "one@seal.test"), (second, "two@seal.test")):
        browser.send(path_of(invite(local_hub, email, ["auditor"])), {"password": PASSWORD, "again": PASSWORD})
    shown = first.get("/console/enrol").text
    secret, sealed = SECRET.search(shown)[1].replace(" ", ""), SEALED.search(shown)[1]
    refused = second.send("/console/enrol", {"sealed": sealed, "code": pyotp.TOTP(secret).now()})
    assert refused.status_code == 500


def test_password_then_code(local_hub: LocalHub, browser: Browser) -> None:
    person = add_person(local_hub, "code@bank.test", ["auditor"])
    assert browser.sign_in_by_pages(person).location == "/console/"
    assert browser.get("/console/").status_code == 200
    with local_hub.hub.database.reading() as session:
        stored = session.scalars(select(BrowserSession).where(BrowserSession.person_id == person.person_id)).all()
    cookie = browser.client.get_cookie(COOKIE, path="/console")
    assert cookie.http_only and cookie.same_site == "Lax"
    assert [one.revoked_at is None for one in stored] in ([False, True], [True, False])  # the half one has ended
    assert cookie.value.encode() not in b"".join(one.token_hash for one in stored)


def test_no_code_is_taken_twice(local_hub: LocalHub) -> None:
    person = add_person(local_hub, "twice@bank.test", ["auditor"])
    code = person.code
    for expected in (303, 400):
        browser = Browser(local_hub)
        browser.send("/console/sign-in", {"email": person.email, "password": PASSWORD})
        assert browser.send("/console/sign-in/code", {"code": code}).status_code == expected


def test_a_recovery_code_works_once(local_hub: LocalHub, browser: Browser) -> None:
    person = add_person(local_hub, "recovery@bank.test", ["auditor"])
    browser.sign_in(person)
    wrong = browser.send("/console/account/recovery-codes", {"present": "no"})
    assert wrong.status_code == 400
    made = browser.send("/console/account/recovery-codes", {"present": PASSWORD})
    code = CODE.findall(made.text)[0]
    for expected in (303, 400):
        other = Browser(local_hub)
        other.send("/console/sign-in", {"email": person.email, "password": PASSWORD})
        assert other.send("/console/sign-in/code", {"code": code.upper()}).status_code == expected
    assert "9 left" in text_of(browser.get("/console/account"))


@pytest.mark.parametrize("page", ["sign-in", "forgotten"])
def test_nobody_learns_who_has_an_account(local_hub: LocalHub, page: str) -> None:
    known = add_person(local_hub, f"known-{page}@bank.test", ["auditor"])
    suspended = add_person(local_hub, f"disabled-{page}@bank.test", ["auditor"])
    with local_hub.hub.database.unit_of_work() as session:
        people.disable(session, session.get_one(Person, suspended.person_id), "operator")
    said = set()
    for email in (known.email, suspended.email, f"nobody-{page}@bank.test"):
        answer = Browser(local_hub).send(f"/console/{page}", {"email": email, "password": "wrong"})
        said.add((answer.status_code, text_of(answer), tuple(sorted(answer.headers.keys()))))
    assert len(said) == 1


def test_unknown_people_take_as_long_as_known_ones(monkeypatch: pytest.MonkeyPatch, local_hub: LocalHub) -> None:
    """The work is the same: one argon2 comparison each."""
    from hub.members import passwords

    compared: list[str | None] = []
    real = passwords.matches
    monkeypatch.setattr(passwords, "matches", lambda stored, given: compared.append(stored) or real(stored, given))
    known = add_person(local_hub, "timing@bank.test", ["auditor"])
    for email in (known.email, "nobody-timing@bank.test"):
        Browser(local_hub).send("/console/sign-in", {"email": email, "password": "wrong"})
    assert len(compared) == 2
    assert compared[0] is not None
    assert compared[1] is None


def test_wrong_passwords_lock_with_back_off(local_hub: LocalHub) -> None:
    person = add_person(local_hub, "locked@bank.test", ["auditor"])
    with time_machine.travel(clock.now(), tick=False) as time:
        for _ in range(5):
            assert Browser(local_hub).sign_in_by_pages(person, "wrong").status_code == 400
        assert Browser(local_hub).sign_in_by_pages(person).status_code == 400  # right, and too early
        time.shift(timedelta(seconds=61))
        assert Browser(local_hub).sign_in_by_pages(person, "wrong").status_code == 400
        time.shift(timedelta(seconds=61))
        assert Browser(local_hub).sign_in_by_pages(person).status_code == 400  # two minutes by now
        time.shift(timedelta(seconds=60))
        assert Browser(local_hub).sign_in_by_pages(person).location == "/console/"
    assert events(local_hub, person.person_id).count("session:refused") == 8  # the two that came too early, too


def test_wrong_codes_lock_too(local_hub: LocalHub, browser: Browser) -> None:
    person = add_person(local_hub, "codes@bank.test", ["auditor"])
    browser.send("/console/sign-in", {"email": person.email, "password": PASSWORD})
    for _ in range(5):
        assert browser.send("/console/sign-in/code", {"code": "aaaaa-bbbbb"}).status_code == 400
    assert browser.send("/console/sign-in/code", {"code": person.code}).status_code == 400


def test_a_session_ends_idle_and_at_the_end_of_its_day(local_hub: LocalHub) -> None:
    person = add_person(local_hub, "idle@bank.test", ["auditor"])
    with time_machine.travel(clock.now(), tick=False) as time:
        browser = Browser(local_hub).sign_in(person)
        time.shift(timedelta(minutes=29))
        assert browser.get("/console/").status_code == 200
        time.shift(timedelta(minutes=29))
        assert browser.get("/console/").status_code == 200
        time.shift(timedelta(minutes=31))
        assert browser.get("/console/").status_code == 303
        browser.sign_in(person)
        for _ in range(25):
            time.shift(timedelta(minutes=28))
            browser.get("/console/")
        assert browser.get("/console/").status_code == 200
        time.shift(timedelta(minutes=21))
        assert browser.get("/console/").status_code == 303


def test_person_and_member_gate_the_very_next_page(local_hub: LocalHub) -> None:
    member = local_hub.add_member("Gated Bank")
    browser = Browser(local_hub).sign_in(add_person(local_hub, "a@gated.test", ["reader"], member.member_id))
    other = add_person(local_hub, "b@gated.test", ["reader"], member.member_id)
    leaver = Browser(local_hub).sign_in(other)
    assert browser.get("/console/").status_code == leaver.get("/console/").status_code == 200
    with local_hub.hub.database.unit_of_work() as session:
        people.disable(session, session.get_one(Person, other.person_id), "operator", "leaver")
    assert leaver.get("/console/").status_code == 303
    assert browser.get("/console/").status_code == 200
    local_hub.suspend(member)
    assert browser.get("/console/").status_code == 303


def test_sessions_are_listed_and_ended(local_hub: LocalHub) -> None:
    person = add_person(local_hub, "sessions@bank.test", ["auditor"])
    here, there = Browser(local_hub).sign_in(person), Browser(local_hub).sign_in(person)
    stranger = Browser(local_hub).sign_in(add_person(local_hub, "stranger@bank.test", ["auditor"]))
    ends = re.findall(r'action="(/console/account/sessions/[^"]+/end)"', here.get("/console/account").text)
    assert len(ends) == 1
    assert stranger.send(ends[0], page="/console/account").status_code == 404
    assert there.get("/console/").status_code == 200
    assert here.send(ends[0], page="/console/account").status_code == 303
    assert there.get("/console/").status_code == 303
    shown = here.get("/console/account")
    assert "The session has been ended" in shown.text
    assert "The session has been ended" not in here.get("/console/account").text  # said once


def test_a_new_password_ends_other_sessions(local_hub: LocalHub) -> None:
    person = add_person(local_hub, "change@bank.test", ["auditor"])
    here, there = Browser(local_hub).sign_in(person), Browser(local_hub).sign_in(person)
    fields = {"present": PASSWORD, "password": "another lot of words", "again": "another lot of words"}
    assert here.send("/console/account/password", fields | {"again": "other"}).status_code == 400
    assert here.send("/console/account/password", fields | {"present": "wrong"}).status_code == 400
    assert here.send("/console/account/password", fields).status_code == 303
    assert there.get("/console/").status_code == 303
    assert here.get("/console/").status_code == 200
    assert Browser(local_hub).sign_in_by_pages(person).status_code == 400
    assert Browser(local_hub).sign_in_by_pages(person, "another lot of words").location == "/console/"


def test_signing_out_ends_the_session(local_hub: LocalHub) -> None:
    person = add_person(local_hub, "out@bank.test", ["auditor"])
    browser = Browser(local_hub).sign_in(person)
    token = browser.client.get_cookie(COOKIE, path="/console").value
    assert browser.send("/console/sign-out", page="/console/").location == "/console/signed-out"
    assert browser.client.get_cookie(COOKIE, path="/console") is None
    again = Browser(local_hub)
    again.client.set_cookie(COOKIE, token, path="/console")
    assert again.get("/console/").status_code == 303


def test_a_forgotten_password_comes_back_by_a_link(local_hub: LocalHub, browser: Browser) -> None:
    person = add_person(local_hub, "forgot@bank.test", ["auditor"])
    here = Browser(local_hub).sign_in(person)
    browser.send("/console/forgotten", {"email": person.email})
    outbox = Outbox(local_hub.hub.database, local_hub.hub.vault, local_hub.settings)
    assert outbox.send_waiting() >= 1
    assert outbox.send_waiting() == 0
    messages = [path.read_text() for path in Path(local_hub.settings.data_dir, "outbox").glob("*.eml")]
    message = next(text for text in messages if "forgot@bank.test" in text)
    link = path_of(re.search(r"http://localhost/console/link/\S+", message)[0])
    assert browser.send(link, {"password": "short", "again": "short"}).status_code == 400
    browser.send(link, {"password": "quite new words", "again": "quite new words"})
    assert here.get("/console/").status_code == 303
    assert browser.get("/console/").status_code == 303  # the second factor is still needed
    assert browser.send("/console/sign-in/code", {"code": person.code}).location == "/console/"
    assert browser.send(link, {"password": PASSWORD, "again": PASSWORD}, page="/console/account").status_code == 404


def test_links_expire(local_hub: LocalHub, browser: Browser) -> None:
    link = path_of(invite(local_hub, "late@bank.test", ["auditor"]))
    with time_machine.travel(clock.now() + timedelta(days=8)):
        assert browser.get(link).status_code == 404


def test_an_api_credential_never_opens_the_console(local_hub: LocalHub) -> None:
    member = local_hub.add_member("Machine Bank", roles=["primary-contact"])
    assert local_hub.get("/console/", member).status_code == 303


def test_a_session_never_opens_the_api(local_hub: LocalHub) -> None:
    member = local_hub.add_member("Browsing Bank")
    browser = Browser(local_hub).sign_in(add_person(local_hub, "x@browsing.test", ["reader"], member.member_id))
    token = browser.client.get_cookie(COOKIE, path="/console").value
    browser.client.set_cookie(COOKIE, token, path="/")
    assert browser.get("/taxii2/").status_code == 401
    assert browser.get("/taxii2/", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_dormant_people_need_a_new_invitation(local_hub: LocalHub) -> None:
    person = add_person(local_hub, "dormant@bank.test", ["auditor"])
    with time_machine.travel(clock.now() + timedelta(days=46)):
        assert Browser(local_hub).sign_in_by_pages(person).status_code == 400
        with local_hub.hub.database.unit_of_work() as session:
            assert session.get_one(Person, person.person_id).status == people.DORMANT
            assert people.close_dormant(session, 45) >= 0
    with local_hub.hub.database.unit_of_work() as session:
        people.reinstate(session, session.get_one(Person, person.person_id), "operator")


def test_the_command_invites(local_hub: LocalHub, tmp_path: Path) -> None:
    from tests.commands import Commands

    hub = Commands(local_hub.settings.database_location, local_hub.settings.data_dir, HUB_BASE_URL="http://localhost")
    made = hub("admin", "add", "Boss@hub.test", "--role", "administrator", "--json").document
    assert made["link"].startswith("http://localhost/console/link/")
    assert Browser(local_hub).get(path_of(made["link"])).status_code == 200
    assert hub("admin", "add", "boss@hub.test", "--role", "auditor", code=1).err
    assert "boss@hub.test" in json.dumps(hub("admin", "list", "--json").document)
    assert hub("admin", "add", "c@hub.test", "--role", "reader", code=1).err  # a member's role
