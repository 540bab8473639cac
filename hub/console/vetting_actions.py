"""What is done to a case: one table of actions, each a page with one form."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from flask import Response, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.auth import Permission, Role, SignedIn
from hub.console.furniture import Form, blueprint, page, person, post, reading, redirect_to, say, unit_of_work
from hub.errors import InvalidInput, TooLarge
from hub.members.records import SharingGroup
from hub.members.vetting import (
    cases,
    certificates,
    decisions,
    letters,
    offboarding,
    requirements,
    reviews,
    sponsors,
    suspensions,
)
from hub.members.vetting.evidence import EvidenceFolder, EvidenceKind
from hub.members.vetting.party import Party
from hub.members.vetting.party import person as party_of
from hub.members.vetting.records import VettingCase
from hub.members.vetting.states import OPEN, State
from hub.stix.tlp import Tlp
from hub.web.guard import allow
from hub.web.services import services

Choices = list[tuple[str, str, str]]
S = State
SCREENED = frozenset({S.SCREENING, S.INFO_REQUESTED, S.DUE_DILIGENCE})
MEMBERS = frozenset({S.ACTIVE, S.REVIEW_DUE, S.SUSPENDED, S.OFFBOARDING})
READ, WORK, DECIDE = Permission.CASES_READ, Permission.CASES_WORK, Permission.CASES_DECIDE
STOP = Permission.MEMBERS_SUSPEND


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an action's form. ``kind`` is a macro: input, textarea, radios, checkboxes, file."""

    name: str
    label: str
    kind: str = "textarea"
    hint: str = ""
    choices: Callable[[Session, VettingCase], Choices] | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that can be done to a case in some of its states."""

    name: str
    label: str
    permission: Permission
    states: frozenset[State]
    run: Callable[[Session, VettingCase, Party, Form], Any]
    said: str
    fields: tuple[Field, ...] = ()
    kind: str = ""
    told: str = ""


def party() -> Party:
    """Who is signed in, as a party to cases."""
    who = person()
    return party_of(who.person_id, who.roles, member_id=who.member_id or "", email=who.email)


def folder() -> EvidenceFolder:
    """Where the files of evidence lie."""
    parts = services()
    return EvidenceFolder(parts.settings.data_dir / "evidence", parts.vault, parts.settings.vetting.evidence_bytes)


def add_evidence(session: Session, case: VettingCase, by: Party, form: Form) -> None:
    """Keep the uploaded file of a form. Raises InvalidInput where there is none."""
    upload = form.upload("file")
    if upload is None:
        raise InvalidInput("Choose a file", where="file")
    # One byte more than is taken tells a file that is too large; the rest is never read.
    with closing(upload):
        content = upload.stream.read(services().settings.vetting.evidence_bytes + 1)
    kind, note = form.values.get("kind", ""), form.values.get("note", "")
    try:
        folder().add(session, case, by, kind, upload.filename or "", content, note)
    except TooLarge as error:
        raise InvalidInput(error.message, where="file") from None


def kinds_of_evidence(_session: Session, _case: VettingCase) -> Choices:
    """The kinds of evidence, as choices."""
    return [(kind.value, kind.value.replace("-", " ").capitalize(), "") for kind in EvidenceKind]


EVIDENCE_FIELDS = (
    Field("kind", "What the file proves", "select", choices=kinds_of_evidence),
    Field("file", "File", "file", "PDF, PNG, JPEG or plain text; office documents as PDF"),
    Field("note", "Note (optional)", "input"),
)


def _propose(session: Session, case: VettingCase, by: Party, form: Form) -> None:
    cases.propose(
        session, case, by,
        clearance=Tlp.parse(form.values.get("clearance", "")),
        groups=[name for name in form.chosen("groups") if name],
        roles=[Role(role) for role in form.chosen("roles") if role in set(Role)],
    )  # fmt: skip


def _invite(session: Session, case: VettingCase, by: Party, form: Form) -> None:
    invitation, token = sponsors.invite(
        session, case, by, form.values.get("member_id", ""), form.values.get("email", ""), services().settings.vetting
    )
    letters.to_sponsor(session, post(), case, invitation, token)


def _declare(session: Session, case: VettingCase, by: Party, form: Form) -> None:
    answer = form.values.get("conflict")
    if answer not in ("no", "yes"):
        raise InvalidInput("Say whether you have a conflict of interest", where="conflict")
    cases.declare(session, case, by, conflict=answer == "yes", explanation=form.values.get("explanation", ""))


def _clearances(_session: Session, _case: VettingCase) -> Choices:
    return [(tlp.label, f"TLP:{tlp.label.upper()}", "") for tlp in Tlp if tlp is not Tlp.RED]


def _groups(session: Session, _case: VettingCase) -> Choices:
    return [(name, name, "") for name in session.scalars(select(SharingGroup.name).order_by(SharingGroup.name))]


def _roles(_session: Session, _case: VettingCase) -> Choices:
    return [(role.value, role.value, "") for role in Role if role in cases.MEMBER_ROLES]


def _sponsors(session: Session, case: VettingCase) -> Choices:
    found = sponsors.eligible(session, case, services().settings.vetting)
    return [("", "Choose a member", ""), *((member.id, member.name, "") for member in found)]


def _points(session: Session, case: VettingCase) -> Choices:
    done = requirements.offboarded(session, case)
    return [(step, words, "") for step, words in requirements.OFFBOARDING_STEPS.items() if step not in done]


def _conflict(_session: Session, _case: VettingCase) -> Choices:
    return [("no", "No", ""), ("yes", "Yes", "You can then neither work on the case nor decide it.")]


def _text(name: str) -> Callable[[Form], str]:
    return lambda form: form.values.get(name, "")


reason, why, question, findings = _text("reason"), _text("why"), _text("question"), _text("findings")
parent, number = _text("parent"), _text("parent_registration")

ACTIONS = (
    Action("take", "Take this case", WORK, OPEN | MEMBERS, lambda s, c, by, _f: cases.take(s, c, by),
           "You are the officer of this case", told="Who has worked on a case never decides it."),
    Action("declare", "Declare a conflict of interest, or none", READ, OPEN | MEMBERS, _declare,
           "Your declaration is on file",
           (Field("conflict", "Do you have a conflict of interest in this case?", "radios", choices=_conflict),
            Field("explanation", "If you do, what is it?"))),
    Action("ask", "Ask the applicant", WORK, SCREENED,
           lambda s, c, by, f: cases.ask(s, c, by, question(f)), "The question has been sent",
           (Field("question", "Question"),)),
    Action("evidence", "Add evidence", WORK, OPEN | MEMBERS, add_evidence, "The file is on file", EVIDENCE_FIELDS),
    Action("propose", "Propose clearance, groups and roles", WORK, frozenset({S.SCREENING, S.DUE_DILIGENCE}), _propose,
           "The proposal has been changed",
           (Field("clearance", "Highest TLP", "radios", choices=_clearances),
            Field("groups", "Sharing groups", "checkboxes", choices=_groups),
            Field("roles", "Roles", "checkboxes", choices=_roles))),
    Action("group", "Correct the corporate group", WORK, SCREENED | MEMBERS,
           lambda s, c, by, f: cases.set_parent(s, c, by, parent(f), number(f)), "The corporate group is corrected",
           (Field("parent", "Ultimate parent company (optional)", "input"),
            Field("parent_registration", "Its registration number (optional)", "input")),
           told="A sponsor is never of the applicant's own group."),
    Action("sponsor", "Ask a sponsor", WORK, SCREENED, _invite, "The sponsor has been asked",
           (Field("member_id", "Member", "select",
                  "Of another group and active for long enough, or police or a regulator", _sponsors),
            Field("email", "E-mail address of its contact", "input"))),
    Action("due-diligence", "Go on to due diligence", WORK, frozenset({S.SCREENING}),
           lambda s, c, by, f: cases.to_due_diligence(s, c, by, why(f)), "The case is in due diligence",
           (Field("why", "What the screening has shown"),)),
    Action("decision", "Put up for decision", WORK, frozenset({S.DUE_DILIGENCE}),
           lambda s, c, by, f: cases.to_decision(s, c, by, why(f)), "The case is up for decision",
           (Field("why", "Your summary for the approvers"),)),
    Action("approve", "Approve", DECIDE, decisions.ROUNDS,
           lambda s, c, by, f: decisions.decide(s, c, by, decisions.APPROVE, reason(f)), "Your approval is on file",
           (Field("reason", "Reason"),), told="Two approvers are needed, neither of them the officer."),
    Action("reject", "Reject", DECIDE, decisions.ROUNDS,
           lambda s, c, by, f: decisions.decide(s, c, by, decisions.REJECT, reason(f)), "The case is rejected",
           (Field("reason", "Reason", hint="The applicant reads it."),), "warning",
           "The applicant can appeal once; other people decide the appeal."),
    Action("review", "Write the review", WORK, frozenset({S.REVIEW_DUE}),
           lambda s, c, by, f: reviews.pass_review(s, c, by, findings(f)), "The review is on file",
           (Field("findings", "Findings"),)),
    Action("suspend", "Suspend", STOP, frozenset({S.ACTIVE, S.REVIEW_DUE}),
           lambda s, c, by, f: suspensions.suspend(s, c, by, reason(f)), "The member is suspended as of now",
           (Field("reason", "Reason"),), "warning",
           "The member's very next request is refused. Lifting a suspension takes two people."),
    Action("lift", "Lift the suspension", STOP, frozenset({S.SUSPENDED}),
           lambda s, c, by, f: suspensions.lift(s, c, by, reason(f)), "Your voice is on file",
           (Field("reason", "Reason"),), told="Two people have to agree."),
    Action("certificate", "Issue a certificate of membership", WORK, frozenset({S.ACTIVE, S.REVIEW_DUE}),
           lambda s, c, by, _f: certificates.issue(s, c, by, certificates.MEMBERSHIP), "The certificate is issued"),
    Action("offboard", "Begin off-boarding", WORK, frozenset({S.ACTIVE, S.REVIEW_DUE, S.SUSPENDED}),
           lambda s, c, by, f: offboarding.begin(s, c, by, reason(f)), "Off-boarding has begun, and access has ended",
           (Field("reason", "Reason"),), "warning", "Access ends at once. This cannot be undone."),
    Action("tick", "Tick a point of the off-boarding list", WORK, frozenset({S.OFFBOARDING}),
           lambda s, c, by, f: offboarding.tick(s, c, by, f.values.get("step", ""), f.values.get("note", "")),
           "The point is done",
           (Field("step", "Point", "radios", choices=_points), Field("note", "What was done"))),
    Action("close", "Close the file", WORK, frozenset({S.OFFBOARDING}),
           lambda s, c, by, _f: offboarding.close(s, c, by),
           "The file is closed, every key is revoked and the certificate of cessation is issued", (), "warning",
           "Every key of the member is revoked, and its people's access ends."),
    Action("letter", "Send the last letter again", WORK, letters.LINKED,
           lambda s, c, by, _f: letters.again(s, post(), c, by), "A letter with a new link is on its way",
           told="Earlier links end."),
)  # fmt: skip


def offered(case: VettingCase, who: SignedIn) -> list[Action]:
    """What a person may try in the case's present state."""
    return [action for action in ACTIONS if case.state in action.states and who.may(action.permission)]


def _install(action: Action) -> None:
    """A page for ``action``: GET asks, POST does it and goes back to the file."""

    def ask(case_id: str) -> Response:
        with reading() as session:
            return _form(session, cases.find(session, case_id), action, Form(**_present(session, case_id, action)))

    def do(case_id: str) -> Response:
        form, done = Form(), False
        for field in action.fields:
            form.values.setdefault(field.name, "")  # a browser sends nothing of what is not chosen
        with form.catching():
            with unit_of_work() as session, letters.changing(session, post(), case_id) as case:
                action.run(session, case, party(), form)
            done = True
        if not done:
            with reading() as session:
                return _form(session, cases.find(session, case_id), action, form)
        say(action.said)
        if person().may(Permission.CASES_READ):
            return redirect_to("console.case_file", case_id=case_id)
        return redirect_to("console.members")

    rule, endpoint = f"/cases/<case_id>/{action.name}", f"case_{action.name.replace('-', '_')}"
    blueprint.add_url_rule(rule, endpoint, allow(action.permission)(ask), methods=["GET"])
    blueprint.add_url_rule(rule, f"{endpoint}_do", allow(action.permission)(do), methods=["POST"])


def _present(session: Session, case_id: str, action: Action) -> dict[str, Any]:
    """What a form begins with."""
    case = cases.find(session, case_id)
    if action.name == "group":
        return {"parent": case.parent, "parent_registration": case.parent_registration}
    if action.name != "propose":
        return {}
    return {"clearance": Tlp(case.clearance).label, "groups": case.groups, "roles": case.roles}


def _form(session: Session, case: VettingCase, action: Action, form: Form) -> Response:
    choices = {field.name: _choices(session, case, field) for field in action.fields if field.choices}
    back = url_for("console.case_file", case_id=case.id)
    return page("case_action.html", action.label, back=back, form=form, case=case, action=action, choices=choices)


def _choices(session: Session, case: VettingCase, field: Field) -> list[Any]:
    """What there is to choose from: a list to select from has no hints."""
    assert field.choices is not None
    found = field.choices(session, case)
    return [(value, text) for value, text, _ in found] if field.kind == "select" else found


for _action in ACTIONS:
    _install(_action)
