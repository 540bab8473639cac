"""MISP events in JSON, as instances export them and feeds publish them (MISP core format)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from hub.errors import InvalidInput
from hub.feeds.readers import shape
from hub.feeds.readers.json_text import dicts_in, document_of, opening_of, text_in
from hub.feeds.readers.labels import MOST_PHASES, Phase, labels_of, phase_of, strictest, tlp_of
from hub.feeds.readers.misp_types import CARD_TYPES, is_sort_code, parts_of
from hub.feeds.readers.reading import DESCRIPTION_LIMIT, RawIndicator, Reading, unread
from hub.stix.tlp import Tlp

_EVENT = re.compile(r'"(?:Event|Attribute|Object)"\s*:\s*[\[{]')
_MEMBER = re.compile(r'"(?:to_ids|Orgc|orgc_id|threat_level_id|meta-category|object_relation)"\s*:')
_LISTED = re.compile(r'\{\s*"[0-9a-fA-F-]{36}"\s*:\s*\{')
_GALAXY = re.compile(r'misp-galaxy:[^=]+="(.+)"', re.DOTALL)
_HARMLESS = re.compile(r'false-positive:(?:confirmed="true"|risk="(?:high|medium)"|[^=]*)', re.IGNORECASE)
_BANK_RELATIONS = frozenset({"sort-code", "sort_code", "branch", "institution-code"})
_Tagged = tuple[tuple[str, ...], Tlp | None, bool, tuple[Phase, ...]]
_UNTAGGED: _Tagged = ((), None, False, ())
_YES = frozenset({"1", "true"})
_FALSE_POSITIVE_SIGHTING = "1"  # MISP: 0 is a sighting, 1 a false positive, 2 an expiration


@dataclass(frozen=True, slots=True)
class _Said:
    """What an event, or an object in it, says of all its attributes."""

    labels: tuple[str, ...] = ()
    tlp: Tlp | None = None
    legitimate: bool = False
    phases: tuple[Phase, ...] = ()
    description: str = ""
    sort_code: str = ""


class MispEvents:
    """The attributes that are marked for detection (``to_ids``), in events and in their objects."""

    name = "misp"

    def fits(self, head: bytes, filename: str) -> int:  # noqa: ARG002 (the content alone decides)
        """96 for an event, a list of events, a search's answer or a feed's manifest."""
        start = opening_of(head)
        if not start:
            return 0
        return 96 if _MEMBER.search(start) and (_EVENT.search(start) or _LISTED.match(start)) else 0

    def read(self, raw: bytes) -> Iterator[Reading]:
        """One ``RawIndicator`` a value; ``Unread`` for an attribute that stays out, with the reason.

        Raises InvalidInput where the text is no JSON (naming the place), holds no event, or is the manifest
        of a feed.
        """
        document = document_of(raw)
        if is_manifest(document):
            raise InvalidInput(
                "this is the manifest of a MISP feed: it lists events and holds none",
                advice="Import the event files that it lists, or add the address of the feed as a MISP feed.",
            )
        events = list(_events(document))
        if not events:
            raise InvalidInput("the JSON document holds no MISP event")
        for number, event in enumerate(events, 1):
            yield from of_event(event, f"event {text_in(event, 'uuid')[:36] or number}")


def is_manifest(document: Any) -> bool:
    """Whether a document is a feed's ``manifest.json``: an object of events' summaries by their UUID."""
    if not isinstance(document, dict) or not document:
        return False
    return all(
        len(key) == 36 and isinstance(summary, dict) and "info" in summary and "Attribute" not in summary
        for key, summary in document.items()
    )


def _events(document: Any) -> Iterator[dict[str, Any]]:
    """Each event of a document; attributes and objects that stand alone make an event of their own."""
    pending: list[Any] = [document]
    while pending:
        part = pending.pop()
        if isinstance(part, list):
            pending += reversed(part)
        elif not isinstance(part, dict):
            continue
        elif isinstance(part.get("Event"), dict) and not isinstance(part.get("Attribute"), dict | list):
            yield part["Event"]
        elif isinstance(part.get("response"), dict | list):
            pending.append(part["response"])
        elif isinstance(part.get("Object"), dict):
            yield {"Object": [part["Object"]]}
        elif isinstance(part.get("Attribute"), dict):
            yield {"Attribute": [part["Attribute"]]}
        elif isinstance(part.get("Attribute"), list) or isinstance(part.get("Object"), list):
            yield part


def of_event(event: dict[str, Any], name: str) -> Iterator[Reading]:
    """The readings of one event; ``name`` begins each place."""
    said = _said(event, _Said(description=text_in(event, "info")))
    for number, attribute in enumerate(dicts_in(event, "Attribute"), 1):
        yield from _of_attribute(attribute, said, f"{name}, attribute {number}")
    for number, holder in enumerate(dicts_in(event, "Object"), 1):
        where = f"{name}, object {number}"
        inherited = _said(holder, said)
        withdrawn = _is_yes(holder.get("deleted"))
        for inner, attribute in enumerate(dicts_in(holder, "Attribute"), 1):
            place = f"{where}, attribute {inner}"
            if withdrawn:
                yield unread(place, text_in(attribute, "value"), "its object was deleted upstream")
            else:
                yield from _of_attribute(attribute, inherited, place)


def _said(holder: dict[str, Any], outer: _Said) -> _Said:
    """What a holder's own tags and marks add to what the event around it says."""
    labels, tlp, legitimate, phases = _tagged(_tags(holder))
    return _Said(
        tuple(dict.fromkeys((*outer.labels, *labels))),
        strictest(outer.tlp, tlp),
        outer.legitimate or legitimate,
        tuple(dict.fromkeys((*outer.phases, *phases))),
        outer.description or text_in(holder, "comment"),
        _sort_code(holder),
    )


def _of_attribute(attribute: dict[str, Any], said: _Said, where: str) -> Iterator[Reading]:
    kind, value = text_in(attribute, "type"), text_in(attribute, "value")
    if kind in CARD_TYPES:
        yield unread(where, "", "a payment card number, which is never taken")
        return
    parts = parts_of(kind, value, said.sort_code)
    reason = _reason(attribute, kind, value) if parts is None or not value else _out(attribute)
    if reason is not None or parts is None:
        yield unread(where, value, reason or "no value")
        return
    tags = _tags(attribute)
    labels, tlp, legitimate, phases = _tagged(tags) if tags else _UNTAGGED
    first, last = _times(attribute)
    for part_kind, raw in parts:
        if not raw.strip():
            yield unread(where, value, f"a part of the {kind[:40]} value is missing")
            continue
        yield RawIndicator(
            where,
            raw,
            part_kind,
            labels_of((*said.labels, *labels)) if labels else said.labels[:20],
            first,
            last,
            said.legitimate or legitimate or _is_called_harmless(attribute),
            (text_in(attribute, "comment") or said.description)[:DESCRIPTION_LIMIT] or None,
            strictest(said.tlp, tlp),
            tuple(dict.fromkeys((*said.phases, *phases)))[:MOST_PHASES] if phases else said.phases[:MOST_PHASES],
        )


def _reason(attribute: dict[str, Any], kind: str, value: str) -> str:
    if not value:
        return "the attribute has no value"
    return _out(attribute) or f"MISP type {kind[:40] or 'that is missing'} has no indicator form"


def _out(attribute: dict[str, Any]) -> str | None:
    """Why an attribute is no indicator whatever its type; None where it may be one."""
    if _is_yes(attribute.get("deleted")):
        return "deleted upstream"
    if not _is_yes(attribute.get("to_ids")):
        return "not marked for detection (to_ids is not true)"
    return None


def _is_yes(flag: Any) -> bool:
    return flag is True or flag == 1 or (isinstance(flag, str) and flag.strip().lower() in _YES)


def _is_called_harmless(attribute: dict[str, Any]) -> bool:
    """Whether a warning list hit or a false-positive sighting stands beside the attribute."""
    return bool(attribute.get("warnings")) or any(
        text_in(sighting, "type") == _FALSE_POSITIVE_SIGHTING for sighting in dicts_in(attribute, "Sighting")
    )


def _tags(holder: dict[str, Any]) -> tuple[str, ...]:
    return tuple(name for tag in dicts_in(holder, "Tag") if (name := text_in(tag, "name")))


@lru_cache(maxsize=1024)
def _tagged(tags: tuple[str, ...]) -> _Tagged:
    """(labels, the strictest TLP, whether a tag calls the value harmless, kill-chain phases)."""
    words: list[str] = []
    phases: list[Phase] = []
    tlp: Tlp | None = None
    legitimate = False
    for tag in tags:
        lower = tag.lower()
        if lower.startswith("tlp:"):
            tlp = strictest(tlp, tlp_of(lower))
        elif lower.startswith("false-positive:"):
            legitimate = legitimate or _HARMLESS.fullmatch(lower) is not None
        else:
            galaxy = _GALAXY.fullmatch(tag)
            words.append(galaxy[1] if galaxy else tag)
            if phase := phase_of(lower):
                phases.append(phase)
    return labels_of(words), tlp, legitimate, tuple(dict.fromkeys(phases))


def _times(attribute: dict[str, Any]) -> tuple[str | None, str | None]:
    """When the value was seen first and last; the attribute's own time of change stands in for either."""
    changed = _epoch(text_in(attribute, "timestamp"))
    first = shape.rfc3339(text_in(attribute, "first_seen")) or changed
    last = shape.rfc3339(text_in(attribute, "last_seen")) or changed
    return first, max(first, last) if first and last else last


@lru_cache(maxsize=4096)
def _epoch(seconds: str) -> str | None:
    if not (seconds.isascii() and seconds.isdigit() and 0 < len(seconds) <= 11) or int(seconds) == 0:
        return None
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _sort_code(holder: dict[str, Any]) -> str:
    for attribute in dicts_in(holder, "Attribute"):
        if text_in(attribute, "object_relation") in _BANK_RELATIONS:
            found = text_in(attribute, "value")
            if is_sort_code(found):
                return found
    return ""
