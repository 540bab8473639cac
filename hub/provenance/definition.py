"""The hub's extension as STIX wants it described: an extension-definition object and a JSON Schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from hub.provenance.blinding import EXTENSION_ID

SCHEMA_PATH: Final = "/provenance/v1/schema.json"

# Fixed, so that every start of the hub makes the same object; a change of the text is a new `modified`.
_CREATED: Final = "2026-11-01T00:00:00.000Z"
_MODIFIED: Final = "2026-11-01T00:00:00.000Z"


def extension_definition(created_by_ref: str, base_url: str) -> dict[str, Any]:
    """The extension-definition object (STIX 2.1 section 7.3) of the provenance extension."""
    return {
        "type": "extension-definition",
        "spec_version": "2.1",
        "id": EXTENSION_ID,
        "created_by_ref": created_by_ref,
        "created": _CREATED,
        "modified": _MODIFIED,
        "name": "Hub provenance",
        "description": (
            "A receipt signed by the hub that accepted the object. It binds every other property, each"
            " blinded by its own salt, to the time of acceptance and a place in a public log. The schema"
            " is closed: an unknown member makes verification fail. Keys are at /.well-known/jwks.json."
        ),
        "schema": base_url.rstrip("/") + SCHEMA_PATH,
        "version": "1.0.0",
        "extension_types": ["property-extension"],
    }


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the extension's content, as served at ``SCHEMA_PATH``."""
    content: dict[str, Any] = json.loads(Path(__file__).with_name("schema.json").read_bytes())
    return content
