"""The hub's side of passkeys, on both databases: what is taken, and every way in which an answer can be wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from hub import clock
from hub.audit.records import AuditEvent
from hub.auth import Role
from hub.clock import DAY
from hub.db import Database
from hub.errors import Conflict, HubError, InvalidInput, NotFound
from hub.members import passkeys, people, signing_in
from hub.members.passkeys import RelyingParty
from hub.members.people_records import Person
from hub.members.sessions import Visit
from hub.sealing import Vault
from hub.settings import load
from tests.authenticator import UP, UV, Authenticator

HERE = "this browser and session"
VISIT = Visit("192.0.2.1", "tests")


@dataclass
class Desk:
    """A hub without its web: its database, and the hub as a relying party."""

    database: Database
    party: RelyingParty

    def person(self, email: str) -> str:
        with self.database.unit_of_work() as session:
            person = people.add(session, "operator", email, "Kit Moss", [Role.AUDITOR], None)
            for status in (people.IDENTITY_CHECKED, people.MFA_ENROLLED, people.ACTIVE):
                people.move(session, person, status, "operator")
            return person.id

    def enrol(self, person_id: str, authenticator: Authenticator, binding: str = HERE, name: str = "Key") -> str:
        with self.database.unit_of_work() as session:
            person = session.get_one(Person, person_id)
            options = passkeys.options_to_enrol(self.party, person, passkeys.of_person(session, person_id), HERE)
            answer = authenticator.create(options)
            return passkeys.enrol(session, self.party, person, name, answer, binding).id

    def ask(self) -> str:
        return passkeys.options_to_sign_in(self.party, HERE)

    def sign_in(self, answer: str, binding: str = HERE) -> str | None:
        limits = load().console
        with self.database.unit_of_work() as session:
            return signing_in.give_passkey(session, self.party, answer, binding, VISIT, limits)

    def why_refused(self) -> str:
        with self.database.reading() as session:
            last = select(AuditEvent.detail).where(AuditEvent.action == "session:refused")
            return str(json.loads(session.scalars(last.order_by(AuditEvent.id.desc())).first())["why"])


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    database = Database(database_url)
    party = passkeys.relying_party(load(base_url="http://localhost"), Vault(b"v" * 32))
    yield Desk(database, party)
    database.close()


def test_enrolled_then_good_for_signing_in_as_often_as_one_likes(desk: Desk) -> None:
    person, key = desk.person("kit@hub.test"), Authenticator()
    desk.enrol(person, key)
    for count in (0, 0, 1, 5):  # a counter that stays at zero says that there is none
        key.count = count
        assert desk.sign_in(key.get(desk.ask()))
    key.handle = None
    key.count = 6
    assert desk.sign_in(key.get(desk.ask()))
    with desk.database.reading() as session:
        (kept,) = passkeys.of_person(session, person)
        assert (kept.sign_count, kept.name, kept.backed_up) == (6, "Key", False)


@pytest.mark.parametrize(
    "wrong",
    [
        {"flags": UP}, {"flags": UV}, {"flags": 0}, {"host": "other.test"}, {"origin": "https://localhost"},
        {"origin": "http://localhost.evil.test"}, {"origin": "null"},
    ],
)  # fmt: skip
def test_an_authenticator_that_says_something_else(desk: Desk, wrong: dict[str, object]) -> None:
    person, key = desk.person("kit@hub.test"), Authenticator()
    with pytest.raises(InvalidInput):
        desk.enrol(person, Authenticator(**wrong))
    desk.enrol(person, key)
    for name, value in wrong.items():
        setattr(key, name, value)
    assert desk.sign_in(key.get(desk.ask())) is None
    assert desk.why_refused() == "passkey: not verified"


@pytest.mark.parametrize(
    "forged", [{"signature": b"\0" * 70}, {"signature": b""}, {"authenticatorData": b"\0" * 37}, {"userHandle": "!"}]
)
def test_a_forged_answer(desk: Desk, forged: dict[str, object]) -> None:
    person, key = desk.person("kit@hub.test"), Authenticator()
    desk.enrol(person, key)
    assert desk.sign_in(key.get(desk.ask(), **forged)) is None


def test_another_key_under_a_known_name(desk: Desk) -> None:
    person, key = desk.person("kit@hub.test"), Authenticator()
    desk.enrol(person, key)
    thief = Authenticator(credential_id=key.credential_id, handle=key.handle)
    assert desk.sign_in(thief.get(desk.ask())) is None
    assert desk.sign_in(Authenticator().get(desk.ask())) is None
    assert desk.why_refused() == "passkey: unknown passkey"


def test_another_persons_handle(desk: Desk) -> None:
    first, second = desk.person("one@hub.test"), desk.person("two@hub.test")
    key, other = Authenticator(), Authenticator()
    desk.enrol(first, key)
    desk.enrol(second, other)
    key.handle = other.handle
    assert desk.sign_in(key.get(desk.ask())) is None
    assert "handle" in desk.why_refused()


def test_a_counter_that_does_not_rise(desk: Desk) -> None:
    person, key = desk.person("kit@hub.test"), Authenticator(count=7)
    desk.enrol(person, key)
    for count in (7, 3, 0):
        key.count = count
        assert desk.sign_in(key.get(desk.ask())) is None
        assert "may be a copy" in desk.why_refused()


def test_a_challenge_is_for_one_browser_one_purpose_once_and_soon(desk: Desk) -> None:
    person, key = desk.person("kit@hub.test"), Authenticator()
    with pytest.raises(InvalidInput):
        desk.enrol(person, Authenticator(), binding="another browser")
    desk.enrol(person, key)
    answer = key.get(desk.ask())
    assert desk.sign_in(answer, "another browser") is None
    assert desk.sign_in(answer)
    assert desk.sign_in(answer) is None
    with desk.database.reading() as session:
        found = session.get_one(Person, person)
        to_enrol = passkeys.options_to_enrol(desk.party, found, [], HERE)
    assert desk.sign_in(key.get(to_enrol)) is None
    late = key.get(desk.ask())
    with time_machine.travel(clock.now() + timedelta(minutes=5, seconds=1), tick=False):
        assert desk.sign_in(late) is None
    foreign = replace(desk.party, vault=Vault(b"w" * 32))
    assert desk.sign_in(key.get(passkeys.options_to_sign_in(foreign, HERE))) is None
    assert desk.sign_in(key.get(json.dumps({"challenge": ""}))) is None


def test_a_lock_out_is_for_what_can_be_guessed(desk: Desk) -> None:
    person, key = desk.person("kit@hub.test"), Authenticator()
    desk.enrol(person, key)
    with desk.database.unit_of_work() as session:
        session.get_one(Person, person).locked_until = clock.micros() + DAY
    assert desk.sign_in(key.get(desk.ask()))


@pytest.mark.parametrize("status", [people.DORMANT, people.DISABLED])
def test_who_may_not_come_in_does_not_by_a_passkey(desk: Desk, status: str) -> None:
    person, key = desk.person("kit@hub.test"), Authenticator()
    desk.enrol(person, key)
    with desk.database.unit_of_work() as session:
        people.move(session, session.get_one(Person, person), status, "operator")
    assert desk.sign_in(key.get(desk.ask())) is None
    with desk.database.unit_of_work() as session:
        people.reinstate(session, session.get_one(Person, person), "operator")
        assert passkeys.of_person(session, person) == []


def test_who_stayed_away_too_long_becomes_dormant(desk: Desk) -> None:
    person, key = desk.person("kit@hub.test"), Authenticator()
    desk.enrol(person, key)
    with desk.database.unit_of_work() as session:
        session.get_one(Person, person).last_seen_at = clock.micros() - 46 * DAY
    assert desk.sign_in(key.get(desk.ask())) is None
    with desk.database.reading() as session:
        assert session.get_one(Person, person).status == people.DORMANT


def test_ten_passkeys_each_once(desk: Desk) -> None:
    person, other, key = desk.person("kit@hub.test"), desk.person("two@hub.test"), Authenticator()
    first = desk.enrol(person, key)
    for whose in (person, other):
        with pytest.raises(Conflict, match="already"):
            desk.enrol(whose, key)
    for number in range(9):
        desk.enrol(person, Authenticator(), name=f"Key {number}")
    with pytest.raises(Conflict, match="10 passkeys"):
        desk.enrol(person, Authenticator())
    with pytest.raises(NotFound), desk.database.unit_of_work() as session:
        passkeys.remove(session, other, first)
    with desk.database.unit_of_work() as session:
        assert passkeys.remove(session, person, first) == "Key"
    assert desk.sign_in(key.get(desk.ask())) is None
    for name in ("", " ", "x" * 61, "a\0b"):
        with pytest.raises(InvalidInput) as caught:
            desk.enrol(person, Authenticator(), name=name)
        assert caught.value.where == "name"


@pytest.mark.parametrize(
    ("base_url", "host"),
    [
        ("https://hub.example", "hub.example"), ("http://localhost:8080", "localhost"), ("http://127.0.0.1:8080", None),
        ("https://[2001:db8::1]", None),
    ],
)  # fmt: skip
def test_passkeys_need_a_host_name(base_url: str, host: str | None) -> None:
    party = passkeys.relying_party(load(base_url=base_url), Vault(b"v" * 32))
    assert (party.host if party else None) == host


ANSWER = Authenticator(handle=b"h" * 32)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    part=st.sampled_from(["id", "rawId", "type", "response", "clientDataJSON", "authenticatorData", "signature", None]),
    value=JSON | st.binary(max_size=60).map(lambda raw: raw.hex()),
    raw=st.text(max_size=40),
)
def test_no_answer_breaks_anything(desk: Desk, part: str | None, value: object, raw: str) -> None:
    """Whatever is sent, it is refused in the hub's own words."""
    answer = json.loads(ANSWER.get(desk.ask()))
    if part is not None:
        (answer["response"] if part in answer["response"] else answer)[part] = value
    for text in (json.dumps(answer), json.dumps(value), raw):
        assert desk.sign_in(text) is None
        with desk.database.reading() as session:
            nobody = Person(id="x", email="x@y.test", name="X")
            try:
                passkeys.enrol(session, desk.party, nobody, "Key", text, HERE)
            except HubError:
                continue
        raise AssertionError("an answer to another question was taken")
