"""What the hub holds about an identifier beside the filings, as subject access asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from sqlalchemy.orm import Session

from hub.stix.values import Value

# What no search by identifier finds; the person is told so.
NOT_SEARCHED: Final = (
    (
        "Reports of fraud are kept sealed. They were searched by the identifiers that they name of a suspect (account,"
        " phone, e-mail, address on the internet, wallet, company, vehicle), not by names, dates of birth or postal"
        " addresses, not in what is told, and not in what they say of the person who reported."
    ),
    "Objects that members share with each other beside indicators were not searched.",
)


@dataclass(frozen=True, slots=True)
class Mention:
    """That a source named an identifier.

    ``what``: "indicator" (as members pull it), "report" (of a reporting partner), "held value" (not published).
    ``member_id`` is None where ``source`` is no member. ``at`` in microseconds: last said, received or held.
    """

    id: str
    what: str
    member_id: str | None
    source: str
    value: str
    category: str
    state: str
    at: int


class Mentioned(Protocol):
    """Finds mentions; joined from outside this room."""

    def __call__(self, session: Session, values: Sequence[Value]) -> list[Mention]:
        """Who named one of ``values``, whoever may see it."""
