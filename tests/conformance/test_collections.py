"""Collections: TAXII 2.1 sections 5.1 and 5.2."""

from __future__ import annotations

import pytest

from tests.live import LocalHub, TestMember
from tests.objects import indicator

ROOTS = ("signed", "plain")


def listed(hub: LocalHub, member: TestMember, root: str = "plain") -> dict[str, dict]:
    """The collections that ``member`` is shown, by alias."""
    found = hub.get(f"/taxii2/{root}/collections/", member).get_json(force=True)
    return {one["alias"]: one for one in found.get("collections", [])}


def test_5_1_collections_are_sorted_by_id_and_the_same_in_both_roots(
    local_hub: LocalHub, contributor: TestMember
) -> None:
    """Interop: the list is sorted by id."""
    found = [local_hub.get(f"/taxii2/{root}/collections/", contributor).get_json(force=True) for root in ROOTS]
    assert found[0] == found[1]
    ids = [one["id"] for one in found[0]["collections"]]
    assert ids == sorted(ids)
    assert len(ids) >= 5


def test_5_1_no_collections_is_an_empty_object(local_hub: LocalHub) -> None:
    """§5.1.1 and §2: an empty list is prohibited, the property is left out."""
    partner = local_hub.add_member("Report Fraud", kind="report-fraud", roles=["reporting-partner"])
    answer = local_hub.get("/taxii2/plain/collections/", partner)
    assert (answer.status_code, answer.data) == (200, b"{}")


def test_5_2_a_collection_has_what_the_standard_requires(
    local_hub: LocalHub, contributor: TestMember, alias: str
) -> None:
    """§5.2.1: id (UUID v4), title, can_read, can_write, media_types; the alias is unique."""
    shown = listed(local_hub, contributor)
    assert len({one["id"] for one in shown.values()}) == len(shown)
    for one in shown.values():
        assert one["id"][14] == "4"
        assert one["title"]
        assert type(one["can_read"]) is type(one["can_write"]) is bool
        assert one["media_types"] == ["application/stix+json;version=2.1"]
        assert one.get("description") != ""
    by_id = local_hub.get(f"/taxii2/plain/collections/{shown[alias]['id']}/", contributor)
    assert by_id.get_json(force=True) == shown[alias]


def test_5_2_rights_are_those_of_the_member_that_asks(
    local_hub: LocalHub, contributor: TestMember, reader: TestMember, alias: str
) -> None:
    """§5.2.1: can_read and can_write are for the requesting user."""
    assert [listed(local_hub, who)[alias]["can_write"] for who in (contributor, reader)] == [True, False]


@pytest.mark.parametrize("root", ROOTS)
def test_5_2_an_alias_stands_for_the_id_everywhere(
    local_hub: LocalHub, contributor: TestMember, alias: str, root: str
) -> None:
    """§5.2.1: the alias may be used in place of the id in URLs."""
    number = listed(local_hub, contributor)[alias]["id"]
    stix = indicator(alias)
    local_hub.add(f"/taxii2/{root}/collections/{alias}/objects/", contributor, [stix])
    for rest in ("", "objects/", "manifest/", f"objects/{stix['id']}/", f"objects/{stix['id']}/versions/"):
        by_alias, by_id = (
            local_hub.get(f"/taxii2/{root}/collections/{name}/{rest}", contributor) for name in (alias, number)
        )
        assert by_alias.status_code == by_id.status_code == 200
        assert by_alias.data == by_id.data


@pytest.mark.parametrize(
    "rest", ["", "objects/", "manifest/", "objects/indicator--{}/", "objects/indicator--{}/versions/"]
)
def test_5_x_a_hidden_collection_is_the_same_404_as_an_unknown_one(
    local_hub: LocalHub, reader: TestMember, alias: str, rest: str
) -> None:
    """§5.2-5.8: unknown or not accessible is 404, and nothing tells the two apart."""
    local_hub.add_collection(f"{alias}-hidden", read=["role:analyst"], write=[])
    rest = rest.format("6f1c2a54-5d0e-4a7c-9d6f-3a1b0c9e8d77")
    bodies = []
    for name in (f"{alias}-hidden", "no-such-collection"):
        answer = local_hub.get(f"/taxii2/plain/collections/{name}/{rest}", reader)
        assert answer.status_code == 404
        body = answer.get_json(force=True)
        del body["error_id"]
        bodies.append(body)
    assert bodies[0] == bodies[1]


def test_5_x_a_collection_that_one_may_only_write_gives_nothing_away(
    local_hub: LocalHub, contributor: TestMember, alias: str
) -> None:
    """§5.3, 5.4, 5.6, 5.8: can_read false is 403; the collection itself is listed."""
    name = f"{alias}-drop"
    local_hub.add_collection(name, read=[], write=["role:contributor"])
    shown = listed(local_hub, contributor)[name]
    assert (shown["can_read"], shown["can_write"]) == (False, True)
    base = f"/taxii2/plain/collections/{name}"
    stix = indicator(name)
    assert local_hub.add(f"{base}/objects/", contributor, [stix])["success_count"] == 1
    for rest in ("objects/", "manifest/", f"objects/{stix['id']}/", f"objects/{stix['id']}/versions/"):
        assert local_hub.get(f"{base}/{rest}", contributor).status_code == 403
