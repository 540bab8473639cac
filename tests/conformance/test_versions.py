"""The versions of one object: TAXII 2.1 section 5.8."""

from __future__ import annotations

from tests.live import LocalHub, TestMember
from tests.objects import indicator, statement

V1, V2, V3 = "2024-01-01T00:00:00.000Z", "2024-02-01T00:00:00.000Z", "2024-03-01T00:00:00.123456Z"


def test_5_8_versions_in_the_order_they_were_added(
    local_hub: LocalHub, contributor: TestMember, collection: str
) -> None:
    """§5.8: each version in its own text, ascending by date added; paged by next and by added_after."""
    for version in (V2, V1, V3):
        local_hub.add(f"{collection}/objects/", contributor, [indicator(1, version), indicator(2, version)])
    path = f"{collection}/objects/{indicator(1)['id']}/versions/"
    whole = local_hub.get(path, contributor)
    assert whole.get_json(force=True) == {"versions": [V2, V1, V3]}
    first = local_hub.get(path, contributor, query_string={"limit": 2})
    page = first.get_json(force=True)
    assert (page["versions"], page["more"]) == ([V2, V1], True)
    last = first.headers["X-TAXII-Date-Added-Last"]
    for query in ({"next": page["next"]}, {"added_after": last}):
        assert local_hub.get(path, contributor, query_string=query).get_json(force=True) == {"versions": [V3]}
    assert whole.headers["X-TAXII-Date-Added-First"] < last < whole.headers["X-TAXII-Date-Added-Last"]


def test_5_8_created_stands_for_modified(local_hub: LocalHub, contributor: TestMember, collection: str) -> None:
    """§5.8: an unversioned object shows its created."""
    local_hub.add(f"{collection}/objects/", contributor, [statement(1)])
    found = local_hub.get(f"{collection}/objects/{statement(1)['id']}/versions/", contributor)
    assert found.get_json(force=True) == {"versions": [statement(1)["created"]]}


def test_5_8_spec_version_and_unknown_objects(local_hub: LocalHub, contributor: TestMember, collection: str) -> None:
    """§5.8: match[spec_version] holds; nothing is ``{}``; an unknown object is 404."""
    local_hub.add(f"{collection}/objects/", contributor, [indicator(1)])
    path = f"{collection}/objects/{indicator(1)['id']}/versions/"
    answer = local_hub.get(path, contributor, query_string={"match[spec_version]": "2.0"})
    assert answer.get_json(force=True) == {}
    assert local_hub.get(f"{collection}/objects/{indicator(2)['id']}/versions/", contributor).status_code == 404
