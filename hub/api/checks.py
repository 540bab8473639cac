"""Members check accounts, telephones, people and companies against what others know of them."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response, make_response, request
from flask_smorest import Blueprint
from marshmallow import Schema, fields

from hub import clock
from hub.api.accepting import json_body, media_type
from hub.auth import Permission
from hub.checks.searching import decisions, jobs, questions, quotas, reading, reciprocity, sampling
from hub.checks.searching.checking import Checked, document
from hub.checks.searching.jobs_files import CSV, JSON_LINES
from hub.checks.searching.questions import Question
from hub.checks.searching.records import CheckJob
from hub.clock import DAY
from hub.errors import InvalidInput, UnsupportedMedia
from hub.web import actor, allow, services
from hub.web.links import absolute

blueprint = Blueprint("checks", __name__, url_prefix="/api/v1/checks", description="The checking service")

MEDIA_TYPES = {"text/csv": CSV, "application/x-ndjson": JSON_LINES, "application/jsonl": JSON_LINES}
WRITTEN_AS = {CSV: "text/csv; charset=utf-8", JSON_LINES: "application/x-ndjson"}
BASIS_FIELDS = ("purpose", "legal_gateway", "case_reference")
YEAR_MICROS = 365 * DAY


class SubjectSchema(Schema):
    """What is checked: ``value``, or for a person ``name`` with ``date_of_birth`` or ``postcode``."""

    kind = fields.String(required=True)
    value = fields.String()
    name = fields.String()
    date_of_birth = fields.Date()
    postcode = fields.String()
    ref = fields.String(metadata={"description": "The asker's own reference, given back"})


class SearchSchema(Schema):
    """A search."""

    purpose = fields.String(required=True)
    legal_gateway = fields.String(required=True)
    case_reference = fields.String(required=True)
    subject = fields.Nested(SubjectSchema)
    subjects = fields.List(fields.Nested(SubjectSchema), metadata={"description": "Up to 1,000"})


class AnswerSchema(Schema):
    """The answer about one subject; the same fields whatever was found."""

    check_id = fields.String()
    ref = fields.String(allow_none=True)
    kind = fields.String()
    outcome = fields.String(metadata={"description": "match, possible, no_match, invalid, not_searchable"})
    tier = fields.String(allow_none=True, metadata={"description": "known_fraud, intelligence, protect"})
    category = fields.String(allow_none=True)
    grade = fields.String(allow_none=True)
    confidence = fields.Integer(allow_none=True)
    sources = fields.String(allow_none=True, metadata={"description": "Independent others: 1, 2, 3-5, 6+"})
    first_seen = fields.String(allow_none=True, metadata={"description": "A month"})
    last_seen = fields.String(allow_none=True, metadata={"description": "A month"})
    status = fields.String(allow_none=True, metadata={"description": "live, disputed, expired"})
    handling = fields.String(allow_none=True)
    tlp = fields.String(allow_none=True)
    marker = fields.String(allow_none=True, metadata={"description": "false-identity, impersonated-victim"})
    contact = fields.String(allow_none=True, metadata={"description": "The hub reaches the owner by it"})
    reason = fields.String(allow_none=True)
    words = fields.String()


class AnswersSchema(Schema):
    """A search and its answers, in the order of its subjects."""

    id = fields.String()
    at = fields.String()
    purpose = fields.String()
    legal_gateway = fields.String()
    case_reference = fields.String()
    justify_by = fields.String(allow_none=True, metadata={"description": "Drawn: to be justified until then"})
    notice = fields.String()
    answers = fields.List(fields.Nested(AnswerSchema))


class DecisionSchema(Schema):
    """What the checker decided, and why a drawn search was made."""

    decision = fields.String(metadata={"description": "proceeded, declined, referred, reported, none"})
    reason = fields.String()
    justification = fields.String()


class JobSchema(Schema):
    """A file that a worker checks."""

    id = fields.String()
    state = fields.String(metadata={"description": "pending, running, complete, failed"})
    received_at = fields.String()
    finished_at = fields.String(allow_none=True)
    total = fields.Integer()
    done = fields.Integer()
    failure = fields.String(allow_none=True)
    result = fields.String(allow_none=True, metadata={"description": "Where the result is, once complete"})
    deleted_after = fields.String()


def _json_body(schema: type[Schema]) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


@blueprint.post("")
@allow(Permission.CHECKS_SEARCH)
@blueprint.doc(requestBody=_json_body(SearchSchema))
@blueprint.response(200, AnswersSchema)
def check() -> Response:
    """Check one subject or up to 1,000. A match is not evidence of fraud, and no match is not clearance."""
    most = services().settings.checks.max_batch
    asked = questions.question(_json(), actor().kind, most)
    return _answered(document(services().vault, services().checks.search(actor(), asked)))


@blueprint.get("/<check_id>")
@allow(Permission.CHECKS_SEARCH)
@blueprint.response(200, AnswersSchema)
def again(check_id: str) -> Response:
    """A check once more, as it was answered; ``status`` tells whether what it rested on still stands."""
    parts = services()
    with parts.database.reading() as session:
        search, place = reading.search_of(session, actor().member_id, check_id)
        answers = reading.answers_of(session, parts.vault, parts.checks.knowledge.indicators, search)
        question = Question(reading.basis_of(search), reading.case_reference_of(parts.vault, search), ())
        checked = Checked(search.id, search.at, question, answers, reading.justify_by(session, search.no))
        told = document(parts.vault, checked)
        told["decisions"] = decisions.decisions_of(session, parts.vault, search.no, search.id)
    if place is not None:
        told["answers"] = [told["answers"][place]]
        told["decisions"] = [one for one in told["decisions"] if one["position"] in (place, None)]
    return _answered(told)


@blueprint.post("/<check_id>/decision")
@allow(Permission.CHECKS_SEARCH)
@blueprint.doc(requestBody=_json_body(DecisionSchema))
@blueprint.response(201)
def decide(check_id: str) -> Response:
    """Note what was decided after a check, or why a search that was drawn had been made."""
    given = _json()
    if not isinstance(given, dict) or not given.keys() <= {"decision", "reason", "justification"}:
        raise InvalidInput("an object of decision, reason and justification", where="body")
    parts = services()
    with parts.database.unit_of_work() as session:
        noted = decisions.decide(session, parts.vault, actor().member_id, actor().username, check_id, given)
    return _answered({"noted": noted}, 201)


@blueprint.post("/jobs")
@allow(Permission.CHECKS_SEARCH)
@blueprint.doc(
    requestBody={
        "required": True,
        "description": "Up to 100,000 subjects: CSV with a header, or a JSON object in each line",
        "content": {one: {"schema": {"type": "string"}} for one in ("text/csv", "application/x-ndjson")},
    },
    parameters=[{"in": "query", "name": name, "required": True, "schema": {"type": "string"}} for name in BASIS_FIELDS],
)
@blueprint.response(202, JobSchema)
def take_file() -> Response:
    """Have a file checked; its job tells how far it is."""
    if (given_type := media_type()) not in MEDIA_TYPES:
        raise UnsupportedMedia("a file comes as text/csv or application/x-ndjson", where="Content-Type")
    given = {name: request.args.get(name) for name in BASIS_FIELDS}
    file = jobs.File(
        questions.basis_of(given, actor().kind), questions.case_of(given), MEDIA_TYPES[given_type],
        request.get_data(cache=False),
    )  # fmt: skip
    parts = services()
    with parts.database.unit_of_work() as session:
        job = jobs.take(session, parts.vault, parts.settings.checks, actor(), file)
    answer = _answered(_job(job), 202)
    answer.headers["Location"] = absolute(f"/api/v1/checks/jobs/{job.id}")
    return answer


@blueprint.get("/jobs/<job_id>")
@allow(Permission.CHECKS_SEARCH)
@blueprint.response(200, JobSchema)
def job(job_id: str) -> Response:
    """How far a file is."""
    with services().database.reading() as session:
        return _answered(_job(jobs.of_member(session, actor().member_id, job_id)))


@blueprint.get("/jobs/<job_id>/result")
@allow(Permission.CHECKS_SEARCH)
@blueprint.response(200)
def result(job_id: str) -> Response:
    """The answers to a file, in its order and its format."""
    with services().database.reading() as session:
        found = jobs.of_member(session, actor().member_id, job_id)
        body = b"".join(jobs.result(session, services().vault, found))
        return Response(body, content_type=WRITTEN_AS[found.format])


@blueprint.get("/allowance")
@allow(Permission.CHECKS_SEARCH)
@blueprint.response(200)
def allowance() -> Response:
    """What the member may still ask for, what it has to justify, and what it gives beside what it takes."""
    parts, member_id = services(), actor().member_id
    with parts.database.reading() as session:
        left = {
            one.value: quotas.allowance(session, member_id, one.value, parts.settings.checks)
            for one in questions.PURPOSES
        }
        balance = reciprocity.balance_of(session, member_id, clock.micros() - YEAR_MICROS)
        waiting = sampling.waiting(session, member_id)
    return _answered(
        {
            "purposes": {
                purpose: {
                    "per_hour": one.per_hour,
                    "per_day": one.per_day,
                    "left_this_hour": max(0, one.per_hour - one.used_hour),
                    "left_this_day": max(0, one.per_day - one.used_day),
                }
                for purpose, one in left.items()
            },
            "to_justify": [
                {"id": search.id, "purpose": search.purpose, "by": clock.timestamp(due)} for search, due in waiting
            ],
            "past_year": {"filed": balance.filed, "live_filings": balance.live, "asked": balance.asked},
        }
    )


def _json() -> Any:
    return json_body("docs/checks.md shows a search.")[1]


def _job(found: CheckJob) -> dict[str, Any]:
    return {
        "id": found.id,
        "state": found.state,
        "received_at": clock.timestamp(found.received_at),
        "finished_at": None if found.finished_at is None else clock.timestamp(found.finished_at),
        "total": found.total,
        "done": found.done,
        "failure": found.failure,
        "result": absolute(f"/api/v1/checks/jobs/{found.id}/result") if found.state == jobs.COMPLETE else None,
        "deleted_after": clock.timestamp(found.delete_after),
    }


def _answered(body: dict[str, Any], status: int = 200) -> Response:
    answer = make_response(orjson.dumps(body), status)
    answer.content_type = "application/json"
    answer.headers["Cache-Control"] = "no-store"
    return answer
