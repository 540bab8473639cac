"""``hub feed``."""

from __future__ import annotations

import sys
from typing import Any

import click

from hub import clock
from hub.cli.opening import open_hub
from hub.cli.output import json_option, print_json, print_table
from hub.errors import InvalidInput
from hub.factory import prepare
from hub.feeds import catalogue, switching
from hub.feeds.pull.fetch import FETCHERS
from hub.feeds.records import Feed, FeedRun
from hub.members import membership
from hub.stix.canonical import parse_json
from hub.stix.tlp import Tlp

# Fields that are no texts.
IN_JSON = ("mapping", "groups", "enabled", "listed_is_seen")


def add_to(group: click.Group) -> None:
    """Add the commands of this file."""
    group.add_command(feed_commands)


@click.group("feed")
def feed_commands() -> None:
    """Upstream feeds."""


@feed_commands.command("list")
@json_option
def list_feeds(as_json: bool) -> None:
    """Every feed and how its last run went."""
    with open_hub().database.reading() as session:
        shown = [_shown(feed, catalogue.last_run(session, feed.name)) for feed in catalogue.all_feeds(session)]
    if as_json:
        print_json(shown)
        return
    columns = ["name", "protocol", "enabled", "next_run", "last_outcome", "last_message"]
    print_table(columns, [["" if one[column] is None else str(one[column]) for column in columns] for one in shown])


@feed_commands.command("add")
@click.argument("name")
@click.option("--protocol", type=click.Choice(list(FETCHERS)), default="http", show_default=True)
@click.option("--url", required=True)
@click.option("--format", "format_name", default="auto", show_default=True)
@click.option("--collection", default="", help="Alias; left out, the kind of each value decides.")
@click.option("--grade", default="2B", show_default=True, help="3x5x2: source 1-3, intelligence A-D.")
@click.option("--tlp", required=True, help="The label of content that states none.")
@click.option("--tlp-ceiling", default="", help="The widest label that its content may have; --tlp without it.")
@click.option("--allows-wider", default="", help="Where it has agreed in writing that others may say the same wider.")
@click.option("--group", "groups", multiple=True, help="A sharing group for AMBER content; repeatable.")
@click.option("--every", required=True, help="30m, 6h, 1d")
@click.option("--gone", type=click.Choice([catalogue.AGE, catalogue.REVOKE]), default=catalogue.AGE, show_default=True)
@click.option(
    "--listed-is-seen/--listed-is-not-seen",
    default=True,
    show_default=True,
    help="What it names without a time counts as seen for as long as it names it.",
)
@click.option("--username", default="", help="HTTP Basic user name.")
@click.option("--secret-variable", default="", help="Environment variable that holds the password.")
@click.option("--licence", required=True, help="Under which terms its content may be passed on.")
@click.option("--disabled", is_flag=True, help="Known, but not pulled.")
def add_feed(name: str, format_name: str, groups: tuple[str, ...], disabled: bool, **options: str | bool) -> None:
    """Add a feed."""
    entry = {**options, "name": name, "format": format_name, "groups": list(groups), "enabled": not disabled}
    with open_hub().database.unit_of_work() as session:
        catalogue.add(session, entry, membership.OPERATOR)
    click.echo(f"Added the feed {name}")


@feed_commands.command("change")
@click.argument("name")
@click.argument("changes", nargs=-1, required=True, metavar="FIELD=VALUE...")
@click.option("--reason", default="", help="Kept in the audit log.")
def change_feed(name: str, changes: tuple[str, ...], reason: str) -> None:
    """Change fields of a feed, named as in config/feeds.toml; lists and mappings are written as JSON."""
    entry = dict(_field(change) for change in changes)
    with open_hub().database.unit_of_work() as session:
        catalogue.change(session, name, entry, membership.OPERATOR, reason)
    click.echo(f"Changed {name}: {', '.join(entry)}")


@feed_commands.command("run")
@click.argument("name")
@json_option
def run_feed(name: str, as_json: bool) -> None:
    """Pull a feed now. Exit 1 if that failed."""
    hub = open_hub()
    prepare(hub)
    run = hub.puller().run(name)
    shown = _run_shown(run)
    if as_json:
        print_json(shown)
    else:
        counts = "  ".join(f"{label} {count:,}" for label, count in run.counts.items())
        click.echo(f"{name}: {run.outcome}  {shown['seconds']} s  fetched {run.fetched_bytes:,} bytes  {counts}")
        if run.message:
            click.echo(f"  {run.message}", err=True)
    sys.exit(1 if run.outcome == "failed" else 0)


@feed_commands.command("enable")
@click.argument("name")
def enable(name: str) -> None:
    """Pull a feed from now on."""
    _switch(name, enabled=True)


@feed_commands.command("disable")
@click.argument("name")
def disable(name: str) -> None:
    """Stop pulling a feed; what it brought stays."""
    _switch(name, enabled=False)


def _field(change: str) -> tuple[str, Any]:
    field, equals, text = change.partition("=")
    if not equals:
        raise InvalidInput("a change is written FIELD=VALUE", where=change[:60])
    field = field.replace("-", "_")
    return field, parse_json(text.encode()) if field in IN_JSON else text


def _switch(name: str, *, enabled: bool) -> None:
    with open_hub().database.unit_of_work() as session:
        switching.switch(session, name, membership.OPERATOR, enabled=enabled)
    click.echo(f"{'Enabled' if enabled else 'Disabled'} {name}")


def _shown(feed: Feed, run: FeedRun | None) -> dict[str, Any]:
    return {
        "name": feed.name,
        "protocol": feed.protocol,
        "url": feed.url,
        "format": feed.format,
        "collection": feed.collection,
        "grade": feed.grade,
        "tlp": Tlp(feed.tlp).label,
        "tlp_ceiling": Tlp(feed.tlp_ceiling).label,
        "allows_wider": feed.allows_wider,
        "groups": feed.groups,
        "every_seconds": feed.every_seconds,
        "gone": feed.gone,
        "listed_is_seen": feed.listed_is_seen,
        "licence": feed.licence,
        "enabled": feed.enabled,
        "failures": feed.failures,
        "next_run": clock.timestamp(feed.next_run_at) if feed.next_run_at else None,
        "last_outcome": run.outcome if run else None,
        "last_message": run.message if run else None,
        "last_run": _run_shown(run) if run else None,
    }


def _run_shown(run: FeedRun) -> dict[str, Any]:
    return {
        "feed": run.feed,
        "started_at": clock.timestamp(run.started_at),
        "seconds": round((run.finished_at - run.started_at) / 1_000_000, 2),
        "outcome": run.outcome,
        "fetched_bytes": run.fetched_bytes,
        "counts": run.counts,
        "message": run.message,
    }
