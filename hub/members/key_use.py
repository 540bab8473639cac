"""Notes when each API key was last used, and from where one was refused: in memory, written by a thread.

So no request waits for it, and nobody can fill the audit log by asking again and again.
"""

from __future__ import annotations

import time
from threading import Event, Lock, Thread

import structlog
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from hub import clock
from hub.audit import record
from hub.db import Database
from hub.errors import HubError
from hub.members.records import CredentialRefusal, CredentialUse

log = structlog.get_logger(__name__)

# The time of last use is right to a minute: more would write a row for every poll.
EVERY_SECONDS = 60.0
# A credential that comes from the same wrong address again is audited once in so long; every time is counted.
AUDITED_EVERY_SECONDS = 3600.0
MOST_REMEMBERED = 10_000
FLUSH_SECONDS = 1.0
LONGEST_ADDRESS = 64
ACTOR = "hub"


class KeyUses:
    """What one process knows of the last uses."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = Lock()
        self._stop = Event()
        self._thread: Thread | None = None
        self._noted: dict[str, float] = {}
        self._waiting: dict[str, tuple[int, str]] = {}
        self._refusals: dict[str, list[str]] = {}
        self._audited: dict[tuple[str, str], float] = {}

    def note(self, username: str, address: str) -> None:
        """Say that a key is used now."""
        now = time.monotonic()
        if now - self._noted.get(username, -EVERY_SECONDS) < EVERY_SECONDS:
            return
        with self._lock:
            self._noted[username] = now
            self._waiting[username] = (clock.micros(), address)
            self._start()

    def refuse(self, username: str, address: str) -> None:
        """Say that a good credential was refused for the address it came from."""
        with self._lock:
            self._refusals.setdefault(username, []).append(address[:LONGEST_ADDRESS])
            self._start()

    def flush(self) -> None:
        """Write what was noted; what cannot be written now is left out, for the next use comes."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
            refusals, self._refusals = self._refusals, {}
        if not waiting and not refusals:
            return
        try:
            with self._database.unit_of_work() as session:
                make = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
                for username, (at, address) in sorted(waiting.items()):
                    row = make(CredentialUse).values(username=username, at=at, address=address)
                    latest = {"at": at, "address": address}
                    session.execute(row.on_conflict_do_update(index_elements=["username"], set_=latest))
                for username, addresses in sorted(refusals.items()):
                    self._write_refusals(session, username, addresses)
        except HubError as error:
            log.warning("the last uses of keys are not written", error=str(error))

    def _write_refusals(self, session: Session, username: str, addresses: list[str]) -> None:
        make = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
        latest = {"at": clock.micros(), "address": addresses[-1]}
        row = make(CredentialRefusal).values(username=username, times=len(addresses), **latest)
        more = {"times": CredentialRefusal.times + len(addresses), **latest}
        session.execute(row.on_conflict_do_update(index_elements=["username"], set_=more))
        for address in sorted(set(addresses)):
            if self._is_news(username, address):
                record(session, ACTOR, "credential:refuse-address", username, after={"address": address})

    def _is_news(self, username: str, address: str) -> bool:
        """Whether this was not audited lately by this process."""
        now = time.monotonic()
        if now - self._audited.get((username, address), -AUDITED_EVERY_SECONDS) < AUDITED_EVERY_SECONDS:
            return False
        if len(self._audited) >= MOST_REMEMBERED:
            self._audited.clear()
        self._audited[username, address] = now
        return True

    def _start(self) -> None:
        if self._thread is None:
            self._thread = Thread(target=self._run, name="key-uses", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Stop the thread and write what is left."""
        self._stop.set()
        if self._thread is not None and self._thread.is_alive():
            self._thread.join(5 * FLUSH_SECONDS)
        self.flush()

    def _run(self) -> None:
        while not self._stop.wait(FLUSH_SECONDS):
            self.flush()
