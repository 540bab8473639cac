"""The one visibility rule, as a SQL condition.

    visible(object version, member) = collection readable ∧ TLP ≤ clearance
        ∧ (CLEAR, GREEN: any active member · AMBER, AMBER+STRICT: member is in one of the object's sharing
           groups · RED: member is a named recipient)
        ∧ not disputed

It is asked of streams, not of entries: every entry of a stream has the same answer. TAXII, exports, the API
and the console all come through here.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select

from hub.auth import Actor
from hub.ledger.records import (
    ClassGroup,
    ClassRecipient,
    Collection,
    CollectionAudience,
    Stream,
    VisibilityClass,
)
from hub.stix.tlp import Tlp


def audiences_of(actor: Actor) -> list[str]:
    """The audiences (of CollectionAudience) that the actor belongs to."""
    roles = [f"role:{role.value}" for role in sorted(actor.roles)]
    groups = [f"group:{group}" for group in sorted(actor.groups)]
    return ["members", f"member:{actor.member_id}", *roles, *groups]


def collection_allows(actor: Actor, action: str) -> ColumnElement[bool]:
    """The collection's audience for ``action`` ("read" or "write") includes the actor."""
    return exists().where(
        CollectionAudience.collection_no == Collection.no,
        CollectionAudience.action == action,
        CollectionAudience.audience.in_(audiences_of(actor)),
    )


def class_visible(actor: Actor) -> ColumnElement[bool]:
    """The visibility class is one that the actor may see."""
    shares_group = exists().where(
        ClassGroup.class_id == VisibilityClass.id, ClassGroup.group_id.in_(sorted(actor.groups))
    )
    is_recipient = exists().where(
        ClassRecipient.class_id == VisibilityClass.id, ClassRecipient.member_id == actor.member_id
    )
    return and_(
        VisibilityClass.disputed == 0,
        VisibilityClass.tlp <= int(actor.clearance),
        or_(
            VisibilityClass.tlp.in_([int(Tlp.CLEAR), int(Tlp.GREEN)]),
            and_(VisibilityClass.tlp.in_([int(Tlp.AMBER), int(Tlp.AMBER_STRICT)]), shares_group),
            and_(VisibilityClass.tlp == int(Tlp.RED), is_recipient),
        ),
    )


def visible_streams(actor: Actor) -> Select[int, int, str]:
    """(stream id, collection no, STIX type) of every stream the actor may read."""
    return (
        select(Stream.id, Stream.collection_no, Stream.stix_type)
        .join(VisibilityClass, VisibilityClass.id == Stream.class_id)
        .join(Collection, Collection.no == Stream.collection_no)
        .where(collection_allows(actor, "read"), class_visible(actor))
        .order_by(Stream.id)
    )
