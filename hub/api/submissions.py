"""What became of a submission, and the list of one's own."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import Schema, fields

from hub import clock
from hub.api.asking import known_only, number, single
from hub.auth import Permission
from hub.errors import InvalidInput
from hub.feeds import inbox, submitted
from hub.feeds.inbox import SubmissionView
from hub.web import actor, allow, services

blueprint = Blueprint("submissions", __name__, url_prefix="/api/v1/submissions", description="What became of it")

STATES = (inbox.PENDING, inbox.RUNNING, inbox.COMPLETE, inbox.FAILED)
MOST_LISTED = 100
LISTED = 50
LIST_PARAMETERS = [
    {"in": "query", "name": "limit", "schema": {"type": "integer", "minimum": 1, "maximum": MOST_LISTED}},
    {"in": "query", "name": "after", "schema": {"type": "string"}, "description": "`next` of the page before"},
    {"in": "query", "name": "state", "schema": {"type": "string", "enum": list(STATES)}},
]
EXAMPLE = {
    "id": "5b41d161-bf8b-43d6-a1ea-b16e71645dcf",
    "kind": inbox.INDICATORS,
    "state": inbox.COMPLETE,
    "received_at": "2026-11-22T09:30:00.123456Z",
    "finished_at": "2026-11-22T09:30:00.234567Z",
    "total": 2,
    "done": 2,
    "counts": {"read": 2, "accepted": 1, "new": 1, "refused": 1, "indicators": {"domain": 1}},
    "failure": None,
}
TAKEN_EXAMPLE = {
    **EXAMPLE, "state": inbox.PENDING, "finished_at": None, "done": 0, "counts": {}, "outcomes": [],
}  # fmt: skip
OUTCOMES_EXAMPLE = [
    {"where": "indicators[0]", "status": "success", "subject": "evil.example", "message": None},
    {
        "where": "indicators[1]",
        "status": "refused",
        "subject": "n/a",
        "message": "'n/a' is of no kind that is known here",
    },
]


class OutcomeSchema(Schema):
    """One report, object or value of a submission."""

    where = fields.String(metadata={"description": "Its place in the submission"})
    status = fields.String(metadata={"description": "success, failure, refused or quarantined"})
    subject = fields.String(metadata={"description": "The report's reference, the object's id, or the value"})
    message = fields.String(allow_none=True, metadata={"description": "Why, where there is more to say"})


class SubmissionSummarySchema(Schema):
    """A submission without its outcomes."""

    id = fields.UUID()
    kind = fields.String(
        metadata={"description": "reports, withdrawal, filings, indicators, sightings, envelope or retraction"}
    )
    state = fields.String(metadata={"description": "pending, running, complete or failed"})
    received_at = fields.String()
    finished_at = fields.String(allow_none=True)
    total = fields.Integer()
    done = fields.Integer()
    counts = fields.Dict(metadata={"description": "accepted, new, updated, unchanged, refused"})
    failure = fields.String(allow_none=True)


class SubmissionSchema(SubmissionSummarySchema):
    """A submission and its outcomes."""

    outcomes = fields.List(fields.Nested(OutcomeSchema))


class SubmissionListSchema(Schema):
    """Submissions, the newest first; ``next`` goes into ``after``, null at the end."""

    submissions = fields.List(fields.Nested(SubmissionSummarySchema))
    next = fields.String(allow_none=True)


@blueprint.get("")
@allow(Permission.SUBMISSIONS_READ)
@blueprint.doc(parameters=LIST_PARAMETERS)
@blueprint.response(200, SubmissionListSchema, example={"submissions": [EXAMPLE], "next": EXAMPLE["id"]})
def own_submissions() -> dict[str, Any]:
    """The organisation's own submissions, the newest first, without what became of each row."""
    known_only("limit", "after", "state")
    limit, state = number("limit", LISTED, MOST_LISTED), single("state")
    if state is not None and state not in STATES:
        raise InvalidInput(f"must be one of: {', '.join(STATES)}", where="state")
    with services().database.reading() as session:
        found = submitted.page(session, actor().member_id, limit, single("after"), state)
    shown_here = [summary(one) for one in found[:limit]]
    return {"submissions": shown_here, "next": found[limit - 1].id if len(found) > limit else None}


@blueprint.get("/<submission_id>")
@allow(Permission.SUBMISSIONS_READ)
@blueprint.response(200, SubmissionSchema, example={**EXAMPLE, "outcomes": OUTCOMES_EXAMPLE})
def submission(submission_id: str) -> dict[str, Any]:
    """What became of a submission; another member's is not found."""
    with services().database.reading() as session:
        return shown(inbox.of_member(session, submission_id, actor().member_id))


def shown(found: SubmissionView) -> dict[str, Any]:
    """A submission as the API tells it."""
    outcomes = [
        {"where": one.where, "status": one.status, "subject": one.subject, "message": one.message}
        for one in found.outcomes
    ]
    return {**summary(found), "outcomes": outcomes}


def summary(found: SubmissionView) -> dict[str, Any]:
    """A submission without what became of each row."""
    return {
        "id": found.id,
        "kind": found.kind,
        "state": found.state,
        "received_at": clock.timestamp(found.received_at),
        "finished_at": None if found.finished_at is None else clock.timestamp(found.finished_at),
        "total": found.total,
        "done": found.done,
        "counts": found.counts,
        "failure": found.failure,
    }
