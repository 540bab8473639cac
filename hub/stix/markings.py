"""Markings of parts of an object (STIX 2.1 section 7.2.3), and what is left of it without them.

A part is hidden with the whole property that it stands in, since that is what a receipt can vouch for. Paths are
those of the receipt: the names of top-level properties, and ``extensions/<id>`` for each extension.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Any, Final

from hub.stix.tlp import of_marking_id

PERSONAL_DATA_ID: Final = "marking-definition--04e1b2dc-24c4-4792-b3c7-e8d6ede9449e"
PERSONAL_DATA: Final = "personal-data"
EXTENSIONS: Final = "extensions"

# Without these an object is no object, or says something else: not revoked, not marked.
INDISPENSABLE: Final = frozenset(
    {"type", "spec_version", "id", "created", "modified", "revoked", "object_marking_refs", "granular_markings"}
)
_CREATED: Final = "2026-11-22T00:00:00.000Z"


def personal_data_marking() -> dict[str, Any]:
    """The marking definition of personal data, the same in every hub: a new object at each call."""
    return {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": PERSONAL_DATA_ID,
        "created": _CREATED,
        "name": "Personal data",
        "definition_type": "statement",
        "definition": {
            "statement": (
                "Personal data. Only for members that hold a grant of personal data, for the purpose and the time"
                " that the grant names."
            )
        },
    }


def class_of(marking_ref: str) -> str | None:
    """Which field class a marking puts a part into: a TLP label, ``personal-data``, None for any other marking."""
    if marking_ref == PERSONAL_DATA_ID:
        return PERSONAL_DATA
    tlp = of_marking_id(marking_ref)
    return None if tlp is None else tlp.label


def is_personal(obj: dict[str, Any]) -> bool:
    """Whether the object as a whole is marked as personal data."""
    return PERSONAL_DATA_ID in obj.get("object_marking_refs", ())


def marked_paths(obj: dict[str, Any]) -> dict[str, set[str]]:
    """Each path of a valid object that a marking of a field class stands on, with those classes."""
    found: dict[str, set[str]] = {}
    for marking in obj.get("granular_markings", ()):
        field_class = class_of(marking["marking_ref"]) if "marking_ref" in marking else None
        if field_class is not None:
            for selector in marking["selectors"]:
                for path in _paths(obj, selector):
                    found.setdefault(path, set()).add(field_class)
    return found


def hidden_paths(obj: dict[str, Any], hidden: Iterable[str]) -> set[str]:
    """The paths that one who may not see the field classes ``hidden`` is not shown."""
    wanted = set(hidden)
    return {path for path, classes in marked_paths(obj).items() if classes & wanted}


def without_paths(obj: dict[str, Any], paths: AbstractSet[str]) -> dict[str, Any]:
    """A copy of a valid object without ``paths``, and without the selectors that stood for them."""
    shown = {name: value for name, value in obj.items() if name not in paths}
    if EXTENSIONS in obj:
        kept = {name: inner for name, inner in obj[EXTENSIONS].items() if f"{EXTENSIONS}/{name}" not in paths}
        shown[EXTENSIONS] = kept
        if not kept:
            del shown[EXTENSIONS]
    if "granular_markings" in obj:
        left = [_left(obj, marking, paths) for marking in obj["granular_markings"]]
        shown["granular_markings"] = [marking for marking in left if marking["selectors"]]
        if not shown["granular_markings"]:
            del shown["granular_markings"]
    return shown


def _left(obj: dict[str, Any], marking: dict[str, Any], paths: AbstractSet[str]) -> dict[str, Any]:
    selectors = [one for one in marking["selectors"] if paths.isdisjoint(_paths(obj, one))]
    return {**marking, "selectors": selectors}


def _paths(obj: dict[str, Any], selector: str) -> list[str]:
    """The paths that a selector stands in: one, but for ``extensions`` as a whole."""
    first, _, rest = selector.partition(".")
    if first != EXTENSIONS:
        return [first]
    if rest:
        return [f"{EXTENSIONS}/{rest.partition('.')[0]}"]
    return [f"{EXTENSIONS}/{name}" for name in obj[EXTENSIONS]]
