"""``hub admin``: the first people of the console, and the rule for dormant ones."""

from __future__ import annotations

import click

from hub.auth import Role
from hub.cli.opening import open_hub
from hub.cli.output import json_option, print_json, print_table
from hub.errors import NotFound
from hub.members import invitations, membership, people
from hub.members.invitations import Post


def add_to(group: click.Group) -> None:
    """Add the commands of this file."""
    group.add_command(admin_commands)


@click.group("admin")
def admin_commands() -> None:
    """People of the console."""


@admin_commands.command("add")
@click.argument("email")
@click.option("--role", "roles", multiple=True, required=True, type=click.Choice([role.value for role in Role]))
@click.option("--name", default="", help="The person's full name; the address without it.")
@click.option("--member", "member", default="", help="The organisation, by id or name; the hub itself without it.")
@json_option
def add(email: str, roles: tuple[str, ...], name: str, member: str, as_json: bool) -> None:
    """Invite a person, and show the link that lets them choose a password. It works once."""
    hub = open_hub()
    with hub.database.unit_of_work() as session:
        member_id = membership.find(session, member).id if member else None
        person = people.add(
            session, membership.OPERATOR, email, name or email, [Role(role) for role in roles], member_id
        )
        link = invitations.invite(session, Post(hub.vault, hub.settings), person)
    if as_json:
        print_json({"person_id": person.id, "email": person.email, "roles": person.roles, "link": link})
    else:
        click.echo(f"Invited {person.email}. The link works once:\n  {link}")


@admin_commands.command("invite")
@click.argument("email")
@click.option("--reason", default="", help="Kept in the audit log.")
@json_option
def invite(email: str, reason: str, as_json: bool) -> None:
    """Invite a person anew: one whose link is lost, or who is dormant or disabled."""
    hub = open_hub()
    with hub.database.unit_of_work() as session:
        person = people.by_email(session, email)
        if person is None:
            raise NotFound(f"there is nobody with the address {email!r}")
        if person.status != people.INVITED:
            people.reinstate(session, person, membership.OPERATOR, reason)
        link = invitations.invite(session, Post(hub.vault, hub.settings), person)
    if as_json:
        print_json({"person_id": person.id, "email": person.email, "link": link})
    else:
        click.echo(f"The link works once:\n  {link}")


@admin_commands.command("list")
@json_option
def list_people(as_json: bool) -> None:
    """The hub's own people."""
    with open_hub().database.reading() as session:
        found = people.of_member(session, None)
    if as_json:
        shown = ("email", "name", "roles", "status")
        print_json([{"person_id": one.id} | {name: getattr(one, name) for name in shown} for one in found])
    else:
        rows = [[one.email, one.name, ", ".join(one.roles), one.status] for one in found]
        print_table(["email", "name", "roles", "status"], rows)


@admin_commands.command("disable")
@click.argument("email")
@click.option("--reason", default="", help="Kept in the audit log.")
def disable(email: str, reason: str) -> None:
    """End a person's access at once."""
    with open_hub().database.unit_of_work() as session:
        person = people.by_email(session, email)
        if person is None:
            raise NotFound(f"there is nobody with the address {email!r}")
        people.disable(session, person, membership.OPERATOR, reason)
    click.echo(f"Disabled {person.email}")


@admin_commands.command("dormant")
def dormant() -> None:
    """Make everybody dormant who has not signed in for console.dormant_days."""
    hub = open_hub()
    with hub.database.unit_of_work() as session:
        closed = people.close_dormant(session, hub.settings.console.dormant_days)
    click.echo(f"{closed} people are dormant now")
