"""STIX 2.1 objects to send to a hub: each valid, with an id that follows from its number."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid5

SPACE = UUID("6f1c2a54-5d0e-4a7c-9d6f-3a1b0c9e8d77")
T0 = "2024-01-01T00:00:00.000Z"


def object_id(stix_type: str, of: object) -> str:
    """The id that ``of`` stands for: the same one each time."""
    return f"{stix_type}--{uuid5(SPACE, f'{stix_type} {of}')}"


def indicator(of: object, modified: str = T0, created: str = T0, **more: Any) -> dict[str, Any]:
    """An indicator of a domain that ``of`` decides."""
    stix_id = object_id("indicator", of)
    return {
        "type": "indicator",
        "spec_version": "2.1",
        "id": stix_id,
        "created": created,
        "modified": modified,
        "pattern": f"[domain-name:value = 'd{stix_id[-12:]}.example']",
        "pattern_type": "stix",
        "valid_from": created,
        **more,
    }


def malware(of: object, modified: str = T0, created: str = T0, **more: Any) -> dict[str, Any]:
    """A malware family."""
    return {
        "type": "malware",
        "spec_version": "2.1",
        "id": object_id("malware", of),
        "created": created,
        "modified": modified,
        "name": f"Malware {of}",
        "is_family": True,
        **more,
    }


def domain(of: object, **more: Any) -> dict[str, Any]:
    """A cyber-observable: it has neither ``created`` nor ``modified``."""
    stix_id = object_id("domain-name", of)
    return {
        "type": "domain-name",
        "spec_version": "2.1",
        "id": stix_id,
        "value": f"d{stix_id[-12:]}.example",
        **more,
    }


def statement(of: object, created: str = T0) -> dict[str, Any]:
    """A marking definition: it has ``created`` only."""
    return {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": object_id("marking-definition", of),
        "created": created,
        "definition_type": "statement",
        "definition": {"statement": f"Copyright {of}"},
    }
