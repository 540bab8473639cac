"""Members say that they saw an indicator: how often, and when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response
from flask_smorest import Blueprint

from hub.api.accepting import JSON, KEY_PARAMETER, json_body, take
from hub.api.indicators import read_asked, seen_by_asker
from hub.api.indicators_schema import POSTED_SIGHTINGS
from hub.api.submissions import TAKEN_EXAMPLE, SubmissionSchema
from hub.auth import Permission
from hub.feeds import inbox, lookup
from hub.feeds.lookup import Shown
from hub.feeds.posted import PostedSighting, PostedSightingsSchema, load_sightings
from hub.feeds.sightings_batch import Resolved, column_of
from hub.feeds.values_batch import collection_of
from hub.stix.pattern import values_in
from hub.web import actor, allow, services

blueprint = Blueprint("sightings", __name__, url_prefix="/api/v1/sightings", description="We saw this here")

NOT_THE_HUBS = "this is a member's own object; give the value that you saw instead"
REVOKED = "this indicator was revoked; give the value, if you saw it since"


@blueprint.post("")
@allow(Permission.REPORTS_SUBMIT)
@blueprint.doc(
    requestBody={
        "required": True,
        "description": "Up to 1,000 sightings",
        "content": {JSON: {"schema": PostedSightingsSchema, "example": POSTED_SIGHTINGS}},
    },
    parameters=[KEY_PARAMETER],
)
@blueprint.response(202, SubmissionSchema, example={**TAKEN_EXAMPLE, "kind": inbox.SIGHTINGS})
def post() -> Response:
    """Say what you saw. It is shown as a sighting of yours, or of your sector where you are anonymous.

    The same row again changes nothing; one without a time counts once a day.
    """
    raw, document = json_body('Send {"sightings": [{"value": "evil[.]example"}]}')
    rows = load_sightings(document)
    known = _looked_up(rows)
    return take(inbox.SIGHTINGS, raw, len(rows), mapping=known, groups=actor().groups)


def _looked_up(rows: Sequence[PostedSighting]) -> dict[str, Any]:
    """What the rows are of, as far as the member may see it now; the worker asks no more who may see what."""
    ids = {place: row.indicator for place, row in enumerate(rows) if row.indicator is not None}
    read = {place: read_asked(row.raw, row.kind) for place, row in enumerate(rows) if row.raw is not None}
    with services().database.reading() as session:
        wanted = {one.value for one in read.values() if one.value is not None}
        present = lookup.present_ids(session, services().namespace, wanted)
    ids |= {place: present[one.value] for place, one in read.items() if one.value in present}
    seen = seen_by_asker(list(ids.values())).indicators
    resolved: dict[int, Resolved] = {}
    refused: dict[int, str] = {}
    for place, stix_id in ids.items():
        if stix_id not in seen:
            continue
        found = _resolved(seen[stix_id])
        if isinstance(found, Resolved):
            resolved[place] = found
        elif place not in read:
            refused[place] = found
    return column_of(resolved, refused)


def _resolved(found: Shown) -> Resolved | str:
    """The value of a hub's indicator and a collection where it stands, or why it cannot be sighted by its id."""
    values = values_in(found.obj["pattern"]) if found.obj.get("created_by_ref") == services().hub_ref else []
    if len(values) != 1:
        return NOT_THE_HUBS
    if found.obj.get("revoked", False):
        return REVOKED
    usual = collection_of(values[0].kind)
    return Resolved(values[0], min(found.collections, key=lambda one: (one.alias != usual, one.no)).no)
