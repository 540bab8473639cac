"""The upkeep of the checking service: sets of the pre-check, correction notices, retention, who owns what."""

from __future__ import annotations

from threading import Event

import structlog
from sqlalchemy.orm import Session

from hub.auth import Role
from hub.checks.kept import notices, retention
from hub.checks.kept.retention import Kept
from hub.checks.kept.subject_access import Owner
from hub.checks.precheck.building import Builder
from hub.checks.precheck.values import FiledValues
from hub.errors import HubError
from hub.factory.parts import Hub
from hub.feeds import erasure
from hub.feeds.known_values import known_values
from hub.members import membership, outbox, people

log = structlog.get_logger(__name__)

TELLS_EVERY_SECONDS = 10.0
# Of the time between two builds: one of several workers does it.
RESTED = 0.8


def set_builder(hub: Hub) -> Builder:
    """What builds the sets of the pre-check."""
    return Builder(
        hub.database, hub.vault, FiledValues(hub.vault), known_values, hub.settings.precheck.superseded_seconds
    )


def retention_kinds(hub: Hub) -> list[Kept]:
    """Everything that is deleted when it is due."""
    days = hub.settings.retention.submissions_days
    raw = Kept("submissions", lambda session, limit: erasure.raw_due(session, days, limit), erasure.empty_raw)
    return [*retention.kinds(hub.filings(), hub.settings.retention), raw]


def make_notices(hub: Hub) -> int:
    """Make the correction notices that are due, with a letter to each primary contact; how many notices."""

    def tell(session: Session, member_id: str, subject: str, text: str) -> None:
        for person in people.of_member(session, member_id):
            if Role.PRIMARY_CONTACT.value in person.roles and person.status == "active":
                outbox.put(session, hub.vault, person.email, subject, text)

    with hub.database.reading() as session:
        if not notices.any_due(session):
            return 0
    with hub.database.unit_of_work() as session:
        return notices.make_due(session, tell)


def owners(session: Session) -> dict[str, Owner]:
    """Every member as a person who asks for access may be told of it."""
    return {one.id: Owner(one.name, one.anonymous) for one in membership.all_members(session)}


def keep_sets(hub: Hub, stop: Event) -> None:
    """Build the sets anew, every so often, until ``stop`` is set."""
    builder = set_builder(hub)
    every = hub.settings.precheck.build_every_seconds
    while not stop.is_set():
        try:
            builder.run(rest_seconds=every * RESTED)
        except HubError as error:
            log.warning("the sets of the pre-check could not be built", error=str(error))
        except Exception:
            log.exception("the sets of the pre-check could not be built")
        stop.wait(every)


def keep_telling(hub: Hub, stop: Event) -> None:
    """Make correction notices until ``stop`` is set."""
    while not stop.wait(TELLS_EVERY_SECONDS):
        try:
            make_notices(hub)
        except HubError as error:
            log.warning("correction notices wait", error=str(error))
        except Exception:
            log.exception("correction notices wait")
