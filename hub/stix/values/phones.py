"""Telephone numbers."""

from __future__ import annotations

import re
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

from hub.stix.values.kinds import Kind, Value, refusal

_HOME_REGION: Final = "GB"
_MOST_CHARACTERS: Final = 60
_MOST_DIGITS: Final = 15  # ITU-T E.164 section 6.1
_WRITTEN: Final = re.compile(
    r"(?:tel:)?\s*(\(?\+)?([0-9 ()./\-\u00a0\u2010-\u2015]+)(?:;?(?:ext?\.?|x)[ =]?[0-9]{1,6})?",
    re.IGNORECASE,
)


def phone(raw: str) -> Value:
    """Return a telephone number in E.164 without its "+"; an extension is dropped.

    A number that starts with one 0 is a British one; one without "+" and without 0 starts with its country
    code. A possible length is enough: numbers kept for drama belong to nobody and still have to pass.
    """
    text = raw.strip()
    match = _WRITTEN.fullmatch(text) if len(text) <= _MOST_CHARACTERS else None
    if match is None:
        raise refusal(raw, "is not a telephone number")
    digits = re.sub(r"[^0-9]", "", match.group(2))
    if match.group(1):
        found = _e164(f"+{digits}")
    elif digits.startswith("00"):
        found = _e164(f"+{digits[2:]}")
    elif digits.startswith("0"):
        found = _e164(digits)
    else:
        # A spreadsheet may have eaten the leading 0 of a British number, which leaves ten digits.
        found = _e164(f"+{digits}") or (_e164(f"0{digits}") if len(digits) == 10 else None)
    if found is None:
        raise refusal(raw, "is not a possible telephone number", advice="Write it with + and the country code (E.164).")
    return Value(Kind.PHONE, found)


def _e164(text: str) -> str | None:
    """Return the digits of a possible number, ``None`` for one that cannot be."""
    try:
        number = phonenumbers.parse(text, _HOME_REGION)
    except NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    written: str = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    if written != text:
        # What looked like a trunk prefix was taken off, and what is left may look so again.
        return _e164(written)
    digits = written.removeprefix("+")
    return digits if len(digits) <= _MOST_DIGITS else None
