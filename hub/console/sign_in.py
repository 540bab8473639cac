"""Signing in and out."""

from __future__ import annotations

from flask import Response, request, url_for

from hub.auth import SignedIn
from hub.console.furniture import (
    Form,
    blueprint,
    not_ours,
    page,
    post,
    reading,
    redirect_on,
    redirect_to,
    signed_in,
    unit_of_work,
)
from hub.console.passkeys import offer
from hub.errors import Conflict
from hub.members import invitations, passwords, people, sessions, signing_in
from hub.web import browser
from hub.web.guard import PUBLIC, SIGNED_IN, allow
from hub.web.services import services

NOT_RIGHT = "Enter a correct e-mail address and password. After several wrong ones, wait before you try again"
CODE_NOT_RIGHT = "Enter the newest code of your app, or an unused recovery code. After several wrong ones, wait"


@blueprint.get("/sign-in")
@allow(PUBLIC)
def sign_in() -> Response:
    """Ask for e-mail address and password."""
    if signed_in() is not None:
        return redirect_to("console.home")
    return page("sign_in.html", "Sign in", onward=_onward(), **offer())


@blueprint.post("/sign-in")
@allow(PUBLIC)
def take_password() -> Response:
    """Compare the password, then go on to the second factor."""
    form = Form()
    email, password = form.text("email", "Enter your e-mail address"), form.secret("password", "Enter your password")
    if form.errors:
        return page("sign_in.html", "Sign in", form=form, onward=_onward(), **offer())
    parts, visit = services(), browser.visit()
    with reading() as session:
        stored = signing_in.stored_password(session, email)
    matched = passwords.matches(stored, password)  # outside any transaction: it takes its time on purpose
    with unit_of_work() as session:
        token = signing_in.give_password(session, email, matched, visit, parts.settings.console)
    if token is None:
        parts.limits.count_failure(visit.address)
        form.refuse("email", NOT_RIGHT)
        return page("sign_in.html", "Sign in", form=form, onward=_onward(), **offer())
    response = redirect_to("console.second_factor", **({"next": _onward()} if _onward() else {}))
    browser.give(response, token)
    return response


@blueprint.get("/sign-in/code")
@allow(PUBLIC)
def second_factor() -> Response:
    """Ask for the second factor, or lead to its set-up."""
    asked = browser.half_signed_in()
    with reading() as session:
        person = people.find(session, asked.person_id, asked.member_id)
        if signing_in.may_enrol(session, browser.token(), person):
            return redirect_to("console.enrol")
    if person.totp_secret is None and not offer(asked.person_id)["passkey_options"]:
        raise Conflict(
            "your organisation has not asked you for a second factor, and there is none of yours here",
            advice="Sign in at your organisation with your second factor, or ask the hub for a new invitation.",
        )
    return _ask_for_code(asked, Form())


@blueprint.post("/sign-in/code")
@allow(PUBLIC)
def take_code() -> Response:
    """Check the second factor and finish the sign-in."""
    asked, parts, visit, form = browser.half_signed_in(), services(), browser.visit(), Form()
    code = form.text("code", "Enter the code")
    if not form.errors:
        with unit_of_work() as session:
            token = signing_in.give_code(
                session, parts.vault, browser.token(), asked.person_id, code, visit, parts.settings.console
            )
        if token is not None:
            response = redirect_on(_onward())
            browser.give(response, token)
            return response
        parts.limits.count_failure(visit.address)
        form.refuse("code", CODE_NOT_RIGHT)
    return _ask_for_code(asked, form)


@blueprint.post("/sign-out")
@allow(SIGNED_IN)
def sign_out() -> Response:
    """End the session."""
    with unit_of_work() as session:
        sessions.end(session, browser.token())
    response = redirect_to("console.signed_out")
    browser.take(response)
    return response


@blueprint.get("/signed-out")
@allow(PUBLIC)
def signed_out() -> Response:
    """Say that the session has ended."""
    return page("signed_out.html", "You have signed out")


@blueprint.get("/forgotten")
@allow(PUBLIC)
def forgotten() -> Response:
    """Ask where to send a link to."""
    return page("forgotten.html", "Choose a new password", back=url_for("console.sign_in"))


@blueprint.post("/forgotten")
@allow(PUBLIC)
def send_link() -> Response:
    """Send a link, if there is somebody to send it to; the answer is the same."""
    form = Form()
    email = form.text("email", "Enter your e-mail address")
    if form.errors:
        return page("forgotten.html", "Choose a new password", form=form, back=url_for("console.sign_in"))
    services().limits.count_failure(browser.visit().address)
    with unit_of_work() as session:
        invitations.send_reset(session, post(), email)
    return page("link_sent.html", "Check your e-mail")


def _onward() -> str:
    """Where the visitor wanted to go: a page of the console, or nothing."""
    wanted = request.values.get("next", "")
    return "" if not_ours(wanted) else wanted


def _ask_for_code(asked: SignedIn, form: Form) -> Response:
    """The page of the second factor, with the person's passkeys where they have some."""
    return page(
        "code.html", "Enter your code", form=form, onward=_onward(), back=url_for("console.sign_in"),
        **offer(asked.person_id),
    )  # fmt: skip
