"""For applicants and sponsors, who have no account: the application, and the pages behind the links of letters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

from flask import Response
from sqlalchemy.orm import Session

from hub.console.furniture import Form, blueprint, page, post, reading, redirect_to, unit_of_work
from hub.console.vetting_actions import EVIDENCE_FIELDS, add_evidence, kinds_of_evidence
from hub.errors import InvalidInput, NotFound
from hub.members import membership
from hub.members.membership import MemberKind
from hub.members.records import Member
from hub.members.vetting import (
    activation,
    agreements,
    cases,
    decisions,
    evidence,
    letters,
    links,
    requirements,
    sponsors,
)
from hub.members.vetting.cases import Application
from hub.members.vetting.links import Purpose
from hub.members.vetting.records import CaseLink, SponsorInvitation, VettingCase
from hub.members.vetting.states import OPEN, State
from hub.web import browser
from hub.web.guard import PUBLIC, allow
from hub.web.services import services

KINDS = [("", "Choose a kind")] + [
    (kind.value, kind.value.replace("-", " ").capitalize()) for kind in MemberKind if kind not in cases.OWN_KINDS
]
MOST_DRAFTS = 3
# What a form cannot do without, so that everything that is missing is said at once.
WANTED = {
    "name": "Enter the name of your organisation",
    "kind": "Choose what kind of organisation it is",
    "domain": "Enter your domain",
    "registration": "Enter the company registration number",
    "purpose": "Enter why you want to join",
    "primary_name": "Enter the full name of the primary contact",
    "primary_email": "Enter the e-mail address of the primary contact",
    "deputy_name": "Enter the full name of the deputy",
    "deputy_email": "Enter the e-mail address of the deputy",
}
WANTED_OF_SPONSOR = {"name": "Enter your full name", "statement": "Enter your statement"}
TEXTS = [field.name for field in fields(Application) if field.name != "anonymous"]


@blueprint.get("/apply")
@allow(PUBLIC)
def apply() -> Response:
    """Ask an organisation about itself."""
    return page("apply.html", "Apply to become a member", kinds=KINDS)


@blueprint.post("/apply")
@allow(PUBLIC)
def send_application() -> Response:
    """Keep the application and write to the primary contact."""
    form = Form()
    services().limits.count_failure(browser.visit().address)
    given = Application(**{name: form.values.get(name, "") for name in TEXTS}, anonymous=bool(form.chosen("anonymous")))
    for name, missing in WANTED.items():
        form.long_text(name, missing)
    if form.errors:
        return page("apply.html", "Apply to become a member", form=form, kinds=KINDS)
    with form.catching():
        with unit_of_work() as session:
            case = cases.apply(session, given)
            # The page says the same either way; nobody's mailbox is filled by forms that others send.
            if cases.drafts(session, case.primary_email) <= MOST_DRAFTS:
                letters.tell(session, post(), case)
        return page("apply_sent.html", "Confirm your application", email=case.primary_email)
    return page("apply.html", "Apply to become a member", form=form, kinds=KINDS)


@blueprint.get("/apply/<token>")
@allow(PUBLIC)
def application(token: str) -> Response:
    """Where an application stands, and what is to be done; looking changes nothing."""
    with reading() as session:
        return _application(session, _case_of(session, token), Form())


@blueprint.post("/apply/<token>")
@allow(PUBLIC)
def go_on(token: str) -> Response:
    """One step of the applicant's."""
    form = Form()
    step = STEPS.get(form.values.get("step", ""))
    if step is None:
        raise InvalidInput("this form is damaged", advice="Load the page again.")
    with form.catching():
        with unit_of_work() as session:
            case_id = _case_of(session, token).id
            with letters.changing(session, post(), case_id) as case:
                step(session, case, form)
        return redirect_to("console.application", token=token)
    with reading() as session:
        return _application(session, _case_of(session, token), form)


@blueprint.get("/sponsor/<token>")
@allow(PUBLIC)
def sponsor(token: str) -> Response:
    """Ask a sponsor; looking uses nothing up."""
    with reading() as session:
        return _sponsor(session, links.follow(session, token, Purpose.SPONSOR), Form())


@blueprint.post("/sponsor/<token>")
@allow(PUBLIC)
def answer_sponsor(token: str) -> Response:
    """Take a sponsor's answer, once."""
    form = Form()
    answer = form.choice("answer", ["confirm", "decline"], "Choose whether you sponsor the applicant")
    for name, missing in WANTED_OF_SPONSOR.items():
        form.long_text(name, missing)
    if not form.errors:
        with form.catching():
            with unit_of_work() as session:
                sponsors.answer(
                    session,
                    links.follow(session, token, Purpose.SPONSOR),
                    confirmed=answer == "confirm",
                    name=form.values.get("name", ""),
                    statement=form.values.get("statement", ""),
                    in_confidence=form.values.get("in_confidence", ""),
                    address=browser.visit().address,
                )
            return page("sponsor_done.html", "Thank you")
    with reading() as session:
        return _sponsor(session, links.follow(session, token, Purpose.SPONSOR), form)


def _confirm(session: Session, case: VettingCase, _form: Form) -> None:
    cases.confirm(session, case)


def _answer(session: Session, case: VettingCase, form: Form) -> None:
    number = form.values.get("request_id", "")
    if not number.isascii() or not number.isdecimal() or len(number) > 9:
        raise NotFound("there is no such question")
    cases.answer(session, case, int(number), form.values.get("answer", ""))


def _evidence(session: Session, case: VettingCase, form: Form) -> None:
    if State(case.state) not in OPEN:
        raise InvalidInput("The case takes no more evidence")
    add_evidence(session, case, cases.applicant(case), form)


def _accept(session: Session, case: VettingCase, form: Form) -> None:
    by = cases.applicant(case)
    if form.values.setdefault("agreed", "") != "yes":
        raise InvalidInput("Confirm that you accept the agreement", where="agreed")
    agreements.accept(
        session, case, by,
        version=form.values.get("version", ""),
        signatory=form.values.get("signatory", ""),
        position=form.values.get("position", ""),
        address=browser.visit().address,
    )  # fmt: skip
    member = activation.admit(session, case, by, services().namespace)
    services().publish_identity(session, membership.identity_object(member))
    activation.invite_contacts(session, post(), case, by)


def _withdraw(session: Session, case: VettingCase, form: Form) -> None:
    cases.withdraw(session, case, form.values.get("reason", ""))


def _appeal(session: Session, case: VettingCase, form: Form) -> None:
    decisions.appeal(session, case, form.values.get("grounds", ""), services().settings.vetting)


STEPS: dict[str, Callable[[Session, VettingCase, Form], None]] = {
    "confirm": _confirm,
    "answer": _answer,
    "evidence": _evidence,
    "accept": _accept,
    "withdraw": _withdraw,
    "appeal": _appeal,
}


def _case_of(session: Session, token: str) -> VettingCase:
    return cases.find(session, links.follow(session, token, Purpose.APPLICANT).case_id)


def _application(session: Session, case: VettingCase, form: Form) -> Response:
    signing = case.state == State.APPROVED_UNSIGNED
    verdicts = decisions.of_case(session, case) if case.state == State.REJECTED else []
    return page(
        "application.html",
        f"Application of {case.name}",
        form=form,
        case=case,
        open=State(case.state) in OPEN,
        questions=requirements.questions(session, case),
        open_questions=[one.id for one in requirements.open_questions(session, case)],
        files=evidence.of_case(session, case),
        applicant=cases.applicant(case).id,
        agreement=agreements.newest(session) if signing else None,
        rejected=[one.reason for one in verdicts if one.verdict == decisions.REJECT],
        may_appeal=not requirements.no_earlier_appeal(session, case),
        kinds=[(value, text) for value, text, _ in kinds_of_evidence(session, case)],
        file_hint=EVIDENCE_FIELDS[1].hint,
    )


def _sponsor(session: Session, link: CaseLink, form: Form) -> Response:
    case = cases.find(session, link.case_id)
    invitation = session.get_one(SponsorInvitation, link.invitation_id)
    member = session.get_one(Member, invitation.member_id)
    answers = [("confirm", "Yes, we sponsor it", ""), ("decline", "No", "")]
    return page("sponsor.html", f"Sponsor {case.name}", form=form, case=case, member=member, answers=answers)
