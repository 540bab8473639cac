"""Free text that people give: bounded, without control characters, otherwise as it was written."""

from __future__ import annotations

import unicodedata

from hub.errors import InvalidInput
from hub.members import people
from hub.stix.values import Kind, canonical

LINE = 200
PROSE = 4000


def line(raw: str, where: str, *, most: int = LINE, optional: bool = False) -> str:
    """One line of text. Raises InvalidInput where it is empty, too long or not printable."""
    return _bounded(" ".join(raw.split()), where, most, optional)


def prose(raw: str, where: str, *, most: int = PROSE, optional: bool = False) -> str:
    """Lines of text. Raises InvalidInput like ``line``."""
    return _bounded(raw.replace("\r\n", "\n").strip(), where, most, optional)


def email(raw: str, where: str) -> str:
    """An e-mail address in canonical form. Raises InvalidInput."""
    try:
        return people.canonical_email(raw)
    except InvalidInput:
        raise InvalidInput("Enter an e-mail address like name@bank.example", where=where) from None


def domain(raw: str, where: str) -> str:
    """A domain name in canonical form. Raises InvalidInput."""
    wrong = InvalidInput("Enter a domain name like bank.example", where=where)
    try:
        found = canonical(Kind.DOMAIN, raw)
    except InvalidInput:
        raise wrong from None
    if found.kind is not Kind.DOMAIN:
        raise wrong
    return found.text


def _bounded(text: str, where: str, most: int, optional: bool) -> str:
    if not text and not optional:
        raise InvalidInput("This cannot be empty", where=where)
    if len(text) > most:
        raise InvalidInput(f"This has {len(text)} characters; {most} is the most", where=where)
    # Format characters (Cf) turn the direction of text or hide in it: a name could pass for another one.
    if any(unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn") for character in text.replace("\n", "")):
        raise InvalidInput("This has characters that cannot be shown", where=where)
    return text
