"""Collections: what each holds and who may use it; an administrator adds and changes them."""

from __future__ import annotations

from flask import Response, url_for
from sqlalchemy.orm import Session

from hub.auth import Permission, Role
from hub.console import naming
from hub.console.furniture import Form, blueprint, page, person, reading, redirect_to, say, unit_of_work
from hub.errors import NotFound
from hub.ledger import collections as ledger
from hub.ledger import figures
from hub.ledger.records import Collection
from hub.members import sharing
from hub.members.sharing import EVERYBODY, Wanted
from hub.stix.tlp import Tlp
from hub.web.guard import allow
from hub.web.services import services

# Roles that a member's system, or the hub's, holds when it asks for a collection.
ROLES = (Role.READER, Role.CONTRIBUTOR, Role.PRIMARY_CONTACT, Role.REPORTING_PARTNER, Role.ANALYST)
DEFAULTS = [(tlp.label, f"TLP:{tlp.label.upper()}") for tlp in Tlp if tlp != Tlp.RED]


@blueprint.get("/collections")
@allow(Permission.COLLECTIONS_READ)
def collections() -> Response:
    """Every collection."""
    with reading() as session:
        held, names, members = figures.holdings(session), naming.groups(session), naming.members(session).values()
        rows = [
            (
                one,
                held[one.no],
                {
                    action: [sharing.spoken(audience, names, members) for audience in audiences]
                    for action, audiences in sharing.audiences(session, one.no).items()
                },
            )
            for one in ledger.all_collections(session)
        ]
    may_change = person().may(Permission.COLLECTIONS_CHANGE)
    return page("collections.html", "Collections", rows=rows, tlp_of=Tlp, may_change=may_change)


@blueprint.get("/collections/new")
@allow(Permission.COLLECTIONS_CHANGE)
def new_collection() -> Response:
    """The form of a new collection."""
    with reading() as session:
        return _form_page(session, None, Form(default_tlp=Tlp.AMBER.label, read=[EVERYBODY], write=[]))


@blueprint.post("/collections/new")
@allow(Permission.COLLECTIONS_CHANGE)
def add_collection() -> Response:
    """Add a collection, with the objects that everything in it refers to."""
    form = Form()
    alias, wanted, why = form.text("alias", "Enter an alias"), _wanted(form), form.text("why", "Enter the reason")
    if not form.errors:
        with form.catching():
            with unit_of_work() as session:
                added = sharing.add_collection(session, alias, wanted, person().person_id, why)
                services().prepare_collection(session, added.no)
            say(f"The collection {added.alias} is there, with the id {added.id}")
            return redirect_to("console.collections")
    with reading() as session:
        return _form_page(session, None, form)


@blueprint.get("/collections/<collection_id>")
@allow(Permission.COLLECTIONS_CHANGE)
def collection(collection_id: str) -> Response:
    """The form of a change."""
    with reading() as session:
        found = _find(session, collection_id)
        known = sharing.audiences(session, found.no)
        form = Form(
            title=found.title, description=found.description, default_tlp=Tlp(found.default_tlp).label,
            read=known["read"], write=known["write"],
        )  # fmt: skip
        return _form_page(session, found, form)


@blueprint.post("/collections/<collection_id>")
@allow(Permission.COLLECTIONS_CHANGE)
def change_collection(collection_id: str) -> Response:
    """Change a collection; who may read it is another from the next request on."""
    form = Form()
    wanted, why = _wanted(form), form.text("why", "Enter the reason")
    if not form.errors:
        with form.catching():
            with unit_of_work() as session:
                found = _find(session, collection_id)
                sharing.change_collection(session, found, wanted, person().person_id, why)
            say(f"The collection {found.alias} is changed")
            return redirect_to("console.collections")
    with reading() as session:
        return _form_page(session, _find(session, collection_id), form)


def _find(session: Session, collection_id: str) -> Collection:
    found = ledger.by_alias(session, collection_id)
    if found is None:
        raise NotFound("there is no such collection")
    return found


def _wanted(form: Form) -> Wanted:
    label = form.choice("default_tlp", [label for label, _ in DEFAULTS], "Choose a TLP")
    return Wanted(
        title=form.text("title", "Enter a title"),
        description=form.long_text("description"),
        default_tlp=Tlp.parse(label) if "default_tlp" not in form.errors else Tlp.AMBER,
        read=_chosen(form, "read"),
        write=_chosen(form, "write"),
    )


def _chosen(form: Form, action: str) -> frozenset[str]:
    """The audiences that are ticked, and the one member that is added."""
    more = form.text(f"{action}_member")
    return frozenset(form.chosen(action)) | ({f"member:{more}"} if more else frozenset())


def _named(chosen: list[str]) -> list[str]:
    """The single members among audiences."""
    return [one for one in chosen if one.startswith("member:")]


def _form_page(session: Session, found: Collection | None, form: Form) -> Response:
    names, members = naming.groups(session), list(naming.members(session).values())
    known = [EVERYBODY, *(f"role:{role.value}" for role in ROLES), *(f"group:{number}" for number in names)]
    choices = {
        action: [(one, sharing.spoken(one, names, members), "") for one in [*known, *_named(form.chosen(action))]]
        for action in sharing.ACTIONS
    }
    title = f"Collection {found.alias}" if found else "Add a collection"
    return page(
        "collection.html", title, back=url_for("console.collections"), form=form, one=found, choices=choices,
        defaults=DEFAULTS, members=[("", "Nobody more"), *((one.id, one.name) for one in members)],
    )  # fmt: skip
