"""Reading JSON strictly and writing it in one canonical form.

In: I-JSON (RFC 7493). Out: the JSON Canonicalization Scheme (RFC 8785), so that two parties that hold the
same value hash and sign the same bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

import orjson
import rfc8785

from hub.errors import InvalidInput

MAX_SAFE_INTEGER: Final = 2**53 - 1
MAX_DEPTH: Final = 64
# A canonical value may wrap an accepted one (a statement about it, an envelope), so it may nest deeper.
MAX_CANONICAL_DEPTH: Final = 128

# Found in the orjson form of a value, where NUL is the only one of these that is written as an escape.
# RFC 7493 section 2.1 bans noncharacters; NUL is legal JSON, but PostgreSQL's text type cannot hold it.
_BANNED_CHARACTER: Final = re.compile(
    rb"(?<!\\)(?:\\\\)*\\u0000|\xef\xb7[\x90-\xaf]|\xef\xbf[\xbe\xbf]|[\xf0-\xf4][\x8f\x9f\xaf\xbf]\xbf[\xbe\xbf]"
)
_ORJSON_OPTIONS: Final = (
    orjson.OPT_SORT_KEYS
    | orjson.OPT_PASSTHROUGH_SUBCLASS
    | orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
)


def parse_json(raw: bytes) -> Any:
    """Return the value that ``raw`` spells, or raise ``InvalidInput`` where it is not I-JSON (RFC 7493).

    Refused: a BOM, anything but UTF-8, duplicate member names, NaN and infinities (1e400 too), integers
    beyond ±(2^53−1), floats whose canonical form would be such an integer, lone surrogates, noncharacters,
    NUL, and nesting deeper than 64. The size of ``raw`` is the caller's concern.
    """
    try:
        # orjson stops at a nesting of 1,024 without recursing further, whatever the input.
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as fault:
        raise InvalidInput(
            f"this is not JSON: {fault.msg}",
            where=f"line {fault.lineno} column {fault.colno}",
            advice="Send UTF-8 JSON without a byte order mark (RFC 8259, RFC 7493).",
        ) from None
    _check_numbers_and_depth(value, raw)
    written = orjson.dumps(value)
    # Every name and every string has two quotes; a name that came twice, or one value under it, is gone
    # from the parsed form.
    if _structural_quotes(raw) != _structural_quotes(written):
        _name_duplicate(raw)
    if (b"\\u0000" in written or not written.isascii()) and _BANNED_CHARACTER.search(written):
        _refuse_character(value)
    return value


def canonical_json(value: Any) -> bytes:
    """Return the RFC 8785 form of a JSON value; raise ``InvalidInput`` for what has none."""
    plain = _sorts_alike(value)
    try:
        if plain:
            return orjson.dumps(value, option=_ORJSON_OPTIONS)
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, TypeError, ValueError, RecursionError) as fault:
        raise InvalidInput(f"this value has no canonical form: {fault}") from None


def writer_for(value: Any) -> Callable[[Any], bytes]:
    """Return a writer of the RFC 8785 form for the parts of ``value``: the guard looks once for all of them."""
    return write_plain if _sorts_alike(value) else canonical_json


def write_plain(value: Any) -> bytes:
    """Return the RFC 8785 form of a value known to hold only ASCII names, strings, safe integers and literals."""
    try:
        return orjson.dumps(value, option=_ORJSON_OPTIONS)
    except (TypeError, ValueError) as fault:
        raise InvalidInput(f"this value has no canonical form: {fault}") from None


def _structural_quotes(text: bytes) -> int:
    """Count the quotes that open or close a string in valid JSON."""
    if b"\\" in text:
        text = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    return text.count(b'"')


def _levels(value: Any) -> Iterator[list[Any]]:
    """Yield the values of each nesting level that are no strings, outermost first."""
    level = [value]
    while level:
        yield level
        containers = [inner for inner in level if type(inner) is dict or type(inner) is list]
        level = [
            inner
            for container in containers
            for inner in (container.values() if type(container) is dict else container)
            if type(inner) is not str
        ]


def _check_numbers_and_depth(value: Any, raw: bytes) -> None:
    has_large = False
    for depth, level in enumerate(_levels(value)):
        if depth >= MAX_DEPTH and any(type(inner) is dict or type(inner) is list for inner in level):
            raise InvalidInput(f"the JSON nests deeper than {MAX_DEPTH} levels")
        for inner in level:
            if (type(inner) is int or type(inner) is float) and not (-MAX_SAFE_INTEGER <= inner <= MAX_SAFE_INTEGER):
                has_large = True
    if has_large:
        _check_large_numbers(value, raw)


def _check_large_numbers(value: Any, raw: bytes) -> None:
    # orjson reads integers over 64 bits as floats, so the text has to tell; the length of the digits is
    # enough there. RFC 8785 writes floats under 1e21 as integers, which would then be refused on reading.
    long_integers: list[str] = []
    json.loads(raw, parse_int=lambda digits: long_integers.append(digits) if len(digits) > 20 else None)
    for path, number in _paths(value):
        if type(number) is int:
            exact = -MAX_SAFE_INTEGER <= number <= MAX_SAFE_INTEGER
        elif type(number) is float:
            exact = abs(number) <= MAX_SAFE_INTEGER or (abs(number) >= 1e21 and not long_integers)
        else:
            exact = True
        if not exact:
            raise InvalidInput(
                "this number is outside ±(2^53−1), where integers are exact",
                where=path or None,
                advice="Send large numbers as strings (RFC 7493 section 2.2).",
            )


def _paths(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield every value inside ``value`` with its path, in the order of the text."""
    pending: list[tuple[str, Any]] = [("", value)]
    while pending:
        path, inner = pending.pop()
        yield path, inner
        if type(inner) is dict:
            pending += [(_join(path, name), held) for name, held in reversed(inner.items())]
        elif type(inner) is list:
            pending += [(f"{path}[{i}]", held) for i, held in reversed(list(enumerate(inner)))]


class _Members(list[tuple[str, Any]]):
    """The members of an object in their order, duplicates kept."""


def _name_duplicate(raw: bytes) -> None:
    """Raise with the path of the first member whose name came before in the same object."""
    pending: list[tuple[str, Any]] = [("", json.loads(raw, object_pairs_hook=_Members, parse_int=str))]
    while pending:
        path, value = pending.pop()
        if isinstance(value, _Members):
            seen: set[str] = set()
            for name, _ in value:
                if name in seen:
                    raise InvalidInput(
                        f"the member name {name!r} comes twice in one object (RFC 7493 section 2.3)",
                        where=_join(path, name),
                    )
                seen.add(name)
            pending += [(_join(path, name), inner) for name, inner in reversed(value)]
        elif isinstance(value, list):
            pending += [(f"{path}[{i}]", inner) for i, inner in reversed(list(enumerate(value)))]
    raise InvalidInput("a member name comes twice in one object (RFC 7493 section 2.3)")


def _refuse_character(value: Any) -> None:
    """Raise with the path of the first string, or object with a name, that has a banned character."""
    for path, inner in _paths(value):
        texts = list(inner) if type(inner) is dict else [inner] if type(inner) is str else []
        if any(_BANNED_CHARACTER.search(orjson.dumps(text)) for text in texts):
            raise InvalidInput(
                "a string holds NUL or a Unicode noncharacter (RFC 7493 section 2.1)", where=path or None
            )


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _sorts_alike(value: Any) -> bool:
    """Tell whether orjson's sorted form is the RFC 8785 form: ASCII names and no floats, safe integers.

    orjson sorts names by code point, RFC 8785 by UTF-16 unit; both write strings as ECMAScript does.
    Raises InvalidInput where the value nests too deep for the recursive writer.
    """
    plain = True
    level = [value]
    for _ in range(MAX_CANONICAL_DEPTH + 1):
        inner: list[Any] = []
        for one in level:
            kind = type(one)
            if kind is dict:
                plain = plain and _STRINGS.issuperset(map(type, one)) and "".join(one).isascii()
                # Most values are strings, which are all alike here.
                inner += [held for held in one.values() if type(held) is not str]
            elif kind is list:
                inner += [held for held in one if type(held) is not str]
            elif kind is int:
                plain = plain and -MAX_SAFE_INTEGER <= one <= MAX_SAFE_INTEGER
            elif kind not in _LITERALS:
                plain = False
        if not inner:
            return plain
        level = inner
    raise InvalidInput(f"the value nests deeper than {MAX_CANONICAL_DEPTH} levels")


_STRINGS: Final = frozenset({str})
_LITERALS: Final = frozenset({str, bool, type(None)})
