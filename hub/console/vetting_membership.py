"""A member's own membership: its agreement, reviews, grants, certificates, and notice to leave."""

from __future__ import annotations

from flask import Response, url_for
from sqlalchemy.orm import Session

from hub import clock
from hub.auth import Permission
from hub.console.furniture import Form, blueprint, page, person, post, reading, redirect_to, say, unit_of_work
from hub.console.vetting_actions import party
from hub.errors import NotFound
from hub.members import membership as members
from hub.members.vetting import agreements, cases, certificates, grants, letters, offboarding, reviews
from hub.members.vetting.records import VettingCase
from hub.stix.tlp import Tlp
from hub.web import browser
from hub.web.guard import allow
from hub.web.services import services


@blueprint.get("/membership")
@allow(Permission.OWN_MEMBERSHIP_READ)
def membership() -> Response:
    """What the hub has on file about the person's own organisation."""
    return _membership(Form())


@blueprint.post("/membership/agreement")
@allow(Permission.OWN_MEMBERSHIP_CHANGE)
def sign_agreement() -> Response:
    """Accept the newest version of the agreement."""
    form, done = Form(), False
    if form.values.setdefault("agreed", "") != "yes":
        form.refuse("agreed", "Confirm that your organisation accepts the agreement")
        return _membership(form)
    with form.catching():
        with unit_of_work() as session:
            agreements.accept(
                session, _held(session), party(),
                version=form.values.get("version", ""),
                signatory=form.values.get("signatory", ""),
                position=form.values.get("position", ""),
                address=browser.visit().address,
            )  # fmt: skip
        done = True
    if not done:
        return _membership(form)
    say("The agreement is accepted")
    return redirect_to("console.membership")


@blueprint.get("/membership/leave")
@allow(Permission.OWN_MEMBERSHIP_CHANGE)
def leave() -> Response:
    """Ask whether the organisation really leaves."""
    return page("leave.html", "End the membership", back=url_for("console.membership"))


@blueprint.post("/membership/leave")
@allow(Permission.OWN_MEMBERSHIP_CHANGE)
def give_notice() -> Response:
    """The primary contact ends the membership; access ends with it, this session's too."""
    form, done = Form(), False
    with form.catching():
        with unit_of_work() as session:
            case_id = _held(session).id
            with letters.changing(session, post(), case_id) as case:
                offboarding.begin(session, case, party(), form.values.get("reason", ""))
        done = True
    if done:
        return redirect_to("console.sign_in")
    return page("leave.html", "End the membership", form=form, back=url_for("console.membership"))


@blueprint.get("/membership/certificates/<number>")
@allow(Permission.OWN_MEMBERSHIP_READ)
def own_certificate(number: str) -> Response:
    """A certificate of one's own, to be printed."""
    with reading() as session:
        found = certificates.find(session, _case(session), number)
    return page("certificate.html", f"Certificate {number}", back=url_for("console.membership"), certificate=found)


def _case(session: Session) -> VettingCase:
    case = cases.of_member(session, person().own_member)
    if case is None:
        raise NotFound("your organisation was entered by an operator and has no case", advice="Ask the hub.")
    return case


def _held(session: Session) -> VettingCase:
    return cases.hold(session, _case(session).id)


def _membership(form: Form) -> Response:
    own = person().own_member
    with reading() as session:
        member, case = members.find(session, own), cases.of_member(session, own)
        signed = agreements.signed(session, case) if case else {}
        newest = agreements.newest(session)
        return page(
            "membership.html",
            "Membership",
            form=form,
            member=member,
            case=case,
            tlp=Tlp(member.clearance).label,
            groups=members.groups_of(session, own),
            signed=list(signed.values()),
            unsigned=newest if case and newest and newest.version not in signed else None,
            review_due=reviews.due_at(case, services().settings.vetting) if case else None,
            certificates=certificates.of_case(session, case) if case else [],
            grants=grants.of_member(session, own),
            may_change=person().may(Permission.OWN_MEMBERSHIP_CHANGE),
            now=clock.micros(),
        )
