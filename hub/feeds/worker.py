"""The worker: claims submissions and has the intake process them, until it is told to stop."""

from __future__ import annotations

import os
import secrets
import socket
from contextlib import suppress
from threading import Event

import structlog

from hub.errors import HubError, Unavailable
from hub.feeds import inbox, intake
from hub.feeds.intake import Intake, LostLease

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
        log.info("worker stopped", worker=self.name)

    def work_once(self) -> bool:
        """Process one submission. Returns False where none waits."""
        if not self._waiting():
            return False
        with self._intake.database.unit_of_work() as session:
            claimed = intake.claim(session, self.name, self._intake.lease_micros)
        if claimed is None:
            return False
        try:
            self._intake.run(claimed, self.name, self._check_stop)
        except LostLease:
            log.warning("submission taken over by another worker", id=claimed)
        except _Stopped:
            with self._intake.database.unit_of_work() as session:
                intake.release(session, claimed, self.name)
        except Unavailable:
            raise
        except Exception as error:
            # A fault of our own: this submission ends, the worker and all others go on.
            log.error("submission failed", id=claimed, exc_info=error)
            with suppress(LostLease):
                self._intake.finish(claimed, self.name, inbox.FAILED, failure=OUR_FAULT)
        return True

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
