"""The tables of everything that arrives: sources, the inbox, indicators and who contributed to them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)  # fmt: skip
from sqlalchemy.orm import Mapped, mapped_column

from hub.db import Record, Timestamp


class SourceRecord(Record):
    """Where input comes from: a member, or a named feed.

    ``grade`` is the 3x5x2 grade of what states none; ``independence_group`` names who stands behind it, so
    that two mouths of one house count once. ``sighted_ref`` is the STIX identity of a member's sightings.
    ``allows_wider`` says where the source has agreed in writing that its label does not narrow what others say of
    the same value more openly, and is empty where it has not. ``listed_is_seen`` is that of the feed that it is.
    """

    __tablename__ = "source"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(Text, unique=True)
    source_class: Mapped[str] = mapped_column(Text)
    member_id: Mapped[str | None] = mapped_column(Text)
    sighted_ref: Mapped[str | None] = mapped_column(Text)
    grade: Mapped[str] = mapped_column(Text)
    independence_group: Mapped[str] = mapped_column(Text)
    allows_wider: Mapped[str] = mapped_column(Text, default="")
    reading_context: Mapped[bytes] = mapped_column(LargeBinary, default=b"")
    listed_is_seen: Mapped[bool] = mapped_column(Boolean, default=False)


class Feed(Record):
    """An upstream feed: where it is, how it is read, whom it is for, and how its last runs went.

    ``tlp`` is the label of content that states none, ``tlp_ceiling`` the widest that its content may have.
    ``state`` is what the next pull needs of the last one (validators, cursor). ``gone`` is what becomes of
    values that the feed no longer holds: "age" lets them run out, "revoke" takes them back. ``listed_is_seen``: what
    it names without a time counts as seen for as long as it names it.
    """

    __tablename__ = "feed"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    protocol: Mapped[str] = mapped_column(Text)
    url: Mapped[str] = mapped_column(Text)
    format: Mapped[str] = mapped_column(Text)
    mapping: Mapped[dict[str, Any]] = mapped_column(JSON)
    collection: Mapped[str] = mapped_column(Text)
    grade: Mapped[str] = mapped_column(Text)
    tlp: Mapped[int] = mapped_column(SmallInteger)
    tlp_ceiling: Mapped[int] = mapped_column(SmallInteger)
    allows_wider: Mapped[str] = mapped_column(Text, default="")
    groups: Mapped[list[str]] = mapped_column(JSON)
    every_seconds: Mapped[int] = mapped_column(Integer)
    gone: Mapped[str] = mapped_column(Text)
    listed_is_seen: Mapped[bool] = mapped_column(Boolean, default=True)
    username: Mapped[str] = mapped_column(Text)
    secret_variable: Mapped[str] = mapped_column(Text)
    licence: Mapped[str] = mapped_column(Text)
    enabled: Mapped[bool] = mapped_column(Boolean)
    state: Mapped[dict[str, Any]] = mapped_column(JSON)
    failures: Mapped[int] = mapped_column(Integer)
    next_run_at: Mapped[Timestamp]
    lease_until: Mapped[Timestamp]


class FeedRun(Record):
    """One run of a feed and what it brought."""

    __tablename__ = "feed_run"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    feed: Mapped[str] = mapped_column(ForeignKey("feed.name"))
    started_at: Mapped[Timestamp]
    finished_at: Mapped[Timestamp]
    outcome: Mapped[str] = mapped_column(Text)
    fetched_bytes: Mapped[int] = mapped_column(BigInteger)
    counts: Mapped[dict[str, Any]] = mapped_column(JSON)
    message: Mapped[str] = mapped_column(Text)


class Submission(Record):
    """The inbox: one thing that arrived, as it came (sealed), and what became of it.

    ``done`` counts the readings that are finished; it moves in the same transaction as their effect, so a
    crash repeats nothing. A worker that claims a submission holds it until ``lease_until``. ``mapping`` says
    how JSON of an own layout is read, ``rules`` by which rules it was sifted.
    """

    __tablename__ = "submission"
    __table_args__ = (
        UniqueConstraint("source_id", "idempotency_key"),
        Index("ix_submission_state", "state", "received_at"),
        Index("ix_submission_member", "member_id", "received_at", "id"),
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"))
    member_id: Mapped[str | None] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    collection_no: Mapped[int | None] = mapped_column(Integer)
    filename: Mapped[str] = mapped_column(Text)
    format: Mapped[str] = mapped_column(Text)
    mapping: Mapped[dict[str, Any]] = mapped_column(JSON)
    rules: Mapped[str] = mapped_column(Text)
    tlp: Mapped[int | None] = mapped_column(SmallInteger)
    tlp_ceiling: Mapped[int | None] = mapped_column(SmallInteger)
    groups: Mapped[list[int]] = mapped_column(JSON)
    idempotency_key: Mapped[str | None] = mapped_column(Text)
    received_at: Mapped[Timestamp]
    finished_at: Mapped[int | None] = mapped_column(BigInteger)
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    raw: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    total: Mapped[int] = mapped_column(Integer)
    done: Mapped[int] = mapped_column(Integer)
    counts: Mapped[dict[str, Any]] = mapped_column(JSON)
    failure: Mapped[str | None] = mapped_column(Text)
    lease_by: Mapped[str | None] = mapped_column(Text)
    lease_until: Mapped[int | None] = mapped_column(BigInteger)


class Outcome(Record):
    """What became of one object, report or value of a submission, where there is more to say than a count."""

    __tablename__ = "outcome"

    submission_id: Mapped[str] = mapped_column(ForeignKey("submission.id"), primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    status: Mapped[str] = mapped_column(Text)
    where: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    version: Mapped[str | None] = mapped_column(Text)
    message: Mapped[str | None] = mapped_column(Text)


# Few values have one: the others cost the index nothing.
HAS_ACCOUNT = text("account IS NOT NULL")


class Indicator(Record):
    """The hub's one indicator of a canonical value: its present version in short.

    ``key`` is the id that its value gives; ``stix_id`` differs from it once the value has come back after a
    revocation, since a revoked object has no later version (STIX 2.1 section 3.6.2). ``account`` is the sort code and
    account number of a bank account or a British IBAN, by which a check finds either. ``content`` hashes what
    the present version says, and is empty where that one is revoked. ``falls_at`` is when its confidence leaves the
    band that it stands in, None where it does not before it runs out.
    """

    __tablename__ = "indicator"
    __table_args__ = (
        UniqueConstraint("kind", "value"),
        Index("ix_indicator_account", "account", sqlite_where=HAS_ACCOUNT, postgresql_where=HAS_ACCOUNT),
        Index("ix_indicator_created", "created", "kind"),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    key: Mapped[str] = mapped_column(Text, unique=True)
    stix_id: Mapped[str] = mapped_column(Text, unique=True)
    generation: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(Text)
    value: Mapped[str] = mapped_column(Text)
    account: Mapped[str | None] = mapped_column(Text)
    created: Mapped[Timestamp]
    modified: Mapped[Timestamp]
    content: Mapped[bytes] = mapped_column(LargeBinary)
    falls_at: Mapped[int | None] = mapped_column(BigInteger, index=True)


class Contribution(Record):
    """What one source says of one indicator, and in which collections it says so.

    ``fingerprint`` is a hash of the statement: a repeat changes nothing. ``sighting_created`` and
    ``sighting_modified`` are the times of the sighting that members see of it, 0 for a feed's. ``echo``: its member
    was given the indicator before it first spoke. ``derived_from`` are the member's objects that say so, as
    ``contributed.link_row`` writes them. ``renew_at`` is when a value that the source still lists counts as seen anew,
    None where the source states times; ``gone_at`` is since when its feed no longer lists it.
    """

    __tablename__ = "contribution"
    __table_args__ = (Index("ix_contribution_renewal", "source_id", "gone_at", "renew_at"),)

    indicator_id: Mapped[int] = mapped_column(ForeignKey("indicator.id"), primary_key=True)
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"), primary_key=True)
    collections: Mapped[list[int]] = mapped_column(JSON)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    first_seen: Mapped[Timestamp]
    last_seen: Mapped[Timestamp]
    count: Mapped[int] = mapped_column(Integer)
    grade: Mapped[str] = mapped_column(Text)
    tlp: Mapped[int] = mapped_column(SmallInteger)
    groups: Mapped[list[int]] = mapped_column(JSON)
    labels: Mapped[list[str]] = mapped_column(JSON)
    sighting_created: Mapped[Timestamp]
    sighting_modified: Mapped[Timestamp]
    kill_chain_phases: Mapped[list[list[str]]] = mapped_column(JSON, default=list)
    echo: Mapped[bool] = mapped_column(Boolean, default=False)
    derived_from: Mapped[list[list[Any]]] = mapped_column(JSON, default=list)
    renew_at: Mapped[int | None] = mapped_column(BigInteger)
    gone_at: Mapped[int | None] = mapped_column(BigInteger)


class KnownReading(Record):
    """What a source has said, as it stood in its file, and the indicator that it was merged into."""

    __tablename__ = "known_reading"
    __table_args__ = (
        ForeignKeyConstraint(
            ["indicator_id", "source_id"], ["contribution.indicator_id", "contribution.source_id"],
            name="fk_known_reading_contribution", ondelete="CASCADE",
        ),
        Index("ix_known_reading_contribution", "indicator_id", "source_id"),
        {"sqlite_with_rowid": False},
    )  # fmt: skip

    source_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    digest: Mapped[str] = mapped_column(Text, primary_key=True)
    indicator_id: Mapped[int] = mapped_column(Integer)


class Quarantined(Record):
    """A value that a rule held back, with all that its source said of it, and what was decided.

    ``state`` is held, released, rejected, edited or gone (see ``holding``), ``origin`` what it stood in: a plain
    value, a member's object or a report. ``collection_no`` is None where the kind of value decides, as is the case
    for what was held before it was kept. Times in microseconds.
    """

    __tablename__ = "quarantined"
    __table_args__ = (
        UniqueConstraint("source_id", "kind", "value", "reason"),
        Index("ix_quarantined_state_id", "state", "id"),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"))
    submission_id: Mapped[str] = mapped_column(Text)
    where: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    value: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    held_at: Mapped[Timestamp]
    state: Mapped[str] = mapped_column(Text)
    origin: Mapped[str] = mapped_column(Text)
    collection_no: Mapped[int | None] = mapped_column(Integer)
    grade: Mapped[str] = mapped_column(Text)
    tlp: Mapped[int] = mapped_column(SmallInteger)
    groups: Mapped[list[int]] = mapped_column(JSON)
    labels: Mapped[list[str]] = mapped_column(JSON)
    kill_chain_phases: Mapped[list[list[str]]] = mapped_column(JSON)
    first_seen: Mapped[int | None] = mapped_column(BigInteger)
    last_seen: Mapped[int | None] = mapped_column(BigInteger)
    derived_from: Mapped[list[list[Any]]] = mapped_column(JSON, default=list)
    replaced_kind: Mapped[str | None] = mapped_column(Text)
    replaced_value: Mapped[str | None] = mapped_column(Text)
    decided_at: Mapped[int | None] = mapped_column(BigInteger)
    decided_by: Mapped[str | None] = mapped_column(Text)
    decision: Mapped[str | None] = mapped_column(Text)


class QuarantineDecision(Record):
    """What somebody decided of a held value, and what came of it. Append-only."""

    __tablename__ = "quarantine_decision"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("quarantined.id"), index=True)
    at: Mapped[Timestamp]
    by: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(Text)
    why: Mapped[str] = mapped_column(Text)
    effect: Mapped[str] = mapped_column(Text)


class FraudReport(Record):
    """One report of a reporting partner. ``protected`` is sealed: victims, people, the narrative."""

    __tablename__ = "fraud_report"
    __table_args__ = (UniqueConstraint("source_id", "reference"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"))
    submission_id: Mapped[str] = mapped_column(ForeignKey("submission.id"))
    reference: Mapped[str] = mapped_column(Text)
    received_at: Mapped[Timestamp]
    content: Mapped[dict[str, Any]] = mapped_column(JSON)
    protected: Mapped[bytes] = mapped_column(LargeBinary)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    withdrawn: Mapped[bool] = mapped_column(Boolean)


class ReportedValue(Record):
    """A value that a report named: what a withdrawal has to look at. ``held``: it is in quarantine, not published."""

    __tablename__ = "reported_value"

    report_id: Mapped[int] = mapped_column(ForeignKey("fraud_report.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    value: Mapped[str] = mapped_column(Text, primary_key=True)
    held: Mapped[bool] = mapped_column(Boolean, default=False)
