"""CSV files of one document a row: a row that is none costs itself alone."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hub.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Misshapen:
    """A row that is no document, and why; the rows around it are."""

    fault: str


def read_table(text: str) -> tuple[list[str], Iterator[Sequence[str] | Misshapen]]:
    """(the cells of the first row, the rows below that hold anything): each as wide as the first, or ``Misshapen``.

    Raises InvalidInput where the first row is none.
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
    except csv.Error as error:
        raise InvalidInput(f"not a CSV file: {error}", where="row 1") from None

    def rows() -> Iterator[Sequence[str] | Misshapen]:
        while True:
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:  # the reader begins anew with each row
                yield Misshapen(f"not a row of a CSV file: {error} (row {reader.line_num})")
                continue
            if not any(cell.strip() for cell in row):
                continue
            fits = len(row) == len(header)
            yield row if fits else Misshapen(f"{len(row)} cells under {len(header)} columns (row {reader.line_num})")

    return header, rows()
