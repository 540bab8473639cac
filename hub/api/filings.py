"""Members file known fraud and graded intelligence for the checking service."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from typing import Any

from flask import Response, request
from flask_smorest import Blueprint
from marshmallow import Schema, fields
from sqlalchemy.orm import Session

from hub import clock
from hub.api.accepting import CSV, JSON, KEY_PARAMETER, accepted, idempotency_key, media_type
from hub.api.submissions import SubmissionSchema
from hub.auth import Permission
from hub.checks.filings import filing as life
from hub.checks.filings import forms_csv
from hub.checks.filings.forms import load_filing, parts
from hub.checks.filings.forms_schema import FilingSchema
from hub.checks.filings.parts import Filer
from hub.checks.filings.records import Filing
from hub.checks.filings.view import MOST_LISTED, FilingView, listed, own_opened
from hub.errors import InvalidInput, UnsupportedMedia
from hub.feeds import inbox, sources
from hub.stix.canonical import parse_json
from hub.stix.tlp import Tlp
from hub.web import actor, allow, services

blueprint = Blueprint("filings", __name__, url_prefix="/api/v1/filings", description="Filings for the checking service")


class FilingBatchSchema(Schema):
    """Several filings with what they have in common; one alone may be sent without this frame."""

    purpose = fields.String()
    legal_gateway = fields.String()
    case_reference = fields.String()
    filings = fields.List(fields.Nested(FilingSchema), required=True)


class FilingEventSchema(Schema):
    """One thing that happened to a filing."""

    at = fields.String()
    by = fields.String(metadata={"description": "A person's id, credential:NAME, operator or hub"})
    what = fields.String(
        metadata={"description": "file, amend, approve, refuse, dispute, end-dispute, withdraw, expire"}
    )
    version = fields.Integer()
    state = fields.String()
    why = fields.String()


class FilingSummarySchema(Schema):
    """A filing without what it is about."""

    id = fields.String()
    reference = fields.String()
    state = fields.String(metadata={"description": "pending, live, disputed, withdrawn, expired or refused"})
    tier = fields.String()
    role = fields.String()
    category = fields.String()
    grade = fields.String()
    tlp = fields.String()
    purpose = fields.String()
    legal_gateway = fields.String()
    case_reference = fields.String()
    version = fields.Integer()
    filed_by = fields.String()
    filed_at = fields.String()
    amended_at = fields.String()
    approved_by = fields.String(allow_none=True)
    approved_at = fields.String(allow_none=True)
    valid_until = fields.String()


class FilingViewSchema(FilingSummarySchema):
    """A filing as its own member reads it."""

    document = fields.Nested(FilingSchema)
    published = fields.Integer(metadata={"description": "How many indicators stand in the ledger because of it"})
    history = fields.List(fields.Nested(FilingEventSchema))


class FilingListSchema(Schema):
    """Filings in the order of their ids; ``next`` goes into ``after``, null at the end."""

    filings = fields.List(fields.Nested(FilingSummarySchema))
    next = fields.String(allow_none=True)


class FilingReasonSchema(Schema):
    """Why."""

    reason = fields.String(required=True)


def _body(schema: type[Schema], *, csv: bool = False) -> dict[str, Any]:
    content: dict[str, Any] = {JSON: {"schema": schema}}
    return {"required": True, "content": {**content, CSV: {"schema": {"type": "string"}}} if csv else content}


@blueprint.post("")
@allow(Permission.FILINGS_SUBMIT)
@blueprint.doc(requestBody=_body(FilingBatchSchema, csv=True), parameters=[KEY_PARAMETER])
@blueprint.response(202, SubmissionSchema)
def submit() -> Response:
    """File up to 1,000. A single one is checked at once; of a batch, the submission tells each one's outcome.

    Known fraud waits until a second person of the organisation approves it in the console.
    """
    raw = request.get_data(cache=False)
    if not raw.strip():
        raise InvalidInput("the body is empty", advice="Send filings as JSON: docs/examples/bank-filing.json.")
    if media_type() not in (CSV, JSON):
        raise UnsupportedMedia("filings come as application/json or text/csv", where="Content-Type")
    return take(raw, None if media_type() == CSV else parse_json(raw))


def take(raw: bytes, document: Any) -> Response:
    """Put the filings of a body into the inbox; ``document`` is its JSON, None for CSV.

    Raises InvalidInput, TooLarge, NotPermitted.
    """
    actor().require(Permission.FILINGS_SUBMIT)
    found = parts(forms_csv.load_csv(raw) if document is None else document)
    if len(found) == 1:
        load_filing(found[0][1], actor().kind, found[0][0])
    parts_of_hub = services()
    with parts_of_hub.database.unit_of_work() as session:
        source = sources.of_member(session, actor(), parts_of_hub.settings.intake.default_grade)
        arrival = inbox.Arrival(
            inbox.FILINGS, source.id, _credential(), raw, len(found), actor().member_id, groups=actor().groups,
            idempotency_key=idempotency_key(),
        )  # fmt: skip
        return accepted(inbox.receive(session, parts_of_hub.vault, arrival))


def is_filing(raw: bytes, document: Any) -> bool:
    """Whether a body that came by the door of reports is one of filings; ``document`` is None for CSV."""
    if document is None:
        first = raw.removeprefix(codecs.BOM_UTF8).lstrip().split(b"\n", 1)[0]
        return forms_csv.is_header(first.decode("utf-8", "replace"))
    first_one = document[0] if isinstance(document, list) and document else document
    return isinstance(first_one, Mapping) and bool({"filings", "legal_gateway"} & set(first_one))


@blueprint.get("")
@allow(Permission.FILINGS_READ)
@blueprint.doc(
    parameters=[
        {"in": "query", "name": "state", "schema": {"type": "string"}},
        {"in": "query", "name": "after", "schema": {"type": "string"}},
        {"in": "query", "name": "limit", "schema": {"type": "integer", "minimum": 1, "maximum": MOST_LISTED}},
    ]
)
@blueprint.response(200, FilingListSchema)
def own_filings() -> dict[str, Any]:
    """The organisation's own filings, without what they are about."""
    limit = _limit(request.args.get("limit", str(MOST_LISTED)))
    with services().database.reading() as session:
        found = listed(
            session, member_id=actor().member_id, state=request.args.get("state", ""),
            after=request.args.get("after", "")[:80], limit=limit,
        )  # fmt: skip
    return {"filings": [_summary(one) for one in found], "next": found[-1].id if len(found) == limit else None}


@blueprint.get("/<filing_id>")
@allow(Permission.FILINGS_READ)
@blueprint.response(200, FilingViewSchema)
def own_filing(filing_id: str) -> dict[str, Any]:
    """One of the organisation's own filings with its history; another member's is not found."""
    with services().database.reading() as session:
        return _shown(own_opened(session, services().filings(), actor().member_id, filing_id))


@blueprint.put("/<filing_id>")
@allow(Permission.FILINGS_SUBMIT)
@blueprint.doc(requestBody=_body(FilingSchema))
@blueprint.response(200, FilingViewSchema)
def amend(filing_id: str) -> dict[str, Any]:
    """Write a new version, at once. Known fraud waits for its approval again, and is suppressed until then."""
    form = load_filing(_json(), actor().kind)
    with services().database.unit_of_work() as session:
        life.amend(session, services().filings(), _filer(session), filing_id, form)
        return _own(session, filing_id)


@blueprint.delete("/<filing_id>")
@allow(Permission.FILINGS_SUBMIT)
@blueprint.response(200, FilingViewSchema)
def withdraw(filing_id: str) -> dict[str, Any]:
    """Take a filing back for good, at once."""
    with services().database.unit_of_work() as session:
        life.withdraw(session, services().filings(), _credential(), actor().member_id, filing_id)
        return _own(session, filing_id)


@blueprint.post("/<filing_id>/dispute")
@allow(Permission.FILINGS_SUBMIT)
@blueprint.doc(requestBody=_body(FilingReasonSchema))
@blueprint.response(200, FilingViewSchema)
def dispute(filing_id: str) -> dict[str, Any]:
    """Suppress a filing at once, in checks and in the collections, until the dispute ends."""
    why = _reason()
    with services().database.unit_of_work() as session:
        life.dispute(session, services().filings(), _credential(), actor().member_id, filing_id, why)
        return _own(session, filing_id)


@blueprint.post("/<filing_id>/dispute/end")
@allow(Permission.FILINGS_SUBMIT)
@blueprint.doc(requestBody=_body(FilingReasonSchema))
@blueprint.response(200, FilingViewSchema)
def end_dispute(filing_id: str) -> dict[str, Any]:
    """End a dispute in favour of the filing; known fraud waits for its approval again."""
    why = _reason()
    with services().database.unit_of_work() as session:
        life.end_dispute(session, services().filings(), _credential(), actor().member_id, filing_id, why)
        return _own(session, filing_id)


def _credential() -> str:
    """Who files, where no person is known: the credential."""
    return f"credential:{actor().username}"


def _filer(session: Session) -> Filer:
    return services().filings().filer_of(session, actor().member_id, _credential())


def _own(session: Session, filing_id: str) -> dict[str, Any]:
    return _shown(own_opened(session, services().filings(), actor().member_id, filing_id))


def _json() -> Any:
    if media_type() != JSON:
        raise UnsupportedMedia("this comes as application/json", where="Content-Type")
    return parse_json(request.get_data(cache=False))


def _reason() -> str:
    document = _json()
    reason = document.get("reason") if isinstance(document, Mapping) and set(document) == {"reason"} else None
    if not isinstance(reason, str):
        raise InvalidInput("this takes a reason and nothing else", where="reason", advice='Send {"reason": "…"}.')
    return reason


def _limit(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 6:
        raise InvalidInput(f"must be 1 to {MOST_LISTED}", where="limit")
    return int(text)


def _summary(filing: Filing) -> dict[str, Any]:
    return {
        "id": filing.id, "reference": filing.reference, "state": filing.state, "tier": filing.tier,
        "role": filing.role, "category": filing.category, "grade": filing.grade, "tlp": Tlp(filing.tlp).label,
        "purpose": filing.purpose, "legal_gateway": filing.legal_gateway, "case_reference": filing.case_reference,
        "version": filing.version, "filed_by": filing.filed_by, "filed_at": clock.timestamp(filing.filed_at),
        "amended_at": clock.timestamp(filing.amended_at), "approved_by": filing.approved_by,
        "approved_at": None if filing.approved_at is None else clock.timestamp(filing.approved_at),
        "valid_until": clock.timestamp(filing.valid_until),
    }  # fmt: skip


def _shown(view: FilingView) -> dict[str, Any]:
    history = [
        {"at": clock.timestamp(one.at), "by": one.by, "what": one.what, "version": one.version, "state": one.state,
         "why": one.why}
        for one in view.events
    ]  # fmt: skip
    return {**_summary(view.filing), "document": view.document, "published": view.published, "history": history}
