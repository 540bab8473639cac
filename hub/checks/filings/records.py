"""The tables of filings and of the checking index.

Nothing in them tells whom or what a filing is about: the document is sealed under a key of its own
(``wrapped_key``), identifiers stand as keyed tags (``index``) beside their sealed text. The rules of
``hub.db.filing_rules`` hold whoever writes: an approver is another person of the same member, known fraud is
live only once approved, what has ended stays so, the history is append-only until the filing is due for erasure.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
)  # fmt: skip
from sqlalchemy.orm import Mapped, mapped_column

from hub.clock import DAY
from hub.db import Record, Timestamp

KNOWN_FRAUD = "known_fraud"
INTELLIGENCE = "intelligence"
PENDING, LIVE, DISPUTED = "pending", "live", "disputed"
WITHDRAWN, EXPIRED, REFUSED = "withdrawn", "expired", "refused"
STATES = (PENDING, LIVE, DISPUTED, WITHDRAWN, EXPIRED, REFUSED)
ENDED = frozenset({WITHDRAWN, EXPIRED, REFUSED})
# The four pillars of known fraud, one bit each.
ALL_PILLARS = 15
# Six calendar years are 2,191 days or one more.
LONGEST_MICROS = 2191 * DAY


class Filing(Record):
    """What a member says of one fraudster, account or victim: its present version.

    Only ``state`` "live" answers checks, and only until ``valid_until`` (the latest of its identifiers').
    ``filed_by`` wrote this version, ``approved_by`` (a person of the same member, never the writer) let it count as
    known fraud; both are person ids, or "credential:NAME" for what an API key filed. ``filed_at`` is the first
    version's and never moves; ``amended_at`` the present one's. ``source_group`` is who stands behind it, as the
    merge counts independence. ``grade`` is 3x5x2 with its handling ("1B:P"). ``class_id`` is the visibility class
    of the ledger. ``pillars`` is a sum of bits. ``sealed`` holds the whole document, conditions and all.
    """

    __tablename__ = "filing"
    __table_args__ = (
        UniqueConstraint("member_id", "reference"),
        CheckConstraint("state IN ('pending', 'live', 'disputed', 'withdrawn', 'expired', 'refused')", name="state"),
        CheckConstraint("approved_by IS NULL OR approved_by <> filed_by", name="four_eyes"),
        CheckConstraint(
            "tier = 'intelligence' OR (tier = 'known_fraud' AND pillars = 15 AND evidence <> '')", name="tier"
        ),
        CheckConstraint("tier <> 'known_fraud' OR state <> 'live' OR approved_by IS NOT NULL", name="approved"),
        CheckConstraint(f"valid_until <= filed_at + {LONGEST_MICROS}", name="six_years"),
        CheckConstraint("purpose <> '' AND legal_gateway <> '' AND case_reference <> ''", name="basis"),
        Index("ix_filing_due", "state", "valid_until"),
        Index("ix_filing_filed_at", "filed_at", "member_id"),
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    member_id: Mapped[str] = mapped_column(ForeignKey("member.id"))
    source_group: Mapped[str] = mapped_column(Text)
    reference: Mapped[str] = mapped_column(Text)
    tier: Mapped[str] = mapped_column(Text)
    category: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    grade: Mapped[str] = mapped_column(Text)
    purpose: Mapped[str] = mapped_column(Text)
    legal_gateway: Mapped[str] = mapped_column(Text)
    case_reference: Mapped[str] = mapped_column(Text)
    evidence: Mapped[str] = mapped_column(Text)
    pillars: Mapped[int] = mapped_column(SmallInteger)
    action: Mapped[str] = mapped_column(Text)
    tlp: Mapped[int] = mapped_column(SmallInteger)
    class_id: Mapped[int] = mapped_column(ForeignKey("visibility_class.id"))
    state: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(Integer)
    filed_by: Mapped[str] = mapped_column(Text)
    filed_at: Mapped[Timestamp]
    amended_at: Mapped[Timestamp]
    approved_by: Mapped[str | None] = mapped_column(Text)
    approved_at: Mapped[int | None] = mapped_column(BigInteger)
    disputed_by: Mapped[str | None] = mapped_column(Text)
    ended_at: Mapped[int | None] = mapped_column(BigInteger)
    reported_at: Mapped[Timestamp]
    first_seen: Mapped[Timestamp]
    last_seen: Mapped[Timestamp]
    valid_until: Mapped[Timestamp]
    wrapped_key: Mapped[bytes] = mapped_column(LargeBinary)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class FilingIdentifier(Record):
    """One text under which a live or pending filing is found; rows of an earlier version are gone.

    ``position`` numbers the filing's rows. ``kind`` is the subject's kind, ``facet`` that of the term (a British
    IBAN stands under "iban" and "bank-account"; a person under "person-name-birth", "person-birth", …). ``exact``
    is the term's: without it a match is "possible" at most. ``sealed`` opens to JSON {"facet", "text", "name", "born"}:
    the term, for a new epoch's tag, and a person's canonical name and birth date. ``published``: its value stands in
    the ledger because of this filing. ``valid_until`` is this kind's.
    """

    __tablename__ = "filing_identifier"
    __table_args__ = (Index("ix_filing_identifier_tag", "tag", "valid_until"),)

    filing_id: Mapped[str] = mapped_column(ForeignKey("filing.id"), primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    facet: Mapped[str] = mapped_column(Text)
    exact: Mapped[bool] = mapped_column(Boolean)
    epoch: Mapped[int] = mapped_column(Integer)
    tag: Mapped[bytes] = mapped_column(LargeBinary)
    valid_until: Mapped[Timestamp]
    published: Mapped[bool] = mapped_column(Boolean)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class FilingVersion(Record):
    """A version of a filing as it was written: the document sealed under the filing's key."""

    __tablename__ = "filing_version"

    filing_id: Mapped[str] = mapped_column(ForeignKey("filing.id"), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    filed_by: Mapped[str] = mapped_column(Text)
    at: Mapped[Timestamp]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class FilingEvent(Record):
    """One thing that happened to a filing. ``why`` is sealed under the filing's key (a person wrote it)."""

    __tablename__ = "filing_event"
    __table_args__ = (Index("ix_filing_event_filing_id", "filing_id"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    filing_id: Mapped[str] = mapped_column(ForeignKey("filing.id"))
    version: Mapped[int] = mapped_column(Integer)
    at: Mapped[Timestamp]
    by: Mapped[str] = mapped_column(Text)
    what: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    why: Mapped[bytes] = mapped_column(LargeBinary)


class IndexEpoch(Record):
    """An epoch of the index key. Tags of every epoch that is not retired are searched; the newest is written."""

    __tablename__ = "index_epoch"

    epoch: Mapped[int] = mapped_column(Integer, primary_key=True)
    made_at: Mapped[Timestamp]
    retired_at: Mapped[int | None] = mapped_column(BigInteger)
