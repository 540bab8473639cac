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
_ACCOUNT = re.compile(r"(?<![\w-])(?:\d{8}|(?<!\d )\d{4} \d{4}(?! \d))(?![\w-])")
_ACCOUNT_WORD = re.compile(r"sort|account|acc\b|a/c", re.IGNORECASE)
_NEAR, _ADJACENT = 80, 4
# Two sort codes before two numbers: nothing tells which belong together.
_APART = [True, True, False, False]
_CALLED_ACCOUNT = re.compile(r"\b(?:account|acct?|a/c)\b[^.;\d]*(?:\bno\.)?[^.;\d]*\Z", re.IGNORECASE)
# A full stop behind a short word ("no. 5") ends none.
_SENTENCE_END = re.compile(r"[!?;\n]|(?<!\bno)(?<!\bnum)\.\s", re.IGNORECASE)
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
    """Each sort code with the account number beside it: side by side, or near a word that says so.

    The number before it or the one behind it, whichever belongs to it more plainly; a number goes with one sort code
    alone. Where neither is plainer, the one behind: unless the text begins with a number, and so names numbers first.
    "Sort codes A and B, accounts C and D" is left alone.
    """
    codes = [(match.start(), match.end(), match[0]) for match in _SORT_CODE.finditer(text)]
    codes += [(match.start(1), match.end(1), match[1]) for match in _SORT_CODE_NAMED.finditer(text)]
    is_code = {start for start, _, _ in codes}
    numbers = [(match.start(), match.end(), match[0]) for match in _ACCOUNT.finditer(text)]
    marks = sorted([*codes, *numbers])
    order = [start in is_code for start, _, _ in marks]
    numbers_first = order[:1] == [False]
    taken: set[int] = set()
    for at, (start, end, code) in enumerate(marks[: 2 * FOUND_LIMIT]):
        if start not in is_code or _APART in (order[at : at + 4], order[max(0, at - 1) : at + 3]):
            continue
        beside = [marks[at - 1]] if at and marks[at - 1][0] not in taken else []
        beside += marks[at + 1 : at + 2]
        near = [
            (_distance(text, number, (start, end)), (number[0] > start) is numbers_first, number)
            for number in beside
            if number[0] not in is_code and number[0] - end <= _NEAR and start - number[1] <= _NEAR
        ]
        if not near:
            continue
        left, right, digits = min(near)[2]
        gap = max(left - end, start - right)
        if gap <= _ADJACENT or _ACCOUNT_WORD.search(text, max(0, min(start, left) - 40), max(end, right)):
            taken.add(left)
            yield f"{code} {digits.replace(' ', '')}"


def _distance(text: str, number: tuple[int, int, str], code: tuple[int, int]) -> tuple[bool, bool]:
    """How far an account number is from a sort code: across the end of a sentence, not called an account."""
    between = text[number[1] : code[0]] if number[0] < code[0] else text[code[1] : number[0]]
    called = _CALLED_ACCOUNT.search(text, max(0, number[0] - 25), number[0]) is not None
    return _SENTENCE_END.search(between) is not None, not called
