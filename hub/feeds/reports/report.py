"""A validated report, cut into what may be stored open and what must be sealed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from hub.documents import grade, nfib
from hub.documents.faults import Fault, InvalidReport
from hub.errors import InvalidInput
from hub.feeds.readers.reading import RawIndicator
from hub.feeds.readers.shape import rfc3339
from hub.feeds.reports import narrative
from hub.feeds.reports.victim import VictimData, nobody
from hub.stix.values import Kind, Value, canonical, detect

_PERSONAL = ("name", "alias", "date_of_birth", "address")
_SIMPLE_KINDS = {
    "phone": Kind.PHONE,
    "email": Kind.EMAIL,
    "url": Kind.URL,
    "iban": Kind.IBAN,
    "vehicle": Kind.VEHICLE,
}


@dataclass(frozen=True, slots=True)
class Report:
    """One report.

    ``open`` has no victim, narrative, name, alias, date of birth or address, and no text that repeats the
    victim's data: it may be stored unsealed. ``protected`` holds all that (``victim``, ``narrative``,
    ``people``, ``removed``) and is to be encrypted by the caller. ``where`` is its place in a batch.
    """

    reference: str
    code: nfib.Code
    grade: grade.Grade | None
    open: dict[str, Any]
    protected: dict[str, Any]
    where: str
    _indicators: tuple[RawIndicator, ...]

    def indicators(self) -> list[RawIndicator]:
        """What the report says of suspects, beneficiaries and in its narrative, each value once.

        Nothing that the victim section also holds is among them.
        """
        return list(self._indicators)


def from_sections(sections: Mapping[str, Any], where: str = "") -> Report:
    """A Report from the validated sections of its document.

    Raises InvalidReport if the reference, which everybody may see, holds the victim's data.
    """
    head = sections["report"]
    victim = VictimData(sections["victim"]) if sections.get("victim") else nobody()
    prefix = f"{where}." if where else ""
    if victim.touches(head["reference"]):
        raise InvalidReport([Fault(f"{prefix}report.reference", "must not hold the victim's data")])
    shown, protected = _cut(sections, victim)
    return Report(
        reference=head["reference"],
        code=nfib.code(head["nfib_code"]),
        grade=grade.parse(head["grade"]) if "grade" in head else None,
        open=shown,
        protected=protected,
        where=where,
        _indicators=tuple(_indicators(sections, victim, prefix)),
    )


def _cut(sections: Mapping[str, Any], victim: VictimData) -> tuple[dict[str, Any], dict[str, Any]]:
    people: dict[str, dict[str, str]] = {}
    removed: dict[str, str] = {}

    def kept(value: Any, place: str) -> Any:
        """``value`` without what identifies a person; that goes to ``people`` or ``removed``."""
        if isinstance(value, dict):
            if place.startswith("suspects[") and not place.endswith(".company"):
                value = _without(value, _PERSONAL, place, people)
            elif place.endswith(".beneficiary"):
                value = _without(value, ("name",), place, people)
            inner = {name: kept(part, f"{place}.{name}") for name, part in value.items()}
            return {name: part for name, part in inner.items() if part is not None}
        if isinstance(value, list):
            return [kept(part, f"{place}[{index}]") for index, part in enumerate(value)]
        if isinstance(value, str) and victim.touches(value):
            removed[place] = value
            return None
        return value

    head = {name: value for name, value in sections["report"].items() if name != "narrative"}
    shown = {"report": head} | {name: sections[name] for name in ("loss", "payments", "suspects") if name in sections}
    # What is open is walked with the names of its places, so that "removed" can be put back by a person.
    open_sections = {name: kept(section, name) for name, section in shown.items()}
    protected = {
        "victim": sections.get("victim"),
        "narrative": sections["report"].get("narrative"),
        "people": people,
        "removed": removed,
    }
    return open_sections, {name: value for name, value in protected.items() if value}


def _without(
    value: dict[str, Any], names: tuple[str, ...], place: str, people: dict[str, dict[str, str]]
) -> dict[str, Any]:
    personal = {name: value[name] for name in names if name in value}
    if personal:
        people[place] = personal
    return {name: part for name, part in value.items() if name not in personal}


def _indicators(sections: Mapping[str, Any], victim: VictimData, prefix: str) -> Iterator[RawIndicator]:
    head = sections["report"]
    labels = nfib.labels(head["nfib_code"])
    first = rfc3339(head.get("first_incident", head["reported_at"]))
    last = rfc3339(head.get("last_incident", head["reported_at"]))
    seen: set[Value | tuple[Kind | None, str]] = set()
    for stated in _stated(sections):
        value = _value(stated)
        key = value or (stated.kind, stated.raw)
        if key in seen or victim.touches(stated.raw) or (value and _is_victims(value, victim)):
            continue
        seen.add(key)
        yield replace(
            stated,
            where=prefix + stated.where,
            kind=value.kind if value else stated.kind,
            labels=labels,
            first_seen=first,
            last_seen=last,
        )


def _is_victims(value: Value, victim: VictimData) -> bool:
    return victim.owns(value) or victim.touches(value.text)


def _value(stated: RawIndicator) -> Value | None:
    try:
        return canonical(stated.kind, stated.raw) if stated.kind else detect(stated.raw)
    except InvalidInput:
        return None


def _stated(sections: Mapping[str, Any]) -> Iterator[RawIndicator]:
    """Every identifier of the report, most explicit place first."""
    for index, suspect in enumerate(sections.get("suspects", ())):
        yield from _identifiers(suspect, f"suspects[{index}]")
    for index, payment in enumerate(sections.get("payments", ())):
        yield from _identifiers(payment.get("beneficiary", {}), f"payments[{index}].beneficiary")
    yield from narrative.identifiers(sections["report"].get("narrative", ""), "report.narrative")


def _identifiers(holder: Mapping[str, Any], place: str) -> Iterator[RawIndicator]:
    for name, kind in _SIMPLE_KINDS.items():
        if name in holder:
            yield RawIndicator(f"{place}.{name}", holder[name], kind)
    if "sort_code" in holder and "account_number" in holder:
        raw = f"{holder['sort_code']} {holder['account_number']}"
        yield RawIndicator(f"{place}.account_number", raw, Kind.BANK_ACCOUNT)
    if "wallet" in holder:
        yield RawIndicator(f"{place}.wallet", holder["wallet"], Kind.WALLET)
    if social := holder.get("social"):
        raw = f"{social['platform']}:{social['handle']}"
        yield RawIndicator(f"{place}.social", raw, Kind.SOCIAL_HANDLE)
    if number := holder.get("company", {}).get("number"):
        yield RawIndicator(f"{place}.company.number", number, Kind.COMPANY)
