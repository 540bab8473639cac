"""Plain lists: one value a line, as block lists and researchers publish them.

Understood beside bare values: comments (``#``, ``;``, ``//``, ``!``; inline after a space),
a first field followed by a count or a text, hosts files (``0.0.0.0 name``), Adblock
(``||name^``), Unbound (``local-zone: "name"``) and response policy zones (``name CNAME .``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hub.feeds.readers import shape, text
from hub.feeds.readers.labels import tlp_above
from hub.feeds.readers.reading import DESCRIPTION_LIMIT, RawIndicator, Reading, unread

# A URL may be long; a line far beyond that is no value.
LINE_LIMIT = 8192

_COMMENT = ("#", ";", "!", "//", "[Adblock", "$TTL", "$ORIGIN", "@ IN ")
_INLINE_COMMENT = re.compile(r"\s(?:#|;|//|!).*")
_NULL_ROUTE = frozenset({"0.0.0.0", "127.0.0.1", "::", "::1", "::0", "fe80::1%lo0", "255.255.255.255"})  # noqa: S104 (read, not bound)
_OWN_NAMES_TEXT = """
localhost localhost.localdomain local broadcasthost ip6-localhost ip6-loopback ip6-localnet
ip6-mcastprefix ip6-allnodes ip6-allrouters ip6-allhosts 0.0.0.0
"""
_OWN_NAMES = frozenset(_OWN_NAMES_TEXT.split())
_UNBOUND = re.compile(r'local-zone:\s*"([^"]+)"\s+\w+')
_ZONE_RULE = re.compile(r"(\S+)(?:\s+\d+)?(?:\s+IN)?\s+CNAME\s+\S+", re.IGNORECASE)
# A zone may also name what is to be let through.
_LET_THROUGH = re.compile(
    r'\S+(?:\s+\d+)?(?:\s+IN)?\s+CNAME\s+rpz-passthru\.?|local-zone:\s*"[^"]+"\s+\w*transparent', re.IGNORECASE
)
_ZONE_ADDRESS = re.compile(r"(\d{1,3})\.([0-9a-z.]+)\.rpz-ip", re.IGNORECASE)
_ZEROS = re.compile(r":?zz:?")
# An ad blocker's exceptions and its rules about parts of a page.
_OTHER_RULE = re.compile(r"@@|.*#[@?$]?#")
_ADBLOCK_OPTIONS = re.compile(r"\^?(?:\$[\w~,=|.-]+)?$")


class PlainList:
    """One value a line."""

    name = "list"

    def fits(self, head: bytes, filename: str) -> int:  # noqa: ARG002 (the content alone decides)
        """70 when most of the first lines hold one value, down to 10 for other text; 0 for prose."""
        start = text.decode_head(head)
        if not start.strip() or text.looks_structured(start):
            return 0
        sample = [line for line in map(str.strip, text.lines(start)[:400]) if line]
        values = [line for line in sample if not line.startswith(_COMMENT)][:200]
        if not values:
            return 30
        good = sum(_is_of_a_list(line) for line in values)
        if 10 * good < len(values) and 2 * sum(map(_is_prose, values)) > len(values):
            return 0
        return 10 + 60 * good // len(values)

    def read(self, raw: bytes) -> Iterator[Reading]:
        """One ``RawIndicator`` a value, ``Unread`` for rules that are no value."""
        content = text.decode(raw)
        tlp = tlp_above(content[: text.HEAD])
        for number, line in enumerate(text.lines(content), 1):
            value = line.strip()
            if not value or value.startswith(_COMMENT):
                continue
            where = f"line {number}"
            if len(value) > LINE_LIMIT:
                yield unread(where, value, f"the line is longer than {LINE_LIMIT} characters")
            elif _OTHER_RULE.match(value):
                yield unread(where, value, "an exception or cosmetic rule of an ad blocker, not an indicator")
            elif _LET_THROUGH.fullmatch(value):
                yield unread(where, value, "a rule that lets a name through, not an indicator")
            elif value.startswith("||") and "*" in value:
                yield unread(where, value, "a rule with a wildcard, not one value")
            elif value.startswith("|") or " " in value or "\t" in value:
                for found, description in _values(value):
                    yield RawIndicator(where, found, description=description, tlp=tlp)
            else:
                yield RawIndicator(where, value, tlp=tlp)


def _is_of_a_list(line: str) -> bool:
    """Whether a line holds a value, or a rule of an ad blocker, which no other format has."""
    if line.startswith("||") or _OTHER_RULE.match(line):
        return True
    return any(shape.looks_like_indicator(raw) for raw, _ in _values(line))


def _is_prose(line: str) -> bool:
    return sum(word.strip(".,;:()").isalpha() for word in line.split()) > 3


def _values(line: str) -> list[tuple[str, str | None]]:
    """The values of a line that may hold more than a bare value, with what is said of them."""
    if line.startswith("|"):
        return [(_ADBLOCK_OPTIONS.sub("", line.strip("|")), None)]
    if match := _UNBOUND.fullmatch(line) or _ZONE_RULE.fullmatch(line):
        return [(_named_in_zone(match[1]), None)]
    line = _INLINE_COMMENT.sub("", line).rstrip()
    fields = line.split("\t") if "\t" in line else line.split(" ")
    first, rest = fields[0].rstrip(), " ".join(fields[1:]).strip()
    if not rest:
        return [(first, None)]
    if first in _NULL_ROUTE:
        return [(name, None) for name in rest.split() if name not in _OWN_NAMES]
    if first in {"NS", "SOA", "IN"}:
        return []
    return _value_and_text(line, first, rest, tabbed="\t" in line)


def _named_in_zone(name: str) -> str:
    """What a zone's rule is for: a name and all below it, or a network written backwards ("24.0.2.0.192.rpz-ip")."""
    network = _ZONE_ADDRESS.fullmatch(name)
    if network is None:
        return name.removeprefix("*.")
    labels = network[2].split(".")[::-1]
    if len(labels) == 4 and all(map(str.isdecimal, labels)):
        return f"{'.'.join(labels)}/{network[1]}"
    return f"{_ZEROS.sub('::', ':'.join(labels))}/{network[1]}"


def _value_and_text(line: str, first: str, rest: str, *, tabbed: bool) -> list[tuple[str, str | None]]:
    if rest.isdigit() and shape.looks_like_indicator(first):
        return [(first, None)]
    if tabbed or shape.looks_like_indicator(first):
        return [(first, rest[:DESCRIPTION_LIMIT])]
    # Phone and account numbers are written with spaces: the whole line is the value.
    return [(line, None)]
