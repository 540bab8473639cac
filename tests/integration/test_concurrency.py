"""Many writers and readers at once: nothing is lost, nothing comes twice, and the order is one and the same."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import select

from hub.ledger import collections
from hub.ledger.append import draft
from hub.ledger.classes import Audience
from hub.ledger.collections import by_alias
from hub.ledger.records import Entry
from hub.stix.tlp import Tlp
from tests.engines import DatabaseEngine
from tests.live import LiveHub, TestMember, serving
from tests.objects import indicator, malware

# What a slow machine may take; a test that works takes a few seconds.
SECONDS = 50
SMALL_PAGE = 17
POLLED_EVERY = 0.02
REVOKED_AT = "2025-01-01T00:00:00.000Z"
# Sizes of the batches of one writer: one object, a few, and more than a page.
SIZES = (1, 30, 2, 12)
Versioned = tuple[str, str]


class Follower:
    """A reader that follows a collection until ``expected`` versions have come, and once more."""

    def __init__(self, hub: LiveHub, member: TestMember, alias: str, expected: int, *, by_next: bool) -> None:
        self._url = f"{hub.url}/taxii2/signed/collections/{alias}/objects/"
        self._session = requests.Session()
        self._session.auth = member.auth
        self._expected = expected
        self._by_next = by_next
        self.seen: list[Versioned] = []

    def run(self) -> list[Versioned]:
        """Read to the end."""
        position: dict[str, str] = {}
        until = time.monotonic() + SECONDS
        while len(self.seen) < self._expected:
            assert time.monotonic() < until, f"{len(self.seen)} of {self._expected} have come"
            position = self._round(position)
        self._round(position)
        self._session.close()
        return self.seen

    def _round(self, position: dict[str, str]) -> dict[str, str]:
        """Read until there is no more for now; gives where to go on."""
        asked = position
        while True:
            answer = self._session.get(
                self._url, params={"limit": str(SMALL_PAGE), "match[version]": "all", **asked}, timeout=SECONDS
            )
            assert answer.status_code == 200, answer.text
            envelope = answer.json()
            self.seen += [(obj["id"], obj["modified"]) for obj in envelope.get("objects", ())]
            if "X-TAXII-Date-Added-Last" in answer.headers:
                position = {"added_after": answer.headers["X-TAXII-Date-Added-Last"]}
            if not envelope.get("more"):
                time.sleep(POLLED_EVERY)
                return position
            asked = {"next": envelope["next"]} if self._by_next else position


@pytest.fixture(scope="module")
def busy_hub(live_hub: LiveHub) -> Iterator[LiveHub]:
    """The hub with a second intake worker beside its own."""
    settings = live_hub.settings
    environment = {
        "HUB_DATABASE_URL": settings.database_location,
        "HUB_DATA_DIR": str(settings.data_dir),
        "HUB_BASE_URL": settings.base_url,
        "HUB_INTAKE__RESERVED": "publish",
    }
    with (settings.data_dir / "second-worker.log").open("wb") as log:
        worker = subprocess.Popen([sys.executable, "-m", "hub.cli", "worker"], env=environment, stdout=log, stderr=log)
    yield live_hub
    ended = worker.poll()
    worker.terminate()
    worker.wait(SECONDS)
    assert ended is None, (settings.data_dir / "second-worker.log").read_text()


def posting(hub: LiveHub, member: TestMember, alias: str, batches: Sequence[Sequence[Any]]) -> None:
    """POST batch after batch, and wait until each is done."""
    url = f"/taxii2/signed/collections/{alias}/objects/"
    locations = []
    for batch in batches:
        answer = hub.post(url, member, batch)
        assert answer.status_code == 202, answer.text
        locations.append(answer.headers["Location"])
    for location, batch in zip(locations, batches, strict=True):
        status = hub.wait_done(location, member, SECONDS)
        assert (status["success_count"], status["failure_count"]) == (len(batch), 0), status


def appending(hub: LiveHub, alias: str, batches: Sequence[Sequence[Any]]) -> None:
    """Append to the log directly, as other processes of the hub do, each transaction left open for a while."""
    with hub.hub.database.reading() as session:
        found = by_alias(session, alias)
        assert found is not None
    for batch in batches:
        with hub.hub.database.unit_of_work() as session:
            source = hub.hub.own_source(session).of_ledger
            drafts = [draft(obj, found.no, Audience(Tlp.GREEN), source) for obj in batch]
            hub.hub.log.append(session, drafts)
            time.sleep(0.003)  # a commit that comes late must not be overtaken by a later number


def joining(hub: LiveHub) -> None:
    """What changes members takes the same locks as what appends, and must not stop it."""
    for n in range(6):
        hub.add_member(f"Joins {n}", groups=["g"])


def batches_of(name: str, make: Callable[[str], dict[str, Any]], sizes: Sequence[int] = SIZES) -> list[list[Any]]:
    return [[make(f"{name} {turn} {n}") for n in range(size)] for turn, size in enumerate(sizes)]


def versions_of(batches: Sequence[Sequence[Any]]) -> list[Versioned]:
    return [(obj["id"], obj["modified"]) for batch in batches for obj in batch]


def in_the_log(hub: LiveHub, alias: str) -> list[Versioned]:
    """What the collection holds besides the hub's own vocabulary, in the order of the log."""
    with hub.hub.database.reading() as session:
        found = by_alias(session, alias)
        assert found is not None
        entries = select(Entry.stix_id, Entry.version).where(Entry.collection_no == found.no).order_by(Entry.seq)
        return [(row.stix_id, row.version) for row in session.execute(entries)]


def run_all(writers: Sequence[Callable[[], None]], readers: Sequence[Follower]) -> list[list[Versioned]]:
    """Start them together; what the readers saw."""
    gate = threading.Barrier(len(writers) + len(readers))

    def started(work: Callable[[], Any]) -> Any:
        gate.wait()
        return work()

    with ThreadPoolExecutor(len(writers) + len(readers)) as pool:
        reading: list[Future[Any]] = [pool.submit(started, reader.run) for reader in readers]
        writing = [pool.submit(started, writer) for writer in writers]
        for future in writing:
            future.result()
        return [future.result() for future in reading]


def collection_for(hub: LiveHub, alias: str) -> None:
    """A collection without the hub's vocabulary in it."""
    with hub.hub.database.unit_of_work() as session:
        collections.add(session, alias, alias, read=["members"], write=["role:contributor"], default_tlp=Tlp.GREEN)


def each_exactly_once(hub: LiveHub, alias: str, written: list[Versioned], read: list[list[Versioned]]) -> None:
    assert [version for version, count in Counter(written).items() if count > 1] == []
    log = in_the_log(hub, alias)
    assert Counter(log) == Counter(written)
    for seen in read:
        assert seen == log


def test_four_writers_and_two_readers(busy_hub: LiveHub) -> None:
    """Two writers post over HTTP, two append beside them; new members join meanwhile."""
    live_hub, alias = busy_hub, "four"
    collection_for(live_hub, alias)
    posters = [live_hub.add_member(f"Poster {n}", groups=["g"], roles=["contributor"]) for n in range(2)]
    reader = live_hub.add_member("Reader of four")
    posted = [batches_of(f"posted {n}", indicator if n else malware) for n in range(2)]
    appended = [batches_of(f"appended {n}", malware) for n in range(2)]
    written = versions_of([*posted[0], *posted[1], *appended[0], *appended[1]])
    followers = [Follower(live_hub, reader, alias, len(written), by_next=by_next) for by_next in (True, False)]
    writers: list[Callable[[], None]] = [
        *(
            lambda member=member, batches=batches: posting(live_hub, member, alias, batches)
            for member, batches in zip(posters, posted, strict=True)
        ),
        *(lambda batches=batches: appending(live_hub, alias, batches) for batches in appended),
        lambda: joining(live_hub),
    ]
    read = run_all(writers, followers)
    each_exactly_once(live_hub, alias, written, read)


def eight_writers(hub: LiveHub, alias: str) -> None:
    """Each posts objects of its own and then revokes every second one."""
    collection_for(hub, alias)
    members = [hub.add_member(f"{alias} {n}", groups=["g"], roles=["contributor"]) for n in range(8)]
    reader = hub.add_member(f"Reader of {alias}")
    plans = []
    for n in range(8):
        added = batches_of(f"{alias} {n}", malware, SIZES[: 2 + n % 3])
        objects = [obj for batch in added for obj in batch]
        revoked = [{**obj, "modified": REVOKED_AT, "revoked": True} for obj in objects[::2]]
        plans.append([*added, revoked[:1], revoked[1:]])
    written = versions_of([batch for plan in plans for batch in plan])
    followers = [Follower(hub, reader, alias, len(written), by_next=by_next) for by_next in (True, False)]
    writers: list[Callable[[], None]] = [
        lambda member=member, plan=plan: posting(hub, member, alias, plan)
        for member, plan in zip(members, plans, strict=True)
    ]
    read = run_all(writers, followers)
    each_exactly_once(hub, alias, written, read)
    revoked_ids = {stix_id for stix_id, modified in written if modified == REVOKED_AT}
    answer = hub.get(f"/taxii2/plain/collections/{alias}/objects/", reader, params={"limit": "10000"})
    latest = answer.json()["objects"]
    assert {obj["id"] for obj in latest if obj.get("revoked")} == revoked_ids
    assert len(latest) == len(written) - len(revoked_ids)


def test_eight_writers_with_revocations(busy_hub: LiveHub) -> None:
    eight_writers(busy_hub, "eight")


def test_eight_writers_and_four_web_processes(postgresql: DatabaseEngine, tmp_path: Path) -> None:
    with postgresql.migrated() as url, serving(url, tmp_path / "data", workers=4) as hub:
        eight_writers(hub, "eight-by-four")


@pytest.mark.parametrize("added_at_once", [3, 200])
def test_a_reader_never_meets_an_entry_before_an_earlier_one(live_hub: LiveHub, added_at_once: int) -> None:
    """While a transaction that took its numbers is still open, nobody sees any later one."""
    alias = f"open-{added_at_once}"
    collection_for(live_hub, alias)
    reader = live_hub.add_member(f"Reader of {alias}")
    objects = [malware(f"{alias} {n}") for n in range(added_at_once + 1)]
    hub = live_hub.hub
    with hub.database.reading() as session:
        found = by_alias(session, alias)
        assert found is not None
    second = threading.Thread(target=appending, args=(live_hub, alias, [objects[-1:]]))
    with hub.database.unit_of_work() as session:
        source = hub.own_source(session).of_ledger
        hub.log.append(session, [draft(obj, found.no, Audience(Tlp.GREEN), source) for obj in objects[:-1]])
        second.start()
        second.join(0.2)
        assert second.is_alive()
        path = f"/taxii2/signed/collections/{alias}/objects/"
        assert live_hub.get(path, reader).json() == {}
    second.join(SECONDS)
    given = [obj["id"] for obj in live_hub.get(path, reader, params={"limit": "500"}).json()["objects"]]
    assert given == [obj["id"] for obj in objects]
