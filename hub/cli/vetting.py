"""``hub vetting``: the agreement, and what falls due."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from threading import Event

import click
import structlog

from hub import clock
from hub.cli.output import json_option, print_json
from hub.errors import InvalidInput, Unavailable
from hub.factory import Hub, assemble
from hub.members import membership
from hub.members.invitations import Post
from hub.members.vetting import agreements, reviews
from hub.members.vetting.evidence import EvidenceFolder
from hub.settings import load

log = structlog.get_logger(__name__)

EVERY_SECONDS = 3600.0


def add_to(group: click.Group) -> None:
    """Add the commands of this file."""
    group.add_command(vetting_commands)


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
    with assemble(load()).database.unit_of_work() as session:
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
    done = run_due(assemble(load()))
    if as_json:
        print_json(done)
    else:
        for what, count in done.items():
            click.echo(f"{what.replace('_', ' ')}: {count}")


def run_due(hub: Hub) -> dict[str, int]:
    """One run of the job, in one transaction."""
    files = EvidenceFolder(hub.settings.data_dir / "evidence", hub.vault, hub.settings.vetting.evidence_bytes)
    with hub.database.unit_of_work() as session:
        return asdict(reviews.run_due(session, clock.micros(), Post(hub.vault, hub.settings), files))


def keep_doing(hub: Hub, stop: Event) -> None:
    """Run the job every hour until ``stop`` is set."""
    while not stop.is_set():
        try:
            run_due(hub)
        except Unavailable as error:
            log.warning("what is due waits for the database", error=str(error))
        stop.wait(EVERY_SECONDS)
