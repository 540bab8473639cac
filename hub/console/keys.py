"""A member's API keys, and the client certificates that stand for one."""

from __future__ import annotations

from flask import Response, url_for

from hub import clock
from hub.auth import Permission
from hub.console.furniture import Form, blueprint, page, person, reading, redirect_to, say, unit_of_work
from hub.members import bounds, certificates, keys
from hub.members.bounds import Bounds
from hub.members.credentials import stored_bounds
from hub.members.records import Member
from hub.web.guard import allow
from hub.web.services import services

LIFETIMES = {"7": "7 days", "30": "30 days", "90": "90 days", "180": "180 days", "365": "1 year", "": "No end"}
SCOPES = {
    "taxii:objects:read": "Pull objects by TAXII",
    "taxii:objects:write": "Add and delete objects by TAXII",
    "api:reports:submit": "Submit and withdraw reports",
    "api:submissions:read": "See what became of submissions",
    "api:checks:search": "Search the checks",
    "api:precheck:use": "Check a payment before it is made",
    "api:filings:submit": "File and withdraw cases of fraud",
    "api:filings:read": "See your own filings",
    "api:notices:read": "Read notices of correction",
}


@blueprint.get("/keys")
@allow(Permission.OWN_KEYS_READ)
def own_keys() -> Response:
    """Every key, the newest first."""
    with reading() as session:
        found = keys.of_member(session, person().own_member)
        shown = [(one, stored_bounds(one)) for one in certificates.of_member(session, person().own_member)]
    may_change = person().may(Permission.OWN_KEYS_CHANGE)
    return page(
        "keys.html",
        "API keys",
        keys=found,
        certificates=shown,
        now=clock.micros(),
        may_change=may_change,
        spoken=spoken,
    )


@blueprint.get("/keys/new")
@allow(Permission.OWN_KEYS_CHANGE)
def new_key(form: Form | None = None) -> Response:
    """Ask what the key is for, what it may do, from where and for how long."""
    shown = form or Form(days="365")
    with reading() as session:
        possible = bounds.available(session.get_one(Member, person().own_member).roles)
    scopes = [(scope, SCOPES.get(scope, scope), scope) for scope in possible]
    return page(
        "new_key.html",
        "Make an API key",
        back=url_for("console.own_keys"),
        form=shown,
        lifetimes=LIFETIMES,
        scopes=scopes,
    )


@blueprint.post("/keys/new")
@allow(Permission.OWN_KEYS_CHANGE)
def make_key() -> Response:
    """Make a key and show it, once."""
    form, who = Form(), person()
    label = form.text("label", "Enter what the key is for")
    days = form.choice("days", LIFETIMES, "Select how long the key holds")
    networks = [line for line in form.long_text("networks").replace(",", "\n").splitlines() if line.strip()]
    scopes = form.chosen("scopes")
    form.values.setdefault("scopes", "")  # so that an error of it is shown at the field
    if not form.errors:
        with form.catching():
            with unit_of_work() as session:
                made = keys.issue(
                    session, who.own_member, who.person_id, label, int(days) if days else None,
                    scopes, networks,
                )  # fmt: skip
            return _show(made, label)
    return new_key(form)


@blueprint.get("/keys/<username>")
@allow(Permission.OWN_KEYS_READ)
def own_key(username: str) -> Response:
    """One key, and what can be done with it."""
    with reading() as session:
        found = keys.find(session, person().own_member, username)
    return page(
        "key.html", found.label or found.username, back=url_for("console.own_keys"), key=found,
        may_change=person().may(Permission.OWN_KEYS_CHANGE), spoken=spoken,
        overlap=services().settings.console.key_overlap_days,
    )  # fmt: skip


@blueprint.post("/keys/<username>/rotate")
@allow(Permission.OWN_KEYS_CHANGE)
def rotate_key(username: str) -> Response:
    """Make the key's successor; both hold for some days."""
    who, overlap = person(), services().settings.console.key_overlap_days
    with unit_of_work() as session:
        made = keys.rotate(session, who.own_member, who.person_id, username, overlap)
    return _show(made, f"the successor of {username}")


@blueprint.post("/keys/<username>/revoke")
@allow(Permission.OWN_KEYS_CHANGE)
def revoke_key(username: str) -> Response:
    """End a key at once."""
    who = person()
    with unit_of_work() as session:
        keys.revoke(session, who.own_member, who.person_id, username, Form().text("why"))
    say(f"The key {username} has ended")
    return redirect_to("console.own_keys")


@blueprint.post("/keys/certificates/<fingerprint>/revoke")
@allow(Permission.OWN_KEYS_CHANGE)
def revoke_certificate(fingerprint: str) -> Response:
    """End what a certificate stands for, at once."""
    who = person()
    with unit_of_work() as session:
        certificates.end(session, who.own_member, who.person_id, fingerprint)
    say("The certificate stands for your organisation no longer")
    return redirect_to("console.own_keys")


def spoken(found: Bounds) -> str:
    """The bounds of a key in words."""
    may = "Everything your organisation may" if found.scopes is None else ", ".join(found.scopes)
    return may if found.networks is None else f"{may}; only from {', '.join(found.networks)}"


def _show(made: tuple[str, str], label: str) -> Response:
    username, token = made
    base = services().settings.base_url
    return page("key_made.html", "Your new API key", username=username, token=token, label=label, base=base)
