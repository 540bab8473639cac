"""Rate limits: by member, by address for those who fail to show who they are, here or in a Redis."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest
import time_machine

from hub.errors import TooMany
from hub.settings import Limits
from hub.web.limits import MOST_KEYS, Memory, RateLimits, Redis
from tests.engines import SQLite
from tests.live import TAXII_21, LocalHub, local

NOON = "2026-03-01T12:00:20Z"
MINUTE = 60


@contextmanager
def _limited(sqlite: SQLite, folder: Path, **limits: Any) -> Iterator[LocalHub]:
    with sqlite.migrated() as url, local(url, folder, limits=limits) as hub:
        yield hub


def test_each_member_has_its_own_minute(sqlite: SQLite, tmp_path: Path) -> None:
    with _limited(sqlite, tmp_path, requests_per_minute=5) as hub, time_machine.travel(NOON, tick=False) as clock:
        one, two = hub.add_member("One"), hub.add_member("Two", roles=["contributor"])
        for _ in range(5):
            assert hub.get("/taxii2/", one).status_code == 200
        refused = hub.get("/taxii2/", one)
        assert refused.status_code == 429
        assert refused.headers["Retry-After"] == "40"
        assert refused.content_type == TAXII_21
        assert refused.get_json(force=True)["http_status"] == "429"
        assert hub.get("/taxii2/", two).status_code == 200
        clock.shift(39)
        assert hub.get("/taxii2/plain/", one).headers["Retry-After"] == "1"
        clock.shift(1)
        assert hub.get("/taxii2/", one).status_code == 200
        for _ in range(5):
            problem = hub.request("POST", "/api/v1/reports", two, json={})
        problem = hub.request("POST", "/api/v1/reports", two, json={})
        assert problem.status_code == 429
        assert problem.content_type == "application/problem+json"
        assert problem.headers["Retry-After"] == "60"
        assert hub.get("/healthz").status_code == 200, "public answers are not counted"


def test_failures_count_by_address_and_harm_no_member(sqlite: SQLite, tmp_path: Path) -> None:
    with _limited(sqlite, tmp_path, requests_per_minute=3) as hub, time_machine.travel(NOON, tick=False):
        member = hub.add_member("One")
        for expected in (401, 401, 401, 429):
            assert hub.get("/taxii2/", headers={"Authorization": "Bearer wrong"}).status_code == expected
        elsewhere = {"environ_overrides": {"REMOTE_ADDR": "192.0.2.7"}}
        assert hub.get("/taxii2/", **elsewhere).status_code == 401
        assert hub.get("/taxii2/", member).status_code == 200, "the same address, with a good credential"


def test_limits_can_be_turned_off(sqlite: SQLite, tmp_path: Path) -> None:
    with _limited(sqlite, tmp_path, enabled=False, requests_per_minute=1) as hub:
        member = hub.add_member("One")
        assert {hub.get("/taxii2/", member).status_code for _ in range(5)} == {200}


def test_memory_is_bounded_and_starts_anew() -> None:
    counter = Memory()
    for number in range(MOST_KEYS + 10):
        counter.increase(str(number), 1)
    assert len(counter._counts) == MOST_KEYS + 1
    assert counter.increase("another", 1) == 11
    assert counter.increase("another", 2) == 1
    assert len(counter._counts) == 1


def test_threads_lose_no_count() -> None:
    counter = Memory()
    threads = [threading.Thread(target=lambda: [counter.increase("one", 1) for _ in range(5000)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counter.increase("one", 1) == 20_001


class _RedisStandIn(socketserver.StreamRequestHandler):
    """As much of Redis as counting needs: INCR and EXPIRE; every other command is fine."""

    counts: ClassVar[dict[bytes, int]] = {}
    expiries: ClassVar[dict[bytes, int]] = {}

    def handle(self) -> None:
        while line := self.rfile.readline():
            words = []
            for _ in range(int(line[1:])):
                size = int(self.rfile.readline()[1:])
                words.append(self.rfile.read(size + 2)[:-2])
            self.wfile.write(self._answer([words[0].upper(), *words[1:]]))

    def _answer(self, words: list[bytes]) -> bytes:
        match words:
            case [b"INCR" | b"INCRBY", name, *_]:
                self.counts[name] = self.counts.get(name, 0) + 1
                return b":%d\r\n" % self.counts[name]
            case [b"EXPIRE", name, seconds, *_]:
                self.expiries[name] = int(seconds)
                return b":1\r\n"
            case [b"HELLO", *_]:
                return b"-ERR unknown command\r\n"
        return b"+OK\r\n"


@pytest.fixture
def redis_url() -> Iterator[str]:
    _RedisStandIn.counts.clear()
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _RedisStandIn) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"redis://127.0.0.1:{server.server_address[1]}/0"
        server.shutdown()


def test_processes_share_a_redis(redis_url: str) -> None:
    settings = Limits(enabled=True, requests_per_minute=4, storage=redis_url)
    one, two = RateLimits(settings), RateLimits(settings)
    with time_machine.travel(NOON, tick=False):
        for _ in range(2):
            one.count_member("m")
            two.count_member("m")
        with pytest.raises(TooMany):
            one.count_member("m")
        two.count_member("another")
    assert all(seconds >= MINUTE for seconds in _RedisStandIn.expiries.values())
    for limits in (one, two):
        limits.close()


def test_without_redis_each_process_counts_for_itself() -> None:
    counter = Redis("redis://127.0.0.1:1/0")
    assert [counter.increase("m", 1) for _ in range(3)] == [1, 2, 3]
    counter.close()
