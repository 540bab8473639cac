"""The body of a POST: an envelope, or a bundle since common clients send one."""

from __future__ import annotations

from typing import Any

from hub.errors import InvalidInput, Unprocessable
from hub.stix.canonical import parse_json


def objects_of(raw: bytes, most: int) -> int:
    """How many objects the body holds, after a look at its shape; each object is judged by the worker.

    Raises InvalidInput for what is not JSON, Unprocessable for what is no envelope of objects and for more than
    ``most`` objects: 413 is for bodies over ``max_content_length`` alone (TAXII 2.1 section 4.2.1).
    """
    if not raw.strip():
        raise InvalidInput("the body is empty", advice='Send an envelope: {"objects": [ … ]}')
    document = parse_json(raw)
    if not isinstance(document, dict):
        raise Unprocessable("the body is not an envelope", advice='Send an envelope: {"objects": [ … ]}')
    found: Any = document.get("objects")
    if not isinstance(found, list) or not found:
        raise Unprocessable("there are no objects in the body", where="objects")
    if len(found) > most:
        raise Unprocessable(
            f"one POST takes at most {most} objects, this one has {len(found)}",
            where="objects",
            advice="Send them in several POSTs.",
        )
    for position, one in enumerate(found):
        if not isinstance(one, dict):
            raise Unprocessable("not a STIX object", where=f"objects[{position}]")
    return len(found)
