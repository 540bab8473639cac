"""The private pre-check: parameters, evaluations and sets (docs/precheck.md)."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from flask import Response, request
from flask_smorest import Blueprint
from marshmallow import Schema, fields

from hub import clock
from hub.api.accepting import JSON, media_type
from hub.auth import Permission
from hub.checks.filings.gateways import Basis, basis
from hub.checks.precheck import evaluating as precheck
from hub.checks.precheck.voprf import SUITE
from hub.errors import InvalidInput, UnsupportedMedia
from hub.stix.canonical import parse_json
from hub.web import actor, allow, services

blueprint = Blueprint("precheck", __name__, url_prefix="/api/v1/precheck", description="The private pre-check")

# 32 bytes in base64url; its two letters become those of base64, whose own become none.
CHARACTERS = 43
FIELDS = {"epoch", "purpose", "legal_gateway", "blinded"}
ALPHABET = bytes.maketrans(b"-_+/", b"+/!!")
# A version never changes; the rights of the one who asks may.
CACHED = "private, max-age=86400, immutable"


class EpochSchema(Schema):
    """A key that is evaluated now."""

    epoch = fields.Integer()
    public_key = fields.String(metadata={"description": "32 bytes, base64url without padding; pin it"})
    made_at = fields.String()
    refused_after = fields.String(allow_none=True, metadata={"description": "Not evaluated from then on"})


class SetSchema(Schema):
    """A set that you may download."""

    version = fields.String()
    epoch = fields.Integer()
    tlp = fields.String()
    collection = fields.String(allow_none=True, metadata={"description": "null: of what members have filed"})
    entries = fields.Integer(metadata={"description": "With the padding"})
    bytes = fields.Integer()
    sha256 = fields.String()
    published_at = fields.String()


class ParametersSchema(Schema):
    """What a pre-check begins with."""

    suite = fields.String()
    mode = fields.String()
    max_batch = fields.Integer()
    evaluations_left = fields.Integer(metadata={"description": "Of your quota, at this moment"})
    epochs = fields.List(fields.Nested(EpochSchema), metadata={"description": "The newest first"})
    sets = fields.List(fields.Nested(SetSchema))


class BlindedSchema(Schema):
    """A batch of blinded values, and what they are asked for."""

    epoch = fields.Integer(required=True)
    purpose = fields.String(required=True, metadata={"description": "As in a check"})
    legal_gateway = fields.String(required=True, metadata={"description": "As in a check"})
    blinded = fields.List(
        fields.String(), required=True, metadata={"description": "32 bytes each, base64url without padding"}
    )


class EvaluatedSchema(Schema):
    """The same batch, evaluated; ``proof`` is for the whole batch (64 bytes)."""

    epoch = fields.Integer()
    evaluated = fields.List(fields.String())
    proof = fields.String()


@blueprint.get("")
@allow(Permission.PRECHECK)
@blueprint.response(200, ParametersSchema)
def parameters() -> dict[str, Any]:
    """The present keys, the sets that you may download, and what is left of your quota."""
    settings = services().settings
    with services().database.reading() as session:
        found = precheck.parameters(session, actor(), settings)
    return {
        "suite": SUITE,
        "mode": "VOPRF",
        "max_batch": settings.precheck.max_batch,
        "evaluations_left": found.left,
        "epochs": [
            {
                "epoch": one.number,
                "public_key": _text(one.public_key),
                "made_at": clock.timestamp(one.made_at),
                "refused_after": None if one.refused_after is None else clock.timestamp(one.refused_after),
            }
            for one in found.epochs
        ],
        "sets": [
            {
                "version": one.version,
                "epoch": one.epoch,
                "tlp": one.tlp.label,
                "collection": one.collection,
                "entries": one.entries,
                "bytes": one.size,
                "sha256": one.sha256,
                "published_at": clock.timestamp(one.published_at),
            }
            for one in found.sets
        ],
    }


@blueprint.post("/evaluations")
@allow(Permission.PRECHECK)
@blueprint.doc(requestBody={"required": True, "content": {"application/json": {"schema": BlindedSchema}}})
@blueprint.response(200, EvaluatedSchema)
def evaluate() -> dict[str, Any]:
    """Evaluate a batch of blinded values: each counts against your quota, whatever it is."""
    stated, epoch, blinded = _batch()
    settings, database = services().settings, services().database
    with database.reading() as session:
        precheck.admit(session, epoch, blinded, settings.precheck)
    answer = precheck.evaluate(services().vault, epoch, blinded)
    with database.unit_of_work() as session:
        precheck.count(session, actor(), stated, epoch, len(blinded), settings)
    return {"epoch": epoch, "evaluated": [_text(one) for one in answer.elements], "proof": _text(answer.proof)}


@blueprint.get("/sets/<version>")
@allow(Permission.PRECHECK)
@blueprint.doc(
    responses={
        "200": {
            "description": "The set, as docs/precheck.md describes it",
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    }
)
def download(version: str) -> Response:
    """One version of a set; it never changes. Another audience's is not found."""
    with services().database.reading() as session:
        found = precheck.downloaded(session, actor(), version)
    answer = Response(found.body, content_type="application/octet-stream")
    answer.headers["ETag"] = f'"{found.version}"'
    answer.headers["Cache-Control"] = CACHED
    return answer


def _batch() -> tuple[Basis, int, list[bytes]]:
    if media_type() != JSON:
        raise UnsupportedMedia("a batch comes as application/json", where="Content-Type")
    body = parse_json(request.get_data(cache=False))
    if not isinstance(body, dict) or set(body) != FIELDS:
        raise InvalidInput(
            'a batch is {"epoch": number, "purpose": …, "legal_gateway": …, "blinded": [element, …]}', where="body"
        )
    epoch, blinded = body["epoch"], body["blinded"]
    if not isinstance(epoch, int) or isinstance(epoch, bool) or not 0 < epoch < 2**31:
        raise InvalidInput("is the number of a key epoch", where="epoch")
    for name in ("purpose", "legal_gateway"):
        if not isinstance(body[name], str):
            raise InvalidInput("is a text", where=name)
    stated = basis(body["purpose"], body["legal_gateway"], actor().kind, filing=False)
    if not isinstance(blinded, list):
        raise InvalidInput("is a list of elements", where="blinded")
    for place, text in enumerate(blinded):
        if not (isinstance(text, str) and len(text) == CHARACTERS and text.isascii()):
            raise _no_element(place)
    # Turned into the alphabet of base64 all at once: that is half of what reading a batch costs.
    padded = "".join(f"{text}=" for text in blinded).encode().translate(ALPHABET)
    return stated, epoch, [_bytes(padded, place) for place in range(len(blinded))]


def _bytes(padded: bytes, place: int) -> bytes:
    start = place * (CHARACTERS + 1)
    try:
        return binascii.a2b_base64(padded[start : start + CHARACTERS + 1], strict_mode=True)
    except binascii.Error:
        raise _no_element(place) from None


def _no_element(place: int) -> InvalidInput:
    return InvalidInput("an element is 32 bytes in base64url without padding", where=f"blinded[{place}]")


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
