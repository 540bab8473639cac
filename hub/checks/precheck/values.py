"""What goes into the oblivious function, and which filed values the pre-check knows.

Never in a set: people and what only checking knows, false identities, impersonated victims (nor a value that anybody
has filed as a victim's), what is suspected to be false, TLP:RED, and whatever is not live at the moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

from sqlalchemy import Select, select, tuple_
from sqlalchemy.orm import Session

from hub import clock
from hub.checks.filings.parts import Envelope
from hub.checks.filings.records import ENDED, LIVE, Filing, FilingIdentifier
from hub.checks.searching.weighing import FALSE_IDENTITY, IMPERSONATED_VICTIM
from hub.checks.subjects import CHECKING_ONLY, SubjectKind
from hub.ledger import classes
from hub.sealing import Vault
from hub.stix.tlp import Tlp
from hub.stix.values import Kind, Value, sort_code_account_of

SUSPECTED_FALSE = "_E%"
NEVER_ROLES = (FALSE_IDENTITY, IMPERSONATED_VICTIM)
KINDS = frozenset(kind.value for kind in SubjectKind) - {kind.value for kind in CHECKING_ONLY}
BATCH = 1000


class Audience(NamedTuple):
    """Who may have a set: the readers of a visibility class, and of a collection where one is named."""

    collection_no: int | None
    class_id: int


class KnownValues(Protocol):
    """Gives values of the ledger: (collection number, who may know, kind, canonical text); of the feeds' making."""

    def __call__(self, session: Session) -> Iterable[tuple[int, classes.Audience, str, str]]: ...


def function_input(kind: str, text: str) -> bytes:
    """What is blinded for a canonical value: its kind, a colon, its text. A British IBAN is its bank account."""
    if kind == SubjectKind.IBAN and (account := sort_code_account_of(Value(Kind.IBAN, text))) is not None:
        kind, text = account.kind.value, account.text
    return f"{kind}:{text}".encode()


class FiledValues:
    """The values of live filings."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def live(self, session: Session) -> Iterator[tuple[Audience, str, str]]:
        """(who may know, kind, canonical text) of each value of a live filing."""
        valid = _identifiers().where(Filing.state == LIVE, FilingIdentifier.valid_until > clock.micros())
        wanted = valid.where(
            Filing.role.not_in(NEVER_ROLES),
            Filing.tlp < int(Tlp.RED),
            Filing.grade.not_like(SUSPECTED_FALSE),
            FilingIdentifier.facet.in_(KINDS),
            FilingIdentifier.exact.is_(True),
        )
        for filing, facet, text in self._opened(session, wanted):
            yield Audience(None, filing.class_id), facet, text

    def of_victims(self, session: Session) -> set[bytes]:
        """The function's inputs for every value that stands in a victim's filing, whoever may see that."""
        victims = _identifiers().where(
            Filing.role == IMPERSONATED_VICTIM, Filing.state.not_in(ENDED), FilingIdentifier.facet.in_(KINDS)
        )
        return {function_input(facet, text) for _, facet, text in self._opened(session, victims)}

    def _opened(self, session: Session, wanted: Select[Filing, FilingIdentifier]) -> Iterator[tuple[Filing, str, str]]:
        place = tuple_(FilingIdentifier.filing_id, FilingIdentifier.position)
        paged = wanted.order_by(FilingIdentifier.filing_id, FilingIdentifier.position).limit(BATCH)
        rows = session.execute(paged).all()
        while rows:
            for filing, identifier in rows:
                envelope = Envelope.of(self._vault, filing)
                opened = envelope.open_identifier(identifier.position, identifier.sealed)
                yield filing, opened["facet"], opened["text"]
            session.expunge_all()
            last = rows[-1][1]
            rows = session.execute(paged.where(place > tuple_(last.filing_id, last.position))).all()


def _identifiers() -> Select[Filing, FilingIdentifier]:
    return select(Filing, FilingIdentifier).join(FilingIdentifier, FilingIdentifier.filing_id == Filing.id)
