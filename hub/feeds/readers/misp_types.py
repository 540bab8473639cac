"""What the attribute types of the MISP core format come to here."""

from __future__ import annotations

import re
from typing import Final

from hub.stix.values import Kind

Part = tuple[Kind | None, str]

# None: the content decides.
_SIMPLE: Final[dict[str, Kind | None]] = {
    **dict.fromkeys(("domain", "hostname", "onion-address"), Kind.DOMAIN),
    **dict.fromkeys(("ip-src", "ip-dst"), Kind.IPV4),
    "url": Kind.URL,
    "uri": None,
    **dict.fromkeys(
        ("email", "email-src", "email-dst", "email-reply-to", "whois-registrant-email", "dns-soa-email"),
        Kind.EMAIL,
    ),
    "md5": Kind.MD5,
    "sha1": Kind.SHA1,
    "sha256": Kind.SHA256,
    "sha512": Kind.SHA512,
    "ja3-fingerprint-md5": Kind.JA3,
    "user-agent": Kind.USER_AGENT,
    "AS": Kind.ASN,
    "btc": Kind.BTC,
    "xmr": Kind.XMR,
    "dash": Kind.WALLET,
    "iban": Kind.IBAN,
    **dict.fromkeys(("phone-number", "prtn", "whatsapp"), Kind.PHONE),
}
# Types whose value has several parts with "|" between them.
_FIRST_PART: Final = {"ip-src|port": Kind.IPV4, "ip-dst|port": Kind.IPV4, "hostname|port": Kind.DOMAIN}
_HASH_AFTER_NAME: Final = {
    "malware-sample": Kind.MD5,
    "filename|md5": Kind.MD5,
    "filename|sha1": Kind.SHA1,
    "filename|sha256": Kind.SHA256,
    "filename|sha512": Kind.SHA512,
}
_HANDLES: Final = {
    "twitter-id": "twitter",
    "github-username": "github",
    "jabber-id": "jabber",
    "telegram": "telegram",
}
CARD_TYPES: Final = frozenset({"cc-number"})
_IBAN: Final = re.compile(r"\s*[A-Za-z]{2}[0-9]{2}[A-Za-z0-9 ]{11,40}")
_SORT_CODE: Final = re.compile(r"[0-9]{2}[ -]?[0-9]{2}[ -]?[0-9]{2}")
_SHORT_ACCOUNT: Final = re.compile(r"[0-9]{6,8}")


def parts_of(attribute_type: str, value: str, sort_code: str = "") -> tuple[Part, ...] | None:
    """The (kind, text) of each value in an attribute; None for a type that has no indicator form.

    ``sort_code`` is what the same bank-account object says of the bank; it completes a bare UK account
    number.
    """
    head, _, tail = value.partition("|")
    if attribute_type == "url" and "/" not in value:
        parts: tuple[Part, ...] | None = ((None, value),)  # a bare host, which is the wider indicator
    elif attribute_type in _SIMPLE:
        parts = ((_SIMPLE[attribute_type], value),)
    elif attribute_type in _FIRST_PART:
        parts = ((_FIRST_PART[attribute_type], head),)
    elif attribute_type in _HASH_AFTER_NAME:
        parts = ((_HASH_AFTER_NAME[attribute_type], value.rpartition("|")[2]),)
    elif attribute_type == "domain|ip":
        parts = (Kind.DOMAIN, head), (Kind.IPV4, tail)
    elif attribute_type == "bank-account-nr":
        parts = (_account(value, sort_code),)
    elif attribute_type in _HANDLES:
        parts = ((Kind.SOCIAL_HANDLE, f"{_HANDLES[attribute_type]}:{value}"),)
    else:
        parts = None
    return parts


def is_sort_code(text: str) -> bool:
    """Whether a text is written as a UK sort code."""
    return _SORT_CODE.fullmatch(text.strip()) is not None


def _account(value: str, sort_code: str) -> Part:
    if _IBAN.fullmatch(value):
        return Kind.IBAN, value
    if sort_code and _SHORT_ACCOUNT.fullmatch(value.strip()):
        return Kind.BANK_ACCOUNT, f"{sort_code} {value.strip()}"
    return Kind.BANK_ACCOUNT, value
