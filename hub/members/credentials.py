"""API credentials: issue one, and turn one into an Actor.

Tokens are 256 random bits, so a plain SHA-256 is all the hashing they need: there is nothing to guess, and a
check costs microseconds rather than the 160 ms that a password hash would take on every poll.
"""

from __future__ import annotations

import hashlib
import re
import secrets

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hub import clock
from hub.auth import Actor, CredentialKind, Role, permissions_of
from hub.errors import Unauthenticated
from hub.members.bounds import UNBOUNDED, Bounds, carried, parsed
from hub.members.records import ClientCertificate, Credential, Member, MemberGroup
from hub.members.vetting.records import Grant
from hub.stix.tlp import Tlp

ACTIVE = "active"
REFUSED = "the credential is missing, unknown, expired, not active or not for this address"
ADVICE = "Send your user name and token by HTTP Basic, or the token as 'Authorization: Bearer'."


def issue(
    session: Session,
    member: Member,
    *,
    label: str = "",
    expires_at: int | None = None,
    bounds: Bounds = UNBOUNDED,
    issued_by: str | None = None,
) -> tuple[str, str]:
    """A new credential of ``member``: (user name, token). The token is not stored and cannot be shown again.

    ``issued_by`` is the person who makes it, None for an operator.
    """
    stem = re.sub(r"[^a-z0-9]+", "-", member.name.lower()).strip("-")[:40] or "member"
    username = f"{stem}-{secrets.token_hex(3)}"
    token = f"hub_{secrets.token_urlsafe(32)}"
    session.add(
        Credential(
            username=username, member_id=member.id, token_hash=token_hash(token), label=label,
            created_at=clock.micros(), expires_at=expires_at, revoked_at=None, issued_by=issued_by, **bounds.shown,
        )
    )  # fmt: skip
    session.flush()
    return username, token


def issuer(session: Session, username: str) -> str | None:
    """The person who made a credential, None where an operator did or there is none."""
    return session.scalar(select(Credential.issued_by).where(Credential.username == username))


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
    bounds = stored_bounds(credential)
    return actor_of(session, member, CredentialKind.TOKEN, credential.username, credential.expires_at, bounds)


def actor_of(
    session: Session,
    member: Member,
    kind: CredentialKind,
    username: str,
    expires_at: int | None,
    bounds: Bounds = UNBOUNDED,
) -> Actor:
    """The actor that a credential of ``member`` makes. Raises Unauthenticated unless both hold."""
    if member.status != ACTIVE or not holds(expires_at):
        raise refusal()
    roles = frozenset(Role(role) for role in member.roles)
    groups = session.scalars(select(MemberGroup.group_id).where(MemberGroup.member_id == member.id))
    personal_until = _personal_data_until(session, member.id)
    return Actor(
        member_id=member.id,
        username=username,
        kind=member.kind,
        identity_ref=member.identity_ref,
        sighted_ref=member.sighted_ref,
        roles=roles,
        clearance=Tlp(member.clearance),
        groups=frozenset(groups),
        permissions=carried(permissions_of(roles, kind), bounds.scopes),
        expires_at=expires_at,
        credential=kind,
        personal_data=personal_until is not None,
        networks=parsed(bounds.networks),
        good_until=min((end for end in (expires_at, personal_until) if end is not None), default=None),
    )


def stored_bounds(held: Credential | ClientCertificate) -> Bounds:
    """The bounds that a credential or certificate was given."""
    return Bounds(_tuple(held.scopes), _tuple(held.networks))


def _tuple(values: list[str] | None) -> tuple[str, ...] | None:
    return None if values is None else tuple(values)


def _personal_data_until(session: Session, member_id: str) -> int | None:
    """When the member's last grant of personal data that is in force ends; None where it has none."""
    return session.scalar(
        select(func.max(Grant.expires_at)).where(
            Grant.member_id == member_id,
            Grant.kind == "personal-data",
            Grant.state == "active",
            Grant.expires_at > clock.micros(),
        )
    )


def holds(expires_at: int | None) -> bool:
    """The instant has not come, or there is none."""
    return expires_at is None or clock.micros() < expires_at


def refusal() -> Unauthenticated:
    """The one answer to every credential that does not hold, whatever the reason."""
    return Unauthenticated(REFUSED, advice=ADVICE)
