"""``hub vetting``: the agreement, and what falls due; ``hub housekeeping``: all that falls due."""

from __future__ import annotations

from pathlib import Path

import click

from hub.cli.opening import open_hub
from hub.cli.output import json_option, print_json
from hub.errors import InvalidInput
from hub.factory import housekeeping
from hub.members import membership
from hub.members.vetting import agreements


def add_to(group: click.Group) -> None:
    """Add the commands of this file."""
    group.add_command(vetting_commands)
    group.add_command(run_housekeeping)


@click.group("vetting")
def vetting_commands() -> None:
    """Membership cases."""


@vetting_commands.command("agreement")
@click.argument("version")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
def publish_agreement(version: str, file: Path, as_json: bool) -> None:
    """Publish a version of the membership agreement (a text file in UTF-8); it is in force at once."""
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InvalidInput("the agreement is not text in UTF-8", where=str(file)) from None
    with open_hub().database.unit_of_work() as session:
        published = agreements.publish(session, version, text, membership.OPERATOR)
    shown = {"version": published.version, "sha256": published.sha256.hex()}
    if as_json:
        print_json(shown)
    else:
        click.echo(f"Published version {shown['version']} (SHA-256 {shown['sha256']})")


@vetting_commands.command("due")
@json_option
def due(as_json: bool) -> None:
    """Do now what is due: lapses, reviews, ends of grants and emergencies, erasure. Workers do it every hour."""
    show_done(housekeeping.vetting_due(open_hub()), as_json)


@click.command("housekeeping")
@json_option
def run_housekeeping(as_json: bool) -> None:
    """Do now all that falls due by itself: vetting, dormant people, letters. Workers do it every hour."""
    show_done(housekeeping.run_all(open_hub()), as_json)


def show_done(done: dict[str, int], as_json: bool) -> None:
    """Say what a run did."""
    if as_json:
        print_json(done)
    else:
        for what, count in done.items():
            click.echo(f"{what.replace('_', ' ')}: {count}")
