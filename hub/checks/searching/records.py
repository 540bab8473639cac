"""The tables of searches: what was asked by whom and what for, what it matched, and what watches over it.

No table here holds a value or a name: values stand as keyed hashes of their own label
(``hub.checks.searching.searches``), words of members are sealed. ``check_search``, ``check_search_hash``,
``check_match`` and ``check_decision`` are append-only.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, LargeBinary, SmallInteger, Text
from sqlalchemy.orm import Mapped, mapped_column

from hub.db import Record, Timestamp

# SQLite makes only an INTEGER primary key the row id itself.
Sequence = BigInteger().with_variant(Integer, "sqlite")


class Search(Record):
    """One search of one subject or of a batch; ``no`` rises in the order of commits.

    ``hashes`` holds 16 bytes for each subject, ``near`` 8 bytes for each (the neighbourhood of its number),
    ``outcomes`` one letter for each (``hub.checks.searching.answers.LETTERS``). ``sealed`` holds the case reference
    and the asker's own references. ``channel``: "api", "job", "console".
    """

    __tablename__ = "check_search"
    __table_args__ = (Index("ix_check_search_member_id_at", "member_id", "at"),)

    no: Mapped[int] = mapped_column(Sequence, primary_key=True)
    id: Mapped[str] = mapped_column(Text, unique=True)
    member_id: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    at: Mapped[Timestamp]
    purpose: Mapped[str] = mapped_column(Text)
    gateway: Mapped[str] = mapped_column(Text)
    channel: Mapped[str] = mapped_column(Text)
    size: Mapped[int] = mapped_column(Integer)
    outcomes: Mapped[str] = mapped_column(Text)
    hashes: Mapped[bytes] = mapped_column(LargeBinary)
    near: Mapped[bytes] = mapped_column(LargeBinary)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class SearchHash(Record):
    """That a search asked for a value; written by the watch, so that no answer waits for it. Zeros are left out."""

    __tablename__ = "check_search_hash"
    __table_args__ = (Index("ix_check_search_hash_search_no", "search_no"), {"sqlite_with_rowid": False})

    hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    search_no: Mapped[int] = mapped_column(ForeignKey("check_search.no"), primary_key=True)


class SearchMatch(Record):
    """What a check rested on: a filing's id or an indicator's. Rows of ``known_ref`` "" are padding: hit and miss
    write alike.
    """

    __tablename__ = "check_match"
    __table_args__ = (Index("ix_check_match_known_ref", "known_ref"),)

    search_no: Mapped[int] = mapped_column(ForeignKey("check_search.no"), primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    known_ref: Mapped[str] = mapped_column(Text, primary_key=True)


class SearchAnswer(Record):
    """What a search was answered, sealed, to be read again until ``delete_after``."""

    __tablename__ = "check_answer"
    __table_args__ = (Index("ix_check_answer_delete_after", "delete_after"),)

    search_no: Mapped[int] = mapped_column(ForeignKey("check_search.no"), primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    delete_after: Mapped[Timestamp]


class SearchDecision(Record):
    """What the checker decided after an answer, in its own words (sealed)."""

    __tablename__ = "check_decision"
    __table_args__ = (Index("ix_check_decision_search_no", "search_no"),)

    id: Mapped[int] = mapped_column(Sequence, primary_key=True)
    search_no: Mapped[int] = mapped_column(ForeignKey("check_search.no"))
    position: Mapped[int | None] = mapped_column(Integer)
    at: Mapped[Timestamp]
    by: Mapped[str] = mapped_column(Text)
    decision: Mapped[str] = mapped_column(Text)
    justifies: Mapped[int] = mapped_column(SmallInteger)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class SearchSample(Record):
    """A search that was drawn: its member says by ``due_at`` why it was made."""

    __tablename__ = "check_sample"
    __table_args__ = (Index("ix_check_sample_member_id_purpose", "member_id", "purpose", "justified_at"),)

    search_no: Mapped[int] = mapped_column(ForeignKey("check_search.no"), primary_key=True)
    member_id: Mapped[str] = mapped_column(Text)
    purpose: Mapped[str] = mapped_column(Text)
    due_at: Mapped[Timestamp]
    justified_at: Mapped[int | None] = mapped_column(BigInteger)


class QuotaUse(Record):
    """How many subjects a member has asked for in a period ("hour", "day") that began at ``start``."""

    __tablename__ = "check_quota_use"

    member_id: Mapped[str] = mapped_column(Text, primary_key=True)
    purpose: Mapped[str] = mapped_column(Text, primary_key=True)
    period: Mapped[str] = mapped_column(Text, primary_key=True)
    start: Mapped[Timestamp] = mapped_column(primary_key=True)
    used: Mapped[int] = mapped_column(Integer)


class Quota(Record):
    """A member's own quota for a purpose, where it is not the settings'."""

    __tablename__ = "check_quota"

    member_id: Mapped[str] = mapped_column(Text, primary_key=True)
    purpose: Mapped[str] = mapped_column(Text, primary_key=True)
    per_hour: Mapped[int] = mapped_column(Integer)
    per_day: Mapped[int] = mapped_column(Integer)


class Alarm(Record):
    """Something about a member's searches that a duty officer should look at; at most one of a kind in a ``window``."""

    __tablename__ = "check_alarm"
    __table_args__ = (Index("ix_check_alarm_window", "member_id", "kind", "window", unique=True),)

    id: Mapped[int] = mapped_column(Sequence, primary_key=True)
    at: Mapped[Timestamp]
    member_id: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    window: Mapped[str] = mapped_column(Text)
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)
    handled_at: Mapped[int | None] = mapped_column(BigInteger)
    handled_by: Mapped[str | None] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text)


class Canary(Record):
    """A value that nobody has a reason to ask for. ``hash`` as searches hold it, the value itself sealed."""

    __tablename__ = "check_canary"

    id: Mapped[int] = mapped_column(Sequence, primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    note: Mapped[str] = mapped_column(Text)
    added_by: Mapped[str] = mapped_column(Text)
    added_at: Mapped[Timestamp]
    removed_at: Mapped[int | None] = mapped_column(BigInteger)


class WatchedUntil(Record):
    """The last search that the watch has looked at; one row."""

    __tablename__ = "check_watched_until"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    search_no: Mapped[int] = mapped_column(BigInteger)


class CheckJob(Record):
    """A file of subjects that a worker checks. ``raw`` and ``result`` are sealed and deleted after ``delete_after``."""

    __tablename__ = "check_job"
    __table_args__ = (Index("ix_check_job_state", "state", "received_at"),)

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    member_id: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    purpose: Mapped[str] = mapped_column(Text)
    gateway: Mapped[str] = mapped_column(Text)
    case_reference: Mapped[bytes] = mapped_column(LargeBinary)
    format: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    received_at: Mapped[Timestamp]
    finished_at: Mapped[int | None] = mapped_column(BigInteger)
    total: Mapped[int] = mapped_column(Integer)
    done: Mapped[int] = mapped_column(Integer)
    raw: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    failure: Mapped[str | None] = mapped_column(Text)
    lease_by: Mapped[str | None] = mapped_column(Text)
    lease_until: Mapped[int | None] = mapped_column(BigInteger)
    delete_after: Mapped[Timestamp]


class CheckJobPart(Record):
    """The answers to one part of a job's file, sealed; the parts in their order are the result."""

    __tablename__ = "check_job_part"

    job_id: Mapped[str] = mapped_column(ForeignKey("check_job.id"), primary_key=True)
    start: Mapped[int] = mapped_column(Integer, primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
