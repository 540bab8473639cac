"""People of the console for tests: made in no time, or signed in through the pages as a browser does it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import unescape
from typing import Any

import pyotp
from argon2 import PasswordHasher
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from hub import clock
from hub.auth import Role
from hub.members import invitations, people, second_factor, sessions
from hub.members.invitations import Post
from hub.members.people_records import Person
from hub.members.sessions import Visit
from hub.web import csrf
from tests.live import Kept, LocalHub

PASSWORD = "three-random-words"
TOKEN = re.compile(r'name="csrf_token" value="([0-9a-f]+)"')
COOKIE = "hub-session"
# argon2 takes its time on purpose. It takes as long as a hash says: who is made here signs in at once, those who
# choose their password on the pages do not.
_HASHED = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)


@dataclass(frozen=True, slots=True)
class TestPerson:
    """A person who has set everything up; ``secret`` is the authenticator app's."""

    __test__ = False  # not a test, whatever its name

    person_id: str
    email: str
    secret: str

    @property
    def code(self) -> str:
        """What the app shows now."""
        return pyotp.TOTP(self.secret).now()


def invite(hub: Kept, email: str, roles: Sequence[str], member_id: str | None = None, name: str = "Sam Reed") -> str:
    """The link of a new person."""
    with hub.hub.database.unit_of_work() as session:
        person = people.add(session, "operator", email, name, [Role(role) for role in roles], member_id)
        return invitations.invite(session, Post(hub.hub.vault, hub.settings), person)


def add_person(
    hub: Kept, email: str, roles: Sequence[str], member_id: str | None = None, name: str = "Sam Reed"
) -> TestPerson:
    """An active person, past invitation and set-up."""
    secret = second_factor.new_secret()
    with hub.hub.database.unit_of_work() as session:
        person = people.add(session, "operator", email, name, [Role(role) for role in roles], member_id)
        person.password_hash = _HASHED
        person.totp_secret = second_factor.seal(hub.hub.vault, person.id, secret)
        for status in (people.IDENTITY_CHECKED, people.MFA_ENROLLED, people.ACTIVE):
            people.move(session, person, status, "operator")
        person.last_seen_at = clock.micros()
    return TestPerson(person.id, person.email, secret)


def session_of(hub: Kept, person: TestPerson) -> str:
    """The cookie's value of a session that is past password and code."""
    with hub.hub.database.unit_of_work() as session:
        limits, visit = hub.settings.console, Visit("127.0.0.1", "tests")
        half = sessions.begin(session, session.get_one(Person, person.person_id), visit, limits)
        return sessions.complete(session, half, visit, limits)


class Browser:
    """A person's browser in this process: keeps cookies, sends forms with their token."""

    def __init__(self, hub: LocalHub) -> None:
        self.hub = hub
        self.client: FlaskClient = hub.app.test_client()

    def get(self, path: str, **more: Any) -> TestResponse:
        """GET, without following."""
        return self.client.get(path, **more)

    def send(self, path: str, fields: dict[str, Any] | None = None, page: str = "", **more: Any) -> TestResponse:
        """POST a form that was loaded from ``page`` (or ``path`` itself)."""
        return self.client.post(path, data={csrf.FIELD: self.token(page or path), **(fields or {})}, **more)

    def token(self, page: str) -> str:
        """The token of the first form on a page."""
        found = TOKEN.search(self.get(page).text)
        assert found, f"{page} has no form"
        return found[1]

    def sign_in(self, person: TestPerson) -> Browser:
        """Sign in by a session of the database: quick. ``sign_in_by_pages`` goes the whole way."""
        self.client.set_cookie(COOKIE, session_of(self.hub, person), path="/console")
        return self

    def sign_in_by_pages(self, person: TestPerson, password: str = PASSWORD) -> TestResponse:
        """Password, then code; the last answer."""
        first = self.send("/console/sign-in", {"email": person.email, "password": password})
        if first.status_code != 303:
            return first
        return self.send("/console/sign-in/code", {"code": person.code})


def text_of(answer: TestResponse) -> str:
    """What a page says, without its tags."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())
