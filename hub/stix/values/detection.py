"""Deciding by its content what kind of value a text is."""

from __future__ import annotations

import re
from typing import Final

from hub.errors import InvalidInput
from hub.stix.checksums import mod97_holds
from hub.stix.refang import refang
from hub.stix.values import digests, hosts, wallets
from hub.stix.values.kinds import MAX_CHARACTERS, Kind, Value, refusal
from hub.stix.values.registry import canonical, refuse_card
from hub.stix.values.suffixes import has_known_suffix, is_public_suffix

_ETHEREUM: Final = re.compile(r"0[xX][0-9a-fA-F]{40}")
_ADDRESS: Final = re.compile(r"[0-9.]+(?:[:/][0-9.]+)?|\[?[0-9a-fA-F.]*:[0-9a-fA-F:.]*\]?(?:[:/][0-9]+)?")
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[/\\]{2}")
# Neither a network nor, as far as anybody can tell, a page: the prefix is too long.
_NO_NETWORK: Final = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}/[0-9]{2,3}")
_EMAIL: Final = re.compile(r"[^@\s/]+@[^@\s/]+")
_IBAN: Final = re.compile(r"[A-Za-z]{2}[0-9]{2}[A-Za-z0-9 ]{11,40}")
_BANK_ACCOUNT: Final = re.compile(r"[0-9]{2}-[0-9]{2}-[0-9]{2}[ ,;:/|-]{1,3}[0-9]{7,8}")
_PHONE_ABROAD: Final = re.compile(r"(?:\+|\(?00)[0-9 ().\-]{7,30}")
_PHONE_AT_HOME: Final = re.compile(r"\(?0[0-9][0-9 ()\-]{8,16}")
_ASN: Final = re.compile(r"AS ?[0-9]{1,10}", re.IGNORECASE)
_HOST_AND_PATH: Final = re.compile(r"([^/?#\\\s]+)[/?].*", re.DOTALL)


def detect(raw: str) -> Value:
    """Return the value that ``raw`` is, after undoing defang marks.

    The kinds that nothing in a text shows (``JA3``, a company, a vehicle, a user agent, a social handle, a
    telephone number without + or 0) are never found. Raises ``InvalidInput`` where no kind fits.
    """
    if not isinstance(raw, str):
        raise InvalidInput("a value is given as text")
    if len(raw) > MAX_CHARACTERS:
        raise refusal(raw, f"is longer than {MAX_CHARACTERS} characters")
    lower = raw.lower()
    if _is_known_domain(lower):
        return Value(Kind.DOMAIN, lower)
    text = refang(raw).strip()
    found = _fixed_form(text) or _internet(raw, text) or _money(text) or _phone(text) or _bare_host(text)
    if found is None:
        raise refusal(raw, "is of no kind that is known here")
    return found


def _fixed_form(text: str) -> Value | None:
    if len(text) in digests.KIND_BY_LENGTH and digests.HEX.fullmatch(text.lower()):
        return digests.digest(text)
    # Before anything else could read its 40 digits as a SHA-1.
    if _ETHEREUM.fullmatch(text):
        return canonical(Kind.ETH, text)
    return canonical(Kind.ASN, text) if _ASN.fullmatch(text) else None


def _internet(raw: str, text: str) -> Value | None:
    if _ADDRESS.fullmatch(text) and (found := _try(Kind.IPV4, text)) is not None:
        return found
    if _NO_NETWORK.fullmatch(text):
        raise refusal(raw, "is no network: its prefix is longer than an address")
    if _SCHEME.match(text):
        return canonical(Kind.URL, raw)
    if text[:7].lower() == "mailto:" or _EMAIL.fullmatch(text):
        return canonical(Kind.EMAIL, text)
    split = _HOST_AND_PATH.fullmatch(text)
    return canonical(Kind.URL, raw) if split and _bare_host(split.group(1)) is not None else None


def _money(text: str) -> Value | None:
    refuse_card(text)
    if _IBAN.fullmatch(text) and mod97_holds(text.replace(" ", "")):
        found = _try(Kind.IBAN, text)
        if found is not None:
            return found
    if _BANK_ACCOUNT.fullmatch(text):
        return canonical(Kind.BANK_ACCOUNT, text)
    return wallets.recognise(text)


def _phone(text: str) -> Value | None:
    if _PHONE_ABROAD.fullmatch(text):
        return _try(Kind.PHONE, text)
    digits = sum(character.isdigit() for character in text)
    return _try(Kind.PHONE, text) if 10 <= digits <= 11 and _PHONE_AT_HOME.fullmatch(text) else None


def _bare_host(text: str) -> Value | None:
    """Return the address, or the domain under a known suffix: a file's name looks the same otherwise."""
    host = hosts.without_port(text)
    if hosts.PLAIN_IPV4.fullmatch(host):
        return Value(Kind.IPV4, host)
    name = hosts.domain_ascii(host)
    return Value(Kind.DOMAIN, name) if _is_known_domain(name) else None


def _is_known_domain(name: str) -> bool:
    return (
        len(name) <= 253
        and hosts.PLAIN_DOMAIN.fullmatch(name) is not None
        and has_known_suffix(name)
        and not is_public_suffix(name)
    )


def _try(kind: Kind, text: str) -> Value | None:
    try:
        return canonical(kind, text)
    except InvalidInput:
        return None
