"""A person's own account: sessions, password, recovery codes."""

from __future__ import annotations

from flask import Response, url_for

from hub.console.confirming import WRONG, ask_again, confirm
from hub.console.furniture import Form, blueprint, page, person, reading, redirect_to, say, unit_of_work
from hub.console.passkeys import possible
from hub.errors import Conflict
from hub.members import passkeys, passwords, people, second_factor, sessions, signing_in
from hub.web.guard import SIGNED_IN, allow
from hub.web.services import services

# The first that fits counts: browsers name those that they descend from too.
BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
SYSTEMS = (
    ("Windows", "Windows"), ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"), ("Linux", "Linux"),
)  # fmt: skip


@blueprint.get("/account")
@allow(SIGNED_IN)
def account() -> Response:
    """Who one is here, and where one is signed in."""
    who = person()
    with reading() as session:
        held = sessions.of_person(session, who.person_id, services().settings.console)
        left = second_factor.recovery_codes_left(session, who.person_id)
        keys = passkeys.of_person(session, who.person_id)
        kept = people.find(session, who.person_id, who.member_id)
    return page(
        "account.html", "Your account", who=who, sessions=held, codes_left=left, passkeys=keys,
        has_password=kept.password_hash is not None, has_app=kept.totp_secret is not None,
        passkeys_possible=possible(), browser_of=browser_of,
    )  # fmt: skip


def browser_of(user_agent: str) -> str:
    """A browser's own words as a person would say them: "Firefox on Windows"; what is not known stays as it is."""
    names = [name for sign, name in BROWSERS if sign in user_agent]
    systems = [name for sign, name in SYSTEMS if sign in user_agent]
    return f"{names[0]} on {systems[0]}" if names and systems else user_agent[:80] or "Unknown"


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
    form.secret("present", WRONG)
    new = form.secret("password", "Enter a new password")
    if form.secret("again") != new:
        form.refuse("again", "Enter the same new password again")
    if not form.errors:
        with form.catching():
            if not ask_again():
                raise Conflict("you have no password here: you sign in through your organisation")
            confirm(form)
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
    form.secret("present", WRONG)
    if not form.errors:
        with form.catching():
            confirm(form)
            with unit_of_work() as session:
                codes = signing_in.renew_recovery_codes(session, who.person_id)
            return page("recovery_codes.html", "Keep your recovery codes", codes=codes, first=False)
    return page("new_codes.html", "Make new recovery codes", form=form, back=url_for("console.account"))
