"""Who a merged indicator is for and what it tells, held against a reader who looks at each contribution alone."""

from __future__ import annotations

import json
import uuid

from hypothesis import given
from hypothesis import strategies as st

from hub.feeds.contributed import Contributed, Derived, together
from hub.feeds.indicator import audience_of, compose, derivation, sighting
from hub.feeds.sources import Contributor
from hub.ledger.classes import Audience
from hub.stix.tlp import Tlp
from hub.stix.validation import check
from hub.stix.values import Kind, Value

NAMESPACE = uuid.UUID("00000000-0000-4000-8000-000000000001")
HUB = "identity--00000000-0000-4000-8000-000000000002"
NOW = 1_700_000_000_000_000
VALUE = Value(Kind.DOMAIN, "evil.example")
LEVELS = (Tlp.CLEAR, Tlp.GREEN, Tlp.AMBER, Tlp.AMBER_STRICT)
labels = st.sampled_from(LEVELS)
groups = st.frozensets(st.integers(1, 3), max_size=3)
# Clearance and groups of somebody who reads.
READERS = [
    (clearance, frozenset(number for number in (1, 2, 3) if bits & 1 << number))
    for clearance in LEVELS
    for bits in range(0, 16, 2)
]
Reader = tuple[Tlp, frozenset[int]]


@st.composite
def contributions(draw: st.DrawFn) -> list[Contributed]:
    said = []
    for number in range(draw(st.integers(1, 5))):
        is_feed = draw(st.booleans())
        # Only a feed can have agreed in writing that its label does not narrow what others say.
        source = Contributor(
            number, f"source-{number}", "feed" if is_feed else "member",
            None if is_feed else f"identity--00000000-0000-4000-9000-00000000000{number}", "2B", f"house-{number}",
            is_feed and draw(st.booleans()),
        )  # fmt: skip
        said.append(
            Contributed(
                source, frozenset({1}), NOW, NOW, 1, "2B", draw(labels), draw(groups), (), b"", NOW, NOW,
                echo=draw(st.booleans()),
            )
        )  # fmt: skip
    return said


def may_see(reader: Reader, tlp: Tlp, of: frozenset[int]) -> bool:
    """The rule of one label alone: clearance, and from AMBER on a group that it is shared with."""
    clearance, own = reader
    return tlp <= clearance and (tlp in (Tlp.CLEAR, Tlp.GREEN) or any(group in of for group in own))


def expected(reader: Reader, said: list[Contributed]) -> bool:
    """The rule of the merge, said again: cleared for every binding label, and told by one who holds the strictest."""
    binding = [one for one in said if not one.source.allows_wider]
    if not binding:
        binding = said
    for one in binding:
        if one.tlp > reader[0]:
            return False
    return any(
        may_see(reader, one.tlp, one.groups) for one in binding if all(one.tlp >= other.tlp for other in binding)
    )


@given(contributions())
def test_the_version_is_for_exactly_those_whom_the_rule_names(said: list[Contributed]) -> None:
    audience = audience_of(said)
    for reader in READERS:
        assert may_see(reader, audience.tlp, audience.groups) == expected(reader, said), reader


@given(contributions())
def test_no_reader_sees_more_because_others_speak(said: list[Contributed]) -> None:
    """The merged indicator is for nobody who could see none of what is said."""
    audience = audience_of(said)
    for reader in READERS:
        if may_see(reader, audience.tlp, audience.groups):
            assert any(may_see(reader, one.tlp, one.groups) for one in said)


@given(contributions())
def test_an_open_indicator_never_tells_who_saw_it(said: list[Contributed]) -> None:
    audience = audience_of(said)
    content = compose(VALUE, said, audience, HUB, NOW)
    text = json.dumps(content)
    for one in said:
        if one.source.is_feed:
            continue
        # Neither name nor identity: members stand in sightings alone, which are for their own readers.
        assert one.source.name not in text
        assert str(one.source.sighted_ref) not in text
        assert audience.tlp >= one.tlp, "a member's label never gives way"
        seen = sighting(NAMESPACE, HUB, "indicator--00000000-0000-4000-8000-000000000003", one)
        assert seen["object_marking_refs"] == [one.tlp.marking_id]
        assert (one.audience.tlp, one.audience.groups) == (one.tlp, one.groups)


@given(labels, groups, labels, groups)
def test_a_link_is_for_those_who_may_see_both_ends(
    one: Tlp, of_one: frozenset[int], other: Tlp, of_other: frozenset[int]
) -> None:
    both = together(Audience(one, of_one), Audience(other, of_other))
    for reader in READERS:
        sees = may_see(reader, both.tlp, both.groups)
        may = may_see(reader, one, of_one) and may_see(reader, other, of_other)
        # Whoever is given the link may see both; with one group for each end, it may be for fewer.
        assert may or not sees
        if len(reader[1]) == 1 or one < Tlp.AMBER or other < Tlp.AMBER:
            assert sees == may


def test_a_link_is_valid_stix() -> None:
    link = Derived(f"indicator--{uuid.uuid4()}", Audience(Tlp.GREEN), created=NOW, modified=NOW)
    check(derivation(NAMESPACE, HUB, f"indicator--{uuid.uuid4()}", link, Audience(Tlp.AMBER)))
