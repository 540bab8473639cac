"""Reporting partners push fraud reports."""

from __future__ import annotations

from flask import Response, request
from flask_smorest import Blueprint
from marshmallow import Schema, fields

from hub.api import filings
from hub.api.accepting import CSV, JSON, KEY_PARAMETER, accepted, idempotency_key, media_type
from hub.api.submissions import SubmissionSchema
from hub.auth import Permission
from hub.errors import InvalidInput, TooLarge, UnsupportedMedia
from hub.feeds import inbox
from hub.feeds.reports import bulk
from hub.feeds.reports.schema import ReportSchema, load_report, parts
from hub.stix.canonical import parse_json
from hub.web import actor, allow, services
from hub.web.submitting import submit as submit_to_inbox

blueprint = Blueprint("reports", __name__, url_prefix="/api/v1/reports", description="Fraud reports")


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
    parameters=[KEY_PARAMETER],
)
@blueprint.response(202, SubmissionSchema)
def submit() -> Response:
    """Take reports in. A single report is checked at once; of a batch, the submission tells each one's outcome.

    Filings that come by this door go the way of ``/api/v1/filings``.
    """
    raw = request.get_data(cache=False)
    as_csv = _is_csv(raw)
    document = None if as_csv else parse_json(raw)
    if filings.is_filing(raw, document):
        return filings.take(raw, document)
    found = parts(bulk.load_csv(raw) if as_csv else document)
    most = services().settings.reports.max_batch
    if len(found) > most:
        raise TooLarge(f"a batch holds at most {most} reports, this one has {len(found)}", where="reports")
    if len(found) == 1:
        load_report(found[0][1], found[0][0])
    with services().database.unit_of_work() as session:
        key = idempotency_key()
        return accepted(
            submit_to_inbox(session, inbox.REPORTS, raw, len(found), groups=actor().groups, idempotency_key=key)
        )


@blueprint.delete("/<reference>")
@allow(Permission.REPORTS_SUBMIT)
@blueprint.response(202, SubmissionSchema)
def withdraw(reference: str) -> Response:
    """Withdraw an earlier report; what only it supported is revoked. The submission tells what became of it."""
    with services().database.unit_of_work() as session:
        return accepted(submit_to_inbox(session, inbox.WITHDRAWAL, reference.encode(), 1))


def _is_csv(raw: bytes) -> bool:
    """Whether the body is CSV rather than JSON. Raises InvalidInput for an empty one, UnsupportedMedia."""
    if not raw.strip():
        raise InvalidInput("the body is empty", advice="Send a report as JSON: docs/examples/report.json is one.")
    if media_type() not in (CSV, JSON):
        raise UnsupportedMedia("reports come as application/json or text/csv", where="Content-Type")
    return media_type() == CSV
