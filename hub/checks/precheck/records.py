"""The tables of the private pre-check, of correction notices and of subject access.

No table here holds a value: ``precheck_output`` and the sets hold what only the pre-check's key can make of a value,
and that key is in no database. A subject's request is kept as keyed hashes and one sealed document.
"""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, CheckConstraint, ForeignKey, Index, Integer, LargeBinary, Text
from sqlalchemy import UniqueConstraint as Unique
from sqlalchemy.orm import Mapped, mapped_column

from hub.db import Record, Timestamp


class PrecheckEpoch(Record):
    """A key of the pre-check: ``number`` is its place in the ring of keys outside the database.

    The newest is evaluated for all; an older one until ``refused_after``. ``building_until`` holds off other
    workers while one builds its sets, and for a while after.
    """

    __tablename__ = "precheck_epoch"

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    made_at: Mapped[Timestamp]
    refused_after: Mapped[int | None] = mapped_column(BigInteger)
    building_until: Mapped[Timestamp]


class PrecheckOutput(Record):
    """What the oblivious function gives for a value that is known, so that it is worked out once.

    ``value_key`` is 16 bytes of an HMAC of the value under a subkey of the hub's secret.
    """

    __tablename__ = "precheck_output"

    epoch: Mapped[int] = mapped_column(ForeignKey("precheck_epoch.number"), primary_key=True)
    value_key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    output: Mapped[bytes] = mapped_column(LargeBinary)


class PrecheckSet(Record):
    """One version of the set of one audience, as it is downloaded.

    An audience is a visibility class, and for indicators the collection they stand in (NULL for filings).
    ``content`` tells whether the next version would be the same; ``sha256`` is of ``body``, ``size`` its bytes.
    """

    __tablename__ = "precheck_set"
    __table_args__ = (Index("ix_precheck_set_audience", "collection_no", "class_id"),)

    version: Mapped[str] = mapped_column(Text, primary_key=True)
    epoch: Mapped[int] = mapped_column(ForeignKey("precheck_epoch.number"))
    collection_no: Mapped[int | None] = mapped_column(ForeignKey("collection.no"))
    class_id: Mapped[int] = mapped_column(ForeignKey("visibility_class.id"))
    content: Mapped[bytes] = mapped_column(LargeBinary)
    entries: Mapped[int] = mapped_column(Integer)
    size: Mapped[int] = mapped_column(Integer)
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    body: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    published_at: Mapped[Timestamp]
    superseded_at: Mapped[int | None] = mapped_column(BigInteger)


class CorrectionNotice(Record):
    """What a member is told when a filing that it was given as a match has been corrected.

    ``event_id`` is the filing's event; ``checks`` holds the ids of the member's checks that matched on it.
    """

    __tablename__ = "correction_notice"
    __table_args__ = (Unique("event_id", "member_id"), Index("ix_correction_notice_member_id", "member_id", "at"))

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    event_id: Mapped[int] = mapped_column(Integer)
    member_id: Mapped[str] = mapped_column(ForeignKey("member.id"))
    what: Mapped[str] = mapped_column(Text)
    at: Mapped[Timestamp]
    checks: Mapped[list[str]] = mapped_column(JSON)


class SubjectAccessRequest(Record):
    """A person's request for what is held about them (UK GDPR article 15), and what was decided.

    ``decided_by`` is the named person who answered. ``exemption``: the crime exemption (DPA 2018 schedule 2
    paragraph 2) was used, and ``withheld`` counts what was left out; its reason is in ``sealed`` with the answer.
    """

    __tablename__ = "subject_access_request"
    __table_args__ = (
        CheckConstraint("decided_by <> ''", name="decided_by"),
        CheckConstraint("exemption OR withheld = 0", name="withheld"),
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    at: Mapped[Timestamp]
    reference: Mapped[str] = mapped_column(Text, unique=True)
    decided_by: Mapped[str] = mapped_column(Text)
    exemption: Mapped[bool] = mapped_column(Boolean)
    disclosed: Mapped[int] = mapped_column(Integer)
    withheld: Mapped[int] = mapped_column(Integer)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
