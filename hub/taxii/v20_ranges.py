"""Paging by ``Range: items 0-49`` (TAXII 2.0 section 3.3.1; RFC 7233 for the rest).

Both forms are read: the standard's ``items 0-49`` and RFC 7233's ``items=0-49``. Ranges in other units are
ignored; one of items that makes no sense, or several at once, cannot be satisfied.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from flask import Response
from werkzeug.exceptions import RequestedRangeNotSatisfiable

FORM = re.compile(r"items\s*[= ]\s*(\d{1,15})\s*-\s*(\d{1,100})?", re.ASCII | re.IGNORECASE)
UNIT = re.compile(r"\s*items\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Span:
    """The positions of one page: ``length`` of them from ``start``, of ``total``; ``asked``: by a Range header."""

    start: int
    length: int
    total: int
    asked: bool

    def mark(self, response: Response) -> Response:
        """Status 206 where this is a part or was asked for as one, and the headers of paging."""
        response.headers["Accept-Ranges"] = "items"
        if self.total == 0:
            response.headers["Content-Range"] = "items */0"
        elif self.asked or self.length < self.total:
            response.status_code = 206
            response.headers["Content-Range"] = f"items {self.start}-{self.start + self.length - 1}/{self.total}"
        return response


def span(header: str | None, total: int, default: int, most: int) -> Span:
    """The page that ``header`` asks for out of ``total``; without one the first ``default``.

    Raises RequestedRangeNotSatisfiable (416). Of nothing, the range from 0 is nothing rather than an error, so
    that a client which pages an empty collection comes to its end.
    """
    if header is None or not UNIT.match(header):
        return Span(0, min(default, most, total), total, asked=False)
    found = FORM.fullmatch(header.strip())
    if found is None:
        raise _refused(total)
    start = int(found[1])
    end = int(found[2]) if found[2] else total
    if end < start or (start >= total and (start, total) != (0, 0)):
        raise _refused(total)
    return Span(start, min(end - start + 1, most, total - start), total, asked=True)


def _refused(total: int) -> RequestedRangeNotSatisfiable:
    return RequestedRangeNotSatisfiable(
        length=total, units="items", description=f"there are {total} items; ask for a range such as 'items 0-49'"
    )
