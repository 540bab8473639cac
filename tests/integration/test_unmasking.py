"""Unmasking: two people beside the one who asks, held by the database; the source is told; the answer goes away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import time_machine
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from hub import clock
from hub.audit.records import AuditEvent
from hub.errors import Conflict, InvalidInput, NotFound, NotPermitted
from hub.feeds.behind import member_behind
from hub.members import unmasking
from hub.members.invitations import Post
from hub.members.people_records import OutgoingMessage
from hub.members.unmasking import Voice
from hub.members.unmasking_records import Unmasking
from tests.engines import DatabaseEngine
from tests.live import LocalHub, TestMember, local
from tests.objects import indicator
from tests.people import Browser, TestPerson, add_person, text_of

OBJECTS = "/taxii2/plain/collections/shared/objects/"
SIGHTINGS = "/taxii2/plain/collections/sightings/objects/"
YES = {"verdict": "approve", "reason": "the agreement allows it"}


@pytest.fixture
def hub(database_engine: DatabaseEngine, tmp_path: Path) -> Iterator[LocalHub]:
    """A hub on each product in turn."""
    with database_engine.migrated() as url, local(url, tmp_path) as found:
        yield found


@pytest.fixture
def staff(hub: LocalHub) -> dict[str, TestPerson]:
    roles = {"analyst": "analyst", "officer": "vetting-officer", "second": "vetting-officer", "approver": "approver",
             "counsel": "approver", "auditor": "auditor", "admin": "administrator"}  # fmt: skip
    return {name: add_person(hub, f"{name}@hub.test", [role], name=name.title()) for name, role in roles.items()}


@pytest.fixture
def source(hub: LocalHub) -> TestMember:
    """An anonymous member that has shared an indicator."""
    member = hub.add_member("Hidden Bank plc", roles=["contributor"], anonymous=True, groups=["banks"])
    add_person(hub, "contact@hidden.test", ["primary-contact"], member.member_id, name="Jo Quill")
    assert hub.add(OBJECTS, member, [indicator("hidden")])["success_count"] == 1
    return member


@pytest.fixture
def sighting(hub: LocalHub, source: TestMember) -> str:
    """The sighting that others see of it."""
    shown = hub.get(SIGHTINGS, hub.add_member("Reader", groups=["banks"])).get_json(force=True)["objects"]
    (found,) = [one for one in shown if one["type"] == "sighting"]
    assert found["where_sighted_refs"] != [source.identity_ref]
    return str(found["id"])


def ask(hub: LocalHub, by: TestPerson, subject: str) -> int:
    with hub.hub.database.unit_of_work() as session:
        behind = member_behind(session, hub.hub.namespace, subject)
        return unmasking.ask(session, by.person_id, subject, behind, "A court order, no. 7").id


def decide(
    hub: LocalHub, request: int, by: TestPerson, function: str, verdict: str = "approve", barred: str = ""
) -> str:
    with hub.hub.database.unit_of_work() as session:
        post = Post(hub.hub.vault, hub.settings)
        return unmasking.decide(session, request, by.person_id, Voice(function, verdict, "it is right", barred), post)


def letters(hub: LocalHub) -> list[OutgoingMessage]:
    with hub.hub.database.reading() as session:
        return list(session.scalars(select(OutgoingMessage).where(OutgoingMessage.subject.contains("unmasked"))))


def actions(hub: LocalHub) -> list[str]:
    with hub.hub.database.reading() as session:
        found = session.scalars(
            select(AuditEvent.action).where(AuditEvent.action.like("unmasking:%")).order_by(AuditEvent.id)
        )
        return [action.removeprefix("unmasking:") for action in found]


def test_the_ledger_knows_who_stands_behind(hub: LocalHub, source: TestMember, sighting: str) -> None:
    """By a sighting of the hub's, by the member's own object, and after it was taken back; not by what is the hub's."""
    feed = hub.get(OBJECTS, source).get_json(force=True)["objects"]
    hubs_own = next(one["id"] for one in feed if one["type"] == "identity")
    with hub.hub.database.reading() as session:
        for subject, expected in (
            (sighting, source.member_id), (indicator("hidden")["id"], source.member_id),
            (hubs_own, None), (indicator("unknown")["id"], None), ("", None), ("x" * 500, None),
        ):  # fmt: skip
            assert member_behind(session, hub.hub.namespace, subject) == expected, subject
    assert hub.request("DELETE", f"{OBJECTS}{indicator('hidden')['id']}/", source).status_code == 200
    hub.work()
    with hub.hub.database.reading() as session:
        assert member_behind(session, hub.hub.namespace, sighting) == source.member_id


def test_legal_and_operations_open_it_for_a_time(
    hub: LocalHub, staff: dict[str, TestPerson], source: TestMember, sighting: str
) -> None:
    with time_machine.travel(clock.now(), tick=False) as time:
        request = ask(hub, staff["analyst"], sighting)
        for early in ("analyst", "approver"):
            with hub.hub.database.unit_of_work() as session, pytest.raises((Conflict, NotPermitted)):
                unmasking.source_of(session, request, staff[early].person_id)
        assert decide(hub, request, staff["approver"], "legal") == "requested"
        assert letters(hub) == []
        assert decide(hub, request, staff["officer"], "operations") == "open"
        assert [letter.recipient for letter in letters(hub)] == ["contact@hidden.test"]
        for name in ("analyst", "approver", "officer"):
            with hub.hub.database.unit_of_work() as session:
                assert unmasking.source_of(session, request, staff[name].person_id) == source.name
        for name in ("second", "counsel", "auditor", "admin"):
            with hub.hub.database.unit_of_work() as session, pytest.raises(NotPermitted):
                unmasking.source_of(session, request, staff[name].person_id)
        assert actions(hub) == ["ask", "approve", "approve", "open", "told", "look", "look", "look"]
        time.shift(hub.settings.vetting.unmasked_hours * 3600)
        with hub.hub.database.unit_of_work() as session, pytest.raises(Conflict):
            unmasking.source_of(session, request, staff["analyst"].person_id)
    with hub.hub.database.reading() as session:
        log = " ".join(session.scalars(select(AuditEvent.detail).where(AuditEvent.action.like("unmasking:%"))))
    assert source.name not in log
    assert source.member_id not in log


def test_legal_may_bar_the_letter_with_a_reason(
    hub: LocalHub, staff: dict[str, TestPerson], source: TestMember, sighting: str
) -> None:
    request = ask(hub, staff["analyst"], sighting)
    with pytest.raises(InvalidInput):
        decide(hub, request, staff["officer"], "operations", barred="not for me to say")
    decide(hub, request, staff["officer"], "operations")
    assert decide(hub, request, staff["approver"], "legal", barred="The court forbids it.") == "open"
    assert letters(hub) == []
    with hub.hub.database.reading() as session:
        event = session.scalars(select(AuditEvent).where(AuditEvent.action == "unmasking:not-told")).one()
    assert "The court forbids it." in event.detail


def test_nobody_speaks_who_should_not(
    hub: LocalHub, staff: dict[str, TestPerson], source: TestMember, sighting: str
) -> None:
    """The one who asked, the same person twice, another role, an emergency role, a member's person."""
    request = ask(hub, staff["officer"], sighting)
    contact = add_person(hub, "c2@hidden.test", ["primary-contact"], source.member_id)
    both = add_person(hub, "both@hub.test", ["approver", "vetting-officer"])
    for who, function in (
        (staff["officer"], "operations"), (staff["analyst"], "operations"), (staff["analyst"], "legal"),
        (staff["approver"], "operations"), (staff["second"], "legal"), (staff["admin"], "legal"),
        (staff["auditor"], "operations"), (contact, "legal"),
    ):  # fmt: skip
        with pytest.raises(NotPermitted):
            decide(hub, request, who, function)
    assert decide(hub, request, both, "legal") == "requested"
    with pytest.raises(NotPermitted):
        decide(hub, request, both, "operations")
    with pytest.raises(Conflict):
        decide(hub, request, staff["approver"], "legal")
    for function, verdict in (("nobody", "approve"), ("operations", "perhaps")):
        with pytest.raises(InvalidInput):
            decide(hub, request, staff["second"], function, verdict)
    assert decide(hub, request, staff["second"], "operations", "refuse") == "refused"
    with pytest.raises(Conflict):
        decide(hub, request, staff["second"], "operations")
    with pytest.raises(NotFound):
        decide(hub, 999_999, staff["second"], "operations")


def test_what_cannot_be_asked(hub: LocalHub, staff: dict[str, TestPerson], source: TestMember, sighting: str) -> None:
    named = hub.add_member("Open Bank", roles=["contributor"])
    hub.add(OBJECTS, named, [indicator("open")])
    for subject in (indicator("open")["id"], indicator("none")["id"], "nonsense"):
        with pytest.raises(InvalidInput) as refused:
            ask(hub, staff["analyst"], subject)
        assert refused.value.message == unmasking.NO_SOURCE, "the answer does not tell which of the two it is"
    contact = add_person(hub, "asks@hidden.test", ["primary-contact"], source.member_id)
    with pytest.raises(NotPermitted):
        ask(hub, contact, sighting)
    ask(hub, staff["analyst"], sighting)
    with pytest.raises(Conflict):
        ask(hub, staff["officer"], sighting)


def test_counsel_named_in_the_settings_speaks_alone(database_url: str, tmp_path: Path) -> None:
    vetting = {"legal_counsel": ["Counsel@hub.test"]}
    with local(database_url, tmp_path, vetting=vetting) as hub:
        counsel, other = (add_person(hub, f"{name}@hub.test", ["approver"]) for name in ("counsel", "other"))
        asker = add_person(hub, "a@hub.test", ["analyst"])
        member = hub.add_member("Hidden", roles=["contributor"], anonymous=True)
        hub.add(OBJECTS, member, [indicator("hidden")])
        request = ask(hub, asker, indicator("hidden")["id"])
        with pytest.raises(NotPermitted):
            decide(hub, request, other, "legal")
        assert decide(hub, request, counsel, "legal") == "requested"


def test_the_database_holds_it_against_sql_by_hand(
    hub: LocalHub, staff: dict[str, TestPerson], source: TestMember, sighting: str
) -> None:
    """Whoever writes, past every page and use case."""
    request = ask(hub, staff["officer"], sighting)
    contact = add_person(hub, "c3@hidden.test", ["primary-contact"], source.member_id)
    officer, second, approver, analyst = (staff[n].person_id for n in ("officer", "second", "approver", "analyst"))
    later = clock.micros() + 10**12

    def voice(person: str, function: str, *, by: str = officer, verdict: str = "approve", barred: str = "") -> str:
        return (
            "INSERT INTO unmasking_voice (unmasking_id, function, person_id, requested_by, verdict, reason, barred, at)"
            f" VALUES ({request}, '{function}', '{person}', '{by}', '{verdict}', 'r', '{barred}', 1)"
        )

    opening = f"UPDATE unmasking SET state = 'open', shown_until = {later} WHERE id = {request}"

    def refused(*statements: str) -> None:
        for statement in statements:
            with pytest.raises(DBAPIError), hub.hub.database.unit_of_work() as session:
                session.execute(text(statement))

    refused(
        opening,
        voice(officer, "operations"),
        voice(officer, "operations", by=analyst),
        voice(approver, "operations"),
        voice(second, "legal"),
        voice(analyst, "legal"),
        voice(contact.person_id, "legal"),
        voice("nobody", "legal"),
        voice(approver, "audit"),
        voice(second, "operations", barred="no"),
        voice(approver, "legal", verdict="maybe"),
        f"UPDATE unmasking SET shown_until = {later} WHERE id = {request}",
        f"UPDATE unmasking SET requested_by = '{analyst}' WHERE id = {request}",
        f"UPDATE unmasking SET member_id = 'x', subject = 'x' WHERE id = {request}",
        f"DELETE FROM unmasking WHERE id = {request}",
        "INSERT INTO unmasking (id, subject, member_id, reason, requested_by, requested_at, state, shown_until)"
        f" VALUES (99, 's', '{source.member_id}', 'r', '{officer}', 1, 'open', {later})",
    )
    decide(hub, request, staff["approver"], "legal")
    refused(opening, voice(approver, "operations"), voice(staff["counsel"].person_id, "legal"),
            "UPDATE unmasking_voice SET person_id = 'x'", "DELETE FROM unmasking_voice")  # fmt: skip
    decide(hub, request, staff["second"], "operations")
    refused(
        f"UPDATE unmasking SET shown_until = shown_until + 1 WHERE id = {request}",
        f"UPDATE unmasking SET state = 'requested', shown_until = NULL WHERE id = {request}",
        voice(staff["counsel"].person_id, "legal"),
    )
    with hub.hub.database.reading() as session:
        assert session.get_one(Unmasking, request).state == "open"


def test_on_the_pages(hub: LocalHub, staff: dict[str, TestPerson], source: TestMember, sighting: str) -> None:
    """Asked, agreed and looked at; before that no page holds the name."""
    browsers = {name: Browser(hub).sign_in(person) for name, person in staff.items()}
    asker = browsers["analyst"]
    assert asker.send("/console/unmasking/new", {}).status_code == 400
    wrong = asker.send("/console/unmasking/new", {"subject": "nonsense", "reason": "r"})
    assert '<a href="#subject">' in wrong.text
    reason = "<script>alert(1)</script>"
    sent = asker.send("/console/unmasking/new", {"subject": sighting, "reason": reason})
    assert sent.status_code == 303
    path = sent.location
    shown = asker.get(path)
    assert reason not in shown.text
    assert reason in text_of(shown).replace("&lt;", "<") or "&lt;script&gt;" in shown.text
    assert asker.send(path, {**YES, "function": "legal"}, page="/console/unmasking/new").status_code == 403
    assert browsers["approver"].send(path, {"function": "legal"}).status_code == 400
    assert browsers["approver"].send(path, {**YES, "function": "operations"}).status_code == 403
    assert browsers["approver"].send(path, {**YES, "function": "legal"}).status_code == 303
    assert "Legal: approved by Approver" in text_of(browsers["officer"].get(path))
    assert asker.send(f"{path}/source", page="/console/unmasking/new").status_code == 409
    assert browsers["officer"].send(path, {**YES, "function": "operations"}).status_code == 303
    everything = "".join(
        browser.get(place).text for browser in browsers.values() for place in (path, "/console/unmasking")
    )
    assert source.name not in everything
    assert source.name in asker.send(f"{path}/source", page=path).text
    assert browsers["second"].send(f"{path}/source", page="/console/unmasking/new").status_code == 403
    assert browsers["auditor"].get("/console/unmasking").status_code == 200
    assert browsers["admin"].get("/console/unmasking").status_code == 403
