"""Reports in bulk: a CSV file with one report a row.

Columns are the fields' places joined by an underscore: ``reference``, ``nfib_code`` and the other fields of
``report`` stand alone; ``loss_lost``, ``payment_amount``, ``payment_beneficiary_iban``, ``suspect_phone``,
``suspect_social_handle``, ``suspect_company_number``, ``victim_email`` carry their section. A second payment
or suspect has its number: ``suspect_2_phone``. ``victim_support_consent`` is yes or no. Order is free, and
an empty cell means that the field is left out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from hub.documents.fields import Strict
from hub.documents.table import Misshapen, read_table
from hub.errors import InvalidInput
from hub.feeds.readers import text
from hub.feeds.reports import schema

_NUMBERED = re.compile(r"(payment|suspect)(?:_(\d{1,2}))?_(\w+)")
_TRUTH = {"yes": True, "true": True, "no": False, "false": False}

# A cell's place in the document: names, and positions in lists.
_Place = tuple[str | int, ...]


def load_csv(raw: bytes) -> list[dict[str, Any] | Misshapen]:
    """The documents of a CSV file, for ``schema.load_batch``; row n+2 of the file is ``reports[n]``.

    A row of another width, or one whose quotes do not fit, is ``Misshapen`` and the others stand. Raises InvalidInput
    for an unknown or repeated column, an empty file or one of over 1,000 reports.
    """
    header, rows = read_table(text.decode(raw))
    places = [_place(number, name) for number, name in enumerate(header, 1)]
    if len(set(places)) != len(places):
        raise InvalidInput("a column stands twice", where="row 1")
    documents: list[dict[str, Any] | Misshapen] = []
    for row in rows:
        documents.append(row if isinstance(row, Misshapen) else _document(places, row))
        if len(documents) > schema.BATCH_LIMIT:
            raise InvalidInput(f"a file holds at most {schema.BATCH_LIMIT} reports")
    if not documents:
        raise InvalidInput("the CSV file holds no report", advice="The first row names the columns.")
    return documents


def is_header(line: str) -> bool:
    """Whether a first line is the header of such a file."""
    names = {cell.strip().strip('"').lower() for cell in line.split(",")}
    return {"reference", "nfib_code", "reporter_kind"} <= names


def _place(number: int, name: str) -> _Place:
    found = _known_place(name.strip().lower())
    if found is None:
        # A file without a header has a person's data here: the place is told, not the text.
        raise InvalidInput(
            "this is not the name of a column", where=f"row 1, column {number}",
            advice="The first row names the columns: see docs/examples/reports.csv.",
        )  # fmt: skip
    return found


def _known_place(name: str) -> _Place | None:
    if name in schema.HeadSchema().fields:
        return ("report", name)
    section, _, rest = name.partition("_")
    if section == "loss" and rest in schema.LossSchema().fields:
        return ("loss", rest)
    if section == "victim" and rest in schema.VictimSchema().fields:
        return ("victim", rest)
    if not (match := _NUMBERED.fullmatch(name)):
        return None
    entry = schema.PaymentSchema() if match[1] == "payment" else schema.SuspectSchema()
    inner = _within(entry, match[3])
    number = int(match[2] or 1)
    return (f"{match[1]}s", number - 1, *inner) if inner and number >= 1 else None


def _within(entry: Strict, name: str) -> _Place | None:
    if name in entry.fields and not hasattr(entry.fields[name], "nested"):
        return (name,)
    nested, _, rest = name.partition("_")
    field = entry.fields.get(nested)
    inner = getattr(field, "schema", None)
    return (nested, rest) if inner is not None and rest in inner.fields else None


def _document(places: list[_Place], row: Sequence[str]) -> dict[str, Any]:
    document: dict[str, Any] = {}
    entries: dict[tuple[str, int], dict[str, Any]] = {}
    for place, cell in zip(places, row, strict=True):
        if not cell.strip():
            continue
        value: Any = cell.strip()
        if place == ("victim", "support_consent"):
            value = _TRUTH.get(value.lower(), value)
        section, first, *rest = place
        if isinstance(first, int):
            holder = entries.setdefault((str(section), first), {})
            names = rest
        else:
            holder = document.setdefault(str(section), {})
            names = [first, *rest]
        for name in names[:-1]:
            holder = holder.setdefault(str(name), {})
        holder[str(names[-1])] = value
    for (section, _), entry in sorted(entries.items(), key=lambda numbered: numbered[0]):
        document.setdefault(section, []).append(entry)
    return document
