"""Members look single indicators up, and post values without writing STIX."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from flask import Response, make_response, request
from flask_smorest import Blueprint

from hub.api.accepting import JSON, KEY_PARAMETER, json_body, take
from hub.api.asking import known_only, single
from hub.api.indicators_schema import (
    ANSWERED,
    LOOK_UP,
    MOST_ASKED,
    PARAMETERS,
    POSTED_INDICATORS,
    LookedUpSchema,
    LookUpSchema,
)
from hub.api.submissions import TAKEN_EXAMPLE, SubmissionSchema
from hub.auth import Permission
from hub.errors import InvalidInput
from hub.feeds import inbox, lookup
from hub.feeds.lookup import Seen, Shown
from hub.feeds.posted import INDICATOR_ID, KINDS, PostedIndicatorsSchema, load_indicators
from hub.feeds.sift import shown as shortened
from hub.members import membership
from hub.stix.pattern import values_in
from hub.stix.tlp import object_tlp
from hub.stix.values import Kind, Value
from hub.web import actor, allow, head, services
from hub.web.disclosing import disclose
from hub.web.links import absolute

blueprint = Blueprint("indicators", __name__, url_prefix="/api/v1/indicators", description="Indicators, one by one")

NO_ID = "this is not the id of an indicator"
ADVICE = "Give value=… or id=…, each up to 100 times, one of both."
PARTS = ("confidence", "valid_until", "created_by_ref")


@dataclass(frozen=True, slots=True)
class Asked:
    """One value or id that is looked up; ``ids`` are those of the indicators that may be shown for it."""

    text: str
    value: Value | None = None
    invalid: str | None = None
    ids: tuple[str, ...] = ()


@blueprint.get("")
@allow(Permission.TAXII_READ)
@blueprint.doc(parameters=PARAMETERS)
@blueprint.response(200, LookedUpSchema, example=ANSWERED)
def look_up() -> Response:
    """What you may see of values in any spelling, or of ids: the same as you would be given by TAXII."""
    known_only("value", "kind", "id")
    values, ids = request.args.getlist("value"), request.args.getlist("id")
    return _answered(_asked(values, ids, single("kind"), ("value", "id")))


@blueprint.post("/look-up")
@allow(Permission.TAXII_READ)
@blueprint.doc(requestBody={"required": True, "content": {JSON: {"schema": LookUpSchema, "example": LOOK_UP}}})
@blueprint.response(200, LookedUpSchema, example=ANSWERED)
def look_up_by_body() -> Response:
    """The same, where the values do not go into an address: those of people, or long ones."""
    _, document = json_body('Send {"values": [ … ]}')
    if not isinstance(document, dict) or not document.keys() <= {"values", "ids", "kind"}:
        raise InvalidInput("an object of values or ids, and kind", where="body", advice='Send {"values": [ … ]}')
    kind = document.get("kind")
    if kind is not None and not isinstance(kind, str):
        raise InvalidInput("must be a text", where="kind")
    values, ids = _texts(document, "values"), _texts(document, "ids")
    return _answered(_asked(values, ids, kind, ("values", "ids")))


@blueprint.post("")
@allow(Permission.REPORTS_SUBMIT)
@blueprint.doc(
    requestBody={
        "required": True,
        "description": "Up to 1,000 values, and whom they are for",
        "content": {JSON: {"schema": PostedIndicatorsSchema, "example": POSTED_INDICATORS}},
    },
    parameters=[KEY_PARAMETER],
)
@blueprint.response(202, SubmissionSchema, example=TAKEN_EXAMPLE)
def post() -> Response:
    """Post values. The body is checked at once; what became of each value, the submission tells."""
    raw, document = json_body('Send {"indicators": [{"value": "evil[.]example"}]}')
    posted = load_indicators(document)
    groups = actor().groups if posted.groups is None else _own_groups(posted.groups)
    tlp = None if posted.tlp is None else int(posted.tlp)
    return take(inbox.INDICATORS, raw, len(posted.rows), tlp=tlp, groups=groups)


def seen_by_asker(ids: Sequence[str]) -> Seen:
    """What the one who asks may see of these indicators."""
    parts = services()
    return lookup.Reader(parts.database, parts.views, actor(), head()).seen(sorted(set(ids)))


def read_asked(text: str, kind: Kind | None) -> Asked:
    """A value that is looked up, or why it is none."""
    try:
        return Asked(text, lookup.read_as(text, kind))
    except InvalidInput as error:
        return Asked(text, invalid=error.message)


def _asked(values: Sequence[str], ids: Sequence[str], kind: str | None, names: tuple[str, str]) -> list[Asked]:
    """What is looked up. Raises InvalidInput."""
    if bool(values) == bool(ids):
        raise InvalidInput(f"must have {names[0]} or {names[1]}, one of both", where=names[0], advice=ADVICE)
    if len(values or ids) > MOST_ASKED:
        raise InvalidInput(f"at most {MOST_ASKED} are looked up at once", where=names[0] if values else names[1])
    if kind is not None and (ids or kind not in KINDS):
        raise InvalidInput(
            "goes with values" if ids else "there is no such kind", where="kind", advice=f"Known: {', '.join(KINDS)}."
        )
    if ids:
        return [Asked(one, ids=(one,)) if INDICATOR_ID.fullmatch(one) else Asked(one, invalid=NO_ID) for one in ids]
    read = [read_asked(one, None if kind is None else Kind(kind)) for one in values]
    wanted = {one.value for one in read if one.value is not None}
    with services().database.reading() as session:
        present = lookup.present_ids(session, services().namespace, wanted)
        objects = lookup.object_ids(session, services().namespace, wanted)
    return [
        Asked(one.text, one.value, one.invalid, (present[one.value], *objects.get(one.value, ())))
        if one.value in present
        else one
        for one in read
    ]


def _answered(asked: Sequence[Asked]) -> Response:
    seen = seen_by_asker([one for each in asked for one in each.ids])
    for given in seen.given:
        disclose(given.collection_no, given.seqs, None, given.redacted)
    answers = [
        {
            "asked": shortened(one.text),
            "kind": one.value.kind.value if one.value else None,
            "value": one.value.text if one.value else None,
            "invalid": one.invalid,
            "indicators": [_shown(seen.indicators[each], one.value) for each in one.ids if each in seen.indicators],
        }
        for one in asked
    ]
    answer = make_response(orjson.dumps({"answers": answers}))
    answer.content_type = JSON
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _shown(found: Shown, value: Value | None) -> dict[str, Any]:
    obj, stix_id = found.obj, found.obj["id"]
    said = _value_of(obj) if value is None else value
    tlp = object_tlp(dict(obj))
    return {
        "id": stix_id,
        "kind": said.kind.value if said else None,
        "value": said.text if said else None,
        "pattern": obj["pattern"],
        **{name: obj.get(name) for name in PARTS},
        "labels": obj.get("labels", []),
        "kill_chain_phases": obj.get("kill_chain_phases", []),
        "tlp": tlp.label if tlp is not None else None,
        "valid_from": obj["valid_from"],
        "created": obj["created"],
        "modified": obj["modified"],
        "revoked": obj.get("revoked", False),
        "withheld": found.withheld,
        "collections": [one.alias for one in found.collections],
        "object": absolute(f"/taxii2/signed/collections/{found.collections[0].id}/objects/{stix_id}/"),
    }


def _value_of(obj: Mapping[str, Any]) -> Value | None:
    """The one value that an indicator's pattern is of."""
    found = values_in(obj["pattern"]) if obj.get("pattern_type") == "stix" else []
    return found[0] if len(found) == 1 else None


def _texts(document: Mapping[str, Any], name: str) -> list[str]:
    given = document.get(name, [])
    if not isinstance(given, list):
        raise InvalidInput("must be a list of texts", where=name)
    for place, one in enumerate(given[: MOST_ASKED + 1]):
        if not isinstance(one, str):
            raise InvalidInput("must be a text", where=f"{name}[{place}]")
    return given


def _own_groups(names: Sequence[str]) -> frozenset[int]:
    """The ids of sharing groups that the member is in. Raises InvalidInput, for others' groups as for none."""
    with services().database.reading() as session:
        own = set(membership.groups_of(session, actor().member_id))
        for place, name in enumerate(names):
            if name not in own:
                raise InvalidInput("you are in no sharing group of this name", where=f"groups[{place}]")
        return membership.group_ids(session, names)
