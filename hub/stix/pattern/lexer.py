"""Cutting a STIX pattern into tokens, in linear time."""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from hub.errors import InvalidInput

_BLANK: Final = r"[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"

# The order gives the longest match where two could begin alike. Possessive repeats keep it linear.
_TOKEN: Final = re.compile(
    rf"""
      (?P<skip>{_BLANK}++|/\*(?s:.*?)\*/|//[^\r\n]*+)
    | (?P<string>'(?:[^'\\]|\\['\\])*+')
    | (?P<hex>h'(?:[0-9a-fA-F][0-9a-fA-F])*+')
    | (?P<binary>b'(?:[A-Za-z0-9+/]{{4}})*(?:[A-Za-z0-9+/]{{4}}|[A-Za-z0-9+/]{{3}}=|[A-Za-z0-9+/]{{2}}==)')
    | (?P<timestamp>t'[0-9]{{4}}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])
        T(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]++)?Z')
    | (?P<word>[A-Za-z_][A-Za-z0-9_-]*+)
    | (?P<float>[+-]?[0-9]*\.[0-9]++)
    | (?P<integer>[+-]?(?:0|[1-9][0-9]*+))
    | (?P<mark>[\[\]():.,*]|<=|>=|<>|==|!=|[=<>])
    """,
    re.VERBOSE,
)

_match: Final = _TOKEN.match

KEYWORDS: Final = frozenset(
    {"AND", "OR", "NOT", "FOLLOWEDBY", "LIKE", "MATCHES", "ISSUPERSET", "ISSUBSET", "EXISTS", "LAST", "IN"}
    | {"START", "STOP", "WITHIN", "SECONDS", "REPEATS", "TIMES", "true", "false"}
)


# Kind, text and position; the kind is that of a literal, "word" or "end", or a keyword's or mark's own text.
Token: TypeAlias = tuple[str, str, int]


def tokens_of(pattern: str) -> list[Token]:
    """Return the tokens of ``pattern`` and one of kind ``end``; raise InvalidInput at what is none."""
    tokens: list[Token] = []
    position = 0
    while found := _match(pattern, position):
        kind = found.lastgroup
        if kind == "skip":
            position = found.end()
            continue
        text = found[0]
        if kind is None or kind == "mark" or text in KEYWORDS:
            kind = text
        tokens.append((kind, text, position))
        position = found.end()
    if position < len(pattern):
        raise InvalidInput(
            f"the pattern has no valid token here: {pattern[position : position + 20]!r}",
            where=f"character {position + 1}",
        )
    tokens.append(("end", "the end", position))
    return tokens
