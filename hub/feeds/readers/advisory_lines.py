"""The lines of an advisory, cut into parts that list values and parts that talk about them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from hub.feeds.readers import shape, text

LINE_LIMIT = 65_536

_FENCE = re.compile(r"(`{3,}|~{3,})\s*\w*")
# In other texts than AsciiDoc these rule a line or underline a heading.
_ASCIIDOC_FENCE = re.compile(r"(-{4,}|\.{4,})")
_ASCIIDOC = re.compile(r"=+ \S")
_HEADING = re.compile(r"(?:=+|#+) ?(\S.*)|\.([A-Z]\S.*)")
_BULLET = re.compile(r"\s*(?:[-*•–]+|\d{1,3}[.)])\s+")
_INLINE_CODE = re.compile(r"`([^`]+)`")
# What may stand behind the value that a line begins with.
_AFTER_VALUE = re.compile(r"\s*$|\s{2,}|\t|\s+[-–—:(=|]|\s*[,;]")


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a line; ``listed`` where values are listed rather than talked about."""

    text: str
    listed: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One line with the heading above it; ``number`` counts from 1."""

    number: int
    parts: tuple[Part, ...]
    heading: str


def lines_of(content: str) -> Iterator[Line]:
    """The lines of a text in plain form, Markdown or AsciiDoc; over-long ones are cut."""
    all_lines = [line[:LINE_LIMIT] for line in text.lines(content)]
    asciidoc = any(map(_ASCIIDOC.match, all_lines))
    heading, fence = "", ""
    listed_until, listing = 0, False
    for index, line in enumerate(all_lines):
        number = index + 1
        bare = line.strip()
        if fence:
            if bare == fence:
                fence = ""
            else:
                yield Line(number, (Part(line, True),), heading)
            continue
        if opened := _FENCE.fullmatch(bare) or (asciidoc and _ASCIIDOC_FENCE.fullmatch(bare)):
            fence = opened[1]
            continue
        if found := _HEADING.fullmatch(bare):
            heading = (found[1] or found[2]).strip()
            yield Line(number, (Part(line, False),), heading)
            continue
        if not bare:
            continue
        if index >= listed_until:
            listed_until, listing = _paragraph(all_lines, index)
        if bare.startswith("|"):
            yield Line(number, tuple(_cells(bare)), heading)
        elif _BULLET.match(line):
            entry = _BULLET.sub("", line, count=1)
            yield Line(number, tuple(_coded(entry, listed=_begins_with_value(entry))), heading)
        else:
            yield Line(number, tuple(_coded(bare, listed=listing and _begins_with_value(bare))), heading)
            if bare.endswith(":"):
                heading = bare[:-1]


def _paragraph(all_lines: list[str], start: int) -> tuple[int, bool]:
    """(index after the paragraph, whether each of its lines begins with a value).

    A sentence that breaks just before an address is no list. A title above values is passed over.
    """
    end = start
    while end < len(all_lines) and all_lines[end].strip() and not _FENCE.fullmatch(all_lines[end].strip()):
        end += 1
    body = [line.strip() for line in all_lines[start:end]]
    values = sum(map(_begins_with_value, body))
    return end, values == len(body) or (len(body) > 4 and values >= len(body) - 1)


def _begins_with_value(line: str) -> bool:
    first = line.split(maxsplit=1)[0] if line.strip() else ""
    word = first.strip("`+\"'(),;")
    return shape.looks_like_indicator(word) and _AFTER_VALUE.match(line.strip()[len(first.rstrip(",;")) :]) is not None


def _cells(row: str) -> Iterator[Part]:
    """The cells of a table's row: one that holds a single word lists it."""
    for cell in row.strip("|").split("|"):
        yield Part(cell, len(cell.split()) == 1)


def _coded(line: str, *, listed: bool) -> Iterator[Part]:
    """A line cut at its inline code, which lists a value where it holds a single word."""
    for position, part in enumerate(_INLINE_CODE.split(line)):
        if part.strip():
            yield Part(part, listed or (position % 2 == 1 and len(part.split()) == 1))
