"""What falls due by itself: dormant people, letters sent once, jobs that do not hold each other up."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from click.testing import CliRunner
from sqlalchemy import select

from hub import clock
from hub.audit.records import AuditEvent
from hub.cli import commands
from hub.clock import DAY
from hub.errors import Unavailable
from hub.factory import assemble, housekeeping
from hub.factory.parts import Hub
from hub.members import attestation, due, keys, people, spent
from hub.members.people_records import BrowserSession, OutgoingMessage, Person
from hub.members.records import ClientCertificate, Credential
from hub.members.sign_in_records import SpentChallenge
from tests.live import Kept, local
from tests.people import Browser, TestPerson, add_person


@pytest.fixture
def hub(database_url: str, tmp_path: Path) -> Iterator[Kept]:
    with local(database_url, tmp_path) as found:
        yield found


def letters(hub: Kept, recipient: str) -> list[str]:
    with hub.hub.database.reading() as session:
        mine = select(OutgoingMessage.subject).where(OutgoingMessage.recipient == recipient)
        return list(session.scalars(mine.order_by(OutgoingMessage.created_at)))


def set_seen(hub: Kept, person: TestPerson, days_ago: float) -> None:
    with hub.hub.database.unit_of_work() as session:
        found = session.get_one(Person, person.person_id)
        found.last_seen_at = clock.micros() - int(days_ago * DAY)
        found.created_at = clock.micros() - 400 * DAY


def status(hub: Kept, person: TestPerson) -> str:
    with hub.hub.database.reading() as session:
        return session.get_one(Person, person.person_id).status


def test_who_stays_away_becomes_dormant_by_rule(hub: Kept) -> None:
    late, early = (add_person(hub, f"{name}@hub.test", ["auditor"]) for name in ("late", "early"))
    browser = Browser(hub).sign_in(late)
    set_seen(hub, late, 45.1)
    set_seen(hub, early, 44.9)
    assert housekeeping.run_all(hub.hub)["dormant"] == 1
    assert (status(hub, late), status(hub, early)) == (people.DORMANT, people.ACTIVE)
    assert browser.get("/console/account").status_code == 303
    with hub.hub.database.reading() as session:
        held = session.scalars(select(BrowserSession).where(BrowserSession.person_id == late.person_id)).all()
        assert all(one.revoked_at is not None for one in held)
        events = select(AuditEvent).where(AuditEvent.subject == late.person_id, AuditEvent.action == "person:status")
        last = session.scalars(events.order_by(AuditEvent.id.desc())).first()
        assert last.actor == "rule"
        assert json.loads(last.detail)["why"] == "not signed in for 45 days"
    assert housekeeping.run_all(hub.hub)["dormant"] == 0


def test_a_warning_comes_first_and_once(hub: Kept) -> None:
    person = add_person(hub, "away@hub.test", ["auditor"])
    set_seen(hub, person, 30.5)
    assert [housekeeping.run_all(hub.hub)["letters_about_dormancies"] for _ in range(2)] == [0, 0]
    set_seen(hub, person, 31.5)
    assert [housekeeping.run_all(hub.hub)["letters_about_dormancies"] for _ in range(2)] == [1, 0]
    assert "becomes dormant on" in letters(hub, person.email)[0]
    set_seen(hub, person, 0)  # signed in, then away again: another warning
    assert housekeeping.run_all(hub.hub)["letters_about_dormancies"] == 0
    set_seen(hub, person, 32)
    assert housekeeping.run_all(hub.hub)["letters_about_dormancies"] == 1


def test_the_list_of_people_is_due_each_quarter(hub: Kept) -> None:
    member = hub.add_member("Quarter Bank")
    contact = add_person(hub, "jo@quarter.test", ["primary-contact"], member.member_id)
    reader = add_person(hub, "lee@quarter.test", ["reader"], member.member_id)

    def run() -> int:
        return housekeeping.run_all(hub.hub)["letters_about_attestations"]

    assert run() == 0
    with time_machine.travel(clock.now() + timedelta(days=92, minutes=1), tick=False):
        for person in (contact, reader):
            with hub.hub.database.unit_of_work() as session:
                session.get_one(Person, person.person_id).last_seen_at = clock.micros()
        assert [run(), run()] == [1, 0]
        assert letters(hub, contact.email) == ["Please confirm your list of people"]
        assert letters(hub, reader.email) == []
        with hub.hub.database.reading() as session:
            assert [one.member.name for one in due.attestations(session, clock.micros())] == ["Quarter Bank"]
        with hub.hub.database.unit_of_work() as session:
            attestation.attest(session, member.member_id, contact.person_id)
        with hub.hub.database.reading() as session:
            assert due.attestations(session, clock.micros()) == []


def test_contacts_are_told_of_a_key_that_ends(hub: Kept) -> None:
    member = hub.add_member("Key Bank")
    contact = add_person(hub, "kay@key.test", ["primary-contact"], member.member_id)
    with hub.hub.database.unit_of_work() as session:
        for label, days in (("soon", 10), ("later", 30), ("replaced", 3), ("replaced", 300), ("over", -1)):
            username, _ = keys.issue(session, member.member_id, contact.person_id, label, 400)
            session.get_one(Credential, username).expires_at = clock.micros() + days * DAY
        session.get_one(Credential, member.username).expires_at = clock.micros() + 5 * DAY
    assert [housekeeping.run_all(hub.hub)["letters_about_keys"] for _ in range(2)] == [2, 0]
    assert len(letters(hub, contact.email)) == 2


def test_contacts_are_told_of_a_client_certificate_that_ends(hub: Kept) -> None:
    member = hub.add_member("Certified Bank")
    contact = add_person(hub, "cert@key.test", ["primary-contact"], member.member_id)
    with hub.hub.database.unit_of_work() as session:
        for number, (subject, days) in enumerate(
            (("CN=soon", 10), ("CN=later", 30), ("CN=renewed", 3), ("CN=renewed", 300), ("CN=over", -1), ("CN=gone", 4))
        ):
            session.add(ClientCertificate(
                fingerprint=bytes([number]) * 32, member_id=member.member_id, subject=subject,
                created_at=clock.micros(), expires_at=clock.micros() + days * DAY,
                revoked_at=1 if subject == "CN=gone" else None, scopes=None, networks=None,
            ))  # fmt: skip
    assert [housekeeping.run_all(hub.hub)["letters_about_certificates"] for _ in range(2)] == [1, 0]
    (subject,) = letters(hub, contact.email)
    assert "client certificate ends on" in subject


def test_a_job_that_fails_holds_up_no_other(hub: Kept) -> None:
    def unavailable(_hub: Hub) -> dict[str, int]:
        raise Unavailable("the database is away")

    def broken(_hub: Hub) -> dict[str, int]:
        raise ZeroDivisionError

    def good(_hub: Hub) -> dict[str, int]:
        return {"good": 1}

    assert housekeeping.run_all(hub.hub, (unavailable, broken, good)) == {"good": 1}


def test_what_was_good_once_is_forgotten_after_its_end(hub: Kept) -> None:
    with hub.hub.database.unit_of_work() as session:
        assert spent.spend(session, b"old", clock.micros() - 1)
        assert spent.spend(session, b"new", clock.micros() + DAY)
        assert not spent.spend(session, b"new", clock.micros() + DAY)
    assert housekeeping.run_all(hub.hub)["challenges_forgotten"] == 1
    with hub.hub.database.reading() as session:
        assert len(session.scalars(select(SpentChallenge)).all()) == 1


@pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)
def test_the_command_runs_every_job(
    hub: Kept, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUB_DATABASE_URL", database_url)
    monkeypatch.setenv("HUB_DATA_DIR", str(tmp_path))
    said = CliRunner().invoke(commands, ["housekeeping", "--json"])
    assert said.exit_code == 0, said.output
    assert {"lapsed", "dormant", "letters_about_keys"} <= set(json.loads(said.stdout))


def test_two_workers_at_once_write_each_letter_once(hub: Kept) -> None:
    person = add_person(hub, "twice@hub.test", ["auditor"])
    set_seen(hub, person, 40)
    other = assemble(hub.settings)
    run: Callable[[Hub], dict[str, int]] = housekeeping.letters_due
    assert run(hub.hub)["letters_about_dormancies"] + run(other)["letters_about_dormancies"] == 1
    other.database.close()
    assert len(letters(hub, person.email)) == 1
