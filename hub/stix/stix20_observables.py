"""The cyber-observable objects inside of STIX 2.0 observed data, in the form of STIX 2.1.

In 2.0 they have no ids and refer to each other by their keys in the ``objects`` dictionary.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from hub.errors import InvalidInput
from hub.stix.ids import sco_id

# What 2.1 (section 6) calls otherwise, by type. What it no longer has stays, as a property of the producer's.
_RENAMED: Final[dict[str, dict[str, str]]] = {
    "directory": {"created": "ctime", "modified": "mtime", "accessed": "atime"},
    "file": {"created": "ctime", "modified": "mtime", "accessed": "atime"},
    "process": {"created": "created_time", "binary_ref": "image_ref"},
    "user-account": {"password_last_changed": "credential_last_changed"},
    "windows-registry-key": {"modified": "modified_time"},
}
# Types whose ids depend on the ids of others; none depends on another of these.
_DEPENDENT: Final = frozenset({"email-message", "file", "network-traffic"})


def upconvert_observables(objects: dict[str, Any], owner: str) -> dict[str, Any]:
    """Return the dictionary with the objects' properties renamed, with ids, and with references by id.

    ``owner`` is the id of the observed data: ids that the standard leaves to chance are derived from it, so
    that the same input always gives the same output. Raises InvalidInput where an entry is no object of a
    type, or a reference leads to no entry.
    """
    converted: dict[str, dict[str, Any]] = {}
    for key, entry in objects.items():
        if not isinstance(entry, dict) or not isinstance(entry.get("type"), str):
            raise InvalidInput("this is no cyber-observable object with a type", where=f"objects.{key[:40]}")
        converted[key] = _renamed(entry)
    ids: dict[str, str] = {}
    for late in (False, True):
        for key, one in converted.items():
            if (one["type"] in _DEPENDENT) is late:
                ids[key] = one.get("id") or _id_of(_referring(one, ids, None), key, owner)
    return {key: {**_referring(one, ids, key), "id": ids[key]} for key, one in converted.items()}


def _renamed(entry: dict[str, Any]) -> dict[str, Any]:
    names = _RENAMED.get(entry["type"], {})
    return {names.get(name, name): value for name, value in entry.items()}


def _id_of(one: dict[str, Any], key: str, owner: str) -> str:
    # A process has no properties that make its id, and an unknown type none that are known.
    if one["type"] != "process":
        try:
            found = sco_id(one)
        except InvalidInput:
            found = ""
        if found and found[-22:-21] == "5":
            return found
    return f"{one['type']}--{uuid5(NAMESPACE_URL, f'{owner}#{key}')}"


def _referring(one: dict[str, Any], ids: dict[str, str], place: str | None) -> dict[str, Any]:
    """The object with its references as ids; ``place`` None leaves those without an id yet as they are."""
    return {name: _resolved(name, value, ids, place) for name, value in one.items()}


def _resolved(name: str, value: Any, ids: dict[str, str], place: str | None) -> Any:
    if name.endswith("_ref") and isinstance(value, str):
        return _target(name, value, ids, place)
    if name.endswith("_refs") and isinstance(value, list):
        return [_target(name, one, ids, place) if isinstance(one, str) else one for one in value]
    if isinstance(value, dict):
        return {inner: _resolved(inner, part, ids, place) for inner, part in value.items()}
    if isinstance(value, list):
        return [_resolved("", part, ids, place) for part in value]
    return value


def _target(name: str, key: str, ids: dict[str, str], place: str | None) -> str:
    if key in ids:
        return ids[key]
    if place is None or "--" in key:
        return key
    raise InvalidInput(
        f"the reference {key[:40]!r} leads to no object of this observed data", where=f"objects.{place[:40]}.{name}"
    )
