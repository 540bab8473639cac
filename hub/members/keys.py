"""API keys as a member keeps them: many, labelled, with an end, replaced with an overlap, revoked at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub import clock
from hub.audit import record
from hub.clock import DAY
from hub.errors import Conflict, InvalidInput, NotFound
from hub.members import credentials
from hub.members.bounds import UNBOUNDED, Bounds
from hub.members.membership import OPERATOR
from hub.members.records import Credential, CredentialRefusal, CredentialUse, Member

LONGEST_LABEL = 80
MOST_KEYS = 50


@dataclass(frozen=True, slots=True)
class Key:
    """A key without its token. Instants in microseconds, None where there is none.

    ``refusals`` counts the requests that were refused for the address they came from.
    """

    username: str
    label: str
    created_at: int
    expires_at: int | None
    revoked_at: int | None
    last_used_at: int | None
    last_address: str
    bounds: Bounds = UNBOUNDED
    refusals: int = 0
    refused_at: int | None = None
    refused_address: str = ""

    @property
    def state(self) -> str:
        """active, rotating (it will end within two weeks), expired or revoked."""
        if self.revoked_at is not None:
            return "revoked"
        if self.expires_at is None or self.expires_at > clock.micros() + 14 * DAY:
            return "active"
        return "expired" if self.expires_at <= clock.micros() else "rotating"

    @property
    def holds(self) -> bool:
        """It can be used now."""
        return self.state in ("active", "rotating")


def of_member(session: Session, member_id: str) -> list[Key]:
    """A member's keys, the newest first."""
    found = session.execute(
        select(Credential, CredentialUse, CredentialRefusal)
        .outerjoin(CredentialUse, CredentialUse.username == Credential.username)
        .outerjoin(CredentialRefusal, CredentialRefusal.username == Credential.username)
        .where(Credential.member_id == member_id)
        .order_by(Credential.created_at.desc(), Credential.username)
    )
    return [
        Key(
            one.username, one.label, one.created_at, one.expires_at, one.revoked_at, use.at if use else None,
            use.address if use else "", credentials.stored_bounds(one), refused.times if refused else 0,
            refused.at if refused else None, refused.address if refused else "",
        )
        for one, use, refused in found
    ]  # fmt: skip


def find(session: Session, member_id: str, username: str) -> Key:
    """One key of a member. Raises NotFound, also for another's."""
    for key in of_member(session, member_id):
        if key.username == username:
            return key
    raise NotFound("there is no such key")


def issue(
    session: Session,
    member_id: str,
    by: str,
    label: str,
    days: int | None,
    scopes: Sequence[str] = (),
    networks: Sequence[str] = (),
) -> tuple[str, str]:
    """A new key: (user name, token). The token is shown once. ``days`` until it ends, None for no end.

    ``scopes`` are the permissions that it carries, all of the member's where there are none; ``networks`` those that
    it may be used from. Raises InvalidInput for a label that is empty or too long, for a permission that the member
    does not have and for what is no network, Conflict where there are too many keys.
    """
    bounds = Bounds.of(session.get_one(Member, member_id).roles, scopes, networks)
    return _issue(session, member_id, by, label, days, bounds)


def _issue(session: Session, member_id: str, by: str, label: str, days: int | None, bounds: Bounds) -> tuple[str, str]:
    if not label.strip() or len(label) > LONGEST_LABEL or not label.isprintable():
        raise InvalidInput(f"Enter what the key is for, in {LONGEST_LABEL} characters or fewer", where="label")
    if sum(key.holds for key in of_member(session, member_id)) >= MOST_KEYS:
        raise Conflict(f"There are {MOST_KEYS} keys already: revoke one that is not used", where="label")
    member = session.get_one(Member, member_id)
    expires_at = None if days is None else clock.micros() + days * DAY
    username, token = credentials.issue(
        session, member, label=label.strip(), expires_at=expires_at, bounds=bounds,
        issued_by=None if by == OPERATOR else by,
    )  # fmt: skip
    record(
        session, by, "credential:issue", username,
        after={"member": member_id, "label": label.strip(), "expires_at": expires_at, **bounds.shown},
    )  # fmt: skip
    return username, token


def rotate(session: Session, member_id: str, by: str, username: str, overlap_days: int) -> tuple[str, str]:
    """A successor of a key, with its label, length of life and bounds; the old one holds ``overlap_days`` at most.

    Raises NotFound, Conflict for a key that has ended.
    """
    old = find(session, member_id, username)
    if not old.holds:
        raise Conflict("this key has ended", advice="Make a new one.")
    lifetime = None if old.expires_at is None else max(1, (old.expires_at - old.created_at) // DAY)
    fresh = _issue(session, member_id, by, old.label or username, lifetime, old.bounds)
    kept = session.get_one(Credential, username)
    end = clock.micros() + overlap_days * DAY
    before, kept.expires_at = kept.expires_at, end if old.expires_at is None else min(end, old.expires_at)
    session.flush()
    record(
        session, by, "credential:rotate", username,
        before={"expires_at": before}, after={"expires_at": kept.expires_at, "successor": fresh[0]},
    )  # fmt: skip
    return fresh


def revoke(session: Session, member_id: str, by: str, username: str, why: str = "") -> None:
    """End a key; it holds at the very next request. Raises NotFound, Conflict where it has ended already."""
    if not find(session, member_id, username).holds:
        raise Conflict("this key has ended already")
    kept = session.get_one(Credential, username)
    kept.revoked_at = clock.micros()
    session.flush()
    record(session, by, "credential:revoke", username, before={"revoked": False}, after={"revoked": True}, why=why)
