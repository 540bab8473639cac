"""Break-glass: one of the hub's own people takes a role for some hours; everybody is told, another person reviews."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub import clock
from hub.audit import record
from hub.auth import Role
from hub.clock import HOUR
from hub.errors import Conflict, InvalidInput, NotFound, NotPermitted
from hub.members.vetting import wording
from hub.members.vetting.party import THE_HUB, Party
from hub.members.vetting.records import BreakGlass
from hub.settings import Vetting

# Not approver: four eyes are not broken in an emergency either.
ROLES = frozenset({Role.VETTING_OFFICER, Role.ANALYST, Role.ADMINISTRATOR})


def take(session: Session, by: Party, role: str, reason: str, periods: Vetting) -> BreakGlass:
    """Take ``role`` for the hours of the settings. The caller sends the alert in the same transaction.

    Raises InvalidInput for a role that is not for emergencies, NotPermitted for a member's person, Conflict where
    an emergency of theirs is open.
    """
    if by.member_id:
        raise NotPermitted("only the hub's own people take an emergency role")
    if role not in ROLES:
        raise InvalidInput("Choose a role that is for emergencies", where="role")
    now = clock.micros()
    if any(one.person_id == by.id for one in standing(session, now)):
        raise Conflict("you hold an emergency role already")
    taken = BreakGlass(
        person_id=by.id,
        role=role,
        reason=wording.prose(reason, "reason"),
        at=now,
        expires_at=now + periods.break_glass_hours * HOUR,
        ended_at=None,
        reviewed_by=None,
    )
    session.add(taken)
    session.flush()
    after = {"role": role, "expires_at": clock.timestamp(taken.expires_at)}
    record(session, by.id, "break-glass:take", by.id, after=after, why=taken.reason)
    return taken


def roles_of(session: Session, person_id: str, now: int) -> frozenset[Role]:
    """The emergency roles that a person holds at ``now``: what their session adds to their own."""
    return frozenset(Role(one.role) for one in standing(session, now) if one.person_id == person_id)


def standing(session: Session, now: int) -> list[BreakGlass]:
    """Emergencies that hold at ``now``."""
    return list(
        session.scalars(
            select(BreakGlass).where(BreakGlass.ended_at.is_(None), BreakGlass.expires_at > now).order_by(BreakGlass.id)
        )
    )


def unreviewed(session: Session) -> list[BreakGlass]:
    """Emergencies that nobody has reviewed yet, oldest first."""
    return list(session.scalars(select(BreakGlass).where(BreakGlass.reviewed_by.is_(None)).order_by(BreakGlass.id)))


def review(session: Session, emergency_id: int, by: Party, findings: str) -> None:
    """Another of the hub's people has looked at what was done; it ends the emergency if it still stands."""
    found = session.get(BreakGlass, emergency_id)
    if found is None:
        raise NotFound("there is no such emergency")
    if by.member_id or by.id == found.person_id:
        raise NotPermitted("an emergency is reviewed by another of the hub's people")
    if found.reviewed_by is not None:
        raise Conflict("it is reviewed already")
    found.reviewed_by = by.id
    found.ended_at = found.ended_at or clock.micros()
    session.flush()
    record(session, by.id, "break-glass:review", found.person_id, why=wording.prose(findings, "findings"))


def end(session: Session, now: int) -> int:
    """Write down the end of the emergencies whose time is over; how many."""
    over = session.scalars(select(BreakGlass).where(BreakGlass.ended_at.is_(None), BreakGlass.expires_at <= now)).all()
    for one in over:
        one.ended_at = one.expires_at
        record(session, THE_HUB.id, "break-glass:end", one.person_id, after={"role": one.role}, why="its time is over")
    session.flush()
    return len(over)
