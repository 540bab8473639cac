"""The status resource (TAXII 2.1 section 4.3)."""

from __future__ import annotations

from typing import Any

from hub import clock
from hub.db import Database
from hub.feeds.inbox import OutcomeView, SubmissionView
from hub.ledger.pages import unversioned_added
from hub.taxii import parameters

SUCCESS = "success"


def status_resource(database: Database, submission: SubmissionView) -> dict[str, Any]:
    """What became of a submission, object by object (section 4.3.1).

    A detail's version is the object's own; for one that has none it is the instant at which it was added, as
    in manifests, and the time of the request where it was not added.
    """
    bare = [one.subject for one in submission.outcomes if one.version is None and one.status == SUCCESS]
    added = unversioned_added(database, submission.collection_no or 0, bare)
    failures = [_detail(one, submission, {}) for one in submission.outcomes if one.status != SUCCESS]
    successes = [_detail(one, submission, added) for one in submission.outcomes if one.status == SUCCESS]
    if submission.failure is not None:
        failures += _never_reached(submission)
    content: dict[str, Any] = {
        "id": submission.id,
        "status": "complete" if submission.finished else "pending",
        "request_timestamp": clock.timestamp(submission.received_at),
        "total_count": submission.total,
        "success_count": len(successes),
        "failure_count": len(failures),
        "pending_count": submission.total - len(successes) - len(failures),
    }
    if successes:
        content["successes"] = successes
    if failures:
        content["failures"] = failures
    return content


def _detail(outcome: OutcomeView, submission: SubmissionView, added: dict[str, int]) -> dict[str, Any]:
    version = outcome.version
    if version is None or not parameters.is_timestamp(version):
        version = clock.timestamp(added.get(outcome.subject, submission.received_at))
    shown = {"id": outcome.subject, "version": version}
    if outcome.message:
        shown["message"] = outcome.message
    return shown


def _never_reached(submission: SubmissionView) -> list[dict[str, Any]]:
    """A failure for each object that the intake did not come to before it gave the submission up."""
    reached = {one.where for one in submission.outcomes}
    places = (f"objects[{n}]" for n in range(submission.total))
    at = clock.timestamp(submission.received_at)
    return [{"id": place, "version": at, "message": submission.failure} for place in places if place not in reached]
