"""What a source says of one value, and how it adds up with what that source said before."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property

import orjson

from hub import clock
from hub.clock import DAY
from hub.feeds.confidence import confidence_of
from hub.feeds.contributed import MOST_LABELS, Contributed, Derived, Phases, joined_links, joined_phases
from hub.feeds.merged import Merged
from hub.feeds.sources import Contributor
from hub.ledger.classes import Audience
from hub.stix.values import Kind, Value
from hub.stix.values.validity import VALID_DAYS

# What is listed still counts as seen anew after this part of the time that its kind holds: so often does an indicator
# get a new version at the most, however often its feed is pulled.
RENEWED_AFTER = 4
# The largest count of a sighting (STIX 2.1 section 5.2.1).
MOST_COUNTED = 999_999_999


class Change(StrEnum):
    """What a statement did."""

    NEW = "new"
    SIGHTED = "sighted"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class Statement:
    """What a source says of one value. Times in microseconds, None where the source states none.

    ``adds``: it is ``count`` more reports and counts as such, rather than the source's present view of the value.
    ``derived_from``: the member's own object that says so. ``listed``: a list names it and states no time of it.
    """

    value: Value
    collection_no: int
    grade: str
    audience: Audience
    labels: tuple[str, ...] = ()
    first_seen: int | None = None
    last_seen: int | None = None
    adds: bool = False
    kill_chain_phases: Phases = ()
    derived_from: Derived | None = None
    listed: bool = False
    count: int = 1

    @cached_property
    def fingerprint(self) -> bytes:
        """Equal exactly for statements that say the same."""
        said: list[object] = [
            self.collection_no, self.grade, self.audience.key, sorted(self.labels), self.first_seen, self.last_seen,
        ]  # fmt: skip
        if self.kill_chain_phases:
            said.append(sorted(self.kill_chain_phases))
        if self.derived_from is not None:
            said += [self.derived_from.ref, self.derived_from.audience.key]
        return hashlib.sha256(orjson.dumps(said)).digest()[:16]


def renewal(kind: Kind, seen: int) -> int:
    """When a value that was seen at ``seen`` and is listed still counts as seen anew, in microseconds."""
    return seen + VALID_DAYS[kind] * DAY // RENEWED_AFTER


def record(one: Merged, source: Contributor, statement: Statement, *, echo: bool) -> Change:
    """Record ``statement`` in the contribution of ``source``; ``echo`` counts where it is the first."""
    known = one.said.get(source.id)
    if known is not None and not statement.adds and known.fingerprint == statement.fingerprint:
        return Change.UNCHANGED
    if known is None:
        now = clock.micros()
        last = min(statement.last_seen or statement.first_seen or now, now)
        first = min(statement.first_seen or last, last)
        one.touched.add(source.id)
        change = Change.SIGHTED if one.said else Change.NEW
        one.fresh.add(source.id)
        one.said[source.id] = Contributed(
            source, frozenset({statement.collection_no}), first, last, statement.count, statement.grade,
            statement.audience.tlp,
            statement.audience.groups, tuple(sorted(statement.labels)), statement.fingerprint,
            kill_chain_phases=joined_phases(statement.kill_chain_phases), echo=echo,
            derived_from=joined_links((), statement.derived_from),
            renew_at=renewal(one.value.kind, last) if statement.listed else None,
        )  # fmt: skip
        return change
    joined = _joined_with(known, statement)
    if joined == known:
        return Change.UNCHANGED
    one.said[source.id] = replace(joined, fingerprint=statement.fingerprint)
    only_linked = replace(joined, derived_from=known.derived_from) == known
    (one.relinked if only_linked else one.touched).add(source.id)
    return Change.UPDATED


def _joined_with(known: Contributed, statement: Statement) -> Contributed:
    """What the source says after ``statement``, in whatever order it says it: the strictest TLP and whom that is
    for, the best grade, all labels and collections, the widest span of time; one more report where it ``adds``. Where
    it states a time once, that it is listed says no more.
    """
    now = clock.micros()
    last = min(statement.last_seen or (now if statement.adds else known.last_seen), now)
    first = statement.first_seen or known.first_seen
    tlp = max(known.tlp, statement.audience.tlp)
    audiences = ((known.tlp, known.groups), (statement.audience.tlp, statement.audience.groups))
    return replace(
        known,
        collections=known.collections | {statement.collection_no},
        first_seen=min(known.first_seen, first),
        last_seen=max(known.last_seen, last, first),
        count=min(MOST_COUNTED, known.count + statement.count) if statement.adds else known.count,
        grade=max(known.grade, statement.grade, key=confidence_of),
        tlp=tlp,
        groups=frozenset().union(*(groups for level, groups in audiences if level == tlp)),
        labels=tuple(sorted({*known.labels, *statement.labels})[:MOST_LABELS]),
        kill_chain_phases=joined_phases(known.kill_chain_phases, statement.kill_chain_phases),
        derived_from=joined_links(known.derived_from, statement.derived_from),
        renew_at=known.renew_at if statement.listed else None,
    )
