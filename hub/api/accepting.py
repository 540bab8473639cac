"""What every door that takes something in shares: the key of a repeat, and the answer 202."""

from __future__ import annotations

from flask import Response, make_response, request
from werkzeug.http import parse_options_header

from hub.api.submissions import shown
from hub.errors import InvalidInput
from hub.feeds.inbox import SubmissionView
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


def idempotency_key() -> str | None:
    """The key of the request, None without one. Raises InvalidInput."""
    key = request.headers.get(KEY_HEADER)
    if key is not None and (not key.strip() or len(key) > LONGEST_KEY or not key.isprintable()):
        raise InvalidInput(f"a key has 1 to {LONGEST_KEY} printable characters", where=KEY_HEADER)
    return key


def media_type() -> str:
    """The media type of the body, "" where none is stated."""
    return parse_options_header(request.headers.get("Content-Type"))[0]
