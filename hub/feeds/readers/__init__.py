"""Readers: one small module for each format in which indicators arrive.

A new format is a module with a class that follows ``reading.Reader`` and a line in ``READERS``.
Archives are opened first, by ``archive.opened``.
"""

from __future__ import annotations

from typing import Any

from hub.errors import InvalidInput
from hub.feeds.readers.advisory import Advisory
from hub.feeds.readers.allow_deny import AllowAndDeny
from hub.feeds.readers.archive import opened
from hub.feeds.readers.comma import CommaSeparated
from hub.feeds.readers.filing import BankFiling
from hub.feeds.readers.json_map import JsonRows
from hub.feeds.readers.mapped_table import MappedTable
from hub.feeds.readers.mapping import mapping_of
from hub.feeds.readers.misp import MispEvents
from hub.feeds.readers.misp_feed import MispFeed
from hub.feeds.readers.named import PHONES, WALLETS
from hub.feeds.readers.openioc import OpenIoc
from hub.feeds.readers.otx import OtxPulses
from hub.feeds.readers.plain import PlainList
from hub.feeds.readers.reading import RawIndicator, Reader, Reading, StixObject, Unread
from hub.feeds.readers.report import FraudReport
from hub.feeds.readers.stix import StixJson
from hub.feeds.readers.stix1 import StixXml
from hub.feeds.readers.text import HEAD, decode
from hub.feeds.readers.yaml_rows import YamlRows

__all__ = [
    "AUTO",
    "READERS",
    "RawIndicator",
    "Reader",
    "Reading",
    "StixObject",
    "Unread",
    "choose",
    "decode",
    "for_file",
    "opened",
    "reader",
]

AUTO = "auto"
READERS: tuple[Reader, ...] = (
    FraudReport(),
    BankFiling(),
    StixJson(),
    StixXml(),
    MispEvents(),
    MispFeed(),
    OpenIoc(),
    OtxPulses(),
    AllowAndDeny(),
    JsonRows(),
    YamlRows(),
    WALLETS,
    PHONES,
    CommaSeparated(),
    Advisory(),
    PlainList(),
)


def reader(name: str) -> Reader:
    """The reader of a format by its name; raises InvalidInput listing the known ones."""
    for known in READERS:
        if known.name == name:
            return known
    raise InvalidInput(f"there is no format called {name[:40]!r}", advice=_known())


def for_file(raw: bytes, filename: str, format_name: str, mapping: dict[str, Any]) -> Reader:
    """The reader of an opened file: by a feed's mapping (of a table where the format is csv, else of JSON), by the
    format's name, or by the content where that is "auto". Raises InvalidInput.
    """
    if mapping:
        said = mapping_of(mapping)
        return MappedTable(said) if format_name == MappedTable.name else JsonRows(said)
    return choose(raw, filename) if format_name == AUTO else reader(format_name)


def choose(raw: bytes, filename: str = "") -> Reader:
    """The reader that fits an opened file best, by its first 64 KiB; the file's name only settles ties.

    Raises InvalidInput when no reader knows it, or the file is empty.
    """
    head = raw[:HEAD]
    if not head.strip():
        raise InvalidInput("the file is empty")
    sure, best = max(((each.fits(head, filename), each) for each in READERS), key=lambda fit: fit[0])
    if sure == 0:
        raise InvalidInput("the format of the file is not known", advice=_known())
    return best


def _known() -> str:
    return "Known formats: " + ", ".join(each.name for each in READERS) + "."
