"""What became of a submission."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import Schema, fields

from hub import clock
from hub.auth import Permission
from hub.feeds import inbox
from hub.feeds.inbox import SubmissionView
from hub.web import actor, allow, services

blueprint = Blueprint("submissions", __name__, url_prefix="/api/v1/submissions", description="What became of it")


class OutcomeSchema(Schema):
    """One report, object or value of a submission."""

    where = fields.String(metadata={"description": "Its place in the submission"})
    status = fields.String(metadata={"description": "success, failure, refused or quarantined"})
    subject = fields.String(metadata={"description": "The report's reference, or the object's id"})
    message = fields.String(allow_none=True, metadata={"description": "Why, where there is more to say"})


class SubmissionSchema(Schema):
    """A submission and its outcomes."""

    id = fields.UUID()
    state = fields.String(metadata={"description": "pending, running, complete or failed"})
    received_at = fields.String()
    finished_at = fields.String(allow_none=True)
    total = fields.Integer()
    done = fields.Integer()
    counts = fields.Dict(metadata={"description": "accepted, new, updated, unchanged, refused"})
    failure = fields.String(allow_none=True)
    outcomes = fields.List(fields.Nested(OutcomeSchema))


@blueprint.get("/<submission_id>")
@allow(Permission.SUBMISSIONS_READ)
@blueprint.response(200, SubmissionSchema)
def submission(submission_id: str) -> dict[str, Any]:
    """What became of a submission; another member's is not found."""
    with services().database.reading() as session:
        return shown(inbox.of_member(session, submission_id, actor().member_id))


def shown(found: SubmissionView) -> dict[str, Any]:
    """A submission as the API tells it."""
    return {
        "id": found.id,
        "state": found.state,
        "received_at": clock.timestamp(found.received_at),
        "finished_at": None if found.finished_at is None else clock.timestamp(found.finished_at),
        "total": found.total,
        "done": found.done,
        "counts": found.counts,
        "failure": found.failure,
        "outcomes": [
            {"where": one.where, "status": one.status, "subject": one.subject, "message": one.message}
            for one in found.outcomes
        ],
    }
