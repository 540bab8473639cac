"""Filings on their way through the inbox: what they say is the checking service's, which the intake is handed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy.orm import Session

from hub.feeds.batch import Result


@dataclass(frozen=True, slots=True)
class ReadFiling:
    """One document of a batch, as it stands at ``where``."""

    where: str
    document: Any


class FilingPlan(Protocol):
    """A batch of filings that is read and checked."""

    def write(self, session: Session) -> Result:
        """File what is valid within the caller's transaction."""


class Filings(Protocol):
    """The checking service, as the intake knows it."""

    def parts(self, raw: bytes) -> Sequence[tuple[str, Any]]:
        """The filings of a JSON or CSV document with their places. Raises InvalidInput, TooLarge."""

    def plan(self, submission_id: str, batch: Sequence[tuple[int, ReadFiling]]) -> FilingPlan:
        """Read a batch of a submission: everything slow, without a lock."""
