"""STIX 2.1 objects as STIX 2.0 ones, where that loses no meaning; ``NotIn20`` where it would.

What changes (STIX 2.0, Committee Specification 01, parts 1 and 2):

* ``spec_version`` goes: in 2.0 the bundle states it.
* A property that 2.0 does not know becomes a custom one: ``confidence`` is ``x_confidence``, ``extensions`` is
  ``x_extensions``, and so on. Only references to objects that 2.0 does not have are dropped.
* ``indicator_types``, ``malware_types``, ``report_types``, ``threat_actor_types`` and ``tool_types`` become
  ``labels``, which 2.0 requires there, before the object's own labels; ``unknown`` where there are neither.
* The TLP markings are those of TLP 1 (2.0 part 1 section 4.1.4): CLEAR is WHITE, AMBER+STRICT is RED: never less
  strict than it was.
* Identifiers: 2.0 allows UUIDs of version 4 only (part 1 section 2.6), and OASIS's library refuses a whole bundle
  over any other. ``id20`` gives the four bits of the version that value in every id and reference; ``ids21``
  finds the way back.
* ``created`` and ``modified`` have exactly three fraction digits.

Left out: observables as objects, ``grouping``, ``incident``, ``infrastructure``, ``location``,
``malware-analysis``, ``note``, ``opinion``, ``language-content``, ``extension-definition`` and custom types; the
markings of TLP 2.0 themselves, which stand as TLP 1's; indicators in another language than STIX patterns or with
a pattern that 2.0 reads otherwise; malware without a name; reports, relationships and sightings that refer to
what 2.0 does not have; observed data without its ``objects``; markings of a part that has no place in 2.0.
"""

from __future__ import annotations

import re
from typing import Any, Final

from hub.errors import Unprocessable
from hub.stix import tlp
from hub.stix.tlp import Tlp

_COMMON: Final = frozenset(
    {"type", "id", "created_by_ref", "created", "modified", "revoked", "labels", "external_references"}
    | {"object_marking_refs", "granular_markings"}
)
_NAMED: Final = frozenset({"name", "description"})
# Beside the common ones, the properties of each type (STIX 2.0 part 2 sections 2 and 3).
_PROPERTIES: Final[dict[str, frozenset[str]]] = {
    "attack-pattern": _NAMED | {"kill_chain_phases"},
    "campaign": _NAMED | {"aliases", "first_seen", "last_seen", "objective"},
    "course-of-action": _NAMED,
    "identity": _NAMED | {"identity_class", "sectors", "contact_information"},
    "indicator": _NAMED | {"pattern", "valid_from", "valid_until", "kill_chain_phases"},
    "intrusion-set": _NAMED
    | {"aliases", "first_seen", "last_seen", "goals", "resource_level", "primary_motivation"}
    | {"secondary_motivations"},
    "malware": _NAMED | {"kill_chain_phases"},
    "observed-data": frozenset({"first_observed", "last_observed", "number_observed", "objects"}),
    "report": _NAMED | {"published", "object_refs"},
    "threat-actor": _NAMED
    | {"aliases", "roles", "goals", "sophistication", "resource_level", "primary_motivation"}
    | {"secondary_motivations", "personal_motivations"},
    "tool": _NAMED | {"kill_chain_phases", "tool_version"},
    "vulnerability": _NAMED,
    "relationship": frozenset({"relationship_type", "description", "source_ref", "target_ref"}),
    "sighting": frozenset(
        {"first_seen", "last_seen", "count", "sighting_of_ref", "observed_data_refs", "where_sighted_refs"}
        | {"summary"}
    ),
    "marking-definition": frozenset({"definition_type", "definition"}),
}
TYPES: Final = frozenset(_PROPERTIES)
# The 2.1 property that 2.0 calls ``labels``.
TYPES_PROPERTY: Final = {
    "indicator": "indicator_types",
    "malware": "malware_types",
    "report": "report_types",
    "threat-actor": "threat_actor_types",
    "tool": "tool_types",
}
# References whose targets 2.0 must have for the object to mean what it says.
_NEEDED_REFS: Final = {
    "report": ("object_refs",),
    "relationship": ("source_ref", "target_ref"),
    "sighting": ("sighting_of_ref", "observed_data_refs", "where_sighted_refs"),
}
_DROPPED: Final = frozenset({"spec_version", "pattern_type", "pattern_version"})
_TLP1: Final = {
    Tlp.CLEAR: tlp.TLP1_WHITE_ID,
    Tlp.GREEN: tlp.TLP1_GREEN_ID,
    Tlp.AMBER: tlp.TLP1_AMBER_ID,
    Tlp.AMBER_STRICT: tlp.TLP1_RED_ID,
    Tlp.RED: tlp.TLP1_RED_ID,
}
# Object paths that 2.1 added or renamed (STIX 2.1 section 6 against 2.0 part 4).
_PATHS_OF_21: Final = frozenset(
    {"file:ctime", "file:mtime", "file:atime", "directory:ctime", "directory:mtime", "directory:atime"}
    | {"process:created_time", "process:image_ref", "user-account:credential"}
    | {"user-account:credential_last_changed", "windows-registry-key:modified_time", "software:swid"}
    | {"email-message:message_id", "artifact:encryption_algorithm", "artifact:decryption_key"}
)
_LITERAL: Final = re.compile(r"'(?:[^'\\]|\\.)*+'")
_WORD_OF_21: Final = re.compile(r"\b(?:START|EXISTS)\b")
_PATH: Final = re.compile(r"[a-z0-9-]+:[A-Za-z0-9_-]+")
_UUID: Final = re.compile(r"--([0-9a-f]{8}-[0-9a-f]{4}-)([1-5])([0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12})$")


class NotIn20(Unprocessable):
    """The object has no STIX 2.0 form that says the same."""


def down(obj: dict[str, Any]) -> dict[str, Any]:
    """The STIX 2.0 form of a valid STIX 2.1 object, as a new object. Raises NotIn20 with the reason."""
    stix_type = obj["type"]
    if stix_type not in TYPES:
        raise NotIn20(f"STIX 2.0 has no objects of the type {stix_type}")
    _check_content(obj)
    known = _COMMON | _PROPERTIES[stix_type]
    types = TYPES_PROPERTY.get(stix_type)
    shown: dict[str, Any] = {}
    for name, value in obj.items():
        if name in _DROPPED or name == types:
            continue
        if name in known or name.startswith("x_"):
            shown[name] = _references(name, value)
        elif not (name.endswith(("_ref", "_refs")) and not _all_in_20(value)):
            shown[f"x_{name}"] = _references(name, value)
    if types is not None:
        shown["labels"] = list(dict.fromkeys([*obj.get(types, ()), *obj.get("labels", ())])) or ["unknown"]
    if stix_type == "identity":
        shown.setdefault("identity_class", "unknown")
    for name in ("created", "modified"):
        if name in shown:
            shown[name] = milliseconds(shown[name])
    _mark(shown)
    return shown


def id20(stix_id: str) -> str:
    """An identifier as 2.0 allows it: its UUID says version 4."""
    return _UUID.sub(r"--\g<1>4\g<3>", stix_id)


def ids21(stix_id: str) -> tuple[str, ...]:
    """Every identifier that ``id20`` gives as ``stix_id``, itself first."""
    others = (_UUID.sub(rf"--\g<1>{version}\g<3>", stix_id) for version in "5132")
    return tuple(dict.fromkeys([stix_id, *others])) if id20(stix_id) == stix_id else (stix_id,)


def milliseconds(timestamp: str) -> str:
    """A STIX timestamp with exactly three fraction digits, rounded down (STIX 2.0 part 1 section 3.1)."""
    seconds, _, fraction = timestamp.removesuffix("Z").partition(".")
    return f"{seconds}.{fraction[:3].ljust(3, '0')}Z"


def _check_content(obj: dict[str, Any]) -> None:
    stix_type = obj["type"]
    for name in _NEEDED_REFS.get(stix_type, ()):
        if name in obj and not _all_in_20(obj[name]):
            raise NotIn20("it refers to an object that STIX 2.0 does not have", where=name)
    if stix_type == "sighting" and not all(ref.startswith("identity--") for ref in obj.get("where_sighted_refs", ())):
        raise NotIn20("a sighting of STIX 2.0 is by an identity", where="where_sighted_refs")
    if stix_type == "indicator":
        _check_pattern(obj)
    if stix_type == "malware" and "name" not in obj:
        raise NotIn20("malware of STIX 2.0 has a name", where="name")
    if stix_type == "observed-data" and ("objects" not in obj or "object_refs" in obj):
        raise NotIn20("observed data of STIX 2.0 holds its objects", where="objects")
    if stix_type == "marking-definition" and (tlp.of_marking_id(obj["id"]) is not None or "definition" not in obj):
        raise NotIn20("it is not one of the markings that STIX 2.0 defines")


def _check_pattern(obj: dict[str, Any]) -> None:
    if obj.get("pattern_type") != "stix":
        raise NotIn20("the pattern is in another language than STIX patterns", where="pattern_type")
    bare = _LITERAL.sub("", obj["pattern"])
    if _WORD_OF_21.search(bare) or not _PATHS_OF_21.isdisjoint(_PATH.findall(bare)):
        raise NotIn20("STIX 2.0 reads this pattern otherwise or not at all", where="pattern")


def _all_in_20(refs: Any) -> bool:
    given = refs if isinstance(refs, list) else [refs]
    return all(isinstance(ref, str) and ref.partition("--")[0] in TYPES for ref in given)


def _references(name: str, value: Any) -> Any:
    """A property's value; where it is an identifier or a list of them, as 2.0 allows it."""
    if name == "id" or name.endswith("_ref"):
        return id20(value) if isinstance(value, str) else value
    if name.endswith("_refs") and isinstance(value, list):
        return [id20(ref) if isinstance(ref, str) else ref for ref in value]
    return value


def _mark(shown: dict[str, Any]) -> None:
    """Put TLP 1 in the place of TLP 2.0; drop marks of language, which 2.0 has none of."""
    if "object_marking_refs" in shown:
        shown["object_marking_refs"] = list(dict.fromkeys(map(_marking, shown["object_marking_refs"])))
    parts = [part for part in shown.pop("granular_markings", ()) if "marking_ref" in part]
    for part in parts:
        for selector in part["selectors"]:
            if selector.partition(".")[0] not in shown or selector.startswith("labels"):
                raise NotIn20("it marks a part that has no place in STIX 2.0", where="granular_markings")
    if parts:
        shown["granular_markings"] = [{**part, "marking_ref": _marking(part["marking_ref"])} for part in parts]


def _marking(marking_id: str) -> str:
    label = tlp.of_marking_id(marking_id)
    return id20(marking_id) if label is None else _TLP1[label]
