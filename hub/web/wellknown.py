"""What anybody may fetch to check the hub's signatures: its keys, and the schema of its extension."""

from __future__ import annotations

import orjson
from flask import Blueprint, Flask, Response

from hub.provenance import definition
from hub.provenance.keys import PublishedKey, Role, jwks
from hub.web.guard import PUBLIC, allow
from hub.web.services import services

blueprint = Blueprint("wellknown", __name__)


def install(app: Flask) -> None:
    """Add the public endpoints of provenance."""
    app.register_blueprint(blueprint)


@blueprint.get("/.well-known/jwks.json")
@allow(PUBLIC)
def keys() -> Response:
    """The hub's public keys (RFC 7517), and the digests of the definitions it publishes."""
    parts = services()
    key = PublishedKey(parts.signer.public_jwk(), Role.HUB_RECEIPT, parts.settings.base_url, from_idx=0)
    known = [definition.extension_definition(parts.hub_ref, parts.settings.base_url)]
    body = orjson.dumps(jwks([key], definitions=known))
    kept = {"Cache-Control": "public, max-age=300"}
    return Response(body, content_type="application/jwk-set+json", headers=kept)


@blueprint.get("/provenance/v1/schema.json")
@allow(PUBLIC)
def schema() -> Response:
    """The JSON schema of the provenance extension."""
    return Response(orjson.dumps(definition.schema()), content_type="application/schema+json")
