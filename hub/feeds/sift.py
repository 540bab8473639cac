"""Sift readings: a canonical value, a stated refusal, or quarantine with the rule that holds it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from hub.errors import InvalidInput
from hub.feeds.readers.reading import RawIndicator
from hub.feeds.warninglists import WarningLists, site_of
from hub.stix.cards import redact_cards
from hub.stix.reserved import private_reason, reserved_reason
from hub.stix.values import Value, canonical, detect

SHOWN = 120


@dataclass(frozen=True, slots=True)
class Held:
    """A value that is not published: ``status`` is "refused" or "quarantined"."""

    status: str
    where: str
    shown: str
    reason: str
    value: Value | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """What may be published. ``publish_reserved`` lets documentation values through (``intake.reserved``).

    ``own`` are the domain names of the hub and its members. ``decided`` says what is published although a rule holds
    it: (value, reason) -> the value itself where it was released, another where it was edited. It is one source's.
    """

    publish_reserved: bool
    warnings: WarningLists = field(default_factory=WarningLists)
    own: frozenset[str] = frozenset()
    decided: Mapping[tuple[Value, str], Value] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Equal exactly for rules that hold the same, whatever was decided of single values."""
        own = hashlib.sha256("\n".join(sorted(self.own)).encode()).hexdigest()
        return f"{self.publish_reserved}:{self.warnings.digest}:{own}"


def sift(reading: RawIndicator, rules: Rules) -> Value | Held:
    """The canonical value of ``reading``, or why there is none to publish."""
    try:
        value = detect(reading.raw) if reading.kind is None else canonical(reading.kind, reading.raw)
    except InvalidInput as error:
        return Held("refused", reading.where, shown(reading.raw), error.message)
    found = passed(value, rules, legitimate=reading.legitimate)
    if isinstance(found, str):
        return Held("quarantined", reading.where, shown(reading.raw), found, value)
    return found


def passed(value: Value, rules: Rules, *, legitimate: bool = False) -> Value | str:
    """What is published where a source names ``value``: itself, or what was put in its place; or the reason why
    a rule keeps it from being published.
    """
    for reason in _reasons(value, rules, legitimate):
        instead = rules.decided.get((value, reason))
        if instead is None:
            return reason
        if instead != value:  # a later rule may hold what was put in its place
            return next(_reasons(instead, rules, legitimate=False), instead)
    return value


def _reasons(value: Value, rules: Rules, legitimate: bool) -> Iterator[str]:
    """Each rule that holds ``value``."""
    if legitimate:
        yield "the source itself lists it as legitimate"
    if (reason := private_reason(value)) is not None:
        yield reason
    if not rules.publish_reserved and (reason := reserved_reason(value)) is not None:
        yield reason
    if rules.own and (site := site_of(value)) and any(name in rules.own for name in _and_parents(site)):
        yield "it belongs to a member of this hub"
    if (found := rules.warnings.hit(value)) is not None:
        yield f"it is on the warning list {found}"


def _and_parents(name: str) -> Iterator[str]:
    while name:
        yield name
        name = name.partition(".")[2]


def shown(raw: str) -> str:
    """``raw`` as it may be shown to a person: short, on one line, without card numbers."""
    text = " ".join(redact_cards(raw[: SHOWN * 4]).split())
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
