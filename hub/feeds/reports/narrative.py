"""Finding identifiers in what a victim or a clerk has written.

Only what canonicalises is taken: a narrative is prose, and a wrong guess would accuse somebody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hub.errors import InvalidInput
from hub.feeds.readers.reading import RawIndicator
from hub.stix.refang import refang
from hub.stix.values import Kind, Value, canonical, detect

FOUND_LIMIT = 200
# What may come of a text whose kind its content has to show: a checksum or a known suffix vouches for it.
_SHOWN = frozenset({Kind.DOMAIN, Kind.BTC, Kind.ETH, Kind.XMR, Kind.LTC, Kind.TRX})

_URL = re.compile(r"\bhttps?://[^\s<>\"'`{}|\\^\])]{3,2000}", re.IGNORECASE)
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[a-z]{2,24}\b", re.IGNORECASE)
# A capital after the dot is the start of a sentence whose space was forgotten.
_DOMAIN = re.compile(r"(?<![\w.@/-])(?:[\w-]{1,63}\.){1,8}[a-z]{2,24}(?![\w@-])(?!\.\w)")
_PHONE = re.compile(
    r"(?<![\w+/.-])(?:(?:\+|00)\s?44[\s.-]?(?:\(0\)[\s.-]?)?|\(?0)\(?[1-9]\d{1,4}\)?(?:[\s.-]?\d{3,4}){1,3}(?![\w/])"
    r"|(?<![\w+])\+[1-9]\d{0,2}(?:[\s.-]?\d{2,4}){2,5}(?!\w)"
)
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?:\s?[A-Z0-9]{4}){2,7}(?:\s?[A-Z0-9]{1,3})?\b")
_SORT_CODE = re.compile(r"(?<![\w-])\d{2}([- ])\d{2}\1\d{2}(?![\w-])")
_SORT_CODE_NAMED = re.compile(r"\bsort\s?code\W{0,3}(?:is\s)?(\d{6})(?!\d)", re.IGNORECASE)
_ACCOUNT = re.compile(r"(?<![\w-])\d{8}(?![\w-])")
_ACCOUNT_WORD = re.compile(r"sort|account|acc\b|a/c", re.IGNORECASE)
_NEAR, _ADJACENT = 80, 4
_WALLET = re.compile(
    r"\b(?:0x[0-9a-fA-F]{40}|(?:bc1|ltc1)[02-9ac-hj-np-z]{11,87}|[13LMT][1-9A-HJ-NP-Za-km-z]{25,34}"
    r"|[48][1-9A-HJ-NP-Za-km-z]{94})\b"
)


def identifiers(text: str, where: str = "report.narrative") -> list[RawIndicator]:
    """URLs, e-mail addresses, domains, phones, accounts and wallets in a text, each once, at most 200.

    Defanged forms are understood. A sort code is taken with an account number that stands near it.
    """
    found: dict[Value, RawIndicator] = {}
    for kind, raw in _candidates(refang(text)):
        if len(found) >= FOUND_LIMIT:
            break
        try:
            value = canonical(kind, raw) if kind else detect(raw)
        except InvalidInput:
            continue
        if kind or value.kind in _SHOWN:
            found.setdefault(value, RawIndicator(where, raw, value.kind))
    return list(found.values())


def _candidates(text: str) -> Iterator[tuple[Kind | None, str]]:
    """What looks like an identifier; each match is blanked so that no part of it is found again."""
    for kind, expression in (
        (Kind.URL, _URL),
        (Kind.EMAIL, _EMAIL),
        (None, _DOMAIN),
        (None, _WALLET),
        (Kind.IBAN, _IBAN),
    ):
        matches = [match[0] for match in expression.finditer(text)]
        yield from ((kind, raw.rstrip(".,;:!?") if kind is Kind.URL else raw) for raw in matches)
        # An IBAN's pattern also fits other groups of capitals: leave them to be looked at again.
        if kind is not Kind.IBAN:
            text = expression.sub(lambda match: " " * len(match[0]), text)
    accounts = list(_accounts(text))
    yield from ((Kind.BANK_ACCOUNT, raw) for raw in accounts)
    yield from ((Kind.PHONE, match[0]) for match in _PHONE.finditer(text))


def _accounts(text: str) -> Iterator[str]:
    """Sort codes paired with the nearest account number: side by side, or near a word that says so."""
    codes = [(match.start(), match.end(), match[0]) for match in _SORT_CODE.finditer(text)]
    codes += [(match.start(1), match.end(1), match[1]) for match in _SORT_CODE_NAMED.finditer(text)]
    numbers = [(match.start(), match.end(), match[0]) for match in _ACCOUNT.finditer(text)]
    for start, end, code in codes[:FOUND_LIMIT]:
        near = [
            (max(at - end, start - upto), number, min(start, at), max(end, upto))
            for at, upto, number in numbers
            if at - end <= _NEAR and start - upto <= _NEAR
        ]
        if not near:
            continue
        gap, number, left, right = min(near)
        if gap <= _ADJACENT or _ACCOUNT_WORD.search(text, max(0, left - 40), right):
            yield f"{code} {number}"
