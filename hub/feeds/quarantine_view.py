"""What is in quarantine, and what was refused, as people look through it. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from hub.errors import InvalidInput, NotFound
from hub.feeds.batch import FAILURE, REFUSED
from hub.feeds.holding import HELD, STATES
from hub.feeds.inbox import ENVELOPE, REPORTS, OutcomeView
from hub.feeds.records import Outcome, Quarantined, QuarantineDecision, SourceRecord, Submission
from hub.stix.tlp import Tlp

PAGE = 50
MOST_REASONS = 100


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries: each part that is not empty narrows. ``text`` stands anywhere in the value, case ignored;
    ``source`` is a name, ``kind`` as in ``hub.stix.values.Kind``, ``reason`` and ``submission`` exact; ``state`` one
    of ``holding.STATES``, "" for all.
    """

    text: str = ""
    kind: str = ""
    source: str = ""
    reason: str = ""
    submission: str = ""
    state: str = HELD


@dataclass(frozen=True, slots=True)
class EntryView:
    """An entry: the value, who said it, which rule holds it, and what was decided. Times in microseconds.

    ``groups`` are ids of sharing groups, ``collection_no`` is None where the kind of value decides; ``replaced`` is
    (kind, value) of what was published in its place.
    """

    id: int
    kind: str
    value: str
    source: str
    reason: str
    where: str
    submission_id: str
    held_at: int
    state: str
    origin: str
    collection_no: int | None
    grade: str
    tlp: Tlp
    groups: tuple[int, ...]
    labels: tuple[str, ...]
    first_seen: int | None
    last_seen: int | None
    replaced: tuple[str, str] | None
    decided_at: int | None
    decided_by: str | None
    decision: str | None


@dataclass(frozen=True, slots=True)
class DecisionView:
    """One decision: ``action`` is release, edit or reject, ``effect`` what the merge made of it."""

    at: int
    by: str
    action: str
    why: str
    effect: str


@dataclass(frozen=True, slots=True)
class FullEntry:
    """An entry with its decisions, the oldest first, and the other entries of the same value."""

    entry: EntryView
    decisions: tuple[DecisionView, ...]
    same_value: tuple[EntryView, ...]


@dataclass(frozen=True, slots=True)
class Refusals:
    """A submission of which something was refused. ``count`` is how much, 0 where the whole could not be read."""

    submission_id: str
    kind: str
    source: str
    received_at: int
    count: int
    failure: str | None


def page(session: Session, wanted: Wanted, before: int | None = None, size: int = PAGE) -> list[EntryView]:
    """Entries, the newest first, with ids below ``before``; one more than ``size`` where more follow.

    Raises InvalidInput for an unknown state.
    """
    asked = select(Quarantined, SourceRecord.name).join(SourceRecord, SourceRecord.id == Quarantined.source_id)
    asked = asked.where(*_narrowed(wanted))
    if before is not None:
        asked = asked.where(Quarantined.id < before)
    rows = session.execute(asked.order_by(Quarantined.id.desc()).limit(size + 1))
    return [_view(entry, source) for entry, source in rows]


def total(session: Session, wanted: Wanted) -> int:
    """How many entries there are. Raises InvalidInput for an unknown state."""
    asked = select(func.count()).select_from(Quarantined).join(SourceRecord, SourceRecord.id == Quarantined.source_id)
    return session.scalar(asked.where(*_narrowed(wanted))) or 0


def counts(session: Session) -> dict[str, int]:
    """State -> number of entries, every state in its order."""
    asked = select(Quarantined.state, func.count()).group_by(Quarantined.state)
    found = dict(session.execute(asked).all())
    return {state: found.get(state, 0) for state in STATES}


def reasons(session: Session, state: str = HELD) -> list[tuple[str, int]]:
    """(rule, number of entries), the most frequent first: what a list offers to filter by."""
    number = func.count()
    asked = select(Quarantined.reason, number).where(Quarantined.state == state).group_by(Quarantined.reason)
    found = session.execute(asked.order_by(number.desc(), Quarantined.reason).limit(MOST_REASONS))
    return [(reason, count) for reason, count in found]


def source_names(session: Session, state: str = HELD) -> list[str]:
    """The names of the sources that have entries in ``state``."""
    having = select(Quarantined.source_id).where(Quarantined.state == state)
    return list(session.scalars(select(SourceRecord.name).where(SourceRecord.id.in_(having)).order_by("name")))


def entry(session: Session, entry_id: int) -> FullEntry:
    """One entry with all that is known of it. Raises NotFound."""
    asked = select(Quarantined, SourceRecord.name).join(SourceRecord, SourceRecord.id == Quarantined.source_id)
    found = session.execute(asked.where(Quarantined.id == entry_id)).first()
    if found is None:
        raise NotFound("there is no such entry in quarantine", advice="hub quarantine list shows them.")
    one = _view(*found)
    made = select(QuarantineDecision).where(QuarantineDecision.entry_id == entry_id).order_by(QuarantineDecision.id)
    others = asked.where(
        Quarantined.kind == one.kind, Quarantined.value == one.value, Quarantined.id != entry_id
    ).order_by(Quarantined.id.desc())
    return FullEntry(
        one,
        tuple(DecisionView(d.at, d.by, d.action, d.why, d.effect) for d in session.scalars(made)),
        tuple(_view(*row) for row in session.execute(others.limit(PAGE))),
    )


def refusals(
    session: Session, before: int | None = None, kinds: Sequence[str] = (REPORTS, ENVELOPE), size: int = PAGE
) -> list[Refusals]:
    """Submissions of these kinds of which something was refused, the latest first, those received before an instant
    (microseconds); one more than ``size`` where more follow.
    """
    refused = (
        select(func.count())
        .where(Outcome.submission_id == Submission.id, Outcome.status.in_((REFUSED, FAILURE)))
        .scalar_subquery()
    )
    asked = (
        select(Submission.id, Submission.kind, SourceRecord.name, Submission.received_at, refused, Submission.failure)
        .join(SourceRecord, SourceRecord.id == Submission.source_id)
        .where(Submission.kind.in_(kinds), (refused > 0) | Submission.failure.is_not(None))
    )
    if before is not None:
        asked = asked.where(Submission.received_at < before)
    rows = session.execute(asked.order_by(Submission.received_at.desc()).limit(size + 1))
    return [Refusals(*row) for row in rows]


def refused_rows(
    session: Session, submission_id: str, after: int = -1, size: int = PAGE
) -> list[tuple[int, OutcomeView]]:
    """(position, outcome) of what was refused in a submission, in its order, positions above ``after``; one more
    than ``size`` where more follow.
    """
    asked = select(Outcome).where(
        Outcome.submission_id == submission_id, Outcome.status.in_((REFUSED, FAILURE)), Outcome.position > after
    )
    found = session.scalars(asked.order_by(Outcome.position).limit(size + 1))
    return [(o.position, OutcomeView(o.status, o.where, o.subject, o.version, o.message)) for o in found]


def _narrowed(wanted: Wanted) -> list[ColumnElement[bool]]:
    if wanted.state and wanted.state not in STATES:
        raise InvalidInput(f"states are {', '.join(STATES)}", where="state")
    given = [
        (wanted.state, Quarantined.state == wanted.state),
        (wanted.kind, Quarantined.kind == wanted.kind),
        (wanted.reason, Quarantined.reason == wanted.reason),
        (wanted.submission, Quarantined.submission_id == wanted.submission),
        (wanted.source, SourceRecord.name == wanted.source),
        (wanted.text, Quarantined.value.icontains(wanted.text, autoescape=True)),
    ]
    return [condition for asked, condition in given if asked]


def _view(row: Quarantined, source: str) -> EntryView:
    replaced = (row.replaced_kind, row.replaced_value) if row.replaced_kind and row.replaced_value else None
    return EntryView(
        id=row.id,
        kind=row.kind,
        value=row.value,
        source=source,
        reason=row.reason,
        where=row.where,
        submission_id=row.submission_id,
        held_at=row.held_at,
        state=row.state,
        origin=row.origin,
        collection_no=row.collection_no,
        grade=row.grade,
        tlp=Tlp(row.tlp),
        groups=tuple(row.groups),
        labels=tuple(row.labels),
        first_seen=row.first_seen,
        last_seen=row.last_seen,
        replaced=replaced,
        decided_at=row.decided_at,
        decided_by=row.decided_by,
        decision=row.decision,
    )
