"""``hub import``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from hub.cli.member import TlpParameter
from hub.cli.opening import open_hub
from hub.cli.output import json_option, print_json
from hub.errors import InvalidInput, NotFound
from hub.factory import Hub, prepare
from hub.feeds import inbox, intake, lease, sources
from hub.feeds.batch import FAILURE, QUARANTINED, REFUSED
from hub.feeds.inbox import SubmissionView
from hub.feeds.readers import READERS, misp_feed
from hub.feeds.records import Submission
from hub.feeds.worker import worker_name
from hub.ledger import collections
from hub.members import membership
from hub.stix.tlp import Tlp

FORMATS = ["auto", *(reader.name for reader in READERS)]
NOTHING_READ = 1
SOME_REFUSED = 3
INTERRUPTED = 130
COUNTS = ("read", "accepted", "new", "updated", "unchanged", "sighted", "refused", "quarantined")
SHOWN_REASONS = 20


def add_to(group: click.Group) -> None:
    """Add the commands of this file."""
    group.add_command(import_file)


@click.command("import")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--source", required=True, help="Who the file is from.")
@click.option("--format", "format_name", type=click.Choice(FORMATS), default="auto", show_default=True)
@click.option("--collection", help="Alias of the collection that the content goes to.")
@click.option("--tlp", type=TlpParameter(), help="The TLP of content that states none, and the least of what does.")
@click.option("--group", "groups", multiple=True, help="A sharing group for AMBER content; repeatable.")
@json_option
def import_file(
    path: Path,
    source: str,
    format_name: str,
    collection: str | None,
    tlp: Tlp | None,
    groups: tuple[str, ...],
    as_json: bool,
) -> None:
    """Read a file, the folder of a MISP feed, or every file below any other folder, through the intake.

    Exit 0; 1 if nothing could be read; 3 if some of it was refused, or some file of a folder could not be read.
    """
    hub = open_hub()
    prepare(hub)
    whole = path.is_file() or misp_feed.is_feed(path)
    files = [path] if whole else sorted(file for file in path.rglob("*") if file.is_file())
    shown = []
    for file in files:
        outcome = take_in(hub, file, source, format_name, collection, tlp, groups, show=sys.stderr.isatty())
        shown.append(summary(outcome) if whole else {"file": str(file.relative_to(path)), **summary(outcome)})
        if not as_json:
            _print_summary(file, shown[-1], outcome)
    if as_json:
        print_json(shown[0] if whole else {"files": shown, **totals(shown)})
    elif not whole:
        click.echo(f"{len(files)} files  " + "  ".join(f"{name} {n:,}" for name, n in totals(shown).items()))
    unread = [one for one in shown if not one["read"]]
    if len(unread) == len(shown):
        sys.exit(NOTHING_READ)
    sys.exit(SOME_REFUSED if unread or any(one["refused"] for one in shown) else 0)


def totals(shown: list[dict[str, Any]]) -> dict[str, int]:
    """The counts of several files together."""
    return {name: sum(one[name] for one in shown) for name in COUNTS}


def take_in(
    hub: Hub,
    path: Path,
    source: str,
    format_name: str = "auto",
    collection: str | None = None,
    tlp: Tlp | None = None,
    groups: tuple[str, ...] = (),
    *,
    show: bool = False,
) -> SubmissionView:
    """Put a file, or the folder of a MISP feed, into the inbox and process it here and now."""
    settings = hub.settings.intake
    raw = _bytes_of(path, settings.max_file_bytes)
    parts, worker = hub.intake(), worker_name()
    with hub.database.unit_of_work() as session:
        contributor = sources.named(session, source, settings.default_grade)
        target = None if collection is None else collections.by_alias(session, collection)
        if collection is not None and target is None:
            raise NotFound(f"there is no collection {collection!r}", advice="hub collection list shows them all.")
        received = inbox.receive(
            session,
            hub.vault,
            inbox.Arrival(
                inbox.FILE,
                contributor.id,
                membership.OPERATOR,
                raw,
                collection_no=target.no if target else None,
                filename=path.name,
                format=format_name,
                tlp=None if tlp is None else int(tlp),
                groups=membership.group_ids(session, groups),
            ),
        )
        lease.claim(session, worker, parts.lease_micros, received.id)
    try:
        with _progress(path.name, show=show) as progress:
            parts.run(received.id, worker, progress)
    except KeyboardInterrupt:
        with hub.database.unit_of_work() as session:
            lease.release(session, received.id, worker)
        click.echo("\nInterrupted. What is done is kept; `hub worker` or `hub serve` does the rest.", err=True)
        sys.exit(INTERRUPTED)
    with hub.database.reading() as session:
        return inbox.view(session, session.get_one(Submission, received.id))


def _bytes_of(path: Path, most: int) -> bytes:
    size = sum(one.stat().st_size for one in path.iterdir()) if path.is_dir() else path.stat().st_size
    if size > most:
        raise InvalidInput(f"the file is larger than {most} bytes", where=str(path))
    return misp_feed.packed(path) if path.is_dir() else path.read_bytes()


def summary(outcome: SubmissionView) -> dict[str, Any]:
    """The document that ``hub import --json`` prints."""
    held = (REFUSED, QUARANTINED, FAILURE)
    return {
        "submission": outcome.id,
        "format": outcome.format,
        **{name: outcome.counts.get(name, 0) for name in COUNTS},
        "indicators": outcome.counts.get("indicators", {}),
        "reasons": [
            {"where": one.where, "value": one.subject, "reason": one.message}
            for one in outcome.outcomes
            if one.status in held
        ]
        + ([{"where": "", "value": "", "reason": outcome.failure}] if outcome.failure else []),
    }


@contextmanager
def _progress(name: str, *, show: bool) -> Iterator[intake.Progress | None]:
    """A progress bar with rate and remaining time, on a terminal."""
    if not show:
        yield None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(name, total=None, rate="")

        def advance(done: int, total: int) -> None:
            speed = bar.tasks[task].speed
            bar.update(task, completed=done, total=total, rate=f"{speed:,.0f}/s" if speed else "")

        yield advance


def _print_summary(path: Path, shown: dict[str, Any], outcome: SubmissionView) -> None:
    if outcome.failure:
        click.echo(f"{path}: {outcome.failure}", err=True)
    click.echo(f"{path.name} ({shown['format']})  " + "  ".join(f"{name} {shown[name]:,}" for name in COUNTS))
    for kind, count in shown["indicators"].items():
        click.echo(f"  {kind:<15}{count:>10,}")
    for reason in shown["reasons"][:SHOWN_REASONS]:
        click.echo(f"  {reason['where']}: {reason['value']}: {reason['reason']}")
    left = len(shown["reasons"]) - SHOWN_REASONS
    if left > 0:
        click.echo(f"  … and {left:,} more (--json lists them all)")
