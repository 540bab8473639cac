"""``hub keys``, ``hub retention``, ``hub subject-access``: the keys of what is at rest, and how long it rests."""

from __future__ import annotations

from typing import Any

import click

from hub import clock
from hub.checks.kept import retention, rotation, subject_access
from hub.checks.kept.mentions import NOT_SEARCHED
from hub.checks.kept.subject_access import Decision, Holding
from hub.checks.precheck import keys as precheck_keys
from hub.checks.subjects import Subject, SubjectKind, canonical_subject
from hub.cli.opening import open_hub
from hub.cli.output import json_option, print_json, print_table
from hub.errors import InvalidInput, NotPermitted
from hub.factory import upkeep
from hub.factory.mentions import mentions
from hub.members import membership, people

WHICH = ("index", "wrapping", "precheck")


def add_to(group: click.Group) -> None:
    """Add the commands of this file."""
    for command in (keys_commands, retention_commands, access):
        group.add_command(command)


@click.group("keys")
def keys_commands() -> None:
    """The keys of what is at rest; each lies outside the database."""


@keys_commands.command("list")
@json_option
def list_keys(as_json: bool) -> None:
    """The public keys of the pre-check, for members to pin, and the numbers of the other keys there are."""
    hub = open_hub()
    with hub.database.reading() as session:
        public = [
            {"epoch": one.number, "public_key": precheck_keys.published(one.public_key)}
            for one in precheck_keys.epochs(session)
        ]
    rings = {ring: hub.vault.ring(ring).numbers() for ring in ("check-index", "wrapping", "precheck")}
    if as_json:
        print_json({"precheck": public, "rings": rings})
    else:
        print_table(["precheck epoch", "public key"], [[str(one["epoch"]), str(one["public_key"])] for one in public])
        print_table(["ring", "keys"], [[ring, " ".join(map(str, numbers))] for ring, numbers in rings.items()])


@keys_commands.command("rotate")
@click.argument("which", type=click.Choice(WHICH))
@click.option("--why", default="", help="For the audit log.")
@json_option
def rotate(which: str, why: str, as_json: bool) -> None:
    """Put a new key in the place of one; the hub goes on meanwhile. Stopped half-way, run it again.

    index: the tags of what is filed are written anew. wrapping: the keys of filings are wrapped anew, what they seal
    is not touched. precheck: new sets under a new key; the old one is evaluated for precheck.overlap_days more.
    """
    hub = open_hub()
    shown: dict[str, Any]
    if which == "precheck":
        with hub.database.unit_of_work() as session:
            days = hub.settings.precheck.overlap_days
            fresh = precheck_keys.rotate(session, hub.vault, membership.OPERATOR, days, why)
        built = upkeep.set_builder(hub).run()
        shown = {"key": fresh.number, "public_key": precheck_keys.published(fresh.public_key), "sets": built.published}
    else:
        turn = rotation.rotate_index if which == "index" else rotation.rotate_wrapping
        done = turn(hub.database, hub.vault, membership.OPERATOR)
        shown = {"key": done.number, "rows": done.rows}
    if as_json:
        print_json(shown)
    else:
        click.echo(", ".join(f"{name.replace('_', ' ')} {value}" for name, value in shown.items()))


@click.group("retention")
def retention_commands() -> None:
    """How long things are kept."""


@retention_commands.command("run")
@click.option("--dry-run", is_flag=True, help="Only count what is due.")
@json_option
def run_retention(dry_run: bool, as_json: bool) -> None:
    """Delete what is due now, as workers do every hour; the audit log tells what was deleted."""
    hub = open_hub()
    kinds = upkeep.retention_kinds(hub)
    if dry_run:
        with hub.database.reading() as session:
            counts = retention.due(session, kinds)
    else:
        counts = retention.run(hub.database, kinds, membership.OPERATOR)
    if as_json:
        print_json(counts)
    else:
        print_table(["what", "due" if dry_run else "deleted"], [[name, str(n)] for name, n in counts.items()])


@click.command("subject-access")
@click.argument("reference")
@click.option("--by", "email", required=True, help="The e-mail address of the person of the hub who decides.")
@click.option("--person", "named", nargs=3, multiple=True, metavar="NAME BORN POSTCODE", help='"" for what is unknown.')
@click.option("--identifier", "identifiers", multiple=True, help="KIND=VALUE, such as phone=+447700900123.")
@click.option("--withhold", multiple=True, help="The id of what is held that the crime exemption covers.")
@click.option("--reason", default="", help="Why the exemption covers them; kept sealed.")
@click.option("--answer", is_flag=True, help="Decide: print the person's copy and record it. Without: look first.")
@json_option
def access(
    reference: str,
    email: str,
    named: tuple[tuple[str, str, str], ...],
    identifiers: tuple[str, ...],
    withhold: tuple[str, ...],
    reason: str,
    answer: bool,
    as_json: bool,
) -> None:
    """Answer a person's request for access: filings about them, their sources, who else named them, who searched.

    First without --answer, which shows all that is held, for the one who decides. Then with it, and with --withhold
    for what the crime exemption covers: that prints what the person gets, and records who decided what.
    """
    hub = open_hub()
    subjects = _subjects(named, identifiers)
    with hub.database.unit_of_work() as session:
        person = people.by_email(session, email)
        if person is None or person.member_id is not None or person.status != "active":
            raise NotPermitted("this is no active person of the hub", advice="hub admin add makes one.")
        holding = subject_access.find(session, hub.vault, subjects, mentions)
        if answer:
            decision = Decision(reference, person.id, frozenset(withhold), reason)
            told = subject_access.answer(session, hub.vault, holding, decision, upkeep.owners(session))
        else:
            subject_access.looked_at(session, person.id, reference, holding)
            told = _overview(holding)
    if as_json or answer:
        print_json(told)
        return
    print_table(
        ["filing", "state", "purpose", "sure", "conditions"],
        [[str(cell) for cell in row.values()] for row in told["filings"]],
    )
    print_table(["search", "at", "purpose"], [[str(cell) for cell in row.values()] for row in told["searches"]])
    columns = ["mention", "what", "source", "state"]
    print_table(columns, [[str(cell) for cell in row.values()] for row in told["mentions"]])
    for line in told["not_searched"]:
        click.echo(line)


def _overview(holding: Holding) -> dict[str, Any]:
    """What is held, for the one who decides."""
    return {
        "filings": [
            {
                "id": one.filing.id,
                "state": one.filing.state,
                "purpose": one.filing.purpose,
                "sure": not one.possible,
                "conditions": one.conditions,
            }
            for one in holding.filings
        ],
        "searches": [
            {"id": subject_access.search_id(one), "at": clock.timestamp(one.search.at), "purpose": one.search.purpose}
            for one in holding.searches
        ],
        "mentions": [
            {"id": one.id, "what": one.what, "source": one.source, "state": one.state} for one in holding.mentions
        ],
        "not_searched": list(NOT_SEARCHED),
    }


def _subjects(named: tuple[tuple[str, str, str], ...], identifiers: tuple[str, ...]) -> list[Subject]:
    found = [
        canonical_subject(SubjectKind.PERSON, {"name": name, "date_of_birth": born, "postcode": postcode})
        for name, born, postcode in named
    ]
    for identifier in identifiers:
        kind, separator, value = identifier.partition("=")
        if not separator or kind not in set(SubjectKind) - {SubjectKind.PERSON}:
            raise InvalidInput("is KIND=VALUE, such as phone=+447700900123", where="--identifier")
        found.append(canonical_subject(SubjectKind(kind), value))
    return found
