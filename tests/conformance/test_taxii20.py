"""TAXII 2.0 (CS01) from outside: OASIS's own client, its ranges, STIX 2.0 in and out. Sections are of TAXII 2.0."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
import stix2
from taxii2client.v20 import ApiRoot, Collection, Server, as_pages

from hub.stix.downconvert import id20
from hub.stix.tlp import TLP1_AMBER_ID, Tlp
from tests.engines import PRODUCTS, DatabaseEngine, SQLite
from tests.live import LiveHub, LocalHub, TestMember, local, serving
from tests.objects import T0, domain, indicator, malware, object_id

TAXII_20 = "application/vnd.oasis.taxii+json; version=2.0"
STIX_20 = "application/vnd.oasis.stix+json; version=2.0"
AMBER = {"object_marking_refs": [Tlp.AMBER.marking_id]}


def bundle(*objects: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "bundle",
        "id": object_id("bundle", len(objects)),
        "spec_version": "2.0",
        "objects": list(objects),
    }


def old_indicator(name: object, **more: Any) -> dict[str, Any]:
    """An indicator of STIX 2.0."""
    stix_id = id20(object_id("indicator", f"old {name}"))
    return {
        "type": "indicator",
        "id": stix_id,
        "created": T0,
        "modified": T0,
        "labels": ["malicious-activity"],
        "pattern": f"[domain-name:value = 'o{stix_id[-12:]}.example']",
        "valid_from": T0,
        **more,
    }


@pytest.fixture(scope="module", params=PRODUCTS)
def local_hub(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalHub]:
    """A hub on each product in turn: positions are counted by statements of their own."""
    engine: DatabaseEngine = request.getfixturevalue(request.param)
    with engine.migrated() as url, local(url, tmp_path_factory.mktemp("hub20")) as hub:
        yield hub


@pytest.fixture
def path(local_hub: LocalHub, alias: str, contributor: TestMember) -> str:
    """The path in 2.0 of the fresh collection of ``alias``."""
    found = local_hub.get("/taxii/root/collections/", contributor).get_json(force=True)["collections"]
    title_of = local_hub.get(f"/taxii2/plain/collections/{alias}/", contributor).get_json(force=True)["id"]
    assert title_of in {one["id"] for one in found}
    return f"/taxii/root/collections/{title_of}"


def _numbers(answer: Any) -> list[str]:
    """The ids of a bundle."""
    body = answer.get_json(force=True)
    assert body["type"] == "bundle"
    assert body["spec_version"] == "2.0"
    assert UUID(body["id"].removeprefix("bundle--")).version == 4
    return [one["id"] for one in body.get("objects", [])]


def test_discovery_root_and_collections(local_hub: LocalHub, reader: TestMember, path: str) -> None:
    """Sections 4.1, 4.2, 5.1, 5.2."""
    for address in ("/taxii/", "/taxii"):
        answer = local_hub.get(address, reader)
        assert answer.status_code == 200
        assert answer.content_type == TAXII_20
        assert answer.json["default"] in answer.json["api_roots"]
    root = local_hub.get("/taxii/root/", reader)
    assert root.json["versions"] == ["taxii-2.0"]
    assert root.json["max_content_length"] > 0
    one = local_hub.get(f"{path}/", reader)
    assert one.json["media_types"] == [STIX_20]
    assert (one.json["can_read"], one.json["can_write"]) == (True, False)
    assert "alias" not in one.json
    ranged = local_hub.get("/taxii/root/collections/", reader, headers={"Range": "items 0-0"})
    assert ranged.status_code == 206
    assert len(ranged.json["collections"]) == 1


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        (None, 200),
        ("*/*", 200),
        (TAXII_20, 200),
        ("application/vnd.oasis.taxii+json", 200),
        ("application/vnd.oasis.taxii+json;version=2.0", 200),
        (f"{TAXII_20}, {STIX_20};q=0.5", 200),
        ("application/taxii+json;version=2.1", 406),
        ("application/vnd.oasis.taxii+json; version=2.1", 406),
        ("text/html", 406),
    ],
)
def test_accept(local_hub: LocalHub, reader: TestMember, accept: str | None, status: int) -> None:
    answer = local_hub.get("/taxii/", reader, headers={"Accept": accept} if accept else {})
    assert answer.status_code == status
    assert answer.content_type == TAXII_20


def test_errors_are_of_20(local_hub: LocalHub, reader: TestMember, path: str) -> None:
    """Section 3.5: errors too have the media type of 2.0."""
    cases = [
        (local_hub.get("/taxii/"), 401),
        (local_hub.get("/taxii/nothing/", reader), 404),
        (local_hub.get("/taxii/root/collections/unknown/objects/", reader), 404),
        (local_hub.get(f"{path}/objects/{object_id('indicator', 'none')}/", reader), 404),
        (local_hub.get(f"{path}/objects/x/", reader), 404),
        (local_hub.get("/taxii/root/status/x/", reader), 404),
        (local_hub.get(f"{path}/objects/", reader, query_string={"added_after": "yesterday"}), 400),
        (local_hub.get(f"{path}/objects/", reader, query_string={"match[id]": "x"}), 400),
        (local_hub.request("DELETE", f"{path}/objects/", reader), 405),
        (local_hub.request("POST", f"{path}/objects/", reader, data=b"{}", content_type=STIX_20), 403),
    ]
    for answer, status in cases:
        assert answer.status_code == status, answer.text
        assert answer.content_type == TAXII_20
        assert answer.get_json(force=True)["http_status"] == str(status)
    assert cases[0][0].headers["WWW-Authenticate"].startswith("Basic")


def test_an_empty_collection_is_an_empty_bundle(local_hub: LocalHub, reader: TestMember, path: str) -> None:
    for headers in ({}, {"Range": "items 0-49"}, {"Range": "items=0-"}):
        answer = local_hub.get(f"{path}/objects/", reader, headers=headers)
        assert answer.status_code == 200
        assert answer.content_type == STIX_20
        assert _numbers(answer) == []
        assert "objects" not in answer.json
        manifest = local_hub.get(f"{path}/manifest/", reader, headers=headers)
        assert (manifest.status_code, manifest.json) == (200, {})


def test_21_objects_are_given_as_20(
    local_hub: LocalHub, contributor: TestMember, reader: TestMember, collection: str, path: str
) -> None:
    shown = [indicator("kept", confidence=80, **AMBER), malware("kept", malware_types=["trojan"], **AMBER)]
    hidden = [
        domain("left out"),
        indicator("left out", pattern="title: x", pattern_type="sigma", **AMBER),
        indicator("left out too", pattern="[EXISTS url:value]", **AMBER),
    ]
    assert local_hub.add(f"{collection}/objects/", contributor, [*hidden, *shown])["failure_count"] == 0
    answer = local_hub.get(f"{path}/objects/", reader)
    assert _numbers(answer) == [id20(one["id"]) for one in shown]
    assert answer.headers["X-Hub-Left-Out"] == "2", "observables take no place, the two patterns are counted"
    for one in answer.json["objects"]:
        stix2.parse(one, allow_custom=True, version="2.0")
        assert "spec_version" not in one
        assert one["object_marking_refs"] == [TLP1_AMBER_ID]
    assert answer.json["objects"][0]["x_confidence"] == 80
    manifest = local_hub.get(f"{path}/manifest/", reader).json["objects"]
    assert [one["id"] for one in manifest] == _numbers(answer)
    assert manifest[0] == {**manifest[0], "versions": [T0], "media_types": [STIX_20]}


def test_visibility_holds_in_20_as_in_21(
    local_hub: LocalHub, contributor: TestMember, collection: str, path: str
) -> None:
    local_hub.add(f"{collection}/objects/", contributor, [indicator("for banks", **AMBER)])
    outsider = local_hub.add_member(f"Outsider of {path[-4:]}", groups=["telcos"])
    green = local_hub.add_member(f"Green of {path[-4:]}", clearance="green", groups=["banks"])
    seen = _numbers(local_hub.get(f"{path}/objects/", contributor))
    assert len(seen) == 1
    for member in (outsider, green):
        etag = local_hub.get(f"{path}/objects/", contributor).headers["ETag"]
        answer = local_hub.get(f"{path}/objects/", member, headers={"If-None-Match": etag})
        assert (answer.status_code, _numbers(answer)) == (200, [])
        assert local_hub.get(f"{path}/manifest/", member).json == {}
        assert local_hub.get(f"{path}/objects/{seen[0]}/", member).status_code == 404


def test_ranges(local_hub: LocalHub, contributor: TestMember, reader: TestMember, collection: str, path: str) -> None:
    """Section 3.3.1, and RFC 7233 for what it leaves open."""
    objects = [indicator(f"range {n}", **AMBER) for n in range(10)]
    local_hub.add(f"{collection}/objects/", contributor, objects)
    ids = [id20(one["id"]) for one in objects]

    def get(header: str | None, endpoint: str = "objects") -> Any:
        return local_hub.get(f"{path}/{endpoint}/", reader, headers={"Range": header} if header else {})

    whole = get(None)
    assert (whole.status_code, _numbers(whole)) == (200, ids)
    assert whole.headers["Accept-Ranges"] == "items"
    assert "Content-Range" not in whole.headers
    for header, first, last in (
        ("items 0-3", 0, 3),
        ("items=0-3", 0, 3),
        ("ITEMS=4-4", 4, 4),
        ("items 7-", 7, 9),
        ("items 8-500", 8, 9),
        ("items 8-9223372036854775807", 8, 9),
        ("items=0-9", 0, 9),
        ("items 3-6", 3, 6),
    ):
        answer = get(header)
        assert answer.status_code == 206, header
        assert answer.headers["Content-Range"] == f"items {first}-{last}/10"
        assert _numbers(answer) == ids[first : last + 1]
        listed = get(header, "manifest")
        assert listed.status_code == 206
        assert [one["id"] for one in listed.json["objects"]] == ids[first : last + 1]
    for header in (
        "items 10-11",
        "items=3-2",
        "items -3",
        "items",
        "items=a-b",
        "items 0-1,4-5",
        "items=99999999999999-",
    ):
        answer = get(header)
        assert answer.status_code == 416, header
        assert answer.headers["Content-Range"] == "items */10"
        assert answer.content_type == TAXII_20
    assert get("bytes=0-3").status_code == 200, "a range in another unit is ignored"


def test_answers_say_when_their_objects_were_added(
    local_hub: LocalHub, contributor: TestMember, reader: TestMember, collection: str, path: str
) -> None:
    """Section 3.2: X-TAXII-Date-Added-First and -Last of objects, object and manifest, whole or in part.

    What has no form in 2.0 counts, so that a client which goes on by these dates comes past it.
    """
    sent = [indicator("dated 1"), malware("dated 2"), indicator("dated 3", pattern="[EXISTS file:name]")]
    local_hub.add(f"{collection}/objects/", contributor, sent)
    added = [one["date_added"] for one in local_hub.get(f"{collection}/manifest/", contributor).get_json()["objects"]]
    added = added[-3:]

    def dates(endpoint: str, header: str | None = None, **query: str) -> tuple[str | None, str | None]:
        headers = {"Range": header} if header else {}
        answer = local_hub.get(f"{path}/{endpoint}/", contributor, headers=headers, query_string=query)
        assert answer.status_code in (200, 206)
        return answer.headers.get("X-TAXII-Date-Added-First"), answer.headers.get("X-TAXII-Date-Added-Last")

    for endpoint in ("objects", "manifest"):
        assert dates(endpoint) == (added[0], added[2])
        assert dates(endpoint, "items 1-1") == (added[1], added[1])
        assert dates(endpoint, "items 2-2") == (added[2], added[2])
        assert dates(endpoint, added_after=added[1]) == (added[2], added[2])
        assert dates(endpoint, added_after=added[2]) == (added[2], added[2])
    assert dates(f"objects/{id20(sent[0]['id'])}") == (added[0], added[0])


def test_a_default_page_is_a_part(sqlite: SQLite, tmp_path: Any) -> None:
    """The server may answer 206 unasked: no request gives everything at once."""
    taxii = {"default_page": 4, "max_page": 6}
    with sqlite.migrated() as url, local(url, tmp_path, taxii=taxii) as hub:
        member = hub.add_member("First Bank", groups=["banks"], roles=["contributor"])
        hub.add("/taxii2/plain/collections/shared/objects/", member, [indicator(n, **AMBER) for n in range(9)])
        found = hub.get("/taxii/root/collections/", member).json["collections"]
        shared = hub.get("/taxii2/plain/collections/shared/", member).get_json(force=True)["id"]
        assert shared in {one["id"] for one in found}
        path = f"/taxii/root/collections/{shared}/objects/"
        total = hub.get(path, member).headers["Content-Range"].partition("/")[2]
        assert hub.get(path, member).headers["Content-Range"] == f"items 0-3/{total}"
        most = hub.get(path, member, headers={"Range": "items 0-99"})
        assert most.headers["Content-Range"] == f"items 0-5/{total}"


def test_a_reader_by_position_misses_nothing_that_is_revised_under_it(
    local_hub: LocalHub, contributor: TestMember, reader: TestMember, collection: str, path: str
) -> None:
    objects = [indicator(f"moving {n}", **AMBER) for n in range(12)]
    local_hub.add(f"{collection}/objects/", contributor, objects)
    seen: list[str] = []
    start, total = 0, 1
    while start < total:
        answer = local_hub.get(f"{path}/objects/", reader, headers={"Range": f"items {start}-{start + 2}"})
        seen += _numbers(answer)
        total = int(answer.headers["Content-Range"].partition("/")[2])
        if start < 9:  # revise what was read already, and something that was not
            changed = [f"moving {start}", f"moving {11 - start // 3}"]
            later = f"2025-01-01T00:00:{start:02}.000Z"
            local_hub.add(
                f"{collection}/objects/", contributor, [indicator(n, modified=later, **AMBER) for n in changed]
            )
        start += 3
    assert set(seen) == {id20(one["id"]) for one in objects}
    whole = local_hub.get(f"{path}/objects/", reader)
    assert len(_numbers(whole)) == 12, "the newest version of each"


def test_a_reader_by_position_misses_nothing_that_stands_while_others_are_deleted(
    local_hub: LocalHub, contributor: TestMember, reader: TestMember, collection: str, path: str
) -> None:
    objects = [indicator(f"going {n}", **AMBER) for n in range(12)]
    local_hub.add(f"{collection}/objects/", contributor, objects)
    seen: list[str] = []
    start, total = 0, 1
    while start < total:
        answer = local_hub.get(f"{path}/objects/", reader, headers={"Range": f"items {start}-{start + 2}"})
        assert answer.status_code == 206
        seen += _numbers(answer)
        total = int(answer.headers["Content-Range"].partition("/")[2])
        assert total == 12, "what is gone keeps its place"
        if start < 9:  # delete what was read already, and something that was not
            for n in (start, 11 - start // 3):
                gone = f"{collection}/objects/{objects[n]['id']}/"
                assert local_hub.request("DELETE", gone, contributor).status_code == 200
        start += 3
    standing = {id20(objects[n]["id"]) for n in (1, 2, 4, 5, 7, 8)}
    assert standing <= set(seen)
    assert len(seen) == len(set(seen))
    assert set(_numbers(local_hub.get(f"{path}/objects/", reader))) == standing


def test_filters(local_hub: LocalHub, contributor: TestMember, reader: TestMember, collection: str, path: str) -> None:
    """Section 3.4."""
    later = "2025-01-01T00:00:00.000Z"
    first, second = indicator("filtered", **AMBER), malware("filtered", **AMBER)
    for objects in ([first], [second], [indicator("filtered", modified=later, **AMBER)]):
        local_hub.add(f"{collection}/objects/", contributor, objects)
    shown = id20(first["id"])

    def get(**query: str) -> list[tuple[str, str]]:
        answer = local_hub.get(
            f"{path}/objects/", reader, query_string={k.replace("_in", "]"): v for k, v in query.items()}
        )
        assert answer.status_code == 200
        return [(one["id"], one["modified"]) for one in answer.json.get("objects", [])]

    assert get() == [(id20(second["id"]), T0), (shown, later)]
    assert get(**{"match[type]": "indicator"}) == [(shown, later)]
    assert get(**{"match[type]": "domain-name"}) == []
    for one in (shown, first["id"]):
        assert get(**{"match[id]": one}) == [(shown, later)]
        assert get(**{"match[id]": one, "match[version]": "all"}) == [(shown, T0), (shown, later)]
        assert get(**{"match[id]": one, "match[version]": T0}) == [(shown, T0)]
    assert get(**{"match[version]": "first"}) == [(shown, T0), (id20(second["id"]), T0)]
    manifest = local_hub.get(f"{path}/manifest/", reader, query_string={"match[version]": "all"}).json["objects"]
    assert [(one["id"], one["versions"]) for one in manifest] == [(id20(second["id"]), [T0]), (shown, [later, T0])]
    added = local_hub.get(f"{path}/manifest/", reader).json["objects"][0]["date_added"]
    assert get(added_after=added) == [(shown, later)]
    both = {"match[version]": "first,last"}
    manifest = local_hub.get(f"{path}/manifest/", reader, query_string=both).json["objects"]
    assert [(one["id"], one["versions"]) for one in manifest] == [(id20(second["id"]), [T0]), (shown, [later, T0])]
    older = "2023-01-01T00:00:00.000Z"
    local_hub.add(
        f"{collection}/objects/", contributor, [indicator("filtered", created=older, modified=older, **AMBER)]
    )
    manifest = local_hub.get(f"{path}/manifest/", reader, query_string=both).json["objects"]
    assert [(one["id"], one["versions"]) for one in manifest] == [(id20(second["id"]), [T0]), (shown, [later, older])]
    assert [one["date_added"] for one in manifest] == sorted(one["date_added"] for one in manifest)
    one = local_hub.get(f"{path}/objects/{shown}/", reader, query_string={"match[version]": "all"})
    assert [each["modified"] for each in one.json["objects"]] == [T0, later, older]


def test_a_second_answer_is_the_same_and_spared(
    local_hub: LocalHub, contributor: TestMember, reader: TestMember, collection: str, path: str
) -> None:
    local_hub.add(f"{collection}/objects/", contributor, [indicator(f"same {n}", **AMBER) for n in range(5)])
    first, second = (local_hub.get(f"{path}/objects/", reader) for _ in range(2))
    assert first.data == second.data
    spared = local_hub.get(f"{path}/objects/", reader, headers={"If-None-Match": first.headers["ETag"]})
    assert spared.status_code == 304
    packed = local_hub.get(f"{path}/objects/", reader, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"


def test_a_bundle_is_taken_in(local_hub: LocalHub, contributor: TestMember, collection: str, path: str) -> None:
    """Section 5.4: 202 and a status whose successes are ids."""
    given = indicator("given", **AMBER)
    local_hub.add(f"{collection}/objects/", contributor, [given])
    good = old_indicator(path, object_marking_refs=[TLP1_AMBER_ID])
    sighting = {
        "type": "sighting",
        "id": id20(object_id("sighting", path)),
        "created": T0,
        "modified": T0,
        "sighting_of_ref": id20(given["id"]),
        "object_marking_refs": [TLP1_AMBER_ID],
    }
    bad = old_indicator(f"bad {path}", pattern="[")
    data = json.dumps(bundle(good, sighting, bad))
    answer = local_hub.request("POST", f"{path}/objects/", contributor, data=data, content_type=STIX_20)
    assert answer.status_code == 202, answer.text
    assert answer.content_type == TAXII_20
    local_hub.work()
    status = local_hub.get(f"/taxii/root/status/{answer.get_json(force=True)['id']}/", contributor).json
    assert status["status"] == "complete"
    assert (status["total_count"], status["success_count"], status["failure_count"]) == (3, 2, 1)
    assert sorted(status["successes"]) == sorted([good["id"], sighting["id"]])
    assert [one["id"] for one in status["failures"]] == [bad["id"]]
    assert status["failures"][0]["message"]
    newer = {one["id"]: one for one in local_hub.get(f"{collection}/objects/", contributor).json["objects"]}
    assert newer[good["id"]]["indicator_types"] == ["malicious-activity"]
    assert newer[good["id"]]["spec_version"] == "2.1"
    assert newer[sighting["id"]]["sighting_of_ref"] == given["id"], "the hub's own id, not the form 2.0 was given"
    other = local_hub.get(f"/taxii/root/status/{status['id']}/", local_hub.add_member(f"Other {path[-4:]}"))
    assert other.status_code == 404


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"", STIX_20, 400),
        (b"{", STIX_20, 400),
        (b"[]", STIX_20, 422),
        (b'{"objects": []}', STIX_20, 422),
        (b'{"objects": [{"type": "identity"}]}', STIX_20, 422),
        (b'{"type": "bundle", "spec_version": "2.1", "objects": [{}]}', STIX_20, 422),
        (b'{"type": "bundle", "objects": [3]}', STIX_20, 422),
        (b"{}", "application/taxii+json;version=2.1", 415),
        (b"{}", "application/json", 415),
        (b"{}", "application/vnd.oasis.stix+json; version=2.1", 415),
    ],
)
def test_what_is_no_bundle_is_refused(
    local_hub: LocalHub, contributor: TestMember, path: str, body: bytes, content_type: str, status: int
) -> None:
    answer = local_hub.request("POST", f"{path}/objects/", contributor, data=body, content_type=content_type)
    assert answer.status_code == status, answer.text
    assert answer.get_json(force=True)["http_status"] == str(status)


# OASIS's client against the real server.


@pytest.fixture(scope="module")
def served(sqlite: SQLite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHub]:
    with sqlite.migrated() as url, serving(url, tmp_path_factory.mktemp("hub")) as hub:
        yield hub


def test_the_oasis_client_works(served: LiveHub) -> None:
    """taxii2client.v20: Server, ApiRoot, Collection, Status, pages of objects and manifests."""
    member = served.add_member("First Bank", groups=["banks"], roles=["contributor"])
    server = Server(f"{served.url}/taxii/", user=member.username, password=member.token)
    assert server.default.url == f"{served.url}/taxii/root/"
    root: ApiRoot = server.api_roots[0]
    assert root.versions == ["taxii-2.0"]
    shared: Collection = next(one for one in root.collections if one.can_write)
    assert shared.media_types == [STIX_20]
    before = shared.get_objects().get("objects", [])
    added = [old_indicator(f"client {n}", object_marking_refs=[TLP1_AMBER_ID]) for n in range(23)]
    status = shared.add_objects(bundle(*added), wait_for_completion=True, poll_interval=0.1, timeout=60)
    assert status.status == "complete"
    assert (status.success_count, status.failure_count) == (23, 0)
    assert set(status.successes) == {one["id"] for one in added}
    status.refresh()
    expected = [one["id"] for one in before] + [one["id"] for one in added]
    for size in (1, 5, 23, 1000):
        pages = list(as_pages(shared.get_objects, per_request=size))
        assert [one["id"] for page in pages for one in page.get("objects", [])] == expected
        listed = list(as_pages(shared.get_manifest, per_request=size))
        assert [one["id"] for page in listed for one in page.get("objects", [])] == expected
    assert [one["id"] for one in shared.get_manifest()["objects"]] == expected
    one = shared.get_object(added[0]["id"])["objects"][0]
    assert one["pattern"] == added[0]["pattern"]
    assert stix2.parse(one, version="2.0", allow_custom=True).labels == ["malicious-activity"]
    assert shared.get_objects(type="indicator", id=added[3]["id"])["objects"][0]["id"] == added[3]["id"]
    for connection in (server, root, shared):
        connection.close()


def test_the_hubs_own_feed_reads_as_20(served: LiveHub) -> None:
    """Every object of every collection is one that OASIS's library takes as STIX 2.0."""
    member = served.add_member("Second Bank", groups=["banks"])
    root = ApiRoot(f"{served.url}/taxii/root/", user=member.username, password=member.token)
    given = 0
    for collection in root.collections:
        for page in as_pages(collection.get_objects, per_request=50):
            for one in page.get("objects", []):
                stix2.parse(one, version="2.0", allow_custom=True)
                given += 1
    assert given > 100
    root.close()
