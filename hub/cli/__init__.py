"""The ``hub`` command. Each of its commands imports what it needs when it is called, so that it starts at once."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

import click

from hub.errors import HubError
from hub.settings import Log
from hub.telemetry import configure_logging

__all__ = ["commands", "main"]

# Each command, its line in the help, and the files of this room that it is made of.
COMMANDS = {
    "admin": ("People of the console.", "admin"),
    "audit": ("The audit log: who did what.", "audit"),
    "backup": ("Write all that this hub is into the new file PATH.", "backup"),
    "check": ("The checking service: planted values, alarms, quotas.", "check"),
    "collection": ("TAXII collections.", "collection"),
    "disclosures": (
        "Who received each version of an object, and when first; without an id, when each member last polled.",
        "disclosure",
    ),
    "feed": ("Upstream feeds.", "feed"),
    "filing": ("Filings for the checking service.", "filing"),
    "group": ("Sharing groups.", "member"),
    "housekeeping": (
        "Do now all that falls due by itself: vetting, dormant people, letters.",
        "vetting",
    ),
    "import": (
        "Read a file, the folder of a MISP feed, or every file below any other folder, through the intake.",
        "imports",
    ),
    "init": ("Migrate the database, make the hub's identity and keys.", "operate"),
    "keys": ("The keys of what is at rest; each lies outside the database.", "upkeep"),
    "member": ("Members: organisations that pull or submit.", "member", "member_keys"),
    "precheck": ("Ask which values of FILE are known, without telling the hub which values you ask for.", "precheck"),
    "quarantine": ("Values that a rule held back.", "quarantine"),
    "restore": ("Bring a hub back from the backup PATH.", "backup"),
    "retention": ("How long things are kept.", "upkeep"),
    "serve": ("Serve the web edges, with an intake worker beside them.", "operate"),
    "subject-access": (
        "Answer a person's request for access: filings about them, their sources, who else named them, who searched.",
        "upkeep",
    ),
    "verify": ('Check a pulled bundle or envelope offline ("-" reads standard input).', "proof"),
    "vetting": ("Membership cases.", "vetting"),
    "worker": ("Run an intake worker alone; as many as wanted on PostgreSQL.", "operate"),
}


class _Commands(click.Group):
    """A group that imports the files of a command when it is asked for it."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's own signature)
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        with _without_collecting():
            for file in COMMANDS.get(cmd_name, ())[1:]:
                import_module(f"hub.cli.{file}").add_to(self)
        return super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 (as above)
        limit = formatter.width - 6 - max(map(len, COMMANDS))
        lines = {name: click.Command(name, help=line) for name, (line, *_) in COMMANDS.items()}
        with formatter.section("Commands"):
            formatter.write_dl([(name, line.get_short_help_str(limit)) for name, line in lines.items()])


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
def commands() -> None:
    """Run and keep a fraud and cyber threat information-sharing hub."""


@contextmanager
def _without_collecting() -> Iterator[None]:
    """No garbage collection for a while: what imports make lives to the end, and looking among it finds nothing."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


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
