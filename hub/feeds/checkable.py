"""The ledger's indicators as the checking service hears them: who says what of a value, as one asker may know it.

A contribution counts where its own audience and a collection that the asker may read let the asker see it, until
it runs out; the asker's own never does. What is looked up and what is fetched is rounded up with decoys to a multiple
of ``STEP``, and nothing is left out before it was weighed: the time tells neither a find nor what is hidden.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice
from typing import Final, NamedTuple, TypeVar

import orjson

from hub import clock
from hub.auth import Actor
from hub.clock import DAY, HOUR
from hub.db import Database, Row
from hub.db.presence import STEP, made_up
from hub.feeds.confidence import left
from hub.feeds.indicator import FRAUD_KINDS
from hub.feeds.present import PresentValues
from hub.feeds.sources import REPORT_FRAUD
from hub.stix.tlp import Tlp
from hub.stix.values import Kind
from hub.stix.values.validity import VALID_DAYS

T = TypeVar("T")
KINDS: Final = frozenset(kind.value for kind in Kind)
MOST_PARAMETERS: Final = 1024
# The letter of a 3x5x2 grade whose content is never passed on.
SUSPECTED_FALSE: Final = "E"
SAID: Final = (
    "SELECT {}, i.stix_id, c.collections, c.first_seen, c.last_seen, c.count, c.grade, c.tlp,"
    " c.groups, c.labels, c.echo, c.renew_at, s.member_id, s.source_class, s.independence_group, s.listed_is_seen"
    " FROM {} c JOIN indicator i ON i.id = c.indicator_id JOIN source s ON s.id = c.source_id"
)
BY_VALUE: Final = SAID.format("i.kind, i.value", "contribution") + " WHERE i.kind = ? AND i.value "
# A British IBAN is its account too, whichever of them was named.
BY_ACCOUNT: Final = SAID.format("CAST(? AS TEXT), i.account", "contribution") + " WHERE i.account "
AMONG: Final = {"sqlite": "IN (SELECT value FROM json_each(?))", "postgresql": "= ANY(?)"}
# From somewhere in the older half, so that enough follow: the place is told in millionths of the newest number. Eight
# are chosen before anything is joined to them: else a planner walks through all that come before, or sorts all that
# follow.
MILLION: Final = 1_000_000
START: Final = "(SELECT coalesce(max(id), 0) * CAST(? AS BIGINT) / 1000000 FROM indicator)"
CHOSEN: Final = f"WHERE indicator_id >= {START} ORDER BY indicator_id LIMIT 8"
DECOYS: Final = SAID.format("i.kind, i.value", f"(SELECT * FROM contribution {CHOSEN})") + " LIMIT ?"  # noqa: S608 (constants)
# What no value is, to make up the number of those that are looked up.
NOBODYS: Final = " "
STANDING: Final = "SELECT stix_id, content FROM indicator WHERE stix_id IN ({})"


@dataclass(frozen=True, slots=True)
class Heard:
    """What one source says of a value. Times in microseconds; ``reports``: how many victims it speaks for; ``echo``:
    it was given the hub's indicator before it spoke; ``left``: the share of its confidence that has not faded.
    """

    ref: str
    group: str
    category: str
    grade: str
    tlp: int
    first_seen: int
    last_seen: int
    reports: int
    echo: bool
    left: float


class _Said(NamedTuple):
    kind: str
    value: str
    ref: str
    collections: Sequence[int] | str
    first_seen: int
    last_seen: int
    reports: int
    grade: str
    tlp: int
    groups: Sequence[int] | str
    labels: Sequence[str] | str
    echo: bool | int
    renew_at: int | None
    member_id: str | None
    source_class: str
    group: str
    listed_is_seen: bool | int


class CheckableIndicators:
    """Looks up indicators of fraud kinds; one for each process."""

    kinds: Final = frozenset(FRAUD_KINDS)

    def __init__(self, database: Database) -> None:
        self._database = database
        self._present = PresentValues(database)

    def heard(
        self, values: Sequence[tuple[str, str]], actor: Actor, collections: frozenset[int]
    ) -> dict[tuple[str, str], list[Heard]]:
        """What others say about ``values``, each a kind and a canonical text, that ``actor`` may see, who may read
        ``collections``.

        Which statements run depends on the kinds that are asked for, never on what is found.
        """
        rows = self._said(values)
        now = clock.micros()
        heard: dict[tuple[str, str], list[Heard]] = {}
        for row in rows:
            one, hearable = _heard(row, now), _hearable(row, actor, collections, now)
            if hearable:
                heard.setdefault((row.kind, row.value), []).append(one)
        for row in self._decoys(values, STEP - len(rows) % STEP):
            _heard(row, now)
            _hearable(row, actor, collections, now)
        return {(kind, text): self._refreshed(kind, said, now) for (kind, text), said in heard.items()}

    def left(self, kind: str, since: int, now: int) -> float:
        """The share of a confidence that is left at ``now`` of a value that was last seen ``since``; all of it where
        the values of its kind do not fade.
        """
        return left(Kind(kind), (now - since) // HOUR) if kind in KINDS else 1.0

    def _refreshed(self, kind: str, said: list[Heard], now: int) -> list[Heard]:
        """``said``, where an echo, which is a sighting, resets the clock of them all."""
        echoed = max((one.last_seen for one in said if one.echo), default=0)
        since = self.left(kind, echoed, now)
        return [replace(one, left=max(one.left, since)) for one in said] if echoed else said

    def standing(self, refs: Sequence[str]) -> set[str]:
        """Those of the indicators ``refs`` that are not revoked."""
        found: set[str] = set()
        for start in range(0, len(refs), MOST_PARAMETERS):
            part = refs[start : start + MOST_PARAMETERS]
            marks = ", ".join("?" * len(part))
            found.update(ref for ref, content in self._database.select(STANDING.format(marks), part) if content)
        return found

    def _said(self, values: Sequence[tuple[str, str]]) -> list[_Said]:
        wanted = Counter(kind for kind, _ in values)
        by_kind: dict[str, list[str]] = {kind: [] for kind in wanted}
        for kind, text in dict.fromkeys(self._present.possible(values)):
            by_kind[kind].append(text)
        rows: list[Row] = []
        for kind, texts in by_kind.items():
            nobodys = [f"{NOBODYS}{n}" for n in range(made_up(len(texts), wanted[kind]))]
            rows += self._of_kind(kind, texts + nobodys)
        return [_Said(*row) for row in rows]

    def _of_kind(self, kind: str, texts: Sequence[str]) -> list[Row]:
        """One value is bound, so that the statement is the same for any number of texts."""
        product = self._database.product
        found = BY_ACCOUNT if kind == Kind.BANK_ACCOUNT.value else BY_VALUE
        given = orjson.dumps(texts).decode() if product == "sqlite" else texts
        return self._database.look_up(found + AMONG[product], (kind, given))

    def _decoys(self, values: Sequence[tuple[str, str]], count: int) -> list[_Said]:
        """Contributions that nobody asked for, the same ones whenever the same is asked."""
        digest = hashlib.sha256("\n".join(text for _, text in values).encode()).digest()
        start = int.from_bytes(digest[:8], "big") % (MILLION // 2)
        rows = self._database.look_up(DECOYS, (start, count))
        return [_Said(*row) for row in islice(cycle(rows), count)]


def _hearable(row: _Said, actor: Actor, collections: frozenset[int], now: int) -> bool:
    tlp = Tlp(row.tlp)
    shared = tlp <= Tlp.GREEN or (tlp <= Tlp.AMBER_STRICT and not actor.groups.isdisjoint(_listed(row.groups)))
    return (
        shared
        & (tlp <= actor.clearance)
        & (not collections.isdisjoint(_listed(row.collections)))
        & (row.member_id != actor.member_id)
        & (row.last_seen + VALID_DAYS[Kind(row.kind)] * DAY > now)
        & (row.grade[1:2] != SUSPECTED_FALSE)
    )


def _heard(row: _Said, now: int) -> Heard:
    labels = _listed(row.labels)
    reports = row.reports if row.source_class == REPORT_FRAUD else 1
    category = labels[0] if labels else ""
    fresh_until = row.renew_at if row.renew_at is not None and row.listed_is_seen else row.last_seen
    return Heard(
        row.ref, row.group, category, row.grade, row.tlp, row.first_seen, row.last_seen, reports, bool(row.echo),
        left(Kind(row.kind), (now - fresh_until) // HOUR),
    )  # fmt: skip


def _listed(column: Sequence[T] | str) -> Sequence[T]:
    """A JSON column: a text on SQLite, a list already on PostgreSQL."""
    found: Sequence[T] = orjson.loads(column) if isinstance(column, str) else column
    return found
