"""Collections: what stands in config/collections.toml, what operators add, who may read and write them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from hub.auth import Actor, Permission
from hub.errors import Conflict, InvalidInput
from hub.ledger.records import Collection, CollectionAudience
from hub.ledger.visibility import collection_allows
from hub.stix.tlp import Tlp


@dataclass(frozen=True, slots=True)
class CollectionView:
    """A collection as one actor sees it."""

    no: int
    id: str
    alias: str
    title: str
    description: str
    default_tlp: Tlp
    can_read: bool
    can_write: bool


def add(
    session: Session,
    alias: str,
    title: str,
    *,
    description: str = "",
    read: Iterable[str] = (),
    write: Iterable[str] = (),
    default_tlp: Tlp = Tlp.AMBER,
) -> Collection:
    """A new collection. Raises Conflict where the alias is taken, InvalidInput where it is no plain word."""
    if not alias or not all(c.isascii() and (c.isalnum() or c in "-_") for c in alias) or len(alias) > 60:
        raise InvalidInput("an alias is 1 to 60 letters, digits, '-' or '_'", where="alias")
    if by_alias(session, alias) is not None:
        raise Conflict(f"a collection with the alias {alias!r} exists already", where="alias")
    collection = Collection(
        id=str(uuid.uuid4()), alias=alias, title=title, description=description, default_tlp=int(default_tlp)
    )
    session.add(collection)
    session.flush()
    for action, audiences in (("read", read), ("write", write)):
        session.add_all(
            CollectionAudience(collection_no=collection.no, action=action, audience=audience)
            for audience in sorted(set(audiences))
        )
    session.flush()
    return collection


def by_alias(session: Session, alias: str) -> Collection | None:
    """The collection with this alias or id, for the hub's own use; members go through a View."""
    return session.scalar(select(Collection).where(or_(Collection.alias == alias, Collection.id == alias)))


def all_collections(session: Session) -> list[Collection]:
    """Every collection, for operators."""
    return list(session.scalars(select(Collection).order_by(Collection.no)))


def readable_by_all_of(session: Session, collection_no: int, other_no: int) -> bool:
    """Whether the collection may be read by everybody who may read the other one."""
    numbers = {collection_no, other_no}
    found = session.execute(
        select(CollectionAudience.collection_no, CollectionAudience.audience).where(
            CollectionAudience.collection_no.in_(numbers), CollectionAudience.action == "read"
        )
    )
    readers: dict[int, set[str]] = {number: set() for number in numbers}
    for no, audience in found:
        readers[no].add(audience)
    return "members" in readers[collection_no] or readers[collection_no] >= readers[other_no]


def visible_to(session: Session, actor: Actor) -> list[CollectionView]:
    """The collections that the actor may read or write, sorted by id."""
    rows = session.execute(
        select(
            Collection,
            collection_allows(actor, "read").label("can_read"),
            collection_allows(actor, "write").label("can_write"),
        ).order_by(Collection.id)
    )
    views = [_view(actor, row.Collection, bool(row.can_read), bool(row.can_write)) for row in rows]
    return [view for view in views if view.can_read or view.can_write]


def _view(actor: Actor, collection: Collection, readable: bool, writable: bool) -> CollectionView:
    return CollectionView(
        no=collection.no,
        id=collection.id,
        alias=collection.alias,
        title=collection.title,
        description=collection.description,
        default_tlp=Tlp(collection.default_tlp),
        can_read=readable and Permission.TAXII_READ in actor.permissions,
        can_write=writable and Permission.TAXII_WRITE in actor.permissions,
    )
