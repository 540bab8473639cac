"""The audit log: filter, one event with before, after and why, export as JSON lines, check of the chain."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import orjson
from flask import Response, request, url_for
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from hub import clock
from hub.audit import export, record, search
from hub.audit.search import Wanted
from hub.auth import Permission
from hub.clock import DAY
from hub.console import naming
from hub.console.furniture import Form, blueprint, page, person, reading, redirect_to, say, unit_of_work
from hub.db import Database
from hub.errors import IntegrityFailure
from hub.members.people_records import Person
from hub.members.records import Credential, Member
from hub.web.guard import allow
from hub.web.services import services

FIELDS = ("actor", "action", "subject", "since", "until")
MOST_ACTORS = 200


@blueprint.get("/audit")
@allow(Permission.AUDIT_READ)
def audit() -> Response:
    """The log, the newest first."""
    return _listed(Form(**{name: request.args.get(name, "").strip() for name in FIELDS}))


@blueprint.get("/audit/<int:event_id>")
@allow(Permission.AUDIT_READ)
def audit_event(event_id: int) -> Response:
    """One event."""
    with reading() as session:
        found = search.find(session, event_id)
        names = naming.actors(session, [found["actor"], found["subject"]])
    before, after = found["before"] or {}, found["after"] or {}
    changes = [(name, _said(before.get(name)), _said(after.get(name))) for name in sorted({*before, *after})]
    return page(
        "audit_event.html", f"Event {event_id}", back=url_for("console.audit"), one=found, names=names,
        changes=changes,
    )  # fmt: skip


@blueprint.post("/audit/verify")
@allow(Permission.AUDIT_READ)
def verify_audit() -> Response:
    """Check the whole chain, and note that it was checked."""
    form = Form()
    try:
        with reading() as session:
            count = export.verify(session)
            chain = search.find(session, count)["chain"] if count else ""
    except IntegrityFailure as fault:
        form.refuse("", f"{fault.message}: {fault.where}. What stands before it is whole; tell the administrators")
        return _listed(form)
    with unit_of_work() as session:
        record(session, person().person_id, "audit:verify", "audit", after={"events": count, "chain": chain})
    say(f"The chain of {count:,} events is whole. It ends with {chain[:12]}…; the event of this check holds it in full")
    return redirect_to("console.audit")


@blueprint.post("/audit/export")
@allow(Permission.AUDIT_READ)
def export_audit() -> Response:
    """What the filter finds as JSON lines, oldest first; that it was taken is an event itself."""
    form = Form()
    with reading() as session:
        wanted = _wanted(session, form)
    if form.errors:
        return _listed(form)
    filtered = {name: form.values[name] for name in FIELDS if form.values.get(name)}
    with unit_of_work() as session:
        record(session, person().person_id, "audit:export", "audit", after=filtered)
    name = f"audit-{clock.now().strftime('%Y%m%dT%H%M%SZ')}.jsonl"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return Response(
        _lines(services().database, wanted), content_type="application/jsonl; charset=utf-8", headers=headers
    )


def _lines(database: Database, wanted: Wanted) -> Iterator[bytes]:
    """The events as lines, while the answer is being sent."""
    with database.reading() as session:
        for event in search.matching(session, wanted):
            yield orjson.dumps(event) + b"\n"


def _listed(form: Form) -> Response:
    before = request.args.get("before", "")
    with reading() as session:
        wanted = _wanted(session, form)
        faulty = bool(form.errors) and "" not in form.errors
        found = [] if faulty else search.page(session, wanted, _number(before))
        names = naming.actors(session, [one.actor for one in found])
    kept: dict[str, Any] = {name: form.values[name] for name in FIELDS if form.values.get(name)}
    more = len(found) > search.PAGE
    return page(
        "audit.html", "Audit", form=form, found=found[: search.PAGE], names=names, kept=kept,
        earlier=url_for("console.audit", **kept) if before else "",
        later=url_for("console.audit", **kept, before=found[search.PAGE - 1].id) if more else "",
        may_trace=person().may(Permission.DISCLOSURES_READ),
    )  # fmt: skip


def _wanted(session: Session, form: Form) -> Wanted:
    """The filter; what is wrong with it is noted in the form."""
    actor, since, until = form.text("actor"), _day(form, "since"), _day(form, "until")
    return Wanted(
        actors=_actors(session, actor) if actor else (),
        action=form.text("action"),
        subject=form.text("subject"),
        since=since,
        until=None if until is None else until + DAY,
    )


def _actors(session: Session, text: str) -> list[str]:
    """The actors that a text can stand for: an id or user name, or a part of a person's or a member's name."""
    people = select(Person.id).where(or_(Person.name.icontains(text, autoescape=True), Person.email == text.lower()))
    members = select(Member.id).where(Member.name.icontains(text, autoescape=True))
    keys = select(Credential.username).where(Credential.member_id.in_(members))
    found = [one for asked in (people, members, keys) for one in session.scalars(asked.limit(MOST_ACTORS))]
    return [text, *found]


def _day(form: Form, name: str) -> int | None:
    """The first instant (microseconds) of a day written as 2026-11-22, None without one."""
    text = form.text(name)
    if not text:
        return None
    try:
        return int(datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).timestamp()) * 1_000_000
    except ValueError:
        form.refuse(name, "Enter a day like 2026-11-22")
        return None


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 18 else None


def _said(value: Any) -> str:
    """A value of an event as text."""
    return "–" if value is None else value if isinstance(value, str) else orjson.dumps(value).decode()
