"""Servers under measurement, each a process group of its own on a free port of the loopback."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60
STOP_SECONDS = 30


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(command: list[str], port: int, environment: Mapping[str, str], log: Path) -> Iterator[int]:
    """Run ``command`` until the block ends; gives its process id once ``port`` answers."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            env={**os.environ, **environment},
            cwd=ROOT,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        _wait_for(port, process, log)
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextmanager
def hub_server(data: Path, database_url: str, log: Path, *arguments: str, **settings: str) -> Iterator[int]:
    """``hub serve`` with its defaults but for ``settings`` (HUB_SECTION__NAME); gives the port."""
    port = free_port()
    command = [sys.executable, "-m", "hub.cli", "serve", "--bind", f"127.0.0.1:{port}", *arguments]
    environment = {
        "HUB_DATA_DIR": str(data),
        "HUB_DATABASE_URL": database_url,
        "HUB_LIMITS__ENABLED": "false",
        "HUB_INTAKE__RESERVED": "publish",
        "HUB_LOG__LEVEL": "warning",
        **settings,
    }
    with running(command, port, environment, log):
        yield port


@contextmanager
def bare_server(bodies: Path, log: Path) -> Iterator[int]:
    """A bare Flask application under the same granian: a view for each file of ``bodies``; gives the port."""
    port = free_port()
    command = [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--factory", "--host", "127.0.0.1",
        "--port", str(port), "--workers", "1", "--blocking-threads", "4", "--backlog", "1024",
        "--no-access-log", "--log-level", "warning", "bench.bare:create_app",
    ]  # fmt: skip
    with running(command, port, {"BENCH_BODIES": str(bodies)}, log):
        yield port


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as probe:
                probe.sendall(b"GET / HTTP/1.0\r\n\r\n")
                if probe.recv(1):
                    return
        except OSError:
            pass
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the server did not start:\n{log.read_text(errors='replace')[-3000:]}")
        time.sleep(0.05)
