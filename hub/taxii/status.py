"""The status resource (TAXII 2.1 section 4.3)."""

from __future__ import annotations

from typing import Any

from hub import clock
from hub.feeds.inbox import SubmissionView

SUCCESS = "success"


def status_resource(submission: SubmissionView) -> dict[str, Any]:
    """What became of a submission, object by object."""
    successes = [_detail(outcome) for outcome in submission.outcomes if outcome.status == SUCCESS]
    failures = [_detail(outcome) for outcome in submission.outcomes if outcome.status != SUCCESS]
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


def _detail(outcome: Any) -> dict[str, Any]:
    shown = {"id": outcome.subject, "version": outcome.version or clock.timestamp(0)}
    if outcome.message:
        shown["message"] = outcome.message
    return shown
