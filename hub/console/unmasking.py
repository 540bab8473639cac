"""Who an anonymous source is: asked by one, agreed by two, shown for a time."""

from __future__ import annotations

from flask import Response, url_for

from hub.auth import Permission
from hub.console.furniture import Form, blueprint, page, person, post, reading, redirect_to, say, unit_of_work
from hub.console.vetting import names_of
from hub.feeds.behind import member_behind
from hub.members import unmasking
from hub.members.people_records import Person
from hub.members.unmasking import Voice
from hub.web.guard import allow
from hub.web.services import services

SPOKEN = {
    unmasking.REQUESTED: "Waits for legal and operations",
    unmasking.OPEN: "Agreed",
    unmasking.REFUSED: "Refused",
}
FUNCTIONS = {
    unmasking.LEGAL: ("Legal", "You are an approver, and say that the law and the agreement allow it"),
    unmasking.OPERATIONS: ("Operations", "You are a vetting officer, and say that the work needs it"),
}
VERDICTS = [(unmasking.APPROVE, "Approve", ""), (unmasking.REFUSE, "Refuse", "The request ends")]


@blueprint.get("/unmasking")
@allow(Permission.UNMASKING_READ)
def unmaskings() -> Response:
    """Every request, the newest first; none of them names a source."""
    with reading() as session:
        found, names = unmasking.all_requests(session), names_of(session)
    return page("unmaskings.html", "Unmasking", requests=found, names=names, spoken=SPOKEN,
                may_ask=person().may(Permission.UNMASKING_ASK))  # fmt: skip


@blueprint.get("/unmasking/new")
@allow(Permission.UNMASKING_ASK)
def new_unmasking(form: Form | None = None) -> Response:
    """Ask for which object and why."""
    return page("new_unmasking.html", "Ask who a source is", back=url_for("console.unmaskings"), form=form or Form())


@blueprint.post("/unmasking/new")
@allow(Permission.UNMASKING_ASK)
def ask_unmasking() -> Response:
    """Keep the request."""
    form, asked = Form(), 0
    subject = form.text("subject", "Enter the id of a sighting or another object")
    reason = form.long_text("reason", "Enter the reason")
    if not form.errors:
        with form.catching(), unit_of_work() as session:
            source = member_behind(session, services().namespace, subject)
            asked = unmasking.ask(session, person().person_id, subject, source, reason).id
    if not asked:
        return new_unmasking(form)
    say("Your request waits for legal and operations")
    return redirect_to("console.one_unmasking", request_id=asked)


@blueprint.get("/unmasking/<int:request_id>")
@allow(Permission.UNMASKING_READ)
def one_unmasking(request_id: int) -> Response:
    """A request, what was said to it, and what one may do about it."""
    return _shown(request_id, Form())


@blueprint.post("/unmasking/<int:request_id>")
@allow(Permission.UNMASKING_DECIDE)
def decide_unmasking(request_id: int) -> Response:
    """Approve or refuse for a function."""
    form, state = Form(), ""
    for name in ("function", "verdict", "barred"):
        form.values.setdefault(name, "")
    reason = form.long_text("reason", "Enter the reason")
    if not form.errors:
        said = Voice(form.values["function"], form.values["verdict"], reason, form.long_text("barred"))
        with form.catching(), unit_of_work() as session:
            state = unmasking.decide(session, request_id, person().person_id, said, post())
    if not state:
        return _shown(request_id, form)
    say({unmasking.OPEN: "The source is shown now", unmasking.REFUSED: "The request is refused"}.get(
        state, "Your approval is on file; another one is needed"))  # fmt: skip
    return redirect_to("console.one_unmasking", request_id=request_id)


@blueprint.post("/unmasking/<int:request_id>/source")
@allow(Permission.UNMASKING_READ)
def show_source(request_id: int) -> Response:
    """Show the source to those who asked and agreed; the look is audited."""
    with unit_of_work() as session:
        name = unmasking.source_of(session, request_id, person().person_id)
        found = unmasking.find(session, request_id)
    back = url_for("console.one_unmasking", request_id=request_id)
    return page("unmasked.html", "The source", back=back, name=name, request=found)


def _shown(request_id: int, form: Form) -> Response:
    me = person().person_id
    with reading() as session:
        found, voices = unmasking.find(session, request_id), unmasking.of_request(session, request_id)
        names = names_of(session)
        mine = unmasking.functions_of(session.get_one(Person, me), services().settings.vetting)
    taken = {voice.function for voice in voices}
    spoken = me == found.requested_by or me in {voice.person_id for voice in voices}
    may_decide = person().may(Permission.UNMASKING_DECIDE) and found.state == unmasking.REQUESTED and not spoken
    functions = [(name, *FUNCTIONS[name]) for name in mine if name not in taken] if may_decide else []
    return page(
        "unmasking.html", "Unmasking", back=url_for("console.unmaskings"), form=form, request=found, voices=voices,
        names=names, spoken=SPOKEN, functions=functions, verdicts=VERDICTS,
        may_look=spoken and unmasking.is_shown(found),
    )  # fmt: skip
