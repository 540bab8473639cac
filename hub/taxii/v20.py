"""TAXII 2.0 (Committee Specification 01) beside 2.1: the same collections, objects as STIX 2.0, paging by Range.

Section numbers here are those of TAXII 2.0.
"""

from __future__ import annotations

from typing import Any

import orjson
from flask import Blueprint, Response, request

from hub import clock
from hub.errors import InvalidInput, NotFound, Unprocessable
from hub.feeds import inbox
from hub.ledger.collections import CollectionView
from hub.ledger.known import visible_ids
from hub.stix.canonical import parse_json
from hub.stix.downconvert import id20, ids21
from hub.stix.upconvert import upconvert
from hub.taxii import access, parameters, v20_pages, v20_ranges
from hub.taxii.media import STIX_20, TAXII_20, V20, check_accept, check_content_type
from hub.taxii.posting import objects_of
from hub.taxii.reading import mark_added
from hub.taxii.status import status_resource
from hub.taxii.v20_pages import Question
from hub.web import SIGNED_IN, actor, allow, head, services
from hub.web.delivery import PageResponse
from hub.web.links import absolute
from hub.web.submitting import submit

blueprint = Blueprint("taxii20", __name__, url_prefix="/taxii")

API_ROOT = "root"
ROOT = f"/{API_ROOT}/"
COLLECTION = f"{ROOT}collections/<collection>/"
LEFT_OUT = "X-Hub-Left-Out"


@blueprint.before_request
def negotiate() -> None:
    """Every endpoint answers in TAXII 2.0 JSON."""
    check_accept(request.headers.get("Accept"), V20)


@blueprint.get("/", strict_slashes=False)
@allow(SIGNED_IN)
def discovery() -> Response:
    """Server information (section 4.1)."""
    settings = services().settings
    root = absolute(f"/taxii{ROOT}")
    return _resource(
        {
            "title": settings.taxii.title,
            "description": settings.taxii.description,
            "contact": settings.identity.contact,
            "default": root,
            "api_roots": [root],
        }
    )


@blueprint.get(ROOT, strict_slashes=False)
@allow(SIGNED_IN)
def api_root() -> Response:
    """The API root (section 4.2)."""
    return _resource(
        {
            "title": "Objects as they were accepted, in STIX 2.0",
            "versions": ["taxii-2.0"],
            "max_content_length": services().settings.server.max_body_bytes,
        }
    )


@blueprint.get(f"{ROOT}status/<submission>/", strict_slashes=False)
@allow(SIGNED_IN)
def status(submission: str) -> Response:
    """What became of a POST (section 4.3); another member's is not found."""
    with services().database.reading() as session:
        return _resource(_status(inbox.of_member(session, submission, actor().member_id)))


@blueprint.get(f"{ROOT}collections/", strict_slashes=False)
@allow(SIGNED_IN)
def collections() -> Response:
    """The collections that the member may use (section 5.1)."""
    found = [_collection_resource(one) for one in services().views.of(actor(), head()).collections]
    span = v20_ranges.span(request.headers.get("Range"), len(found), len(found), len(found))
    shown = found[span.start : span.start + span.length]
    return span.mark(_resource({"collections": shown} if shown else {}))


@blueprint.get(COLLECTION, strict_slashes=False)
@allow(SIGNED_IN)
def collection(collection: str) -> Response:
    """One collection (section 5.2)."""
    return _resource(_collection_resource(access.found(collection)))


@blueprint.get(f"{COLLECTION}objects/", strict_slashes=False)
@allow(SIGNED_IN)
def get_objects(collection: str) -> Response:
    """A bundle of objects (section 5.3)."""
    return _bundle(Question.of(request, actor(), head(), access.readable(collection)))


@blueprint.get(f"{COLLECTION}objects/<stix_id>/", strict_slashes=False)
@allow(SIGNED_IN)
def get_object(collection: str, stix_id: str) -> Response:
    """The versions of one object (section 5.5)."""
    readable = access.readable(collection)
    if not parameters.is_stix_id(stix_id):
        raise NotFound("there is no such object in this collection")
    question = Question.of(request, actor(), head(), readable, stix_id)
    if not visible_ids(services().database, services().views, actor(), head(), question.query.ids, readable.no):
        raise NotFound("there is no such object in this collection")
    return _bundle(question)


@blueprint.post(f"{COLLECTION}objects/", strict_slashes=False)
@allow(SIGNED_IN)
def add_objects(collection: str) -> Response:
    """Take a bundle of STIX 2.0 in; what becomes of each object is told by the status resource (section 5.4)."""
    target = access.writable(collection)
    check_content_type(request.headers.get("Content-Type"), V20)
    raw = request.get_data(cache=False)
    found = objects_of(raw, services().settings.taxii.max_post_objects)
    objects = [_converted(obj) for obj in _with_hub_ids(_objects_of_bundle(raw))]
    with services().database.unit_of_work() as session:
        raw = orjson.dumps({"objects": objects})
        submission = submit(session, inbox.ENVELOPE, raw, found, collection_no=target.no, groups=actor().groups)
    return _resource(_status(submission), 202)


@blueprint.get(f"{COLLECTION}manifest/", strict_slashes=False)
@allow(SIGNED_IN)
def manifest(collection: str) -> Response:
    """An entry for each object (section 5.6)."""
    question = Question.of(request, actor(), head(), access.readable(collection))
    page = question.page()
    shown = [
        {
            "id": entry["id"],
            "date_added": clock.timestamp(entry["added"]),
            "versions": entry["versions"],
            "media_types": [STIX_20],
        }
        for entry in v20_pages.manifest(question, page)
    ]
    response = _resource({"objects": shown} if shown else {})
    mark_added(response, page.added, question.query.added_after)
    return question.span.mark(response)


def _bundle(question: Question) -> Response:
    page = question.objects()
    about = {"type": "bundle", "id": v20_pages.bundle_id(page.tag), "spec_version": "2.0"}
    before = orjson.dumps(about)[:-1]
    response = (
        PageResponse(before + b',"objects":[', page.objects, b"]}", STIX_20)
        if page.seqs
        else Response(before + b"}", content_type=STIX_20)
    )
    response.headers["ETag"] = f'"{page.tag}"'
    if page.left_out:
        response.headers[LEFT_OUT] = str(page.left_out)
    mark_added(response, page.added, question.query.added_after)
    return question.span.mark(response)


def _resource(content: dict[str, Any], code: int = 200) -> Response:
    return Response(orjson.dumps(content), code, content_type=TAXII_20)


def _status(submission: inbox.SubmissionView) -> dict[str, Any]:
    """The status resource (section 4.3.1): successes are ids, failures are ids with a reason."""
    content = status_resource(services().database, submission)
    if "successes" in content:
        content["successes"] = [id20(one["id"]) for one in content["successes"]]
    if "failures" in content:
        content["failures"] = [
            {"id": id20(one["id"]), "message": one.get("message", "")} for one in content["failures"]
        ]
    return content


def _objects_of_bundle(raw: bytes) -> list[dict[str, Any]]:
    document = parse_json(raw)
    if document.get("type") != "bundle" or document.get("spec_version", "2.0") != "2.0":
        raise Unprocessable("the body is not a bundle of STIX 2.0", advice='Send {"type": "bundle", "id": …}')
    objects: list[dict[str, Any]] = document["objects"]
    return objects


def _with_hub_ids(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The objects with the ids that the hub knows: 2.0 clients were given some of them in another form."""
    given = {one for obj in objects for name, value in obj.items() for one in _ids_in(name, value)}
    back = {other: one for one in given for other in ids21(one)[1:]}
    parts = services()
    known = visible_ids(parts.database, parts.views, actor(), head(), tuple(back))
    own = {back[stix_id]: stix_id for stix_id in known}
    return [{name: _replaced(name, value, own) for name, value in obj.items()} for obj in objects]


def _converted(obj: dict[str, Any]) -> dict[str, Any]:
    """An object in the form of STIX 2.1; what has none goes on as it is, for the intake to refuse with a reason."""
    try:
        return upconvert(obj)
    except InvalidInput:
        return obj


def _ids_in(name: str, value: Any) -> list[str]:
    if name == "id" or name.endswith("_ref"):
        value = [value]
    elif not name.endswith("_refs"):
        return []
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _replaced(name: str, value: Any, own: dict[str, str]) -> Any:
    if not _ids_in(name, value):
        return value
    if isinstance(value, list):
        return [own.get(one, one) if isinstance(one, str) else one for one in value]
    return own.get(value, value)


def _collection_resource(one: CollectionView) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": one.id,
        "title": one.title,
        "can_read": one.can_read,
        "can_write": one.can_write,
        "media_types": [STIX_20],
    }
    if one.description:
        shown["description"] = one.description
    return shown
