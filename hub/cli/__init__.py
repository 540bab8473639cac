"""The ``hub`` command."""

from __future__ import annotations

import sys

import click

from hub.cli import (
    admin,
    audit,
    check,
    collection,
    disclosure,
    feed,
    filing,
    imports,
    member,
    member_keys,
    operate,
    precheck,
    proof,
    quarantine,
    upkeep,
    vetting,
)
from hub.errors import HubError
from hub.settings import Log
from hub.telemetry import configure_logging

__all__ = ["main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def commands() -> None:
    """Run and keep a fraud and cyber threat information-sharing hub."""


for room in (
    operate,
    member,
    member_keys,
    admin,
    collection,
    imports,
    feed,
    filing,
    quarantine,
    proof,
    disclosure,
    audit,
    vetting,
    check,
    precheck,
    upkeep,
):
    room.add_to(commands)


def main() -> None:
    """Entry point: a hub error is one clear line on standard error and exit code 1."""
    configure_logging(Log(level="warning", format="text"))  # `serve` and `worker` set what the settings say
    try:
        commands(prog_name="hub")
    except HubError as error:
        click.echo(f"hub: {error}", err=True)
        if error.advice:
            click.echo(f"     {error.advice}", err=True)
        sys.exit(1)
    except OSError as error:  # a folder that cannot be written, a full disk
        click.echo(f"hub: {error.strerror or error}{f': {error.filename}' if error.filename else ''}", err=True)
        sys.exit(1)
