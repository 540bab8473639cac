"""Sources: who stands behind what comes in."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
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
    """A source as the merge sees it."""

    id: int
    name: str
    source_class: str
    sighted_ref: str | None
    grade: str
    independence_group: str

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
    found = session.scalar(select(SourceRecord).where(SourceRecord.name == name))
    if found is None:
        found = SourceRecord(
            name=name, source_class=source_class, member_id=None, sighted_ref=None, grade=default_grade,
            independence_group=name,
        )  # fmt: skip
        session.add(found)
        session.flush()
    return _contributor(found)


def of_member(session: Session, actor: Actor, default_grade: str) -> Contributor:
    """The source that a member is; made at its first use, its shown identity kept up to date."""
    found = session.scalar(select(SourceRecord).where(SourceRecord.member_id == actor.member_id))
    if found is None:
        source_class = REPORT_FRAUD if actor.kind == REPORT_FRAUD else MEMBER
        found = SourceRecord(
            name=f"member:{actor.member_id}", source_class=source_class, member_id=actor.member_id,
            grade=default_grade, independence_group=actor.member_id,
        )  # fmt: skip
        session.add(found)
    if found.sighted_ref != actor.sighted_ref:
        found.sighted_ref = actor.sighted_ref
    session.flush()
    return _contributor(found)


def by_id(session: Session, source_id: int) -> Contributor:
    """A source that is known to exist."""
    return _contributor(session.get_one(SourceRecord, source_id))


def by_ids(session: Session, ids: set[int]) -> dict[int, Contributor]:
    """Several sources by id."""
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
    )
