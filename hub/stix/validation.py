"""Checking one STIX 2.1 object: its form by OASIS's JSON schemas, then its meaning.

The schemas come with the package; a reference to anything else is an error, never a fetch.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Final

import jsonschema_rs
import orjson

from hub.errors import InvalidInput
from hub.stix.semantics import check_meaning
from hub.stix.short_way import is_plainly_valid

_FOLDERS: Final = ("common", "observables", "sdos", "sros")
_STANDARD_IN_COMMON: Final = ("marking-definition", "extension-definition", "language-content")


def check(obj: dict[str, Any]) -> None:
    """Raise ``InvalidInput`` unless ``obj`` is a valid STIX 2.1 object, ``where`` naming the place in it.

    Takes every type of the standard but the bundle, types that an extension in the object defines (section
    7.3), and the older custom types whose names begin with "x-" (section 11.2). Values outside an open
    vocabulary are taken. Objects that it refers to are not looked up.
    """
    if type(obj) is not dict:
        raise InvalidInput("a STIX object is a JSON object")
    object_type = obj.get("type")
    if type(object_type) is not str:
        raise InvalidInput("a STIX object has a type (STIX 2.1 section 3.2)", where="type")
    if not is_plainly_valid(obj, object_type):
        _check_in_full(obj, object_type)


def _check_in_full(obj: dict[str, Any], object_type: str) -> None:
    if obj.get("spec_version", "2.1") != "2.1":
        raise InvalidInput(
            "only STIX 2.1 is taken",
            where="spec_version",
            advice="Convert STIX 2.0 content first, and set spec_version to 2.1.",
        )
    schema = object_type if object_type in _schema_ids() else _base_schema(object_type, obj)
    validator = _validator(schema)
    try:
        if not validator.is_valid(obj):
            _refuse(validator, obj)
    except ValueError as fault:
        raise InvalidInput(f"this object cannot be written as JSON: {fault}") from None
    check_meaning(obj)


@cache
def _schemas() -> tuple[tuple[str, dict[str, Any]], ...]:
    root = files("hub.stix") / "schemas"
    loaded = []
    for folder in _FOLDERS:
        for entry in sorted((root / folder).iterdir(), key=lambda found: found.name):
            schema = orjson.loads(entry.read_bytes())
            loaded.append((schema["$id"], schema))
    return tuple(loaded)


@cache
def _schema_ids() -> dict[str, str]:
    """Return the schema's id by the type of the object, the two cores under their own names."""
    named = {}
    for schema_id, _ in _schemas():
        folder, name = schema_id.removesuffix(".json").rsplit("/", 2)[1:]
        if folder != "common" or name in _STANDARD_IN_COMMON:
            named[name] = schema_id
    return named


@cache
def _registry() -> jsonschema_rs.Registry:
    return jsonschema_rs.Registry(list(_schemas()))


@cache
def _validator(name: str) -> Any:
    schema_id = _schema_ids().get(name)
    if schema_id is None:
        schema_id = next(found for found, _ in _schemas() if found.endswith(f"/common/{name}.json"))
    # The linear engine: the schemas' own expressions would let a backtracking one be stalled.
    return jsonschema_rs.validator_for(
        {"$ref": schema_id}, registry=_registry(), pattern_options=jsonschema_rs.RegexOptions(), offline=True
    )


def _base_schema(object_type: str, obj: dict[str, Any]) -> str:
    """Choose the common schema for a type that is not in the standard."""
    extensions = obj.get("extensions")
    kinds = []
    if type(extensions) is dict:
        kinds = [inner.get("extension_type") for inner in extensions.values() if type(inner) is dict]
    if "new-sco" in kinds:
        return "cyber-observable-core"
    if "new-sdo" in kinds or "new-sro" in kinds:
        return "core"
    if not object_type.startswith("x-"):
        raise InvalidInput(
            f"{object_type[:80]!r} is no type of STIX 2.1, and no extension of the object defines it",
            where="type",
            advice="Define it by an extension (section 7.3), or begin its name with x- (section 11.2).",
        )
    return "core" if "created" in obj or "modified" in obj else "cyber-observable-core"


def _refuse(validator: Any, obj: dict[str, Any]) -> None:
    faults = [_explain(error) for error in validator.iter_errors(obj)]
    # Without spec_version the object is of STIX 2.0, and what else it lacks follows from that.
    message, path = next((fault for fault in faults if fault[1] == "spec_version"), faults[0])
    raise InvalidInput(message, where=path or None)


def _explain(error: Any) -> tuple[str, str]:
    """Return what is wrong and where, looking into the alternatives for the one that came closest."""
    path = list(error.instance_path)
    kind = error.kind
    if kind.name == "required":
        return f"the property {kind.property} is required", _path_text([*path, kind.property])
    if kind.name == "additionalProperties":
        name = kind.unexpected[0]
        return "the name of this property is not allowed (STIX 2.1 section 3.1)", _path_text([*path, name])
    branches = getattr(kind, "context", None)
    if branches:
        closest = max(_closeness(errors) for errors in branches)
        near = [errors for errors in branches if _closeness(errors) == closest]
        if len(near) == 1 and closest[0] > len(path):
            return _explain(max(near[0], key=_depth))
        reasons = [_explain(errors[0])[0] for errors in near if errors]
        return "; or ".join(dict.fromkeys(reasons[:6])), _path_text(path)
    return error.message[:300], _path_text(path)


def _closeness(errors: Sequence[Any]) -> tuple[int, int]:
    """Return a greater key, the deeper the faults of an alternative stand and the fewer they are.

    "not" counts twice: it marks the alternative that is for everything else.
    """
    weight = len(errors) + sum(error.kind.name == "not" for error in errors)
    return max(map(_depth, errors), default=0), -weight


def _depth(error: Any) -> int:
    return len(error.instance_path) + int(error.kind.name == "required")


def _path_text(steps: Sequence[str | int]) -> str:
    """Write a path as ``granular_markings[0].selectors[1]``."""
    text = ""
    for step in steps:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += f".{step}" if text else step
    return text
