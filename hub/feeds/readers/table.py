"""Delimited text to rows, so that one bad row never costs the rest of the file."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

DELIMITERS = (",", ";", "\t", "|")
# A quoted field may span lines; a quote that is never closed would otherwise swallow the file.
RECORD_LINES = 40
RECORD_LENGTH = 100_000


@dataclass(frozen=True, slots=True)
class Row:
    """One row; ``number`` is the line of the file on which it starts."""

    number: int
    cells: list[str]


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that breaks the rules of CSV (RFC 4180 section 2)."""

    number: int
    raw: str
    reason: str


def delimiter_of(sample: Sequence[str]) -> str | None:
    """The delimiter that splits most of the sampled lines alike; None for a single column."""
    best, best_score = None, 0
    for delimiter in DELIMITERS:
        counts = [line.count(delimiter) for line in sample]
        usual = max(set(counts), key=counts.count, default=0)
        score = counts.count(usual) * 10 + min(usual, 9) if usual else 0
        if score > best_score:
            best, best_score = delimiter, score
    if best is None:
        best = next((mark for mark in DELIMITERS if any(mark in line for line in sample)), None)
    return best


def rows(lines: Sequence[str], delimiter: str, start: int = 0) -> Iterator[Row | BadRow]:
    """Rows of ``lines[start:]``; blank lines and comment lines are passed over."""
    index = start
    while index < len(lines):
        line = lines[index]
        number = index + 1
        index += 1
        if not line or line[0] == "#" or line.isspace():
            continue
        if '"' not in line and len(line) <= RECORD_LENGTH:
            yield Row(number, line.split(delimiter))
            continue
        taken = _record_end(lines, index - 1)
        if taken is None:
            yield BadRow(number, line, "a quote is never closed, or the row is too long")
            continue
        yield _parsed(number, "\n".join(lines[number - 1 : taken]), delimiter)
        index = taken


def _record_end(lines: Sequence[str], index: int) -> int | None:
    """The index after the record that starts at ``index``: quotes in a record come in pairs."""
    quotes = length = 0
    for end in range(index, min(index + RECORD_LINES, len(lines))):
        quotes += lines[end].count('"')
        length += len(lines[end])
        if length > RECORD_LENGTH:
            return None
        if quotes % 2 == 0:
            return end + 1
    return None


def _parsed(number: int, record: str, delimiter: str) -> Row | BadRow:
    try:
        # An embedded line end needs the trailing one, or the reader stops inside the field.
        found = next(csv.reader([record], delimiter=delimiter, skipinitialspace=True), [])
    except csv.Error as error:
        return BadRow(number, record, f"not a CSV row: {error}")
    return Row(number, found)
