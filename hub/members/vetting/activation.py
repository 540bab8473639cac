"""Admission: the signed agreement makes the approved applicant a member."""

from __future__ import annotations

import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub import clock
from hub.auth import Role
from hub.errors import Conflict
from hub.members import corporate, invitations, membership, people
from hub.members.invitations import Post
from hub.members.records import Member, MemberGroup
from hub.members.vetting.party import Party
from hub.members.vetting.records import VettingCase
from hub.members.vetting.states import State, advance
from hub.stix.ids import hub_id


def admit(session: Session, case: VettingCase, by: Party, namespace: uuid.UUID) -> Member:
    """Enter the member as it was decided and let it in. Raises Conflict where its name is taken by now.

    What ``membership.identity_object`` gives of it is the caller's to publish.
    """
    if session.scalar(select(Member.id).where(Member.name == case.name)) is not None:
        raise Conflict(f"a member named {case.name!r} exists already", advice="Ask the hub: the name has to differ.")
    member_id = str(uuid.uuid4())
    identity_ref = hub_id(namespace, "identity", "member", member_id)
    member = Member(
        id=member_id,
        name=case.name,
        kind=case.kind,
        status="approved",
        clearance=case.clearance,
        roles=case.roles,
        anonymous=case.anonymous,
        identity_ref=identity_ref,
        sighted_ref=hub_id(namespace, "identity", "sector", case.kind) if case.anonymous else identity_ref,
        created_at=clock.micros(),
    )
    session.add(member)
    session.flush()
    session.add_all(MemberGroup(member_id=member_id, group_id=g) for g in membership.group_ids(session, case.groups))
    corporate.keep(session, member_id, corporate.of(session, case.id))
    case.member_id = member_id
    case.reviewed_at = clock.micros()
    session.flush()
    advance(session, case, State.ACTIVE, by, "the agreement is signed")
    return member


def invite_contacts(session: Session, post: Post, case: VettingCase, by: Party) -> None:
    """Invite the primary contact and the deputy to sign in; one whose address is known already is left alone."""
    for name, email in ((case.primary_name, case.primary_email), (case.deputy_name, case.deputy_email)):
        if people.by_email(session, email) is None:
            person = people.add(session, by.id, email, name, [Role.PRIMARY_CONTACT], case.member_id)
            invitations.invite(session, post, person)
