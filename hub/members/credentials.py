"""API credentials: issue one, and turn one into an Actor.

Tokens are 256 random bits, so a plain SHA-256 is all the hashing they need: there is nothing to guess, and a
check costs microseconds rather than the 160 ms that a password hash would take on every poll.
"""

from __future__ import annotations

import hashlib
import re
import secrets

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub import clock
from hub.auth import Actor, CredentialKind, Role, permissions_of
from hub.errors import Unauthenticated
from hub.members.records import Credential, Member, MemberGroup
from hub.stix.tlp import Tlp

ACTIVE = "active"
ADVICE = "Send your user name and token by HTTP Basic, or the token as 'Authorization: Bearer'."


def issue(session: Session, member: Member, *, label: str = "", expires_at: int | None = None) -> tuple[str, str]:
    """A new credential of ``member``: (user name, token). The token is not stored and cannot be shown again."""
    stem = re.sub(r"[^a-z0-9]+", "-", member.name.lower()).strip("-")[:40] or "member"
    username = f"{stem}-{secrets.token_hex(3)}"
    token = f"hub_{secrets.token_urlsafe(32)}"
    session.add(
        Credential(
            username=username, member_id=member.id, token_hash=token_hash(token), label=label,
            created_at=clock.micros(), expires_at=expires_at, revoked_at=None,
        )
    )  # fmt: skip
    session.flush()
    return username, token


def token_hash(token: str) -> bytes:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).digest()


def authenticate(session: Session, hashed: bytes, username: str | None) -> Actor:
    """The actor whose token has this hash; ``username`` must be the token's own where one is given (HTTP Basic).

    Raises Unauthenticated, in the same words whatever the reason, unless the credential stands and its member
    is active.
    """
    found = session.execute(
        select(Credential, Member)
        .join(Member, Member.id == Credential.member_id)
        .where(Credential.token_hash == hashed)
    ).one_or_none()
    if found is None:
        raise refusal()
    credential, member = found
    if (username is not None and username != credential.username) or credential.revoked_at is not None:
        raise refusal()
    return actor_of(session, member, CredentialKind.TOKEN, credential.username, credential.expires_at)


def actor_of(session: Session, member: Member, kind: CredentialKind, username: str, expires_at: int | None) -> Actor:
    """The actor that a credential of ``member`` makes. Raises Unauthenticated unless both hold."""
    if member.status != ACTIVE or not holds(expires_at):
        raise refusal()
    roles = frozenset(Role(role) for role in member.roles)
    groups = session.scalars(select(MemberGroup.group_id).where(MemberGroup.member_id == member.id))
    return Actor(
        member_id=member.id,
        username=username,
        kind=member.kind,
        identity_ref=member.identity_ref,
        sighted_ref=member.sighted_ref,
        roles=roles,
        clearance=Tlp(member.clearance),
        groups=frozenset(groups),
        permissions=permissions_of(roles, kind),
        expires_at=expires_at,
        credential=kind,
    )


def holds(expires_at: int | None) -> bool:
    """The instant has not come, or there is none."""
    return expires_at is None or clock.micros() < expires_at


def refusal() -> Unauthenticated:
    """The one answer to every credential that does not hold, whatever the reason."""
    return Unauthenticated("the credential is missing, unknown, expired or not active", advice=ADVICE)
