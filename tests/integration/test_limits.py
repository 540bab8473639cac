"""Rate limits: by member, by address for those who fail to show who they are, here or in a Redis."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
import time_machine

from hub.errors import TooMany
from hub.settings import Limits
from hub.web.limits import MOST_KEYS, Memory, RateLimits, Redis
from tests.engines import SQLite
from tests.live import TAXII_21, LocalHub, local
from tests.redis_server import redis_server

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


@pytest.fixture(scope="module")
def shared_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[redis.Redis]:
    with redis_server(tmp_path_factory.mktemp("redis")) as client:
        yield client


def _url(client: redis.Redis) -> str:
    return f"redis://127.0.0.1:{client.get_connection_kwargs()['port']}/0"


def test_processes_share_a_redis(shared_redis: redis.Redis) -> None:
    settings = Limits(enabled=True, requests_per_minute=4, storage=_url(shared_redis))
    one, two = RateLimits(settings), RateLimits(settings)
    with time_machine.travel(NOON, tick=False):
        for _ in range(2):
            one.count_member("m")
            two.count_member("m")
        with pytest.raises(TooMany):
            one.count_member("m")
        two.count_member("another")
    kept = shared_redis.keys("hub:limit:*")
    assert len(kept) == 2
    assert all(MINUTE <= shared_redis.ttl(name) <= 2 * MINUTE for name in kept), "counts go by themselves"
    for limits in (one, two):
        limits.close()


def test_two_hubs_share_one_limit(sqlite: SQLite, tmp_path: Path, shared_redis: redis.Redis) -> None:
    limits = {"requests_per_minute": 5, "storage": _url(shared_redis)}
    with (
        sqlite.migrated() as url,
        local(url, tmp_path, limits=limits) as one,
        local(url, tmp_path, limits=limits) as two,
    ):
        member = one.add_member("One")
        with time_machine.travel("2026-03-01T12:05:20Z", tick=False):
            asked = [(one, two)[turn % 2].get("/taxii2/", member) for turn in range(6)]
            assert [answer.status_code for answer in asked] == [200] * 5 + [429]
            assert asked[-1].headers["Retry-After"] == "40"


def test_a_redis_that_ends_stops_nobody(tmp_path: Path) -> None:
    with redis_server(tmp_path) as client:
        counter = Redis(_url(client))
        assert [counter.increase("m", 1) for _ in range(3)] == [1, 2, 3]
        client.shutdown(nosave=True)
        assert [counter.increase("m", 1) for _ in range(3)] == [1, 2, 3], "from here on this process counts"
        counter.close()


def test_without_redis_each_process_counts_for_itself() -> None:
    counter = Redis("redis://127.0.0.1:1/0")
    assert [counter.increase("m", 1) for _ in range(3)] == [1, 2, 3]
    counter.close()
