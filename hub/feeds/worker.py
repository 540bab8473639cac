"""The worker: claims submissions and has the intake process them, until it is told to stop."""

from __future__ import annotations

import os
import secrets
import socket
from contextlib import suppress
from threading import Event

import structlog
from sqlalchemy.orm import Session

from hub.errors import HubError, Unavailable
from hub.feeds import inbox, lease
from hub.feeds.intake import Intake
from hub.feeds.lease import LostLease

log = structlog.get_logger(__name__)

OUR_FAULT = "something went wrong on our side; what was counted until then is kept"


def worker_name() -> str:
    """A name that no other worker has."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


class Worker:
    """Processes the inbox. ``stop`` is set from a signal handler; the batch under way is finished first."""

    def __init__(self, parts: Intake, poll_seconds: float, stop: Event) -> None:
        self._intake = parts
        self._poll_seconds = poll_seconds
        self._stop = stop
        self.name = worker_name()
        self._next: str | None = None

    def run(self) -> None:
        """Work until ``stop`` is set."""
        log.info("worker started", worker=self.name)
        while not self._stop.is_set():
            try:
                worked = self.work_once()
            except Unavailable as error:
                log.warning("the database cannot be reached", error=str(error))
                worked = False
            if not worked:
                self._stop.wait(self._poll_seconds)
        if self._next is not None:
            self._give_back(self._next)
        log.info("worker stopped", worker=self.name)

    def work_once(self) -> bool:
        """Process one submission. Returns False where none waits."""
        claimed = self._next or self._claim()
        self._next = None
        if claimed is None:
            return False
        try:
            self._intake.run(claimed, self.name, self._check_stop, self._claim_next)
        except LostLease:
            log.warning("submission taken over by another worker", id=claimed)
        except _Stopped:
            self._give_back(claimed)
        except Unavailable:
            self._next = None  # where it was claimed, its lease runs out
            raise
        except Exception as error:
            # A fault of our own: this submission ends, the worker and all others go on.
            log.error("submission failed", id=claimed, exc_info=error)
            with suppress(LostLease):
                self._intake.finish(claimed, self.name, inbox.FAILED, failure=OUR_FAULT)
            if self._next is not None:  # whether it was claimed hangs on how far this one came
                self._give_back(self._next)
                self._next = None
        return True

    def _claim(self) -> str | None:
        if not self._waiting():
            return None
        with self._intake.database.unit_of_work() as session:
            return lease.claim(session, self.name, self._intake.lease_micros)

    def _claim_next(self, session: Session) -> None:
        """Claim with the last batch of one submission the one that follows.

        A transaction less for each; and where the others write without a pause, no waiting for one's turn twice.
        """
        if not self._stop.is_set():
            self._next = lease.claim(session, self.name, self._intake.lease_micros)

    def _give_back(self, claimed: str) -> None:
        with self._intake.database.unit_of_work() as session:
            lease.release(session, claimed, self.name)

    def _waiting(self) -> bool:
        """A look without a lock, so that an idle worker does not stand in the writers' way."""
        return bool(
            self._intake.database.select("SELECT 1 FROM submission WHERE state IN ('pending', 'running') LIMIT 1")
        )

    def _check_stop(self, _done: int, _total: int) -> None:
        if self._stop.is_set():
            raise _Stopped("the worker was told to stop")


class _Stopped(HubError):
    """Stop between two batches; the submission is given back."""
