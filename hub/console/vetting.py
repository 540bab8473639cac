"""Cases: the queues, the file of a case with its evidence and certificates."""

from __future__ import annotations

from typing import Any

from flask import Response, url_for
from sqlalchemy.orm import Session

from hub import clock
from hub.auth import Permission
from hub.console.furniture import blueprint, page, person, reading
from hub.console.member_file import access
from hub.console.vetting_actions import folder, offered, party
from hub.members import attention, due, membership, people
from hub.members.vetting import (
    agreements,
    cases,
    certificates,
    decisions,
    evidence,
    grants,
    queues,
    requirements,
    reviews,
    sponsors,
    suspensions,
)
from hub.members.vetting.records import VettingCase
from hub.members.vetting.states import State
from hub.stix.tlp import Tlp
from hub.web.guard import allow
from hub.web.services import services

COLOURS = {
    State.ACTIVE: "green", State.REVIEW_DUE: "yellow", State.SUSPENDED: "red", State.REJECTED: "red",
    State.APPEAL: "orange", State.INFO_REQUESTED: "yellow", State.CLOSED: "grey", State.LAPSED: "grey",
    State.WITHDRAWN: "grey", State.OFFBOARDING: "purple",
}  # fmt: skip


@blueprint.get("/cases", endpoint="cases")
@allow(Permission.CASES_READ)
def cases_page() -> Response:
    """What waits for whom, and for how long."""
    now = clock.micros()
    with reading() as session:
        found = queues.of_all(session, now, services().settings.vetting)
        waiting = grants.waiting(session)
        names = names_of(session)
        dormant, ending = attention.dormant(session), attention.keys_ending(session, now)
        unconfirmed = due.attestations(session, now)
    return page(
        "cases.html", "Cases", queues=found, grants=waiting, names=names, now=now, colours=COLOURS,
        dormant=dormant, ending=ending, key_days=attention.KEYS_WITHIN_DAYS, unconfirmed=unconfirmed,
    )  # fmt: skip


@blueprint.get("/cases/<case_id>")
@allow(Permission.CASES_READ)
def case_file(case_id: str) -> Response:
    """Everything on file about an organisation."""
    with reading() as session:
        case = cases.find(session, case_id)
        return page("case.html", case.name, back=url_for("console.cases"), **_file(session, case))


@blueprint.get("/cases/<case_id>/evidence/<evidence_id>")
@allow(Permission.CASES_READ)
def evidence_file(case_id: str, evidence_id: str) -> Response:
    """A file of evidence, always as a download: nothing that was uploaded is ever shown as a page."""
    with reading() as session:
        found = evidence.find(session, cases.find(session, case_id), evidence_id)
    content = folder().read(found)
    ascii_name = found.filename.encode("ascii", "replace").decode().replace("?", "_")
    return Response(
        content,
        content_type=found.media_type,
        headers={
            "Content-Disposition": f'attachment; filename="{ascii_name}"',
            "X-Content-Type-Options": "nosniff",
        },
    )


@blueprint.get("/cases/<case_id>/certificates/<number>")
@allow(Permission.CASES_READ)
def certificate_page(case_id: str, number: str) -> Response:
    """A certificate, to be printed."""
    with reading() as session:
        case = cases.find(session, case_id)
        found = certificates.find(session, case, number)
    return page(
        "certificate.html",
        f"Certificate {number}",
        back=url_for("console.case_file", case_id=case_id),
        certificate=found,
    )


@blueprint.get("/members")
@allow(Permission.MEMBERS_READ)
def members() -> Response:
    """Every member with its state."""
    who = person()
    with reading() as session:
        rows = [
            (member, cases.of_member(session, member.id), membership.groups_of(session, member.id))
            for member in membership.all_members(session)
        ]
    return page("members.html", "Members", rows=rows, tlp=Tlp,
                may_suspend=who.may(Permission.MEMBERS_SUSPEND))  # fmt: skip


def names_of(session: Session) -> dict[str, str]:
    """The names of the hub's own people by their ids."""
    return {one.id: one.name for one in people.of_member(session, None)}


def _file(session: Session, case: VettingCase) -> dict[str, Any]:
    who, files = party(), folder()
    suspension = requirements.last_suspension(session, case)
    return {
        "case": case,
        "colours": COLOURS,
        "tlp": Tlp(case.clearance).label,
        "names": names_of(session),
        "actions": offered(case, person()),
        "why_not": decisions.why_not(session, case, who) if case.state in decisions.ROUNDS else "",
        "files": [(one, files.stands(one)) for one in evidence.of_case(session, case)],
        "sponsors": sponsors.of_case(session, case),
        "questions": requirements.questions(session, case),
        "decisions": decisions.of_case(session, case),
        "declarations": requirements.declared(session, case),
        "signed": list(agreements.signed(session, case).values()),
        "reviews": reviews.of_case(session, case),
        "review_due": reviews.due_at(case, services().settings.vetting),
        "suspension": suspension if case.state == State.SUSPENDED else None,
        "voices": suspensions.voices(session, suspension) if suspension and case.state == State.SUSPENDED else [],
        "steps": requirements.last_steps(session, case, 200),
        "certificates": certificates.of_case(session, case),
        "grants": grants.of_member(session, case.member_id) if case.member_id else [],
        "people": people.of_member(session, case.member_id) if case.member_id else [],
        "offboarding": requirements.OFFBOARDING_STEPS if case.state in (State.OFFBOARDING, State.CLOSED) else {},
        "done": requirements.offboarded(session, case),
        "missing": requirements.missing_for_decision(session, case),
        **(access(session, case.member_id) if case.member_id else {}),
    }
