"""The Traffic Light Protocol 2.0 (FIRST) and how STIX 2.1 marks it.

The marking definitions are those that OASIS published with the extension ``tlp_2_0``. Those of TLP 1, which
STIX 2.1 section 7.2.1.4 fixes, are read but never written.
"""

from __future__ import annotations

import re
from enum import IntEnum
from typing import Any, Final

from hub.errors import InvalidInput

EXTENSION_ID: Final = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
CLEAR_ID: Final = "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"
GREEN_ID: Final = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"
AMBER_ID: Final = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"
AMBER_STRICT_ID: Final = "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003"
RED_ID: Final = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"
TLP1_WHITE_ID: Final = "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9"
TLP1_GREEN_ID: Final = "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"
TLP1_AMBER_ID: Final = "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"
TLP1_RED_ID: Final = "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"

_CREATED: Final = "2022-10-01T00:00:00.000Z"
_WRITTEN: Final = re.compile(r"(?:tlp\s*[:_-]?\s*)?(clear|white|green|amber|red|amber\s*[+_ -]\s*strict)")


class Tlp(IntEnum):
    """A TLP 2.0 label; a greater one is stricter."""

    CLEAR = 0
    GREEN = 1
    AMBER = 2
    AMBER_STRICT = 3
    RED = 4

    @classmethod
    def parse(cls, text: str) -> Tlp:
        """Return the label that ``text`` names, with or without "TLP:"; "white" is TLP 1's name of clear.

        Raises ``InvalidInput`` for anything else.
        """
        match = _WRITTEN.fullmatch(text.strip().lower()) if isinstance(text, str) and len(text) < 40 else None
        if match is None:
            raise InvalidInput(
                "this is not a TLP label", advice="Use clear, green, amber, amber+strict or red (TLP 2.0)."
            )
        name = match.group(1)
        return cls.AMBER_STRICT if name.endswith("strict") else cls[_TLP1_NAMES.get(name, name.upper())]

    @property
    def label(self) -> str:
        """The label in lower case, as ``tlp_2_0`` holds it: "amber+strict"."""
        return self.name.lower().replace("_", "+")

    @property
    def marking_id(self) -> str:
        """The id of the published marking definition."""
        return _MARKING_IDS[self]


_TLP1_NAMES: Final = {"white": "CLEAR"}
_MARKING_IDS: Final = {
    Tlp.CLEAR: CLEAR_ID,
    Tlp.GREEN: GREEN_ID,
    Tlp.AMBER: AMBER_ID,
    Tlp.AMBER_STRICT: AMBER_STRICT_ID,
    Tlp.RED: RED_ID,
}
_TLP_BY_MARKING_ID: Final = {
    **{marking_id: tlp for tlp, marking_id in _MARKING_IDS.items()},
    TLP1_WHITE_ID: Tlp.CLEAR,
    TLP1_GREEN_ID: Tlp.GREEN,
    TLP1_AMBER_ID: Tlp.AMBER,
    TLP1_RED_ID: Tlp.RED,
}


def marking_object(tlp: Tlp) -> dict[str, Any]:
    """Return the published STIX 2.1 marking definition of ``tlp``, a new object at each call."""
    return {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": tlp.marking_id,
        "created": _CREATED,
        "name": f"TLP:{tlp.label.upper()}",
        "extensions": {EXTENSION_ID: {"extension_type": "property-extension", "tlp_2_0": tlp.label}},
    }


def of_marking_id(marking_id: str) -> Tlp | None:
    """Return the label of a TLP 2.0 or TLP 1 marking definition, ``None`` for any other id."""
    return _TLP_BY_MARKING_ID.get(marking_id)


def object_tlp(obj: dict[str, Any]) -> Tlp | None:
    """Return the strictest TLP label among the object's markings, ``None`` where it has none."""
    refs = obj.get("object_marking_refs")
    if not isinstance(refs, list):
        return None
    labels = [tlp for ref in refs if isinstance(ref, str) and (tlp := of_marking_id(ref)) is not None]
    return max(labels, default=None)
