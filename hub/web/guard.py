"""The door: every view declares who may come in, and nothing is served that declares nothing."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, TypeVar

from flask import Flask, g, request

from hub.auth import CredentialKind, Permission
from hub.errors import Unauthenticated
from hub.web import browser, csrf
from hub.web.identity import Identities
from hub.web.services import services

View = TypeVar("View", bound=Callable[..., Any])


class Door(Enum):
    """What a view asks for that is not a permission."""

    PUBLIC = "public"
    SIGNED_IN = "signed-in"


PUBLIC = Door.PUBLIC
SIGNED_IN = Door.SIGNED_IN
ATTRIBUTE = "hub_allows"


def allow(needed: Permission | Door) -> Callable[[View], View]:
    """Declare what a view needs: a permission, SIGNED_IN (any active credential) or PUBLIC."""

    def declare(view: View) -> View:
        setattr(view, ATTRIBUTE, needed)
        return view

    return declare


def declared(view: Callable[..., Any] | None) -> Permission | Door | None:
    """What a view declared, None where it declared nothing."""
    return getattr(view, ATTRIBUTE, None)


def install(app: Flask, identities: Identities) -> None:
    """Check every request of ``app`` at the door."""

    def check() -> None:
        endpoint = request.endpoint
        if endpoint is None:
            return
        needed = declared(app.view_functions.get(endpoint))
        if needed is None:
            raise RuntimeError(f"the view {endpoint!r} does not say who may use it")
        if browser.is_console(request.path):
            _check_person(needed)
            return
        if needed is PUBLIC:
            return
        parts = services()
        g.head = head = parts.views.head()
        try:
            g.actor = actor = identities.of(request, head)
        except Unauthenticated:
            parts.limits.count_failure(parts.proxies.address_of(request))
            raise
        parts.limits.count_member(actor.member_id)
        if actor.credential is CredentialKind.TOKEN:
            parts.key_uses.note(actor.username, parts.proxies.address_of(request))
        if isinstance(needed, Permission):
            actor.require(needed)

    app.before_request(check)


def _check_person(needed: Permission | Door) -> None:
    """The console's door: a session of a browser, and for every change a form of the console's own."""
    browser.load()
    if needed is not PUBLIC:
        person = browser.person()
        services().limits.count_member(person.member_id or person.person_id)
        if isinstance(needed, Permission):
            person.require(needed)
    csrf.check(request)
