"""JSON and JSON lines of any layout, by a mapping: given, known, or found by the content."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from hub.errors import InvalidInput
from hub.feeds.readers import columns, shape, text
from hub.feeds.readers.json_rows import has_path, mappings_by_content, rows
from hub.feeds.readers.json_text import document_of, opening_of
from hub.feeds.readers.labels import HARMLESS, labels_of, strictest, tlp_of
from hub.feeds.readers.mapping import Mapping
from hub.feeds.readers.reading import DESCRIPTION_LIMIT, RawIndicator, Reading, Unread, unread
from hub.stix.canonical import parse_json
from hub.stix.tlp import Tlp
from hub.stix.values import Kind

_THREATFOX = re.compile(r'"ioc_type"\s*:')
_SEPARATORS = re.compile(r"[,;|]+")
_NOTHING = frozenset({"", "-", "none", "null", "n/a"})


class JsonRows:
    """One row holds one value or several; ``mapping`` None leaves the layout to the content."""

    name = "json"

    def __init__(self, mapping: Mapping | None = None) -> None:
        self.mapping = mapping

    def fits(self, head: bytes, filename: str) -> int:  # noqa: ARG002 (the content alone decides)
        """90 for an export of ThreatFox, 20 for other JSON."""
        start = opening_of(head)
        if not start:
            return 0
        return 90 if _THREATFOX.search(start) else 20

    def read(self, raw: bytes) -> Iterator[Reading]:
        """One ``RawIndicator`` a value; ``Unread`` for a row without one.

        Raises InvalidInput where the text is no JSON (naming the place), or nothing in it is a list of values.
        """
        document, faults = _document(raw)
        yield from faults
        mappings, skipped = ([self.mapping], []) if self.mapping else mappings_by_content(document)
        for name in skipped:
            yield unread(name, "", "a list in which nothing looks like an indicator")
        tlp = _tlp_of_document(document)
        for mapping in mappings:
            yield from _of_mapping(document, mapping, stated=self.mapping is not None, tlp=tlp)


def _tlp_of_document(document: Any) -> Tlp | None:
    """The label that a document puts on all that it holds."""
    labels = (document.get(name) for name in ("tlp", "TLP")) if isinstance(document, dict) else ()
    return strictest(*(tlp_of(label) for label in labels if isinstance(label, str) and label.strip()))


def _of_mapping(document: Any, mapping: Mapping, *, stated: bool, tlp: Tlp | None) -> Iterator[Reading]:
    found = False
    for place, row in rows(document, mapping.list):
        found = True
        for reading in readings_of(place.removeprefix(".") or "document", row, mapping):
            if tlp is not None and isinstance(reading, RawIndicator):
                yield replace(reading, tlp=strictest(tlp, reading.tlp))
            else:
                yield reading
    if not found and stated and not has_path(document, mapping.list):
        raise InvalidInput(f"the JSON document has no list at {mapping.list[:80]!r}", where="mapping.list")


def _document(raw: bytes) -> tuple[Any, list[Unread]]:
    """The document; of JSON lines, the list of their values, and the lines that are no JSON."""
    try:
        return document_of(raw), []
    except InvalidInput:
        lines = [(number, line) for number, line in enumerate(text.as_utf8(raw).split(b"\n"), 1) if line.strip()]
        if len(lines) < 2 or not _is_object(lines[0][1]):
            raise
    documents: list[Any] = []
    faults: list[Unread] = []
    for number, line in lines:
        try:
            documents.append(parse_json(line))
        except InvalidInput as error:
            faults.append(unread(f"line {number}", line[:400].decode("utf-8", "replace"), error.message))
    return documents, faults


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(parse_json(line), dict)
    except InvalidInput:
        return False


def readings_of(place: str, row: Any, mapping: Mapping) -> Iterator[Reading]:
    """The readings of one row, which stands at ``place``."""
    if isinstance(row, str) and row.strip():
        yield RawIndicator(place, row)
        return
    if not isinstance(row, dict):
        yield unread(place, str(row)[:100], "the row is neither an object nor a value")
        return
    kind = mapping.kind_of(_text(row, mapping.kind)) if mapping.kind else None
    found = False
    for name in mapping.value:
        for raw in _values(_at(row, name)):
            found = True
            yield _reading(place, raw, kind or _kind_by_name(name, mapping), row, mapping)
    if not found:
        yield unread(place, "", "no value stands in this row")


def _reading(place: str, raw: str, kind: Kind | None, row: dict[str, Any], mapping: Mapping) -> RawIndicator:
    labels = labels_of(word for name in mapping.labels for word in _words(_at(row, name)))
    tlp = _text(row, mapping.tlp)
    return RawIndicator(
        place,
        raw,
        kind,
        labels,
        shape.rfc3339(_text(row, mapping.first_seen), mapping.zone),
        shape.rfc3339(_text(row, mapping.last_seen), mapping.zone),
        legitimate=not HARMLESS.isdisjoint(labels),
        description=_text(row, mapping.description)[:DESCRIPTION_LIMIT] or None,
        tlp=tlp_of(tlp) if tlp else None,
    )


def _kind_by_name(name: str, mapping: Mapping) -> Kind | None:
    """The kind that the name of a field says; a field that is typed by its row is left to the content."""
    return None if mapping.kind else columns.kind_of(name.rpartition(".")[2])


def _at(row: dict[str, Any], path: str | None) -> Any:
    """What a field holds, or a field in a field."""
    if path is None:
        return None
    if path in row:
        return row[path]
    found: Any = row
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _text(row: dict[str, Any], path: str | None) -> str:
    found = _at(row, path)
    if isinstance(found, str):
        return found.strip()
    return str(found) if isinstance(found, int) and not isinstance(found, bool) else ""


def _values(found: Any) -> list[str]:
    listed = found if isinstance(found, list) else [found]
    texts = (one.strip() for one in listed if isinstance(one, str))
    return [one for one in texts if one.lower() not in _NOTHING]


def _words(found: Any) -> list[str]:
    listed = found if isinstance(found, list) else [found]
    return [word for one in listed if isinstance(one, str) for word in _SEPARATORS.split(one)]
