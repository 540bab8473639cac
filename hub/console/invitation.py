"""One-time links: choose a password; then the second factor's set-up."""

from __future__ import annotations

from flask import Response

from hub.auth import SignedIn
from hub.console.furniture import Form, blueprint, page, reading, redirect_to, unit_of_work
from hub.console.qr import data_address
from hub.errors import InvalidInput
from hub.members import invitations, passwords, people, second_factor, sessions, signing_in
from hub.web import browser
from hub.web.guard import PUBLIC, allow
from hub.web.services import services

SECRET_FIELD = "sealed"  # noqa: S105 (the name of a field, not a secret)


@blueprint.get("/link/<token>")
@allow(PUBLIC)
def link(token: str) -> Response:
    """Ask for a password. Looking uses nothing up: mail filters open links before people do."""
    with reading() as session:
        found, person = invitations.look_up(session, token)
    return page("choose_password.html", "Choose a password", email=person.email, purpose=found.purpose)


@blueprint.post("/link/<token>")
@allow(PUBLIC)
def choose_password(token: str) -> Response:
    """Set the password and begin a session that still needs the second factor."""
    form, parts = Form(), services()
    with reading() as session:
        found, person = invitations.look_up(session, token)
    password = form.secret("password", "Enter a password")
    if form.secret("again") != password:
        form.refuse("again", "Enter the same password again")
    if not form.errors:
        with form.catching():
            hashed = passwords.hashed(password, person.email)
            with unit_of_work() as session:
                person = invitations.use(session, token, hashed)
                fresh = sessions.begin(session, person, browser.visit(), parts.settings.console)
            response = redirect_to("console.second_factor")
            browser.give(response, fresh)
            return response
    return page("choose_password.html", "Choose a password", form=form, email=person.email, purpose=found.purpose)


@blueprint.get("/enrol")
@allow(PUBLIC)
def enrol() -> Response:
    """Show a secret for the authenticator app. It is kept by the form, sealed, until a code of it comes back."""
    asked = browser.half_signed_in()
    if not _may_enrol(asked):
        return redirect_to("console.second_factor")
    return _show(asked.person_id, asked.email, second_factor.new_secret(), Form())


@blueprint.post("/enrol")
@allow(PUBLIC)
def take_enrolment() -> Response:
    """Check the first code and finish."""
    asked, parts, form = browser.half_signed_in(), services(), Form()
    if not _may_enrol(asked):
        return redirect_to("console.second_factor")
    secret = _opened(asked.person_id, form.secret(SECRET_FIELD))
    code = form.text("code", "Enter the code that your app shows")
    if not form.errors:
        with form.catching():
            with unit_of_work() as session:
                token, codes = signing_in.enrol(
                    session, parts.vault, browser.token(), asked.person_id, secret, code, browser.visit(),
                    parts.settings.console,
                )  # fmt: skip
            response = page("recovery_codes.html", "Keep your recovery codes", codes=codes, first=True)
            browser.give(response, token)
            return response
    return _show(asked.person_id, asked.email, secret, form)


def _may_enrol(asked: SignedIn) -> bool:
    with reading() as session:
        person = people.find(session, asked.person_id, asked.member_id)
        return signing_in.may_enrol(session, browser.token(), person)


def _show(person_id: str, email: str, secret: str, form: Form) -> Response:
    parts = services()
    sealed = second_factor.seal(parts.vault, person_id, secret).hex()
    address = second_factor.address(secret, email, parts.settings.identity.name)
    grouped = " ".join(secret[place : place + 4] for place in range(0, len(secret), 4))
    return page("enrol.html", "Set up your authenticator app", form=form, qr=data_address(address), sealed=sealed,
                secret=grouped)  # fmt: skip


def _opened(person_id: str, sealed: str) -> str:
    """The secret that this page gave to this person. Raises InvalidInput, IntegrityFailure for another."""
    try:
        raw = bytes.fromhex(sealed)
    except ValueError:
        raise InvalidInput("this form is damaged", advice="Load the page again.") from None
    return second_factor.unsealed(services().vault, person_id, raw)
