"""``hub disclosures``: who was given an object, and when each member last asked."""

from __future__ import annotations

from typing import Any

import click
from sqlalchemy.orm import Session

from hub import clock
from hub.cli.opening import open_hub
from hub.cli.output import json_option, print_json, print_table
from hub.errors import NotFound
from hub.ledger import collections
from hub.ledger.disclosures import last_polls, told
from hub.members import membership
from hub.stix.downconvert import ids21


def add_to(group: click.Group) -> None:
    """Add the commands of this file."""
    group.add_command(disclosures)


@click.command("disclosures")
@click.argument("stix_id", required=False)
@click.option("--version", "wanted", help="One version: its modified, else created.")
@json_option
def disclosures(stix_id: str | None, wanted: str | None, as_json: bool) -> None:
    """Who received each version of an object, and when first; without an id, when each member last polled.

    A version that says that the object is revoked is marked so: those who received it have pulled the revocation.
    """
    with open_hub().database.reading() as session:
        shown = _polls(session) if stix_id is None else _received(session, stix_id, wanted)
    if as_json:
        print_json(shown)
    elif stix_id is None:
        columns = ["member", "collection", "at", "objects", "polls", "status", "user_agent"]
        print_table(columns, [[str(row[column]) for column in columns] for row in shown])
    else:
        for version in shown:
            revoked = ", revoked" if version["revoked"] else ""
            click.echo(f"{version['version'] or 'unversioned'} in {version['collection']}{revoked}")
            for one in version["received"]:
                click.echo(f"  {one['at']}  {one['member']}{', redacted' if one['redacted'] else ''}")


def _received(session: Session, stix_id: str, wanted: str | None) -> list[dict[str, Any]]:
    # The id may be the one that a TAXII 2.0 client was given.
    found = [each for one in ids21(stix_id) for each in told(session, one, wanted)]
    if not found:
        raise NotFound(f"the log holds no such version of {stix_id}", advice="Ask without --version for them all.")
    names, aliases = _names(session)
    return [
        {
            "collection": aliases[each.collection_no],
            "seq": each.seq,
            "version": each.version,
            "revoked": each.revoked,
            "received": [
                {
                    "member_id": one.member_id,
                    "member": names[one.member_id],
                    "at": clock.timestamp(one.at),
                    "redacted": one.redacted,
                }
                for one in each.received
            ],
        }
        for each in found
    ]


def _polls(session: Session) -> list[dict[str, Any]]:
    names, aliases = _names(session)
    return [
        {
            "member_id": row.member_id,
            "member": names[row.member_id],
            "collection": aliases[row.collection_no],
            "at": clock.timestamp(row.at),
            "cursor": row.cursor,
            "objects": row.objects,
            "polls": row.polls,
            "status": row.status,
            "user_agent": row.user_agent,
        }
        for row in last_polls(session)
    ]


def _names(session: Session) -> tuple[dict[str, str], dict[int, str]]:
    members = {member.id: member.name for member in membership.all_members(session)}
    return members, {one.no: one.alias for one in collections.all_collections(session)}
