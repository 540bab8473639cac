"""The kinds of indicator values, the value itself, and the error that says why a text is none."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from hub.errors import InvalidInput
from hub.stix.cards import redact_cards

# No value that is exchanged is longer; the limit bounds the work that one text can ask for.
MAX_CHARACTERS: Final = 8192
_SHOWN: Final = 60


class Kind(StrEnum):
    """What a value is. The members' texts are the names used in counts, exports and settings."""

    DOMAIN = "domain"
    URL = "url"
    IPV4 = "ipv4"
    IPV6 = "ipv6"
    IPV4_CIDR = "ipv4-cidr"
    IPV6_CIDR = "ipv6-cidr"
    EMAIL = "email"
    MD5 = "md5"
    SHA1 = "sha1"
    SHA256 = "sha256"
    SHA512 = "sha512"
    BTC = "btc"
    ETH = "eth"
    XMR = "xmr"
    LTC = "ltc"
    TRX = "trx"
    WALLET = "wallet"
    PHONE = "phone"
    IBAN = "iban"
    BANK_ACCOUNT = "bank-account"
    COMPANY = "company"
    SOCIAL_HANDLE = "social-handle"
    USER_AGENT = "user-agent"
    VEHICLE = "vehicle"
    ASN = "asn"
    JA3 = "ja3"


@dataclass(frozen=True, slots=True)
class Value:
    """A value of ``kind`` whose ``text`` is canonical: two values are the same when both fields are equal."""

    kind: Kind
    text: str


class RefusedValue(InvalidInput):
    """A text is no value of its kind. ``reason`` says why without repeating any of it."""

    def __init__(self, shown: str, reason: str, *, advice: str | None = None) -> None:
        super().__init__(f"'{shown}' {reason}", advice=advice)
        self.reason = reason


def refusal(raw: str, reason: str, *, advice: str | None = None) -> RefusedValue:
    """Return the error "'raw' is …": ``raw`` cut to 60 characters, and without any card number."""
    # Looked for before the cut, which could part a card in two, and after it, which could leave one alone.
    start = redact_cards(raw[:512])
    shown = redact_cards(start[:_SHOWN]) + ("…" if len(start) > _SHOWN or len(raw) > 512 else "")
    shown = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in shown)
    return RefusedValue(shown, reason, advice=advice)
