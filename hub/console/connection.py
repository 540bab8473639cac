"""Test my connection: what the hub offers a member, how its systems last asked, and set-up text for them."""

from __future__ import annotations

from flask import Response, url_for

from hub.auth import Actor, CredentialKind, Permission
from hub.console.consumers import CONSUMERS, Place
from hub.console.furniture import blueprint, page, person, reading
from hub.errors import NotFound
from hub.ledger.offered import offered
from hub.members import credentials, keys
from hub.members.records import Member
from hub.stix.tlp import Tlp
from hub.web.guard import allow
from hub.web.services import services


@blueprint.get("/connection")
@allow(Permission.OWN_CONNECTION_READ)
def own_connection() -> Response:
    """Collections, last polls, and where the set-up texts are."""
    parts = services()
    reader = _reader()
    with reading() as session:
        found = offered(session, parts.views, reader, parts.views.head())
        held = keys.of_member(session, reader.member_id)
    discovery = f"{parts.settings.base_url}/taxii2/"
    return page(
        "connection.html", "Test my connection", collections=found, root=f"{discovery}signed/", discovery=discovery,
        clearance=Tlp(reader.clearance).label, consumers=CONSUMERS, key=next((key for key in held if key.holds), None),
    )  # fmt: skip


@blueprint.get("/connection/<consumer>")
@allow(Permission.OWN_CONNECTION_READ)
def set_up(consumer: str) -> Response:
    """What to enter where, for one tool. Raises NotFound for another."""
    if consumer not in CONSUMERS:
        raise NotFound("there is no set-up text for this tool")
    parts, reader = services(), _reader()
    with reading() as session:
        found = [one for one in offered(session, parts.views, reader, parts.views.head()) if one.can_read]
        held = [key for key in keys.of_member(session, reader.member_id) if key.holds]
    chosen = max(found, key=lambda one: one.objects, default=None)
    place = Place(
        base=parts.settings.base_url,
        collection_id=chosen.id if chosen else "COLLECTION-ID",
        collection_title=chosen.title if chosen else "a collection",
        username=held[0].username if held else "USER-NAME",
    )
    one = CONSUMERS[consumer]
    return page("set_up.html", f"Set up {one.name}", back=url_for("console.own_connection"), steps=one.steps(place),
                name=one.name, text=one.text(place), collections=found)  # fmt: skip


def _reader() -> Actor:
    """The member as its credentials would make it."""
    with reading() as session:
        member = session.get_one(Member, person().own_member)
        return credentials.actor_of(session, member, CredentialKind.TOKEN, "console", None)
