"""The tables of unmasking: a request to learn who an anonymous source is, and the two voices that it takes."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, ForeignKeyConstraint, Integer, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from hub.db import Record, Timestamp


class Unmasking(Record):
    """A request: which object's source, and why. ``shown_until`` ends the time in which the answer is shown."""

    __tablename__ = "unmasking"
    __table_args__ = (
        # What a voice refers to, so that the database compares the two people.
        UniqueConstraint("id", "requested_by"),
        CheckConstraint("(state = 'open') = (shown_until IS NOT NULL)", name="shown_while_open"),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    subject: Mapped[str] = mapped_column(Text)
    member_id: Mapped[str] = mapped_column(ForeignKey("member.id"))
    reason: Mapped[str] = mapped_column(Text)
    requested_by: Mapped[str] = mapped_column(Text)
    requested_at: Mapped[Timestamp]
    state: Mapped[str] = mapped_column(Text)
    shown_until: Mapped[int | None] = mapped_column(BigInteger)


class UnmaskingVoice(Record):
    """One person's voice, for legal or for operations. ``barred`` says why the source is not told."""

    __tablename__ = "unmasking_voice"
    __table_args__ = (
        ForeignKeyConstraint(["unmasking_id", "requested_by"], ["unmasking.id", "unmasking.requested_by"]),
        UniqueConstraint("unmasking_id", "person_id"),
        CheckConstraint("person_id <> requested_by", name="not_by_who_asked"),
        CheckConstraint("function IN ('legal', 'operations')", name="function"),
        CheckConstraint("verdict IN ('approve', 'refuse')", name="verdict"),
        CheckConstraint("barred = '' OR function = 'legal'", name="barred_by_legal"),
    )

    unmasking_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    function: Mapped[str] = mapped_column(Text, primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    requested_by: Mapped[str] = mapped_column(Text)
    verdict: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    barred: Mapped[str] = mapped_column(Text)
    at: Mapped[Timestamp]
