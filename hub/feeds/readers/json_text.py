"""JSON as feeds send it, and careful looks into what it holds."""

from __future__ import annotations

import re
from typing import Any

from hub.feeds.readers import text
from hub.stix.canonical import parse_json

_OPENING = re.compile(r"\s*(?:\{\s*[\"}]|\[\s*[\[{\"\]])")


def document_of(raw: bytes) -> Any:
    """The value of a JSON file; raises InvalidInput naming the place where it is none (I-JSON, RFC 7493)."""
    return parse_json(text.as_utf8(raw))


def opening_of(head: bytes) -> str:
    """The first bytes of a file as text where they open like JSON; otherwise empty."""
    start = text.decode_head(head)
    return start if _OPENING.match(start) else ""


def text_in(holder: Any, name: str) -> str:
    """The text of a member, without blanks around it; empty where it is missing or no text or number."""
    found = holder.get(name) if isinstance(holder, dict) else None
    if isinstance(found, str):
        return found.strip()
    return str(found) if isinstance(found, int) and not isinstance(found, bool) else ""


def dicts_in(holder: Any, name: str) -> list[dict[str, Any]]:
    """The objects in the list that a member holds; empty where there is no such list."""
    found = holder.get(name) if isinstance(holder, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
