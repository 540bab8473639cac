"""Sharing groups: who is in which; an administrator adds groups and takes members out, a grant lets them in."""

from __future__ import annotations

from flask import Response, url_for
from sqlalchemy.orm import Session

from hub.auth import Permission
from hub.console.furniture import Form, blueprint, page, person, reading, redirect_to, say, unit_of_work
from hub.members import sharing
from hub.stix.tlp import Tlp
from hub.web.guard import allow


@blueprint.get("/groups")
@allow(Permission.COLLECTIONS_READ)
def groups() -> Response:
    """Every sharing group."""
    with reading() as session:
        return _groups(session, Form())


@blueprint.post("/groups")
@allow(Permission.COLLECTIONS_CHANGE)
def add_group() -> Response:
    """Add a sharing group."""
    form = Form()
    name, why = form.text("name", "Enter a name"), form.text("why", "Enter the reason")
    if not form.errors:
        with form.catching():
            with unit_of_work() as session:
                added = sharing.add_group(session, name, person().person_id, why)
            say(f"The sharing group {added.name} is there; members come into it by a grant")
            return redirect_to("console.groups")
    with reading() as session:
        return _groups(session, form)


@blueprint.get("/groups/<int:group_id>")
@allow(Permission.COLLECTIONS_READ)
def group(group_id: int) -> Response:
    """One sharing group with its members."""
    with reading() as session:
        return _group(session, group_id, Form())


@blueprint.post("/groups/<int:group_id>/leave")
@allow(Permission.COLLECTIONS_CHANGE)
def leave_group(group_id: int) -> Response:
    """Take a member out of a group; it sees nothing of it from its next request on."""
    form = Form()
    member_id, why = form.text("member", "Choose a member"), form.text("why", "Enter the reason")
    if not form.errors:
        with form.catching():
            with unit_of_work() as session:
                name = sharing.leave_group(session, group_id, member_id, person().person_id, why)
            say(f"{name} is out of the group")
            return redirect_to("console.group", group_id=group_id)
    with reading() as session:
        return _group(session, group_id, form)


def _groups(session: Session, form: Form) -> Response:
    may_change = person().may(Permission.COLLECTIONS_CHANGE)
    return page("groups.html", "Sharing groups", form=form, rows=sharing.groups(session), may_change=may_change)


def _group(session: Session, group_id: int, form: Form) -> Response:
    found, members = sharing.group(session, group_id)
    return page(
        "group.html", found.name, back=url_for("console.groups"), form=form, one=found, members=members, tlp_of=Tlp,
        choices=[("", "Choose"), *((each.id, each.name) for each in members)],
        may_change=person().may(Permission.COLLECTIONS_CHANGE),
    )  # fmt: skip
