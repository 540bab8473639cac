"""Sources: who stands behind what comes in."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from hub.auth import Actor
from hub.errors import InvalidInput
from hub.feeds.records import SourceRecord
from hub.ledger.append import Source

HUB = "hub"
FEED = "feed"
MEMBER = "member"
# The kind of member whose reports are victims' reports (FRAUD.md: up to three of them count as independent).
REPORT_FRAUD = "report-fraud"
LEGACY_NAMES = {"action-fraud": REPORT_FRAUD}


@dataclass(frozen=True, slots=True)
class Contributor:
    """A source as the merge sees it.

    ``allows_wider``: its label does not narrow what others say of the same value more openly; it agreed in writing.
    ``member_id`` is the member that it is a source of, None for a feed. ``listed_is_seen``: it is pulled again and
    again, and what it lists without a time counts as seen.
    """

    id: int
    name: str
    source_class: str
    sighted_ref: str | None
    grade: str
    independence_group: str
    allows_wider: bool = False
    member_id: str | None = None
    listed_is_seen: bool = False

    @property
    def is_feed(self) -> bool:
        """A feed is named in the indicator itself; members and partners show as sightings."""
        return self.sighted_ref is None

    @property
    def of_ledger(self) -> Source:
        """The source as the ledger signs it."""
        return Source(self.id, self.source_class, self.name)


def named(session: Session, name: str, default_grade: str, source_class: str = FEED) -> Contributor:
    """The source called ``name``, made at its first use; "action-fraud" is Report Fraud's former name."""
    name = LEGACY_NAMES.get(name, name)
    if not name or len(name) > 100 or not name.isprintable():
        raise InvalidInput("a source's name has 1 to 100 printable characters", where="source")
    if name == REPORT_FRAUD:
        source_class = REPORT_FRAUD
    fresh = SourceRecord(
        name=name, source_class=source_class, member_id=None, sighted_ref=None, grade=default_grade,
        independence_group=name,
    )  # fmt: skip
    return _contributor(_found_or_added(session, fresh))


def of_feed(session: Session, name: str, grade: str, allows_wider: str, *, listed_is_seen: bool) -> Contributor:
    """The source that a feed is, as the feed is configured now; made at its first use."""
    contributor = named(session, name, grade)
    record = session.get_one(SourceRecord, contributor.id)
    record.grade, record.allows_wider, record.listed_is_seen = grade, allows_wider, listed_is_seen
    session.flush()
    return _contributor(record)


def of_member(session: Session, actor: Actor, default_grade: str) -> Contributor:
    """The source that a member is; made at its first use, its shown identity kept up to date."""
    fresh = SourceRecord(
        name=f"member:{actor.member_id}", member_id=actor.member_id, sighted_ref=actor.sighted_ref,
        source_class=REPORT_FRAUD if actor.kind == REPORT_FRAUD else MEMBER, grade=default_grade,
        independence_group=actor.member_id,
    )  # fmt: skip
    return _kept(session, fresh)


def of_values(session: Session, actor: Actor, default_grade: str) -> Contributor:
    """The source that a member is where it posts values and sightings: apart from its reports and objects, whose
    withdrawal takes back what they alone said; one independence group with them, so that both count once.
    """
    fresh = SourceRecord(
        name=f"values:{actor.member_id}", member_id=actor.member_id, sighted_ref=actor.sighted_ref,
        source_class=MEMBER, grade=default_grade, independence_group=actor.member_id,
    )  # fmt: skip
    return _kept(session, fresh)


def of_filings(session: Session, member_id: str, sighted_ref: str, default_grade: str) -> Contributor:
    """The source that a member's filings are: apart from its reports, so that neither takes the other's back; one
    independence group with them, so that both count once.
    """
    fresh = SourceRecord(
        name=f"filings:{member_id}", member_id=member_id, sighted_ref=sighted_ref, source_class=MEMBER,
        grade=default_grade, independence_group=member_id,
    )  # fmt: skip
    return _kept(session, fresh)


def _kept(session: Session, fresh: SourceRecord) -> Contributor:
    """The source of a member with the name of ``fresh``, shown as ``fresh`` is from now on."""
    found = _found_or_added(session, fresh)
    if found.sighted_ref != fresh.sighted_ref:
        found.sighted_ref = fresh.sighted_ref
    session.flush()
    return _contributor(found)


def _found_or_added(session: Session, fresh: SourceRecord) -> SourceRecord:
    """The source with the name of ``fresh``, which is added where there is none; two that come at once agree."""
    named = select(SourceRecord).where(SourceRecord.name == fresh.name)
    found = session.scalar(named)
    if found is None:
        try:
            with session.begin_nested():
                session.add(fresh)
        except IntegrityError:  # another process has added it in between
            return session.scalars(named).one()
        return fresh
    return found


def by_id(session: Session, source_id: int) -> Contributor:
    """A source that is known to exist."""
    return _contributor(session.get_one(SourceRecord, source_id))


def by_name(session: Session, name: str) -> Contributor | None:
    """The source called ``name``, None before its first use."""
    found = session.scalar(select(SourceRecord).where(SourceRecord.name == name))
    return None if found is None else _contributor(found)


def by_ids(session: Session, ids: set[int]) -> dict[int, Contributor]:
    """Several sources by id."""
    if not ids:
        return {}
    found = session.scalars(select(SourceRecord).where(SourceRecord.id.in_(ids)))
    return {record.id: _contributor(record) for record in found}


def _contributor(record: SourceRecord) -> Contributor:
    return Contributor(
        record.id,
        record.name,
        record.source_class,
        record.sighted_ref,
        record.grade,
        record.independence_group,
        bool(record.allows_wider),
        record.member_id,
        record.listed_is_seen,
    )
