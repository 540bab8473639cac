"""The fields of a filing that are stored open: none of them may tell whom the filing is about.

Names and identifiers are looked for as people write them into a reference: glued together, without the country code
of a telephone or the sort code of an account.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from hub.checks.subjects import Subject, SubjectKind

OPEN: Final = ("reference", "case_reference", "evidence")
# A name's word of so many letters is found within a longer word too; a shorter one only as a word of its own.
LONG_WORD: Final = 5
SHORT_WORD: Final = 3
# So many characters of an identifier tell which one it is.
TELLING: Final = 8
ACCOUNT_DIGITS: Final = 8
NATIONAL_DIGITS: Final = 9


def repeating(said: Mapping[str, Any], subjects: tuple[Subject, ...]) -> Iterator[tuple[str, str]]:
    """(field, fault) of each open field of a filing's document that repeats a name or an identifier of ``subjects``."""
    for name in OPEN:
        text = said.get(name, "").casefold()
        squeezed, words = _squeezed(text), set(re.split(r"[\W\d_]+", text))
        if any(_told(one, squeezed, words) for one in subjects):
            yield name, "must not repeat an identifier or a name: it is stored open"


def _told(one: Subject, squeezed: str, words: set[str]) -> bool:
    if one.person is None:
        return any(part in squeezed for part in _telling(one))
    return any(
        (len(word) >= SHORT_WORD and word in words) or (len(word) >= LONG_WORD and word in squeezed)
        for word in one.person.name.split()
    )


def _telling(one: Subject) -> Iterator[str]:
    """The texts that tell an identifier: the whole, and the part that is as good as it."""
    yield _squeezed(one.text)
    if one.kind in (SubjectKind.BANK_ACCOUNT, SubjectKind.IBAN):
        part = one.text[-ACCOUNT_DIGITS:]
    elif one.kind is SubjectKind.PHONE:
        part = one.text[-NATIONAL_DIGITS:]
    elif one.kind is SubjectKind.EMAIL:
        part = one.text.partition("@")[0]
    else:
        part = one.text.partition(":")[2]
    if len(part := _squeezed(part)) >= TELLING:
        yield part


def _squeezed(text: str) -> str:
    return re.sub(r"[\W_]", "", text.casefold())
