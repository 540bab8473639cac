"""Finding the rows of a JSON document, and what their fields mean, where nobody has said it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

from hub.errors import InvalidInput
from hub.feeds.readers import columns
from hub.feeds.readers.mapping import FEODO, THREATFOX, THREATFOX_API, Mapping

# What every one of MISP's warning lists has, and how they match.
_WARNING_LIST = frozenset({"name", "type", "list"})
_MATCHED_BY = frozenset({"string", "hostname", "cidr", "substring", "regex"})
_SAMPLE = 50
_MOST_FIELDS = 100
_MOST_LISTS = 20
# A name that a path can hold.
_NAME = re.compile(r"[^.*]+")
# Publishers' layouts that the names of the fields tell.
_KNOWN = (
    (frozenset({"ioc_type", "threat_type", "first_seen"}), THREATFOX_API),
    (frozenset({"ioc_type", "threat_type"}), THREATFOX),
    (frozenset({"ip_address", "port", "last_online", "malware"}), FEODO),
)
Row = tuple[str, Any]


def rows(document: Any, path: str) -> Iterator[Row]:
    """(place, row) for each row at a mapping's path; a path that leads nowhere gives none."""
    for place, part in _parts(document, path):
        if isinstance(part, list):
            yield from ((f"{place}[{index}]", row) for index, row in enumerate(part))
        else:
            yield place, part


def has_path(document: Any, path: str) -> bool:
    """Whether a mapping's path leads anywhere, if only to an empty list."""
    return bool(_parts(document, path))


def _parts(document: Any, path: str) -> list[Row]:
    found: list[Row] = [("", document)]
    for step in path.split(".") if path else []:
        found = [
            (f"{place}{_written(name, inner)}", part)
            for place, whole in found
            for name, inner, part in _steps(whole, step)
        ]
    return found


def _steps(whole: Any, step: str) -> Iterator[tuple[str, bool, Any]]:
    """(name, whether it is a list's index, part) of each part of ``whole`` that a step of a path leads to."""
    if isinstance(whole, list) and step == "*":
        yield from ((str(index), True, part) for index, part in enumerate(whole))
    elif isinstance(whole, dict) and step == "*":
        yield from ((name, False, part) for name, part in whole.items())
    elif isinstance(whole, dict) and step in whole:
        yield step, False, whole[step]


def _written(name: str, is_index: bool) -> str:
    return f"[{name}]" if is_index else f".{name[:60]}"


def mappings_by_content(document: Any) -> tuple[list[Mapping], list[str]]:
    """The mappings that the names and the content of a document suggest, and the lists that hold no values.

    Raises InvalidInput where no list in it holds values, or the document is a warning list.
    """
    if _is_warning_list(document):
        raise InvalidInput(
            "this is a warning list of harmless values, not a feed",
            advice="Add it to the hub's warning lists.",
        )
    if isinstance(document, dict) and "json-schema.org" in str(document.get("$schema", ""))[:200]:
        raise InvalidInput("nothing in it looks like a list of indicators: this is a JSON schema")
    found, skipped = _mappings_at(document, _paths(document))
    if not found:
        found, skipped = _mappings_at(document, _paths_below(document))
    if not found:
        raise InvalidInput(
            "nothing in the JSON document looks like a list of indicators",
            advice="Give the feed a mapping that names the list and the field of the value.",
        )
    return found, skipped


def _is_warning_list(document: Any) -> bool:
    if not isinstance(document, dict):
        return False
    return "matching_attributes" in document or (
        _WARNING_LIST.issubset(document) and document["type"] in _MATCHED_BY and isinstance(document["list"], list)
    )


def _mappings_at(document: Any, paths: list[str]) -> tuple[list[Mapping], list[str]]:
    tried = [(path, _mapping_at(document, path)) for path in paths]
    return [found for _, found in tried if found], [path for path, found in tried if found is None]


def _paths_below(document: Any) -> list[str]:
    """The lists in the objects that a document holds: {"data": {"entries": [...]}}."""
    if not isinstance(document, dict):
        return []
    inner = [(name, part) for name, part in document.items() if isinstance(part, dict) and _NAME.fullmatch(name)]
    lists = [
        f"{name}.{below}"
        for name, part in inner[:_MOST_LISTS]
        for below, held in part.items()
        if isinstance(held, list) and held and _NAME.fullmatch(below)
    ]
    return lists[:_MOST_LISTS]


def _paths(document: Any) -> list[str]:
    """Where rows may stand: at the top, in members that are lists, or in every member (rows by their id)."""
    if not isinstance(document, dict):
        return [""]
    lists = [name for name, part in document.items() if isinstance(part, list) and part]
    if 0 < len(lists) <= _MOST_LISTS and all(map(_NAME.fullmatch, lists)):
        return lists
    by_name = bool(document) and all(isinstance(part, dict | list) for part in document.values())
    return ["*"] if by_name else [""]


def _mapping_at(document: Any, path: str) -> Mapping | None:
    sample = [row for _, row in islice(rows(document, path), _SAMPLE)]
    return _of_objects(sample, path, document) or _of_texts(sample, path)


def _of_texts(sample: list[Any], path: str) -> Mapping | None:
    texts = [[row] for row in sample if isinstance(row, str)]
    return Mapping(list=path) if 2 * len(texts) > len(sample) and columns.from_content(texts) else None


def _of_objects(sample: list[Any], path: str, document: Any) -> Mapping | None:
    found = [row for row in sample if isinstance(row, dict)]
    if not found or 2 * len(found) < len(sample):
        return None
    names = list(dict.fromkeys(name for row in found for name in list(row)[:_MOST_FIELDS]))[:_MOST_FIELDS]
    for members, known in _KNOWN:
        if members.issubset(names):
            return replace(known, list=path)
    layout = columns.from_header(names)
    # One object alone may be anything: only the names of its members make it a row.
    if (layout is None or not layout.values) and sample != [document]:
        layout = columns.from_content([[_cell(row, name) for name in names] for row in found])
    if layout is None or not layout.values:
        return None

    def name_of(index: int | None) -> str | None:
        return None if index is None else names[index]

    typed = any(column.any_kind for column in layout.values)
    return Mapping(
        value=tuple(names[column.index] for column in layout.values if not column.beside_url),
        list=path,
        kind=name_of(layout.type) if typed else None,
        first_seen=name_of(layout.first_seen),
        last_seen=name_of(layout.last_seen),
        labels=tuple(names[index] for index in layout.labels),
        description=name_of(layout.description),
        tlp=name_of(layout.tlp),
    )


def _cell(row: dict[str, Any], name: str) -> str:
    found = row.get(name)
    return found if isinstance(found, str) else ""
