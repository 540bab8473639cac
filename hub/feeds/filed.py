"""What members file for the checking service, published as indicators: the way every other value goes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from sqlalchemy.orm import Session

from hub.errors import Unavailable
from hub.feeds import holding, sources
from hub.feeds.batch import QUARANTINED
from hub.feeds.holding import PLAIN, HeldStatement
from hub.feeds.merge import Merger
from hub.feeds.sift import Held, Rules, passed
from hub.feeds.sources import Contributor
from hub.feeds.statements import Statement
from hub.feeds.values_batch import FRAUD
from hub.ledger import collections
from hub.ledger.classes import Audience
from hub.stix.values import Value


class SaidInFiling(Protocol):
    """What a filing says of one value."""

    @property
    def filing_id(self) -> str:
        """The filing's id."""

    @property
    def value(self) -> Value:
        """The canonical value."""

    @property
    def grade(self) -> str:
        """3x5x2 without the handling, such as 1B."""

    @property
    def audience(self) -> Audience:
        """Who the filing is for."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Its role and category."""

    @property
    def first_seen(self) -> int:
        """In microseconds."""

    @property
    def last_seen(self) -> int:
        """In microseconds."""


@dataclass(frozen=True, slots=True)
class FiledValues:
    """Publishes filed values. ``sighted_ref_of`` gives the STIX identity that a member shows."""

    merger: Merger
    rules: Rules
    grade: str
    sighted_ref_of: Callable[[Session, str], str]

    def say(self, session: Session, member_id: str, said: Sequence[SaidInFiling]) -> Mapping[Value, str]:
        """Merge what filings say, or quarantine it. Returns what a rule holds, with its reason."""
        source = self._source(session, member_id)
        rules = replace(self.rules, decided=holding.decided(session, source.id))
        collection = collections.by_alias(session, FRAUD)
        if collection is None:
            raise Unavailable("there is no collection for fraud", advice="Run: hub init")
        statements: list[Statement] = []
        reasons: dict[Value, str] = {}
        for one in said:
            statement = Statement(
                value=one.value, collection_no=collection.no, grade=one.grade, audience=one.audience,
                labels=one.labels, first_seen=one.first_seen, last_seen=one.last_seen,
            )  # fmt: skip
            found = passed(one.value, rules)
            if isinstance(found, Value):
                statements.append(replace(statement, value=found))
                continue
            reasons[one.value] = found
            held = Held(QUARANTINED, one.filing_id, one.value.text, found, one.value)
            holding.hold(session, source.id, one.filing_id, [HeldStatement(held, statement, PLAIN)])
        if statements:
            # What is slow is done before the append lock is taken, where the database has one of its own.
            self.merger.write(session, source, self.merger.plan(session, source, statements))
        return reasons

    def take_back(self, session: Session, member_id: str, values: Iterable[Value]) -> int:
        """Take back what the member's filings said, from the ledger and from quarantine; how many were revoked."""
        source, gone = self._source(session, member_id), set(values)
        replaced = {new for (old, _), new in holding.decided(session, source.id).items() if old in gone}
        holding.take_back(session, source.id, gone, PLAIN)
        return self.merger.retract(session, source, gone | replaced)

    def _source(self, session: Session, member_id: str) -> Contributor:
        return sources.of_filings(session, member_id, self.sighted_ref_of(session, member_id), self.grade)
