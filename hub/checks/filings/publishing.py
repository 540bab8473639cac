"""What stands in the ledger because of filings: brought in line with each change of their state.

Published are the identifiers of live filings that a member's own feeds would publish too: never people, numbers
of documents or devices, nothing of victims and false identities, nothing graded E, nothing TLP:RED. A value is
taken back once no live filing of the member names it any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.orm import Session

from hub.checks.filings.forms import category_labels
from hub.checks.filings.forms_schema import FALSE_IDENTITY, VICTIM
from hub.checks.filings.parts import Desk, Envelope, Said
from hub.checks.filings.records import LIVE, Filing, FilingIdentifier
from hub.checks.filings.rows import audience_of_class
from hub.checks.index import CheckIndex
from hub.db.bulk import chunks
from hub.stix.tlp import Tlp
from hub.stix.values import Kind, Value

NEVER: Final = frozenset({VICTIM, FALSE_IDENTITY})
_KINDS: Final = sorted(kind.value for kind in Kind)


def publishable(filing: Filing) -> bool:
    """Whether a filing's identifiers may become indicators, as far as its own words go."""
    return filing.state == LIVE and filing.role not in NEVER and filing.tlp < Tlp.RED and filing.grade[1:2] != "E"


def publish(session: Session, desk: Desk, filings: Sequence[Filing]) -> Mapping[Value, str]:
    """Say what live filings of one member say; what they have said before changes nothing.

    Returns the values that a rule holds back, with its reason.
    """
    saying = [filing for filing in filings if publishable(filing)]
    if not saying:
        return {}
    audiences = {of: audience_of_class(session, of) for of in {filing.class_id for filing in saying}}
    values = _values(session, desk, saying, _indicators())
    said = [
        Said(
            filing.id, value, filing.grade.partition(":")[0], audiences[filing.class_id],
            (filing.role, *category_labels(filing.category)), filing.first_seen, filing.last_seen,
        )
        for filing in saying
        for value in values[filing.id]
    ]  # fmt: skip
    _mark(session, saying, published=True)
    return desk.publisher.say(session, saying[0].member_id, said) if said else {}


def unpublished(session: Session, desk: Desk, filing: Filing) -> set[Value]:
    """Mark a filing as no longer published. Returns what stood in the ledger because of it, for ``take_back``."""
    published = and_(_indicators(), FilingIdentifier.published)
    values = set(_values(session, desk, [filing], published)[filing.id])
    if values:
        _mark(session, [filing], published=False)
    return values


def take_back(session: Session, desk: Desk, index: CheckIndex, member_id: str, values: Iterable[Value]) -> int:
    """Take back those of ``values`` that no other filing of the member still says. Returns how many were revoked."""
    by_tag = {index.tag(value.kind.value, value.text, epoch): value for value in values for epoch in index.epochs}
    still: set[Value] = set()
    for chunk in chunks(sorted(by_tag)):
        found = select(FilingIdentifier.tag).join(Filing, Filing.id == FilingIdentifier.filing_id).where(
            FilingIdentifier.tag.in_(chunk), FilingIdentifier.published, Filing.member_id == member_id
        )  # fmt: skip
        still.update(by_tag[bytes(tag)] for tag in session.scalars(found))
    gone = sorted(set(by_tag.values()) - still, key=lambda value: (value.kind, value.text))
    return desk.publisher.take_back(session, member_id, gone) if gone else 0


def _values(
    session: Session, desk: Desk, filings: Sequence[Filing], rows: ColumnElement[bool]
) -> dict[str, list[Value]]:
    """The values that the identifiers in ``rows`` spell, by the id of the filing."""
    envelopes = {filing.id: Envelope.of(desk.vault, filing) for filing in filings}
    values: dict[str, list[Value]] = {filing.id: [] for filing in filings}
    for chunk in chunks(list(values)):
        found = session.execute(
            select(FilingIdentifier.filing_id, FilingIdentifier.position, FilingIdentifier.sealed)
            .where(FilingIdentifier.filing_id.in_(chunk), rows)
            .order_by(FilingIdentifier.filing_id, FilingIdentifier.position)
        )
        for row in found:
            opened = envelopes[row.filing_id].open_identifier(row.position, bytes(row.sealed))
            values[row.filing_id].append(Value(Kind(opened["facet"]), opened["text"]))
    return values


def _mark(session: Session, filings: Sequence[Filing], *, published: bool) -> None:
    for chunk in chunks([filing.id for filing in filings]):
        marked = update(FilingIdentifier).where(FilingIdentifier.filing_id.in_(chunk), _indicators())
        session.execute(marked.values(published=published))


def _indicators() -> ColumnElement[bool]:
    """The rows whose text is a whole value of a kind that indicators have."""
    return and_(FilingIdentifier.exact, FilingIdentifier.facet.in_(_KINDS))
