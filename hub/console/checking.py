"""Check one payee, the answer in words, what was decided; the organisation's checks.

A value is sent in the body of a form, is in no address and on no page afterwards: the hub keeps its keyed hash only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from flask import Response, request, url_for
from sqlalchemy.orm import Session

from hub import clock
from hub.auth import Actor, CredentialKind, Permission
from hub.checks.searching import decisions, questions, quotas, reading, reciprocity, sampling
from hub.checks.searching import lists as search_lists
from hub.checks.searching.checking import NOTICE, Checked, document
from hub.checks.searching.questions import PERSON_FIELDS, Question
from hub.clock import DAY
from hub.console import check_words as words
from hub.console import naming
from hub.console.furniture import Form, blueprint, page, person, redirect_to, say, unit_of_work
from hub.console.furniture import reading as looking
from hub.errors import InvalidInput, NotFound, NotPermitted, TooMany
from hub.members import credentials, membership
from hub.web.guard import allow
from hub.web.services import services

FIELDS: Final = ("kind", "value", "name", "date_of_birth", "postcode", "purpose", "legal_gateway", "case_reference")
MOST_SHOWN: Final = 100
YEAR: Final = 365 * DAY
LONGEST_NUMBER: Final = 18


@blueprint.get("/checks")
@allow(Permission.CHECKS_ASK)
def own_checks() -> Response:
    """The organisation's checks, those that wait for a justification, and what is left of its quota."""
    given, member_id = request.args.get("before", ""), person().own_member
    before = int(given) if given.isdecimal() and len(given) < LONGEST_NUMBER else None
    with looking() as session:
        found = search_lists.searches_of(session, member_id, before, search_lists.PAGE + 1)
        waiting = sampling.waiting(session, member_id)
        limits = services().settings.checks
        left = {one: quotas.allowance(session, member_id, one.value, limits) for one in words.PURPOSES}
        balance = reciprocity.balance_of(session, member_id, clock.micros() - YEAR)
    shown = found[: search_lists.PAGE]
    later = url_for("console.own_checks", before=shown[-1].search.no) if len(found) > len(shown) else ""
    return page(
        "checks.html", "Checks", found=shown, waiting=waiting, left=left, balance=balance, words=words, later=later,
        earlier=url_for("console.own_checks") if given else "", now=clock.micros(),
    )  # fmt: skip


@blueprint.get("/checks/new")
@allow(Permission.CHECKS_ASK)
def new_check(form: Form | None = None) -> Response:
    """Ask what is to be checked, and why."""
    kind = _actor().kind
    return page(
        "new_check.html", "Check a payee", back=url_for("console.own_checks"),
        form=form or Form(kind="bank-account", purpose="payee-check"),
        kinds=[*words.KINDS.items()], purposes=words.purposes(kind, filing=False),
        gateways=[("", "Choose a law"), *words.gateways(kind, filing=False)], notice_words=NOTICE,
    )  # fmt: skip


@blueprint.post("/checks/new")
@allow(Permission.CHECKS_ASK)
def ask_check() -> Response:
    """Check it; the answer has an address of its own, which tells nothing."""
    form, found = Form(), ""
    for name in FIELDS:
        form.values.setdefault(name, "")
    asking = _actor()
    asked = _question(form, asking.kind)
    if asked is not None:
        try:
            found = services().checks.search(asking, asked).id
        except TooMany as error:
            form.refuse("", f"Your organisation's quota is used up: {error.message}. {error.advice or ''}")
        except NotPermitted:
            form.refuse("", "A check that was drawn was not justified in time. Justify it on the page Checks first")
    if not found:
        return new_check(form)
    return redirect_to("console.own_check", check_id=f"{found}.0")


@blueprint.get("/checks/<check_id>")
@allow(Permission.CHECKS_ASK)
def own_check(check_id: str) -> Response:
    """A check of the organisation with its answers, what was decided, and the form to record that."""
    return _shown(check_id, Form(decision=""))


@blueprint.post("/checks/<check_id>")
@allow(Permission.CHECKS_ASK)
def decide_check(check_id: str) -> Response:
    """Record what was decided, or why a check that was drawn had been made."""
    form = Form()
    for name in ("decision", "reason", "justification"):
        form.values.setdefault(name, "")
    given = {name: form.long_text(name) for name in ("decision", "reason", "justification")}
    if not given["decision"] and not given["justification"]:
        form.refuse("decision", "Choose what you decided")
    if not form.errors:
        sent = {name: text for name, text in given.items() if text}
        with form.catching(), unit_of_work() as session:
            who = person()
            decisions.decide(session, services().vault, who.own_member, who.person_id, check_id, sent)
    if form.errors:
        return _shown(check_id, form)
    say("It is recorded")
    return redirect_to("console.own_check", check_id=check_id)


def actor_here(session: Session) -> Actor:
    """The person's organisation as one that asks, in the person's name; it hears what its systems hear."""
    member = membership.find(session, person().own_member)
    return credentials.actor_of(session, member, CredentialKind.TOKEN, person().person_id, None)


def _actor() -> Actor:
    with looking() as session:
        return actor_here(session)


def _question(form: Form, member_kind: str) -> Question | None:
    """The search of a form; None, with its errors, where there is none. Nothing of it was searched then."""
    kind = form.choice("kind", list(words.KINDS), "Choose what you check")
    subject: dict[str, Any] = {"kind": kind}
    if kind == "person":
        subject |= {name: text for name in PERSON_FIELDS if (text := form.text(name))}
        form.text("name", "Enter the person's name")
        if not subject.keys() & {"date_of_birth", "postcode"}:
            form.refuse("date_of_birth", "Enter a date of birth or a postcode: a name alone is not searched")
    else:
        subject["value"] = form.text("value", "Enter the value", most=4096)
    form.choice("purpose", [one.value for one in words.PURPOSES], "Choose what the check is for")
    form.text("legal_gateway", "Choose the law that it rests on")
    form.text("case_reference", "Enter your case reference")
    if form.errors:
        return None
    basis = {name: form.values[name].strip() for name in ("purpose", "legal_gateway", "case_reference")}
    with form.catching():
        asked = replace(_read({**basis, "subject": subject}, member_kind), channel="console")
        if (refusal := asked.asked[0].refusal) is None:
            return asked
        place = "date_of_birth" if kind == "person" else "value"
        form.refuse(place, (refusal.reason or "This cannot be searched")[:1].upper() + (refusal.reason or "")[1:])
    return None


def _read(given: Mapping[str, Any], member_kind: str) -> Question:
    """The question; what is wrong with its basis is told with the advice, since that names the laws that do."""
    try:
        return questions.question(dict(given), member_kind, 1)
    except InvalidInput as error:
        text = f"{error.message}. {error.advice}" if error.advice else error.message
        raise InvalidInput(text, where=error.where) from None


def _shown(check_id: str, form: Form) -> Response:
    parts, told = services(), None
    with looking() as session:
        search, place = reading.search_of(session, person().own_member, check_id)
        due = reading.justify_by(session, search.no)
        case = reading.case_reference_of(parts.vault, search)
        try:
            answers = reading.answers_of(session, parts.vault, parts.checks.knowledge.indicators, search)
        except NotFound:
            answers = []
        if answers:
            question = Question(reading.basis_of(search), case, ())
            told = document(parts.vault, Checked(search.id, search.at, question, answers, due))["answers"]
        decided = decisions.decisions_of(session, parts.vault, search.no, search.id)
        names = naming.actors(session, [search.actor, *(one["by"] for one in decided)])
    shown = (told or []) if place is None else (told or [])[place : place + 1]
    return page(
        "check.html", "Answer", back=url_for("console.own_checks"), form=form, search=search, case=case, due=due,
        answers=shown[:MOST_SHOWN], left_out=max(0, len(shown) - MOST_SHOWN), kept=told is not None, words=words,
        decisions=[one for one in decided if place is None or one["position"] in (place, None)], names=names,
        choices=[(name, said, "") for name, said in words.DECISIONS.items()], notice_words=NOTICE,
    )  # fmt: skip
