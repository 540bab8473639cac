"""An organisation's own sign-in, as the hub's administrators set it: its provider, shown without the secret."""

from __future__ import annotations

from flask import Response, url_for

from hub.auth import Permission
from hub.console.confirming import ask_again, confirm
from hub.console.furniture import Form, blueprint, page, person, post, reading, redirect_to, say, unit_of_work
from hub.members import membership, providers
from hub.members.providers import Configuration
from hub.members.sign_in_records import SignInProvider
from hub.web.guard import allow
from hub.web.services import services

LISTS = ("domains", "amr", "acr")


@blueprint.get("/members/<member_id>/sign-in")
@allow(Permission.SIGN_IN_CHANGE)
def provider(member_id: str) -> Response:
    """The member's provider, and the form that sets it."""
    return _shown(member_id)


@blueprint.post("/members/<member_id>/sign-in")
@allow(Permission.SIGN_IN_CHANGE)
def change_provider(member_id: str) -> Response:
    """Set the member's provider, in place of an earlier one, or remove it; its primary contacts are told."""
    form = Form()
    removes = form.choice("step", ["set", "remove"], "Choose to set or to remove it") == "remove"
    given, why = None if removes else _given(form), form.text("why", "Enter the reason")
    if not form.errors:
        with form.catching():
            confirm(form)
            _change(member_id, given, why)
            say(f"The provider is {'removed' if removes else 'set'}, and the primary contacts are told")
            return redirect_to("console.member" if removes else "console.provider", member_id=member_id)
    return _shown(member_id, form)


def _given(form: Form) -> Configuration:
    return Configuration(
        form.text("issuer", "Enter the issuer"),
        form.text("client_id", "Enter the client id"),
        form.secret("client_secret", "Enter the client secret").strip(),
        **{name: tuple(form.long_text(name).split()) for name in LISTS},
    )


def _change(member_id: str, given: Configuration | None, why: str) -> None:
    by = person().person_id
    with unit_of_work() as session:
        found = membership.by_id(session, member_id)
        if given is None:
            providers.remove(session, found.id, by, why)
        else:
            providers.configure(session, services().vault, found.id, given, by, why)
        way = "by password, code and passkey" if given is None else f"through {given.issuer}"
        providers.tell_contacts(session, post(), found.id, way)


def _shown(member_id: str, form: Form | None = None) -> Response:
    base = services().settings.base_url
    with reading() as session:
        found = membership.by_id(session, member_id)
        kept = providers.of_member(session, found.id)
        form = form or _begun(kept)
        return page(
            "provider.html", "Sign-in through its own provider", back=url_for("console.member", member_id=member_id),
            form=form, member=found, kept=kept, ask_again=ask_again(), redirect_uri=base + providers.RETURN_PATH,
            address=base + kept.path if kept is not None else "",
        )  # fmt: skip


def _begun(kept: SignInProvider | None) -> Form:
    """The form with what is set; the secret is never shown."""
    if kept is None:
        return Form()
    lists = {name: "\n".join(getattr(kept, name)) for name in LISTS}
    return Form(issuer=kept.issuer, client_id=kept.client_id, **lists)
