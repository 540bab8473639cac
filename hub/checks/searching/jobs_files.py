"""Files of subjects: CSV with a header, or JSON lines; and the result in the same format."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import orjson

from hub.checks.searching.answers import Answer, Outcome
from hub.checks.searching.questions import ITEM_FIELDS, Asked, asked
from hub.errors import InvalidInput, TooLarge

CSV, JSON_LINES = "csv", "jsonl"
FORMATS: Final = (CSV, JSON_LINES)
LONGEST_FIELD: Final = 10_000
# What spreadsheets take for a formula at the beginning of a cell.
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def counted(raw: bytes, file_format: str, most: int) -> int:
    """How many subjects a file has. Raises InvalidInput where it is no such file, TooLarge for more than ``most``."""
    count = 0
    for count, _ in enumerate(rows(raw, file_format), 1):
        if count > most:
            raise TooLarge(f"a file holds at most {most:,} subjects", advice="Send it in parts.")
    if not count:
        raise InvalidInput("the file holds no subject")
    return count


def rows(raw: bytes, file_format: str) -> Iterator[dict[str, Any]]:
    """The subjects of a file as a search has them, unchecked."""
    text = _decoded(raw)
    return _of_csv(text) if file_format == CSV else _of_lines(text)


def asked_of(row: Mapping[str, Any], number: int) -> Asked:
    """A row as a subject; a file goes on whatever one of its rows holds."""
    try:
        return asked(dict(row), f"row {number}")
    except InvalidInput as error:
        return Asked("", None, None, Answer("", None, Outcome.INVALID, str(error)))


def written(answers: Iterable[Mapping[str, Any]], columns: Sequence[str], file_format: str) -> Iterator[bytes]:
    """A result: one line for each subject, in the order of the file."""
    if file_format == JSON_LINES:
        for one in answers:
            yield orjson.dumps(one, option=orjson.OPT_APPEND_NEWLINE)
        return
    line = io.StringIO()
    writer = csv.writer(line)
    writer.writerow(columns)
    for one in answers:
        writer.writerow([_cell(one[column]) for column in columns])
        yield line.getvalue().encode()
        line.seek(0)
        line.truncate()
    yield line.getvalue().encode()


def _cell(value: Any) -> str:
    """A cell that no spreadsheet takes for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput("the file is not text in UTF-8") from None


def _of_csv(text: str) -> Iterator[dict[str, Any]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        if "kind" not in header or len(set(header)) != len(header) or not ITEM_FIELDS.issuperset(header):
            raise InvalidInput(
                f'the header names columns out of {", ".join(sorted(ITEM_FIELDS))}, and "kind" is one', where="line 1"
            )
        for row in reader:
            if any(cell.strip() for cell in row):
                if len(row) > len(header):
                    raise InvalidInput("has more cells than the header", where=f"line {reader.line_num}")
                yield {name: cell.strip() for name, cell in zip(header, row, strict=False) if cell.strip()}
    except csv.Error as error:
        raise InvalidInput(f"is no CSV: {error}", where=f"line {reader.line_num}") from None


def _of_lines(text: str) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        if len(line) > LONGEST_FIELD:
            raise InvalidInput(f"is longer than {LONGEST_FIELD:,} characters", where=f"line {number}")
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError:
            row = None
        if not isinstance(row, dict):
            raise InvalidInput('is no JSON object such as {"kind": "phone", "value": "…"}', where=f"line {number}")
        yield row
