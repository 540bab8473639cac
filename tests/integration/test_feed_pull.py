"""Feeds are pulled from real servers on loopback: a web server, a MISP feed, TAXII servers that misbehave."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from hub import clock
from hub.errors import Conflict, InvalidInput, NotFound, Unavailable
from hub.feeds import catalogue
from hub.feeds.pull import fetch
from hub.feeds.pull.transport import Bounds, bounded_session
from hub.feeds.records import FeedRun
from hub.feeds.schedule import Puller
from hub.members import membership
from hub.stix.tlp import Tlp
from tests.engines import SQLite
from tests.live import LocalHub, local, serving
from tests.upstream import Answer, Upstream, upstream_server

TAXII = "application/taxii+json;version=2.1"


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with upstream_server() as made:
        yield made


@pytest.fixture
def hub(database_url: str, tmp_path: Path) -> Iterator[LocalHub]:
    with local(database_url, tmp_path / "data") as made:
        yield made


def add(hub: LocalHub, name: str, url: str, **more: Any) -> None:
    entry = {"name": name, "protocol": "http", "url": url, "tlp": "green", "every": "1h", "licence": "CC0", **more}
    with hub.hub.database.unit_of_work() as session:
        catalogue.add(session, entry)


def puller(hub: LocalHub, bounds: Bounds | None = None) -> Puller:
    return Puller(hub.hub.intake(), bounds or Bounds(1_000_000, 5.0, 50), membership.group_ids)


def run(hub: LocalHub, name: str, bounds: Bounds | None = None) -> FeedRun:
    return puller(hub, bounds).run(name)


def live_values(hub: LocalHub) -> set[str]:
    """The names of the newest versions of all indicators that are not revoked."""
    rows = hub.hub.database.select(
        "SELECT e.body FROM entry e WHERE e.latest = 1 AND e.stix_id LIKE ?", ["indicator--%"]
    )
    objects = [json.loads(bytes(body)) for (body,) in rows]
    return {one["name"] for one in objects if "name" in one and not one.get("revoked")}


def test_a_file_is_pulled_and_asked_for_again_only_when_it_changed(hub: LocalHub, upstream: Upstream) -> None:
    def answer(_path: str, headers: dict[str, str]) -> Answer:
        if headers.get("If-None-Match") == '"one"':
            return 304, {}, b""
        return 200, {"ETag": '"one"'}, b"evil-one.com\nevil-two.com\n"

    upstream.answer = answer
    add(hub, "list", f"{upstream.url}/list.txt")
    first = run(hub, "list")
    assert (first.outcome, first.counts["new"], first.fetched_bytes) == ("done", 2, 26)
    assert live_values(hub) == {"domain: evil-one.com", "domain: evil-two.com"}
    assert run(hub, "list").outcome == "unchanged"


def test_what_a_feed_drops_is_revoked_where_its_policy_says_so(hub: LocalHub, upstream: Upstream) -> None:
    held = [f"evil-{n}.com" for n in range(10)]
    upstream.answer = lambda _path, _headers: (200, {}, "\n".join(held).encode())
    add(hub, "ages", f"{upstream.url}/a", gone="age")
    add(hub, "revokes", f"{upstream.url}/r", gone="revoke")
    run(hub, "ages"), run(hub, "revokes")
    held.pop()
    assert run(hub, "revokes").counts["gone"] == 1
    assert "domain: evil-9.com" in live_values(hub), "the other feed still names it"
    assert run(hub, "ages").counts["gone"] == 1
    assert len(live_values(hub)) == 10, "its policy lets values run out"


def test_an_empty_or_halved_feed_takes_nothing_back(hub: LocalHub, upstream: Upstream) -> None:
    held = [f"evil-{n}.com" for n in range(10)]
    upstream.answer = lambda _path, _headers: (200, {}, "\n".join(held).encode())
    add(hub, "list", f"{upstream.url}/a", gone="revoke")
    run(hub, "list")
    del held[3:]
    halved = run(hub, "list")
    assert (halved.outcome, len(live_values(hub))) == ("failed", 10)
    assert "nothing was taken back" in halved.message
    held.clear()
    empty = run(hub, "list")
    assert (empty.outcome, len(live_values(hub))) == ("failed", 10)
    assert "empty" in empty.message


@pytest.mark.parametrize("fault", ["500", "404", "huge", "slow", "refused", "not-json"])
def test_a_broken_upstream_is_a_recorded_failure_with_backoff(hub: LocalHub, upstream: Upstream, fault: str) -> None:
    def answer(_path: str, _headers: dict[str, str]) -> Answer:
        if fault == "slow":
            time.sleep(1.5)
        status = {"500": 500, "404": 404}.get(fault, 200)
        body = {"huge": b"x" * 200_000, "not-json": b'{"objects": ['}.get(fault, b"evil.com\n")
        return status, {}, body

    upstream.answer = answer
    url = "http://127.0.0.1:1/list" if fault == "refused" else f"{upstream.url}/list"
    add(hub, "list", url, format="stix" if fault == "not-json" else "auto")
    for failures in (1, 2):
        broken = run(hub, "list", Bounds(100_000, 0.5, 10))
        assert broken.outcome == "failed"
        assert broken.message
        with hub.hub.database.reading() as session:
            feed = catalogue.find(session, "list")
            assert feed.failures == failures
            assert feed.next_run_at - broken.finished_at > 3600 * 0.8 * 2**failures * 1_000_000
    assert live_values(hub) == set()


@pytest.mark.parametrize("slow_part", ["headers", "body", "body without length"])
def test_an_answer_in_drips_is_cut_when_its_time_is_over(slow_part: str) -> None:
    """A byte now and then keeps every wait short, so only the whole time can end it."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection, contextlib.suppress(OSError):
                connection.recv(65_536)
                length = b"Content-Length: 1000\r\n" if slow_part == "body" else b""
                end = b"X-Slow: " if slow_part == "headers" else b"\r\n"
                connection.sendall(b"HTTP/1.1 200 OK\r\n" + length + end)
                while not stop.wait(0.05):
                    connection.sendall(b"a")

        server = threading.Thread(target=serve, daemon=True)
        server.start()
        started = time.monotonic()
        with bounded_session(Bounds(100_000, 0.5, 1)) as session, pytest.raises(Unavailable, match="took longer"):
            session.get(f"http://127.0.0.1:{listening.getsockname()[1]}/")
        assert time.monotonic() - started < 3
        stop.set()
        server.join(5)


def test_one_feeds_failure_does_not_stop_the_others(hub: LocalHub, upstream: Upstream) -> None:
    upstream.answer = lambda path, _headers: (500, {}, b"") if path == "/bad" else (200, {}, b"evil.com\n")
    add(hub, "a-bad", f"{upstream.url}/bad")
    add(hub, "b-good", f"{upstream.url}/good")
    add(hub, "c-off", f"{upstream.url}/off", enabled=False)
    assert puller(hub).run_due() == 2
    assert puller(hub).run_due() == 0, "neither is due again"
    assert live_values(hub) == {"domain: evil.com"}
    assert "/off" not in upstream.asked


def stix(number: int, modified: str = "2026-01-01T00:00:00.000Z") -> dict[str, Any]:
    return {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--00000000-0000-4000-8000-{number:012d}",
        "created": "2026-01-01T00:00:00.000Z",
        "modified": modified,
        "pattern": f"[domain-name:value = 'evil-{number}.com']",
        "pattern_type": "stix",
        "valid_from": "2026-01-01T00:00:00Z",
    }


COLLECTION = {"id": "91a7b528-80eb-42ed-a74d-c6fbd5a26116", "title": "t", "can_read": True, "can_write": False}


@pytest.mark.parametrize("habit", ["good", "more-without-next", "same-next", "endless", "repeats"])
def test_taxii_21_servers_that_page_badly_neither_hang_nor_double(
    hub: LocalHub, upstream: Upstream, habit: str
) -> None:
    def answer(path: str, _headers: dict[str, str]) -> Answer:
        headers = {"Content-Type": TAXII, "X-TAXII-Date-Added-Last": "2026-02-01T00:00:00.000000Z"}
        if "objects" not in path:
            return 200, headers, json.dumps(COLLECTION).encode()
        page = len([asked for asked in upstream.asked if "objects" in asked])
        envelope: dict[str, Any] = {"objects": [stix(page), stix(0)], "more": True, "next": f"n{page}"}
        if habit == "good" and page == 3:
            envelope = {"objects": [stix(page)]}
        if habit == "more-without-next":
            del envelope["next"]
        if habit in ("same-next", "repeats"):
            envelope["next"] = "always"
        return 200, headers, json.dumps(envelope).encode()

    upstream.answer = answer
    add(hub, "taxii", f"{upstream.url}/api/collections/{COLLECTION['id']}/", protocol="taxii21", format="stix")
    done = run(hub, "taxii", Bounds(1_000_000, 5.0, 8))
    assert done.outcome == "done", done.message
    pages = len([asked for asked in upstream.asked if "objects" in asked])
    assert pages <= 8
    expected = {"good": 3, "more-without-next": 2, "same-next": 2, "endless": 8, "repeats": 2}
    assert pages == expected[habit]
    kept = hub.hub.database.select("SELECT stix_id FROM entry WHERE stix_id LIKE ?", ["indicator--00000000-%"])
    assert len(kept) == len(set(kept)) == pages + 1, "one of its own on each page, and one on all of them"


@pytest.mark.parametrize("habit", ["good", "no-dates", "small-ranges", "416", "no-ranges", "no-total", "stuck"])
def test_taxii_20_servers_are_read_to_their_end_whatever_their_ranges(
    hub: LocalHub, upstream: Upstream, habit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TAXII 2.0 section 3.4; each range lacks an object, as it does where a server leaves objects out."""
    monkeypatch.setattr(fetch, "LIMIT", 4)
    bundle = {"type": "bundle", "id": "bundle--91a7b528-80eb-42ed-a74d-c6fbd5a26116", "spec_version": "2.0"}
    there = [{**stix(n), "labels": ["malicious-activity"]} for n in range(9)]
    for one in there:
        del one["spec_version"], one["pattern_type"]
    added = "2026-02-01T00:00:00.000000Z"
    headers_seen: list[str] = []

    def answer(path: str, asked: dict[str, str]) -> Answer:
        headers = {"Content-Type": "application/vnd.oasis.stix+json; version=2.0"}
        if habit != "no-dates":
            headers["X-TAXII-Date-Added-Last"] = added
        if "added_after" in path:
            return 200, headers, json.dumps(bundle).encode()
        headers_seen.append(asked["Range"])
        start, end = (int(place) for place in asked["Range"].removeprefix("items").strip(" =").split("-"))
        end = min(end, start + 2) if habit == "small-ranges" else end
        if start >= len(there) and habit in ("416", "no-total"):
            return 416, headers, b""
        found = there[start : end + 1] if habit != "no-ranges" else there
        total = {"no-total": "*", "416": "100"}.get(habit, str(len(there)))
        last = 0 if habit == "stuck" else min(end, len(there) - 1)
        body = json.dumps({**bundle, "objects": found[1:]}).encode()
        if habit == "no-ranges":
            return 200, headers, body
        return 206, {**headers, "Content-Range": f"items {start}-{last}/{total}"}, body

    upstream.answer = answer
    add(hub, "up20", f"{upstream.url}/api/collections/by-alias/", protocol="taxii20", format="stix")
    before = clock.micros()
    done = run(hub, "up20", Bounds(1_000_000, 5.0, 8))
    assert done.outcome == "done", done.message
    expected = {"small-ranges": 3, "416": 5, "no-total": 5, "no-ranges": 1, "stuck": 2}.get(habit, 3)
    assert len(headers_seen) == expected, headers_seen
    kept = hub.hub.database.select("SELECT stix_id FROM entry WHERE stix_id LIKE ?", ["indicator--00000000-%"])
    left_out = {"small-ranges": 3, "no-ranges": 1}.get(habit, 3)
    assert len(kept) == (4 if habit == "stuck" else len(there) - left_out)
    upstream.asked.clear()
    assert run(hub, "up20", Bounds(1_000_000, 5.0, 8)).outcome == "unchanged"
    (path,) = upstream.asked
    since = unquote(path).partition("added_after=")[2]
    if habit == "no-dates":
        assert (
            clock.timestamp(before - 2 * clock.MINUTE) < since <= clock.timestamp(before - clock.MINUTE + clock.SECOND)
        )
    else:
        assert since == added, "when the server added them, not when they were written"


def test_a_misp_feed_is_read_by_its_manifest_and_missing_events_are_passed_over(
    hub: LocalHub, upstream: Upstream, shared_data: Path
) -> None:
    folder = shared_data / "infoblox" / "misp-feed"
    listed = json.loads((folder / "manifest.json").read_bytes())

    def answer(path: str, _headers: dict[str, str]) -> Answer:
        file = folder / path.rsplit("/", 1)[-1]
        return (200, {}, file.read_bytes()) if file.is_file() else (404, {}, b"")

    upstream.answer = answer
    add(hub, "misp", f"{upstream.url}/feed/", protocol="misp", format="misp")
    there = [uuid for uuid in listed if (folder / f"{uuid}.json").is_file()][:3]
    small = {uuid: listed[uuid] for uuid in [*there, *[u for u in listed if u not in there][:2]]}
    upstream.answer = lambda path, headers: (
        (200, {}, json.dumps(small).encode()) if path.endswith("manifest.json") else answer(path, headers)
    )
    first = run(hub, "misp")
    assert first.outcome == "done", first.message
    assert first.counts["new"] > 0
    upstream.asked.clear()
    again = run(hub, "misp")
    assert again.outcome == "unchanged", again.message
    assert not [path for path in upstream.asked if any(uuid in path for uuid in there)], "nothing is asked twice"


@pytest.mark.parametrize(
    ("protocol", "path"),
    [("taxii21", "/taxii2/plain/collections/shared/"), ("taxii20", "/taxii/root/collections/shared/")],
)
def test_a_hub_pulls_from_a_hub(
    hub: LocalHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protocol: str, path: str
) -> None:
    """Our own server is the upstream, its collection named by alias; a second pull brings nothing new."""
    with SQLite(tmp_path, "upstream").migrated() as url, serving(url, tmp_path / "up") as other:
        member = other.add_member("Puller", "bank", "amber", ["g"], ["reader", "contributor"])
        shared = "/taxii2/plain/collections/shared/objects/"
        assert other.add(shared, member, [stix(n) for n in range(1, 6)])["success_count"] == 5
        monkeypatch.setenv("PULLER_TOKEN", member.token)
        more = {"username": member.username, "secret_variable": "PULLER_TOKEN", "format": "stix"}
        add(hub, "up", f"{other.url}{path}", protocol=protocol, **more)
        first = run(hub, "up")
        assert first.outcome == "done", first.message
        assert {f"domain: evil-{n}.com" for n in range(1, 6)} <= live_values(hub)
        again = run(hub, "up")
        assert again.outcome == "unchanged", (again.message, again.counts)


@pytest.mark.parametrize(
    ("field", "value", "where"),
    [
        ("url", "ftp://x", "f.url"),
        ("format", "nope", "f.format"),
        ("every", "often", "f.every"),
        ("grade", "9Z", "f.grade"),
        ("tlp", "purple", None),
        ("colour", "red", "f.colour"),
    ],
)
def test_a_wrongly_configured_feed_is_refused_by_field(
    sqlite: Any, tmp_path: Path, field: str, value: str, where: str | None
) -> None:
    with sqlite.migrated() as url, local(url, tmp_path / "d") as made, pytest.raises(InvalidInput) as caught:
        add(made, "f", **{"url": "https://feed.example/list", field: value})
    assert where is None or caught.value.where == where


def test_names_are_unique_and_must_be_known(sqlite: Any, tmp_path: Path) -> None:
    with sqlite.migrated() as url, local(url, tmp_path / "d") as made:
        add(made, "f", "https://feed.example/list")
        with pytest.raises(Conflict):
            add(made, "f", "https://feed.example/list")
        with pytest.raises(NotFound):
            run(made, "nope")


MISP_EVENT = (
    b'{"Event": {"info": "one", "date": "2026-10-01", "Tag": [{"name": "tlp:%s"}], "Attribute":'
    b' [{"type": "domain", "value": "%s", "to_ids": true}]}}'
)


def labels(hub: LocalHub) -> dict[str, str]:
    """Name of each live indicator -> the id of its marking."""
    rows = hub.hub.database.select(
        "SELECT e.body FROM entry e WHERE e.latest = 1 AND e.stix_id LIKE ?", ["indicator--%"]
    )
    objects = [json.loads(bytes(body)) for (body,) in rows]
    return {one["name"].partition(": ")[2]: one["object_marking_refs"][0] for one in objects if "name" in one}


def test_a_label_is_narrowed_to_the_ceiling(hub: LocalHub, upstream: Upstream) -> None:
    upstream.answer = lambda path, _headers: (200, {}, MISP_EVENT % tuple(path.encode()[1:].split(b"/")[:2]))
    for own, name in (("clear", "evil-a.com"), ("amber", "evil-b.com")):
        add(hub, own, f"{upstream.url}/{own}/{name}/e.json", format="misp", tlp="amber", tlp_ceiling="green")
        assert run(hub, own).outcome == "done"
    assert labels(hub) == {"evil-a.com": Tlp.GREEN.marking_id, "evil-b.com": Tlp.AMBER.marking_id}


def test_the_strictest_holds_unless_its_source_allows_more_in_writing(hub: LocalHub, upstream: Upstream) -> None:
    named = b"evil-a.com"
    upstream.answer = lambda path, _headers: (200, {}, named if "strict" in path else b"evil-a.com\nevil-b.com")
    add(hub, "open", f"{upstream.url}/open", tlp="green")
    add(hub, "strict", f"{upstream.url}/strict", tlp="amber")
    run(hub, "open"), run(hub, "strict")
    assert labels(hub)["evil-a.com"] == Tlp.AMBER.marking_id
    with hub.hub.database.unit_of_work() as session:
        catalogue.change(session, "strict", {"allows_wider": "letter of 2026-02-03"}, "person-1", "agreed")
    named = b"evil-b.com"
    run(hub, "strict")
    assert labels(hub)["evil-b.com"] == Tlp.GREEN.marking_id


def test_a_change_is_checked_and_recorded(hub: LocalHub, upstream: Upstream) -> None:
    add(hub, "list", f"{upstream.url}/a")
    with hub.hub.database.unit_of_work() as session:
        catalogue.find(session, "list").state = {"etag": "one"}
        changed = catalogue.change(session, "list", {"every": "2d", "tlp": "amber"}, "person-1", "agreed")
        assert (changed.every_seconds, changed.tlp, changed.tlp_ceiling) == (172_800, Tlp.AMBER, Tlp.AMBER)
        assert changed.state == {}, "it is read anew under its new label"
    for wrong in ({"tlp_ceiling": "red"}, {"every": "soon"}, {"name": "other"}, {"colour": "blue"}, {"tlp": "red"}):
        with pytest.raises(InvalidInput), hub.hub.database.unit_of_work() as session:
            catalogue.change(session, "list", wrong, "person-1")
    [(detail,)] = hub.hub.database.select("SELECT detail FROM audit_event WHERE action = 'feed:change'")
    said = json.loads(detail)
    assert (said["before"]["every"], said["after"]["every"], said["why"]) == ("1h", "2d", "agreed")
