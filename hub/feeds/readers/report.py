"""Fraud reports, in JSON (one, a batch) or as CSV in bulk, read for their indicators.

Only what ``Report.indicators`` tells comes out: never the victim, never a name. Keeping the reports
themselves is the work of the intake that receives them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from hub.documents.faults import InvalidReport
from hub.feeds.readers import text
from hub.feeds.readers.reading import Reading, unread
from hub.feeds.reports import bulk, schema
from hub.stix.canonical import parse_json

_SIGNS = re.compile(r'"(?:nfib_code|reporter_kind)"\s*:')


class FraudReport:
    """Each report that is valid gives its indicators; each that is not, one ``Unread``."""

    name = "report"

    def fits(self, head: bytes, filename: str) -> int:  # noqa: ARG002 (the content alone decides)
        """97 for a document or a CSV header with the fields of a report, otherwise 0."""
        start = text.decode_head(head).lstrip()
        if start.startswith(("{", "[")):
            return 97 if _SIGNS.search(start) else 0
        return 97 if bulk.is_header(text.lines(start)[0]) else 0

    def read(self, raw: bytes) -> Iterator[Reading]:
        """Indicators of all reports, in order.

        Raises InvalidInput when the text is neither JSON nor CSV, or a batch is empty or too large.
        """
        for where, document in schema.parts(_document(raw)):
            try:
                yield from schema.load_report(document, where).indicators()
            except InvalidReport as error:
                place = error.where or where or "report"
                # The value at fault may be the victim's: name the place only.
                yield unread(place, "", f"the report is not valid: {error.faults[0].message}")


def _document(raw: bytes) -> Any:
    if raw.lstrip()[:1] in {b"{", b"["} or raw.startswith((b"\xef\xbb\xbf{", b"\xef\xbb\xbf[")):
        return parse_json(text.as_utf8(raw))
    return bulk.load_csv(raw)
