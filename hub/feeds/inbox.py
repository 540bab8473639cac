"""The inbox: what arrives is stored as it came, in one commit, before anything is done with it.

The submissions table is the queue as well: a worker claims a row, so a crash loses neither the submission nor
its place.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub import clock
from hub.audit import record
from hub.errors import Conflict, NotFound
from hub.feeds.records import Outcome, SourceRecord, Submission
from hub.sealing import Vault

ENVELOPE = "envelope"
REPORTS = "reports"
WITHDRAWAL = "withdrawal"
RETRACTION = "retraction"
FILINGS = "filings"
FILE = "file"
INDICATORS = "indicators"
SIGHTINGS = "sightings"

# What one source sends of these kinds builds on what it sent before.
IN_ORDER = (REPORTS, WITHDRAWAL, FILINGS)

PENDING = "pending"
RUNNING = "running"
COMPLETE = "complete"
FAILED = "failed"

UUID_FORM = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Arrival:
    """One thing that has arrived. ``total`` is 0 where it is not known before it is read.

    ``tlp`` is the label of content that states none, ``tlp_ceiling`` the widest of what does; without it, ``tlp``.
    """

    kind: str
    source_id: int
    actor: str
    raw: bytes
    total: int = 0
    member_id: str | None = None
    collection_no: int | None = None
    filename: str = ""
    format: str = "auto"
    mapping: dict[str, Any] = field(default_factory=dict)
    tlp: int | None = None
    tlp_ceiling: int | None = None
    groups: frozenset[int] = frozenset()
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class OutcomeView:
    """What became of one object, report or value."""

    status: str
    where: str
    subject: str
    version: str | None
    message: str | None


@dataclass(frozen=True, slots=True)
class SubmissionView:
    """A submission and what became of it so far."""

    id: str
    kind: str
    state: str
    received_at: int
    finished_at: int | None
    collection_no: int | None
    total: int
    done: int
    format: str
    counts: dict[str, Any]
    failure: str | None
    outcomes: list[OutcomeView] = field(default_factory=list)

    @property
    def finished(self) -> bool:
        """Nothing more will happen."""
        return self.state in (COMPLETE, FAILED)


def receive(session: Session, vault: Vault, arrival: Arrival) -> SubmissionView:
    """Put ``arrival`` into the inbox, sealed.

    The same ``idempotency_key`` from the same source gives the earlier submission again; with another content
    it raises Conflict.
    """
    digest = hashlib.sha256(arrival.raw).digest()
    if arrival.idempotency_key is not None:
        # One at a time for each source: two requests with one key that come at once agree on one submission.
        session.get_one(SourceRecord, arrival.source_id, with_for_update=True, populate_existing=True)
        earlier = session.scalar(
            select(Submission).where(
                Submission.source_id == arrival.source_id,
                Submission.idempotency_key == arrival.idempotency_key,
            )
        )
        if earlier is not None:
            if earlier.sha256 != digest:
                raise Conflict(
                    "this Idempotency-Key was used for another content",
                    where="Idempotency-Key",
                    advice="Use a new key for a new submission.",
                )
            return view(session, earlier)
    submission_id = str(uuid.uuid4())
    submission = Submission(
        id=submission_id,
        kind=arrival.kind,
        state=PENDING,
        source_id=arrival.source_id,
        member_id=arrival.member_id,
        actor=arrival.actor,
        collection_no=arrival.collection_no,
        filename=arrival.filename,
        format=arrival.format,
        mapping=arrival.mapping,
        rules="",
        tlp=arrival.tlp,
        tlp_ceiling=arrival.tlp_ceiling,
        groups=sorted(arrival.groups),
        idempotency_key=arrival.idempotency_key,
        received_at=clock.micros(),
        sha256=digest,
        raw=vault.seal(arrival.raw, sealing_context(submission_id)),
        total=arrival.total,
        done=0,
        counts={},
    )
    session.add(submission)
    session.flush()
    record(
        session, arrival.actor, "submission:receive", submission_id,
        after={"kind": arrival.kind, "bytes": len(arrival.raw), "sha256": digest.hex()},
    )  # fmt: skip
    return view(session, submission)


def of_member(session: Session, submission_id: str, member_id: str) -> SubmissionView:
    """A submission of this member. Raises NotFound, also for another member's."""
    found = session.get(Submission, submission_id) if UUID_FORM.fullmatch(submission_id) else None
    if found is None or found.member_id != member_id:
        raise NotFound("there is no such submission", advice="A status is kept for at least 24 hours.")
    return view(session, found)


def view(session: Session, submission: Submission) -> SubmissionView:
    """A submission with its outcomes."""
    columns = (Outcome.status, Outcome.where, Outcome.subject, Outcome.version, Outcome.message)
    outcomes = session.execute(
        select(*columns).where(Outcome.submission_id == submission.id).order_by(Outcome.position)
    )
    return summary(submission, [OutcomeView(*outcome) for outcome in outcomes])


def summary(submission: Submission, outcomes: Sequence[OutcomeView] = ()) -> SubmissionView:
    """A submission, with its outcomes where they are given."""
    return SubmissionView(
        id=submission.id,
        kind=submission.kind,
        state=submission.state,
        received_at=submission.received_at,
        finished_at=submission.finished_at,
        collection_no=submission.collection_no,
        total=submission.total,
        done=submission.done,
        format=submission.format,
        counts=submission.counts,
        failure=submission.failure,
        outcomes=list(outcomes),
    )


def sealing_context(submission_id: str) -> str:
    """What the raw bytes of a submission are sealed for."""
    return f"submission:{submission_id}"
