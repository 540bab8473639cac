"""Disputes that the hub raises about filings, and the way from a contact token to their owner.

What a filing is about stays sealed here: the staff sees its state, its basis and what happened to it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from flask import Response, url_for
from sqlalchemy import select

from hub.auth import Permission
from hub.checks.filings import filing as life
from hub.checks.filings.parts import HUB
from hub.checks.filings.records import DISPUTED, ENDED, LIVE, Filing
from hub.checks.filings.view import opened
from hub.checks.searching import contacts
from hub.console import check_words as words
from hub.console import naming
from hub.console.furniture import Form, blueprint, page, person, reading, redirect_to, say, unit_of_work
from hub.stix.tlp import Tlp
from hub.web.guard import allow
from hub.web.services import services

SHOWN: Final = 60
LONGEST_TOKEN: Final = 500
STEPS: Final[dict[str, Callable[..., Filing]]] = {
    "dispute": life.dispute,
    "end-dispute": life.end_dispute,
    "withdraw": life.withdraw,
}
DONE: Final = {
    "dispute": "It is disputed, and answers nobody until the hub ends that",
    "end-dispute": "The dispute has ended",
    "withdraw": "It is withdrawn for good",
}
SAID: Final = {
    "dispute": ("dispute", "Dispute it", "Suppressed at once, in checks and in the collections"),
    "end-dispute": ("end-dispute", "End the dispute in its favour", "Known fraud waits for its approval again"),
    "withdraw": ("withdraw", "Withdraw it for good", "It cannot be brought back"),
}


@blueprint.get("/disputes")
@allow(Permission.CHECKS_WATCH)
def disputes() -> Response:
    """What is disputed now, and the way to another filing."""
    return _listed(Form())


@blueprint.post("/disputes")
@allow(Permission.CHECKS_HANDLE)
def find_filings() -> Response:
    """The filing with an id, or those behind a contact token; that somebody looked behind a token is audited."""
    form = Form()
    wanted = form.text("wanted", "Enter the id of a filing or a contact token", LONGEST_TOKEN)
    found: list[Filing] = []
    if not form.errors:
        if wanted.startswith("filing--"):
            with reading() as session:
                life.found(session, HUB, wanted[:80])
            return redirect_to("console.disputed_filing", filing_id=wanted[:80])
        form.values.setdefault("token", "")
        with form.catching(), unit_of_work() as session:
            _, found = contacts.owners(session, services().vault, person().person_id, wanted)
            session.expunge_all()
        if not found and not form.errors:
            form.refuse("wanted", "The match rested on indicators alone: no filing is behind it")
    if "" in form.errors:
        form.refuse("wanted", form.errors.pop(""))
    return _listed(form, found)


@blueprint.get("/disputes/<filing_id>")
@allow(Permission.CHECKS_WATCH)
def disputed_filing(filing_id: str) -> Response:
    """One filing, without what it is about."""
    return _shown(filing_id, Form())


@blueprint.post("/disputes/<filing_id>")
@allow(Permission.CHECKS_HANDLE)
def step_dispute(filing_id: str) -> Response:
    """Dispute it in the hub's name, end that, or withdraw it."""
    form, done = Form(), False
    step = form.choice("step", list(STEPS), "Choose what to do")
    reason = form.long_text("reason", "Enter the reason")
    if not form.errors:
        with form.catching(), unit_of_work() as session:
            STEPS[step](session, services().filings(), person().person_id, HUB, filing_id, reason)
            done = True
    if not done:
        return _shown(filing_id, form)
    say(DONE[step])
    return redirect_to("console.disputed_filing", filing_id=filing_id)


def _listed(form: Form, behind: list[Filing] | None = None) -> Response:
    wanted = select(Filing).where(Filing.state == DISPUTED).order_by(Filing.amended_at.desc()).limit(SHOWN)
    with reading() as session:
        found = list(session.scalars(wanted))
        members = naming.members(session)
    names = {one.id: naming.content_name(one) for one in members.values()}
    return page(
        "disputes.html", "Disputes", form=form, found=found, behind=behind or [], names=names, words=words,
        hub=HUB, may_handle=person().may(Permission.CHECKS_HANDLE),
    )  # fmt: skip


def _shown(filing_id: str, form: Form) -> Response:
    with reading() as session:
        filing = life.found(session, HUB, filing_id)
        view = opened(session, services().filings(), filing)
        members = naming.members(session)
        staff = naming.actors(session, [one.by for one in view.events])
    owner = members[filing.member_id]
    # Who of an anonymous member did something would give its name away.
    spoken = {one.by: staff[one.by] if staff[one.by].endswith("hub staff") or not owner.anonymous else "the owner"
              for one in view.events}  # fmt: skip
    possible = [] if filing.state in ENDED else ["withdraw"]
    if filing.state == LIVE:
        possible = ["dispute", *possible]
    if filing.state == DISPUTED:
        possible = ["end-dispute", *possible]
    return page(
        "disputed_filing.html", "Filing", back=url_for("console.disputes"), form=form, filing=filing, words=words,
        events=view.events, names=spoken, owner=naming.content_name(owner), tlp=Tlp(filing.tlp).label,
        anonymous=owner.anonymous,
        steps=[SAID[one] for one in possible] if person().may(Permission.CHECKS_HANDLE) else [],
    )  # fmt: skip
