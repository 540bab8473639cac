"""The demonstration: organisations, people, feeds, reports and a month of polls, all through the real doors.

What is there already stays as it is, so a second start creates nothing twice and begins at once. A fresh hub is founded
400 days ago, so that it has members of a year's standing, reviews that are due and a month that its charts can show.
"""

from __future__ import annotations

from dataclasses import replace

import click
from sqlalchemy import select

from hub import clock
from hub.auth import Role
from hub.cli.demo import month, organisations, people, timeline, vetting
from hub.cli.demo.credentials import DemoCredential
from hub.cli.demo.month import SAMPLES
from hub.cli.demo.organisations import MEMBERS, NORTHBANK
from hub.clock import DAY
from hub.db import migrate
from hub.errors import NotFound
from hub.factory import Hub, prepare
from hub.ledger.records import Entry, LogHead
from hub.members import membership
from hub.members.credentials import ACTIVE

__all__ = ["found", "load"]

FOUNDED_DAYS_AGO = 400


def found(hub: Hub) -> None:
    """Prepare the hub; one that holds nothing yet is founded in the past."""
    migrate(hub.settings.database_location)
    with hub.database.reading() as session:
        fresh = session.scalars(select(LogHead.seq)).one() == 0
    if not fresh:
        prepare(hub)
        return
    with clock.as_of(clock.micros() - FOUNDED_DAYS_AGO * DAY):
        prepare(hub)


def load(hub: Hub) -> None:
    """Load what is not there yet, and show how each member reaches the hub.

    Reserved values are let through here, whatever ``intake.reserved`` says for everybody else's input. Raises
    NotFound where the sample feeds are missing.
    """
    if not SAMPLES.is_dir():
        raise NotFound("the sample feeds are not there", where=str(SAMPLES), advice="Run it from a checkout.")
    reserved = hub.settings.intake.model_copy(update={"reserved": "publish"})
    lenient = replace(hub, settings=hub.settings.model_copy(update={"intake": reserved}))
    with hub.database.reading() as session:
        founded = session.scalars(select(Entry.date_added).order_by(Entry.seq).limit(1)).one()
    now = clock.micros()
    with clock.as_of(min(founded + 60_000_000, now)):
        held = organisations.load(hub)
        staff = people.load(hub, NORTHBANK, seen_at=now)
    today = founded + FOUNDED_DAYS_AGO * DAY
    days = month.Month(lenient, held)
    timeline.play([*vetting.events(hub, today), *days.events(today)])
    days.close()
    if days.played:
        vetting.run_due(hub)
        click.echo(f"Played {days.played} days of applications, reports and polls", err=True)
    _show(hub, held, staff)


def _show(hub: Hub, held: dict[str, DemoCredential], staff: list[people.DemoPerson]) -> None:
    """How each member reaches the hub, with a line to copy."""
    base = hub.settings.base_url
    with hub.database.reading() as session:
        status = {member.name: member.status for member in membership.all_members(session)}
    read = f"{base}/taxii2/signed/collections/fraud/objects/?match[type]=indicator&limit=2"
    push = f"-H 'Content-Type: application/json' --data @docs/examples/report.json {base}/api/v1/reports"
    click.echo(f"\nTAXII 2.1    {base}/taxii2/")
    click.echo(f"Reports API  {base}/api/v1/reports, described by {base}/api/openapi.json")
    click.echo("Demonstration members (their tokens are for this demonstration only):")
    for one in MEMBERS:
        user = f"{held[one.name].username}:{held[one.name].token}"
        groups = ", ".join(one.groups) or "no group"
        suspended = "" if status.get(one.name) == ACTIVE else f", {status.get(one.name)}"
        click.echo(f"\n  {one.name}: {one.kind.value}, up to TLP:{one.clearance.label.upper()}, {groups}{suspended}")
        if Role.REPORTING_PARTNER in one.roles:
            click.echo(f"    curl -u {user} {push}")
        else:
            click.echo(f"    curl -g -u {user} '{read}'")
    click.echo(f"\nConsole      {base}/console/")
    click.echo("Demonstration people (for this demonstration only):")
    for line in people.shown(staff):
        click.echo(line)
    click.echo("")
