"""A process dies in the middle: nothing is lost, nothing is done twice, and nothing stays behind."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from hub.cli.imports import summary
from hub.db import Database
from hub.factory import assemble, prepare
from hub.feeds import inbox
from hub.feeds.records import Submission
from hub.settings import load
from tests.commands import Commands
from tests.live import free_port, wait_for

ROWS, HOSTS = 3_000, 2_700
LEASE = "0.5"


@pytest.fixture(scope="module")
def large_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Distinct values, repeats, rows to refuse and to hold."""
    path = tmp_path_factory.mktemp("large") / "large.csv"
    rows = ["type,indicator,classification"]
    for number in range(ROWS):
        value = f"host{number % HOSTS}.crash-test.com" if number % 100 else ("10.1.2.3", "no value")[number // 100 % 2]
        rows.append(f"{'ipv4' if value[0] == '1' else 'domain'},{value},scam")
    path.write_text("\n".join(rows) + "\n")
    return path


def hub_at(url: str, folder: Path, **more: str) -> Commands:
    environment = {"HUB_INTAKE__LEASE_SECONDS": LEASE, "HUB_INTAKE__BATCH": "200", "HUB_LOG__LEVEL": "info", **more}
    commands = Commands(url, folder, **environment)
    hub = assemble(load(database_url=url, data_dir=folder, base_url=more.get("HUB_BASE_URL", "http://127.0.0.1:8080")))
    prepare(hub)
    hub.database.close()
    return commands


@contextmanager
def looking(url: str) -> Iterator[Database]:
    database = Database(url)
    try:
        yield database
    finally:
        database.close()


def progress(url: str) -> tuple[str, int]:
    """(state, done) of the one submission there is; ("", 0) before."""
    with looking(url) as database:
        return progress_in(database)


def progress_in(database: Database) -> tuple[str, int]:
    state, done = next(iter(database.select("SELECT state, done FROM submission")), ("", 0))
    return state, done


def half_way(url: str, process: subprocess.Popen[bytes] | None = None) -> None:
    with looking(url) as database:

        def under_way() -> bool:
            assert process is None or process.poll() is None, "it ended before it could be interrupted"
            state, done = progress_in(database)
            assert state in ("", "pending", "running"), state
            return done >= 400

        wait_for(under_way, 60, lambda: "nothing happens")


def finished(url: str, seconds: float = 60) -> None:
    with looking(url) as database:
        wait_for(
            lambda: progress_in(database)[0] in ("complete", "failed"), seconds, lambda: f"not done: {progress(url)}"
        )


def outcome(url: str) -> dict[str, Any]:
    """The counts of the one submission, without its id."""
    with looking(url) as database, database.reading() as session:
        [submission] = session.query(Submission).all()
        shown = summary(inbox.view(session, submission))
    shown["reasons"].sort(key=lambda reason: reason["where"])
    del shown["submission"]
    return shown


def nothing_twice(url: str) -> None:
    with looking(url) as database:
        [(entries, distinct)] = database.select(
            "SELECT COUNT(*), COUNT(DISTINCT stix_id) FROM entry WHERE stix_id >= 'indicator--'"
            " AND stix_id < 'indicator-.'"
            " AND collection_no = (SELECT no FROM collection WHERE alias = 'cyber')"
        )
        [(seq, most)] = database.select("SELECT COUNT(*), MAX(seq) FROM entry")
        [(rows,)] = database.select("SELECT COUNT(*) FROM indicator")
    assert entries == distinct == rows
    assert seq == most, "the log has gaps"


@pytest.fixture(scope="module")
def undisturbed(sqlite: Any, tmp_path_factory: pytest.TempPathFactory, large_file: Path) -> dict[str, Any]:
    with sqlite.migrated() as url:
        hub = hub_at(url, tmp_path_factory.mktemp("undisturbed"))
        hub("import", large_file, "--source", "crash", code=3)
        nothing_twice(url)
        return outcome(url)


def as_undisturbed(url: str, undisturbed: dict[str, Any]) -> None:
    assert outcome(url) == undisturbed
    nothing_twice(url)


def test_an_import_that_is_killed(
    database_url: str, tmp_path: Path, large_file: Path, undisturbed: dict[str, Any]
) -> None:
    hub = hub_at(database_url, tmp_path)
    process = hub.start("import", large_file, "--source", "crash", stdout=subprocess.DEVNULL)
    half_way(database_url, process)
    process.kill()
    process.wait()
    state, done = progress(database_url)
    assert (state, done < ROWS) == ("running", True)
    with started(hub, "worker"):
        finished(database_url)
    as_undisturbed(database_url, undisturbed)


@pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)
def test_an_import_that_is_interrupted(database_url: str, tmp_path: Path, large_file: Path, undisturbed: Any) -> None:
    hub = hub_at(database_url, tmp_path)
    process = hub.start(
        "import", large_file, "--source", "crash", "--json", stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    half_way(database_url, process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert out == b""
    assert b"Interrupted" in err
    assert b"Traceback" not in err
    assert progress(database_url)[0] == "pending"
    with started(hub, "worker") as worker:
        finished(database_url)
        worker.terminate()
        assert worker.wait(20) == 0
    as_undisturbed(database_url, undisturbed)


@pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)
def test_a_worker_that_is_told_to_stop(database_url: str, tmp_path: Path, large_file: Path, undisturbed: Any) -> None:
    hub = hub_at(database_url, tmp_path)
    waiting(database_url, tmp_path, large_file)
    with started(hub, "worker") as first:
        half_way(database_url, first)
        first.terminate()
        assert first.wait(20) == 0
    assert progress(database_url)[0] == "pending"
    with started(hub, "worker"):
        finished(database_url)
    as_undisturbed(database_url, undisturbed)


def waiting(url: str, folder: Path, path: Path) -> None:
    """Put the file into the inbox without working on it."""
    from hub.feeds import sources

    hub = assemble(load(database_url=url, data_dir=folder))
    with hub.database.unit_of_work() as session:
        source = sources.named(session, "crash", "2B")
        arrival = inbox.Arrival(inbox.FILE, source.id, "operator", path.read_bytes(), filename=path.name)
        inbox.receive(session, hub.vault, arrival)
    hub.database.close()


@contextmanager
def started(hub: Commands, *arguments: str, **more: Any) -> Iterator[subprocess.Popen[bytes]]:
    process = hub.start(*arguments, stderr=subprocess.DEVNULL, **more)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)
def test_serve(database_url: str, tmp_path: Path, large_file: Path, undisturbed: Any) -> None:
    """Its worker is killed in the middle, then the server is stopped, then killed."""
    port = free_port()
    hub = hub_at(database_url, tmp_path, HUB_BASE_URL=f"http://127.0.0.1:{port}")
    waiting(database_url, tmp_path, large_file)
    arguments = ("serve", "--bind", f"127.0.0.1:{port}")
    with started(hub, *arguments) as server:
        half_way(database_url, server)
        first = worker_of(server)
        first.kill()
        finished(database_url)
        as_undisturbed(database_url, undisturbed)
        wait_for(lambda: answers(port), 30, lambda: "no answer")
        assert worker_of(server).pid != first.pid
        family = psutil.Process(server.pid).children(recursive=True)
        server.terminate()
        assert server.wait(30) == 0
        gone(family)
    with started(hub, *arguments) as server:
        wait_for(lambda: answers(port), 30, lambda: "no answer")
        family = psutil.Process(server.pid).children(recursive=True)
        assert family
        server.kill()
        server.wait()
        gone(family)


def worker_of(server: subprocess.Popen[bytes]) -> psutil.Process:
    def found() -> psutil.Process | None:
        for child in psutil.Process(server.pid).children():
            try:
                if "worker" in child.cmdline() and child.status() != psutil.STATUS_ZOMBIE:
                    return child
            except psutil.NoSuchProcess:
                continue
        return None

    process: psutil.Process = wait_for(found, 20, lambda: "no worker beside the server")
    return process


def answers(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/healthz", timeout=5).status_code == 200
    except requests.ConnectionError:
        return False


def gone(processes: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(processes, timeout=15)
    left = [(process.pid, process.cmdline()) for process in alive if process.status() != psutil.STATUS_ZOMBIE]
    for process in alive:
        process.kill()
    assert not left, f"left behind: {left}"


@pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)
def test_large_bodies_do_not_fill_the_memory(database_url: str, tmp_path: Path) -> None:
    port = free_port()
    hub = hub_at(database_url, tmp_path, HUB_BASE_URL=f"http://127.0.0.1:{port}")
    made = hub(
        "member", "add", "Sender", "--kind", "bank", "--clearance", "amber", "--role", "contributor", "--json"
    ).document
    with started(hub, "serve", "--no-worker", "--bind", f"127.0.0.1:{port}") as server:
        wait_for(lambda: answers(port), 30, lambda: "no answer")
        auth = (made["username"], made["token"])
        url = f"http://127.0.0.1:{port}/api/v1/reports"
        requests.post(url, b"{}", auth=auth, headers={"Content-Type": "application/json"}, timeout=30)
        before = memory_of(server)

        def pieces() -> Iterator[bytes]:
            for _ in range(100):
                yield b" " * 1_000_000

        for body in (b" " * 100_000_000, pieces()):
            try:
                answer = requests.post(url, body, auth=auth, headers={"Content-Type": "application/json"}, timeout=60)
            except requests.ConnectionError:
                continue  # refused while it was still being sent: as good
            assert answer.status_code == 413
        assert memory_of(server) - before < 100_000_000
        assert answers(port)


def memory_of(server: subprocess.Popen[bytes]) -> int:
    family = [psutil.Process(server.pid), *psutil.Process(server.pid).children(recursive=True)]
    return sum(process.memory_info().rss for process in family)
