"""``hub verify``."""

from __future__ import annotations

import sys

import click

from hub.provenance import verify as verifier


def add_to(group: click.Group) -> None:
    """Add the commands of this file."""
    group.add_command(verify)


@click.command()
@click.argument("bundle")
@click.option("--keys", required=True, help="The hub's keys: /.well-known/jwks.json, as a file.")
@click.option("--proofs", help="Detached receipts, for objects that cannot carry one.")
@click.option("--require", default="", help="Levels that each object must reach, separated by commas.")
def verify(bundle: str, keys: str, proofs: str | None, require: str) -> None:
    """Check a pulled bundle or envelope offline ("-" reads standard input).

    Exit 0: sound. 1: invalid. 2: unreadable, or bad usage. 3: a policy is not met.
    """
    levels = [level for level in require.split(",") if level]
    sys.exit(verifier.run(bundle, keys=keys, proofs=proofs, require=levels, out=sys.stdout, err=sys.stderr))
