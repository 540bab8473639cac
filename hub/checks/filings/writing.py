"""Writing versions of filings: many at once, so that the append lock is held for a short time."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from hub import clock
from hub.audit import record
from hub.checks.filings import rows as filing_rows
from hub.checks.filings.forms import Form
from hub.checks.filings.parts import HUB, Desk, Envelope, Filer
from hub.checks.filings.publishing import unpublished
from hub.checks.filings.records import ENDED, Filing, FilingEvent, FilingIdentifier, FilingVersion
from hub.checks.index import CheckIndex
from hub.db.bulk import insert_rows
from hub.errors import Conflict, HubError, InvalidInput, NotFound, NotPermitted
from hub.ledger.classes import Audience, class_id
from hub.stix.values import Value

NEW, UPDATED, UNCHANGED = "new", "updated", "unchanged"


@dataclass(frozen=True, slots=True)
class Filed:
    """What became of one form: its filing and "new", "updated" or "unchanged", or the error that refused it."""

    filing: Filing | None
    change: str
    refused: HubError | None = None


@dataclass(slots=True)
class Writing:
    """A batch of versions of one member's filings; the caller holds the append lock.

    ``gone`` are the values that earlier versions said, for ``take_back``. What is written is stored by ``finish``.
    """

    session: Session
    desk: Desk
    filer: Filer
    index: CheckIndex
    gone: set[Value] = field(default_factory=set)
    _written: list[tuple[str, Filing, str | None]] = field(default_factory=list)
    _rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _classes: dict[str, int] = field(default_factory=dict)

    def write(self, form: Form, known: Filing | None) -> Filed:
        """Write one form as a new filing, or as a new version of ``known``.

        Raises Conflict where that has ended, NotPermitted where the hub disputes it, InvalidInput where a recipient is
        no member.
        """
        self._know(form.recipients)
        if known is not None and known.id in self._rows:
            self.finish()  # it amends a filing of this very batch
        now = clock.micros()
        audience = filing_rows.audience_of(form, self.filer.groups)
        of_class = self._class_of(audience)  # first: it may write, and a filing changes in one statement
        if known is None:
            envelope, filing, before = *self._begun(form, now), None
        else:
            envelope, filing, before = Envelope.of(self.desk.vault, known), known, known.state
            if filing.state in ENDED:
                raise Conflict(
                    f"the filing with this reference is {filing.state}", where="reference",
                    advice="File it under a new reference.",
                )  # fmt: skip
            if envelope.open_document(filing.sealed, filing.version) == form.document:
                return Filed(filing, UNCHANGED)
            may_end_dispute(filing, self.filer.member_id)
            self.gone |= unpublished(self.session, self.desk, filing)
            self.session.execute(delete(FilingIdentifier).where(FilingIdentifier.filing_id == filing.id))
        filing_rows.write(filing, form, audience, of_class, self.filer.by, now)
        filing.sealed = envelope.seal_document(form.document, filing.version)
        self.session.add(filing)
        self.session.add(
            FilingVersion(
                filing_id=filing.id, version=filing.version, filed_by=self.filer.by, at=now, sealed=filing.sealed
            )
        )
        self._rows[filing.id] = filing_rows.identifier_rows(self.index, envelope, filing, form)
        self._written.append(("file" if known is None else "amend", filing, before))
        return Filed(filing, NEW if known is None else UPDATED)

    def finish(self) -> None:
        """Store what was written, with its place in the index and its history."""
        self.session.flush()
        if rows := [row for of_filing in self._rows.values() for row in of_filing]:
            insert_rows(self.session, FilingIdentifier, rows)
        for what, filing, before in self._written:
            note(self.session, self.desk, filing, self.filer.by, what, before=before)
        self._rows.clear()
        self._written.clear()

    def _know(self, recipients: frozenset[str]) -> None:
        for member_id in sorted(recipients):
            try:
                self.desk.filer_of(self.session, member_id, HUB)
            except NotFound:
                raise InvalidInput("names what is no member's id", where="recipients") from None

    def _class_of(self, audience: Audience) -> int:
        if audience.key not in self._classes:
            self._classes[audience.key] = class_id(self.session, audience)
        return self._classes[audience.key]

    def _begun(self, form: Form, now: int) -> tuple[Envelope, Filing]:
        filing_id = f"filing--{uuid.uuid4()}"
        envelope, wrapped = Envelope.made(self.desk.vault, filing_id)
        filing = Filing(
            id=filing_id, member_id=self.filer.member_id, source_group=self.filer.member_id, reference=form.reference,
            version=0, filed_at=now, wrapped_key=wrapped, ended_at=None,
        )  # fmt: skip
        return envelope, filing


def may_end_dispute(filing: Filing, disputing: str) -> None:
    """Raise NotPermitted where the hub disputes a filing and somebody else would end that."""
    if filing.disputed_by == HUB and disputing != HUB:
        raise NotPermitted("the hub disputes this filing: only it ends that", advice="Ask the hub, or withdraw it.")


def note(
    session: Session, desk: Desk, filing: Filing, by: str, what: str, *, before: str | None, why: str = ""
) -> None:
    """Write an event of the filing and of the audit log; what a person wrote stays sealed with the filing."""
    session.flush()
    session.add(
        FilingEvent(
            filing_id=filing.id, version=filing.version, at=clock.micros(), by=by, what=what, state=filing.state,
            why=Envelope.of(desk.vault, filing).seal_reason(why),
        )
    )  # fmt: skip
    record(
        session, by, f"filing:{what}", filing.id,
        before=None if before is None else {"state": before},
        after={"state": filing.state, "version": filing.version, "member": filing.member_id, "tier": filing.tier,
               "purpose": filing.purpose, "legal_gateway": filing.legal_gateway},
        why="a reason is kept with the filing" if why else "",
    )  # fmt: skip
