"""CSV and its relatives, as feeds publish them: any delimiter, any order of columns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice
from urllib.parse import urlsplit

from hub.errors import InvalidInput
from hub.feeds.readers import columns, shape, table, text
from hub.feeds.readers.columns import Header, Layout, ValueColumn
from hub.feeds.readers.labels import HARMLESS, strictest, tlp_above, tlp_of
from hub.feeds.readers.reading import DESCRIPTION_LIMIT, RawIndicator, Reading, unread
from hub.stix.refang import refang
from hub.stix.tlp import Tlp
from hub.stix.values import Kind

_EMPTY = frozenset({"", "-", "none", "null", "n/a", "na", "unknown", "nan"})
_LABEL_SEPARATORS = re.compile(r"[,;|]+")
_HASHES = frozenset({Kind.MD5, Kind.SHA1, Kind.SHA256, Kind.SHA512})
_LABEL_LIMIT = 64
_CELL_LIMIT = 8192


class CommaSeparated:
    """One row holds one indicator or several, found by the names of the columns or by their content."""

    name = "csv"

    def fits(self, head: bytes, filename: str) -> int:
        """90 with a known header, 60 when a column holds indicators, 20 for another ``.csv`` file.

        One bare column is a plain list unless its first row names it.
        """
        start = text.decode_head(head)
        if not start.strip() or text.looks_structured(start):
            return 0
        found = _dialect(text.lines(start)[:-1] or [start])
        if found is None:
            return 20 if filename.lower().endswith((".csv", ".tsv")) else 0
        layout = found[1]
        if layout.width == 1:
            return 75 if layout.header is Header.ROW else 20
        # Two columns under a comment may as well be a list with a count beside each value.
        sure = layout.header is Header.ROW or (layout.header is Header.COMMENT and layout.width > 2)
        return 90 if sure else 60

    def read(self, raw: bytes) -> Iterator[Reading]:
        """One ``RawIndicator`` a value; ``row`` in its place is the line of the file.

        Raises InvalidInput when no column can hold indicators.
        """
        content = text.decode(raw)
        above = tlp_above(content[: text.HEAD])
        lines = text.lines(content)
        found = _dialect(lines)
        if found is None:
            if not any(line.strip() for line in lines):
                return
            raise InvalidInput(
                "no column of the CSV file holds indicators",
                advice="Name the columns in the first row, for example type,indicator,classification.",
            )
        delimiter, layout, start = found
        for row in table.rows(lines, delimiter, start):
            if isinstance(row, table.BadRow):
                yield unread(f"row {row.number}", row.raw, row.reason)
            else:
                yield from _readings(row, layout, above)


def _dialect(lines: Sequence[str]) -> tuple[str, Layout, int] | None:
    """The delimiter, the layout and the index of the first row of values."""
    first = next((index for index, line in enumerate(lines) if line.strip() and line[0] != "#"), None)
    if first is None:
        return None
    sample = [line[:2000] for line in islice((line for line in lines[first:] if line.strip()), 50)]
    delimiter = table.delimiter_of(sample) or ","
    head = [row.cells for row in table.rows(sample, delimiter) if isinstance(row, table.Row)]
    if not head:
        return None
    if not any(map(shape.looks_like_indicator, head[0])) and (layout := columns.from_header(head[0])):
        return delimiter, layout, first + 1
    if (above := _commented_header(lines[:first], delimiter, len(head[0]))) is not None:
        return delimiter, above, first
    # A header without a known name is passed over: it looks like no value, the rows below do.
    named = not any(map(shape.looks_like_indicator, head[0])) and len(head) > 1
    by_content = columns.from_content(head[1:] if named else head)
    return (delimiter, by_content, first + 1 if named else first) if by_content else None


def _commented_header(preamble: Sequence[str], delimiter: str, width: int) -> Layout | None:
    """The layout in the last comment line, where some publishers put the header."""
    last = next((line for line in reversed(preamble) if line.strip("# \t")), "")
    cells = last.lstrip("# ").replace('"', "").split(delimiter)
    return columns.from_header(cells, Header.COMMENT) if len(cells) == width and width > 1 else None


def _readings(row: table.Row, layout: Layout, above: Tlp | None) -> Iterator[Reading]:
    cells = row.cells
    if len(cells) > 4 * layout.width + 16:
        yield unread(f"row {row.number}", ",".join(cells[:8]), "far more fields than the header has columns")
        return
    labels, legitimate = _labels(tuple([_cell(cells, index) for index in layout.labels]))
    label = _cell(cells, layout.tlp)
    tlp = above if label.lower() in _EMPTY else strictest(above, tlp_of(label))
    found = 0
    for column, value in _values(cells, layout):
        found += 1
        if len(value) > _CELL_LIMIT:
            yield unread(f"row {row.number}", value, f"the field is longer than {_CELL_LIMIT} characters")
            continue
        yield RawIndicator(
            f"row {row.number}, column {column.name}",
            value,
            columns.kind_of(_cell(cells, layout.type)) if column.any_kind else _kind(column, value),
            labels,
            shape.rfc3339(_cell(cells, layout.first_seen)) if layout.first_seen is not None else None,
            shape.rfc3339(_cell(cells, layout.last_seen)) if layout.last_seen is not None else None,
            legitimate,
            _cell(cells, layout.description)[:DESCRIPTION_LIMIT] or None,
            tlp,
        )
    if not found:
        yield unread(f"row {row.number}", ",".join(cells[:8]), "no value stands in this row")


def _kind(column: ValueColumn, value: str) -> Kind | None:
    """The column's kind; a list of hashes may go on with addresses under the same name."""
    other = column.kind in _HASHES and "." in value and shape.looks_like_indicator(value)
    return None if other else column.kind


def _cell(cells: Sequence[str], index: int | None) -> str:
    return cells[index].strip() if index is not None and index < len(cells) else ""


def _values(cells: Sequence[str], layout: Layout) -> Iterator[tuple[ValueColumn, str]]:
    url = _cell(cells, layout.url)
    for column in layout.values:
        value = _cell(cells, column.index)
        if value.lower() in _EMPTY or (column.beside_url and _same_host(value, url)):
            continue
        if column.index == layout.host and _cell(cells, layout.path):
            yield ValueColumn(column.index, "host and path", Kind.URL), _joined(value, cells, layout)
            continue
        for each in shape.hashes_in(value) or (value,):
            yield (column if each is value else ValueColumn(column.index, column.name, None)), each
    sort_code, account = _cell(cells, layout.sort_code), _cell(cells, layout.account)
    if sort_code and account:
        yield ValueColumn(-1, "sort_code and account_number", Kind.BANK_ACCOUNT), f"{sort_code} {account}"


def _joined(host: str, cells: Sequence[str], layout: Layout) -> str:
    return f"{host}/{_cell(cells, layout.path).removeprefix('/')}"


def _same_host(host: str, url: str) -> bool:
    """Whether a host column only repeats the host of the row's URL (or there is none to compare)."""
    if not url or url.lower() in _EMPTY:
        return False
    try:
        return urlsplit(refang(url)).hostname == refang(host).lower().partition(":")[0]
    except ValueError:
        return False


@lru_cache(maxsize=4096)
def _labels(cells: tuple[str, ...]) -> tuple[tuple[str, ...], bool]:
    """The labels that some cells hold, and whether one of them calls the row harmless."""
    words = (word.strip().lower() for cell in cells for word in _LABEL_SEPARATORS.split(cell))
    kept = tuple(dict.fromkeys(word[:_LABEL_LIMIT] for word in words if word not in _EMPTY))[:20]
    return kept, not HARMLESS.isdisjoint(kept)
