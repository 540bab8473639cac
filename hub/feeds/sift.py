"""Sift readings: a canonical value, a stated refusal, or quarantine with the rule that holds it."""

from __future__ import annotations

from dataclasses import dataclass, field

from hub.errors import InvalidInput
from hub.feeds.readers.reading import RawIndicator
from hub.feeds.warninglists import WarningLists
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
    """What may be published. ``publish_reserved`` lets documentation values through (``intake.reserved``)."""

    publish_reserved: bool
    warnings: WarningLists = field(default_factory=WarningLists)

    @property
    def key(self) -> str:
        """Equal exactly for rules that hold the same."""
        return f"{self.publish_reserved}:{self.warnings.digest}"


def sift(reading: RawIndicator, rules: Rules) -> Value | Held:
    """The canonical value of ``reading``, or why there is none to publish."""
    try:
        value = detect(reading.raw) if reading.kind is None else canonical(reading.kind, reading.raw)
    except InvalidInput as error:
        return Held("refused", reading.where, shown(reading.raw), error.message)
    reason = held_by_rule(value, rules, legitimate=reading.legitimate)
    if reason is not None:
        return Held("quarantined", reading.where, shown(reading.raw), reason, value)
    return value


def held_by_rule(value: Value, rules: Rules, *, legitimate: bool = False) -> str | None:
    """The rule that keeps ``value`` from being published, None where it may be."""
    if legitimate:
        return "the source itself lists it as legitimate"
    reason = private_reason(value)
    if reason is None and not rules.publish_reserved:
        reason = reserved_reason(value)
    if reason is None and (found := rules.warnings.hit(value)) is not None:
        reason = f"it is on the warning list {found}"
    return reason


def shown(raw: str) -> str:
    """``raw`` as it may be shown to a person: short, on one line, without card numbers."""
    text = " ".join(redact_cards(raw[: SHOWN * 4]).split())
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
