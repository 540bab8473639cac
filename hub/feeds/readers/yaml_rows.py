"""YAML lists: the same shapes as in JSON, so the same reader finds the rows and what their fields mean."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import orjson

from hub.errors import InvalidInput
from hub.feeds.readers import text, yaml_events
from hub.feeds.readers.json_map import JsonRows
from hub.feeds.readers.reading import Reading

# Names of programs read like domains the other way round (com.example.app); none is an indicator here.
_PACKAGES = frozenset({"package", "packages", "package_name", "package_id", "app_id", "appid", "bundle_id"})
_ENTRY = re.compile(r"- +[A-Za-z_][\w -]{0,40}: +\S")
_LIST = re.compile(r"[A-Za-z_][\w -]{0,40}:\s*\n {0,4}- +\S", re.MULTILINE)


class YamlRows:
    """A list of entries, or lists under names."""

    name = "yaml"

    def fits(self, head: bytes, filename: str) -> int:
        """80 for a ``.yaml`` or ``.yml`` file, 78 for text that opens as a list of entries or a named list."""
        start = text.decode_head(head)
        if not start.strip() or text.looks_structured(start):
            return 0
        if filename.lower().endswith((".yaml", ".yml")):
            return 80
        opening = start.removeprefix("---").lstrip()
        return 78 if _ENTRY.match(opening) or _LIST.match(opening) else 0

    def read(self, raw: bytes) -> Iterator[Reading]:
        """The readings of each list of the first document.

        Raises InvalidInput where the text is no YAML, uses anchors, or holds no list of values.
        """
        found = False
        for part in _lists(yaml_events.load(text.decode(raw))):
            try:
                for reading in JsonRows().read(orjson.dumps(part)):
                    found = True
                    yield reading
            except InvalidInput:
                continue  # a list of something else; the others may hold values
        if not found:
            raise InvalidInput(
                "nothing in the YAML document looks like a list of indicators",
                advice="Name the fields after what they hold: domain, ip, url, sha256, email, phone, wallet.",
            )


def _lists(document: Any) -> Iterator[Any]:
    """A document's lists, each by itself: a mapping of lists gives one after the other."""
    document = _without_packages(document)
    if isinstance(document, dict) and any(isinstance(part, list) for part in document.values()):
        yield from ({name: part} for name, part in document.items() if isinstance(part, list))
    else:
        yield document


def _without_packages(document: Any) -> Any:
    """The document without programs' names; it is at most 32 deep."""
    if isinstance(document, list):
        return [_without_packages(part) for part in document]
    if isinstance(document, dict):
        return {name: _without_packages(part) for name, part in document.items() if name.lower() not in _PACKAGES}
    return document
