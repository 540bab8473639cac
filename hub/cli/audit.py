"""``hub audit``: the audit log as JSON lines, and its check."""

from __future__ import annotations

from datetime import UTC, datetime

import click
import orjson

from hub.audit import export
from hub.cli.opening import open_hub

DATE = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"])


def add_to(group: click.Group) -> None:
    """Add the commands of this file."""
    group.add_command(audit_commands)


@click.group("audit")
def audit_commands() -> None:
    """The audit log: who did what."""


@audit_commands.command("export")
@click.option("--since", type=DATE, help="Only events of this day (UTC) or instant, and later ones.")
@click.option("--verify", is_flag=True, help="Check the whole chain first; nothing is printed where it is broken.")
def export_log(since: datetime | None, verify: bool) -> None:
    """Print the events as JSON lines, oldest first."""
    instant = 0 if since is None else int(since.replace(tzinfo=UTC).timestamp()) * 1_000_000
    with open_hub().database.reading() as session:
        if verify:
            count = export.verify(session)
            click.echo(f"The chain of {count} events is whole.", err=True)
        for event in export.events(session, since=instant):
            click.echo(orjson.dumps(event).decode())
