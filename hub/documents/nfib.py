"""The codes under which a fraud report is classed, from a replaceable table.

``nfib.json`` says of itself whether it was checked against a published list (``verified``).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources

from hub.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Code:
    """One code with its title; ``category`` is a slug fit for a label."""

    code: str
    title: str
    category: str


@dataclass(frozen=True, slots=True)
class Table:
    """All codes by their code, with the table's own version."""

    version: str
    verified: bool
    codes: dict[str, Code]


@cache
def table() -> Table:
    """The table that ships with the hub."""
    text = resources.files(__package__).joinpath("nfib.json").read_text("utf-8")
    loaded = json.loads(text)
    codes = {entry["code"]: Code(**entry) for entry in loaded["codes"]}
    return Table(loaded["version"], loaded["verified"], codes)


def code(text: str) -> Code:
    """The entry for a code, written in any case or with an ``NFIB`` before it; raises InvalidInput."""
    wanted = text.strip().upper().removeprefix("NFIB").strip()
    found = table().codes.get(wanted)
    if found is None:
        raise InvalidInput(
            "there is no such NFIB code",
            advice="Use 90 where none of the codes fits.",
        )
    return found


def labels(text: str) -> tuple[str, ...]:
    """Labels for an indicator out of a report with this code: ``("nfib-3a", "consumer-fraud")``."""
    entry = code(text)
    return f"nfib-{entry.code.lower()}", entry.category
