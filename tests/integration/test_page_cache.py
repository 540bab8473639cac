"""Cached pages and validators: the same bytes, only for those who may have them, only while they hold."""

from __future__ import annotations

from typing import Any

import pytest

from hub.ledger import pages
from hub.ledger.pages import Query
from hub.ledger.records import Entry
from hub.web.compression import Shared
from hub.web.page_cache import OVERHEAD, CachedPage, PageCache
from hub.web.services import EXTENSION
from tests.live import LocalHub, TestMember
from tests.objects import indicator

AMBER = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Query]:
    """The pages that are read from the log from here on."""
    found: list[Query] = []
    plain = pages.objects

    def counted(database: Any, views: Any, actor: Any, head: Any, query: Query) -> Any:
        found.append(query)
        return plain(database, views, actor, head, query)

    monkeypatch.setattr(pages, "objects", counted)
    return found


@pytest.fixture(scope="module")
def banks(local_hub: LocalHub) -> TestMember:
    """A contributor in the group that the shared objects are for."""
    return local_hub.add_member("First Bank", groups=["banks"], roles=["contributor"])


@pytest.fixture(scope="module")
def objects_url(local_hub: LocalHub, banks: TestMember) -> str:
    """A collection with ten AMBER objects of the banks' group."""
    local_hub.add_collection("cached")
    url = "/taxii2/signed/collections/cached/objects/"
    objects = [indicator(f"cached {n}", object_marking_refs=[AMBER]) for n in range(10)]
    assert local_hub.add(url, banks, objects)["success_count"] == 10
    return url


def test_a_second_reader_with_the_same_view_costs_no_read(
    local_hub: LocalHub, objects_url: str, reads: list[Query]
) -> None:
    one, two = (local_hub.add_member(f"Reader {n}", groups=["banks"]) for n in range(2))
    first = local_hub.get(objects_url, one, query_string={"limit": 4})
    assert len(reads) == 1
    again = local_hub.get(objects_url, one, query_string={"limit": 4})
    other = local_hub.get(objects_url, two, query_string={"limit": 4})
    assert len(reads) == 1
    assert again.data == first.data
    assert other.json["objects"] == first.json["objects"]
    assert other.json["next"] != first.json["next"], "next is bound to its member"
    assert other.headers["ETag"] != first.headers["ETag"]
    for answer in (first, again, other):
        assert answer.headers["Cache-Control"] == "private, no-cache"
        assert answer.headers["X-TAXII-Date-Added-Last"] == first.headers["X-TAXII-Date-Added-Last"]
    taken = local_hub.get(objects_url, one, query_string={"limit": 4, "next": other.json["next"]})
    assert taken.status_code == 400, "another member's next is refused on the cached path too"


def test_nobody_gets_the_bytes_of_another_view(local_hub: LocalHub, objects_url: str, banks: TestMember) -> None:
    assert len(local_hub.get(objects_url, banks).json["objects"]) == 10
    etag = local_hub.get(objects_url, banks).headers["ETag"]
    outsider = local_hub.add_member("Outsider", groups=["telcos"])
    green = local_hub.add_member("Green only", clearance="green", groups=["banks"])
    for member in (outsider, green):
        for headers in ({}, {"If-None-Match": etag}, {"If-None-Match": "*"}):
            answer = local_hub.get(objects_url, member, headers=headers)
            assert (answer.status_code, answer.json) == (200, {})
            assert "ETag" not in answer.headers
    stranger = local_hub.get(objects_url, headers={"If-None-Match": etag})
    assert stranger.status_code == 401


def test_a_suspension_holds_on_the_cached_path(local_hub: LocalHub, objects_url: str) -> None:
    member = local_hub.add_member("Soon suspended", groups=["banks"])
    etag = local_hub.get(objects_url, member).headers["ETag"]
    assert local_hub.get(objects_url, member, headers={"If-None-Match": etag}).status_code == 304
    local_hub.suspend(member)
    for headers in ({}, {"If-None-Match": etag}):
        assert local_hub.get(objects_url, member, headers=headers).status_code == 401


def test_a_change_of_group_holds_on_the_cached_path(local_hub: LocalHub, objects_url: str) -> None:
    member = local_hub.add_member("Leaves the group", groups=["banks"])
    answer = local_hub.get(objects_url, member)
    assert len(answer.json["objects"]) == 10
    with local_hub.hub.database.engine.begin() as connection:
        connection.exec_driver_sql(f"DELETE FROM member_group WHERE member_id = '{member.member_id}'")
    for headers in ({}, {"If-None-Match": answer.headers["ETag"]}):
        after = local_hub.get(objects_url, member, headers=headers)
        assert (after.status_code, after.json) == (200, {})


def test_what_is_added_revised_or_deleted_is_seen_at_once(local_hub: LocalHub, banks: TestMember) -> None:
    local_hub.add_collection("changing")
    url = "/taxii2/plain/collections/changing/objects/"
    local_hub.add(url, banks, [indicator(f"changing {n}", object_marking_refs=[AMBER]) for n in range(3)])
    before = local_hub.get(url, banks, query_string={"limit": 2})
    later = indicator("changing 0", modified="2025-01-01T00:00:00.000Z", object_marking_refs=[AMBER])
    local_hub.add(url, banks, [later])
    after = local_hub.get(url, banks, query_string={"limit": 2})
    assert [one["id"] for one in after.json["objects"]] != [one["id"] for one in before.json["objects"]]
    assert after.headers["ETag"] != before.headers["ETag"]
    gone = after.json["objects"][0]["id"]
    assert local_hub.request("DELETE", f"{url}{gone}/", banks).status_code == 200
    left = local_hub.get(url, banks, headers={"If-None-Match": after.headers["ETag"]})
    assert left.status_code == 200
    assert gone not in {one["id"] for one in left.json["objects"]}


def test_both_roots_have_their_own_bytes(local_hub: LocalHub, objects_url: str, banks: TestMember) -> None:
    signed = local_hub.get(objects_url, banks)
    plain = local_hub.get(objects_url.replace("signed", "plain"), banks)
    assert len(plain.data) < len(signed.data)
    assert plain.headers["ETag"] != signed.headers["ETag"]


@pytest.mark.parametrize(
    "path", ["/taxii2/", "/taxii2/plain/", "/taxii2/plain/collections/", "/taxii/root/collections/"]
)
def test_no_cache_on_the_way_may_give_an_answer_on(local_hub: LocalHub, banks: TestMember, path: str) -> None:
    """RFC 9111 section 5.2.2.7: ``private``, since a client certificate leaves no Authorization header to vary by."""
    assert local_hub.get(path, banks).headers["Cache-Control"] == "private, no-cache"
    posted = local_hub.post("/taxii2/plain/collections/shared/objects/", banks, [{}])
    status = local_hub.get(posted.headers["Location"], banks)
    assert status.headers["Cache-Control"] == posted.headers["Cache-Control"] == "private, no-cache"
    assert local_hub.get(path).headers["Cache-Control"] == "no-store"


def test_manifests_and_versions_have_a_validator_too(local_hub: LocalHub, objects_url: str, banks: TestMember) -> None:
    """RFC 9110 section 8.8.3: a strong ETag, another one for other bytes, and 304 for the same."""
    manifest = objects_url.partition("objects/")[0] + "manifest/"
    newest = local_hub.get(manifest, banks).get_json()["objects"][-1]["id"]
    tags = set()
    for url in (manifest, f"{manifest}?limit=1", f"{objects_url}{newest}/versions/"):
        full = local_hub.get(url, banks)
        assert full.headers["ETag"].startswith('"')
        tags.add(full.headers["ETag"])
        again = local_hub.get(url, banks, headers={"If-None-Match": full.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
        assert again.headers["X-TAXII-Date-Added-Last"] == full.headers["X-TAXII-Date-Added-Last"]
    assert len(tags) == 3


@pytest.mark.parametrize("form", ["{0}", "W/{0}", '"other", {0}', "W/{0}, W/{0}", "*"])
def test_if_none_match_spares_the_body(local_hub: LocalHub, objects_url: str, banks: TestMember, form: str) -> None:
    """RFC 9110 section 13.1.2: weak comparison; section 15.4.5: what a 304 carries."""
    full = local_hub.get(objects_url, banks)
    etag = full.headers["ETag"]
    assert etag.startswith('"')
    answer = local_hub.get(objects_url, banks, headers={"If-None-Match": form.format(etag)})
    assert answer.status_code == 304
    assert answer.data == b""
    for name in ("ETag", "Vary", "Cache-Control", "X-TAXII-Date-Added-First", "X-TAXII-Date-Added-Last"):
        assert answer.headers[name] == full.headers[name]
    assert "Content-Type" not in answer.headers
    for unlike in ('"other"', "", f'{etag[:-1]}-gzip"'):
        assert local_hub.get(objects_url, banks, headers={"If-None-Match": unlike}).status_code == 200
    packed = {"Accept-Encoding": "gzip"}
    validator = local_hub.get(objects_url, banks, headers=packed).headers["ETag"]
    assert local_hub.get(objects_url, banks, headers={**packed, "If-None-Match": validator}).status_code == 304
    assert local_hub.get(objects_url, banks, headers={**packed, "If-None-Match": etag}).status_code == 200
    assert local_hub.get(objects_url, banks, headers={"If-None-Match": validator}).status_code == 200


def test_the_cache_keeps_within_its_bytes() -> None:
    cache = PageCache(10 * OVERHEAD)
    made = [CachedPage(Shared(b"x" * 1000), (n,), n, n, more=False, tag=str(n)) for n in range(50)]
    for number, page in enumerate(made):
        cache.put(number, page)
        assert cache.get(0) is made[0], "what is used stays"
        assert cache.held_bytes <= 10 * OVERHEAD
    assert cache.get(1) is None
    assert cache.get(49) is made[49]
    cache.put(49, made[49])
    held = cache.held_bytes
    cache.put("too large", CachedPage(Shared(b"x" * 20 * OVERHEAD), (1,), 1, 1, more=False, tag=""))
    assert cache.get("too large") is None
    assert cache.held_bytes == held


def test_what_is_cached_is_what_the_log_holds(local_hub: LocalHub, objects_url: str, banks: TestMember) -> None:
    """Not one byte differs between a first and a later answer, and both are the stored ones."""
    first = local_hub.get(objects_url, banks).data
    assert local_hub.get(objects_url, banks).data == first
    with local_hub.hub.database.reading() as session:
        for one in local_hub.get(objects_url, banks).json["objects"]:
            stored = session.query(Entry.body).where(Entry.stix_id == one["id"], Entry.latest == 1).scalar()
            assert bytes(stored) in first


def test_no_cache_is_a_choice(local_hub: LocalHub, objects_url: str, banks: TestMember, reads: list[Query]) -> None:
    cache = local_hub.app.extensions[EXTENSION].pages
    with_limit = {"limit": 3}
    cache._most = 0  # what page_cache_bytes = 0 makes
    try:
        for expected in (1, 2):
            assert local_hub.get(objects_url, banks, query_string=with_limit).status_code == 200
            assert len(reads) == expected
    finally:
        cache._most = 2**26
