"""``hub collection``."""

from __future__ import annotations

import click
from sqlalchemy.orm import Session

from hub.auth import Role
from hub.cli.member import TlpParameter
from hub.cli.opening import open_hub
from hub.cli.output import json_option, print_json, print_table
from hub.errors import InvalidInput
from hub.factory.initial import add_references
from hub.ledger import collections
from hub.members import membership
from hub.stix.tlp import Tlp


def add_to(group: click.Group) -> None:
    """Add the commands of this file."""
    group.add_command(collection_commands)


@click.group("collection")
def collection_commands() -> None:
    """TAXII collections."""


@collection_commands.command("add")
@click.argument("alias")
@click.option("--title", required=True)
@click.option("--description", default="")
@click.option("--read", "read", multiple=True, help="none, members, role:ROLE, group:NAME or member:ID; repeatable.")
@click.option("--write", "write", multiple=True, help="As --read.")
@click.option("--default-tlp", type=TlpParameter(), default="amber", show_default=True)
@json_option
def add_collection(
    alias: str,
    title: str,
    description: str,
    read: tuple[str, ...],
    write: tuple[str, ...],
    default_tlp: Tlp,
    as_json: bool,
) -> None:
    """Add a collection."""
    hub = open_hub()
    with hub.database.unit_of_work() as session:
        added = collections.add(
            session,
            alias,
            title,
            description=description,
            read=[audience for text in read for audience in stored_audience(session, text)],
            write=[audience for text in write for audience in stored_audience(session, text)],
            default_tlp=default_tlp,
        )
        add_references(hub, session, added.no)
    if as_json:
        print_json({"id": added.id, "alias": added.alias})
    else:
        click.echo(f"Added {added.alias}: {added.id}")


@collection_commands.command("list")
@json_option
def list_collections(as_json: bool) -> None:
    """Every collection."""
    with open_hub().database.reading() as session:
        shown = [
            {"id": c.id, "alias": c.alias, "title": c.title, "default_tlp": Tlp(c.default_tlp).label}
            for c in collections.all_collections(session)
        ]
    if as_json:
        print_json(shown)
    else:
        columns = ["id", "alias", "default_tlp", "title"]
        print_table(columns, [[one[column] for column in columns] for one in shown])


def stored_audience(session: Session, text: str) -> list[str]:
    """An audience as the ledger stores it: names of groups and members turned into ids, "none" into nothing.

    Raises InvalidInput for another form, NotFound for an unknown group or member.
    """
    word, _, name = text.partition(":")
    if text == "none":
        return []
    if text == "members":
        return ["members"]
    if word == "group" and name:
        return [f"group:{group}" for group in membership.group_ids(session, [name])]
    if word == "member" and name:
        return [f"member:{membership.find(session, name).id}"]
    if word == "role" and name in set(Role):
        return [f"role:{name}"]
    raise InvalidInput(f"{text!r} is no audience", advice="Give none, members, role:ROLE, group:NAME or member:ID.")
