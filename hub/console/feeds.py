"""Feeds: how each does, when it runs next, what its runs brought; run one soon, switch one on or off."""

from __future__ import annotations

from flask import Response, url_for
from sqlalchemy.orm import Session

from hub import clock
from hub.auth import Permission
from hub.console.furniture import Form, blueprint, page, person, reading, redirect_to, say, unit_of_work
from hub.feeds import catalogue, figures, switching
from hub.feeds.records import Feed, FeedRun
from hub.stix.tlp import Tlp
from hub.web.guard import allow
from hub.web.services import services

OUTCOMES = {"done": "green", "unchanged": "grey", "failed": "red"}
HEALTH = {"Off": "grey", "Runs now": "blue", "Fails": "red", "Waits for its first run": "yellow", "Well": "green"}
PERIODS = ((86_400, "day"), (3600, "hour"), (60, "minute"))


@blueprint.get("/feeds")
@allow(Permission.FEEDS_READ)
def feeds() -> Response:
    """Every feed and how it does."""
    now = clock.micros()
    with reading() as session:
        runs = figures.last_runs(session)
        rows = [
            (one, runs.get(one.name), _health(one, runs.get(one.name), now)) for one in catalogue.all_feeds(session)
        ]
    return page(
        "feeds.html", "Feeds", rows=rows, health=HEALTH, outcomes=OUTCOMES, tlp_of=Tlp, now=now,
        every=_every, may_run=person().may(Permission.FEEDS_RUN), pulled=services().settings.pull.enabled,
    )  # fmt: skip


@blueprint.get("/feeds/<name>")
@allow(Permission.FEEDS_READ)
def feed(name: str) -> Response:
    """One feed with its last runs."""
    with reading() as session:
        return _page(session, name, Form())


@blueprint.post("/feeds/<name>/run")
@allow(Permission.FEEDS_RUN)
def run_feed(name: str) -> Response:
    """Make a feed due: a worker takes it within seconds; this page does not wait."""
    form, done = Form(), False
    with form.catching():
        with unit_of_work() as session:
            switching.make_due(session, name, person().person_id)
        done = True
    if done:
        say(f"{name} is due: a worker runs it next")
        return redirect_to("console.feed", name=name)
    with reading() as session:
        return _page(session, name, form)


@blueprint.post("/feeds/<name>/switch")
@allow(Permission.FEEDS_RUN)
def switch_feed(name: str) -> Response:
    """Switch a feed on or off, with a reason."""
    form = Form()
    why = form.text("why", "Enter the reason")
    to = form.choice("to", ["on", "off"], "Choose on or off")
    if not form.errors:
        with form.catching():
            with unit_of_work() as session:
                switching.switch(session, name, person().person_id, enabled=to == "on", why=why)
            say(f"{name} is switched {to}")
            return redirect_to("console.feed", name=name)
    with reading() as session:
        return _page(session, name, form)


def _page(session: Session, name: str, form: Form) -> Response:
    found, now = catalogue.find(session, name), clock.micros()
    runs = switching.runs(session, name)
    return page(
        "feed.html", name, back=url_for("console.feeds"), form=form, one=found, runs=runs, outcomes=OUTCOMES,
        state=_health(found, runs[0] if runs else None, now), health=HEALTH, tlp_of=Tlp, now=now, every=_every,
        may_run=person().may(Permission.FEEDS_RUN), counted=sorted({key for run in runs for key in run.counts}),
    )  # fmt: skip


def _health(one: Feed, last: FeedRun | None, now: int) -> str:
    if not one.enabled:
        return "Off"
    if one.lease_until > now:
        return "Runs now"
    if one.failures:
        return "Fails"
    return "Well" if last else "Waits for its first run"


def _every(seconds: int) -> str:
    """A period in words: "every 6 hours"."""
    for unit, name in PERIODS:
        if seconds % unit == 0:
            count = seconds // unit
            return f"every {name}" if count == 1 else f"every {count} {name}s"
    return f"every {seconds} seconds"
