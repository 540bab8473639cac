"""Quarantine: what a rule held back; release, edit and replay, or reject it, one by one or several at once."""

from __future__ import annotations

from typing import Any

from flask import Response, request, url_for
from sqlalchemy.orm import Session

from hub.auth import Permission
from hub.console import naming
from hub.console.furniture import Form, blueprint, page, person, reading, redirect_to, say, unit_of_work
from hub.errors import HubError
from hub.feeds import quarantine_view
from hub.feeds.holding import HELD, OBJECT, STATES
from hub.feeds.quarantine import REJECT, RELEASE
from hub.feeds.quarantine_view import Wanted
from hub.stix.tlp import Tlp
from hub.stix.values import Kind
from hub.web.guard import allow
from hub.web.services import services

COLOURS = {"held": "yellow", "released": "green", "edited": "blue", "rejected": "red", "gone": "grey"}
DONE = {RELEASE: "released", REJECT: "rejected"}
MOST_FAULTS = 5
# A page stays light: a row with its box is some 900 bytes.
SHOWN = 30
ANY = "any"


@blueprint.get("/quarantine")
@allow(Permission.QUARANTINE_READ)
def quarantine() -> Response:
    """The list, with filters."""
    return _listed(Form(**{name: request.args.get(name, "") for name in ("text", "kind", "source", "reason", "state")}))


@blueprint.post("/quarantine/decide")
@allow(Permission.QUARANTINE_RELEASE)
def decide_several() -> Response:
    """Release or reject everything that was ticked, each for itself: what cannot be is told, the others are done."""
    form = Form()
    action = form.choice("action", list(DONE), "Choose release or reject")
    why = form.long_text("why", "Enter the reason")
    ticked = [int(one) for one in form.chosen("entry") if one.isdecimal() and len(one) < 18]
    if not ticked:
        form.refuse("entry", "Choose at least one value")
    if form.errors:
        return _listed(form)
    done, faults = 0, []
    for entry_id in ticked[:SHOWN]:
        try:
            _decide(entry_id, action, why)
            done += 1
        except HubError as error:
            faults.append(f"Entry {entry_id}: {error.message}")
    if not faults:
        say(f"{done} {'value' if done == 1 else 'values'} {DONE[action]}")
        return redirect_to("console.quarantine")
    form.refuse("entry", "; ".join(faults[:MOST_FAULTS]))
    return _listed(form, done=f"{done} of {len(ticked)} {DONE[action]}")


@blueprint.get("/quarantine/<int:entry_id>")
@allow(Permission.QUARANTINE_READ)
def quarantined(entry_id: int) -> Response:
    """One held value."""
    with reading() as session:
        return _one(session, entry_id, Form())


@blueprint.post("/quarantine/<int:entry_id>")
@allow(Permission.QUARANTINE_RELEASE)
def decide(entry_id: int) -> Response:
    """Release or reject one value."""
    form = Form()
    action = form.choice("action", list(DONE), "Choose release or reject")
    why = form.long_text("why", "Enter the reason")
    if not form.errors:
        with form.catching():
            _decide(entry_id, action, why)
            say(f"The value is {DONE[action]}")
            return redirect_to("console.quarantine")
    with reading() as session:
        return _one(session, entry_id, form)


@blueprint.post("/quarantine/<int:entry_id>/edit")
@allow(Permission.QUARANTINE_RELEASE)
def edit_and_replay(entry_id: int) -> Response:
    """Publish another value in its place."""
    form = Form()
    value = form.text("value", "Enter the value", most=8192)
    kind = form.choice("kind", [one.value for one in Kind], "Choose a kind")
    reason = form.long_text("reason", "Enter the reason")
    if not form.errors:
        with form.catching():
            by, decisions = person().person_id, services().quarantine()
            with unit_of_work() as session:
                decisions.edit_and_replay(session, entry_id, value, reason=reason, by=by, kind=Kind(kind))
            say("The other value is published in its place")
            return redirect_to("console.quarantine")
    with reading() as session:
        return _one(session, entry_id, form)


def _decide(entry_id: int, action: str, why: str) -> None:
    decisions, by = services().quarantine(), person().person_id
    with unit_of_work() as session:
        (decisions.release if action == RELEASE else decisions.reject)(session, entry_id, reason=why, by=by)


def _listed(form: Form, done: str = "") -> Response:
    values, before = form.values, request.args.get("before", "")
    wanted = Wanted(
        text=values.get("text", "").strip()[:200], kind=values.get("kind", ""), source=values.get("source", ""),
        reason=values.get("reason", ""), state=_state(values.get("state", "")),
    )  # fmt: skip
    size = SHOWN
    with reading() as session:
        names = naming.by_source_name(session)
        found = quarantine_view.page(session, wanted, _number(before), size)
        counts, rules = quarantine_view.counts(session), quarantine_view.reasons(session, wanted.state or HELD)
        hidden = {name for name, shown in names.items() if shown.startswith(naming.ANONYMOUS)}
        sources = [name for name in quarantine_view.source_names(session, wanted.state or HELD) if name not in hidden]
    asked = ("text", "kind", "source", "reason", "state")
    kept: dict[str, Any] = {name: values[name] for name in asked if values.get(name)}
    return page(
        "quarantine.html", "Quarantine", form=form, found=found[:size], names=names, counts=counts, done=done,
        colours=COLOURS, held=HELD, may_decide=person().may(Permission.QUARANTINE_RELEASE), kept=kept,
        kinds=[("", "Any kind"), *((one.value, one.value) for one in Kind)],
        rules=[("", "Any reason"), *((rule, f"{rule} ({count:,})") for rule, count in rules)],
        sources=[("", "Any source"), *((name, names.get(name, name)) for name in sources)],
        states=[("", "Held"), *((one, one.capitalize()) for one in STATES if one != HELD), (ANY, "Any state")],
        later=url_for("console.quarantine", **kept, before=found[size - 1].id) if len(found) > size else "",
        earlier=url_for("console.quarantine", **kept) if before else "",
    )  # fmt: skip


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 18 else None


def _state(given: str) -> str:
    """The state to filter by: what is held unless another is asked for, "" for all."""
    return "" if given == ANY else given if given in STATES else HELD


def _one(session: Session, entry_id: int, form: Form) -> Response:
    found = quarantine_view.entry(session, entry_id)
    one = found.entry
    for name, value in (("value", one.value), ("kind", one.kind)):
        form.values.setdefault(name, value)
    by = naming.actors(session, [decision.by for decision in found.decisions])
    return page(
        "quarantined.html", "Held value", back=url_for("console.quarantine"), form=form, found=found, one=one, by=by,
        names=naming.by_source_name(session), aliases=naming.aliases(session), tlp_of=Tlp,
        group_names=[name for number, name in naming.groups(session).items() if number in one.groups],
        colours=COLOURS, may_decide=person().may(Permission.QUARANTINE_RELEASE), of_object=one.origin == OBJECT,
        kinds=[(kind.value, kind.value) for kind in Kind],
    )  # fmt: skip
