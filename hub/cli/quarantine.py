"""``hub quarantine``: what a rule held back, and what becomes of it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import click

from hub import clock
from hub.cli.opening import open_hub
from hub.cli.output import json_option, print_json, print_table
from hub.errors import HubError
from hub.feeds import quarantine_view
from hub.feeds.holding import HELD, STATES
from hub.feeds.quarantine import Quarantine
from hub.feeds.quarantine_view import EntryView, Wanted
from hub.feeds.records import Quarantined
from hub.members import membership
from hub.stix.values import Kind

ALL = "all"
reason_option = click.option("--reason", required=True, help="Kept with the entry and in the audit log.")


def add_to(group: click.Group) -> None:
    """Add the commands of this file."""
    group.add_command(quarantine_commands)


@click.group("quarantine")
def quarantine_commands() -> None:
    """Values that a rule held back."""


@quarantine_commands.command("list")
@click.option("--state", type=click.Choice([*STATES, ALL]), default=HELD, show_default=True)
@click.option("--kind", default="", help="domain, ipv4, phone …")
@click.option("--source", default="", help="Who named the value.")
@click.option("--rule", default="", help="The rule that holds it, in its own words.")
@click.option("--value", default="", help="A part of the value.")
@click.option("--submission", default="", help="The submission that it came in.")
@click.option("--before", type=int, help="Entries below this number: the next page.")
@click.option("--limit", type=click.IntRange(1, 1000), default=quarantine_view.PAGE, show_default=True)
@json_option
def list_entries(
    state: str, rule: str, value: str, before: int | None, limit: int, as_json: bool, **narrowed: str
) -> None:
    """Entries, the newest first."""
    wanted = Wanted(text=value, reason=rule, state="" if state == ALL else state, **narrowed)
    with open_hub().database.reading() as session:
        found = quarantine_view.page(session, wanted, before, limit)
        total = quarantine_view.total(session, wanted)
    shown = [_shown(one) for one in found[:limit]]
    following = shown[-1]["id"] if len(found) > limit else None
    if as_json:
        print_json({"total": total, "entries": shown, "next_before": following})
        return
    columns = ["id", "state", "kind", "value", "source", "rule", "where", "held_at"]
    print_table(columns, [[str(one[column]) for column in columns] for one in shown])
    if following:
        click.echo(f"{len(shown)} of {total:,}; more with --before {following}")


@quarantine_commands.command("show")
@click.argument("entry_id", type=int)
@json_option
def show(entry_id: int, as_json: bool) -> None:
    """One entry with all that is known of it."""
    with open_hub().database.reading() as session:
        found = quarantine_view.entry(session, entry_id)
    shown = _shown(found.entry) | {
        "decisions": [
            {"at": clock.timestamp(one.at), "by": one.by, "action": one.action, "why": one.why, "effect": one.effect}
            for one in found.decisions
        ],
        "same_value": [{"id": one.id, "source": one.source, "state": one.state} for one in found.same_value],
    }
    if as_json:
        print_json(shown)
        return
    for name, content in shown.items():
        if content not in (None, "", []) and name not in ("decisions", "same_value"):
            click.echo(f"{name:<14}{content}")
    for decision in shown["decisions"]:
        click.echo("{at}  {by}  {action}: {why} ({effect})".format(**decision))
    for other in shown["same_value"]:
        click.echo("also {id}  {source}  {state}".format(**other))


@quarantine_commands.command("release")
@click.argument("entry_ids", type=int, nargs=-1, required=True)
@reason_option
@json_option
def release(entry_ids: tuple[int, ...], reason: str, as_json: bool) -> None:
    """Publish values as their sources said them. Exit 3 where one of several could not be."""
    _decide(
        entry_ids,
        lambda desk, session, one: desk.release(session, one, reason=reason, by=membership.OPERATOR),
        as_json=as_json,
    )


@quarantine_commands.command("edit")
@click.argument("entry_id", type=int)
@click.argument("value")
@click.option("--kind", type=click.Choice([kind.value for kind in Kind]), help="Where it is of another kind.")
@reason_option
@json_option
def edit(entry_id: int, value: str, kind: str | None, reason: str, as_json: bool) -> None:
    """Publish VALUE in place of a held one, now and whenever its source names that again."""
    new_kind = Kind(kind) if kind else None
    _decide(
        (entry_id,),
        lambda desk, session, one: desk.edit_and_replay(
            session, one, value, reason=reason, by=membership.OPERATOR, kind=new_kind
        ),
        as_json=as_json,
    )


@quarantine_commands.command("reject")
@click.argument("entry_ids", type=int, nargs=-1, required=True)
@reason_option
@json_option
def reject(entry_ids: tuple[int, ...], reason: str, as_json: bool) -> None:
    """Never publish values; one that was released is taken back. Exit 3 where one of several could not be."""
    _decide(
        entry_ids,
        lambda desk, session, one: desk.reject(session, one, reason=reason, by=membership.OPERATOR),
        as_json=as_json,
    )


@quarantine_commands.command("refused")
@click.option("--submission", default="", help="Show what was refused of this one, and why.")
@click.option("--before", type=int, help="Received before this instant (microseconds): the next page.")
@json_option
def refused(submission: str, before: int | None, as_json: bool) -> None:
    """What partners and members sent that could not be accepted."""
    shown: list[dict[str, Any]] = []
    with open_hub().database.reading() as session:
        if submission:
            rows = quarantine_view.refused_rows(session, submission, size=1000)
            shown += [{"where": o.where, "subject": o.subject, "reason": o.message} for _, o in rows]
        else:
            shown += [
                {"submission": one.submission_id, "kind": one.kind, "source": one.source, "refused": one.count,
                 "received": one.received_at, "failure": one.failure}
                for one in quarantine_view.refusals(session, before)
            ]  # fmt: skip
    if as_json:
        print_json(shown)
    elif shown:
        print_table(list(shown[0]), [["" if cell is None else str(cell) for cell in one.values()] for one in shown])


def _decide(
    entry_ids: tuple[int, ...], action: Callable[[Quarantine, Any, int], Quarantined], *, as_json: bool
) -> None:
    """Each entry in a transaction of its own; what one of several fails of does not undo the others."""
    hub = open_hub()
    desk = hub.quarantine()
    done, failed = [], []
    for entry_id in entry_ids:
        try:
            with hub.database.unit_of_work() as session:
                action(desk, session, entry_id)
            with hub.database.reading() as session:
                full = quarantine_view.entry(session, entry_id)
            done.append(_shown(full.entry) | {"effect": full.decisions[-1].effect})
        except HubError as error:
            if len(entry_ids) == 1:
                raise
            failed.append({"id": entry_id, "reason": str(error)})
    if as_json:
        print_json({"entries": done, "failed": failed})
    else:
        for one in done:
            click.echo(f"{one['id']}  {one['kind']} {one['value']}: {one['state']} ({one['effect']})")
        for one in failed:
            click.echo(f"{one['id']}: {one['reason']}", err=True)
    sys.exit(3 if failed else 0)


def _shown(one: EntryView) -> dict[str, Any]:
    return {
        "id": one.id,
        "state": one.state,
        "kind": one.kind,
        "value": one.value,
        "source": one.source,
        "rule": one.reason,
        "where": one.where,
        "submission": one.submission_id,
        "held_at": clock.timestamp(one.held_at),
        "origin": one.origin,
        "grade": one.grade,
        "tlp": one.tlp.label,
        "labels": list(one.labels),
        "replaced": dict(zip(("kind", "value"), one.replaced, strict=True)) if one.replaced else None,
        "decided_at": clock.timestamp(one.decided_at) if one.decided_at else None,
        "decided_by": one.decided_by,
        "decision": one.decision,
    }
