"""Correction notices: which of a member's own matches have been corrected since."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from flask import request
from flask_smorest import Blueprint
from marshmallow import Schema, fields

from hub import clock
from hub.auth import Permission
from hub.checks.kept import notices
from hub.errors import InvalidInput
from hub.web import actor, allow, services

blueprint = Blueprint("notices", __name__, url_prefix="/api/v1/notices", description="Corrections of matches")

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class NoticeSchema(Schema):
    """One correction."""

    id = fields.String()
    at = fields.String()
    what = fields.String(metadata={"description": "amended, disputed, dispute-ended or withdrawn"})
    words = fields.String()
    checks = fields.List(fields.String(), metadata={"description": "The ids of your checks that rested on it"})


class NoticesSchema(Schema):
    """Corrections, oldest first."""

    notices = fields.List(fields.Nested(NoticeSchema))


@blueprint.get("")
@allow(Permission.NOTICES_READ)
@blueprint.doc(
    parameters=[
        {
            "in": "query",
            "name": "since",
            "schema": {"type": "string", "format": "date-time"},
            "description": "Only what was told after this instant, such as the `at` of the last one that you have",
        }
    ]
)
@blueprint.response(200, NoticesSchema)
def listed() -> dict[str, Any]:
    """The corrections of what your organisation was given as a match."""
    with services().database.reading() as session:
        found = notices.of_member(session, actor().member_id, _since())
    return {
        "notices": [
            {
                "id": one.id,
                "at": clock.timestamp(one.at),
                "what": one.what,
                "words": notices.WORDS[one.what],
                "checks": one.checks,
            }
            for one in found
        ]
    }


def _since() -> int:
    """The instant of the parameter ``since``, in microseconds."""
    given = request.args.get("since")
    if given is None:
        return 0
    try:
        return (datetime.fromisoformat(given) - EPOCH) // timedelta(microseconds=1)
    except (ValueError, TypeError, OverflowError):  # TypeError: it has no zone
        raise InvalidInput("is a timestamp such as 2026-11-02T09:30:00Z", where="since") from None
