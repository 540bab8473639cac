"""What is known about subjects, as one asker may hear it: from filings, and from the indicators of the ledger.

A check must not tell by its time what it may not tell in words. So nothing is left out by the database: whatever
stands under a tag is fetched and weighed, then dropped where the asker may not hear it. And what is fetched and
weighed is rounded up to a multiple of ``STEP`` with decoys, so that nothing found, something found and something
hidden cost the same. Which statements run depends on what is asked, never on what is found.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from itertools import cycle, islice
from typing import Any, Final, NamedTuple, Protocol

from hub import clock
from hub.auth import Actor
from hub.checks.filings.parts import Envelope, open_name
from hub.checks.filings.records import LIVE
from hub.checks.index import FIRST_EPOCH, CheckIndex
from hub.checks.searching.names import alike
from hub.checks.searching.viewers import Viewer
from hub.checks.searching.weighing import INTELLIGENCE, Voice, grade_of
from hub.checks.subjects import Subject, terms
from hub.db import Database, Row
from hub.sealing import Vault
from hub.stix.values import Kind

STEP: Final = 8
DECOY: Final = "nobody at all"
# Parameters of one statement; lists are filled up to one of these lengths, so that few statements are prepared.
LENGTHS: Final = (4, 32, 256, 1024, 4096)
EPOCHS: Final = "SELECT epoch FROM index_epoch WHERE retired_at IS NULL ORDER BY epoch DESC"
FILED: Final = (
    "SELECT i.tag, f.id, i.position, i.exact, i.facet, i.valid_until, f.member_id, f.source_group, f.tier, f.category,"
    " f.role, f.grade, f.tlp, f.class_id, f.state, f.first_seen, f.last_seen, f.wrapped_key, i.sealed"
    " FROM filing_identifier i JOIN filing f ON f.id = i.filing_id WHERE "
)
DECOYS: Final = FILED + "i.tag >= ? ORDER BY i.tag LIMIT ?"


class Filed(NamedTuple):
    """A row of ``FILED``: one identifier with what its filing says."""

    tag: bytes
    filing_id: str
    position: int
    exact: bool
    facet: str
    valid_until: int
    member_id: str
    source_group: str
    tier: str
    category: str
    role: str
    grade: str
    tlp: int
    class_id: int
    state: str
    first_seen: int
    last_seen: int
    wrapped_key: bytes
    sealed: bytes


class IndicatorStatement(Protocol):
    """One source's contribution to an indicator, as the asker may hear it."""

    @property
    def ref(self) -> str:
        """The indicator's STIX id."""

    @property
    def group(self) -> str:
        """Who stands behind the source."""

    @property
    def category(self) -> str:
        """What it says of the value, "" where it says nothing."""

    @property
    def grade(self) -> str:
        """3x5x2, such as 2B."""

    @property
    def tlp(self) -> int:
        """Of this one statement."""

    @property
    def first_seen(self) -> int:
        """In microseconds."""

    @property
    def last_seen(self) -> int:
        """In microseconds."""

    @property
    def reports(self) -> int:
        """How many victims it speaks for."""

    @property
    def echo(self) -> bool:
        """Whether it repeats what was read here."""


class KnownIndicators(Protocol):
    """The ledger's indicators, as the composition root hands them in."""

    @property
    def kinds(self) -> frozenset[Kind]:
        """The kinds of value that it knows of."""

    def heard(
        self, values: Sequence[tuple[str, str]], actor: Actor, collections: frozenset[int]
    ) -> Mapping[tuple[str, str], Sequence[IndicatorStatement]]:
        """What others say about ``values``, each a kind and a canonical text, that ``actor`` may see, who may read
        ``collections``; in the same time whatever there is.
        """

    def standing(self, refs: Sequence[str]) -> set[str]:
        """Those of the indicators ``refs`` that are not revoked."""


class Wanted(NamedTuple):
    """A subject, by its place among those asked for, under one of its tags."""

    place: int
    exact: bool
    name: str | None


# Where a value, a kind and a canonical text, stands among the subjects that are asked for.
Places = dict[tuple[str, str], list[int]]


class Knowledge:
    """Looks up what is known; one for each process."""

    def __init__(self, database: Database, vault: Vault, indicators: KnownIndicators) -> None:
        self.indicators = indicators
        self._database = database
        self._vault = vault
        envelope, self._decoy_key = Envelope.made(vault, DECOY)
        self._decoy_name = envelope.seal_identifier(0, "", "", DECOY)

    def heard(self, subjects: Sequence[Subject], viewer: Viewer) -> list[list[Voice]]:
        """What ``viewer`` may hear about each of ``subjects``, in their order; nothing of its own."""
        voices: list[list[Voice]] = [[] for _ in subjects]
        wanted, as_indicators = self._wanted(subjects)
        found = self._filed(list(wanted))
        decoys = self._decoys(list(wanted), STEP - len(found) % STEP)
        now = clock.micros()
        to_compare: list[tuple[Filed, Wanted]] = []
        for row in found:
            hearable, voice = _hearable(row, viewer, now), _voice(row)
            for one in wanted[row.tag]:
                if not hearable:
                    continue
                if one.exact and row.exact:
                    voices[one.place].append(voice)
                elif one.name is None:
                    voices[one.place].append(_inexact(voice))
                else:
                    to_compare.append((row, one))
        for row in decoys:
            _hearable(row, viewer, now)
            _voice(row)
        for row, one in self._alike(to_compare, any(subject.person for subject in subjects)):
            voices[one.place].append(_inexact(_voice(row)))
        self._hear_indicators(as_indicators, viewer, voices)
        return [_once(heard) if len(heard) > 1 else heard for heard in voices]

    def _wanted(self, subjects: Sequence[Subject]) -> tuple[dict[bytes, list[Wanted]], Places]:
        """The tags of ``subjects``, and the values that indicators may be about, each with whom it stands for."""
        index = CheckIndex(self._vault, tuple(epoch for (epoch,) in self._database.select(EPOCHS)) or (FIRST_EPOCH,))
        kinds = {kind.value for kind in self.indicators.kinds}
        wanted: dict[bytes, list[Wanted]] = {}
        values: Places = {}
        for place, subject in enumerate(subjects):
            name = subject.person.name if subject.person else None
            for term in terms(subject):
                one = Wanted(place, term.exact, name)
                for epoch in index.epochs:
                    wanted.setdefault(index.tag(term.facet, term.text, epoch), []).append(one)
                if term.exact and term.facet in kinds:
                    values.setdefault((term.facet, term.text), []).append(place)
        return wanted, values

    def _filed(self, tags: Sequence[bytes]) -> list[Filed]:
        rows: list[Row] = []
        for start in range(0, len(tags), LENGTHS[-1]):
            rows += select_any(self._database, FILED, "i.tag", tags[start : start + LENGTHS[-1]])
        return [Filed(*row) for row in rows]

    def _decoys(self, tags: Sequence[bytes], count: int) -> list[Filed]:
        """Rows that nobody asked for, the same ones whenever the same is asked; from the lower half of the tags, so
        that enough follow.
        """
        start = bytearray(hashlib.sha256(b"".join(tags)).digest()[:16])
        start[0] &= 0x7F
        rows = self._database.select(DECOYS, (bytes(start), count))
        return [Filed(*row) for row in islice(cycle(rows), count)]

    def _alike(self, pairs: Sequence[tuple[Filed, Wanted]], people: bool) -> list[tuple[Filed, Wanted]]:
        """Those of ``pairs`` whose names may be one person's; a multiple of ``STEP`` is opened where people are asked
        for.
        """
        if not people:
            return []
        found = [
            (row, one)
            for row, one in pairs
            if alike(open_name(self._vault, row.filing_id, row.position, row.wrapped_key, row.sealed), one.name or "")
        ]
        for _ in range(STEP - len(pairs) % STEP):
            alike(open_name(self._vault, DECOY, 0, self._decoy_key, self._decoy_name), DECOY)
        return found

    def _hear_indicators(self, places: Places, viewer: Viewer, voices: list[list[Voice]]) -> None:
        for value, statements in self.indicators.heard(list(places), viewer.actor, viewer.collections).items():
            said = [
                Voice(
                    one.ref, one.group, INTELLIGENCE, one.category, "", one.grade, one.tlp, one.first_seen,
                    one.last_seen, one.reports, echo=one.echo,
                )
                for one in statements
            ]  # fmt: skip
            for place in places[value]:
                voices[place] += said


def select_any(database: Database, sql: str, column: str, values: Sequence[Any]) -> list[Row]:
    """Rows of ``sql`` (which ends with WHERE) whose ``column`` is one of ``values``, 4,096 at most."""
    if not values:
        return []
    if database.product == "postgresql":
        return database.select(f"{sql}{column} = ANY(?)", (list(values),))
    length = next(one for one in LENGTHS if one >= len(values))
    filled = [*values, *[values[-1]] * (length - len(values))]
    return database.select(f"{sql}{column} IN ({', '.join('?' * length)})", filled)


def _hearable(row: Filed, viewer: Viewer, now: int) -> bool:
    """The one rule of visibility, and: live, not run out, not suspected to be false, not the asker's own."""
    return (
        (row.class_id in viewer.classes)
        & (row.state == LIVE)
        & (row.valid_until > now)
        & (row.member_id != viewer.actor.member_id)
        & grade_of(row.grade).disseminable
    )


def _voice(row: Filed) -> Voice:
    return Voice(
        row.filing_id, row.source_group, row.tier, row.category, row.role, row.grade, row.tlp, row.first_seen,
        row.last_seen,
    )  # fmt: skip


def _inexact(voice: Voice) -> Voice:
    return Voice(
        voice.ref, voice.group, voice.tier, voice.category, voice.role, voice.grade, voice.tlp, voice.first_seen,
        voice.last_seen, voice.reports, exact=False, echo=voice.echo,
    )  # fmt: skip


def _once(heard: Sequence[Voice]) -> list[Voice]:
    """A filing that stands under several tags of one subject speaks once, as exactly as it can."""
    by_voice: dict[tuple[str, str], Voice] = {}
    for one in heard:
        known = by_voice.get((one.ref, one.group))
        if known is None or (one.exact and not known.exact):
            by_voice[one.ref, one.group] = one
    return list(by_voice.values())
