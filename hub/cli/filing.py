"""``hub filing``: an operator's hand on filings. Every step is recorded as the operator's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click
from sqlalchemy.orm import Session

from hub import clock
from hub.checks.filings import filing as life
from hub.checks.filings.parts import HUB, Desk
from hub.checks.filings.records import STATES, Filing
from hub.checks.filings.view import MOST_LISTED, listed, opened
from hub.cli.opening import open_hub
from hub.cli.output import json_option, print_json, print_table
from hub.errors import NotFound
from hub.members import membership, people
from hub.stix.tlp import Tlp

COLUMNS = ("id", "reference", "state", "tier", "role", "grade", "tlp", "valid_until")
reason_option = click.option("--reason", required=True, help="Why; kept sealed with the filing.")
Step = Callable[[Session, Desk], Filing]


def add_to(group: click.Group) -> None:
    """Add the commands of this file."""
    group.add_command(filing_commands)


@click.group("filing")
def filing_commands() -> None:
    """Filings for the checking service."""


@filing_commands.command("list")
@click.option("--member", help="Of this member only, by id or name.")
@click.option("--state", type=click.Choice(STATES), help="In this state only.")
@click.option("--after", default="", help="Begin behind this id.")
@json_option
def list_filings(member: str | None, state: str | None, after: str, as_json: bool) -> None:
    """The filings, 100 at a time, without what they are about."""
    with open_hub().database.reading() as session:
        member_id = None if member is None else membership.find(session, member).id
        shown = [_summary(one) for one in listed(session, member_id=member_id, state=state or "", after=after)]
    if as_json:
        print_json(shown)
        return
    print_table(list(COLUMNS), [[str(one[column]) for column in COLUMNS] for one in shown])
    if len(shown) == MOST_LISTED:
        click.echo(f"… more: --after {shown[-1]['id']}")


@filing_commands.command("show")
@click.argument("filing_id")
@click.option("--open", "to_open", is_flag=True, help="Also what it is about; recorded in the audit log.")
@click.option("--reason", default="", help="Why it is opened; without naming anybody.")
@json_option
def show_filing(filing_id: str, to_open: bool, reason: str, as_json: bool) -> None:
    """One filing with its history."""
    hub = open_hub()
    with hub.database.unit_of_work() as session:
        filing = life.found(session, HUB, filing_id)
        view = opened(session, hub.filings(), filing)
        if to_open:
            life.note_opened(session, filing, membership.OPERATOR, reason)
    history = [
        {"at": clock.timestamp(one.at), "by": one.by, "what": one.what, "version": one.version, "state": one.state}
        for one in view.events
    ]
    shown = {**_summary(filing), "published": view.published, "history": history}
    if to_open:
        shown["document"] = view.document
    if as_json:
        print_json(shown)
        return
    for name, value in shown.items():
        if name != "history":
            click.echo(f"{name:<16}{value}")
    for one in history:
        click.echo(f"  {one['at']}  {one['what']:<12} v{one['version']}  {one['state']:<10} {one['by']}")


@filing_commands.command("approve")
@click.argument("filing_id")
@click.option("--person", required=True, help="E-mail address of the person of the member who approves.")
@json_option
def approve(filing_id: str, person: str, as_json: bool) -> None:
    """Enter the approval that a second person of the member gave outside the console."""

    def step(session: Session, desk: Desk) -> Filing:
        filing = life.found(session, HUB, filing_id)
        approver = people.by_email(session, person)
        if approver is None or approver.member_id != filing.member_id or approver.status != people.ACTIVE:
            raise NotFound("no active person of the filing's member has this e-mail address", where="person")
        return life.approve(session, desk, approver.id, filing.member_id, filing_id, entered_by=membership.OPERATOR)

    _do(step, as_json)


@filing_commands.command("dispute")
@click.argument("filing_id")
@reason_option
@json_option
def dispute(filing_id: str, reason: str, as_json: bool) -> None:
    """Suppress a filing at once, until the hub ends the dispute."""
    _do(lambda session, desk: life.dispute(session, desk, membership.OPERATOR, HUB, filing_id, reason), as_json)


@filing_commands.command("end-dispute")
@click.argument("filing_id")
@reason_option
@json_option
def end_dispute(filing_id: str, reason: str, as_json: bool) -> None:
    """End a dispute in favour of the filing; known fraud waits for its approval again."""
    _do(lambda session, desk: life.end_dispute(session, desk, membership.OPERATOR, HUB, filing_id, reason), as_json)


@filing_commands.command("withdraw")
@click.argument("filing_id")
@reason_option
@json_option
def withdraw(filing_id: str, reason: str, as_json: bool) -> None:
    """Take a filing back for good."""
    _do(lambda session, desk: life.withdraw(session, desk, membership.OPERATOR, HUB, filing_id, reason), as_json)


def _do(step: Step, as_json: bool) -> None:
    hub = open_hub()
    with hub.database.unit_of_work() as session:
        shown = _summary(step(session, hub.filings()))
    if as_json:
        print_json(shown)
    else:
        click.echo(f"{shown['id']} ({shown['reference']}) is {shown['state']}")


def _summary(filing: Filing) -> dict[str, Any]:
    return {
        "id": filing.id, "member_id": filing.member_id, "reference": filing.reference, "state": filing.state,
        "tier": filing.tier, "role": filing.role, "category": filing.category, "grade": filing.grade,
        "tlp": Tlp(filing.tlp).label, "purpose": filing.purpose, "legal_gateway": filing.legal_gateway,
        "version": filing.version, "filed_by": filing.filed_by, "approved_by": filing.approved_by,
        "filed_at": clock.timestamp(filing.filed_at), "valid_until": clock.timestamp(filing.valid_until),
    }  # fmt: skip
