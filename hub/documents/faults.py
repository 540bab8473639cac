"""What is wrong with a document, as a flat list a person or a program can walk through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hub.errors import InvalidInput

FAULT_LIMIT = 100
_KEY_LIMIT = 40


@dataclass(frozen=True, slots=True)
class Fault:
    """``where`` is a path like ``suspects[1].phone``; ``message`` never repeats the value."""

    where: str
    message: str


class InvalidDocument(InvalidInput):
    """A document is not what its schema asks for; ``faults`` says where and why (at most 100)."""

    called = "document"

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults[:FAULT_LIMIT]
        count = f"{len(faults)} faults" if len(faults) > 1 else "1 fault"
        super().__init__(
            f"the {self.called} has {count}; the first: {faults[0].message}",
            where=faults[0].where,
            advice=f"Correct every place listed in faults and send the {self.called} again.",
        )


class InvalidReport(InvalidDocument):
    """A report has faults."""

    title = "The report is not valid"
    called = "report"


class InvalidFiling(InvalidDocument):
    """A filing has faults."""

    title = "The filing is not valid"
    called = "filing"


def flattened(messages: Any, prefix: str = "") -> list[Fault]:
    """marshmallow's nested messages as a list; integers are positions, ``_schema`` is the place itself."""
    if isinstance(messages, dict):
        found: list[Fault] = []
        for key, inner in messages.items():
            found += flattened(inner, _place(prefix, key))
        return found
    if isinstance(messages, list):
        return [fault for inner in messages for fault in flattened(inner, prefix)]
    return [Fault(prefix or "report", str(messages))]


def _place(prefix: str, key: Any) -> str:
    if isinstance(key, int):
        return f"{prefix}[{key}]"
    if key == "_schema":
        return prefix
    # A sender's own key may hold anything, a card number too.
    name = str(key)[:_KEY_LIMIT]
    name = name if name.replace("_", "").isalpha() else "(a name that is no field)"
    return f"{prefix}.{name}" if prefix else name
