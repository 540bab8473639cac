"""A member revokes or deletes its object: what it alone said of a value is taken back from the hub's indicator."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live import LocalHub, TestMember, local

SHARED = "/taxii2/plain/collections/shared/objects/"
CYBER = "/taxii2/plain/collections/cyber/objects/"
ID = "indicator--11111111-1111-4111-8111-111111111111"


@pytest.fixture
def hub(database_url: str, tmp_path: Path) -> Iterator[LocalHub]:
    with local(database_url, tmp_path / "data") as made:
        yield made


@pytest.fixture
def member(hub: LocalHub) -> TestMember:
    return hub.add_member("First Bank", "bank", "amber", ["g"], ["reader", "contributor"])


def indicator(modified: str = "2026-01-01T00:00:00.000Z", stix_id: str = ID, **more: Any) -> dict[str, Any]:
    return {
        "type": "indicator",
        "spec_version": "2.1",
        "id": stix_id,
        "created": "2026-01-01T00:00:00.000Z",
        "modified": modified,
        "pattern": "[domain-name:value = 'evil-one.com']",
        "pattern_type": "stix",
        "valid_from": "2026-01-01T00:00:00Z",
        **more,
    }


LATER = "2026-02-01T00:00:00.000Z"


def stands(hub: LocalHub, member: TestMember) -> bool:
    """The hub's own indicator of the value is published and not revoked."""
    found = json.loads(hub.get(CYBER, member, query_string={"match[type]": "indicator"}).data).get("objects", [])
    return any("revoked" not in one for one in found)


def test_a_revoked_version_takes_the_value_back(hub: LocalHub, member: TestMember) -> None:
    hub.add(SHARED, member, [indicator()])
    assert stands(hub, member)
    hub.add(SHARED, member, [indicator(LATER, revoked=True)])
    assert not stands(hub, member)


def test_neither_a_repeat_nor_a_late_older_version_brings_it_back(hub: LocalHub, member: TestMember) -> None:
    hub.add(SHARED, member, [indicator(), indicator(LATER, revoked=True)])
    assert not stands(hub, member)
    hub.add(SHARED, member, [indicator()])
    hub.add(SHARED, member, [indicator("2026-01-15T00:00:00.000Z")])
    assert not stands(hub, member)


def test_in_one_envelope_the_newest_version_counts_in_any_order(hub: LocalHub, member: TestMember) -> None:
    hub.add(SHARED, member, [indicator(LATER, revoked=True), indicator()])
    assert not stands(hub, member)


def test_what_another_member_says_too_stands(hub: LocalHub, member: TestMember) -> None:
    other = hub.add_member("Second Bank", "bank", "amber", ["g"], ["reader", "contributor"])
    hub.add(SHARED, member, [indicator()])
    hub.add(SHARED, other, [indicator(stix_id=ID.replace("1111-4111", "2222-4111"))])
    hub.add(SHARED, member, [indicator(LATER, revoked=True)])
    assert stands(hub, member)


def test_a_deleted_object_takes_the_value_back(hub: LocalHub, member: TestMember) -> None:
    hub.add(SHARED, member, [indicator()])
    assert hub.request("DELETE", f"{SHARED}{ID}/", member).status_code == 200
    hub.work()
    assert not stands(hub, member)


def test_deleting_one_version_of_two_leaves_what_the_other_says(hub: LocalHub, member: TestMember) -> None:
    hub.add(SHARED, member, [indicator(), indicator(LATER)])
    path = f"{SHARED}{ID}/"
    assert hub.request("DELETE", path, member, query_string={"match[version]": "first"}).status_code == 200
    hub.work()
    assert stands(hub, member)
    assert hub.request("DELETE", path, member).status_code == 200
    hub.work()
    assert not stands(hub, member)
