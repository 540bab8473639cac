"""Grants asked for, decided and ended; emergency roles."""

from __future__ import annotations

from flask import Response, url_for
from sqlalchemy.orm import Session

from hub import clock
from hub.auth import Permission
from hub.console.furniture import Form, blueprint, page, person, post, reading, redirect_to, say, unit_of_work
from hub.console.vetting import names_of
from hub.console.vetting_actions import party
from hub.errors import InvalidInput
from hub.members import membership
from hub.members.records import Member
from hub.members.vetting import emergencies, grants, letters
from hub.members.vetting.grants import GrantKind
from hub.members.vetting.records import Grant
from hub.web.guard import allow
from hub.web.services import services

KINDS = [
    (GrantKind.CLEARANCE.value, "A higher TLP", "For example amber"),
    (GrantKind.GROUP.value, "A sharing group", "Its name"),
    (GrantKind.PERSONAL_DATA.value, "Personal data", "Needs a lawful basis and the data protection officer"),
]
ROLES = [(role.value, role.value, "") for role in sorted(emergencies.ROLES)]


@blueprint.get("/grants/new/<member_id>")
@allow(Permission.CASES_WORK)
def ask_grant(member_id: str) -> Response:
    """Ask what a member is to get."""
    with reading() as session:
        return _asking(membership.find(session, member_id), Form())


@blueprint.post("/grants/new/<member_id>")
@allow(Permission.CASES_WORK)
def send_grant(member_id: str) -> Response:
    """Keep an officer's request for a grant."""
    return _ask(member_id)


@blueprint.get("/membership/grants/new")
@allow(Permission.OWN_MEMBERSHIP_CHANGE)
def ask_own_grant() -> Response:
    """Ask the primary contact what their organisation needs."""
    with reading() as session:
        return _asking(membership.find(session, person().own_member), Form())


@blueprint.post("/membership/grants/new")
@allow(Permission.OWN_MEMBERSHIP_CHANGE)
def send_own_grant() -> Response:
    """Keep a primary contact's request."""
    return _ask(person().own_member)


@blueprint.get("/grants/<int:grant_id>")
@allow(Permission.MEMBERS_READ)
def grant(grant_id: int) -> Response:
    """A grant, and what one may do about it."""
    return _grant(grant_id, Form())


@blueprint.post("/grants/<int:grant_id>")
@allow(Permission.MEMBERS_READ)
def decide_grant(grant_id: int) -> Response:
    """Approve, refuse or revoke: the use case knows who may."""
    form, said = Form(), ""
    form.values.setdefault("verdict", "")
    with form.catching(), unit_of_work() as session:
        said = _decide(session, grants.hold(session, grant_id), form)
    if not said:
        return _grant(grant_id, form)
    say(said)
    return redirect_to("console.grant", grant_id=grant_id)


@blueprint.get("/emergencies")
@allow(Permission.MEMBERS_READ)
def emergency_roles() -> Response:
    """Emergency roles that stand or wait for a review, and the form to take one."""
    return _emergencies(Form())


@blueprint.post("/emergencies")
@allow(Permission.MEMBERS_READ)
def take_emergency_role() -> Response:
    """Take an emergency role; others are told at once."""
    form, who, done = Form(), person(), False
    form.values.setdefault("role", "")
    with form.catching():
        with unit_of_work() as session:
            given = form.values.get("role", ""), form.values.get("reason", "")
            taken = emergencies.take(session, party(), *given, services().settings.vetting)
            letters.alert(session, post(), taken, who.name)
        done = True
    if not done:
        return _emergencies(form)
    say("You hold the role; others have been told")
    return redirect_to("console.emergency_roles")


@blueprint.post("/emergencies/<int:emergency_id>/review")
@allow(Permission.MEMBERS_READ)
def review_emergency(emergency_id: int) -> Response:
    """Another person's review of an emergency, which ends it."""
    form, done = Form(), False
    with form.catching():
        with unit_of_work() as session:
            emergencies.review(session, emergency_id, party(), form.values.get("findings", ""))
        done = True
    if not done:
        return _emergencies(form)
    say("The review is on file")
    return redirect_to("console.emergency_roles")


def _ask(member_id: str) -> Response:
    form, asked = Form(), 0
    form.values.setdefault("kind", "")
    days = form.text("days", "Enter a number of days")
    if not (days.isascii() and days.isdecimal() and len(days) < 5):
        form.refuse("days", "Enter a number of days")
    with reading() as session:
        member = membership.find(session, member_id)
    if not form.errors:
        with form.catching(), unit_of_work() as session:
            asked = grants.ask(
                session, membership.find(session, member_id), party(),
                kind=form.values.get("kind", ""), value=form.values.get("value", ""),
                purpose=form.values.get("purpose", ""), days=int(days),
                lawful_basis=form.values.get("lawful_basis", ""),
            ).id  # fmt: skip
    if not asked:
        return _asking(member, form)
    say("The grant has been asked for")
    if person().may(Permission.MEMBERS_READ):
        return redirect_to("console.grant", grant_id=asked)
    return redirect_to("console.home")


def _decide(session: Session, found: Grant, form: Form) -> str:
    by, reason = party(), form.values.get("reason", "")
    verdict = form.values.get("verdict", "")
    if verdict == "approve":
        in_force = grants.approve(session, found, by, reason, services().settings.vetting)
        return "The grant is in force" if in_force else "Your approval is on file; another one is needed"
    if verdict == "refuse":
        grants.refuse(session, found, by, reason)
        return "The grant is refused"
    if verdict == "revoke":
        grants.revoke(session, found, by, reason)
        return "The grant has ended"
    raise InvalidInput("Choose what to do", where="verdict")


def _asking(member: Member, form: Form) -> Response:
    return page("grant_ask.html", "Ask for a grant", form=form, member=member, kinds=KINDS)


def _grant(grant_id: int, form: Form) -> Response:
    with reading() as session:
        found, member, voices = grants.find(session, grant_id)
        names = names_of(session)
    verdicts = {
        "requested": [("approve", "Approve", ""), ("refuse", "Refuse", "")], "active": [("revoke", "Revoke", "")],
    }.get(found.state, [])  # fmt: skip
    back = url_for("console.cases") if person().may(Permission.CASES_READ) else url_for("console.members")
    return page("grant.html", f"Grant to {member.name}", back=back, form=form, grant=found, member=member,
                voices=voices, verdicts=verdicts, names=names)  # fmt: skip


def _emergencies(form: Form) -> Response:
    with reading() as session:
        found, names = emergencies.unreviewed(session), names_of(session)
    hours = services().settings.vetting.break_glass_hours
    return page("emergencies.html", "Emergency roles", form=form, emergencies=found, names=names, roles=ROLES,
                now=clock.micros(), me=person().person_id, hours=hours)  # fmt: skip
