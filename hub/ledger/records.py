"""The ledger's tables.

A **stream** is one distinct (collection, visibility class, STIX type). Every entry belongs to one stream, so
"what may this actor see here" is a short list of stream ids, and a page is a merge of index ranges, one for
each of them: as fast for a member that sees one entry in a thousand as for one that sees all.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from hub.db import Record, Timestamp

# SQLite makes only an INTEGER primary key the row id itself.
Sequence = BigInteger().with_variant(Integer, "sqlite")


class Collection(Record):
    """A TAXII collection."""

    __tablename__ = "collection"

    no: Mapped[int] = mapped_column(Integer, primary_key=True)
    id: Mapped[str] = mapped_column(Text, unique=True)
    alias: Mapped[str] = mapped_column(Text, unique=True)
    title: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text, default="")
    default_tlp: Mapped[int] = mapped_column(SmallInteger)


class CollectionAudience(Record):
    """One audience that may read or write a collection: members, role:R, group:ID, member:ID."""

    __tablename__ = "collection_audience"

    collection_no: Mapped[int] = mapped_column(ForeignKey("collection.no"), primary_key=True)
    action: Mapped[str] = mapped_column(Text, primary_key=True)
    audience: Mapped[str] = mapped_column(Text, primary_key=True)


class VisibilityClass(Record):
    """One distinct combination of TLP, sharing groups and named recipients; ``key`` spells it out.

    ``fields`` names the stricter markings on parts of its objects ("amber,personal-data"; "" for none): who may not
    see such a part is given the object without it. ``personal``: the whole object is for those alone who hold a
    grant of personal data.
    """

    __tablename__ = "visibility_class"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    key: Mapped[str] = mapped_column(Text, unique=True)
    tlp: Mapped[int] = mapped_column(SmallInteger)
    disputed: Mapped[int] = mapped_column(SmallInteger, default=0)
    fields: Mapped[str] = mapped_column(Text, default="", server_default="")
    personal: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")


class ClassGroup(Record):
    """A sharing group of a visibility class."""

    __tablename__ = "visibility_class_group"

    class_id: Mapped[int] = mapped_column(ForeignKey("visibility_class.id"), primary_key=True)
    group_id: Mapped[int] = mapped_column(Integer, primary_key=True)


class ClassRecipient(Record):
    """A named recipient of a visibility class."""

    __tablename__ = "visibility_class_recipient"

    class_id: Mapped[int] = mapped_column(ForeignKey("visibility_class.id"), primary_key=True)
    member_id: Mapped[str] = mapped_column(Text, primary_key=True)


class Stream(Record):
    """One distinct (collection, visibility class, STIX type)."""

    __tablename__ = "stream"
    __table_args__ = (UniqueConstraint("collection_no", "class_id", "stix_type"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    collection_no: Mapped[int] = mapped_column(ForeignKey("collection.no"))
    class_id: Mapped[int] = mapped_column(ForeignKey("visibility_class.id"))
    stix_type: Mapped[str] = mapped_column(Text)


class Entry(Record):
    """One statement of the log: one version of one object in one collection.

    ``body`` is the signed object in RFC 8785 form; without the bytes from ``cut_start`` to ``cut_end`` it is
    the object as it was accepted. ``version`` is the object's own text (modified, else created), NULL where
    it has neither; ``version_key`` sorts as the instants do. ``latest`` and ``earliest`` mark the newest and
    oldest version of the object in its collection.
    """

    __tablename__ = "entry"
    __table_args__ = (
        UniqueConstraint("collection_no", "stix_id", "version_key"),
        Index("ix_entry_stream_seq", "stream_id", "seq"),
        # Not partial (latest = 1): SQLite then takes the other index and reads every row to see its mark.
        Index("ix_entry_stream_latest", "stream_id", "latest", "seq"),
        Index("ix_entry_stream_version", "stream_id", "version_key", "seq"),
    )

    seq: Mapped[int] = mapped_column(Sequence, primary_key=True, autoincrement=False)
    date_added: Mapped[Timestamp] = mapped_column(unique=True)
    collection_no: Mapped[int] = mapped_column(Integer)
    stream_id: Mapped[int] = mapped_column(Integer)
    stix_id: Mapped[str] = mapped_column(Text)
    version: Mapped[str | None] = mapped_column(Text)
    version_key: Mapped[str] = mapped_column(Text)
    latest: Mapped[int] = mapped_column(SmallInteger)
    earliest: Mapped[int] = mapped_column(SmallInteger)
    source_id: Mapped[int] = mapped_column(Integer)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    statement: Mapped[str] = mapped_column(Text)
    cut_start: Mapped[int] = mapped_column(Integer)
    cut_end: Mapped[int] = mapped_column(Integer)
    body: Mapped[bytes] = mapped_column(LargeBinary)


class DetachedReceipt(Record):
    """The receipt of an entry whose object cannot carry one (extension definitions, the TLP markings)."""

    __tablename__ = "detached_receipt"

    seq: Mapped[int] = mapped_column(ForeignKey("entry.seq"), primary_key=True)
    seed: Mapped[bytes] = mapped_column(LargeBinary)
    receipt: Mapped[str] = mapped_column(Text)


class LogHead(Record):
    """The newest ``seq`` and ``date_added``; one row, written under the append lock."""

    __tablename__ = "log_head"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    seq: Mapped[int] = mapped_column(Sequence)
    date_added: Mapped[Timestamp]


class AccessEpoch(Record):
    """A counter that triggers raise at every change of who may see what; one row.

    A process may keep what it knows of members, credentials and streams exactly as long as this number stays
    the same: one tiny read on each request replaces all others, and a suspension still holds at once.
    """

    __tablename__ = "access_epoch"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    epoch: Mapped[int] = mapped_column(BigInteger)


class Disclosure(Record):
    """Entries that a member was given. ``runs`` holds them: gap and length of each run, as variable-length numbers.

    ``redacted`` holds in the same form, its first gap from ``first_seq``, those of them that were given without some
    of their parts; None where all were given whole.
    """

    __tablename__ = "disclosure"
    __table_args__ = (
        Index("ix_disclosure_collection_no_first_seq", "collection_no", "first_seq", "last_seq"),
        Index("ix_disclosure_member_id", "member_id", "collection_no", "last_seq", "id"),
    )

    id: Mapped[int] = mapped_column(Sequence, primary_key=True)
    member_id: Mapped[str] = mapped_column(Text)
    collection_no: Mapped[int] = mapped_column(Integer)
    at: Mapped[Timestamp]
    first_seq: Mapped[int] = mapped_column(BigInteger)
    last_seq: Mapped[int] = mapped_column(BigInteger)
    objects: Mapped[int] = mapped_column(Integer)
    runs: Mapped[bytes] = mapped_column(LargeBinary)
    user_agent: Mapped[str] = mapped_column(Text)
    status: Mapped[int] = mapped_column(SmallInteger)
    redacted: Mapped[bytes | None] = mapped_column(LargeBinary)


class LastPoll(Record):
    """When and how a member last asked for a collection's objects, and how often it has."""

    __tablename__ = "last_poll"

    member_id: Mapped[str] = mapped_column(Text, primary_key=True)
    collection_no: Mapped[int] = mapped_column(Integer, primary_key=True)
    at: Mapped[Timestamp]
    cursor: Mapped[int] = mapped_column(BigInteger)
    objects: Mapped[int] = mapped_column(Integer)
    polls: Mapped[int] = mapped_column(BigInteger)
    user_agent: Mapped[str] = mapped_column(Text)
    status: Mapped[int] = mapped_column(SmallInteger)
