"""Real clients against a real server, on SQLite and on PostgreSQL with two web processes."""

from __future__ import annotations

import gzip
import http.client
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from itertools import count
from typing import Any

import pytest
import requests
import stix2
from taxii2client.exceptions import AccessError
from taxii2client.v21 import ApiRoot, Collection, Server, as_pages

from tests.live import ROOT, TAXII_21, LiveHub, TestMember
from tests.objects import domain, indicator, malware

_numbers = count(1)
V1, V2 = "2024-01-01T00:00:00.000Z", "2024-02-01T00:00:00.000Z"


@pytest.fixture
def member(live_hub: LiveHub) -> TestMember:
    """A contributor."""
    return _member(live_hub)


# Once for each of the shared hubs: a module's fixture is made again where a worker comes back to the module.
@cache
def _member(live_hub: LiveHub) -> TestMember:
    return live_hub.add_member("Client Bank", groups=["banks"], roles=["contributor"])


@pytest.fixture
def path(live_hub: LiveHub) -> str:
    """The path of a fresh, empty collection, with its id as clients use it."""
    return f"/taxii2/plain/collections/{live_hub.add_collection(f'client-{next(_numbers)}')}/"


@pytest.fixture
def collection(live_hub: LiveHub, member: TestMember, path: str) -> Iterator[Collection]:
    """That collection as the OASIS client sees it."""
    found = Collection(live_hub.url + path, user=member.username, password=member.token)
    yield found
    found.close()


def ids(envelope: dict[str, Any]) -> list[str]:
    """The ids in an envelope or manifest."""
    return [one["id"] for one in envelope.get("objects", [])]


def test_the_oasis_client_finds_its_way_from_discovery(live_hub: LiveHub, member: TestMember) -> None:
    """TAXII 2.1 §4, §5.1: Server → ApiRoot → Collection, each validated by the client."""
    with Server(f"{live_hub.url}/taxii2/", user=member.username, password=member.token) as server:
        assert server.title
        assert [root.title for root in server.api_roots]
        root: ApiRoot = server.default
        assert root.url == f"{live_hub.url}/taxii2/signed/"
        assert root.max_content_length > 0
        shared = {one.title: one for one in root.collections}["Shared by members"]
        assert (shared.can_read, shared.can_write) == (True, True)
        assert ids(shared.get_objects(limit=3))


def test_the_script_of_the_readme_works(live_hub: LiveHub, member: TestMember) -> None:
    """It is what a newcomer copies; only the address and the collection's name are this test's own."""
    found = re.search(r"```python\n(.+?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert found
    alias = f"readme-{next(_numbers)}"
    live_hub.add_collection(alias)
    live_hub.add(f"/taxii2/plain/collections/{alias}/objects/", member, [indicator("readme", confidence=48)])
    script = found[1].replace("http://127.0.0.1:8080", live_hub.url).replace('"fraud"', f'"{alias}"')
    assert live_hub.url in script
    assert alias in script
    ran = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "LOGIN": f"{member.username}:{member.token}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("[domain-name:value = ")
    assert ran.stdout.endswith(" 48\n")


def test_the_oasis_client_adds_reads_pages_and_deletes(collection: Collection) -> None:
    """§5.3-5.8 through taxii2-client: add_objects with wait, as_pages over objects and manifest, versions, delete."""
    sent = [indicator(n) for n in range(25)] + [indicator(3, V2), domain(1)]
    status = collection.add_objects({"objects": sent}, poll_interval=0.05)
    assert status.status == "complete"
    assert (status.total_count, status.success_count) == (27, 27)
    wanted = [one["id"] for one in sent if one != indicator(3)]
    for fetch in (collection.get_objects, collection.get_manifest):
        assert ids(fetch()) == wanted
        for size in (1, 7, 26, 100):
            pages = list(as_pages(fetch, per_request=size))
            assert [one for page in pages for one in ids(page)] == wanted
            assert len(pages) == -(-26 // size)
    third = indicator(3)["id"]
    assert collection.get_object(third)["objects"] == [indicator(3, V2)]
    assert ids(collection.get_object(third, version="all")) == [third, third]
    assert collection.object_versions(third)["versions"] == [V1, V2]
    assert ids(collection.get_objects(type="domain-name")) == [domain(1)["id"]]
    collection.delete_object(third, version="last")
    assert collection.object_versions(third)["versions"] == [V1]
    collection.delete_object(third)
    with pytest.raises(requests.HTTPError, match="404"):
        collection.get_object(third)
    assert third not in ids(collection.get_objects(version="all"))


def test_the_oasis_client_pages_with_added_after(collection: Collection) -> None:
    """It resends added_after with next."""
    collection.add_objects({"objects": [indicator(n) for n in range(9)]}, poll_interval=0.05)
    dates = [one["date_added"] for one in collection.get_manifest()["objects"]]
    pages = list(as_pages(collection.get_objects, per_request=2, added_after=dates[2]))
    assert [one for page in pages for one in ids(page)] == [indicator(n)["id"] for n in range(3, 9)]


def test_the_oasis_client_is_told_of_each_failure(collection: Collection) -> None:
    """§4.3.1: the client validates that counts and lists agree."""
    status = collection.add_objects({"objects": [indicator(1), {}, indicator(2, pattern="[x")]}, poll_interval=0.05)
    assert (status.success_count, status.failure_count, status.pending_count) == (1, 2, 0)
    assert status.failures[1]["id"] == indicator(2)["id"]


def test_the_oasis_client_is_refused_where_it_may_not(live_hub: LiveHub, path: str) -> None:
    """Wrong credentials are 401; a reader is refused by the client itself, by what can_write says."""
    with (
        pytest.raises(requests.HTTPError, match="401"),
        Server(f"{live_hub.url}/taxii2/", user="x", password="y") as server,
    ):
        server.refresh()
    reader = live_hub.add_member(f"Reader {path}")
    with Collection(live_hub.url + path, user=reader.username, password=reader.token) as collection:
        with pytest.raises(AccessError):
            collection.add_objects({"objects": [indicator(1)]})
        assert collection.get_objects() == {}


def test_stix2_source_and_sink(collection: Collection) -> None:
    """The Sink posts a bundle; the Source asks for 5,000 at a time and needs 404 for a missing object."""
    sink = stix2.TAXIICollectionSink(collection)
    bundle = stix2.Bundle(
        *(stix2.parse(one) for one in (indicator(1), indicator(2, V2), malware(1))), allow_custom=True
    )
    sink.add(bundle)
    sink.add(stix2.parse(indicator(1, V2)))
    source = stix2.TAXIICollectionSource(collection)

    found = _wait(lambda: source.get(indicator(1)["id"]), lambda one: one and one.modified.month == 2)
    assert found.serialize() == stix2.parse(indicator(1, V2)).serialize()
    assert source.get(indicator(99)["id"]) is None
    assert [one.modified.month for one in source.all_versions(indicator(1)["id"])] == [1, 2]
    only_malware = source.query([stix2.Filter("type", "=", "malware")])
    assert [one.id for one in only_malware] == [malware(1)["id"]]
    by_id = source.query([stix2.Filter("id", "=", indicator(2)["id"]), stix2.Filter("type", "=", "indicator")])
    assert [one.id for one in by_id] == [indicator(2)["id"]]
    assert len(source.query()) == 3


def _wait(ask: Any, good: Any) -> Any:
    from tests.live import wait_for

    return wait_for(lambda: next((one for one in [ask()] if good(one)), None), 30, lambda: "it never came")


def test_next_is_good_in_every_process(live_hub: LiveHub, member: TestMember, path: str) -> None:
    """It needs no state: each page on a new connection, which any web process may take."""
    live_hub.add(f"{path}objects/", member, [indicator(n) for n in range(30)])
    seen, query = [], {"limit": 3}
    while query:
        page = live_hub.get(f"{path}objects/", member, params=query).json()
        seen += ids(page)
        query = {"limit": 3, "next": page["next"]} if page.get("more") else {}
    assert seen == [indicator(n)["id"] for n in range(30)]


def test_a_suspension_holds_in_every_process_at_once(live_hub: LiveHub) -> None:
    """The very next request is 401."""
    one = live_hub.add_member("Leaving Bank")
    for _ in range(6):
        assert live_hub.get("/taxii2/", one).status_code == 200
    live_hub.suspend(one)
    assert {live_hub.get("/taxii2/", one).status_code for _ in range(12)} == {401}


def _send(live_hub: LiveHub, member: TestMember, path: str, chunks: Iterator[bytes], **headers: str) -> tuple[int, str]:
    """A POST with Transfer-Encoding: chunked; gives (status, Content-Type)."""
    host = live_hub.url.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=60)
    authorization = requests.auth._basic_auth_str(*member.auth)
    try:
        connection.request(
            "POST",
            f"{path}objects/",
            body=chunks,
            headers={"Authorization": authorization, "Content-Type": TAXII_21, **headers},
            encode_chunked=True,
        )
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.headers["Content-Type"]
    finally:
        connection.close()


def test_5_5_a_chunked_body_is_taken_and_bounded(live_hub: LiveHub, member: TestMember, path: str) -> None:
    """§4.2.1, §5.5: 413 above max_content_length also where no Content-Length says so."""
    status, _ = _send(live_hub, member, path, iter([b'{"objects"', b": [{}]}"]))
    assert status == 202
    most = live_hub.settings.server.max_body_bytes
    block = b" " * 65536
    status, content_type = _send(live_hub, member, path, (block for _ in range(most // len(block) + 1)))
    assert (status, content_type) == (413, TAXII_21)


def test_5_5_a_compressed_body_is_bounded_by_what_it_unpacks_to(
    live_hub: LiveHub, member: TestMember, path: str
) -> None:
    """A small gzip body that is an envelope is taken; one that unpacks to more than max_content_length is 413."""
    small = gzip.compress(b'{"objects": [{}]}')
    assert _send(live_hub, member, path, iter([small]), **{"Content-Encoding": "gzip"})[0] == 202
    bomb = gzip.compress(b" " * (live_hub.settings.server.max_body_bytes + 1))
    assert len(bomb) < 100_000
    status, content_type = _send(live_hub, member, path, iter([bomb]), **{"Content-Encoding": "gzip"})
    assert (status, content_type) == (413, TAXII_21)
