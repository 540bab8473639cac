"""Filings in bulk: a CSV file with one filing a row.

Columns are the fields' places joined by an underscore: ``reference``, ``role``, ``legal_gateway`` and the other
fields of a filing stand alone; ``subject_iban``, ``subject_social_platform``, ``subject_person_name``,
``subject_passport_number`` and ``pillars_clear_evidence`` carry their section. Pillars are yes or no, several
recipients are parted by blanks. Order is free, and an empty cell means that the field is left out. UTF-8.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from hub.checks.filings.forms import BATCH_LIMIT
from hub.checks.filings.forms_schema import FilingSchema
from hub.documents.fields import Strict
from hub.documents.table import Misshapen, read_table
from hub.errors import InvalidInput, TooLarge

_TRUTH: Final = {"yes": True, "true": True, "no": False, "false": False}
_SIGNS: Final = frozenset({"reference", "role", "legal_gateway"})
_Place = tuple[str, ...]


def is_header(line: str) -> bool:
    """Whether a first line is the header of such a file."""
    return {cell.strip().strip('"\ufeff').lower() for cell in line.split(",")} >= _SIGNS


def load_csv(raw: bytes) -> list[dict[str, Any] | Misshapen]:
    """The documents of a CSV file, for ``forms.parts``; row n+2 of the file is ``filings[n]``.

    A row of another width, or one whose quotes do not fit, is ``Misshapen`` and the others stand. Raises InvalidInput
    for what is no UTF-8, an unknown or repeated column and an empty file, TooLarge for over 1,000 filings. No message
    repeats a cell.
    """
    try:
        header, rows = read_table(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InvalidInput("the file is not UTF-8", where=f"byte {error.start}") from None
    places = [_place(number, name.strip().lower()) for number, name in enumerate(header, 1)]
    if len(set(places)) != len(places):
        raise InvalidInput("a column stands twice", where="row 1")
    documents: list[dict[str, Any] | Misshapen] = []
    for row in rows:
        documents.append(row if isinstance(row, Misshapen) else _document(places, row))
        if len(documents) > BATCH_LIMIT:
            raise TooLarge(f"a file holds at most {BATCH_LIMIT:,} filings")
    if not documents:
        raise InvalidInput("the CSV file holds no filing", advice="The first row names the columns.")
    return documents


def _place(number: int, name: str) -> _Place:
    found = _within(FilingSchema(), name)
    if found is None:
        # A file without a header has a person's data here: the place is told, not the text.
        raise InvalidInput(
            "this is not the name of a column", where=f"row 1, column {number}",
            advice="The first row names the columns: see docs/examples/bank-filings.csv.",
        )  # fmt: skip
    return found


def _within(section: Strict, name: str) -> _Place | None:
    field = section.fields.get(name)
    if field is not None and not hasattr(field, "nested"):
        return (name,)
    for prefix, nested in section.fields.items():
        inner = getattr(nested, "schema", None)
        if inner is not None and name.startswith(f"{prefix}_"):
            rest = _within(inner, name.removeprefix(f"{prefix}_"))
            return None if rest is None else (prefix, *rest)
    return None


def _document(places: list[_Place], row: Sequence[str]) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for place, cell in zip(places, row, strict=True):
        if not (text := cell.strip()):
            continue
        holder = document
        for name in place[:-1]:
            holder = holder.setdefault(name, {})
        holder[place[-1]] = _read(place, text)
    return document


def _read(place: _Place, text: str) -> Any:
    if place[0] == "pillars":
        return _TRUTH.get(text.lower(), text)
    return text.split() if place == ("recipients",) else text
