"""``hub group`` and ``hub member``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hub.auth import Role
from hub.cli.oidc import oidc_commands
from hub.cli.opening import open_hub
from hub.cli.output import json_option, print_json, print_table
from hub.errors import InvalidInput
from hub.factory import Hub
from hub.factory.initial import publish_identity
from hub.members import certificates, credentials, membership
from hub.members.membership import MemberKind
from hub.members.records import Member
from hub.stix.tlp import Tlp

scope_option = click.option(
    "--scope", "scopes", multiple=True, help="A permission that it carries, of those the member has; repeatable. All."
)
network_option = click.option(
    "--network", "networks", multiple=True, help="An address or network that it holds from; repeatable. Everywhere."
)
days_option = click.option("--days", type=click.IntRange(1, 3650), help="Days until it ends.")


class TlpParameter(click.ParamType[Tlp]):
    """A TLP label such as green or amber+strict."""

    name = "tlp"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Tlp:
        """The Tlp of ``value``."""
        try:
            return Tlp.parse(str(value))
        except InvalidInput as error:
            self.fail(str(error), param, ctx)


def add_to(group: click.Group) -> None:
    """Add the commands of this file."""
    group.add_command(group_commands)
    group.add_command(member_commands)
    member_commands.add_command(oidc_commands)


@click.group("group")
def group_commands() -> None:
    """Sharing groups."""


@group_commands.command("add")
@click.argument("name")
@json_option
def add_group(name: str, as_json: bool) -> None:
    """Add a sharing group."""
    with open_hub().database.unit_of_work() as session:
        group = membership.add_group(session, name)
    if as_json:
        print_json({"id": group.id, "name": group.name})
    else:
        click.echo(f"Added the sharing group {name}")


@click.group("member")
def member_commands() -> None:
    """Members: organisations that pull or submit."""


@member_commands.command("add")
@click.argument("name")
@click.option("--kind", type=click.Choice([kind.value for kind in MemberKind]), required=True)
@click.option("--clearance", type=TlpParameter(), required=True, help="The highest TLP it may see.")
@click.option("--group", "groups", multiple=True, help="A sharing group; repeatable.")
@click.option("--role", "roles", multiple=True, type=click.Choice([role.value for role in Role]))
@click.option("--anonymous", is_flag=True, help="Others see its sector, not its name.")
@click.option("--parent", default="", help="Its ultimate parent company: no sponsor for others of the same group.")
@click.option("--parent-number", default="", help="The parent's number in its register.")
@json_option
def add_member(
    name: str,
    kind: str,
    clearance: Tlp,
    groups: tuple[str, ...],
    roles: tuple[str, ...],
    anonymous: bool,
    as_json: bool,
    **parent: str,
) -> None:
    """Add an active member without vetting, and show its first credential: the token is shown only now."""
    hub = open_hub()
    created = create_member(
        hub,
        name,
        MemberKind(kind),
        clearance,
        groups,
        [Role(role) for role in roles or ("reader",)],
        anonymous,
        (parent["parent"], parent["parent_number"]),
    )
    if as_json:
        print_json(created)
        return
    click.echo(f"Added {name}")
    for label, value in created.items():
        click.echo(f"  {label}: {value}")


def create_member(
    hub: Hub,
    name: str,
    kind: MemberKind,
    clearance: Tlp,
    groups: tuple[str, ...],
    roles: list[Role],
    anonymous: bool = False,
    parent: tuple[str, str] = ("", ""),
) -> dict[str, str]:
    """A member, its published identity and its first credential, in one transaction.

    ``parent``: name and registration number of its ultimate parent company, "" for what there is not.
    """
    with hub.database.unit_of_work() as session:
        member = membership.add_member(
            session, name, kind=kind, clearance=clearance, groups=groups, roles=roles, anonymous=anonymous,
            namespace=hub.namespace,
        )  # fmt: skip
        if any(parent):
            membership.set_parent(session, member, *parent)
        publish_identity(hub, session, membership.identity_object(member))
        username, token = credentials.issue(session, member)
        return {
            "member_id": member.id,
            "identity_ref": member.identity_ref,
            "username": username,
            "token": token,
        }


@member_commands.command("list")
@json_option
def list_members(as_json: bool) -> None:
    """Every member."""
    with open_hub().database.reading() as session:
        shown = [_shown(member, membership.groups_of(session, member.id)) for member in membership.all_members(session)]
    if as_json:
        print_json(shown)
    else:
        columns = ["member_id", "name", "kind", "status", "clearance"]
        print_table(columns, [[str(one[column]) for column in columns] for one in shown])


@member_commands.command("show")
@click.argument("member")
@json_option
def show_member(member: str, as_json: bool) -> None:
    """One member, by id or name."""
    with open_hub().database.reading() as session:
        found = membership.find(session, member)
        shown = _shown(found, membership.groups_of(session, found.id))
    if as_json:
        print_json(shown)
    else:
        for label, value in shown.items():
            click.echo(f"{label}: {', '.join(value) if isinstance(value, list) else value}")


@member_commands.command("suspend")
@click.argument("member")
@click.option("--reason", default="", help="Kept in the audit log.")
@json_option
def suspend(member: str, reason: str, as_json: bool) -> None:
    """Suspend a member; its very next request is refused."""
    with open_hub().database.unit_of_work() as session:
        changed = membership.set_status(session, member, "suspended", reason=reason)
        shown = _shown(changed, membership.groups_of(session, changed.id))
    if as_json:
        print_json(shown)
    else:
        click.echo(f"Suspended {changed.name}")


@member_commands.command("resume")
@click.argument("member")
@click.option("--reason", default="", help="Kept in the audit log.")
@json_option
def resume(member: str, reason: str, as_json: bool) -> None:
    """Let a suspended member in again."""
    with open_hub().database.unit_of_work() as session:
        changed = membership.set_status(session, member, "active", reason=reason)
        shown = _shown(changed, membership.groups_of(session, changed.id))
    if as_json:
        print_json(shown)
    else:
        click.echo(f"Resumed {changed.name}")


@member_commands.command("certificate")
@click.argument("member")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@scope_option
@network_option
@days_option
@click.option("--revoke", is_flag=True, help="It stands for the member no longer.")
@json_option
def certificate(
    member: str,
    file: Path,
    scopes: tuple[str, ...],
    networks: tuple[str, ...],
    days: int | None,
    revoke: bool,
    as_json: bool,
) -> None:
    """Let a TLS client certificate (PEM) stand for a member, as far as trusted proxies pass it on."""
    with open_hub().database.unit_of_work() as session:
        pem = file.read_bytes()
        if revoke:
            found = certificates.revoke(session, member, pem)
        else:
            found = certificates.register(session, member, pem, scopes=scopes, networks=networks, days=days)
        shown = {"member_id": found.member_id, "fingerprint": found.fingerprint.hex(), "subject": found.subject}
    if as_json:
        print_json(shown)
    else:
        click.echo(f"{'Revoked' if revoke else 'Registered'} {shown['subject']} (SHA-256 {shown['fingerprint']})")


def _shown(member: Member, groups: list[str]) -> dict[str, Any]:
    return {
        "member_id": member.id,
        "name": member.name,
        "kind": member.kind,
        "status": member.status,
        "clearance": Tlp(member.clearance).label,
        "roles": member.roles,
        "groups": groups,
        "anonymous": member.anonymous,
        "identity_ref": member.identity_ref,
    }
