"""``hub member key``, ``keys``, ``rotate-key`` and ``revoke-key``: a member's API keys, by an operator."""

from __future__ import annotations

from typing import Any

import click

from hub import clock
from hub.cli.member import days_option, member_commands, network_option, scope_option
from hub.cli.opening import open_hub
from hub.cli.output import json_option, print_json, print_table
from hub.members import keys, membership
from hub.members.keys import Key
from hub.members.membership import OPERATOR
from hub.settings import load


def add_to(group: click.Group) -> None:  # noqa: ARG001 (the commands belong to `hub member`)
    """Add the commands of this file."""
    for command in (key, list_keys, rotate_key, revoke_key):
        member_commands.add_command(command)


@click.command("key")
@click.argument("member")
@click.option("--label", required=True, help="What the key is for.")
@scope_option
@network_option
@days_option
@json_option
def key(
    member: str, label: str, scopes: tuple[str, ...], networks: tuple[str, ...], days: int | None, as_json: bool
) -> None:
    """Make an API key of a member, and show it: the token is shown only now."""
    with open_hub().database.unit_of_work() as session:
        holder = membership.find(session, member)
        made = keys.issue(session, holder.id, OPERATOR, label, days, scopes, networks)
    _show(made, as_json)


@click.command("keys")
@click.argument("member")
@json_option
def list_keys(member: str, as_json: bool) -> None:
    """The API keys of a member, without their tokens."""
    with open_hub().database.reading() as session:
        shown = [_shown(one) for one in keys.of_member(session, membership.find(session, member).id)]
    if as_json:
        print_json(shown)
        return
    columns = ["username", "label", "state", "expires_at", "last_used_at", "scopes", "networks", "refusals"]
    print_table(columns, [[_text(one[column]) for column in columns] for one in shown])


@click.command("rotate-key")
@click.argument("member")
@click.argument("username")
@json_option
def rotate_key(member: str, username: str, as_json: bool) -> None:
    """Make the successor of a key; the old one holds for console.key_overlap_days more."""
    settings = load()
    with open_hub(settings).database.unit_of_work() as session:
        holder = membership.find(session, member)
        made = keys.rotate(session, holder.id, OPERATOR, username, settings.console.key_overlap_days)
    _show(made, as_json)


@click.command("revoke-key")
@click.argument("member")
@click.argument("username")
@click.option("--reason", default="", help="Kept in the audit log.")
@json_option
def revoke_key(member: str, username: str, reason: str, as_json: bool) -> None:
    """End a key; the very next request with it is refused."""
    with open_hub().database.unit_of_work() as session:
        keys.revoke(session, membership.find(session, member).id, OPERATOR, username, reason)
    if as_json:
        print_json({"username": username, "state": "revoked"})
    else:
        click.echo(f"Revoked {username}")


def _show(made: tuple[str, str], as_json: bool) -> None:
    username, token = made
    if as_json:
        print_json({"username": username, "token": token})
    else:
        click.echo(f"username: {username}\ntoken: {token}")


def _shown(one: Key) -> dict[str, Any]:
    return {
        "username": one.username,
        "label": one.label,
        "state": one.state,
        "expires_at": one.expires_at and clock.timestamp(one.expires_at),
        "last_used_at": one.last_used_at and clock.timestamp(one.last_used_at),
        **one.bounds.shown,
        "refusals": one.refusals,
    }


def _text(value: Any) -> str:
    if value is None:
        return "-"
    return ",".join(value) if isinstance(value, list) else str(value)
