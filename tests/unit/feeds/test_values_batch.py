"""A batch of values: for whom each is."""

from __future__ import annotations

import pytest

from hub.feeds.batch import Target
from hub.feeds.readers.reading import RawIndicator
from hub.feeds.sift import Rules
from hub.feeds.sources import Contributor
from hub.feeds.values_batch import CYBER, FRAUD, plan
from hub.stix.tlp import Tlp

FEED = Contributor(1, "feed", "feed", None, "B", "feed")


def target(tlp: Tlp | None, ceiling: Tlp | None = None) -> Target:
    return Target(
        submission_id="s",
        source=FEED,
        chosen=None,
        tlp=tlp,
        groups=frozenset(),
        aliases={CYBER: 1, FRAUD: 2},
        default_tlp={1: Tlp.GREEN, 2: Tlp.AMBER},
        by_object=False,
        ceiling=ceiling,
    )


@pytest.mark.parametrize(
    ("own", "sender", "expected"),
    [
        (None, None, Tlp.GREEN),
        (Tlp.CLEAR, None, Tlp.CLEAR),
        (Tlp.CLEAR, Tlp.AMBER, Tlp.AMBER),
        (Tlp.AMBER_STRICT, Tlp.GREEN, Tlp.AMBER_STRICT),
    ],
)
def test_the_strictest_of_the_value_and_its_sender(own: Tlp | None, sender: Tlp | None, expected: Tlp) -> None:
    planned = plan([(0, RawIndicator("line 1", "bad.example", tlp=own))], target(sender), Rules(True))
    assert [one.audience.tlp for one in planned.statements] == [expected]


@pytest.mark.parametrize(
    ("own", "default", "ceiling", "expected"),
    [
        (None, Tlp.AMBER, Tlp.GREEN, Tlp.AMBER),
        (Tlp.GREEN, Tlp.AMBER, Tlp.GREEN, Tlp.GREEN),
        (Tlp.CLEAR, Tlp.AMBER, Tlp.GREEN, Tlp.GREEN),
        (Tlp.AMBER_STRICT, Tlp.AMBER, Tlp.CLEAR, Tlp.AMBER_STRICT),
        (Tlp.CLEAR, None, Tlp.AMBER, Tlp.AMBER),
    ],
)
def test_nothing_goes_wider_than_the_ceiling(own: Tlp | None, default: Tlp | None, ceiling: Tlp, expected: Tlp) -> None:
    planned = plan([(0, RawIndicator("line 1", "bad.example", tlp=own))], target(default, ceiling), Rules(True))
    assert [one.audience.tlp for one in planned.statements] == [expected]


def test_red_never_enters_a_collection() -> None:
    planned = plan([(0, RawIndicator("line 1", "bad.example", tlp=Tlp.RED))], target(None), Rules(True))
    assert planned.statements == []
    assert planned.held == []
    assert planned.result.counts["refused"] == 1
    assert "TLP:RED" in planned.result.outcomes[0]["message"]
