"""Filings for the checking service, in JSON or CSV: known by their content, read by the checking service itself."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hub.errors import InvalidInput
from hub.feeds.readers import text
from hub.feeds.readers.reading import Reading

_SIGNS = re.compile(r'"legal_gateway"\s*:')
_COLUMNS = {"reference", "role", "legal_gateway"}


class BankFiling:
    """Filings of one member; the intake hands them to the checking service, which publishes what may be."""

    name = "bank-filing"

    def fits(self, head: bytes, filename: str) -> int:  # noqa: ARG002 (the content alone decides)
        """98 for a document or a CSV header that states a legal gateway, otherwise 0."""
        start = text.decode_head(head).lstrip()
        if start.startswith(("{", "[")):
            return 98 if _SIGNS.search(start) else 0
        header = text.lines(start)[:1]
        names = {cell.strip().strip('"').lower() for cell in header[0].split(",")} if header else set()
        return 98 if names >= _COLUMNS else 0

    def read(self, raw: bytes) -> Iterator[Reading]:
        """Filings hold no plain indicators. Raises InvalidInput: they come in a member's name, not as a feed."""
        raise InvalidInput("filings come from a member, not as a feed's values", where=f"{len(raw)} bytes")
