"""Who may read and write which collection, and who is in which sharing group, as administrators change it.

Every change holds at once: the tables raise the access epoch, so no process goes on by what it knew before.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from hub.audit import record
from hub.auth import Role
from hub.errors import Conflict, InvalidInput, NotFound
from hub.ledger import collections
from hub.ledger.records import Collection, CollectionAudience
from hub.members.records import Member, MemberGroup, SharingGroup
from hub.stix.tlp import Tlp

LONGEST_TITLE = 200
LONGEST_DESCRIPTION = 2000
LONGEST_GROUP = 100
ACTIONS = ("read", "write")
EVERYBODY = "members"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A collection as it is to be. Audiences are members, role:ROLE, group:ID or member:ID."""

    title: str
    description: str
    default_tlp: Tlp
    read: frozenset[str]
    write: frozenset[str]


def audiences(session: Session, collection_no: int) -> dict[str, list[str]]:
    """The audiences of a collection, by what they may do there."""
    found: dict[str, list[str]] = {action: [] for action in ACTIONS}
    rows = session.execute(
        select(CollectionAudience.action, CollectionAudience.audience)
        .where(CollectionAudience.collection_no == collection_no)
        .order_by(CollectionAudience.audience)
    )
    for action, audience in rows:
        found[action].append(audience)
    return found


def add_collection(session: Session, alias: str, wanted: Wanted, by: str, why: str) -> Collection:
    """A new collection. Raises InvalidInput, Conflict where the alias is taken."""
    _check(session, wanted)
    added = collections.add(
        session, alias, wanted.title.strip(), description=wanted.description, read=wanted.read, write=wanted.write,
        default_tlp=wanted.default_tlp,
    )  # fmt: skip
    record(session, by, "collection:add", added.id, after={"alias": alias, **_shown(wanted)}, why=why)
    return added


def change_collection(session: Session, collection: Collection, wanted: Wanted, by: str, why: str) -> None:
    """Change what a collection is called and who may use it. Raises InvalidInput."""
    _check(session, wanted)
    known = audiences(session, collection.no)
    before = Wanted(
        collection.title, collection.description, Tlp(collection.default_tlp), frozenset(known["read"]),
        frozenset(known["write"]),
    )  # fmt: skip
    collection.title, collection.description = wanted.title.strip(), wanted.description
    collection.default_tlp = int(wanted.default_tlp)
    session.execute(delete(CollectionAudience).where(CollectionAudience.collection_no == collection.no))
    for action, chosen in zip(ACTIONS, (wanted.read, wanted.write), strict=True):
        session.add_all(
            CollectionAudience(collection_no=collection.no, action=action, audience=one) for one in sorted(chosen)
        )
    session.flush()
    record(session, by, "collection:change", collection.id, before=_shown(before), after=_shown(wanted), why=why)


def groups(session: Session) -> list[tuple[SharingGroup, list[Member]]]:
    """Every sharing group with its members, by name."""
    rows = session.execute(
        select(MemberGroup.group_id, Member).join(Member, Member.id == MemberGroup.member_id).order_by(Member.name)
    )
    held: dict[int, list[Member]] = {}
    for group_id, member in rows:
        held.setdefault(group_id, []).append(member)
    return [(one, held.get(one.id, [])) for one in session.scalars(select(SharingGroup).order_by(SharingGroup.name))]


def group(session: Session, group_id: int) -> tuple[SharingGroup, list[Member]]:
    """One sharing group with its members. Raises NotFound."""
    for one, members in groups(session):
        if one.id == group_id:
            return one, members
    raise NotFound("there is no such sharing group")


def add_group(session: Session, name: str, by: str, why: str) -> SharingGroup:
    """A new sharing group without members. Raises InvalidInput, Conflict where the name is taken."""
    name = name.strip()
    if not name or len(name) > LONGEST_GROUP or not name.isprintable():
        raise InvalidInput(f"Enter a name of 1 to {LONGEST_GROUP} characters", where="name")
    if session.scalar(select(SharingGroup.id).where(func.lower(SharingGroup.name) == name.lower())) is not None:
        raise Conflict("A sharing group of this name exists already", where="name")
    added = SharingGroup(name=name)
    session.add(added)
    session.flush()
    record(session, by, "group:add", name, after={"id": added.id}, why=why)
    return added


def leave_group(session: Session, group_id: int, member_id: str, by: str, why: str) -> str:
    """Take a member out of a sharing group, at once; gives the member's name. Raises NotFound.

    The way in is a grant, which somebody asks for and somebody else decides.
    """
    found, member = session.get(SharingGroup, group_id), session.get(Member, member_id)
    place = session.get(MemberGroup, (member_id, group_id))
    if found is None or member is None or place is None:
        raise NotFound("the member is not in this group")
    session.delete(place)
    session.flush()
    record(session, by, "group:leave", member_id, before={"group": found.name}, after={"group": None}, why=why)
    return member.name


def _check(session: Session, wanted: Wanted) -> None:
    if not wanted.title.strip() or len(wanted.title) > LONGEST_TITLE or not wanted.title.isprintable():
        raise InvalidInput(f"Enter a title of 1 to {LONGEST_TITLE} characters", where="title")
    if len(wanted.description) > LONGEST_DESCRIPTION:
        raise InvalidInput(f"Must be {LONGEST_DESCRIPTION} characters or fewer", where="description")
    if wanted.default_tlp == Tlp.RED:
        raise InvalidInput("RED is for named people and never a collection's default", where="default_tlp")
    known = _known(session)
    for action, chosen in zip(ACTIONS, (wanted.read, wanted.write), strict=True):
        if chosen - known:
            raise InvalidInput("Choose from the list", where=action)


def _known(session: Session) -> set[str]:
    """Every audience that there is."""
    return {
        EVERYBODY,
        *(f"role:{role.value}" for role in Role),
        *(f"group:{number}" for number in session.scalars(select(SharingGroup.id))),
        *(f"member:{one}" for one in session.scalars(select(Member.id))),
    }


def _shown(wanted: Wanted) -> dict[str, object]:
    return {
        "title": wanted.title,
        "description": wanted.description,
        "default_tlp": wanted.default_tlp.label,
        "read": sorted(wanted.read),
        "write": sorted(wanted.write),
    }


def spoken(audience: str, names: dict[int, str], members: Iterable[Member]) -> str:
    """An audience in words."""
    word, _, what = audience.partition(":")
    if word == "group":
        return f"Group {names.get(int(what), what)}"
    if word == "member":
        return next((one.name for one in members if one.id == what), what)
    return "Every member" if audience == EVERYBODY else f"Role {what.replace('-', ' ')}"
