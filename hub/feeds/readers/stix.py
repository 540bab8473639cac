"""STIX 2.x in JSON: a bundle, a TAXII envelope, a list of objects or one object.

What is of STIX 2.0 is handed on in the form of 2.1, with its ids.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from hub.errors import InvalidInput
from hub.feeds.readers import text
from hub.feeds.readers.reading import Reading, StixObject, unread
from hub.stix.canonical import parse_json
from hub.stix.upconvert import is_stix20, upconvert

_BUNDLE = re.compile(r'"type"\s*:\s*"bundle"')
_OBJECT_ID = re.compile(r'"id"\s*:\s*"[a-z][a-z0-9-]*--[0-9a-f]{8}-[0-9a-f]{4}-')


class StixJson:
    """Yields each object as it stands; validation is the intake's work."""

    name = "stix"

    def fits(self, head: bytes, filename: str) -> int:
        """95 for a bundle, 85 for an envelope or a list of objects, 50 for a ``.stix2`` file."""
        start = text.decode_head(head)
        if not start.lstrip().startswith(("{", "[")):
            return 0
        if _BUNDLE.search(start):
            return 95
        if _OBJECT_ID.search(start):
            return 85
        return 50 if filename.endswith((".stix2", ".stix")) or '"objects"' in start else 0

    def read(self, raw: bytes) -> Iterator[Reading]:
        """One ``StixObject`` an object; an entry that is no STIX object, or has no form in 2.1, is ``Unread``.

        Raises InvalidInput when the text is not JSON (naming the place) or holds no list of objects.
        """
        prefix, objects = _objects(parse_json(text.as_utf8(raw)))
        for index, obj in enumerate(objects):
            where = f"{prefix}[{index}]"
            fault = _fault(obj)
            yield unread(where, str(_name(obj)), fault) if fault else _converted(where, obj)


def _converted(where: str, obj: dict[str, Any]) -> Reading:
    if not is_stix20(obj):
        return StixObject(where, obj)
    try:
        return StixObject(where, upconvert(obj))
    except InvalidInput as error:
        return unread(where, str(_name(obj)), f"it has no form in STIX 2.1: {error}")


def _objects(document: Any) -> tuple[str, list[Any]]:
    if isinstance(document, list):
        return "", document
    if not isinstance(document, dict):
        raise InvalidInput("the JSON text holds neither a bundle nor a list of STIX objects")
    objects = document.get("objects")
    if isinstance(objects, list):
        return "objects", objects
    if document.get("type") == "bundle" or set(document) <= {"more", "next"}:
        return "objects", []  # STIX 2.1 section 8 and TAXII 2.1 section 3.7: "objects" may be left out
    if "type" in document and "id" in document:
        return "", [document]
    raise InvalidInput(
        "the JSON document is neither a STIX bundle nor a TAXII envelope",
        advice='Send {"objects": [...]} or a bundle.',
    )


def _name(obj: Any) -> Any:
    return obj.get("id", obj.get("type", "an object")) if isinstance(obj, dict) else type(obj).__name__


def _fault(obj: Any) -> str | None:
    if not isinstance(obj, dict):
        return "not a JSON object"
    if not isinstance(obj.get("type"), str):
        return "the required property type is missing or not a string"
    # A marking definition and every other STIX 2.x object has an id; without it nothing can be kept.
    if not isinstance(obj.get("id"), str):
        return "the required property id is missing or not a string"
    return None
