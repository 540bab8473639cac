"""``hub init``, ``hub serve``, ``hub worker``."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from threading import Event

import click

from hub.cli import check, servers
from hub.cli.opening import open_hub
from hub.factory import housekeeping, prepare, upkeep
from hub.feeds.schedule import Scheduler
from hub.feeds.worker import Worker, worker_name
from hub.members.outbox import Outbox
from hub.settings import load
from hub.telemetry import configure_logging

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
WORKER_STOPS_IN = 30
ORPHAN_CHECK_SECONDS = 1.0
# A worker that dies at once is started less and less often.
FIRST_RESTART_SECONDS, LAST_RESTART_SECONDS = 1.0, 60.0


def add_to(group: click.Group) -> None:
    """Add the commands of this file."""
    for command in (init, serve, worker):
        group.add_command(command)


@click.command()
@click.option("--demo", "with_demo", is_flag=True, help="Load the demonstration members and sample feeds too.")
def init(with_demo: bool) -> None:
    """Migrate the database, make the hub's identity and keys. Safe to repeat."""
    hub = open_hub()
    done = f"Prepared {hub.settings.base_url} in {hub.settings.data_dir}"
    if not with_demo:
        prepare(hub)
        click.echo(done, err=True)
        return
    from hub.cli import demo  # noqa: PLC0415 (it brings the web along, which no other command but `serve` needs)

    demo.found(hub)
    click.echo(done, err=True)
    demo.load(hub)


@click.command()
@click.option("--bind", help="ADDRESS:PORT to listen on; server.bind in the settings.")
@click.option("--workers", type=click.IntRange(1, 64), help="Web processes; server.workers in the settings.")
@click.option("--no-worker", is_flag=True, help="Serve only; `hub worker` runs elsewhere.")
@click.option("--tls-cert", type=FILE, help="Serve by TLS (1.2 at least) with this certificate chain (PEM).")
@click.option("--tls-key", type=FILE, help="Its private key (PEM).")
@click.option("--client-ca", type=FILE, help="Ask every client for a certificate of this authority (PEM).")
def serve(
    bind: str | None,
    workers: int | None,
    no_worker: bool,
    tls_cert: Path | None,
    tls_key: Path | None,
    client_ca: Path | None,
) -> None:
    """Serve the web edges, with an intake worker beside them. Stops cleanly on SIGTERM.

    With --client-ca a connection needs a certificate of that authority; one that is registered for a member
    (hub member certificate) stands for its credential, and a token that is given counts before it.
    """
    secured = servers.tls(tls_cert, tls_key, client_ca)
    settings = load()
    hub = open_hub(settings)
    prepare(hub)
    hub.database.close()
    server = settings.server
    at = servers.place(bind or server.bind)
    beside = [] if no_worker else [_WorkerBeside() for _ in range(settings.intake.workers)]
    try:
        servers.run(at, workers=workers or server.workers, threads=server.threads, secured=secured)
    finally:
        for one in beside:
            one.stop()


class _WorkerBeside:
    """An intake worker in a process of its own, started anew whenever it dies."""

    def __init__(self) -> None:
        self._started_by = os.getpid()
        self._lock = threading.Lock()
        self._stopping = Event()
        self._process = _start_worker()
        threading.Thread(target=self._watch, name="worker-watch", daemon=True).start()

    def stop(self) -> None:
        """End the worker after its batch; what it leaves undone waits in the inbox."""
        if os.getpid() != self._started_by:
            return  # a web process that was forked from ours, on its way out
        with self._lock:
            self._stopping.set()
            self._process.terminate()
        try:
            self._process.wait(WORKER_STOPS_IN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _watch(self) -> None:
        pause = FIRST_RESTART_SECONDS
        while True:
            started = time.monotonic()
            self._process.wait()
            lived = time.monotonic() - started
            pause = FIRST_RESTART_SECONDS if lived > LAST_RESTART_SECONDS else min(2 * pause, LAST_RESTART_SECONDS)
            if self._stopping.wait(pause):
                return
            with self._lock:
                if not self._stopping.is_set():
                    self._process = _start_worker()


def _start_worker() -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "hub.cli", "worker", "--parent", str(os.getpid())]
    return subprocess.Popen(command)  # noqa: S603 (our own command, no shell)


@click.command()
@click.option("--parent", type=int, hidden=True, help="Stop when this process is gone.")
def worker(parent: int | None) -> None:
    """Run an intake worker alone; as many as wanted on PostgreSQL."""
    settings = load()
    configure_logging(settings.log)
    stop = Event()
    _stop_on_signals(stop)
    if parent is not None:
        threading.Thread(target=_watch_parent, args=(parent, stop), daemon=True).start()
    hub = open_hub(settings)
    pulling = settings.pull
    puller = hub.puller()
    if pulling.enabled:
        scheduler = Scheduler(puller, stop, pulling.look_every_seconds)
        threading.Thread(target=scheduler.run, name="feeds", daemon=True).start()
    outbox = Outbox(hub.database, hub.vault, settings)
    threading.Thread(target=outbox.run, args=(stop,), name="outbox", daemon=True).start()
    threading.Thread(target=housekeeping.keep, args=(hub, stop), name="housekeeping", daemon=True).start()
    threading.Thread(target=upkeep.keep_sets, args=(hub, stop), name="sets", daemon=True).start()
    threading.Thread(target=upkeep.keep_telling, args=(hub, stop), name="notices", daemon=True).start()
    check.start_threads(hub, worker_name(), stop)
    gc.freeze()  # what is there by now lives to the end: no garbage is looked for among it
    Worker(puller.parts, settings.intake.poll_seconds, stop).run()


def _watch_parent(parent: int, stop: Event) -> None:
    """Set ``stop`` when the server that started this worker is gone, even if it was killed."""
    while not stop.wait(ORPHAN_CHECK_SECONDS):
        if os.getppid() != parent:
            stop.set()


def _stop_on_signals(stop: Event) -> None:
    """Let SIGTERM and SIGINT set ``stop``, from a thread of their own. Call before any other thread is started.

    A handler would interrupt the main thread wherever it is: within ``stop.wait``, whose lock it then waits for.
    """
    signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)

    def wait() -> None:
        signal.sigwait(signals)
        stop.set()

    threading.Thread(target=wait, name="signals", daemon=True).start()
