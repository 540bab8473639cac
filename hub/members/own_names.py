"""The domain names that belong to members: what they prove when they apply, and their contacts' addresses."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.auth import Role
from hub.members import people
from hub.members.people_records import Person
from hub.members.records import Member
from hub.members.vetting.records import VettingCase

MEMBERS = ("active", "suspended")


def own_names(session: Session) -> frozenset[str]:
    """The names of all present members, in canonical form, without those below them.

    Only an active primary contact's address counts: anybody else's may be at a domain that nobody has looked at.
    """
    present = select(Member.id).where(Member.status.in_(MEMBERS))
    proved = session.scalars(select(VettingCase.domain).where(VettingCase.member_id.in_(present)))
    addresses = session.execute(
        select(Person.email, Person.roles).where(Person.member_id.in_(present), Person.status == people.ACTIVE)
    )
    of_contacts = {email.rpartition("@")[2] for email, roles in addresses if Role.PRIMARY_CONTACT.value in roles}
    return frozenset({*proved, *of_contacts})
