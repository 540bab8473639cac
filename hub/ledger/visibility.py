"""The one visibility rule, as a SQL condition.

    visible(object version, member) = collection readable ∧ TLP ≤ clearance
        ∧ (CLEAR, GREEN: any active member · AMBER, AMBER+STRICT: member is in one of the object's sharing
           groups · RED: member is a named recipient)
        ∧ not disputed ∧ (not marked as personal data, or the member holds a grant of personal data)

It is asked of streams, not of entries: every entry of a stream has the same answer. TAXII, exports, the API
and the console all come through here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, literal, or_, select

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


def class_parts(actor: Actor) -> dict[str, ColumnElement[bool]]:
    """What the rule asks of a visibility class, part by part; all of them must hold."""
    shares_group = _shares_group(actor)
    is_recipient = exists().where(
        ClassRecipient.class_id == VisibilityClass.id, ClassRecipient.member_id == actor.member_id
    )
    return {
        "undisputed": VisibilityClass.disputed == 0,
        "a grant of personal data": or_(VisibilityClass.personal == 0, literal(actor.personal_data)),
        "clearance": VisibilityClass.tlp <= int(actor.clearance),
        "addressed": or_(
            VisibilityClass.tlp.in_([int(Tlp.CLEAR), int(Tlp.GREEN)]),
            and_(VisibilityClass.tlp.in_([int(Tlp.AMBER), int(Tlp.AMBER_STRICT)]), shares_group),
            and_(VisibilityClass.tlp == int(Tlp.RED), is_recipient),
        ),
    }


def class_visible(actor: Actor) -> ColumnElement[bool]:
    """The visibility class is one that the actor may see."""
    return and_(*class_parts(actor).values())


def _shares_group(actor: Actor) -> ColumnElement[bool]:
    """The actor is in one of the groups of the visibility class."""
    return exists().where(ClassGroup.class_id == VisibilityClass.id, ClassGroup.group_id.in_(sorted(actor.groups)))


def visible_streams(actor: Actor) -> Select[*tuple[Any, ...]]:
    """Every stream the actor may read: (stream id, collection no, STIX type, fields, shares a group of its class)."""
    return (
        select(
            Stream.id,
            Stream.collection_no,
            Stream.stix_type,
            VisibilityClass.fields,
            _shares_group(actor).label("shares_group"),
        )
        .join(VisibilityClass, VisibilityClass.id == Stream.class_id)
        .join(Collection, Collection.no == Stream.collection_no)
        .where(collection_allows(actor, "read"), class_visible(actor))
        .order_by(Stream.id)
    )


def judged_streams(actor: Actor, streams: Sequence[int]) -> Select[*tuple[Any, ...]]:
    """For each of ``streams`` its id, whether the actor reads it (by ``visible_streams``), and how each part stands.

    The columns after ``id`` and ``visible`` are ``collection`` and the names of ``class_parts``.
    """
    seen = visible_streams(actor).order_by(None).subquery()
    parts = {"collection": collection_allows(actor, "read"), **class_parts(actor)}
    return (
        select(
            Stream.id,
            Stream.id.in_(select(seen.c.id)).label("visible"),
            *(condition.label(name) for name, condition in parts.items()),
        )
        .join(VisibilityClass, VisibilityClass.id == Stream.class_id)
        .join(Collection, Collection.no == Stream.collection_no)
        .where(Stream.id.in_(streams))
    )
