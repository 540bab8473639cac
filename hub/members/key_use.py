"""Notes when each API key was last used: in memory, written by a thread, so that no request waits for it."""

from __future__ import annotations

import time
from threading import Event, Lock, Thread

import structlog
from sqlalchemy.dialects import postgresql, sqlite

from hub import clock
from hub.db import Database
from hub.errors import HubError
from hub.members.records import CredentialUse

log = structlog.get_logger(__name__)

# The time of last use is right to a minute: more would write a row for every poll.
EVERY_SECONDS = 60.0
FLUSH_SECONDS = 1.0


class KeyUses:
    """What one process knows of the last uses."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = Lock()
        self._stop = Event()
        self._thread: Thread | None = None
        self._noted: dict[str, float] = {}
        self._waiting: dict[str, tuple[int, str]] = {}

    def note(self, username: str, address: str) -> None:
        """Say that a key is used now."""
        now = time.monotonic()
        if now - self._noted.get(username, -EVERY_SECONDS) < EVERY_SECONDS:
            return
        with self._lock:
            self._noted[username] = now
            self._waiting[username] = (clock.micros(), address)
            if self._thread is None:
                self._thread = Thread(target=self._run, name="key-uses", daemon=True)
                self._thread.start()

    def flush(self) -> None:
        """Write what was noted; what cannot be written now is left out, for the next use comes."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        if not waiting:
            return
        try:
            with self._database.unit_of_work() as session:
                make = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
                for username, (at, address) in sorted(waiting.items()):
                    row = make(CredentialUse).values(username=username, at=at, address=address)
                    latest = {"at": at, "address": address}
                    session.execute(row.on_conflict_do_update(index_elements=["username"], set_=latest))
        except HubError as error:
            log.warning("the last uses of keys are not written", error=str(error))

    def close(self) -> None:
        """Stop the thread and write what is left."""
        self._stop.set()
        if self._thread is not None and self._thread.is_alive():
            self._thread.join(5 * FLUSH_SECONDS)
        self.flush()

    def _run(self) -> None:
        while not self._stop.wait(FLUSH_SECONDS):
            self.flush()
