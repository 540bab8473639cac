"""What every door that takes something in shares: the body, the key of a repeat, and the answer 202."""

from __future__ import annotations

from typing import Any

from flask import Response, make_response, request
from werkzeug.http import parse_options_header

from hub.api.submissions import shown
from hub.errors import InvalidInput, UnsupportedMedia
from hub.feeds import inbox, sources
from hub.feeds.inbox import SubmissionView
from hub.stix.canonical import parse_json
from hub.web import actor, services
from hub.web.links import absolute

CSV = "text/csv"
JSON = "application/json"
KEY_HEADER = "Idempotency-Key"
LONGEST_KEY = 255
KEY_PARAMETER = {
    "in": "header",
    "name": KEY_HEADER,
    "schema": {"type": "string", "maxLength": LONGEST_KEY},
    "description": "The same key with the same body gives the first submission again",
}


def accepted(submission: SubmissionView) -> Response:
    """202 with the submission, and where it tells what became of it."""
    answer = make_response(shown(submission), 202)
    answer.headers["Location"] = absolute(f"/api/v1/submissions/{submission.id}")
    return answer


def json_body(advice: str) -> tuple[bytes, Any]:
    """The body and what its JSON says. Raises InvalidInput, with ``advice`` for an empty one, UnsupportedMedia."""
    raw = request.get_data(cache=False)
    if not raw.strip():
        raise InvalidInput("the body is empty", advice=advice)
    if media_type() != JSON:
        raise UnsupportedMedia(f"this comes as {JSON}", where="Content-Type")
    return raw, parse_json(raw)


def take(kind: str, raw: bytes, total: int, **more: Any) -> Response:
    """Put what a member posts without writing STIX into the inbox, as the source that it is there."""
    parts, key = services(), idempotency_key()
    parts.disclosures.flush()  # what it has just looked up and says now is an echo
    with parts.database.unit_of_work() as session:
        source = sources.of_values(session, actor(), parts.settings.intake.default_grade)
        arrival = inbox.Arrival(
            kind, source.id, actor().member_id, raw, total, actor().member_id, idempotency_key=key, **more
        )
        return accepted(inbox.receive(session, parts.vault, arrival))


def idempotency_key() -> str | None:
    """The key of the request, None without one. Raises InvalidInput."""
    key = request.headers.get(KEY_HEADER)
    if key is not None and (not key.strip() or len(key) > LONGEST_KEY or not key.isprintable()):
        raise InvalidInput(f"a key has 1 to {LONGEST_KEY} printable characters", where=KEY_HEADER)
    return key


def media_type() -> str:
    """The media type of the body, "" where none is stated."""
    return parse_options_header(request.headers.get("Content-Type"))[0]
