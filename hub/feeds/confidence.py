"""How much is to be believed: what votes add up to, and how they fade (FRAUD.md, "Grading and confidence").

Everything here is a function of what was said and of a time that is given.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from hub.clock import HOUR
from hub.documents import grade as grades
from hub.feeds.contributed import Contributed
from hub.feeds.sources import REPORT_FRAUD
from hub.stix.values import Kind
from hub.stix.values.validity import VALID_DAYS

HOURS_OF_DAY = 24
ONE_SOURCE_CAP = 75
MOST_OF_ONE = 0.95
MOST_VICTIMS = 3
# Where the bands of STIX 2.1 Appendix A begin: Low, Medium, High.
BANDS = (1, 30, 70)
# MISP's threshold: what is left of a confidence at the least, until the indicator runs out.
LEAST_LEFT = 0.30
_NETWORK = (120.0, 2.0)
# MISP's public models, (τ in days, δ): phishing, vishing, NIDS.
MODELS = {
    Kind.URL: (3.0, 2.3),
    Kind.PHONE: (10.0, 2.3),
    Kind.DOMAIN: _NETWORK,
    Kind.IPV4: _NETWORK,
    Kind.IPV6: _NETWORK,
    Kind.IPV4_CIDR: _NETWORK,
    Kind.IPV6_CIDR: _NETWORK,
    Kind.ASN: _NETWORK,
    Kind.JA3: _NETWORK,
    Kind.USER_AGENT: _NETWORK,
}


class Vote(NamedTuple):
    """One contribution: ``confidence`` 0 to 100, ``times`` it counts, ``age`` in whole hours since it was last seen,
    below zero where it does not begin to fade before then.
    """

    group: str
    confidence: int
    times: int
    age: int


def model(kind: Kind) -> tuple[float, float]:
    """(τ in days, δ) of a kind. Where nobody has published a model, a confidence falls evenly, to the threshold at
    the time when the kind's indicators run out.
    """
    return MODELS.get(kind, (VALID_DAYS[kind] / (1 - LEAST_LEFT), 1.0))


def left(kind: Kind, hours: int) -> float:
    """The share of a confidence that is left so many hours after the last sighting: 1 − (t/τ)^(1/δ)."""
    days, delta = model(kind)
    spent = max(0, hours) / (days * HOURS_OF_DAY)
    return max(LEAST_LEFT, 1 - math.pow(spent, 1 / delta))


def combined_confidence(kind: Kind, said: Iterable[Contributed], now: int) -> int:
    """0 to 100 at the time ``now``: one best vote for each independence group, P = 1 − Π(1 − min(0.95, c · left)).

    Victims' reports of Report Fraud count up to three times. One vote alone is capped at 75. An echo has no vote.
    """
    return _combined(kind, votes_of(said, now))


def falls_at(kind: Kind, said: Iterable[Contributed], now: int, until: int) -> int | None:
    """When the confidence leaves the band that it is in at ``now``; None where it does not before ``until``."""
    hours = _hours_in_band(kind, votes_of(said, now), (until - now) // HOUR)
    return None if hours is None else now + hours * HOUR


def votes_of(said: Iterable[Contributed], now: int) -> tuple[Vote, ...]:
    """The votes of contributions at ``now``. An echo has none, but is a sighting: it resets the clock of them all."""
    every = list(said)
    echoed = max((one.last_seen for one in every if one.echo), default=0)
    return tuple(
        Vote(
            one.source.independence_group,
            confidence_of(one.grade),
            min(one.count, MOST_VICTIMS) if one.source.source_class == REPORT_FRAUD else 1,
            (now - max(one.fresh_until, echoed)) // HOUR,
        )
        for one in every
        if not one.echo
    )


def band(confidence: int) -> int:
    """The band of STIX 2.1 Appendix A: 0 None, 1 Low, 2 Medium, 3 High."""
    return sum(confidence >= begins for begins in BANDS)


@lru_cache(maxsize=64)
def confidence_of(grade: str) -> int:
    """The STIX confidence of a 3x5x2 grade written like 2B."""
    return grades.confidence(grades.parse(grade))


@lru_cache(maxsize=8192)
def _combined(kind: Kind, votes: tuple[Vote, ...], later: int = 0) -> int:
    """What ``votes`` add up to so many hours later."""
    best: dict[str, list[float]] = {}
    for one in votes:
        worth = min(MOST_OF_ONE, one.confidence / 100 * left(kind, one.age + later))
        best[one.group] = max(best.get(one.group, []), [worth] * one.times)
    every = [worth for group in best.values() for worth in group]
    combined = round(100 * (1 - math.prod(1 - worth for worth in every)))
    return combined if len(every) > 1 else min(ONE_SOURCE_CAP, combined)


@lru_cache(maxsize=8192)
def _hours_in_band(kind: Kind, votes: tuple[Vote, ...], most: int) -> int | None:
    """After how many whole hours, at least one and at most ``most``, the band is a lower one; None where it is not."""
    now = band(_combined(kind, votes))
    if most < 1 or band(_combined(kind, votes, most)) == now:
        return None
    # Every vote only ever fades, so the first hour of a lower band is found by halving.
    return bisect_left(range(most), True, lo=1, key=lambda later: band(_combined(kind, votes, later)) < now)
