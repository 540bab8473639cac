"""The members' tables."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, ForeignKey, Index, Integer, LargeBinary, SmallInteger, Text
from sqlalchemy.orm import Mapped, mapped_column

from hub.db import Record, Timestamp


class SharingGroup(Record):
    """A named group of members that share AMBER content."""

    __tablename__ = "sharing_group"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(Text, unique=True)


class Member(Record):
    """An organisation. Only ``active`` members get anything, whatever their credentials say."""

    __tablename__ = "member"

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text, unique=True)
    kind: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    clearance: Mapped[int] = mapped_column(SmallInteger)
    roles: Mapped[list[str]] = mapped_column(JSON)
    anonymous: Mapped[bool] = mapped_column(Boolean)
    identity_ref: Mapped[str] = mapped_column(Text)
    sighted_ref: Mapped[str] = mapped_column(Text)
    created_at: Mapped[Timestamp]


class MemberGroup(Record):
    """A member's place in a sharing group."""

    __tablename__ = "member_group"

    member_id: Mapped[str] = mapped_column(ForeignKey("member.id"), primary_key=True)
    group_id: Mapped[int] = mapped_column(ForeignKey("sharing_group.id"), primary_key=True)


class CorporateKey(Record):
    """What two organisations of one corporate group share; ``organisation`` is the id of a member or of a case."""

    __tablename__ = "corporate_key"
    __table_args__ = (Index("ix_corporate_key_key", "key"),)

    organisation: Mapped[str] = mapped_column(Text, primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)


class Credential(Record):
    """An API credential: a user name and the SHA-256 of a random token (shown once, never stored).

    ``scopes`` are the permissions that it carries of those its member has, ``networks`` the addresses from which it
    holds; None where it is not bounded. ``issued_by`` is the person who made it, None where an operator did.
    """

    __tablename__ = "credential"

    username: Mapped[str] = mapped_column(Text, primary_key=True)
    member_id: Mapped[str] = mapped_column(ForeignKey("member.id"))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    label: Mapped[str] = mapped_column(Text)
    created_at: Mapped[Timestamp]
    expires_at: Mapped[int | None] = mapped_column(BigInteger)
    revoked_at: Mapped[int | None] = mapped_column(BigInteger)
    scopes: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    networks: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    issued_by: Mapped[str | None] = mapped_column(Text)


class ClientCertificate(Record):
    """A TLS client certificate that stands for a credential, known by the SHA-256 of its DER form.

    ``scopes`` and ``networks`` bound it as they do a credential.
    """

    __tablename__ = "client_certificate"

    fingerprint: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    member_id: Mapped[str] = mapped_column(ForeignKey("member.id"))
    subject: Mapped[str] = mapped_column(Text)
    created_at: Mapped[Timestamp]
    expires_at: Mapped[Timestamp]
    revoked_at: Mapped[int | None] = mapped_column(BigInteger)
    scopes: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    networks: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))


class CredentialUse(Record):
    """When a credential was last used, and from where; apart from it, so that a use does not raise the epoch."""

    __tablename__ = "credential_use"

    username: Mapped[str] = mapped_column(ForeignKey("credential.username"), primary_key=True)
    at: Mapped[Timestamp]
    address: Mapped[str] = mapped_column(Text)


class CredentialRefusal(Record):
    """That a good credential was refused for the address that it came from: how often, when and where last.

    ``username`` is a credential's, or ``certificate:`` and the fingerprint of a certificate.
    """

    __tablename__ = "credential_refusal"

    username: Mapped[str] = mapped_column(Text, primary_key=True)
    at: Mapped[Timestamp]
    address: Mapped[str] = mapped_column(Text)
    times: Mapped[int] = mapped_column(BigInteger)
