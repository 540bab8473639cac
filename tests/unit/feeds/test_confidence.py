"""Votes and how they fade: the design's examples, MISP's polynomial, the time at which a band is left."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.clock import DAY, HOUR
from hub.feeds.confidence import band, combined_confidence, falls_at, left
from hub.feeds.contributed import Contributed
from hub.feeds.sources import Contributor
from hub.stix.tlp import Tlp
from hub.stix.values import Kind
from hub.stix.values.validity import VALID_DAYS

NOW = 1_700_000_000_000_000


def said(
    group: str, grade: str = "1C", days: float = 0, count: int = 1, source_class: str = "member", *, echo: bool = False
) -> Contributed:
    source = Contributor(1, group, source_class, "identity--x", grade, group)
    seen = NOW - int(days * DAY)
    return Contributed(
        source, frozenset({1}), seen, seen, count, grade, Tlp.GREEN, frozenset(), (), b"", echo=echo
    )  # fmt: skip


@pytest.mark.parametrize(
    ("contributions", "weight"),
    [
        ([said("a")], 54),
        ([said("a"), said("b")], 79),
        ([said("a", count=5)], 54),
        ([said("a")] * 5, 54),
        ([said("a", "1A")], 75),
        ([said("police", "2B", count=2, source_class="report-fraud")], 73),
        ([said("police", "2B", count=9, source_class="report-fraud")], 86),
        ([said("a"), said("b", echo=True)], 54),
        ([said("a", echo=True)], 0),
        # 0.54 · (1 − √(30/120)) = 0.27
        ([said("a", days=30)], 27),
        ([said("a", days=30), said("b")], round(100 * (1 - 0.73 * 0.46))),
        # The echo gives no vote, and starts the clock of the others anew.
        ([said("a", days=30), said("b", echo=True)], 54),
        ([said("a", days=30), said("b", days=7.5, echo=True)], round(54 * 0.75)),
    ],
)
def test_what_contributions_add_up_to(contributions: list[Contributed], weight: int) -> None:
    assert combined_confidence(Kind.DOMAIN, contributions, NOW) == weight


@pytest.mark.parametrize(
    ("kind", "days", "share"),
    [
        (Kind.URL, 0, 1), (Kind.URL, 1, 1 - (1 / 3) ** (1 / 2.3)), (Kind.URL, 3, 0.3), (Kind.URL, 7, 0.3),
        (Kind.PHONE, 1, 1 - 0.1 ** (1 / 2.3)), (Kind.PHONE, 11, 0.3), (Kind.IPV4, 30, 0.5), (Kind.SHA256, 0, 1),
        (Kind.BANK_ACCOUNT, 365, 0.3), (Kind.BANK_ACCOUNT, 73, 0.86),
    ],
)  # fmt: skip
def test_the_polynomial_of_each_kind(kind: Kind, days: int, share: float) -> None:
    assert left(kind, days * 24) == pytest.approx(share)


@pytest.mark.parametrize("kind", list(Kind))
def test_a_confidence_only_ever_falls_and_never_below_the_threshold(kind: Kind) -> None:
    shares = [left(kind, day * 24) for day in range(VALID_DAYS[kind] + 2)]
    assert shares == sorted(shares, reverse=True)
    assert (shares[0], min(shares) >= 0.3) == (1, True)


@given(
    st.sampled_from([Kind.URL, Kind.PHONE, Kind.DOMAIN, Kind.EMAIL, Kind.SHA256]),
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from(["1A", "1B", "2B", "2D", "3C"]), st.integers(0, 40)),
        min_size=1, max_size=4,
    ),
)  # fmt: skip
def test_the_band_is_left_at_the_hour_that_is_foretold(kind: Kind, voices: list[tuple[str, str, int]]) -> None:
    contributions = [said(group, grade, days) for group, grade, days in voices]
    until = max(one.last_seen for one in contributions) + VALID_DAYS[kind] * DAY
    now = band(combined_confidence(kind, contributions, NOW))
    falls = falls_at(kind, contributions, NOW, until)
    if falls is None:
        assert until <= NOW or band(combined_confidence(kind, contributions, until)) == now
        return
    assert NOW < falls <= until
    assert band(combined_confidence(kind, contributions, falls)) < now
    assert band(combined_confidence(kind, contributions, falls - HOUR)) == now


def test_an_order_does_not_matter() -> None:
    one, other = said("a", "2B", 3), said("a", "1C", 20)
    every = [one, other, replace(one, echo=True)]
    assert combined_confidence(Kind.DOMAIN, every, NOW) == combined_confidence(Kind.DOMAIN, every[::-1], NOW)
