"""The manifest: TAXII 2.1 section 5.3 (its filters are tested beside the objects')."""

from __future__ import annotations

from tests.live import LocalHub, TestMember
from tests.objects import domain, indicator, statement


def test_5_3_a_record_for_each_version(local_hub: LocalHub, contributor: TestMember, collection: str) -> None:
    """§5.3.1: id, date_added, version (the object's own text), media_type; nothing else; ascending by date added."""
    local_hub.add(
        f"{collection}/objects/",
        contributor,
        [indicator(1), indicator(1, "2024-01-02T00:00:00.100Z"), statement(1), domain(1)],
    )
    answer = local_hub.get(f"{collection}/manifest/", contributor, query_string={"match[version]": "all"})
    found = answer.get_json(force=True)
    assert set(found) == {"objects"}
    records = found["objects"]
    assert all(set(one) == {"id", "date_added", "version", "media_type"} for one in records)
    assert {one["media_type"] for one in records} == {"application/stix+json;version=2.1"}
    assert [one["version"] for one in records[:3]] == [
        "2024-01-01T00:00:00.000Z",
        "2024-01-02T00:00:00.100Z",
        statement(1)["created"],
    ]
    assert records[3]["version"] == records[3]["date_added"]
    dates = [one["date_added"] for one in records]
    assert dates == sorted(set(dates))


def test_5_3_an_empty_manifest_is_an_empty_object(
    local_hub: LocalHub, contributor: TestMember, collection: str
) -> None:
    """§5.3: nothing found is ``{}``."""
    assert local_hub.get(f"{collection}/manifest/", contributor).data == b"{}"


def test_3_4_1_the_version_of_an_unversioned_object_finds_it(
    local_hub: LocalHub, contributor: TestMember, collection: str
) -> None:
    """§3.4.1: a value consistent to the server: the same in status, manifest, versions and match[version]."""
    status = local_hub.add(f"{collection}/objects/", contributor, [domain(1), domain(2)])
    first = status["successes"][0]
    assert first["id"] == domain(1)["id"]
    base = f"{collection}/objects/"
    records = local_hub.get(f"{collection}/manifest/", contributor).get_json(force=True)["objects"]
    assert records[0]["version"] == first["version"] != records[1]["version"]
    for path in (base, f"{base}{first['id']}/"):
        found = local_hub.get(path, contributor, query_string={"match[version]": first["version"]})
        assert found.get_json(force=True) == {"objects": [domain(1)]}
    listed = local_hub.get(f"{base}{first['id']}/versions/", contributor).get_json(force=True)
    assert listed == {"versions": [first["version"]]}
    again = local_hub.add(base, contributor, [domain(1)])
    assert again["successes"][0]["version"] == first["version"]
