"""A person's own account: sessions, password, recovery codes."""

from __future__ import annotations

from flask import Response, url_for

from hub.console.furniture import Form, blueprint, page, person, reading, redirect_to, say, unit_of_work
from hub.errors import InvalidInput
from hub.members import passwords, people, second_factor, sessions, signing_in
from hub.members.people_records import Person
from hub.web import browser
from hub.web.guard import SIGNED_IN, allow
from hub.web.services import services

WRONG = "Enter your present password"


@blueprint.get("/account")
@allow(SIGNED_IN)
def account() -> Response:
    """Who one is here, and where one is signed in."""
    who = person()
    with reading() as session:
        held = sessions.of_person(session, who.person_id, services().settings.console)
        left = second_factor.recovery_codes_left(session, who.person_id)
    return page("account.html", "Your account", who=who, sessions=held, codes_left=left)


@blueprint.post("/account/sessions/<session_id>/end")
@allow(SIGNED_IN)
def end_session(session_id: str) -> Response:
    """End another of one's sessions."""
    with unit_of_work() as session:
        sessions.revoke(session, person().person_id, session_id)
    if session_id == person().session_id:
        return redirect_to("console.sign_in")
    say("The session has been ended")
    return redirect_to("console.account")


@blueprint.get("/account/password")
@allow(SIGNED_IN)
def password() -> Response:
    """Ask for the present and the new password."""
    return page("change_password.html", "Change your password", back=url_for("console.account"))


@blueprint.post("/account/password")
@allow(SIGNED_IN)
def change_password() -> Response:
    """Change the password; every other session ends."""
    form, who = Form(), person()
    present, new = form.secret("present", WRONG), form.secret("password", "Enter a new password")
    if form.secret("again") != new:
        form.refuse("again", "Enter the same new password again")
    if not form.errors:
        with form.catching():
            _confirm(present)
            hashed = passwords.hashed(new, who.email)
            with unit_of_work() as session:
                signing_in.change_password(session, who.person_id, hashed, who.session_id)
            say("Your password has been changed, and your other sessions have ended")
            return redirect_to("console.account")
    return page("change_password.html", "Change your password", form=form, back=url_for("console.account"))


@blueprint.get("/account/recovery-codes")
@allow(SIGNED_IN)
def recovery_codes() -> Response:
    """Ask for the password before new codes are made."""
    return page("new_codes.html", "Make new recovery codes", back=url_for("console.account"))


@blueprint.post("/account/recovery-codes")
@allow(SIGNED_IN)
def make_recovery_codes() -> Response:
    """Make ten new codes and show them once."""
    form, who = Form(), person()
    present = form.secret("present", WRONG)
    if not form.errors:
        with form.catching():
            _confirm(present)
            with unit_of_work() as session:
                codes = signing_in.renew_recovery_codes(session, who.person_id)
            return page("recovery_codes.html", "Keep your recovery codes", codes=codes, first=False)
    return page("new_codes.html", "Make new recovery codes", form=form, back=url_for("console.account"))


def _confirm(present: str) -> None:
    """Raise InvalidInput unless ``present`` is the password. Wrong ones count towards the lock-out."""
    who, visit = person(), browser.visit()
    with reading() as session:
        stored = people.find(session, who.person_id, who.member_id).password_hash
    matched = passwords.matches(stored, present)
    with unit_of_work() as session:
        confirmed = signing_in.confirm(session, session.get_one(Person, who.person_id), matched, visit)
    if not confirmed:
        raise InvalidInput(WRONG, where="present")
