"""``hub backup``, ``hub restore``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hub.cli.opening import open_hub
from hub.cli.output import json_option, print_json
from hub.factory import backup as backups
from hub.settings import load

NEW = click.Path(dir_okay=False, path_type=Path)
ARCHIVE = click.Path(exists=True, dir_okay=False, path_type=Path)


def add_to(group: click.Group) -> None:
    """Add the commands of this file."""
    for command in (backup, restore):
        group.add_command(command)


@click.command()
@click.argument("path", type=NEW)
@json_option
def backup(path: Path, as_json: bool) -> None:
    """Write all that this hub is into the new file PATH.

    That is the database, the keys and the evidence; the hub serves on meanwhile. The file holds the private keys:
    keep it as safe as the data folder.
    """
    _say(backups.back_up(open_hub(), path), f"Written to {path}", as_json)


@click.command()
@click.argument("path", type=ARCHIVE)
@json_option
def restore(path: Path, as_json: bool) -> None:
    """Bring a hub back from the backup PATH.

    Its data folder and its database must be empty or not there yet; nothing is overwritten.
    """
    settings = load()
    _say(backups.restore(settings, path), f"Restored into {settings.data_dir}", as_json)


def _say(manifest: dict[str, Any], done: str, as_json: bool) -> None:
    if as_json:
        print_json(manifest)
        return
    rows = sum(manifest["rows"].values())
    click.echo(
        f"{done}: {manifest['rows']['entry']:,} entries of the log, {rows:,} rows in all, as of {manifest['made_at']}."
    )
