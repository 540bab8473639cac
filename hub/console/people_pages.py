"""The pages on people: the same for an organisation's own and for the hub's, each within its own list only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Response, url_for
from sqlalchemy.orm import Session

from hub.auth import Permission, Role
from hub.auth.permissions import MEMBER_ROLES, STAFF_ROLES
from hub.console.furniture import Form, blueprint, page, person, post, reading, redirect_to, say, unit_of_work
from hub.errors import Conflict
from hub.members import attestation, invitations, people
from hub.members.people_records import Person
from hub.web.guard import allow

TOLD = {
    Role.READER: "Sees keys, people and the connection test",
    Role.CONTRIBUTOR: "And what your organisation has submitted",
    Role.PRIMARY_CONTACT: "And invites people, makes keys, signs the agreement",
    Role.REPORTING_PARTNER: "Sees the status of pushed reports",
    Role.VETTING_OFFICER: "Works on cases; decides none of them",
    Role.APPROVER: "Decides cases that others have worked on",
    Role.ANALYST: "All content, quarantine, feeds and corrections",
    Role.AUDITOR: "The audit log and the disclosure ledger, read-only",
    Role.ADMINISTRATOR: "The hub's people, feeds and collections",
}
CONTACTS = 2


@dataclass(frozen=True, slots=True)
class Room:
    """One list of people: where it stands, what it takes to see and to change it, whose it is."""

    name: str
    path: str
    title: str
    read: Permission
    change: Permission
    roles: frozenset[Role]
    whose: Callable[[], str | None]

    def to(self, view: str = "", **values: Any) -> str:
        """The endpoint's address."""
        return url_for(f"console.{self.name}{view and '_' + view}", **values)

    def shown(self, template: str, title: str, **values: Any) -> Response:
        """A page of this room."""
        return page(template, title, room=self, may_change=person().may(self.change), **values)

    @property
    def choices(self) -> list[tuple[str, str, str]]:
        """The roles as a form offers them."""
        return [
            (role.value, role.value.replace("-", " ").capitalize(), TOLD[role]) for role in Role if role in self.roles
        ]


OWN = Room(
    "own_people", "/people", "People of your organisation", Permission.OWN_PEOPLE_READ, Permission.OWN_PEOPLE_CHANGE,
    MEMBER_ROLES, lambda: person().own_member,
)  # fmt: skip
STAFF = Room(
    "staff", "/staff", "Hub staff", Permission.STAFF_CHANGE, Permission.STAFF_CHANGE, STAFF_ROLES, lambda: None
)


def listed(room: Room) -> Response:
    """Everybody on the list."""
    whose = room.whose()
    with reading() as session:
        found = people.of_member(session, whose)
        attested = attestation.last(session, whose) if whose is not None else None
    contacts = [one for one in found if Role.PRIMARY_CONTACT in one.roles and one.status == people.ACTIVE]
    return room.shown(
        "people.html", room.title, people=found, attested=attested,
        attestation_due=whose is not None and attestation.is_due(attested),
        few_contacts=whose is not None and len(contacts) < CONTACTS,
    )  # fmt: skip


def asked(room: Room, form: Form | None = None) -> Response:
    """The form of an invitation."""
    return room.shown("invite.html", "Invite a person", back=room.to(), form=form or Form())


def invited(room: Room) -> Response:
    """Invite a person."""
    form = Form()
    name, email = form.text("name", "Enter the person's full name"), form.text("email", "Enter their e-mail address")
    roles = _roles(room, form)
    if not form.errors:
        with form.catching():
            with unit_of_work() as session:
                added = _added(session, room.whose(), email, name, roles)
                invitations.invite(session, post(), added)
            say(f"An invitation is on its way to {added.address}")
            return redirect_to(f"console.{room.name}")
    return asked(room, form)


def _added(session: Session, whose: str | None, email: str, name: str, roles: list[Role]) -> Person:
    """The person; the hub's own people may be told that an address is known, a member's not by whom."""
    by = person().person_id
    if whose is None:
        return people.add(session, by, email, name, roles, None)
    return people.add_colleague(session, by, email, name, roles, whose)


def shown(room: Room, person_id: str, form: Form | None = None) -> Response:
    """One person."""
    with reading() as session:
        found = people.find(session, person_id, room.whose())
        open_until = invitations.open_until(session, person_id)
    return room.shown(
        "person.html", found.name, back=room.to(), one=found, open_until=open_until,
        oneself=person_id == person().person_id, form=form or Form(roles=list(found.roles)),
    )  # fmt: skip


def changed(room: Room, person_id: str) -> Response:
    """Change a person's roles."""
    form = Form()
    roles = _roles(room, form)
    if not form.errors:
        with form.catching():
            with unit_of_work() as session:
                found = people.find(session, person_id, room.whose())
                people.set_roles(session, found, roles, person().person_id, form.text("why"))
            say(f"The roles of {found.name} have been changed")
            return redirect_to(f"console.{room.name}")
    return shown(room, person_id, form)


def ended(room: Room, person_id: str) -> Response:
    """End a person's access at once."""
    with unit_of_work() as session:
        found = people.find(session, person_id, room.whose())
        people.disable(session, found, person().person_id, Form().text("why"))
    say(f"The access of {found.name} has ended")
    return redirect_to(f"console.{room.name}")


def invited_again(room: Room, person_id: str) -> Response:
    """Send a new link: to somebody whose link is lost, or who is dormant or disabled."""
    with unit_of_work() as session:
        found = people.find(session, person_id, room.whose())
        if found.status in (people.DORMANT, people.DISABLED):
            people.reinstate(session, found, person().person_id)
        if found.status != people.INVITED:
            raise Conflict("this person has set up their account already")
        invitations.invite(session, post(), found)
    say(f"A new invitation is on its way to {found.address}")
    return redirect_to(f"console.{room.name}")


def _roles(room: Room, form: Form) -> list[Role]:
    chosen = [Role(value) for value in form.chosen("roles") if value in room.roles]
    if not chosen:
        form.refuse("roles", "Select at least one role")
    return chosen


def add_pages(room: Room) -> None:
    """Put a room's views on the blueprint."""

    def add(view: str, path: str, method: str, needed: Permission, function: Callable[..., Response]) -> None:
        def door(**values: str) -> Response:
            return function(room, **values)

        name = f"{room.name}{view and '_' + view}"
        blueprint.add_url_rule(room.path + path, name, allow(needed)(door), methods=[method])

    add("", "", "GET", room.read, listed)
    add("invite", "/invite", "GET", room.change, asked)
    add("invited", "/invite", "POST", room.change, invited)
    add("person", "/<person_id>", "GET", room.read, shown)
    add("roles", "/<person_id>/roles", "POST", room.change, changed)
    add("end", "/<person_id>/end", "POST", room.change, ended)
    add("again", "/<person_id>/invite", "POST", room.change, invited_again)


add_pages(OWN)
add_pages(STAFF)


@blueprint.post("/people/attest")
@allow(Permission.OWN_PEOPLE_CHANGE)
def attest_people() -> Response:
    """Confirm that these are the right people."""
    with unit_of_work() as session:
        attestation.attest(session, person().own_member, person().person_id)
    say("Thank you. You have confirmed who signs in for your organisation")
    return redirect_to("console.own_people")
