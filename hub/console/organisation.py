"""Signing in through one's own organisation (OpenID Connect).

The address to begin at belongs to one organisation and is random; people have it from their invitation. A page that
found it by an e-mail address would tell everybody which organisations are members.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import asdict

import orjson
from flask import Response, redirect, request, url_for

from hub.console.furniture import Form, blueprint, not_ours, page, post, reading, redirect_on, redirect_to, unit_of_work
from hub.console.passkeys import offer
from hub.errors import IntegrityFailure, InvalidInput
from hub.members import oidc, providers, sessions, signing_in, spent
from hub.members.oidc import Flow
from hub.web import browser, csrf
from hub.web.guard import PUBLIC, allow
from hub.web.services import services

TITLE = "Sign in through your organisation"
COOKIE_SECONDS = 600
LONGEST_COOKIE = 4000
CONTEXT = "sign-in-flow"


@blueprint.get("/sign-in/organisation")
@allow(PUBLIC)
def organisation() -> Response:
    """Ask where to send the address of one's organisation's sign-in."""
    return page("organisation.html", TITLE, back=url_for("console.sign_in"))


@blueprint.post("/sign-in/organisation")
@allow(PUBLIC)
def send_organisation() -> Response:
    """Send it, if there is somebody to send it to; the answer is the same."""
    form = Form()
    email = form.text("email", "Enter your e-mail address")
    if form.errors:
        return page("organisation.html", TITLE, form=form, back=url_for("console.sign_in"))
    services().limits.count_failure(browser.visit().address)
    with unit_of_work() as session:
        providers.send_address(session, post(), email)
    return page("address_sent.html", "Check your e-mail")


@blueprint.get("/sign-in/organisation/<provider_id>")
@allow(PUBLIC)
def to_organisation(provider_id: str) -> Response:
    """Send the browser to the organisation's provider."""
    parts = services()
    with reading() as session:
        provider = providers.find(session, provider_id)
    parts.limits.count_failure(browser.visit().address)  # each one makes the hub ask the provider
    client = providers.client_of(parts.vault, provider, parts.settings.base_url)
    onward = request.args.get("next", "")
    address, flow = oidc.begin(client, provider.id, "" if not_ours(onward) else onward)
    response = redirect(address, 303)
    assert isinstance(response, Response)
    sealed = parts.vault.seal(orjson.dumps(asdict(flow)), CONTEXT)
    response.set_cookie(
        _cookie_name(), urlsafe_b64encode(sealed).decode(), max_age=COOKIE_SECONDS, path=csrf.cookie_path(),
        secure=csrf.is_https(), httponly=True, samesite="Lax",
    )  # fmt: skip
    return response


@blueprint.get("/sign-in/organisation/return")
@allow(PUBLIC)
def from_organisation() -> Response:
    """Take what the provider says of who has come back."""
    parts, visit, begun = services(), browser.visit(), None
    try:
        flow = _flow()
        with unit_of_work() as session:
            if not spent.spend(session, flow.state.encode(), flow.expires_at):
                raise InvalidInput(oidc.NOT_RIGHT, where="the answer was sent twice")
            provider = providers.find(session, flow.provider_id)
        client = providers.client_of(parts.vault, provider, parts.settings.base_url)
        identity = oidc.finish(client, flow, request.args)  # outside any transaction: it asks the provider
        with unit_of_work() as session:
            begun = signing_in.give_identity(session, provider, identity, visit, parts.settings.console)
    except InvalidInput as error:
        with unit_of_work() as session:
            signing_in.note_refusal(session, f"organisation: {error.where}", visit)
    if begun is None:
        parts.limits.count_failure(visit.address)
        return _refused()
    token, whole = begun
    if whole:
        response = redirect_on(flow.onward)
    else:
        response = redirect_to("console.second_factor", **({"next": flow.onward} if flow.onward else {}))
    with unit_of_work() as session:
        sessions.end_half(session, browser.token())
    browser.give(response, token)
    return _without_cookie(response)


def _flow() -> Flow:
    """What this browser took along. Raises InvalidInput where it has nothing, or not from here."""
    held = request.cookies.get(_cookie_name(), "")
    if not held or len(held) > LONGEST_COOKIE:
        raise InvalidInput(oidc.NOT_RIGHT, where="the browser has not begun here")
    try:
        opened = services().vault.open(urlsafe_b64decode(held), CONTEXT)
    except (IntegrityFailure, ValueError):
        raise InvalidInput(oidc.NOT_RIGHT, where="the browser has not begun here") from None
    return Flow(**orjson.loads(opened))


def _refused() -> Response:
    form = Form()
    form.refuse("", oidc.NOT_RIGHT)
    return _without_cookie(page("sign_in.html", "Sign in", form=form, onward="", **offer()))


def _without_cookie(response: Response) -> Response:
    response.delete_cookie(
        _cookie_name(), path=csrf.cookie_path(), secure=csrf.is_https(), httponly=True, samesite="Lax"
    )
    return response


def _cookie_name() -> str:
    return "__Host-hub-organisation" if csrf.is_https() else "hub-organisation"
