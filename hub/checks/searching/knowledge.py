"""What is known about subjects, as one asker may hear it: from filings, and from the indicators of the ledger.

A check must not tell by its time what it may not tell in words. So nothing is left out by the database: whatever
stands under a tag is fetched and weighed, then dropped where the asker may not hear it. And what is fetched and
weighed is rounded up to a multiple of ``STEP`` with decoys, so that nothing found, something found and something
hidden cost the same. Which statements run depends on what is asked, never on what is found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Final, Protocol

from hub import clock
from hub.auth import Actor
from hub.checks.filings.parts import Envelope, open_person
from hub.checks.filings.records import LIVE
from hub.checks.index import FIRST_EPOCH, CheckIndex
from hub.checks.searching.filed import Filed, filed
from hub.checks.searching.known_tags import KnownTags
from hub.checks.searching.names import alike
from hub.checks.searching.viewers import Viewer
from hub.checks.searching.weighing import INTELLIGENCE, Voice, grade_of
from hub.checks.subjects import NAME_AND_POSTCODE, Person, Subject, Term, terms
from hub.db import Database
from hub.db.presence import STEP
from hub.sealing import Vault
from hub.stix.values import Kind

DECOY: Final = "nobody at all"
EPOCHS: Final = "SELECT epoch FROM index_epoch WHERE retired_at IS NULL ORDER BY epoch DESC"


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

    @property
    def left(self) -> float:
        """The share of its confidence that has not faded."""


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

    def left(self, kind: str, since: int, now: int) -> float:
        """The share of a confidence that is left at ``now`` of a value of ``kind``, which need not be one of ``kinds``,
        that was last seen ``since``.
        """

    def standing(self, refs: Sequence[str]) -> set[str]:
        """Those of the indicators ``refs`` that are not revoked."""


# A term of a subject, by the subject's place among those asked for.
Sought = tuple[int, Term]
# What is filed that may be about a person at a place, and whether both say the whole of an identifier.
Pair = tuple[Filed, int, Person, bool]


class Knowledge:
    """Looks up what is known; one for each process."""

    def __init__(self, database: Database, vault: Vault, indicators: KnownIndicators) -> None:
        self.indicators = indicators
        self._database = database
        self._vault = vault
        self._known_tags = KnownTags(database)
        self._indicator_facets = frozenset(kind.value for kind in indicators.kinds)
        envelope, self._decoy_key = Envelope.made(vault, DECOY)
        self._decoy_name = envelope.seal_identifier(0, "", "", DECOY)

    def heard(self, subjects: Sequence[Subject | None], viewer: Viewer) -> dict[int, list[Voice]]:
        """What ``viewer`` may hear of ``subjects`` (None: not searched), by their places; nothing of its own.

        Where there is nothing to hear, the place is not in it.
        """
        sought = [(place, term) for place, subject in enumerate(subjects) if subject for term in terms(subject)]
        voices: dict[int, list[Voice]] = {}
        people = {place: one.person for place, one in enumerate(subjects) if one and one.person}
        self._hear_filings(sought, people, viewer, voices)
        self._hear_indicators(sought, viewer, voices)
        return {place: _once(heard) if len(heard) > 1 else heard for place, heard in voices.items()}

    def _hear_filings(
        self, sought: Sequence[Sought], people: Mapping[int, Person], viewer: Viewer, voices: dict[int, list[Voice]]
    ) -> None:
        """``people``: those who are asked for, by their places."""
        index = self._index()
        tags = [index.tag(term.facet, term.text, epoch) for epoch in index.epochs for _, term in sought]
        rows = filed(self._database, tags, self._known_tags.possible(tags, index.epochs))
        wanted = _by_tag(tags, sought, rows)
        now = clock.micros()
        to_compare: list[Pair] = []
        for row in rows:
            hearable, voice = _hearable(row, viewer, now) & (not row.decoy), self._voice(row, now)
            for place, term in wanted[row.tag] if hearable else ():
                person, whole = people.get(place), term.exact and row.exact
                if person is not None and not (whole and (person.born is None or term.facet != NAME_AND_POSTCODE)):
                    to_compare.append((row, place, person, whole))
                else:
                    voices.setdefault(place, []).append(voice if whole else _inexact(voice))
        for row, place, whole in self._alike(to_compare, bool(people)):
            voice = self._voice(row, now)
            voices.setdefault(place, []).append(voice if whole else _inexact(voice))

    def _voice(self, row: Filed, now: int) -> Voice:
        """Intelligence fades as the indicator of the value does; what was established as known fraud does not."""
        left = self.indicators.left(row.facet, row.last_seen, now)
        return Voice(
            row.filing_id, row.source_group, row.tier, row.category, row.role, row.grade, row.tlp, row.first_seen,
            row.last_seen, left=left if row.tier == INTELLIGENCE else 1.0,
        )  # fmt: skip

    def _index(self) -> CheckIndex:
        """The index with the epochs that are searched now."""
        return CheckIndex(self._vault, tuple(epoch for (epoch,) in self._database.select(EPOCHS)) or (FIRST_EPOCH,))

    def _alike(self, pairs: Sequence[Pair], people: bool) -> list[tuple[Filed, int, bool]]:
        """Those of ``pairs`` whose names may be one person's, and whether it is the whole identifier: who has the same
        name and postcode and another birth date is somebody else. A multiple of ``STEP`` is opened where people are
        asked for.
        """
        if not people:
            return []
        found = []
        for row, place, person, whole in pairs:
            name, born = open_person(self._vault, row.filing_id, row.position, row.wrapped_key, row.sealed)
            if alike(name, person.name):
                found.append((row, place, whole and born in ("", person.born)))
        for _ in range(STEP - len(pairs) % STEP):
            alike(open_person(self._vault, DECOY, 0, self._decoy_key, self._decoy_name)[0], DECOY)
        return found

    def _hear_indicators(self, sought: Sequence[Sought], viewer: Viewer, voices: dict[int, list[Voice]]) -> None:
        asked = [term[:2] for _, term in sought if term.exact and term.facet in self._indicator_facets]
        said = self.indicators.heard(asked, viewer.actor, viewer.collections)
        for place, term in sought:
            for one in said.get(term[:2], ()) if term.exact else ():
                voices.setdefault(place, []).append(
                    Voice(
                        one.ref, one.group, INTELLIGENCE, one.category, "", one.grade, one.tlp, one.first_seen,
                        one.last_seen, one.reports, echo=one.echo, left=one.left,
                    )
                )  # fmt: skip


def _by_tag(tags: Sequence[bytes], sought: Sequence[Sought], found: Sequence[Filed]) -> dict[bytes, list[Sought]]:
    """What is sought under each tag of ``found``."""
    wanted: dict[bytes, list[Sought]] = {row.tag: [] for row in found}
    for tag, one in zip(tags, cycle(sought)):
        if tag in wanted:
            wanted[tag].append(one)
    return wanted


def _hearable(row: Filed, viewer: Viewer, now: int) -> bool:
    """The one rule of visibility, and: live, not run out, not suspected to be false, not the asker's own."""
    return (
        (row.class_id in viewer.classes)
        & (row.state == LIVE)
        & (row.valid_until > now)
        & (row.member_id != viewer.actor.member_id)
        & grade_of(row.grade).disseminable
    )


def _inexact(voice: Voice) -> Voice:
    return Voice(
        voice.ref, voice.group, voice.tier, voice.category, voice.role, voice.grade, voice.tlp, voice.first_seen,
        voice.last_seen, voice.reports, exact=False, echo=voice.echo, left=voice.left,
    )  # fmt: skip


def _once(heard: Sequence[Voice]) -> list[Voice]:
    """A filing that stands under several tags of one subject speaks once, as exactly as it can."""
    by_voice: dict[tuple[str, str], Voice] = {}
    for one in heard:
        known = by_voice.get((one.ref, one.group))
        if known is None or (one.exact and not known.exact):
            by_voice[one.ref, one.group] = one
    return list(by_voice.values())
