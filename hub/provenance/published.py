"""Objects that stand as they were published: they carry no receipt, their content is known in advance."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final

from hub.provenance import strict_json
from hub.provenance.keys import content_digest

# b64u(SHA-256) of the RFC 8785 form of each published TLP marking: TLP 1 from STIX 2.1 section 7.2.1.4,
# TLP 2.0 from OASIS's common object repository.
MARKINGS: Final = {
    "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9": "ZnLs62EhtAtL8AQ9hqoKb4V7qdA_pA3HjLtnXPgdayE",
    "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da": "EJbLvQNDZTNAoRnILx_fHSRodCKWKhUTaUPwGEziasU",
    "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82": "7_k5KX4LTCB-82yfo8gecD2KRqfp3RabIgJjS6aqoSI",
    "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed": "AzHkawCb5SRR2MWFE1EWrWZgj3UsPU5q6S1AAAORMcM",
    "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487": "iSjApDgOtutcF5MPwPvVEhqdCSSsVY06GQMSst2N77U",
    "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb": "QOUtYnFdxDfp-hEKB6Rthn2ZT31_STG1RAXtNyt45h0",
    "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421": "ugxxVFZOBPNCDEracJfrq_0PrylY9pMvtgJohXXv6iM",
    "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003": "cvNJcyagu4qDFZdMIPjUUr78qCFk1DLScDBggQkOdNI",
    "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1": "8OkwYEqZjbwTKgdLRaaMW5OAVtEbLDAw_lrM5SH5leo",
}

_DEFINITIONS: Final = Path(__file__).parent.parent / "stix" / "definitions"


def carries_receipt(obj: dict[str, Any]) -> bool:
    """Tell whether the hub's extension may stand in ``obj``.

    STIX 2.1 has no ``extensions`` on extension-definition (section 7.3) and bundle (section 8); it has
    it on language-content (7.1) and marking-definition (7.2), but the published TLP markings must stay
    as they are, byte for byte.
    """
    return obj.get("type") not in {"extension-definition", "bundle"} and obj.get("id") not in MARKINGS


@cache
def definitions() -> dict[tuple[str, str], str]:
    """The content digests, by id and ``modified``, of the extension-definitions that come with the hub."""
    known: dict[tuple[str, str], str] = {}
    for file in sorted(_DEFINITIONS.glob("*.json")):
        content = strict_json.parse(file.read_bytes())
        for obj in content.get("objects", [content]):
            if obj.get("type") == "extension-definition":
                known[obj["id"], obj["modified"]] = content_digest(obj)
    return known
