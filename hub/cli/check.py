"""``hub check``: the watch over the checking service."""

from __future__ import annotations

from threading import Event, Thread
from typing import Any

import click

from hub import clock
from hub.checks.filings.gateways import Purpose
from hub.checks.searching import canaries, contacts, quotas, reciprocity, watch
from hub.checks.subjects import SubjectKind
from hub.cli.opening import open_hub
from hub.cli.output import json_option, print_json, print_table
from hub.clock import DAY
from hub.factory import Hub
from hub.factory import checks as joined
from hub.members import membership

PERSON_FIELDS = ("name", "date_of_birth", "postcode")


def add_to(group: click.Group) -> None:
    """Add the commands of this file."""
    group.add_command(check_commands)


def start_threads(hub: Hub, name: str, stop: Event) -> None:
    """What a worker does for the checking service beside its inbox: watch over searches, check files."""
    Thread(target=joined.watch(hub).run, args=(stop,), name="watch", daemon=True).start()
    Thread(target=joined.job_worker(hub, name).run, args=(stop,), name="check-jobs", daemon=True).start()


@click.group("check")
def check_commands() -> None:
    """The checking service: planted values, alarms, quotas."""


@check_commands.group("canary")
def canary_commands() -> None:
    """Values that nobody has a reason to ask for."""


@canary_commands.command("add")
@click.argument("kind", type=click.Choice([kind.value for kind in SubjectKind]))
@click.argument("value", nargs=-1, required=True)
@click.option("--note", required=True, help="Where it is planted.")
def add_canary(kind: str, value: tuple[str, ...], note: str) -> None:
    """Watch for a VALUE; a person is NAME DATE_OF_BIRTH [POSTCODE]. Whoever asks for it learns nothing."""
    hub = open_hub()
    raw: Any = dict(zip(PERSON_FIELDS, value, strict=False)) if kind == SubjectKind.PERSON else " ".join(value)
    with hub.database.unit_of_work() as session:
        added = canaries.add(session, hub.vault, membership.OPERATOR, SubjectKind(kind), raw, note)
        numbers = ", ".join(str(one.id) for one in added)
    click.echo(f"Planted as {numbers}")


@canary_commands.command("list")
@json_option
def list_canaries(as_json: bool) -> None:
    """Every value that is watched for."""
    hub = open_hub()
    with hub.database.reading() as session:
        shown = [
            {
                "id": one.id,
                "kind": one.kind,
                "value": canaries.value_of(hub.vault, one),
                "note": one.note,
                "added_at": clock.timestamp(one.added_at),
                "added_by": one.added_by,
            }
            for one in canaries.planted(session)
        ]
    _print(shown, ["id", "kind", "value", "note", "added_at", "added_by"], as_json)


@canary_commands.command("remove")
@click.argument("number", type=int)
def remove_canary(number: int) -> None:
    """Stop watching for a value."""
    with open_hub().database.unit_of_work() as session:
        canaries.remove(session, membership.OPERATOR, number)
    click.echo(f"Removed {number}")


@check_commands.command("alarms")
@click.option("--all", "every", is_flag=True, help="Also those that were handled.")
@json_option
def list_alarms(every: bool, as_json: bool) -> None:
    """Alarms about members' searches, the newest first."""
    with open_hub().database.reading() as session:
        shown = [
            {
                "id": one.id,
                "at": clock.timestamp(one.at),
                "member_id": one.member_id,
                "kind": one.kind,
                "detail": one.detail,
                "handled_at": None if one.handled_at is None else clock.timestamp(one.handled_at),
                "note": one.note,
            }
            for one in watch.alarms(session, open_only=not every)
        ]
    _print(shown, ["id", "at", "member_id", "kind", "detail", "handled_at", "note"], as_json)


@check_commands.command("handle")
@click.argument("number", type=int)
@click.option("--note", required=True, help="What was found out.")
def handle(number: int, note: str) -> None:
    """Close an alarm."""
    with open_hub().database.unit_of_work() as session:
        watch.handle(session, membership.OPERATOR, number, note)
    click.echo(f"Handled {number}")


@check_commands.command("quota")
@click.argument("member")
@click.argument("purpose", type=click.Choice([purpose.value for purpose in Purpose]))
@click.option("--per-hour", type=click.IntRange(0), required=True)
@click.option("--per-day", type=click.IntRange(0), required=True)
def set_quota(member: str, purpose: str, per_hour: int, per_day: int) -> None:
    """Give a MEMBER (id or name) its own quota for a purpose."""
    with open_hub().database.unit_of_work() as session:
        member_id = membership.find(session, member).id
        quotas.set_quota(session, membership.OPERATOR, member_id, purpose, per_hour, per_day)
    click.echo(f"{member} may ask for {per_hour:,} in an hour and {per_day:,} in a day for {purpose}")


@check_commands.command("balance")
@click.option("--days", type=click.IntRange(1), default=365, show_default=True)
@json_option
def balance(days: int, as_json: bool) -> None:
    """What each member gives (filings) and takes (subjects asked for)."""
    with open_hub().database.reading() as session:
        names = {one.id: one.name for one in membership.all_members(session)}
        shown = [
            {
                "member": names.get(one.member_id, one.member_id),
                "filed": one.filed,
                "live": one.live,
                "asked": one.asked,
                "asked_for_each_filing": one.checks_for_each_filing,
            }
            for one in reciprocity.balances(session, clock.micros() - days * DAY)
        ]
    _print(shown, ["member", "filed", "live", "asked", "asked_for_each_filing"], as_json)


@check_commands.command("contact")
@click.argument("token")
@json_option
def contact(token: str, as_json: bool) -> None:
    """Whom a contact TOKEN of an answer stands for; that somebody looked is in the audit log."""
    hub = open_hub()
    with hub.database.unit_of_work() as session:
        search, filings = contacts.owners(session, hub.vault, membership.OPERATOR, token)
        names = {one.id: one.name for one in membership.all_members(session)}
        shown = [
            {"asked_by": names[search.member_id], "owner": names[one.member_id], "reference": one.reference}
            for one in filings
        ]
    _print(shown, ["asked_by", "owner", "reference"], as_json)


def _print(shown: list[dict[str, Any]], columns: list[str], as_json: bool) -> None:
    if as_json:
        print_json(shown)
    else:
        print_table(columns, [["" if one[column] is None else str(one[column]) for column in columns] for one in shown])
