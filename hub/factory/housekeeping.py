"""What falls due by itself, every hour, in one place: each job in its own transaction, safe to run at any time.

A job is a function that takes the hub and says what it did, by name; it is added to JOBS. A job that fails is written
to the log and tried again at the next run; the others go on. Several workers may run the jobs at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from threading import Event

import structlog

from hub import clock
from hub.audit import record
from hub.checks.kept import retention
from hub.checks.precheck import keys as precheck_keys
from hub.errors import HubError
from hub.factory.parts import Hub
from hub.factory.upkeep import retention_kinds
from hub.members import people, reminders, spent
from hub.members.invitations import Post
from hub.members.vetting import reviews
from hub.members.vetting.evidence import EvidenceFolder

log = structlog.get_logger(__name__)

EVERY_SECONDS = 3600.0
FADED_AT_ONCE = 200
FADED_AT_MOST = 10_000
Job = Callable[[Hub], dict[str, int]]


def vetting_due(hub: Hub) -> dict[str, int]:
    """Lapses, reviews, ends of grants and emergencies, erasure of evidence."""
    files = EvidenceFolder(hub.settings.data_dir / "evidence", hub.vault, hub.settings.vetting.evidence_bytes)
    with hub.database.unit_of_work() as session:
        return asdict(reviews.run_due(session, clock.micros(), Post(hub.vault, hub.settings), files))


def dormant_people(hub: Hub) -> dict[str, int]:
    """Make everybody dormant who has not signed in for ``console.dormant_days``."""
    with hub.database.unit_of_work() as session:
        return {"dormant": people.close_dormant(session, hub.settings.console.dormant_days)}


def letters_due(hub: Hub) -> dict[str, int]:
    """Remind of attestations, of keys and certificates that end, and of accounts that become dormant."""
    with hub.database.unit_of_work() as session:
        sent = reminders.send_due(session, Post(hub.vault, hub.settings))
    return {f"letters_about_{kind}": count for kind, count in asdict(sent).items()}


def spent_challenges(hub: Hub) -> dict[str, int]:
    """Forget what was good once and would have expired by now."""
    with hub.database.unit_of_work() as session:
        return {"challenges_forgotten": spent.forget(session)}


def kept_long_enough(hub: Hub) -> dict[str, int]:
    """Delete what has been kept for as long as it may be."""
    deleted = retention.run(hub.database, retention_kinds(hub), precheck_keys.THE_HUB)
    return {f"deleted_{kind}": count for kind, count in deleted.items()}


def faded(hub: Hub) -> dict[str, int]:
    """Say anew what is to be believed of indicators that have fallen by a band, the longest overdue first.

    In short transactions, since each holds the append lock; what is left over waits for the next run.
    """
    done = 0
    merger = hub.merger()
    for _ in range(FADED_AT_MOST // FADED_AT_ONCE):
        with hub.database.unit_of_work() as session:
            fallen = merger.fade(session, FADED_AT_ONCE)
            if fallen:
                record(session, "hub", "indicator:fade", "indicators", after={"weighed": fallen})
        done += fallen
        if fallen < FADED_AT_ONCE:
            break
    return {"faded": done}


# Dormancy comes before the letters, so that nobody is warned of what has happened.
JOBS: tuple[Job, ...] = (vetting_due, dormant_people, letters_due, spent_challenges, kept_long_enough, faded)


def run_all(hub: Hub, jobs: tuple[Job, ...] = JOBS) -> dict[str, int]:
    """One run of every job; what they did, together."""
    done: dict[str, int] = {}
    for job in jobs:
        try:
            done |= job(hub)
        except HubError as error:
            log.warning("a job of the housekeeping has failed", job=job.__name__, error=str(error))
        except Exception:
            log.exception("a job of the housekeeping has failed", job=job.__name__)
    return done


def keep(hub: Hub, stop: Event) -> None:
    """Run the jobs every hour until ``stop`` is set."""
    while not stop.is_set():
        run_all(hub)
        stop.wait(EVERY_SECONDS)
