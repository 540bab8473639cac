"""What anybody may fetch to check the hub's signatures: its keys, and the schema of its extension."""

from __future__ import annotations

from typing import Any

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
    body = orjson.dumps(key_set())
    kept = {"Cache-Control": "public, max-age=300"}
    return Response(body, content_type="application/jwk-set+json", headers=kept)


def key_set() -> dict[str, Any]:
    """The JWK Set that the hub publishes: what anybody verifies its receipts by."""
    parts = services()
    signers = ((parts.signer, Role.HUB_RECEIPT), (parts.view_signer, Role.HUB_VIEW))
    held = [PublishedKey(one.public_jwk(), role, parts.settings.base_url, from_idx=0) for one, role in signers]
    known = [definition.extension_definition(parts.hub_ref, parts.settings.base_url)]
    return jwks(held, definitions=known)


@blueprint.get("/provenance/v1/schema.json")
@allow(PUBLIC)
def schema() -> Response:
    """The JSON schema of the provenance extension."""
    return Response(orjson.dumps(definition.schema()), content_type="application/schema+json")
