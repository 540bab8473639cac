"""Where the checking service meets members and feeds: who files, what is published, and filings in the inbox."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.checks.filings.filing import file_all
from hub.checks.filings.forms import Form, load_filing, parts
from hub.checks.filings.forms_csv import load_csv
from hub.checks.filings.parts import Desk, Filer
from hub.checks.filings.publishing import publishable
from hub.checks.filings.records import PENDING, Filing
from hub.checks.filings.writing import NEW, UNCHANGED, UPDATED
from hub.checks.subjects import indicator_values
from hub.db import Database
from hub.errors import HubError, InvalidInput, NotFound
from hub.feeds.batch import FAILURE, SUCCESS, Result
from hub.feeds.filings import ReadFiling
from hub.feeds.records import SourceRecord, Submission
from hub.members import membership
from hub.members.records import Member, MemberGroup
from hub.stix.canonical import parse_json
from hub.stix.tlp import Tlp
from hub.stix.values import Value

MESSAGES: dict[str, list[str]] = {
    NEW: [],
    UPDATED: ["amends an earlier filing"],
    UNCHANGED: ["already here, unchanged"],
}
WAITS = "waits for the approval of a second person of your organisation"
NOBODY = "your organisation is in no sharing group: no other member can match it"


def filer_of(session: Session, member: str, by: str) -> Filer:
    """The active member with this id or name, filing through ``by``. Raises NotFound."""
    found = membership.find(session, member)
    if found.status != "active":
        raise NotFound(f"there is no active member {member!r}", advice="hub member list shows them all.")
    groups = session.scalars(select(MemberGroup.group_id).where(MemberGroup.member_id == found.id))
    return Filer(found.id, found.kind, by, frozenset(groups))


def sighted_ref_of(session: Session, member_id: str) -> str:
    """The STIX identity that a member shows to others."""
    return session.get_one(Member, member_id).sighted_ref


@dataclass(frozen=True, slots=True)
class ReadForm:
    """A filing of a batch that is valid."""

    position: int
    where: str
    form: Form


@dataclass(frozen=True, slots=True)
class Plan:
    """A batch of filings of one member, read; what is not valid stands in ``result`` already."""

    desk: Desk
    filer: Filer
    forms: list[ReadForm]
    result: Result

    def write(self, session: Session) -> Result:
        """File them within the caller's transaction; an outcome names a reference, never a value."""
        done, held = file_all(session, self.desk, self.filer, [one.form for one in self.forms])
        for read, filed in zip(self.forms, done, strict=True):
            if filed.filing is None or filed.refused is not None:
                _refuse(self.result, read.position, read.where, read.form.reference, filed.refused)
                continue
            self.result.counts["accepted"] += 1
            self.result.counts[filed.change] += 1
            notes = [*MESSAGES[filed.change], *self._notes(filed.filing), *self._published(filed.filing, read, held)]
            message = "; ".join(notes) or None
            self.result.outcome(read.position, SUCCESS, read.where, read.form.reference, message=message)
        return self.result

    def _notes(self, filing: Filing) -> Iterator[str]:
        if filing.state == PENDING:
            yield WAITS
        if not self.filer.groups and filing.tlp in (Tlp.AMBER, Tlp.AMBER_STRICT):
            yield NOBODY

    def _published(self, filing: Filing, read: ReadForm, held: Mapping[Value, str]) -> list[str]:
        """Count the values that are published, and tell why others of them are not."""
        if not publishable(filing):
            return []
        values = {value for subject in read.form.subjects for value in indicator_values(subject)}
        kept = [value for value in values if value in held]
        self.result.values.update(values.difference(kept))
        if kept:
            self.result.counts["held_values"] += len(kept)
        return sorted({f"a {value.kind.value} is not published ({held[value]})" for value in kept})


@dataclass(frozen=True, slots=True)
class InboxFilings:
    """The checking service as the intake knows it (``hub.feeds.filings.Filings``)."""

    database: Database
    desk: Desk

    def parts(self, raw: bytes) -> list[tuple[str, Any]]:
        """The filings of a JSON or CSV document with their places. Raises InvalidInput, TooLarge."""
        text = raw.removeprefix(codecs.BOM_UTF8)
        return parts(parse_json(text) if text.lstrip()[:1] in (b"{", b"[") else load_csv(raw))

    def plan(self, submission_id: str, batch: Sequence[tuple[int, ReadFiling]]) -> Plan:
        """Read a batch of a submission. Raises InvalidInput where it comes from no member."""
        with self.database.reading() as session:
            filer = self._filer(session, submission_id)
        planned = Plan(self.desk, filer, [], Result())
        for position, one in batch:
            planned.result.counts["read"] += 1
            try:
                planned.forms.append(ReadForm(position, one.where, load_filing(one.document, filer.kind, one.where)))
            except InvalidInput as error:
                _refuse(planned.result, position, one.where, "", error)
        return planned

    def _filer(self, session: Session, submission_id: str) -> Filer:
        """The member that sent it; for a file that an operator imports, the one that its source is named after."""
        submission = session.get_one(Submission, submission_id)
        member = submission.member_id or session.get_one(SourceRecord, submission.source_id).name
        try:
            filer = filer_of(session, member, submission.actor)
        except NotFound as error:
            raise InvalidInput(
                "filings come from a member, and this source is none", where="source", advice=error.advice
            ) from None
        return replace(filer, groups=frozenset(submission.groups)) if submission.groups else filer


def _refuse(result: Result, position: int, where: str, reference: str, error: HubError | None) -> None:
    result.counts["refused"] += 1
    result.outcome(position, FAILURE, where, reference, message=str(error))
