"""A Redis of the tests' own, on a free port of the loopback, that keeps nothing."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from tests.needs import program

STARTS_WITHIN = 20.0


@contextmanager
def redis_server(folder: Path) -> Iterator[redis.Redis]:
    """A client of a server that runs until the block ends."""
    # Debian's redis-tools names the server's program after the least of its jobs; it goes by the name it is called.
    path = shutil.which("redis-server") or program("redis-check-rdb", "a Redis")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with (folder / "redis.log").open("wb") as log:
        server = subprocess.Popen(command, executable=path, stdout=log, stderr=log)
    client = redis.Redis(port=port, socket_timeout=5)
    try:
        _wait_for(client, server)
        yield client
    finally:
        client.close()
        server.terminate()
        server.wait(STARTS_WITHIN)


def _wait_for(client: redis.Redis, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + STARTS_WITHIN
    while True:
        try:
            client.ping()
        except redis.ConnectionError:
            if server.poll() is not None or time.monotonic() > until:
                raise
            time.sleep(0.02)
        else:
            return
