"""Undoing the marks with which people make an address harmless before they pass it on.

``hxxps[:]//evil[.]example`` reads ``https://evil.example`` again. Doing it twice changes nothing more, and
the time taken is linear in the text.
"""

from __future__ import annotations

import re
from typing import Final

# Zero-width characters, soft hyphens and marks of writing direction: invisible, and no part of an address.
_INVISIBLE: Final = re.compile(r"[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_SUSPECT: Final = re.compile(r"[\[({]|\.\]|\\\.|\b(?:h..p|fxp)|\s(?:dot|at)\s", re.IGNORECASE)

# A match takes the whole run of brackets and blanks on both sides of a mark, and the marks that follow at
# once. That keeps the time linear (a run is scanned from its start only), and leaves no bracket beside the
# result that could make another match.
_BRACKETED: Final = r"(?<![\[({{\s])\s*(?:[\[({{][\[({{\s]*(?:{})\s*[\])}}][\])}}\s]*)+"
_SINGLE: Final = r"\.|:|/|@|dot|at"
_DOUBLE: Final = r"://|//"
_BRACKETED_MARKS: Final = re.compile(_BRACKETED.format(_SINGLE), re.IGNORECASE)
_BRACKETED_SLASHES: Final = re.compile(_BRACKETED.format(_DOUBLE))
_MARK: Final = re.compile(rf"{_DOUBLE}|{_SINGLE}", re.IGNORECASE)
# "[." and ".]", and "\." as a regular expression has it.
_HALF_BRACKETED_DOT: Final = re.compile(r"(?<=\w)(?:\[\.|\.\]|\\\.)(?=\w)")
_BRACKETED_S: Final = re.compile(r"\b(h(?:tt|xx|tx|xt|\*\*|__)p)[\[(]s[\])](?=\s?[\[({]?:)", re.IGNORECASE)
_HTTP: Final = re.compile(r"\bh(?:xx|tx|xt|\*\*|__)p(s?)(?=:)", re.IGNORECASE)
_FTP: Final = re.compile(r"\b(s?)fxp(s?)(?=:)", re.IGNORECASE)
_SPELLED: Final = re.compile(r"[^\s\[\](){}]+(?:\s+(?:dot|at)\s+[^\s\[\](){}]+)+", re.IGNORECASE)
_SPELLED_MARK: Final = re.compile(r"\s+(?:dot|at)\s+", re.IGNORECASE)
_SIGNS: Final = {"dot": ".", "at": "@"}


def refang(text: str) -> str:
    """Return ``text`` with defanged dots, colons, slashes, at-signs and schemes as they were.

    A bracketed IPv6 literal stays as it is. "evil dot example" is read as a name only where the whole text
    is such a spelling, so that prose is left alone.
    """
    text = visible(text)
    if not _SUSPECT.search(text):
        return text
    text = _BRACKETED_S.sub(r"\1s", text)
    text = _BRACKETED_MARKS.sub(_signs, text)
    text = _BRACKETED_SLASHES.sub(_signs, text)
    text = _HALF_BRACKETED_DOT.sub(".", text)
    text = _HTTP.sub(r"http\1", text)
    text = _FTP.sub(r"\1ftp\2", text)
    return _SPELLED_MARK.sub(_signs, text) if _SPELLED.fullmatch(text) else text


def visible(text: str) -> str:
    """Return ``text`` without zero-width characters and marks of writing direction."""
    return text if text.isascii() else _INVISIBLE.sub("", text)


def _signs(found: re.Match[str]) -> str:
    return "".join(_SIGNS.get(mark.lower(), mark) for mark in _MARK.findall(found.group()))
