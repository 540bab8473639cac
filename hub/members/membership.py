"""Members and sharing groups, as operators keep them with the ``hub`` command."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from hub import clock
from hub.audit import record
from hub.auth import Role
from hub.errors import Conflict, InvalidInput, NotFound
from hub.members import corporate
from hub.members.records import Member, MemberGroup, SharingGroup
from hub.stix.ids import hub_id
from hub.stix.tlp import Tlp

OPERATOR = "operator"


class MemberKind(StrEnum):
    """What kind of organisation a member is; the value names its sector where it stays anonymous."""

    BANK = "bank"
    PAYMENTS = "payments"
    TELCO = "telco"
    INSURER = "insurer"
    LAW_ENFORCEMENT = "law-enforcement"
    REPORT_FRAUD = "report-fraud"
    GOVERNMENT = "government"
    CERT = "cert"
    FEED = "feed"
    VENDOR = "vendor"
    HUB = "hub"


def add_group(session: Session, name: str) -> SharingGroup:
    """A new sharing group. Raises Conflict where the name is taken."""
    if not name.strip() or len(name) > 100:
        raise InvalidInput("a group's name has 1 to 100 characters", where="name")
    if session.scalar(select(SharingGroup).where(SharingGroup.name == name)) is not None:
        raise Conflict(f"a sharing group named {name!r} exists already", where="name")
    group = SharingGroup(name=name)
    session.add(group)
    session.flush()
    record(session, OPERATOR, "group:add", name, after={"id": group.id})
    return group


def group_ids(session: Session, names: Sequence[str]) -> frozenset[int]:
    """The ids of the groups with these names. Raises NotFound for the first unknown one."""
    ids = set()
    for name in names:
        found = session.scalar(select(SharingGroup.id).where(SharingGroup.name == name))
        if found is None:
            raise NotFound(f"there is no sharing group named {name!r}", advice=f"Add it: hub group add {name!r}")
        ids.add(found)
    return frozenset(ids)


def add_member(
    session: Session,
    name: str,
    *,
    kind: MemberKind,
    clearance: Tlp,
    groups: Sequence[str] = (),
    roles: Sequence[Role] = (Role.READER,),
    anonymous: bool = False,
    namespace: uuid.UUID,
) -> Member:
    """A member that is active at once, without vetting: for operators and tests, and audited as such.

    Raises Conflict where the name is taken, NotFound for an unknown group.
    """
    if not name.strip() or len(name) > 200 or not name.isprintable():
        raise InvalidInput("a member's name has 1 to 200 printable characters", where="name")
    if session.scalar(select(Member).where(Member.name == name)) is not None:
        raise Conflict(f"a member named {name!r} exists already", where="name")
    member_id = str(uuid.uuid4())
    identity_ref = hub_id(namespace, "identity", "member", member_id)
    member = Member(
        id=member_id,
        name=name,
        kind=kind.value,
        status="active",
        clearance=int(clearance),
        roles=sorted({role.value for role in roles}),
        anonymous=anonymous,
        identity_ref=identity_ref,
        sighted_ref=hub_id(namespace, "identity", "sector", kind.value) if anonymous else identity_ref,
        created_at=clock.micros(),
    )
    session.add(member)
    session.flush()
    session.add_all(MemberGroup(member_id=member_id, group_id=g) for g in group_ids(session, groups))
    corporate.keep(session, member_id, corporate.keys(name))
    record(
        session, OPERATOR, "member:add-without-vetting", member_id,
        after={"name": name, "kind": kind.value, "clearance": clearance.label, "roles": member.roles,
               "groups": list(groups), "anonymous": anonymous},
    )  # fmt: skip
    return member


def set_parent(session: Session, member: Member, parent: str, parent_registration: str) -> None:
    """Say of which corporate group a member is: it then sponsors nobody of that group (``corporate``)."""
    corporate.keep(session, member.id, corporate.keys(member.name, "", parent, parent_registration))
    after = {"parent": parent, "parent_registration": parent_registration}
    record(session, OPERATOR, "member:corporate-group", member.id, after=after)


def set_status(session: Session, id_or_name: str, status: str, *, reason: str = "") -> Member:
    """Suspend ("suspended") or resume ("active") a member. It holds at the member's very next request."""
    member = find(session, id_or_name)
    if {member.status, status} != {"active", "suspended"}:
        raise Conflict(f"the member is {member.status} and cannot become {status}", where="status")
    before, member.status = member.status, status
    session.flush()
    record(
        session,
        OPERATOR,
        "member:status",
        member.id,
        before={"status": before},
        after={"status": status},
        why=reason,
    )
    return member


def find(session: Session, id_or_name: str) -> Member:
    """A member by id or name. Raises NotFound."""
    member = session.scalar(select(Member).where(or_(Member.id == id_or_name, Member.name == id_or_name)))
    if member is None:
        raise NotFound(f"there is no member {id_or_name!r}", advice="hub member list shows them all.")
    return member


def by_id(session: Session, member_id: str) -> Member:
    """A member by id. Raises NotFound."""
    found = session.get(Member, member_id)
    if found is None:
        raise NotFound("there is no such member")
    return found


def all_members(session: Session) -> list[Member]:
    """Every member, by name."""
    return list(session.scalars(select(Member).order_by(Member.name)))


def groups_of(session: Session, member_id: str) -> list[str]:
    """The names of the member's sharing groups."""
    return list(
        session.scalars(
            select(SharingGroup.name)
            .join(MemberGroup, MemberGroup.group_id == SharingGroup.id)
            .where(MemberGroup.member_id == member_id)
            .order_by(SharingGroup.name)
        )
    )


def identity_object(member: Member) -> dict[str, Any]:
    """The STIX identity that others are shown: the member's own, or its sector's where it stays anonymous."""
    kind = MemberKind(member.kind)
    created = SECTOR_IDENTITIES_CREATED if member.anonymous else clock.stix_timestamp(member.created_at)
    return {
        "type": "identity",
        "spec_version": "2.1",
        "id": member.sighted_ref,
        "created": created,
        "modified": created,
        "name": f"A member of the hub ({kind.value})" if member.anonymous else member.name,
        "identity_class": "class" if member.anonymous else "organization",
        "sectors": [SECTORS[kind]],
    }


# One identity for each sector, the same whoever is the first of it to stay anonymous.
SECTOR_IDENTITIES_CREATED = "2026-01-01T00:00:00.000Z"

# STIX 2.1 section 10.9, industry-sector-ov, where it has a word for the kind.
SECTORS = {
    MemberKind.BANK: "financial-services",
    MemberKind.PAYMENTS: "financial-services",
    MemberKind.TELCO: "telecommunications",
    MemberKind.INSURER: "insurance",
    MemberKind.LAW_ENFORCEMENT: "government-public-services",
    MemberKind.REPORT_FRAUD: "government-public-services",
    MemberKind.GOVERNMENT: "government",
    MemberKind.CERT: "government-public-services",
    MemberKind.FEED: "technology",
    MemberKind.VENDOR: "technology",
    MemberKind.HUB: "non-profit",
}
