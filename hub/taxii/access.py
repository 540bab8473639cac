"""The collection that a request names, as far as the actor may use it; the same for both versions of TAXII."""

from __future__ import annotations

from hub.auth import Permission
from hub.errors import NotPermitted
from hub.ledger.collections import CollectionView
from hub.web import actor, head, services


def found(id_or_alias: str) -> CollectionView:
    """The collection. Raises NotFound where there is none or the actor may not know of it."""
    return services().views.of(actor(), head()).collection(id_or_alias)


def readable(id_or_alias: str) -> CollectionView:
    """The collection, to read. Raises NotFound, or NotPermitted where the actor may only write to it."""
    collection = found(id_or_alias)
    if not collection.can_read:
        raise NotPermitted("you may write to this collection, not read it")
    return collection


def writable(id_or_alias: str) -> CollectionView:
    """The collection, to write to. Raises NotFound, or NotPermitted where the actor may only read it."""
    collection = found(id_or_alias)
    actor().require(Permission.TAXII_WRITE)
    if not collection.can_write:
        raise NotPermitted("you may read this collection, not write to it")
    return collection
