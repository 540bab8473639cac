"""The tables of signing in without a password: passkeys, an organisation's own provider, and what was sent once."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, ForeignKey, Index, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from hub.db import Record, Timestamp


class Passkey(Record):
    """A person's passkey (WebAuthn level 2): the authenticator's public key (COSE), and how often it was used.

    ``backed_up``: the authenticator keeps it in an account of the person's, so that it outlives the device.
    """

    __tablename__ = "passkey"
    __table_args__ = (Index("ix_passkey_person", "person_id"),)

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    credential_id: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str] = mapped_column(Text)
    backed_up: Mapped[bool] = mapped_column(Boolean)
    created_at: Mapped[Timestamp]
    last_used_at: Mapped[int | None] = mapped_column(BigInteger)


class SpentChallenge(Record):
    """What was good once and has been used: the SHA-256 of a passkey's challenge or of a sign-in's state."""

    __tablename__ = "spent_challenge"

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    expires_at: Mapped[Timestamp]


class SignInProvider(Record):
    """A member's own OpenID Connect provider. ``client_secret`` is sealed.

    ``amr`` and ``acr`` are the values of these claims that stand for a second factor; none: the hub asks for its own.
    """

    __tablename__ = "sign_in_provider"

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    member_id: Mapped[str] = mapped_column(ForeignKey("member.id"), unique=True)
    issuer: Mapped[str] = mapped_column(Text)
    client_id: Mapped[str] = mapped_column(Text)
    client_secret: Mapped[bytes] = mapped_column(LargeBinary)
    domains: Mapped[list[str]] = mapped_column(JSON)
    amr: Mapped[list[str]] = mapped_column(JSON)
    acr: Mapped[list[str]] = mapped_column(JSON)
    created_at: Mapped[Timestamp]

    @property
    def path(self) -> str:
        """Where the member's people begin to sign in. The id is random: it tells nobody who is a member."""
        return f"/console/sign-in/organisation/{self.id}"


class ProviderSubject(Record):
    """Who a provider's subject is, kept at the first sign-in: from then on the address may change."""

    __tablename__ = "provider_subject"
    __table_args__ = (Index("ix_provider_subject_person", "person_id"),)

    issuer: Mapped[str] = mapped_column(Text, primary_key=True)
    subject: Mapped[str] = mapped_column(Text, primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[Timestamp]


class Reminder(Record):
    """A letter that is sent once for what falls due: ``subject`` names a person, member or key, ``due_at`` its end."""

    __tablename__ = "reminder"

    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    subject: Mapped[str] = mapped_column(Text, primary_key=True)
    due_at: Mapped[Timestamp] = mapped_column(primary_key=True)
    at: Mapped[Timestamp]
