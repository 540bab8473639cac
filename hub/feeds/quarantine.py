"""The quarantine as an analyst works with it: release a held value, publish another in its place, or reject it.

``hub.feeds.quarantine_view`` shows what is held and what was refused. Here it is decided:
``Quarantine`` (the factory's ``Hub.quarantine()``, in a web process ``services().quarantine()``) has
``release``, ``edit_and_replay`` and ``reject``. They run in the caller's transaction, are recorded in
``quarantine_decision`` and in the audit log (without the value), and may be repeated: the same decision again changes
nothing. ``by`` is the id of the person who decides.

A released value goes the way of every other: it is sifted by all rules but the one that held it, and merged as what
its source said of it (collection, grade, audience, labels, times). Another rule that holds it makes an entry of its
own. The next pull of the source lets it pass; a rejected value is counted there as quarantined and not shown again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from hub import clock
from hub.audit import record
from hub.errors import Conflict, InvalidInput, NotFound
from hub.feeds import reported, sources
from hub.feeds.batch import QUARANTINED
from hub.feeds.contributed import link_of_row, phases_of_row
from hub.feeds.holding import (
    EDITED,
    HELD,
    OBJECT,
    PLAIN,
    REJECTED,
    RELEASED,
    REPORT,
    HeldStatement,
    decided,
    hold,
)
from hub.feeds.merge import Merger
from hub.feeds.records import Quarantined, QuarantineDecision
from hub.feeds.reports_batch import NOT_DISSEMINATED
from hub.feeds.sift import Held, Rules, passed
from hub.feeds.sources import Contributor
from hub.feeds.statements import Statement
from hub.feeds.values_batch import collection_of
from hub.ledger import collections
from hub.ledger.classes import Audience
from hub.stix.tlp import Tlp
from hub.stix.values import Kind, Value, canonical

RELEASE = "release"
EDIT = "edit"
REJECT = "reject"
LONGEST_REASON = 1000


@dataclass(frozen=True, slots=True)
class Quarantine:
    """Decides what becomes of held values. ``rules`` are those of the hub, no source's decisions in them;
    ``own_names`` gives the domains of its members.
    """

    merger: Merger
    rules: Rules
    own_names: Callable[[Session], frozenset[str]]

    def release(self, session: Session, entry_id: int, *, reason: str, by: str) -> Quarantined:
        """Publish a held or rejected value as its source said it.

        Raises NotFound; InvalidInput without a reason; Conflict where it was edited, where its source or the last
        report that named it has taken it back, and for what is graded E, which nobody may pass on.
        """
        entry = _taken(session, entry_id, reason)
        if entry.state == RELEASED:
            return entry
        _may_be_published(entry, RELEASE)
        value = Value(Kind(entry.kind), entry.value)
        source = sources.by_id(session, entry.source_id)
        passing = {**decided(session, source.id), (value, entry.reason): value}
        found = passed(value, replace(self.rules, own=self.own_names(session), decided=passing))
        statement = _statement(session, entry, value)
        if isinstance(found, str):
            still = Held(QUARANTINED, entry.where, value.text, found, value)
            hold(session, source.id, entry.submission_id, [HeldStatement(still, statement, entry.origin)])
            effect = f"held again: {found}"
        else:
            effect = self._publish(session, entry, source, statement, value)
        return _decide(session, entry, RELEASED, RELEASE, reason, by, effect)

    def edit_and_replay(
        self, session: Session, entry_id: int, text: str, *, reason: str, by: str, kind: Kind | None = None
    ) -> Quarantined:
        """Publish ``text`` in place of a held or rejected value, now and whenever the source says the old one.

        ``kind`` is that of the old value unless it is given. Raises as ``release`` does, InvalidInput also for a
        text that is no value of the kind, is the old value, or is held by a rule itself; Conflict also for a value
        of a member's object, which only its creator may change (STIX 2.1 section 3.6.2).
        """
        entry = _taken(session, entry_id, reason)
        old, new = Value(Kind(entry.kind), entry.value), canonical(kind or Kind(entry.kind), text)
        if entry.state == EDITED and (entry.replaced_kind, entry.replaced_value) == (new.kind.value, new.text):
            return entry
        _may_be_published(entry, EDIT)
        if entry.origin == OBJECT:
            raise Conflict(
                "the value stands in an object of its sender, which only its creator may change",
                advice="Release or reject it, and ask the sender for a new version.",
            )
        if new == old:
            raise InvalidInput("this is the value as it is", where="value", advice="Release it.")
        if isinstance(found := passed(new, replace(self.rules, own=self.own_names(session))), str):
            raise InvalidInput(f"the new value would be held as well: {found}", where="value")
        source = sources.by_id(session, entry.source_id)
        effect = self._publish(session, entry, source, _statement(session, entry, new), old)
        entry.replaced_kind, entry.replaced_value = new.kind.value, new.text
        return _decide(session, entry, EDITED, EDIT, reason, by, effect)

    def reject(self, session: Session, entry_id: int, *, reason: str, by: str) -> Quarantined:
        """Never publish a held value; one that was released is taken back from its source.

        Raises NotFound; InvalidInput without a reason; Conflict where the value was edited or taken back.
        """
        entry = _taken(session, entry_id, reason)
        if entry.state == REJECTED:
            return entry
        if entry.state not in (HELD, RELEASED):
            raise Conflict(_STANDS[entry.state])
        effect = "not published"
        if entry.state == RELEASED:
            source, value = sources.by_id(session, entry.source_id), Value(Kind(entry.kind), entry.value)
            if entry.origin == REPORT:
                reported.hold_published(session, source, value)
            revoked = self.merger.retract(session, source, [value])
            effect = "taken back, the indicator is revoked" if revoked else "taken back"
        return _decide(session, entry, REJECTED, REJECT, reason, by, effect)

    def _publish(
        self, session: Session, entry: Quarantined, source: Contributor, statement: Statement, value: Value
    ) -> str:
        """Merge ``statement``, which stands for the held ``value``; what the merge did ("new", "sighted" …)."""
        statements = [statement]
        if entry.origin == REPORT:
            reports = reported.publish_held(session, source, value, statement.value)
            if not reports:
                raise Conflict("no report that stands names this value any more")
            statements = [replace(statement, adds=True)] * reports
        return self.merger.merge(session, source, statements)[0].value


_STANDS = {
    EDITED: "another value was published in its place already",
    "gone": "its source has taken it back",
}


def _taken(session: Session, entry_id: int, reason: str) -> Quarantined:
    """The entry, locked until the transaction ends."""
    if not reason.strip() or len(reason) > LONGEST_REASON:
        raise InvalidInput(f"a decision needs a reason of 1 to {LONGEST_REASON} characters", where="reason")
    entry = session.get(Quarantined, entry_id, with_for_update=True)
    if entry is None:
        raise NotFound("there is no such entry in quarantine", advice="hub quarantine list shows them.")
    return entry


def _may_be_published(entry: Quarantined, action: str) -> None:
    if entry.reason == NOT_DISSEMINATED:
        raise Conflict(
            "what is graded E (suspected to be false) is never passed on",
            advice="Its sender can amend the report with another grade.",
        )
    if entry.state not in (HELD, REJECTED):
        raise Conflict(_STANDS.get(entry.state, f"it was released already, so there is nothing to {action}"))


def _statement(session: Session, entry: Quarantined, value: Value) -> Statement:
    """What the source said, of ``value``. It was said when it was held, where the source states no time."""
    collection_no = entry.collection_no
    if collection_no is None:
        found = collections.by_alias(session, collection_of(value.kind))
        assert found is not None  # one of those that the hub begins with
        collection_no = found.no
    return Statement(
        value=value,
        collection_no=collection_no,
        grade=entry.grade,
        audience=Audience(Tlp(entry.tlp), frozenset(entry.groups)),
        labels=tuple(entry.labels),
        kill_chain_phases=phases_of_row(entry.kill_chain_phases),
        derived_from=link_of_row(entry.derived_from[0]) if entry.derived_from else None,
        first_seen=entry.first_seen,
        last_seen=entry.last_seen or entry.first_seen or entry.held_at,
        listed=entry.origin == PLAIN and entry.first_seen is None and entry.last_seen is None,
    )


def _decide(
    session: Session, entry: Quarantined, state: str, action: str, reason: str, by: str, effect: str
) -> Quarantined:
    """Note a decision on the entry, in its history, and in the audit log."""
    before = entry.state
    entry.state, entry.decision, entry.decided_by, entry.decided_at = state, reason.strip(), by, clock.micros()
    session.add(
        QuarantineDecision(
            entry_id=entry.id, at=entry.decided_at, by=by, action=action, why=entry.decision, effect=effect
        )
    )
    record(
        session, by, f"quarantine:{action}", f"quarantine:{entry.id}",
        before={"state": before}, after={"state": state, "rule": entry.reason, "effect": effect}, why=entry.decision,
    )  # fmt: skip
    return entry
