"""The tables of people: who signs in to the console, by what, and what is sent to them."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, Index, Integer, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from hub.db import Record, Timestamp


class Person(Record):
    """A named person of a member, or of the hub itself (``member_id`` is null).

    ``email`` is in its canonical, lower-case form. ``totp_secret`` is sealed; ``totp_step`` is the last time step
    that a code was taken for, so that none is taken twice. ``failures`` counts wrong passwords and codes in a row.

    ``invited_as``: the row stands in for somebody who was invited under this address, which is known elsewhere
    already; its own ``email`` is one that nobody has, so that it never signs in. Whoever invited sees no difference.
    """

    __tablename__ = "person"
    __table_args__ = (
        CheckConstraint("email = lower(email)", name="email_lower"),
        Index("ix_person_member", "member_id"),
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    member_id: Mapped[str | None] = mapped_column(ForeignKey("member.id"))
    email: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    roles: Mapped[list[str]] = mapped_column(JSON)
    status: Mapped[str] = mapped_column(Text)
    password_hash: Mapped[str | None] = mapped_column(Text)
    totp_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    totp_step: Mapped[int] = mapped_column(BigInteger)
    failures: Mapped[int] = mapped_column(Integer)
    locked_until: Mapped[Timestamp]
    created_at: Mapped[Timestamp]
    last_seen_at: Mapped[int | None] = mapped_column(BigInteger)
    invited_as: Mapped[str | None] = mapped_column(Text)

    @property
    def address(self) -> str:
        """The address as whoever invited the person knows it."""
        return self.invited_as or self.email


class RecoveryCode(Record):
    """One use of the second factor without the device; only its hash is kept."""

    __tablename__ = "recovery_code"

    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), primary_key=True)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    used_at: Mapped[int | None] = mapped_column(BigInteger)


class OneTimeLink(Record):
    """An invitation or a reset: good once, until it expires. ``purpose``: "invitation" or "reset"."""

    __tablename__ = "one_time_link"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    purpose: Mapped[str] = mapped_column(Text)
    created_at: Mapped[Timestamp]
    expires_at: Mapped[Timestamp]
    used_at: Mapped[int | None] = mapped_column(BigInteger)


class BrowserSession(Record):
    """A person's session in one browser, known by the SHA-256 of its token.

    Until ``second_factor_at`` is set it is good for nothing but giving the second factor. ``begun_by`` is what it
    began with: "password", "passkey" or "organisation". ``notice`` is shown on the next page, once.
    """

    __tablename__ = "browser_session"
    __table_args__ = (Index("ix_browser_session_person", "person_id"),)

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    id: Mapped[str] = mapped_column(Text, unique=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[Timestamp]
    last_seen_at: Mapped[Timestamp]
    expires_at: Mapped[Timestamp]
    second_factor_at: Mapped[int | None] = mapped_column(BigInteger)
    begun_by: Mapped[str] = mapped_column(Text, default="password")
    revoked_at: Mapped[int | None] = mapped_column(BigInteger)
    address: Mapped[str] = mapped_column(Text)
    user_agent: Mapped[str] = mapped_column(Text)
    notice: Mapped[str] = mapped_column(Text)


class OutgoingMessage(Record):
    """A message that waits to be sent, or was; ``body`` is sealed (it may hold a link) and emptied once sent."""

    __tablename__ = "outgoing_message"

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    recipient: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[Timestamp]
    sent_at: Mapped[int | None] = mapped_column(BigInteger)
    failures: Mapped[int] = mapped_column(Integer)
    next_try_at: Mapped[Timestamp]


class PeopleAttestation(Record):
    """A primary contact's word, each quarter, that an organisation's people are the right ones."""

    __tablename__ = "people_attestation"

    member_id: Mapped[str] = mapped_column(ForeignKey("member.id"), primary_key=True)
    at: Mapped[Timestamp] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    people: Mapped[list[str]] = mapped_column(JSON)
