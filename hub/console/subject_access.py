"""Subject access: what is held about a person, who decides what is disclosed, and the copy to print.

A person's identifiers come and go in the bodies of forms only; the record of an answer has an address that tells
nothing. Looking is audited, and so is the answer.
"""

from __future__ import annotations

from typing import Any, Final

from flask import Response, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.auth import Permission
from hub.checks.kept import subject_access as access
from hub.checks.kept.mentions import NOT_SEARCHED
from hub.checks.kept.subject_access import Decision, Holding, Owner
from hub.checks.precheck.records import SubjectAccessRequest
from hub.checks.subjects import Subject, SubjectKind, canonical_subject
from hub.console import check_words as words
from hub.console import filing_fields as fields
from hub.console import naming
from hub.console.furniture import Form, blueprint, page, person, reading, redirect_to, say, unit_of_work
from hub.errors import InvalidInput, NotFound
from hub.web.guard import allow
from hub.web.services import services

SHOWN: Final = 60
MOST_IDENTIFIERS: Final = 50
ASKED: Final = ("reference", "name", "date_of_birth", "postcode", "identifiers")


@blueprint.get("/subject-access")
@allow(Permission.SUBJECT_ACCESS_READ)
def subject_access(form: Form | None = None) -> Response:
    """The requests that were answered, and the form for a new one."""
    wanted = select(SubjectAccessRequest).order_by(SubjectAccessRequest.at.desc()).limit(SHOWN)
    with reading() as session:
        found = list(session.scalars(wanted))
        names = naming.actors(session, [one.decided_by for one in found])
    return page(
        "subject_access.html", "Subject access", form=form or Form(), found=found, names=names,
        may_work=person().may(Permission.SUBJECT_ACCESS_WORK),
    )  # fmt: skip


@blueprint.post("/subject-access")
@allow(Permission.SUBJECT_ACCESS_WORK)
def look_for_person() -> Response:
    """Everything that is held about somebody, for the one who decides."""
    return _decided(Form(), "look")


@blueprint.post("/subject-access/answer")
@allow(Permission.SUBJECT_ACCESS_WORK)
def answer_request() -> Response:
    """Record the decision with the person's copy."""
    return _decided(Form(), "answer")


@blueprint.get("/subject-access/<request_id>")
@allow(Permission.SUBJECT_ACCESS_READ)
def answered_request(request_id: str) -> Response:
    """The record of an answer: who decided what, what was withheld and why."""
    with reading() as session:
        row, kept = _answered(session, request_id)
        names = naming.actors(session, [row.decided_by])
    return page(
        "subject_access_answer.html", "Request for access", back=url_for("console.subject_access"), row=row, kept=kept,
        names=names, exemption=access.EXEMPTION,
    )  # fmt: skip


@blueprint.get("/subject-access/<request_id>/copy")
@allow(Permission.SUBJECT_ACCESS_READ)
def person_copy(request_id: str) -> Response:
    """The person's copy, to print: what they are given, and nothing of what they are not."""
    with reading() as session:
        row, kept = _answered(session, request_id)
    if kept is None:
        raise NotFound("the copy is kept no longer")
    back = url_for("console.answered_request", request_id=request_id)
    filings = [(one, fields.lines(one["content"])) for one in kept["told"]["filings"]]
    return page("subject_access_copy.html", "What we hold about you", back=back, row=row, filings=filings,
                told=kept["told"], words=words)  # fmt: skip


def _decided(form: Form, step: str) -> Response:
    """Look, or answer; where the form has faults, the page that it came from again."""
    for name in (*ASKED, "reason", "withhold"):
        form.values.setdefault(name, "")
    reference = form.text("reference", "Enter the reference of the request", access.LONGEST_REFERENCE)
    me, answered = person().person_id, False
    holding: Holding | None = None
    owners: dict[str, Owner] = {}
    with form.catching():
        subjects = _subjects(form)
        if not form.errors:
            with unit_of_work() as session:
                owners = _owners(session)
                holding = access.find(session, services().vault, subjects, services().mentioned)
                if step == "look":
                    access.looked_at(session, me, reference, holding)
                session.expunge_all()
    if holding is None:
        return subject_access(form)
    if step == "answer":
        with form.catching(), unit_of_work() as session:
            decision = Decision(reference, me, frozenset(form.chosen("withhold")) - {""}, form.long_text("reason"))
            access.answer(session, services().vault, holding, decision, owners)
            answered = True
    if not answered:
        return _held(form, holding, owners)
    say("The decision is recorded, and the person's copy is made")
    with reading() as session:
        made = select(SubjectAccessRequest.id).where(SubjectAccessRequest.reference == reference)
        return redirect_to("console.answered_request", request_id=session.scalars(made).one())


def _answered(session: Session, request_id: str) -> tuple[SubjectAccessRequest, dict[str, Any] | None]:
    """An answered request with what is kept of it, None once that was deleted. Raises NotFound."""
    row = session.get(SubjectAccessRequest, request_id) if request_id.isprintable() else None
    if row is None:
        raise NotFound("there is no such request")
    return row, access.read(session, services().vault, row.reference) if row.sealed else None


def _held(form: Form, holding: Holding, owners: dict[str, Owner]) -> Response:
    shown = {one: access.ANONYMOUS if owner.anonymous else owner.name for one, owner in owners.items()}
    return page(
        "subject_access_look.html", "What is held", back=url_for("console.subject_access"), form=form,
        filings=[(one, fields.lines(one.document)) for one in holding.filings],
        searches=[(one, access.search_id(one)) for one in holding.searches], owners=shown, words=words, asked=ASKED,
        exemption=access.EXEMPTION, mentions=holding.mentions, not_searched=NOT_SEARCHED,
    )  # fmt: skip


def _owners(session: Session) -> dict[str, Owner]:
    return {one.id: Owner(one.name, one.anonymous) for one in naming.members(session).values()}


def _subjects(form: Form) -> list[Subject]:
    """The identifiers of a form. Raises InvalidInput at the field."""
    found = []
    raw = {name: text for name in ("name", "date_of_birth", "postcode") if (text := form.text(name))}
    if raw:
        try:
            found.append(canonical_subject(SubjectKind.PERSON, raw))
        except InvalidInput as error:
            raise InvalidInput(error.message, where="name") from None
    lines = [line for line in form.long_text("identifiers").splitlines() if line.strip()]
    if len(lines) > MOST_IDENTIFIERS:
        raise InvalidInput(f"at most {MOST_IDENTIFIERS} at once", where="identifiers")
    for number, line in enumerate(lines, 1):
        kind, _, value = line.strip().partition("=")
        if kind.strip() not in set(SubjectKind) - {SubjectKind.PERSON}:
            raise InvalidInput(f"line {number} does not begin with a kind, such as phone=", where="identifiers")
        try:
            found.append(canonical_subject(SubjectKind(kind.strip()), value.strip()))
        except InvalidInput as error:
            raise InvalidInput(f"line {number}: {error.message}", where="identifiers") from None
    if not found:
        raise InvalidInput("enter a person or at least one identifier", where="name")
    return found
