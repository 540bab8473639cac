"""Who stands behind an id, in words: sources, members, people, collections, groups.

A member that stays anonymous is named by its sector here, as everywhere: its name takes two people (unmasking).
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.feeds.records import SourceRecord
from hub.ledger import collections
from hub.members import membership
from hub.members.people_records import Person
from hub.members.records import Credential, Member, SharingGroup

ANONYMOUS = "Anonymous"
THE_OPERATOR = "an operator, on the command line"
SPOKEN = {"operator": THE_OPERATOR, "rule": "a rule of the hub", "hub": "the hub", "scheduler": "the hub's scheduler"}


def of_source(source: SourceRecord, members: dict[str, Member]) -> str:
    """A source as those who see content may know it."""
    member = members.get(source.member_id or "")
    if member is None:
        return "the hub" if source.source_class == "hub" else source.name
    return anonymous(member) if member.anonymous else member.name


def anonymous(member: Member) -> str:
    """A member by its sector."""
    return f"{ANONYMOUS} ({member.kind})"


def content_name(member: Member) -> str:
    """A member as it shows beside what it has contributed."""
    return anonymous(member) if member.anonymous else member.name


def sources(session: Session) -> dict[int, str]:
    """Every source by its id."""
    known = members(session)
    return {one.id: of_source(one, known) for one in session.scalars(select(SourceRecord))}


def open_sources(session: Session) -> dict[int, str]:
    """The sources to choose from, by name: without anonymous members, whom a choice would tell apart."""
    known = members(session)
    found = [
        (of_source(one, known), one.id)
        for one in session.scalars(select(SourceRecord))
        if one.member_id is None or (one.member_id in known and not known[one.member_id].anonymous)
    ]
    return {number: name for name, number in sorted(found, key=lambda row: row[0].lower())}


def by_source_name(session: Session) -> dict[str, str]:
    """Every source by the name that the tables know it by."""
    known = members(session)
    return {one.name: of_source(one, known) for one in session.scalars(select(SourceRecord))}


def members(session: Session) -> dict[str, Member]:
    """Every member by its id."""
    return {one.id: one for one in membership.all_members(session)}


def aliases(session: Session) -> dict[int, str]:
    """The collections' aliases by their numbers."""
    return {one.no: one.alias for one in collections.all_collections(session)}


def groups(session: Session) -> dict[int, str]:
    """The sharing groups' names by their ids."""
    found = select(SharingGroup.id, SharingGroup.name).order_by(SharingGroup.name)
    return dict(session.execute(found).all())


def actors(session: Session, ids: Iterable[str]) -> dict[str, str]:
    """Actors of the audit log in words: people with their organisation, members, keys with whose they are."""
    wanted = set(ids)
    named = {member.id: member.name for member in session.scalars(select(Member).where(Member.id.in_(wanted)))}
    keys = session.execute(
        select(Credential.username, Member.name)
        .join(Member, Member.id == Credential.member_id)
        .where(Credential.username.in_(wanted))
    )
    found = {username: f"{name}, key {username}" for username, name in keys} | named
    people = session.execute(
        select(Person.id, Person.name, Member.name)
        .outerjoin(Member, Member.id == Person.member_id)
        .where(Person.id.in_(wanted))
    )
    found |= {one: f"{name}, {whose or 'hub staff'}" for one, name, whose in people}
    return {one: found.get(one) or SPOKEN.get(one) or one for one in wanted}
