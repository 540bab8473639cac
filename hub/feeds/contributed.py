"""What one source says of one value, as the merge works with it and as the database keeps it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from hub.feeds.sources import Contributor
from hub.ledger.classes import GROUPED, Audience
from hub.stix.tlp import Tlp

MOST_LABELS = 20
MOST_PHASES = 20
LONGEST_PHASE = 100
# Objects of one member that say the same value: as many are linked, the oldest ones.
MOST_DERIVED = 50

# Name of the kill chain, name of the phase.
Phases = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Derived:
    """A member's own STIX object, of whose pattern the value was read, and the hub's relationship to it.

    ``audience`` is who the object is for, ``shown`` who was given the relationship, None where nobody was. Times
    of the relationship in microseconds.
    """

    ref: str
    audience: Audience
    shown: Audience | None = None
    created: int = 0
    modified: int = 0


@dataclass(slots=True)
class Contributed:
    """What one source says of a value. ``echo``: it was given the hub's indicator of it before it first spoke.

    ``renew_at`` is when it counts as seen anew where the source still lists it, None where the source states times;
    ``gone_at`` is since when its feed no longer lists it. Both in microseconds.
    """

    source: Contributor
    collections: frozenset[int]
    first_seen: int
    last_seen: int
    count: int
    grade: str
    tlp: Tlp
    groups: frozenset[int]
    labels: tuple[str, ...]
    fingerprint: bytes
    sighting_created: int = 0
    sighting_modified: int = 0
    kill_chain_phases: Phases = ()
    echo: bool = False
    derived_from: tuple[Derived, ...] = ()
    renew_at: int | None = None
    gone_at: int | None = None

    @property
    def fresh_until(self) -> int:
        """Until when it has not begun to fade: what a feed lists counts as seen until it is due to be looked at."""
        return self.renew_at if self.renew_at is not None and self.source.listed_is_seen else self.last_seen

    @property
    def audience(self) -> Audience:
        """Who this one statement is for."""
        return Audience(self.tlp, self.groups)


def together(one: Audience, other: Audience) -> Audience:
    """Those who are in both audiences: the stricter label, the groups that both name where both count groups."""
    grouped = [each.groups for each in (one, other) if each.tlp.label in GROUPED]
    return Audience(
        max(one.tlp, other.tlp),
        frozenset.intersection(*grouped) if grouped else frozenset(),
        disputed=one.disputed or other.disputed,
        personal=one.personal or other.personal,
    )


def is_for_nobody(audience: Audience) -> bool:
    """Whether it counts groups and names none."""
    return audience.tlp.label in GROUPED and not audience.groups


def joined_phases(*said: Iterable[tuple[str, str]]) -> Phases:
    """Phases of several statements, sorted, no more than an indicator shows; what is too long to be a name is left
    out.
    """
    every = {(chain, phase) for phases in said for chain, phase in phases}
    named = sorted(pair for pair in every if all(0 < len(name) <= LONGEST_PHASE for name in pair))
    return tuple(named[:MOST_PHASES])


def joined_links(known: tuple[Derived, ...], more: Derived | None) -> tuple[Derived, ...]:
    """The objects linked before and now; an object's audience is that of its newest version."""
    if more is None:
        return known
    places = {link.ref: place for place, link in enumerate(known)}
    if more.ref not in places:
        return (*known, more) if len(known) < MOST_DERIVED else known
    at = places[more.ref]
    same = known[at]
    return (*known[:at], Derived(more.ref, more.audience, same.shown, same.created, same.modified), *known[at + 1 :])


def contribution_row(indicator_id: int, said: Contributed) -> dict[str, Any]:
    """The row of the table ``contribution``."""
    return {
        "indicator_id": indicator_id,
        "source_id": said.source.id,
        "collections": sorted(said.collections),
        "fingerprint": said.fingerprint,
        "first_seen": said.first_seen,
        "last_seen": said.last_seen,
        "count": said.count,
        "grade": said.grade,
        "tlp": int(said.tlp),
        "groups": sorted(said.groups),
        "labels": list(said.labels),
        "sighting_created": said.sighting_created,
        "sighting_modified": said.sighting_modified,
        "kill_chain_phases": [list(pair) for pair in said.kill_chain_phases],
        "echo": said.echo,
        "derived_from": [link_row(link) for link in said.derived_from],
        "renew_at": said.renew_at,
        "gone_at": said.gone_at,
    }


def contributed(row: Any, source: Contributor) -> Contributed:
    """What a row of the table ``contribution`` says; ``source`` is the one that it names."""
    return Contributed(
        source, frozenset(row.collections), row.first_seen, row.last_seen, row.count, row.grade, Tlp(row.tlp),
        frozenset(row.groups), tuple(row.labels), bytes(row.fingerprint), row.sighting_created, row.sighting_modified,
        phases_of_row(row.kill_chain_phases), row.echo, tuple(map(link_of_row, row.derived_from)), row.renew_at,
        row.gone_at,
    )  # fmt: skip


def phases_of_row(column: Iterable[list[str]]) -> Phases:
    """The pairs that a JSON column keeps as lists."""
    return tuple((chain, phase) for chain, phase in column)


def link_row(link: Derived) -> list[Any]:
    """A link as a JSON column keeps it."""
    shown = None if link.shown is None else _audience_row(link.shown)
    return [link.ref, _audience_row(link.audience), shown, link.created, link.modified]


def link_of_row(row: list[Any]) -> Derived:
    """The link that ``link_row`` wrote."""
    ref, audience, told, created, modified = row
    shown = None if told is None else _audience_of_row(told)
    return Derived(ref, _audience_of_row(audience), shown, created, modified)


def _audience_row(audience: Audience) -> list[Any]:
    return [int(audience.tlp), sorted(audience.groups), audience.personal]


def _audience_of_row(row: list[Any]) -> Audience:
    tlp, groups, personal = row
    return Audience(Tlp(tlp), frozenset(groups), personal=personal)
