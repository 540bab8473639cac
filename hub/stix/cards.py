"""Finding full payment card numbers, so that none is ever stored or shown (PCI DSS requirement 3).

A number counts as one when its length fits the issuer that its first digits name (ISO/IEC 7812) and Luhn's
check digit holds. Test card numbers count as well: they pass for real ones everywhere else too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from hub.stix.checksums import luhn_holds, mod97_holds

REPLACEMENT: Final = "[card number removed]"
_SHORTEST: Final = 13
_LONGEST: Final = 19

_ISSUERS: Final = re.compile(
    r"4(?:[0-9]{12}|[0-9]{15}|[0-9]{18})"  # Visa
    r"|(?:5[1-5]|222[1-9]|22[3-9][0-9]|2[3-6][0-9]{2}|27[01][0-9]|2720)[0-9]+"  # Mastercard; length below
    r"|3[47][0-9]{13}"  # American Express
    r"|3(?:0[0-5]|6[0-9]|[89][0-9])[0-9]{11,16}"  # Diners Club
    r"|35(?:2[89]|[3-8][0-9])[0-9]{12,15}"  # JCB
    r"|(?:6011|64[4-9][0-9]|65[0-9]{2}|62[0-9]{2}|81[0-9]{2}|220[0-4])[0-9]{12,15}"  # Discover, UnionPay, Mir
    r"|(?:50(?:18|20|38)|5893|6304|6759|676[1-37])[0-9]{9,15}"  # Maestro
    r"|(?:60|508|9792)[0-9]+"  # RuPay, Troy; length below
)
_SIXTEEN_ONLY: Final = re.compile(r"5[1-5]|222[1-9]|22[3-9]|2[3-7]|60|508|9792")
_DISCOVER_OR_MAESTRO: Final = re.compile(r"6011|50(?:18|20|38)|5893")

# Digits in groups: up to three blanks, dashes, dots or the like stand between two groups.
_GAP: Final = r"[\s.·_\-\u00ad\u200b-\u200d\u2010-\u2015\u2060\u2212\ufeff]{1,3}"
_RUN: Final = re.compile(rf"\d+(?:{_GAP}\d+)*")
_GROUP: Final = re.compile(r"\d+")
# More characters than this, joined to the digits, make a hash, a wallet address or a session key of it.
_MOST_JOINED: Final = 12
_SORT_CODE_AND_ACCOUNT: Final = ((2, 2, 2, 8), (2, 2, 2, 7), (6, 8), (6, 7))


def contains_card(text: str) -> bool:
    """Tell whether ``text`` holds a full payment card number, in one piece or in groups. Linear time."""
    return next(_spans(text), None) is not None


def redact_cards(text: str) -> str:
    """Return ``text`` with ``[card number removed]`` for each full payment card number. Linear time."""
    kept: list[str] = []
    end = 0
    for start, stop in _spans(text):
        kept += (text[end:start], REPLACEMENT)
        end = stop
    return "".join((*kept, text[end:])) if kept else text


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield where each card number starts and stops, from left to right."""
    for run in _RUN.finditer(text):
        if run.end() - run.start() >= _SHORTEST:
            yield from _spans_in_run(text, [group.span() for group in _GROUP.finditer(text, *run.span())])


def _spans_in_run(text: str, groups: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield what card numbers cover, those that overlap as one: it is not told which of them is the real one."""
    start, stop = 0, -1
    for first in range(len(groups)):
        last = _last_group_of_card(text, groups, first)
        if last is None:
            continue
        if groups[first][0] > stop:
            if stop > 0:
                yield start, stop
            start = groups[first][0]
        stop = max(stop, groups[last][1])
    if stop > 0:
        yield start, stop


def _last_group_of_card(text: str, groups: list[tuple[int, int]], first: int) -> int | None:
    """Return the index of the group with which the longest card number from group ``first`` on ends."""
    digits = ""
    found = None
    for last in range(first, len(groups)):
        start, stop = groups[last]
        if len(digits) + stop - start > _LONGEST:
            break
        digits += text[start:stop]
        if len(digits) >= _SHORTEST and _is_card(digits) and not _is_something_else(text, groups[first : last + 1]):
            found = last
    return found


def _is_card(digits: str) -> bool:
    if not digits.isascii():
        digits = "".join(str(int(digit)) for digit in digits)
    if not _ISSUERS.fullmatch(digits):
        return False
    if len(digits) != 16 and _SIXTEEN_ONLY.match(digits) and not _DISCOVER_OR_MAESTRO.match(digits):
        return False
    return luhn_holds(digits)


def _is_something_else(text: str, groups: list[tuple[int, int]]) -> bool:
    """Tell a number with a country code, a sort code and account, or a part of a longer word from a card."""
    start, stop = groups[0][0], groups[-1][1]
    count = sum(end - begin for begin, end in groups)
    if start and text[start - 1] == "+" and count <= 15:  # the longest E.164 number
        return True
    if tuple(end - begin for begin, end in groups) in _SORT_CODE_AND_ACCOUNT:
        return True
    before, after = _joined_before(text, start), _joined_after(text, stop)
    if len(before) + len(after) > _MOST_JOINED:
        return True
    # An IBAN begins with its country; of digits alone, every 97th would pass for one.
    has_country = len(before) > 1 and before[:2].isalpha()
    return len(groups) == 1 and has_country and mod97_holds(before + text[start:stop] + after)


def _joined_before(text: str, stop: int) -> str:
    start = stop
    while start and stop - start <= _MOST_JOINED and text[start - 1].isalnum():
        start -= 1
    return text[start:stop]


def _joined_after(text: str, start: int) -> str:
    stop = start
    while stop < len(text) and stop - start <= _MOST_JOINED and text[stop].isalnum():
        stop += 1
    return text[start:stop]
