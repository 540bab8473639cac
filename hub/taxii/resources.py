"""TAXII 2.1: discovery, API roots, collections, manifest, objects, versions, status.

Two API roots stand over the same collections: ``signed`` gives objects with the hub's receipt inside,
``plain`` gives them as they were accepted.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from flask import Blueprint, Response, request

from hub.audit import record
from hub.db import Row
from hub.errors import NotFound, NotPermitted
from hub.feeds import inbox, sources
from hub.ledger import pages
from hub.ledger.collections import CollectionView
from hub.ledger.withdraw import withdraw
from hub.taxii import access, given, parameters
from hub.taxii.envelope import listing, resource, version_text
from hub.taxii.media import STIX_21, TAXII_21, check_accept, check_content_type
from hub.taxii.posting import objects_of
from hub.taxii.reading import ALL_VERSIONS, Reading
from hub.taxii.status import status_resource
from hub.web import SIGNED_IN, actor, allow, head, services
from hub.web.links import absolute
from hub.web.submitting import submit

blueprint = Blueprint("taxii", __name__, url_prefix="/taxii2")

ROOT = "/<any(signed, plain):root>/"
COLLECTION = f"{ROOT}collections/<collection>/"
OBJECT_FILTERS = ("match[version]", "match[spec_version]")


class Root(StrEnum):
    """The API roots."""

    SIGNED = "signed"
    PLAIN = "plain"


ROOT_TITLES = {
    Root.SIGNED: "Objects with the hub's receipt of provenance",
    Root.PLAIN: "Objects as they were accepted",
}
BODY: dict[str, Callable[[Row], bytes]] = {
    Root.SIGNED: lambda row: row[2],
    Root.PLAIN: pages.without_receipt,
}


@blueprint.before_request
def negotiate() -> None:
    """Every endpoint answers in TAXII 2.1 JSON."""
    check_accept(request.headers.get("Accept"))


@blueprint.get("/", strict_slashes=False)
@allow(SIGNED_IN)
def discovery() -> Response:
    """Server information (section 4.1)."""
    settings = services().settings
    roots = [absolute(f"/taxii2/{root.value}/") for root in Root]
    return resource(
        {
            "title": settings.taxii.title,
            "description": settings.taxii.description,
            "contact": settings.identity.contact,
            "default": roots[0],
            "api_roots": roots,
        }
    )


@blueprint.get(ROOT, strict_slashes=False)
@allow(SIGNED_IN)
def api_root(root: str) -> Response:
    """One API root (section 4.2)."""
    return resource(
        {
            "title": ROOT_TITLES[Root(root)],
            "versions": [TAXII_21],
            "max_content_length": services().settings.server.max_body_bytes,
        }
    )


@blueprint.get(f"{ROOT}status/<submission>/", strict_slashes=False)
@allow(SIGNED_IN)
def status(root: str, submission: str) -> Response:
    """What became of a POST (section 4.3); another member's is not found."""
    with services().database.reading() as session:
        found = inbox.of_member(session, submission, actor().member_id)
    return resource(status_resource(services().database, found))


@blueprint.get(f"{ROOT}collections/", strict_slashes=False)
@allow(SIGNED_IN)
def collections(root: str) -> Response:
    """The collections that the member may use (section 5.1)."""
    view = services().views.of(actor(), head())
    shown = [_collection_resource(collection) for collection in view.collections]
    return resource({"collections": shown} if shown else {})


@blueprint.get(COLLECTION, strict_slashes=False)
@allow(SIGNED_IN)
def collection(root: str, collection: str) -> Response:
    """One collection (section 5.2)."""
    return resource(_collection_resource(access.found(collection)))


@blueprint.get(f"{COLLECTION}manifest/", strict_slashes=False)
@allow(SIGNED_IN)
def manifest(root: str, collection: str) -> Response:
    """A record for each object version that the filters select (section 5.3)."""
    reading = Reading.of_request(actor(), access.readable(collection), "manifest", parameters.FILTERS)
    page = reading.page(pages.records, actor(), head())
    rows = [
        {
            "id": row[2],
            "date_added": version_text((None, row[1], None, None)),
            "version": version_text(row),
            "media_type": STIX_21,
        }
        for row in page.rows
    ]
    return reading.answer(listing("objects", rows, reading.following(page)), page)


@blueprint.get(f"{COLLECTION}objects/", strict_slashes=False)
@allow(SIGNED_IN)
def get_objects(root: str, collection: str) -> Response:
    """A page of objects (section 5.4)."""
    reading = Reading.of_request(actor(), access.readable(collection), "objects", parameters.FILTERS)
    page = given.objects(reading.query(), root, BODY[root], actor(), head())
    return reading.answer(given.envelope(page, reading.following(page)), page)


@blueprint.post(f"{COLLECTION}objects/", strict_slashes=False)
@allow(SIGNED_IN)
def add_objects(root: str, collection: str) -> Response:
    """Take objects in; what becomes of each is told by the status resource (section 5.5)."""
    target = access.writable(collection)
    check_content_type(request.headers.get("Content-Type"))
    raw = request.get_data(cache=False)
    found = objects_of(raw, services().settings.taxii.max_post_objects)
    with services().database.unit_of_work() as session:
        submission = submit(session, inbox.ENVELOPE, raw, found, collection_no=target.no, groups=actor().groups)
    answer = resource(status_resource(services().database, submission), 202)
    answer.headers["Location"] = absolute(f"/taxii2/{root}/status/{submission.id}/")
    return answer


@blueprint.get(f"{COLLECTION}objects/<stix_id>/", strict_slashes=False)
@allow(SIGNED_IN)
def get_object(root: str, collection: str, stix_id: str) -> Response:
    """The versions of one object that the filters select (section 5.6)."""
    reading = _reading_of_object(collection, stix_id, "object", OBJECT_FILTERS)
    page = given.objects(reading.query(ids=(stix_id,), types=()), root, BODY[root], actor(), head())
    return reading.answer(given.envelope(page, reading.following(page)), page)


@blueprint.delete(f"{COLLECTION}objects/<stix_id>/", strict_slashes=False)
@allow(SIGNED_IN)
def delete_object(root: str, collection: str, stix_id: str) -> Response:
    """Delete the versions of one object that the filters select: all of them where none is given (section 5.7)."""
    target = access.found(collection)
    if not (target.can_read and target.can_write):
        raise NotPermitted("deleting needs the right to read this collection and to write to it")
    wanted = parameters.filters(parameters.given_filters(request.args, OBJECT_FILTERS))
    if not parameters.is_stix_id(stix_id) or not wanted.serves_stix_21:
        raise NotFound("there is no such object in this collection")
    versions = wanted.versions if "match[version]" in request.args else ALL_VERSIONS
    streams = services().views.of(actor(), head()).stream_ids(target.no)
    with services().database.unit_of_work() as session:
        source = sources.of_member(session, actor(), services().settings.intake.default_grade)
        log = services().log
        gone = withdraw(log, session, target.no, stix_id, versions, source=source.of_ledger, streams=streams)
        record(session, actor().member_id, "object:delete", stix_id, before={"collection": target.id, "versions": gone})
        # What the object said of a value is taken back by the worker, in the order of everything that arrives.
        said = inbox.Arrival(
            inbox.RETRACTION, source.id, actor().member_id, stix_id.encode(), 1, actor().member_id, target.no
        )
        inbox.receive(session, services().vault, said)
    return Response(status=200, content_type=TAXII_21)


@blueprint.get(f"{COLLECTION}objects/<stix_id>/versions/", strict_slashes=False)
@allow(SIGNED_IN)
def versions(root: str, collection: str, stix_id: str) -> Response:
    """The versions of one object, in the order they were added (section 5.8)."""
    reading = _reading_of_object(collection, stix_id, "versions", ("match[spec_version]",))
    page = reading.page(pages.records, actor(), head(), ids=(stix_id,), types=(), versions=ALL_VERSIONS)
    rows = [version_text(row) for row in page.rows]
    return reading.answer(listing("versions", rows, reading.following(page)), page)


def _reading_of_object(collection: str, stix_id: str, endpoint: str, filters: tuple[str, ...]) -> Reading:
    readable = access.readable(collection)
    known = parameters.is_stix_id(stix_id) and pages.exists(
        services().database, services().views, actor(), head(), readable.no, stix_id
    )
    if not known:
        raise NotFound("there is no such object in this collection")
    return Reading.of_request(actor(), readable, f"{endpoint}|{stix_id}", filters)


def _collection_resource(collection: CollectionView) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": collection.id,
        "title": collection.title,
        "alias": collection.alias,
        "can_read": collection.can_read,
        "can_write": collection.can_write,
        "media_types": [STIX_21],
    }
    if collection.description:
        shown["description"] = collection.description
    return shown
