"""Tables whose columns a feed's mapping names, and local times in a zone that it states."""

from __future__ import annotations

import pytest

from hub.errors import InvalidInput
from hub.feeds.readers.json_map import JsonRows
from hub.feeds.readers.mapped_table import MappedTable
from hub.feeds.readers.mapping import mapping_of
from hub.feeds.readers.reading import RawIndicator, Unread
from hub.stix.values import Kind

TABLE = "\ufeffWann;Adresse;Art\r\n2026-07-01 10:00;evil-one.com;dom\r\n01/02/2026 10:00;evil-two.com;dom\r\n"
MAPPING = {"value": "Adresse", "kind": "Art", "kinds": {"dom": "domain"}, "first_seen": "Wann", "zone": "Europe/London"}


def test_columns_by_name_and_local_times() -> None:
    found = list(MappedTable(mapping_of(MAPPING)).read(TABLE.encode()))
    assert [(one.raw, one.kind, one.first_seen, one.where) for one in found if isinstance(one, RawIndicator)] == [
        ("evil-one.com", Kind.DOMAIN, "2026-07-01T09:00:00Z", "row 2"),
        ("evil-two.com", Kind.DOMAIN, "2026-01-02T10:00:00Z", "row 3"),
    ]


def test_columns_by_number() -> None:
    mapping = mapping_of({"value": "2", "first_seen": "1"})
    found = list(MappedTable(mapping).read(b"2026-07-01,evil-one.com\n2026-07-02\n"))
    assert [type(one) for one in found] == [RawIndicator, Unread]


def test_a_column_that_is_not_there() -> None:
    with pytest.raises(InvalidInput) as refused:
        list(MappedTable(mapping_of({"value": "domain"})).read(TABLE.encode()))
    assert "Adresse" in (refused.value.advice or "")


def test_a_stated_zone_holds_over_the_mappings() -> None:
    raw = b'[{"v": "a.com", "t": "2026-07-01T10:00:00+05:00"}, {"v": "b.com", "t": "2026-07-01 10:00 UTC"}]'
    mapping = mapping_of({"value": "v", "first_seen": "t", "zone": "Europe/London"})
    found = [one.first_seen for one in JsonRows(mapping).read(raw) if isinstance(one, RawIndicator)]
    assert found == ["2026-07-01T05:00:00Z", "2026-07-01T10:00:00Z"]


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "\x00", 5])
def test_a_zone_that_is_none(zone: object) -> None:
    with pytest.raises(InvalidInput):
        mapping_of({"value": "v", "zone": zone})
