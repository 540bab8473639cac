"""What a list without times still holds stays alive, in few versions; what vanishes from it runs out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from hub import clock
from hub.cli import commands
from hub.factory import housekeeping
from hub.feeds import catalogue
from hub.feeds.pull.transport import Bounds
from hub.feeds.records import FeedRun
from hub.feeds.schedule import Puller
from hub.members import membership
from hub.stix.values import Kind
from hub.stix.values.validity import VALID_DAYS
from tests.live import LocalHub, local
from tests.operations import tell
from tests.upstream import Answer, Upstream, upstream_server

HOUR = clock.HOUR
BEGUN = 1_780_000_000_123_456
URL = "http://evil-a.com/pay"
FRESH = 48


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with upstream_server() as made:
        yield made


@pytest.fixture
def hub(database_url: str, tmp_path: Path) -> Iterator[LocalHub]:
    with clock.as_of(BEGUN - HOUR), local(database_url, tmp_path / "data") as made:
        yield made


def lists(upstream: Upstream, *values: str) -> None:
    """A server that says that nothing has changed, as long as that is so."""
    body = "\n".join(values).encode()
    tag = f'"{hash(body)}"'

    def answer(_path: str, headers: dict[str, str]) -> Answer:
        return (304, {}, b"") if headers.get("If-None-Match") == tag else (200, {"ETag": tag}, body)

    upstream.answer = answer


def add(hub: LocalHub, upstream: Upstream, **more: Any) -> None:
    entry = {"name": "list", "protocol": "http", "url": f"{upstream.url}/list.txt", "tlp": "green", "every": "1h"}
    with hub.hub.database.unit_of_work() as session:
        catalogue.add(session, {**entry, "licence": "CC0", "format": "list", **more})


def pull(hub: LocalHub, hours: float) -> FeedRun:
    """A run so long after the beginning, and the hub's hourly work."""
    with clock.as_of(BEGUN + int(hours * HOUR)):
        run = Puller(hub.hub.intake(), Bounds(1_000_000, 5.0, 50), membership.group_ids).run("list")
        housekeeping.run_all(hub.hub, (housekeeping.faded,))
    assert run.outcome != "failed", run.message
    return run


def versions(hub: LocalHub, value: str) -> list[dict[str, Any]]:
    rows = hub.hub.database.select("SELECT body FROM entry WHERE stix_id LIKE ? ORDER BY seq", ["indicator--%"])
    found = [json.loads(bytes(body)) for (body,) in rows]
    return [one for one in found if one["name"].endswith(f": {value}"[:250])]


def until(version: dict[str, Any]) -> float:
    """``valid_until`` in hours after the beginning."""
    instant = datetime.fromisoformat(version["valid_until"])
    return (int(instant.timestamp() * 1_000_000) - BEGUN) / HOUR


@pytest.mark.parametrize("answers", ["not-modified", "same-bytes", "changed"])
def test_what_is_listed_stays_alive_in_few_versions(hub: LocalHub, upstream: Upstream, answers: str) -> None:
    add(hub, upstream)
    validity = VALID_DAYS[Kind.URL] * 24
    for hours in range(0, 2 * validity, 8):
        others = [f"evil-{hours}.com"] if answers == "changed" else []
        lists(upstream, URL, *others)
        if answers == "same-bytes":
            upstream.answer = lambda _path, _headers: (200, {}, URL.encode())
        pull(hub, hours)
        newest = versions(hub, URL)[-1]
        assert until(newest) > hours + validity * 3 / 4 - 0.1, "it never comes near its end"
        assert newest["confidence"] == FRESH, "nor does it fade"
    assert len(versions(hub, URL)) <= 2 * 4 + 1


def test_nothing_is_written_before_it_is_due(hub: LocalHub, upstream: Upstream) -> None:
    add(hub, upstream)
    lists(upstream, URL, "evil-b.com")
    assert pull(hub, 0).counts["renewed"] == 0
    assert [pull(hub, hours).counts["renewed"] for hours in (1, 41, 43, 44)] == [0, 0, 1, 0]
    assert len(versions(hub, "evil-b.com")) == 1, "a domain holds for longer"
    assert pull(hub, 90 * 6 + 1).counts["renewed"] == 2
    assert len(versions(hub, "evil-b.com")) == 2
    [(seen,)] = hub.hub.database.select("SELECT count(*) FROM audit_event WHERE action = 'indicator:renew'")
    assert seen == 2


def test_what_vanishes_runs_out_and_what_comes_back_lives_on(hub: LocalHub, upstream: Upstream) -> None:
    add(hub, upstream)
    lists(upstream, URL, "evil-b.com")
    pull(hub, 0)
    pull(hub, 43)
    lists(upstream, "evil-b.com")
    assert pull(hub, 44).counts["gone"] == 1
    for hours in range(50, 50 + 8 * 24, 24):
        pull(hub, hours)
    gone = versions(hub, URL)
    assert abs(until(gone[-1]) - (43 + 7 * 24)) < 0.1, "a validity after it was last seen"
    assert (gone[-1]["confidence"] < FRESH, len(gone)) == (True, 3), "it has faded to Low, once"
    lists(upstream, URL, "evil-b.com")
    pull(hub, 300)
    back = versions(hub, URL)[-1]
    assert (round(until(back)), back["confidence"]) == (300 + 7 * 24, FRESH)


def test_what_a_halved_feed_lacks_is_neither_taken_back_nor_seen(hub: LocalHub, upstream: Upstream) -> None:
    add(hub, upstream, gone="revoke")
    lists(upstream, URL, "http://evil-c.com/x", "http://evil-d.com/x")
    pull(hub, 0)
    lists(upstream, URL)
    for hours in (43, 44):  # the second time, the file is the same as the last
        with clock.as_of(BEGUN + hours * HOUR):
            Puller(hub.hub.intake(), Bounds(1_000_000, 5.0, 50), membership.group_ids).run("list")
    assert (len(versions(hub, URL)), len(versions(hub, "http://evil-c.com/x"))) == (2, 1)


def test_one_that_comes_and_goes_writes_no_versions(hub: LocalHub, upstream: Upstream) -> None:
    add(hub, upstream)
    for hours in range(0, 40, 4):
        lists(upstream, "evil-b.com", *([URL] if hours % 8 == 0 else []))
        pull(hub, hours)
    assert len(versions(hub, URL)) == 1


def test_a_feed_that_states_times_or_is_told_so_ages(hub: LocalHub, upstream: Upstream) -> None:
    add(hub, upstream, listed_is_seen=False)
    lists(upstream, URL)
    for hours in range(0, 100, 10):
        pull(hub, hours)
    newest = versions(hub, URL)[-1]
    assert (abs(until(newest) - 7 * 24) < 0.1, newest["confidence"] < FRESH) == (True, True)
    with hub.hub.database.unit_of_work() as session:
        catalogue.change(session, "list", {"listed_is_seen": True, "format": "csv"}, "person-1")
    day = clock.timestamp(BEGUN)[:19] + "Z"
    lists(upstream, "url,last_seen", f"http://dated.com/x,{day}")
    for hours in range(100, 150, 10):
        pull(hub, hours)
    assert abs(until(versions(hub, "http://dated.com/x")[-1]) - 7 * 24) < 0.1, "its row says when it was seen"


def test_a_feed_that_fails_says_nothing(hub: LocalHub, upstream: Upstream) -> None:
    add(hub, upstream)
    lists(upstream, URL)
    pull(hub, 0)
    upstream.answer = lambda _path, _headers: (500, {}, b"")
    for hours in range(6, 24 * 8, 48):
        with pytest.raises(AssertionError, match="500"):
            pull(hub, hours)
    assert abs(until(versions(hub, URL)[-1]) - 7 * 24) < 0.1


def test_a_file_imported_again_changes_nothing_until_it_is_due(hub: LocalHub) -> None:
    def entries() -> int:
        [(count,)] = hub.hub.database.select("SELECT count(*) FROM entry")
        return int(count)

    counts = []
    for hours in (0, 1, 41, 43, 44):
        with clock.as_of(BEGUN + hours * HOUR):
            tell(hub, "http://other.com/x\n", "import")
            tell(hub, f"{URL}\n", "import")
            counts.append(entries())
            tell(hub, f"{URL}\n", "import")
            assert entries() == counts[-1], "the same file at once again"
    assert counts[0] == counts[1] == counts[2] == counts[3] - 2 == counts[4] - 2
    assert round(until(versions(hub, URL)[-1])) == 43 + 7 * 24


def test_of_two_files_of_one_source_only_what_is_in_the_one_counts(hub: LocalHub) -> None:
    with clock.as_of(BEGUN):
        tell(hub, "http://other.com/x\n", "import")
        tell(hub, f"{URL}\n", "import")
    with clock.as_of(BEGUN + 50 * HOUR):
        tell(hub, f"{URL}\n", "import")
    assert (len(versions(hub, URL)), len(versions(hub, "http://other.com/x"))) == (2, 1)


def test_the_command_takes_it(hub: LocalHub, upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.cli.feed.open_hub", lambda: hub.hub)
    asked = [
        "feed",
        "add",
        "plain",
        "--url",
        f"{upstream.url}/l",
        "--tlp",
        "green",
        "--every",
        "1h",
        "--licence",
        "CC0",
    ]
    for more, expected in ((["--listed-is-not-seen"], False), ([], True)):
        asked[2] = f"plain-{expected}".lower()
        assert CliRunner().invoke(commands, [*asked, *more]).exit_code == 0
        with hub.hub.database.reading() as session:
            assert catalogue.find(session, asked[2]).listed_is_seen is expected
    changed = CliRunner().invoke(commands, ["feed", "change", "plain-true", "listed_is_seen=false"])
    assert changed.exit_code == 0, changed.output
    with hub.hub.database.reading() as session:
        assert catalogue.find(session, "plain-true").listed_is_seen is False
