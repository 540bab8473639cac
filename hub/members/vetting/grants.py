"""Grants: a right beyond admission, with a purpose and an end, asked for by one and approved by others."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub import clock
from hub.audit import record
from hub.clock import DAY
from hub.errors import Conflict, InvalidInput, NotFound, NotPermitted
from hub.members import membership
from hub.members.records import Member, MemberGroup
from hub.members.vetting import wording
from hub.members.vetting.party import THE_HUB, Capacity, Party
from hub.members.vetting.records import Grant, GrantApproval
from hub.settings import Vetting
from hub.stix.tlp import Tlp

LONGEST_DAYS = 365


class GrantKind(StrEnum):
    """What a grant gives."""

    CLEARANCE = "clearance"
    GROUP = "group"
    PERSONAL_DATA = "personal-data"


class GrantState(StrEnum):
    """Where a grant stands."""

    REQUESTED = "requested"
    ACTIVE = "active"
    REFUSED = "refused"
    EXPIRED = "expired"
    REVOKED = "revoked"


def ask(
    session: Session, member: Member, by: Party, *, kind: str, value: str, purpose: str, days: int, lawful_basis: str
) -> Grant:
    """Ask for a grant to ``member``: its own primary contact, or an officer of the hub.

    ``value`` is a TLP, the name of a group, or the tier of personal data. Raises InvalidInput, NotPermitted.
    """
    for_own = Capacity.MEMBER in by.capacities and by.member_id == member.id
    if not for_own and Capacity.OFFICER not in by.capacities:
        raise NotPermitted("a grant is asked for by the member's primary contact or by an officer")
    if kind not in set(GrantKind):
        raise InvalidInput("Choose what is to be granted", where="kind")
    if not 1 <= days <= LONGEST_DAYS:
        raise InvalidInput(f"Enter a number of days from 1 to {LONGEST_DAYS}", where="days")
    basis = wording.prose(lawful_basis, "lawful_basis", optional=kind != GrantKind.PERSONAL_DATA)
    now = clock.micros()
    grant = Grant(
        member_id=member.id,
        kind=kind,
        value=_value(session, member, GrantKind(kind), value),
        purpose=wording.prose(purpose, "purpose"),
        lawful_basis=basis,
        requested_by=by.id,
        requested_at=now,
        expires_at=now + days * DAY,
        state=GrantState.REQUESTED.value,
        replaced=None,
    )
    session.add(grant)
    session.flush()
    record(session, by.id, "grant:ask", member.id, after=_shown(grant), why=grant.purpose)
    return grant


def _value(session: Session, member: Member, kind: GrantKind, value: str) -> str:
    if kind is GrantKind.CLEARANCE:
        tlp = Tlp.parse(value)
        if not Tlp(member.clearance) < tlp <= Tlp.AMBER_STRICT:
            raise InvalidInput("Choose a TLP above the member's present clearance, up to AMBER+STRICT", where="value")
        return tlp.label
    if kind is GrantKind.GROUP:
        (group_id,) = membership.group_ids(session, [value])
        if session.get(MemberGroup, (member.id, group_id)) is not None:
            raise InvalidInput("The member is in this group already", where="value")
        return value
    return wording.line(value, "value", most=60)


def hold(session: Session, grant_id: int) -> Grant:
    """A grant to change. Raises NotFound."""
    grant = session.scalar(
        select(Grant).where(Grant.id == grant_id).with_for_update().execution_options(populate_existing=True)
    )
    if grant is None:
        raise NotFound("there is no such grant")
    return grant


def find(session: Session, grant_id: int) -> tuple[Grant, Member, list[GrantApproval]]:
    """A grant to read, its member and the approvals so far. Raises NotFound."""
    grant = session.get(Grant, grant_id)
    if grant is None:
        raise NotFound("there is no such grant")
    voices = session.scalars(select(GrantApproval).where(GrantApproval.grant_id == grant_id).order_by(GrantApproval.at))
    return grant, session.get_one(Member, grant.member_id), list(voices)


def approve(session: Session, grant: Grant, by: Party, reason: str, periods: Vetting) -> bool:
    """One voice for a grant; gives whether it is in force by it. ``grant`` comes from ``hold``.

    Personal data needs an approver and the hub's data protection officer, two people. Raises NotPermitted for who
    asked, or belongs to the member that gains.
    """
    _deciding(grant, by)
    capacity = _capacity(grant, by, periods)
    voices = session.scalars(select(GrantApproval).where(GrantApproval.grant_id == grant.id)).all()
    if any(voice.person_id == by.id or voice.capacity == capacity for voice in voices):
        raise Conflict("this approval is on file already", advice="The other one is missing.")
    said = wording.prose(reason, "reason")
    session.add(
        GrantApproval(
            grant_id=grant.id, person_id=by.id, requested_by=grant.requested_by, member_id=grant.member_id,
            person_member_id=by.member_id, capacity=capacity, reason=said, at=clock.micros(),
        )
    )  # fmt: skip
    session.flush()
    record(session, by.id, "grant:approve", grant.member_id, after={"grant": grant.id, "as": capacity}, why=said)
    needed = {"approver", "data-protection"} if grant.kind == GrantKind.PERSONAL_DATA else {"approver"}
    if not needed <= {voice.capacity for voice in voices} | {capacity}:
        return False
    _bring_into_force(session, grant, by)
    return True


def refuse(session: Session, grant: Grant, by: Party, reason: str) -> None:
    """An approver says no."""
    _deciding(grant, by)
    if Capacity.APPROVER not in by.capacities:
        raise NotPermitted("only an approver refuses a grant")
    _change(session, grant, GrantState.REFUSED, by, wording.prose(reason, "reason"))


def revoke(session: Session, grant: Grant, by: Party, reason: str) -> None:
    """A grant ends before its time: any officer or approver may end one."""
    if not by.capacities & {Capacity.APPROVER, Capacity.OFFICER}:
        raise NotPermitted("an officer or approver revokes a grant")
    if grant.state != GrantState.ACTIVE:
        raise Conflict("the grant is not in force")
    _take_back(session, grant)
    _change(session, grant, GrantState.REVOKED, by, wording.prose(reason, "reason"))


def expire(session: Session, now: int) -> int:
    """End the grants whose time is over; how many."""
    over = session.scalars(
        select(Grant)
        .where(Grant.state == GrantState.ACTIVE, Grant.expires_at <= now)
        .order_by(Grant.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    for grant in over:
        _take_back(session, grant)
        _change(session, grant, GrantState.EXPIRED, THE_HUB, "its time is over")
    return len(over)


def holds_personal_data(session: Session, member_id: str, now: int) -> bool:
    """The member has a grant of personal data that is in force."""
    found = select(Grant.id).where(
        Grant.member_id == member_id,
        Grant.kind == GrantKind.PERSONAL_DATA,
        Grant.state == GrantState.ACTIVE,
        Grant.expires_at > now,
    )
    return session.scalar(found.limit(1)) is not None


def of_member(session: Session, member_id: str) -> list[Grant]:
    """The grants of a member, newest first."""
    return list(session.scalars(select(Grant).where(Grant.member_id == member_id).order_by(Grant.id.desc())))


def waiting(session: Session) -> list[tuple[Grant, Member]]:
    """Grants that wait for an approval, oldest first."""
    rows = session.execute(
        select(Grant, Member)
        .join(Member, Member.id == Grant.member_id)
        .where(Grant.state == GrantState.REQUESTED)
        .order_by(Grant.id)
    )
    return [(row[0], row[1]) for row in rows]


def _deciding(grant: Grant, by: Party) -> None:
    if grant.state != GrantState.REQUESTED:
        raise Conflict("the grant is decided already")
    if by.id == grant.requested_by:
        raise NotPermitted("you have asked for this grant: somebody else decides")
    if by.member_id:
        raise NotPermitted("grants are decided by the hub's own people")


def _capacity(grant: Grant, by: Party, periods: Vetting) -> str:
    if grant.kind == GrantKind.PERSONAL_DATA and by.email and by.email == periods.data_protection_officer.lower():
        return "data-protection"
    if Capacity.APPROVER not in by.capacities:
        raise NotPermitted("only an approver, and for personal data the data protection officer, approves a grant")
    return "approver"


def _bring_into_force(session: Session, grant: Grant, by: Party) -> None:
    member = session.get_one(Member, grant.member_id)
    if grant.expires_at <= clock.micros():
        raise Conflict("the time that was asked for is over")
    if grant.kind == GrantKind.CLEARANCE:
        grant.replaced, member.clearance = member.clearance, max(member.clearance, int(Tlp.parse(grant.value)))
    elif grant.kind == GrantKind.GROUP:
        (group_id,) = membership.group_ids(session, [grant.value])
        if session.get(MemberGroup, (member.id, group_id)) is None:
            session.add(MemberGroup(member_id=member.id, group_id=group_id))
    _change(session, grant, GrantState.ACTIVE, by, "every approval is on file")


def _take_back(session: Session, grant: Grant) -> None:
    """Give back what the member had before; another grant that is still in force keeps what it gives."""
    member = session.get_one(Member, grant.member_id)
    others = [one for one in of_member(session, member.id) if one.id != grant.id and one.state == GrantState.ACTIVE]
    if grant.kind == GrantKind.CLEARANCE and grant.replaced is not None:
        kept = [one for one in others if one.kind == GrantKind.CLEARANCE]
        before = min([grant.replaced, *(one.replaced for one in kept if one.replaced is not None)])
        member.clearance = max([before, *(int(Tlp.parse(one.value)) for one in kept)])
        for one in kept:
            one.replaced = before
    elif grant.kind == GrantKind.GROUP and grant.value not in {o.value for o in others if o.kind == GrantKind.GROUP}:
        (group_id,) = membership.group_ids(session, [grant.value])
        held = session.get(MemberGroup, (member.id, group_id))
        if held is not None:
            session.delete(held)
    session.flush()


def _change(session: Session, grant: Grant, to: GrantState, by: Party, why: str) -> None:
    before = _shown(grant)
    grant.state = to.value
    session.flush()
    record(session, by.id, f"grant:{to.value}", grant.member_id, before=before, after=_shown(grant), why=why)


def _shown(grant: Grant) -> dict[str, object]:
    return {"grant": grant.id, "kind": grant.kind, "value": grant.value, "state": grant.state,
            "expires_at": clock.timestamp(grant.expires_at)}  # fmt: skip
