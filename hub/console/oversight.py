"""The hub's watch over checks: what members ask and find, what they give, alarms, and planted values."""

from __future__ import annotations

from typing import Final

from flask import Response, request, url_for
from sqlalchemy import select

from hub import clock
from hub.auth import Permission
from hub.checks.searching import canaries, reciprocity, watch
from hub.checks.searching import lists as search_lists
from hub.checks.searching.questions import PERSON_FIELDS
from hub.checks.searching.records import Alarm
from hub.checks.subjects import SubjectKind
from hub.clock import DAY
from hub.console import check_words as words
from hub.console import naming
from hub.console.furniture import Form, blueprint, page, person, reading, redirect_to, say, unit_of_work
from hub.web.guard import allow
from hub.web.services import services

DAYS: Final = 7
GIVEN_DAYS: Final = 365
ALARMS: Final = {
    watch.CANARY: "A planted value was asked for",
    watch.HIT_RATE: "Unusually many finds",
    watch.SEQUENCE: "Numbers asked for one after the other",
}
SHOWN: Final = 60
LONGEST_NOTE: Final = 1000


@blueprint.get("/oversight")
@allow(Permission.CHECKS_WATCH)
def oversight() -> Response:
    """Open alarms, and for each member what it asked, found and gave."""
    return _overview(Form())


@blueprint.post("/oversight/alarms/<int:alarm_id>")
@allow(Permission.CHECKS_HANDLE)
def handle_alarm(alarm_id: int) -> Response:
    """Close an alarm with what was found out."""
    form = Form()
    note = form.text(f"note-{alarm_id}", "Enter what was found out", LONGEST_NOTE)
    if not form.errors:
        with form.catching(), unit_of_work() as session:
            watch.handle(session, person().person_id, alarm_id, note)
    if form.errors:
        return _overview(form)
    say("The alarm is closed")
    return redirect_to("console.oversight")


@blueprint.get("/oversight/canaries")
@allow(Permission.CHECKS_WATCH)
def planted_values(form: Form | None = None) -> Response:
    """The planted values and who asked for one; the values themselves for those who keep them."""
    keeps = person().may(Permission.CHECKS_HANDLE)
    with reading() as session:
        found = canaries.planted(session)
        values = {one.id: canaries.value_of(services().vault, one) if keeps else "" for one in found}
        alarms = session.scalars(select(Alarm).where(Alarm.kind == watch.CANARY).order_by(Alarm.id.desc()).limit(SHOWN))
        hits = list(alarms)
        names = naming.actors(session, [one.added_by for one in found])
        members = {one.id: one.name for one in naming.members(session).values()}
    last = {}
    for hit in reversed(hits):
        last.update(dict.fromkeys(hit.detail.get("canaries", ()), hit.at))
    return page(
        "canaries.html", "Planted values", back=url_for("console.oversight"), form=form or Form(kind="phone"),
        found=found, values=values, hits=hits, last=last, names=names, members=members, keeps=keeps, words=words,
        kinds=[*words.KINDS.items()],
    )  # fmt: skip


@blueprint.post("/oversight/canaries")
@allow(Permission.CHECKS_HANDLE)
def plant_value() -> Response:
    """Plant a value."""
    form = Form()
    kind = form.choice("kind", list(words.KINDS), "Choose a kind")
    note = form.long_text("note", "Enter where it is planted")
    given = {name: form.text(name) for name in PERSON_FIELDS}
    if kind == "person":
        raw: str | dict[str, str] = {name: text for name, text in given.items() if text}
        form.text("name", "Enter the person's name")
    else:
        raw = form.text("value", "Enter the value", most=4096)
    if not form.errors:
        with form.catching(), unit_of_work() as session:
            canaries.add(session, services().vault, person().person_id, SubjectKind(kind), raw, note)
    if form.errors:
        return planted_values(form)
    say("The value is watched for")
    return redirect_to("console.planted_values")


@blueprint.post("/oversight/canaries/<int:canary_id>/remove")
@allow(Permission.CHECKS_HANDLE)
def unplant_value(canary_id: int) -> Response:
    """Stop watching for a planted value."""
    with unit_of_work() as session:
        canaries.remove(session, person().person_id, canary_id)
    say("The value is watched for no longer")
    return redirect_to("console.planted_values")


def _overview(form: Form) -> Response:
    now = clock.micros()
    every = request.args.get("alarms") == "all"
    with reading() as session:
        alarms = watch.alarms(session, open_only=not every)[:SHOWN]
        used = {one.member_id: one for one in search_lists.uses(session, now - DAYS * DAY)}
        given = {one.member_id: one for one in reciprocity.balances(session, now - GIVEN_DAYS * DAY)}
        members = naming.members(session)
        people = naming.actors(session, [one.handled_by or "" for one in alarms])
    # A source that stays anonymous is not given away by how much it filed.
    hidden = {one.id for one in members.values() if one.anonymous}
    shown = sorted(used.keys() | given.keys(), key=lambda one: (-(used[one].asked if one in used else 0), one))
    limits = services().settings.checks
    return page(
        "oversight.html", "Oversight of checks", form=form, alarms=alarms, every=every, shown=shown, used=used,
        given=given, hidden=hidden, names={one.id: one.name for one in members.values()}, people=people,
        spoken=ALARMS, days=DAYS, per_day=limits.per_day, may_handle=person().may(Permission.CHECKS_HANDLE),
    )  # fmt: skip
