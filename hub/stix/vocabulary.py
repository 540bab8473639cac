"""The published extension definitions whose object types the hub writes.

The definitions are data under ``definitions/``, unchanged from their publisher (see the NOTICE there).
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any, Final

BANK_ACCOUNT_EXTENSION: Final = "extension-definition--f19f3291-6a84-5674-b311-d75a925d5bd9"
CRYPTOCURRENCY_WALLET_EXTENSION: Final = "extension-definition--be78509e-6958-51b1-8b26-d17ee0eba2d7"
CRYPTOCURRENCY_TRANSACTION_EXTENSION: Final = "extension-definition--151d042d-4dcf-5e44-843f-1024440318e5"
PHONE_NUMBER_EXTENSION: Final = "extension-definition--14a97ee2-e666-5ada-a6bd-b7177f79e211"
USER_AGENT_EXTENSION: Final = "extension-definition--7ca5afee-0e4e-5813-b643-de51538658cc"

# The object type that each extension brings ("new-sco", STIX 2.1 section 7.3).
EXTENSION_BY_TYPE: Final = {
    "bank-account": BANK_ACCOUNT_EXTENSION,
    "cryptocurrency-transaction": CRYPTOCURRENCY_TRANSACTION_EXTENSION,
    "cryptocurrency-wallet": CRYPTOCURRENCY_WALLET_EXTENSION,
    "phone-number": PHONE_NUMBER_EXTENSION,
    "user-agent": USER_AGENT_EXTENSION,
}


def extension_definitions() -> list[dict[str, Any]]:
    """Return the extension-definition objects, in the order of the types' names, new objects at each call."""
    return [json.loads(text) for text in _texts()]


@cache
def _texts() -> tuple[str, ...]:
    folder = files("hub.stix") / "definitions"
    return tuple((folder / f"{stix_type}.json").read_text("utf-8") for stix_type in sorted(EXTENSION_BY_TYPE))
