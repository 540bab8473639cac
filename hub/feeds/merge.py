"""Merge: one hub-authored indicator for each canonical value, whoever reports it and however often.

Every statement is recorded as a contribution of its source. The indicator gets a new version only when what
it says changes; the same statement again changes nothing at all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from uuid import UUID

import orjson
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hub import clock
from hub.db.bulk import select_in
from hub.db.database import lock_appends
from hub.feeds import merged as indicators
from hub.feeds import sources
from hub.feeds.confidence import falls_at
from hub.feeds.contributed import Contributed, Derived, is_for_nobody, together
from hub.feeds.indicator import (
    audience_of,
    compose,
    derivation,
    indicator_id,
    indicator_key,
    sighting,
    valid_until,
)
from hub.feeds.merged import UNNUMBERED, Merged
from hub.feeds.records import Indicator
from hub.feeds.sources import REPORT_FRAUD, Contributor
from hub.feeds.statements import Change, Statement, record, renewal
from hub.ledger.append import Draft, Log, Source, draft
from hub.ledger.classes import Audience
from hub.ledger.given import given_to
from hub.stix.validation import check
from hub.stix.values import Kind, Value

MILLISECOND = 1000
NONE_LEFT: Mapping[Value, int] = MappingProxyType({})
NO_OBJECTS: Mapping[Value, Collection[str]] = MappingProxyType({})
FINGERPRINTS = (
    "SELECT i.key, c.fingerprint FROM indicator i JOIN contribution c ON c.indicator_id = i.id"
    " WHERE c.source_id = ? AND i.key IN (…)"
)


@dataclass(frozen=True, slots=True)
class MergePlan:
    """What statements come to: the changes, the objects to append, and the state that this was made from."""

    statements: Sequence[Statement]
    baseline: dict[Value, Merged]
    changed: list[Merged]
    changes: list[Change]
    drafts: list[Draft]


@dataclass(frozen=True, slots=True)
class Merger:
    """Merges statements into the ledger. ``sightings_no`` is the collection that members' sightings go to."""

    log: Log
    namespace: UUID
    hub_ref: str
    hub_source_id: int
    sightings_no: int

    def unchanged(self, session: Session, source: Contributor, statements: Sequence[Statement]) -> set[int]:
        """Positions of statements that the source has made before in the same words: no lock, reads only."""
        keys = [indicator_key(self.namespace, one.value) for one in statements]
        found = select_in(session, FINGERPRINTS, keys, [source.id])
        known: dict[str, bytes] = {key: bytes(fingerprint) for key, fingerprint in found}
        return {
            position
            for position, (key, one) in enumerate(zip(keys, statements, strict=True))
            if not one.adds and known.get(key) == one.fingerprint
        }

    def merge(self, session: Session, source: Contributor, statements: Sequence[Statement]) -> list[Change]:
        """Merge ``statements`` of ``source``; one Change each, in order. Takes the append lock."""
        lock_appends(session)
        return self._commit(session, self.plan(session, source, statements))

    def plan(self, session: Session, source: Contributor, statements: Sequence[Statement]) -> MergePlan:
        """Merge ``statements`` without writing anything: reads only, so that all that is slow needs no lock."""
        values = [one.value for one in statements]
        # First what ``write`` will compare: a change in between is then seen as one, never overlooked.
        baseline = self._load(session, source, values)
        merged = self._load(session, source, values) if baseline else {}
        echoes = _echoes(session, source, merged.values())
        for value in values:
            if value not in merged:
                key = indicator_key(self.namespace, value)
                merged[value] = Merged(value, key, key, UNNUMBERED, True)
        changes = [self._apply(merged[one.value], source, one, echoes) for one in statements]
        changed = [one for one in merged.values() if one.is_changed]
        return MergePlan(
            statements, baseline, changed, changes, [made for one in changed for made in self._drafts(one)]
        )

    def write(self, session: Session, source: Contributor, planned: MergePlan) -> list[Change]:
        """Write a plan under the append lock; it is made anew where what it was made from has changed since."""
        lock_appends(session)
        if self._load(session, source, [one.value for one in planned.statements]) != planned.baseline:
            planned = self.plan(session, source, planned.statements)
        return self._commit(session, planned)

    def audiences(self, session: Session, values: Iterable[Value]) -> dict[Value, Audience]:
        """Who the indicators of ``values`` are for now; a value that nobody says has none."""
        return {one.value: audience_of([*one.said.values()]) for one in self._load(session, None, values).values()
                if one.said}  # fmt: skip

    def retract(
        self,
        session: Session,
        source: Contributor,
        values: Iterable[Value],
        left: Mapping[Value, int] = NONE_LEFT,
        objects: Mapping[Value, Collection[str]] = NO_OBJECTS,
    ) -> int:
        """Take back what ``source`` says of ``values``; what nobody else says is revoked. Returns how many were.

        ``left`` counts the reports of the source that still name a value: with any left, only the count falls.
        ``objects`` are those of the source that no longer say a value: where others of its objects do, only the
        links to these go. A source that never spoke of a value, or has taken it back, changes nothing. Takes the
        append lock.
        """
        lock_appends(session)
        merged = self._load(session, source, values)
        for one in merged.values():
            if source.id not in one.said:
                continue
            gone = objects.get(one.value, ())
            links = one.said[source.id].derived_from
            others = tuple(link for link in links if link.ref not in gone)
            if still := left.get(one.value, 0):
                one.said[source.id].count = still
                one.touched.add(source.id)
            elif gone and others:
                one.dropped += [link for link in links if link.ref in gone]
                one.said[source.id].derived_from = others
                one.relinked.add(source.id)
            else:
                one.retracted[source.id] = one.said.pop(source.id)
        changed = [one for one in merged.values() if one.is_changed]
        self._append(session, changed, [made for one in changed for made in self._drafts(one)])
        return sum(1 for one in changed if one.revoked)

    def fade(self, session: Session, most: int) -> int:
        """Say anew how much is to be believed of ``most`` indicators that have fallen into a lower band since they
        were last seen. Returns how many there were. Takes the append lock.
        """
        lock_appends(session)
        now = clock.micros()
        found = select(Indicator.kind, Indicator.value).where(Indicator.falls_at <= now)
        rows = session.execute(found.order_by(Indicator.falls_at).limit(most)).all()
        fallen = list(self._load(session, None, [Value(Kind(row.kind), row.value) for row in rows]).values())
        self._append(session, fallen, [made for one in fallen for made in self._drafts(one)])
        return len(fallen)

    def renew(self, session: Session, source: Contributor, values: Iterable[Value]) -> int:
        """Let those of ``values`` that ``source`` lists still, and that are due, count as seen now. Returns how many
        were. Takes the append lock.
        """
        lock_appends(session)
        now = clock.micros()
        listed = []
        for one in self._load(session, source, values).values():
            said = one.said.get(source.id)
            if said is not None and said.gone_at is None and said.renew_at is not None and said.renew_at <= now:
                one.said[source.id] = replace(said, last_seen=now, renew_at=renewal(one.value.kind, now))
                one.touched.add(source.id)
                listed.append(one)
        self._append(session, listed, [made for one in listed for made in self._drafts(one)])
        return len(listed)

    def _commit(self, session: Session, planned: MergePlan) -> list[Change]:
        """Number and append what is planned; under the append lock, nothing can have changed since."""
        number = session.scalar(select(func.max(Indicator.id))) or 0
        for one in planned.changed:
            if one.is_new:
                number += 1
                one.row_id = number
        self._append(session, planned.changed, planned.drafts)
        return planned.changes

    def _append(self, session: Session, changed: Sequence[Merged], drafts: Sequence[Draft]) -> None:
        """Store what changed, and append the objects that it gives."""
        indicators.store(session, changed)
        for outcome in self.log.append(session, drafts):
            if outcome.refused:
                raise RuntimeError(f"the hub's own object was refused: {outcome.refused}")

    def _load(self, session: Session, source: Contributor | None, values: Iterable[Value]) -> dict[Value, Merged]:
        """The indicators of ``values`` that there are, with everything that is said of them."""
        return indicators.load(session, {indicator_key(self.namespace, value): value for value in values}, source)

    def _drafts(self, one: Merged) -> list[Draft]:
        """The objects that a changed indicator gives: its new version where it says something new, sightings, links
        to members' objects.
        """
        micros = clock.micros()
        now = micros // MILLISECOND * MILLISECOND
        said = list((one.said or one.retracted).values())
        audience = audience_of(said)
        content = compose(one.value, said, audience, self.hub_ref, micros)
        one.falls_at = None if one.revoked else falls_at(one.value.kind, said, micros, valid_until(one.value, said))
        if one.revoked:
            content["revoked"] = True
        digest = hashlib.sha256(orjson.dumps(content)).digest()
        if digest != one.content:
            one.modified = max(now, one.modified + MILLISECOND)
            one.created = one.created or one.modified
            one.content = b"" if one.revoked else digest
        obj = {
            **content,
            "id": one.stix_id,
            "created": clock.stix_timestamp(one.created),
            "modified": clock.stix_timestamp(one.modified),
        }
        check(obj)
        op = "revoke" if one.revoked else "add" if one.is_new else "revise"
        collections = {no for entry in (*said, *one.retracted.values()) for no in entry.collections}
        first = draft(obj, min(collections), audience, self._hub, op)
        drafts = [first, *(first.into(other) for other in sorted(collections - {first.collection_no}))]
        spoken = [one.said[source_id] for source_id in sorted(one.touched)]
        drafts += [self._sighting(one, by, now, revoked=False) for by in spoken if not by.source.is_feed]
        taken_back = one.retracted.values()
        drafts += [self._sighting(one, by, now, revoked=True) for by in taken_back if not by.source.is_feed]
        return drafts + self._links(one, audience, now)

    def _sighting(self, one: Merged, by: Contributed, now: int, *, revoked: bool) -> Draft:
        by.sighting_modified = max(now, by.sighting_modified + MILLISECOND)
        by.sighting_created = by.sighting_created or by.sighting_modified
        seen = sighting(self.namespace, self.hub_ref, one.stix_id, by)
        check(seen)
        return self._beside(seen, by.audience, revoked=revoked)

    def _links(self, one: Merged, audience: Audience, now: int) -> list[Draft]:
        """Relationships to members' objects whose readers are others than before, ``audience`` being the
        indicator's: for those who may see both. What was taken back is revoked for whoever was told.
        """
        drafts: list[Draft] = []
        linked: set[str] = set()
        for source_id, by in sorted(one.said.items()):
            links = []
            for link in by.derived_from:
                both = together(audience, link.audience)
                links.append(link)
                if both != link.shown and link.ref not in linked and (link.shown or not is_for_nobody(both)):
                    at = max(now, link.modified + MILLISECOND)
                    links[-1] = replace(link, shown=both, created=link.created or at, modified=at)
                    drafts.append(self._link(one, links[-1], both, revoked=False))
                    one.relinked.add(source_id)
                linked.add(link.ref)
            by.derived_from = tuple(links)
        gone = [*one.dropped, *(link for by in one.retracted.values() for link in by.derived_from)]
        for link in gone:
            if link.shown is not None:
                again = replace(link, modified=max(now, link.modified + MILLISECOND))
                drafts.append(self._link(one, again, link.shown, revoked=True))
        return drafts

    def _link(self, one: Merged, link: Derived, audience: Audience, *, revoked: bool) -> Draft:
        obj = derivation(self.namespace, self.hub_ref, one.stix_id, link, audience)
        return self._beside(obj, audience, revoked=revoked)

    def _beside(self, obj: dict[str, object], audience: Audience, *, revoked: bool) -> Draft:
        """An object that goes to the collection of sightings."""
        if revoked:
            obj["revoked"] = True
        return draft(obj, self.sightings_no, audience, self._hub, "revoke" if revoked else "add")

    @property
    def _hub(self) -> Source:
        return Source(self.hub_source_id, sources.HUB, self.hub_ref)

    def _apply(self, one: Merged, source: Contributor, statement: Statement, echoes: Collection[str]) -> Change:
        """Record ``statement``; a value that comes back after a revocation begins anew, under a new id."""
        if one.revoked and not one.is_new and not one.touched:
            one.generation += 1
            one.stix_id = indicator_id(self.namespace, one.value, one.generation)
            one.created = 0
        return record(one, source, statement, echo=one.stix_id in echoes)


def _echoes(session: Session, source: Contributor, merged: Iterable[Merged]) -> Collection[str]:
    """The ids of the indicators of which ``source`` now speaks first, and which its member was given before.

    Report Fraud's reports are its victims' words, who were given nothing.
    """
    if source.member_id is None or source.source_class == REPORT_FRAUD:
        return ()
    others = [one.stix_id for one in merged if one.said and source.id not in one.said]
    return given_to(session, source.member_id, others) if others else ()
