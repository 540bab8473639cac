"""A CSV file whose columns a feed's mapping names, where neither its header nor its content tells what they are."""

from __future__ import annotations

from collections.abc import Iterator

from hub.errors import InvalidInput
from hub.feeds.readers import table, text
from hub.feeds.readers.json_map import readings_of
from hub.feeds.readers.mapping import Mapping
from hub.feeds.readers.reading import Reading, unread


class MappedTable:
    """One row holds one value or several. Columns are named as in the first row, or by their numbers from 1."""

    name = "csv"

    def __init__(self, mapping: Mapping) -> None:
        self.mapping = mapping

    def fits(self, head: bytes, filename: str) -> int:  # noqa: ARG002 (it is named by a feed, never chosen)
        """0: a mapping goes with one feed."""
        return 0

    def read(self, raw: bytes) -> Iterator[Reading]:
        """One ``RawIndicator`` a value. Raises InvalidInput where the mapping names no column of the file."""
        lines = text.lines(text.decode(raw))
        sample = [line[:2000] for line in lines if line.strip() and line[0] != "#"][:50]
        delimiter = table.delimiter_of(sample) or ","
        header: list[str] | None = None
        by_number = all(name.isdigit() for name in self.mapping.value)
        for row in table.rows(lines, delimiter):
            if isinstance(row, table.BadRow):
                yield unread(f"row {row.number}", row.raw, row.reason)
            elif by_number:
                cells = {str(number): cell for number, cell in enumerate(row.cells, 1)}
                yield from readings_of(f"row {row.number}", cells, self.mapping)
            elif header is None:
                header = [name.strip() for name in row.cells]
                if not set(self.mapping.value) & set(header):
                    raise InvalidInput(
                        "the first row has no column of that name",
                        where="mapping.value",
                        advice=f"Its columns: {', '.join(header)[:200]}. Without a header, give their numbers from 1.",
                    )
            else:
                yield from readings_of(f"row {row.number}", dict(zip(header, row.cells, strict=False)), self.mapping)
