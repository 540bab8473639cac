"""The life of a filing.

    intelligence:  live                    ┐
    known fraud:   pending -> live         ├ -> disputed -> live (known fraud: pending) ; -> withdrawn, expired
                   pending -> refused      ┘

An amendment makes a new version, which for known fraud waits for its approval again. Only what is live answers
checks and stands in the ledger, so a dispute suppresses at once. Every change is an event of the filing and of
the audit log, neither of which tells whom the filing is about. ``hub.db.filing_rules`` holds the same rules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub import clock
from hub.audit import record
from hub.checks.filings.forms import Form
from hub.checks.filings.parts import BY_KEY, HUB, Desk, Filer
from hub.checks.filings.publishing import publish, take_back, unpublished
from hub.checks.filings.records import (
    DISPUTED,
    ENDED,
    EXPIRED,
    KNOWN_FRAUD,
    LIVE,
    PENDING,
    REFUSED,
    WITHDRAWN,
    Filing,
)
from hub.checks.filings.writing import UNCHANGED, Filed, Writing, may_end_dispute, note
from hub.checks.index import open_index
from hub.db.bulk import chunks
from hub.db.database import lock_appends
from hub.errors import Conflict, InvalidInput, NotFound, NotPermitted
from hub.stix.cards import redact_cards
from hub.stix.values import Value

LONGEST_REASON: Final = 1000
EXPIRED_AT_ONCE: Final = 500


def file_all(
    session: Session, desk: Desk, filer: Filer, forms: Sequence[Form]
) -> tuple[list[Filed], Mapping[Value, str]]:
    """File or amend ``forms``, in their order; a reference that the member has used before is an amendment.

    Returns what became of each, and the values that a rule keeps out of the ledger, with its reason.
    """
    lock_appends(session)
    writing = Writing(session, desk, filer, open_index(session, desk.vault))
    known = _by_reference(session, filer.member_id, [form.reference for form in forms])
    done: list[Filed] = []
    for form in forms:
        try:
            one = writing.write(form, known.get(form.reference))
        except (Conflict, InvalidInput, NotPermitted) as error:
            done.append(Filed(None, UNCHANGED, error))
            continue
        known[form.reference] = one.filing
        done.append(one)
    writing.finish()
    standing = {one.filing.id: one.filing for one in done if one.filing is not None}
    held = publish(session, desk, list(standing.values()))
    take_back(session, desk, writing.index, filer.member_id, writing.gone)
    return done, held


def amend(session: Session, desk: Desk, filer: Filer, filing_id: str, form: Form) -> Filed:
    """Write a new version of the member's own filing.

    Raises NotFound, Conflict where it has ended, InvalidInput where ``form`` has another reference.
    """
    filing = own(session, filer.member_id, filing_id)
    if form.reference != filing.reference:
        raise InvalidInput("an amendment keeps the filing's reference", where="reference")
    done, _ = file_all(session, desk, filer, [form])
    if done[0].refused is not None:
        raise done[0].refused
    return done[0]


def approve(
    session: Session, desk: Desk, person_id: str, member_id: str, filing_id: str, *, entered_by: str = ""
) -> Filing:
    """Let a person of the member who did not write it make a pending filing count as known fraud.

    ``entered_by`` is who enters the person's approval, where that is somebody else. Raises NotFound, Conflict where
    it does not wait, NotPermitted for the one who wrote it, or who made the key that did.
    """
    lock_appends(session)
    filing = own(session, member_id, filing_id)
    if filing.state != PENDING:
        raise Conflict(f"the filing is {filing.state} and waits for no approval", where="state")
    if wrote(session, desk, person_id, filing):
        raise NotPermitted(
            "you wrote this version, or made the key that filed it: known fraud needs the approval of a second person"
        )
    filing.approved_by, filing.approved_at, filing.state = person_id, clock.micros(), LIVE
    note(session, desk, filing, entered_by or person_id, "approve", before=PENDING)
    publish(session, desk, [filing])
    return filing


def wrote(session: Session, desk: Desk, person_id: str, filing: Filing) -> bool:
    """Whether the present version is this person's: written by them, or filed by a key that they made."""
    by = filing.filed_by
    return person_id == by or (by.startswith(BY_KEY) and person_id == desk.issuer_of(session, by.removeprefix(BY_KEY)))


def refuse(session: Session, desk: Desk, person_id: str, member_id: str, filing_id: str, why: str) -> Filing:
    """End a pending filing that should not count. Raises NotFound, Conflict, InvalidInput without a reason."""
    lock_appends(session)
    filing = own(session, member_id, filing_id)
    if filing.state != PENDING:
        raise Conflict(f"the filing is {filing.state} and waits for no approval", where="state")
    return _end(session, desk, filing, REFUSED, person_id, "refuse", _reason(why))


def dispute(session: Session, desk: Desk, by: str, disputing: str, filing_id: str, why: str) -> Filing:
    """Suppress a live filing at once, in checks and in the ledger, until the dispute ends.

    ``disputing`` is the member whose filing it is, or HUB. Raises NotFound, Conflict where it is not live,
    InvalidInput without a reason.
    """
    lock_appends(session)
    filing = found(session, disputing, filing_id)
    if filing.state != LIVE:
        raise Conflict(f"the filing is {filing.state}: only what is live can be disputed", where="state")
    reason, values = _reason(why), unpublished(session, desk, filing)
    filing.state, filing.disputed_by = DISPUTED, disputing
    note(session, desk, filing, by, "dispute", before=LIVE, why=reason)
    take_back(session, desk, open_index(session, desk.vault), filing.member_id, values)
    return filing


def end_dispute(session: Session, desk: Desk, by: str, disputing: str, filing_id: str, why: str) -> Filing:
    """End a dispute in favour of the filing: it is live again, known fraud once it is approved anew.

    Raises NotFound, Conflict where it is not disputed, NotPermitted where the hub disputes it and a member asks,
    InvalidInput without a reason.
    """
    lock_appends(session)
    filing = found(session, disputing, filing_id)
    if filing.state != DISPUTED:
        raise Conflict(f"the filing is {filing.state}: there is no dispute", where="state")
    may_end_dispute(filing, disputing)
    reason = _reason(why)
    filing.disputed_by = filing.approved_by = filing.approved_at = None
    filing.state = PENDING if filing.tier == KNOWN_FRAUD else LIVE
    note(session, desk, filing, by, "end-dispute", before=DISPUTED, why=reason)
    publish(session, desk, [filing])
    return filing


def withdraw(session: Session, desk: Desk, by: str, withdrawing: str, filing_id: str, why: str = "") -> Filing:
    """Take a filing back for good. ``withdrawing`` is its member, or HUB. Raises NotFound, Conflict where it ended."""
    lock_appends(session)
    filing = found(session, withdrawing, filing_id)
    if filing.state in ENDED:
        raise Conflict(f"the filing is {filing.state} already", where="state")
    return _end(session, desk, filing, WITHDRAWN, by, "withdraw", redact_cards(why))


def expire_due(session: Session, desk: Desk, by: str) -> int:
    """End the filings whose time has run out, 500 at most. Returns how many."""
    lock_appends(session)
    due = select(Filing).where(
        Filing.state.in_((PENDING, LIVE, DISPUTED)), Filing.valid_until <= clock.micros()
    ).order_by(Filing.valid_until).limit(EXPIRED_AT_ONCE)  # fmt: skip
    ending = list(session.scalars(due))
    for filing in ending:
        _end(session, desk, filing, EXPIRED, by, "expire", "")
    return len(ending)


def own(session: Session, member_id: str, filing_id: str) -> Filing:
    """A member's own filing. Raises NotFound, also for another member's."""
    filing = _kept(session, filing_id)
    if filing is None or filing.member_id != member_id:
        raise NotFound("there is no such filing of your organisation")
    return filing


def found(session: Session, whose: str, filing_id: str) -> Filing:
    """A filing that ``whose`` (its member, or HUB for any) may act on. Raises NotFound."""
    if whose != HUB:
        return own(session, whose, filing_id)
    filing = _kept(session, filing_id)
    if filing is None:
        raise NotFound("there is no such filing", advice="hub filing list shows them.")
    return filing


def _kept(session: Session, filing_id: str) -> Filing | None:
    """The filing with an id; PostgreSQL takes no text that holds a NUL."""
    return session.get(Filing, filing_id) if filing_id.isprintable() else None


def note_opened(session: Session, filing: Filing, by: str, why: str) -> None:
    """Record that somebody of no member read what a filing is about. Raises InvalidInput without a reason."""
    record(session, by, "filing:open", filing.id, why=_reason(why))


def _by_reference(session: Session, member_id: str, references: Sequence[str]) -> dict[str, Filing | None]:
    known: dict[str, Filing | None] = {}
    for chunk in chunks(references):
        wanted = select(Filing).where(Filing.member_id == member_id, Filing.reference.in_(chunk))
        known.update((filing.reference, filing) for filing in session.scalars(wanted))
    return known


def _end(session: Session, desk: Desk, filing: Filing, state: str, by: str, what: str, why: str) -> Filing:
    before, values = filing.state, unpublished(session, desk, filing)
    filing.state, filing.ended_at = state, clock.micros()
    note(session, desk, filing, by, what, before=before, why=why)
    take_back(session, desk, open_index(session, desk.vault), filing.member_id, values)
    return filing


def _reason(why: str) -> str:
    text = why.strip()
    if not text or len(text) > LONGEST_REASON:
        raise InvalidInput(f"a reason has 1 to {LONGEST_REASON:,} characters", where="reason")
    return redact_cards(text)
