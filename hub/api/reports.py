"""Reporting partners push fraud reports."""

from __future__ import annotations

from typing import Any

from flask import Response, make_response, request
from flask_smorest import Blueprint
from marshmallow import Schema, fields
from werkzeug.http import parse_options_header

from hub.api.submissions import SubmissionSchema, shown
from hub.auth import Permission
from hub.errors import InvalidInput, TooLarge, UnsupportedMedia
from hub.feeds import inbox
from hub.feeds.inbox import SubmissionView
from hub.feeds.reports import bulk
from hub.feeds.reports.schema import ReportSchema, load_report, parts
from hub.stix.canonical import parse_json
from hub.web import actor, allow, services
from hub.web.links import absolute
from hub.web.submitting import submit as submit_to_inbox

blueprint = Blueprint("reports", __name__, url_prefix="/api/v1/reports", description="Fraud reports")

KEY_HEADER = "Idempotency-Key"
LONGEST_KEY = 255


class BatchSchema(Schema):
    """Several reports; one alone may be sent without this frame."""

    reports = fields.List(fields.Nested(ReportSchema), required=True)


@blueprint.post("")
@allow(Permission.REPORTS_SUBMIT)
@blueprint.doc(
    requestBody={
        "required": True,
        "description": "One report, or up to 1,000 of them; as CSV one report a row",
        "content": {
            "application/json": {"schema": BatchSchema},
            "text/csv": {"schema": {"type": "string"}},
        },
    },
    parameters=[
        {
            "in": "header",
            "name": KEY_HEADER,
            "schema": {"type": "string", "maxLength": LONGEST_KEY},
            "description": "The same key with the same body gives the first submission again",
        }
    ],
)
@blueprint.response(202, SubmissionSchema)
def submit() -> Response:
    """Take reports in. A single report is checked at once; of a batch, the submission tells each one's outcome."""
    raw = request.get_data(cache=False)
    found = _documents(raw)
    most = services().settings.reports.max_batch
    if len(found) > most:
        raise TooLarge(f"a batch holds at most {most} reports, this one has {len(found)}", where="reports")
    if len(found) == 1:
        load_report(found[0][1], found[0][0])
    with services().database.unit_of_work() as session:
        key = _idempotency_key()
        return _accepted(
            submit_to_inbox(session, inbox.REPORTS, raw, len(found), groups=actor().groups, idempotency_key=key)
        )


@blueprint.delete("/<reference>")
@allow(Permission.REPORTS_SUBMIT)
@blueprint.response(202, SubmissionSchema)
def withdraw(reference: str) -> Response:
    """Withdraw an earlier report; what only it supported is revoked. The submission tells what became of it."""
    with services().database.unit_of_work() as session:
        return _accepted(submit_to_inbox(session, inbox.WITHDRAWAL, reference.encode(), 1))


def _accepted(submission: SubmissionView) -> Response:
    answer = make_response(shown(submission), 202)
    answer.headers["Location"] = absolute(f"/api/v1/submissions/{submission.id}")
    return answer


def _documents(raw: bytes) -> list[tuple[str, Any]]:
    if not raw.strip():
        raise InvalidInput("the body is empty", advice="Send a report as JSON: docs/examples/report.json is one.")
    media_type, _ = parse_options_header(request.headers.get("Content-Type"))
    if media_type == "text/csv":
        return parts(bulk.load_csv(raw))
    if media_type != "application/json":
        raise UnsupportedMedia("reports come as application/json or text/csv", where="Content-Type")
    return parts(parse_json(raw))


def _idempotency_key() -> str | None:
    key = request.headers.get(KEY_HEADER)
    if key is not None and (not key.strip() or len(key) > LONGEST_KEY or not key.isprintable()):
        raise InvalidInput(f"a key has 1 to {LONGEST_KEY} printable characters", where=KEY_HEADER)
    return key
