"""E-mail addresses."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from email_validator import EmailNotValidError, validate_email

from hub.errors import InvalidInput
from hub.stix.refang import refang
from hub.stix.values.hosts import host
from hub.stix.values.kinds import Kind, Value, refusal

_ATOM: Final = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_PLAIN_LOCAL: Final = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")  # a dot-atom, RFC 5321 section 4.1.2
_MAX_LOCAL: Final = 64  # RFC 5321 section 4.5.3.1.1
_MAX_EMAIL: Final = 254


def email(raw: str) -> Value:
    """Return an e-mail address in lower case with its domain in ASCII. Nothing is looked up.

    No provider in use tells ``Bob`` from ``bob``; a tag after "+" is kept.
    """
    text = refang(raw).strip()
    if text[:7].lower() == "mailto:":
        text = text[7:]
    local, at, domain = text.rpartition("@")
    if not at or ":" in domain:
        raise refusal(raw, "is not an e-mail address")
    try:
        named = host(domain)
    except InvalidInput:
        raise refusal(raw, "is not an e-mail address: the part after @ is not a domain name") from None
    if named.kind is not Kind.DOMAIN:
        raise refusal(raw, "is not an e-mail address of a domain")
    canonical = f"{_local_part(raw, local)}@{named.text}"
    if len(canonical) > _MAX_EMAIL:
        raise refusal(raw, f"is longer than an e-mail address's {_MAX_EMAIL} characters")
    return Value(Kind.EMAIL, canonical)


def _local_part(raw: str, local: str) -> str:
    lower = local.lower()
    if _PLAIN_LOCAL.fullmatch(lower) and len(lower) <= _MAX_LOCAL:
        return lower
    lower = unicodedata.normalize("NFC", unicodedata.normalize("NFC", local).lower())
    try:
        # The domain is checked above; the validator would refuse the reserved ones.
        parts = validate_email(f"{lower}@example.com", check_deliverability=False)
    except (EmailNotValidError, UnicodeError):
        raise refusal(raw, "is not an e-mail address: the part before @ is not valid") from None
    return parts.local_part
