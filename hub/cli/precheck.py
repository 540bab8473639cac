"""``hub precheck``: the member's side of the private pre-check. Needs no hub of one's own, only its address."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import requests

from hub.checks.filings.gateways import Basis, Gateway, Purpose
from hub.checks.precheck.client import PrecheckClient, read_values
from hub.checks.precheck.values import KINDS
from hub.cli.output import print_json
from hub.errors import InvalidInput


def add_to(group: click.Group) -> None:
    """Add the command of this file."""
    group.add_command(precheck)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@click.option("--key", "keys", multiple=True, required=True, help="A public key of the hub's that you trust.")
@click.option(
    "--purpose", type=click.Choice([one.value for one in Purpose]), required=True, help="What the values are asked for."
)
@click.option(
    "--gateway", type=click.Choice([one.value for one in Gateway]), required=True, help="The law that you ask under."
)
@click.option("--url", required=True, envvar="PRECHECK_URL", help="The hub's address; or PRECHECK_URL.")
@click.option("--user", envvar="PRECHECK_USER", help="Your user name; or PRECHECK_USER. Without it, a bearer token.")
@click.option("--token", required=True, envvar="PRECHECK_TOKEN", help="Your token; better as PRECHECK_TOKEN.")
@click.option("--kind", type=click.Choice(sorted(KINDS)), help="Of lines that do not say; else the kind they show.")
def precheck(
    file: Path,
    keys: tuple[str, ...],
    purpose: str,
    gateway: str,
    url: str,
    user: str | None,
    token: str,
    kind: str | None,
) -> None:
    """Ask which values of FILE are known, without telling the hub which values you ask for.

    FILE holds one value a line, or CSV with the columns kind and value ("-" reads standard input). Prints JSON. A
    match is a reason to make an ordinary check, no more. Exit 3: some lines hold no value that could be asked.
    """
    asked, unreadable = read_values(_text(file), kind)
    with requests.Session() as session:
        session.trust_env = False  # no .netrc in the place of the credential that was given
        if user is None:
            session.headers["Authorization"] = f"Bearer {token}"
        else:
            session.auth = (user, token)
        found = PrecheckClient(url, session, keys, Basis(Purpose(purpose), Gateway(gateway))).run(asked)
    print_json(
        {
            "epoch": found.epoch,
            "public_key": found.public_key,
            "values": len(asked),
            "evaluations": found.evaluated,
            "matches": [
                {"line": one.line, "kind": one.kind, "value": one.value, "sets": versions}
                for one, versions in found.matches
            ],
            "unreadable": [{"line": one.line, "reason": one.reason} for one in unreadable],
        }
    )
    sys.exit(3 if unreadable else 0)


def _text(file: Path) -> str:
    try:
        return (sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput("the file is not text in UTF-8", where=str(file)) from None
