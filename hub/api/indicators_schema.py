"""What the doors of indicators and sightings say of themselves in the API's description."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, fields

from hub.feeds.posted import KINDS

MOST_ASKED: Final = 100
_ID: Final = "indicator--88ec5631-3194-5dad-890c-9a543e27d0e9"
_SEEN: Final = "2026-11-22T06:02:50.123Z"


class KillChainPhaseSchema(Schema):
    """A phase of a kill chain (STIX 2.1 section 2.11)."""

    kill_chain_name = fields.String()
    phase_name = fields.String()


class IndicatorSchema(Schema):
    """An indicator as you may see it. What it does not say, or you may not see of it, is null or empty."""

    id = fields.String()
    kind = fields.String(allow_none=True, metadata={"description": "Null where the pattern is not of one value"})
    value = fields.String(allow_none=True, metadata={"description": "Canonical; null where `kind` is"})
    pattern = fields.String()
    confidence = fields.Integer(allow_none=True)
    labels = fields.List(fields.String())
    kill_chain_phases = fields.List(fields.Nested(KillChainPhaseSchema))
    tlp = fields.String(allow_none=True, metadata={"description": "Null where the object itself bears no label"})
    valid_from = fields.String()
    valid_until = fields.String(allow_none=True)
    created = fields.String()
    modified = fields.String()
    created_by_ref = fields.String(allow_none=True, metadata={"description": "The hub, or the member that shared it"})
    revoked = fields.Boolean()
    withheld = fields.Boolean(metadata={"description": "Parts of it are not for you and are left out"})
    collections = fields.List(fields.String(), metadata={"description": "Aliases of those where you may read it"})
    object = fields.String(metadata={"description": "The signed STIX object"})


class LookedUpOneSchema(Schema):
    """What you may see of one value or id; no indicators where there are none for you."""

    asked = fields.String(metadata={"description": "As you asked, cut to 120 characters"})
    kind = fields.String(allow_none=True, metadata={"description": "What the text was read as"})
    value = fields.String(allow_none=True, metadata={"description": "Its canonical form"})
    invalid = fields.String(allow_none=True, metadata={"description": "Why it can be no indicator"})
    indicators = fields.List(fields.Nested(IndicatorSchema))


class LookedUpSchema(Schema):
    """One answer for each value or id, in the order in which they were asked."""

    answers = fields.List(fields.Nested(LookedUpOneSchema))


class LookUpSchema(Schema):
    """Values or ids to look up, one of both."""

    values = fields.List(fields.String(), metadata={"description": f"Up to {MOST_ASKED}, in any spelling"})
    kind = fields.String(metadata={"description": "Of all values; where it is left out, each shows its own"})
    ids = fields.List(fields.String(), metadata={"description": f"Up to {MOST_ASKED}"})


def _list(name: str, description: str) -> dict[str, Any]:
    schema = {"type": "array", "items": {"type": "string"}, "maxItems": MOST_ASKED}
    return {"in": "query", "name": name, "schema": schema, "explode": True, "description": description}


PARAMETERS: Final = [
    {**_list("value", "A value in any spelling, repeatable"), "example": ["hxxps://evil[.]example/login"]},
    {"in": "query", "name": "kind", "schema": {"type": "string", "enum": list(KINDS)}, "description": "Of the values"},
    {**_list("id", "An indicator's id, repeatable; instead of values"), "example": [_ID]},
]
ANSWERED: Final = {
    "answers": [
        {
            "asked": "Evil[.]example",
            "kind": "domain",
            "value": "evil.example",
            "invalid": None,
            "indicators": [
                {
                    "id": _ID,
                    "kind": "domain",
                    "value": "evil.example",
                    "pattern": "[domain-name:value = 'evil.example']",
                    "confidence": 48,
                    "labels": ["phishing"],
                    "kill_chain_phases": [{"kill_chain_name": "mitre-attack", "phase_name": "initial-access"}],
                    "tlp": "green",
                    "valid_from": _SEEN,
                    "valid_until": "2027-05-21T06:02:50.123Z",
                    "created": _SEEN,
                    "modified": _SEEN,
                    "created_by_ref": "identity--2e4db293-3179-5cd6-bbff-9a881b9ab2d8",
                    "revoked": False,
                    "withheld": False,
                    "collections": ["cyber"],
                    "object": f"https://hub.example/taxii2/signed/collections/cyber/objects/{_ID}/",
                }
            ],
        },
        {
            "asked": "n/a",
            "kind": None,
            "value": None,
            "invalid": "'n/a' is of no kind that is known here",
            "indicators": [],
        },
    ]
}
LOOK_UP: Final = {"values": ["Evil[.]example", "+44 20 7946 0321"]}
POSTED_INDICATORS: Final = {
    "indicators": [
        {
            "value": "hxxps://evil[.]example/login",
            "labels": ["phishing"],
            "first_seen": "2026-11-21",
            "last_seen": "2026-11-22T09:30:00Z",
            "confidence": 60,
        },
        {"value": "020 7946 0321", "kind": "phone", "description": "Calls as the bank's fraud team"},
    ],
    "tlp": "amber",
    "groups": ["banks"],
}
POSTED_SIGHTINGS: Final = {
    "sightings": [
        {"indicator": _ID, "count": 3, "first_seen": "2026-11-21T08:00:00Z", "last_seen": "2026-11-22T09:30:00Z"},
        {"value": "evil[.]example"},
    ]
}
