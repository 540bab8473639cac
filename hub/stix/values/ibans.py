"""International bank account numbers. The registry of national structures is loaded with this module."""

from __future__ import annotations

import re
from typing import Final

from schwifty import IBAN
from schwifty.exceptions import SchwiftyException

from hub.stix.values.kinds import Kind, Value, refusal

_IBAN: Final = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_REASONS: Final = {
    "InvalidChecksumDigits": "its check digits are wrong",
    "InvalidCountryCode": "its country has none",
    "InvalidLength": "it has the wrong length for its country",
}


def iban(raw: str) -> Value:
    """Return a valid IBAN in electronic form (ISO 13616-1): upper case and without blanks."""
    text = re.sub(r"[\s-]", "", raw)
    text = text.upper().removeprefix("IBAN:").removeprefix("IBAN") if text.isascii() else ""
    if not _IBAN.fullmatch(text):
        raise refusal(raw, "is not an IBAN")
    try:
        return Value(Kind.IBAN, str(IBAN(text).compact))
    except SchwiftyException as fault:
        reason = _REASONS.get(type(fault).__name__, "it has not the structure of its country")
        raise refusal(raw, f"is not an IBAN: {reason}") from None
