"""Passkeys: enrolled and removed on the account page, used to sign in."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from typing import Any

from flask import Response, url_for

from hub.console.confirming import ask_again, confirm
from hub.console.furniture import (
    Form,
    blueprint,
    not_ours,
    page,
    person,
    reading,
    redirect_on,
    redirect_to,
    say,
    unit_of_work,
)
from hub.errors import InvalidInput
from hub.members import passkeys, sessions, signing_in
from hub.members.passkeys import LONGEST_ANSWER, NOT_RIGHT, RelyingParty
from hub.members.people_records import Person
from hub.web import browser, csrf
from hub.web.guard import PUBLIC, SIGNED_IN, allow
from hub.web.services import services

SCRIPT = (files("hub.console") / "static" / "passkeys.js").read_bytes()
VERSION = hashlib.sha256(SCRIPT).hexdigest()[:16]
NEW = "Add a passkey"


@blueprint.get("/static/passkeys.js")
@allow(PUBLIC)
def passkeys_script() -> Response:
    """The script; its address changes with its content."""
    kept = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(SCRIPT, content_type="text/javascript; charset=utf-8", headers=kept)


@blueprint.post("/sign-in/passkey")
@allow(PUBLIC)
def take_passkey() -> Response:
    """Sign in by a passkey: both factors at once."""
    form, parts, visit = Form(), services(), browser.visit()
    answer, binding = form.text("credential", NOT_RIGHT, LONGEST_ANSWER), csrf.token()
    token = None
    with unit_of_work() as session:
        token = signing_in.give_passkey(session, _party(), answer, binding, visit, parts.settings.console)
        if token is not None:
            sessions.end_half(session, browser.token())
    if token is None:
        parts.limits.count_failure(visit.address)
        form.errors.clear()
        form.refuse("", NOT_RIGHT)
        onward = form.values.get("next", "")
        return page("sign_in.html", "Sign in", form=form, onward="" if not_ours(onward) else onward, **offer())
    response = redirect_on(form.values.get("next", ""))
    browser.give(response, token)
    return response


@blueprint.get("/account/passkeys/new")
@allow(SIGNED_IN)
def new_passkey() -> Response:
    """Ask for a name, and the browser for a passkey."""
    return _new(Form())


@blueprint.post("/account/passkeys/new")
@allow(SIGNED_IN)
def keep_passkey() -> Response:
    """Keep the passkey that the browser has made."""
    form, binding = Form(), csrf.token()
    name = form.text("name", "Enter a name for the passkey")
    answer = form.text("credential", "", LONGEST_ANSWER)
    done = False
    if not form.errors:
        with form.catching():
            confirm(form)
            with unit_of_work() as session:
                passkeys.enrol(session, _party(), _who(session), name, answer, binding)
            done = True
    if not done:
        return _new(form)
    say("The passkey is added: you can sign in with it")
    return redirect_to("console.account")


@blueprint.post("/account/passkeys/<passkey_id>/remove")
@allow(SIGNED_IN)
def remove_passkey(passkey_id: str) -> Response:
    """Remove a passkey; the authenticator still has its half, which is good for nothing then."""
    with unit_of_work() as session:
        name = passkeys.remove(session, person().person_id, passkey_id)
    say(f"The passkey {name} has been removed")
    return redirect_to("console.account")


def offer(held_by: str = "") -> dict[str, Any]:
    """What a page needs to offer signing in by a passkey: any of this hub, or one that a person holds.

    "" where the hub has no host name, or the person no passkey.
    """
    party = passkeys.relying_party(services().settings, services().vault)
    found = []
    if held_by:
        with reading() as session:
            found = passkeys.of_person(session, held_by)
    if party is None or (held_by and not found):
        return {"passkey_options": "", "passkey_script": ""}
    return _scripted(passkeys.options_to_sign_in(party, csrf.token(), found))


def possible() -> bool:
    """Whether this hub can have passkeys at all."""
    return passkeys.relying_party(services().settings, services().vault) is not None


def _new(form: Form) -> Response:
    party = _party()
    with reading() as session:
        who = _who(session)
        options = passkeys.options_to_enrol(party, who, passkeys.of_person(session, who.id), csrf.token())
    back = url_for("console.account")
    return page("new_passkey.html", NEW, form=form, back=back, ask_again=ask_again(), **_scripted(options))


def _scripted(options: str) -> dict[str, Any]:
    browser.allow_script()
    return {"passkey_options": options, "passkey_script": url_for("console.passkeys_script", v=VERSION)}


def _party() -> RelyingParty:
    party = passkeys.relying_party(services().settings, services().vault)
    if party is None:
        raise InvalidInput("passkeys need a hub with a host name", advice="base_url is a bare address.")
    return party


def _who(session: Any) -> Person:
    found: Person = session.get_one(Person, person().person_id)
    return found
