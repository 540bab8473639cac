"""Visibility classes and streams: found by what they mean, made where they are new."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.ledger.records import ClassGroup, ClassRecipient, Stream, VisibilityClass
from hub.stix.tlp import Tlp

GROUPED = frozenset({Tlp.AMBER.label, Tlp.AMBER_STRICT.label})


@dataclass(frozen=True, slots=True)
class Audience:
    """Who an object version is for.

    ``groups`` are sharing group ids and count for AMBER and AMBER+STRICT, ``recipients`` are member ids and
    count for RED; a ``disputed`` version is for nobody until the dispute ends. ``fields`` are the classes of parts
    that not all of these readers may see (see ``fields.py``); ``personal``: only for holders of a grant of personal
    data.
    """

    tlp: Tlp
    groups: frozenset[int] = frozenset()
    recipients: frozenset[str] = frozenset()
    disputed: bool = False
    fields: frozenset[str] = frozenset()
    personal: bool = False

    @property
    def key(self) -> str:
        """A text that is equal exactly for equal audiences; what counts neither for TLP nor fields is left out."""
        groups = ",".join(map(str, sorted(self.groups))) if self.counts_groups else ""
        recipients = ",".join(sorted(self.recipients)) if self.tlp == Tlp.RED else ""
        further = f"|{','.join(sorted(self.fields))}|{int(self.personal)}" if self.fields or self.personal else ""
        return f"{int(self.tlp)}|{groups}|{recipients}|{int(self.disputed)}{further}"

    @property
    def counts_groups(self) -> bool:
        """Whether the object, or a part of it, is for the members of its groups alone."""
        return bool(GROUPED & {self.tlp.label, *self.fields})


def class_id(session: Session, audience: Audience) -> int:
    """The visibility class of ``audience``; call under the append lock."""
    known = session.scalar(select(VisibilityClass.id).where(VisibilityClass.key == audience.key))
    if known is not None:
        return known
    fresh = VisibilityClass(
        key=audience.key, tlp=int(audience.tlp), disputed=int(audience.disputed),
        fields=",".join(sorted(audience.fields)), personal=int(audience.personal),
    )  # fmt: skip
    session.add(fresh)
    session.flush()
    if audience.counts_groups:
        session.add_all(ClassGroup(class_id=fresh.id, group_id=group) for group in sorted(audience.groups))
    if audience.tlp == Tlp.RED:
        session.add_all(ClassRecipient(class_id=fresh.id, member_id=m) for m in sorted(audience.recipients))
    session.flush()
    return fresh.id


def stream_id(session: Session, collection_no: int, audience: Audience, stix_type: str) -> int:
    """The stream of (collection, audience, type); call under the append lock."""
    in_class = class_id(session, audience)
    found = select(Stream.id).where(
        Stream.collection_no == collection_no, Stream.class_id == in_class, Stream.stix_type == stix_type
    )
    known = session.scalar(found)
    if known is not None:
        return known
    fresh = Stream(collection_no=collection_no, class_id=in_class, stix_type=stix_type)
    session.add(fresh)
    session.flush()
    return fresh.id
