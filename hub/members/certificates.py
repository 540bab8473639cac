"""Client certificates that stand for a credential.

The server that ends TLS, the hub's own or a trusted proxy, verifies the certificate; the hub then knows it by its
fingerprint, so what counts is this one certificate, not whatever its authority issues next.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import select
from sqlalchemy.orm import Session

from hub import clock
from hub.audit import record
from hub.auth import Actor, CredentialKind
from hub.clock import DAY
from hub.errors import Conflict, InvalidInput, NotFound
from hub.members import membership
from hub.members.bounds import Bounds
from hub.members.credentials import actor_of, refusal, stored_bounds
from hub.members.records import ClientCertificate, Member

UNKNOWN = "this certificate does not stand for this member"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def register(
    session: Session,
    member: str,
    pem: bytes,
    *,
    scopes: Sequence[str] = (),
    networks: Sequence[str] = (),
    days: int | None = None,
) -> ClientCertificate:
    """Let a certificate (PEM) stand for a member, by id or name, until it expires or ``days`` are over.

    ``scopes`` and ``networks`` bound it as they do a key.

    Raises InvalidInput where it cannot be read or has expired, Conflict where it is registered already,
    NotFound for an unknown member.
    """
    holder = membership.find(session, member)
    certificate = _read(pem)
    bounds = Bounds.of(holder.roles, scopes, networks)
    expires_at = (certificate.not_valid_after_utc - EPOCH) // EPOCH.resolution
    if days is not None:
        expires_at = min(expires_at, clock.micros() + days * DAY)
    if expires_at <= clock.micros():
        raise InvalidInput("the certificate has expired", where="certificate")
    fingerprint = _fingerprint(certificate)
    if session.get(ClientCertificate, fingerprint) is not None:
        raise Conflict("this certificate is registered already", advice="A renewed certificate is another one.")
    registered = ClientCertificate(
        fingerprint=fingerprint,
        member_id=holder.id,
        subject=certificate.subject.rfc4514_string(),
        created_at=clock.micros(),
        expires_at=expires_at,
        revoked_at=None,
        **bounds.shown,
    )
    session.add(registered)
    session.flush()
    _record(session, membership.OPERATOR, "certificate:register", registered)
    return registered


def revoke(session: Session, member: str, pem: bytes) -> ClientCertificate:
    """End what ``register`` began; it holds at the very next request. Raises NotFound where there is nothing to end."""
    holder = membership.find(session, member)
    return _end(session, holder.id, membership.OPERATOR, _fingerprint(_read(pem)))


def end(session: Session, member_id: str, by: str, fingerprint: str) -> ClientCertificate:
    """The same by the certificate's fingerprint in hexadecimal, for the member's own people."""
    try:
        return _end(session, member_id, by, bytes.fromhex(fingerprint))
    except ValueError:
        raise NotFound(UNKNOWN) from None


def _end(session: Session, member_id: str, by: str, fingerprint: bytes) -> ClientCertificate:
    registered = session.get(ClientCertificate, fingerprint)
    if registered is None or registered.member_id != member_id or registered.revoked_at is not None:
        raise NotFound(UNKNOWN)
    registered.revoked_at = clock.micros()
    session.flush()
    _record(session, by, "certificate:revoke", registered)
    return registered


def authenticate_certificate(session: Session, fingerprint: bytes) -> Actor:
    """The actor of a certificate that the server or a trusted proxy has verified. Raises Unauthenticated."""
    found = session.execute(
        select(ClientCertificate, Member)
        .join(Member, Member.id == ClientCertificate.member_id)
        .where(ClientCertificate.fingerprint == fingerprint)
    ).one_or_none()
    if found is None:
        raise refusal()
    certificate, member = found
    if certificate.revoked_at is not None:
        raise refusal()
    bounds = stored_bounds(certificate)
    return actor_of(session, member, CredentialKind.CERTIFICATE, _name(fingerprint), certificate.expires_at, bounds)


def of_member(session: Session, member_id: str) -> list[ClientCertificate]:
    """The certificates that stand, or stood, for a member, the newest first."""
    found = select(ClientCertificate).where(ClientCertificate.member_id == member_id)
    return list(session.scalars(found.order_by(ClientCertificate.created_at.desc(), ClientCertificate.fingerprint)))


def _name(fingerprint: bytes) -> str:
    return f"certificate:{fingerprint.hex()}"


def _read(pem: bytes) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(pem)
    except ValueError:
        raise InvalidInput("this is not a certificate in PEM form", where="certificate") from None


def _fingerprint(certificate: x509.Certificate) -> bytes:
    return hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest()


def _record(session: Session, by: str, action: str, certificate: ClientCertificate) -> None:
    detail = {
        "fingerprint": certificate.fingerprint.hex(), "subject": certificate.subject,
        "expires_at": certificate.expires_at, **stored_bounds(certificate).shown,
    }  # fmt: skip
    record(session, by, action, certificate.member_id, after=detail)
