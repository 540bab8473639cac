"""Versions of STIX objects: their own text, and a key that sorts as the instants do."""

from __future__ import annotations

from typing import Any

# In the version key of a withdrawn entry, before its seq: the plain key is free to be added again.
WITHDRAWN = "~"
# The stream of the statements that withdraw versions. A withdrawn entry is in its former stream's number below
# zero. Nobody sees any of these; whoever counts positions still knows whose a withdrawn entry was.
WITHDRAWALS = 0


def version_of(obj: dict[str, Any]) -> str | None:
    """The object's version in its own text: ``modified``, else ``created``, else None (TAXII 2.1 section 3.4.1)."""
    version = obj.get("modified") or obj.get("created")
    return version if isinstance(version, str) else None


def version_key(version: str | None) -> str:
    """A key of a STIX timestamp that compares as the instant does, whatever its fraction's length.

    "2020-01-01T00:00:00Z" and "2020-01-01T00:00:00.000Z" have the same key; an unversioned object has "".
    """
    if version is None:
        return ""
    seconds, _, fraction = version.rstrip("Z").partition(".")
    fraction = fraction.rstrip("0")
    return f"{seconds}.{fraction}" if fraction else seconds
