"""The organisation's filings: the list, one with its history, what is done about it, what waits for a second person."""

from __future__ import annotations

from typing import Any, Final

from flask import Response, request, url_for
from sqlalchemy import func, select

from hub.auth import Permission
from hub.checks.filings import filing as life
from hub.checks.filings.records import ENDED, PENDING, STATES, Filing
from hub.checks.filings.view import own_opened
from hub.console import check_words as words
from hub.console import filing_fields as fields
from hub.console import naming
from hub.console.furniture import Form, blueprint, page, person, reading, redirect_to, say, unit_of_work
from hub.stix.tlp import Tlp
from hub.web.guard import allow
from hub.web.services import services

SHOWN: Final = 40
DONE: Final = {
    "dispute": "It is disputed, and answers nobody until that is settled",
    "end-dispute": "The dispute has ended",
    "withdraw": "It is withdrawn for good",
    "approve": "It is approved, and counts as known fraud",
    "refuse": "It is refused, and will not count",
}


@blueprint.get("/filings")
@allow(Permission.OWN_FILINGS_READ)
def own_filings() -> Response:
    """The filings, the newest first, without what they are about."""
    asked = {name: request.args.get(name, "") for name in ("state", "tier", "role", "reference")}
    offset = request.args.get("start", "0")
    start = int(offset) if offset.isdecimal() and len(offset) < 7 else 0
    wanted = select(Filing).where(Filing.member_id == person().own_member)
    for name, known in (("state", STATES), ("tier", words.TIERS), ("role", words.ROLES)):
        if asked[name] in known:
            wanted = wanted.where(getattr(Filing, name) == asked[name])
    if (begins := asked["reference"].strip()) and begins.isprintable():
        wanted = wanted.where(Filing.reference.startswith(begins[:64], autoescape=True))
    with reading() as session:
        found = list(
            session.scalars(wanted.order_by(Filing.amended_at.desc(), Filing.id).offset(start).limit(SHOWN + 1))
        )
        waiting = session.scalar(
            select(func.count()).where(Filing.member_id == person().own_member, Filing.state == PENDING)
        )
    kept: dict[str, Any] = {name: text for name, text in asked.items() if text}
    return page(
        "filings.html", "Filings", form=Form(**asked), found=found[:SHOWN], words=words, tlp_of=Tlp, waiting=waiting,
        may_file=person().may(Permission.OWN_FILINGS_CHANGE), may_approve=person().may(Permission.OWN_FILINGS_APPROVE),
        states=[("", "Any state"), *((one, one.capitalize()) for one in STATES)],
        tiers=[("", "Any"), *((name, said) for name, said in words.TIERS.items() if name != "protect")],
        roles=[("", "Any role"), *words.ROLES.items()],
        later=url_for("console.own_filings", **kept, start=start + SHOWN) if len(found) > SHOWN else "",
        earlier=url_for("console.own_filings", **kept, start=max(0, start - SHOWN)) if start else "",
    )  # fmt: skip


@blueprint.get("/filings/approvals")
@allow(Permission.OWN_FILINGS_APPROVE)
def approvals() -> Response:
    """What waits for the approval of a second person, the oldest first."""
    wanted = select(Filing).where(Filing.member_id == person().own_member, Filing.state == PENDING)
    with reading() as session:
        found = list(session.scalars(wanted.order_by(Filing.amended_at).limit(SHOWN)))
        names = naming.actors(session, [one.filed_by for one in found])
    return page("filing_approvals.html", "To approve", back=url_for("console.own_filings"), found=found, names=names,
                words=words, me=person().person_id)  # fmt: skip


@blueprint.get("/filings/<filing_id>")
@allow(Permission.OWN_FILINGS_READ)
def own_filing(filing_id: str) -> Response:
    """One filing, opened, with its history; another member's is not found."""
    return _shown(filing_id, Form())


@blueprint.post("/filings/<filing_id>/step")
@allow(Permission.OWN_FILINGS_CHANGE)
def step_filing(filing_id: str) -> Response:
    """Dispute it, end the dispute, or withdraw it."""
    form = Form()
    step = form.choice("step", ["dispute", "end-dispute", "withdraw"], "Choose what to do")
    reason = form.long_text("reason", "Enter the reason")
    return _done(filing_id, form, step, reason)


@blueprint.post("/filings/<filing_id>/approval")
@allow(Permission.OWN_FILINGS_APPROVE)
def approve_filing(filing_id: str) -> Response:
    """Approve or refuse it, as the second person."""
    form = Form()
    step = form.choice("verdict", ["approve", "refuse"], "Choose approve or refuse")
    reason = form.long_text("why", "Enter the reason" if step == "refuse" else "")
    return _done(filing_id, form, step, reason)


def _done(filing_id: str, form: Form, step: str, reason: str) -> Response:
    done = False
    if not form.errors:
        desk, who = services().filings(), person()
        with form.catching(), unit_of_work() as session:
            me, ours = who.person_id, who.own_member
            if step == "approve":
                life.approve(session, desk, me, ours, filing_id)
            else:
                steps: dict[str, Any] = {
                    "dispute": life.dispute, "end-dispute": life.end_dispute, "withdraw": life.withdraw,
                    "refuse": life.refuse,
                }  # fmt: skip
                steps[step](session, desk, me, ours, filing_id, reason)
            done = True
    if not done or form.errors:
        return _shown(filing_id, form)
    say(DONE[step])
    return redirect_to("console.own_filing", filing_id=filing_id)


def _shown(filing_id: str, form: Form) -> Response:
    with reading() as session:
        view = own_opened(session, services().filings(), person().own_member, filing_id)
        filing = view.filing
        names = naming.actors(session, [filing.filed_by, filing.approved_by or "", *(one.by for one in view.events)])
        mine = life.wrote(session, services().filings(), person().person_id, filing)
    steps = {"live": ["dispute", "withdraw"], "disputed": ["end-dispute", "withdraw"], "pending": ["withdraw"]}
    said = {"dispute": "Dispute it", "end-dispute": "End the dispute in its favour", "withdraw": "Withdraw it for good"}
    told = {"dispute": "Suppressed at once, everywhere", "end-dispute": "Known fraud waits for its approval again",
            "withdraw": "It cannot be brought back"}  # fmt: skip
    possible = steps.get(filing.state, []) if person().may(Permission.OWN_FILINGS_CHANGE) else []
    waits = filing.state == PENDING and person().may(Permission.OWN_FILINGS_APPROVE)
    return page(
        "filing.html", "Filing", back=url_for("console.own_filings"), form=form, view=view, filing=filing, names=names,
        about=fields.lines(view.document), document=view.document, words=words, tlp=Tlp(filing.tlp).label,
        steps=[(one, said[one], told[one]) for one in possible],
        may_amend=person().may(Permission.OWN_FILINGS_CHANGE) and filing.state not in ENDED,
        may_approve=waits and not mine, mine_waits=waits and mine,
        verdicts=[("approve", "Approve", "It counts as known fraud at once"), ("refuse", "Refuse", "It ends")],
    )  # fmt: skip
