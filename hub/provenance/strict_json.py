"""The verifier's own strict reading of JSON, on the standard library and ``rfc8785`` alone.

Deliberately apart from ``hub.stix.canonical``: who checks the hub's bytes does not trust the hub's reader.
"""

from __future__ import annotations

import json
import math
from typing import Any, Final, Never

import rfc8785

from hub.errors import InvalidInput

_MAX_SAFE_INTEGER: Final = 2**53 - 1
# RFC 8785 section 3.2.2.3: below this, a whole float is written as an integer.
_INTEGER_FORM_LIMIT: Final = 1e21


def parse(raw: bytes) -> Any:
    """The value that ``raw`` spells.

    Raises ``InvalidInput`` for anything but UTF-8 without a byte order mark, duplicate member names, NaN,
    infinities (1e400 too), integers beyond ±(2^53−1) in any spelling, and nesting past the interpreter's
    recursion limit (RFC 7493 sections 2.1 to 2.3). Lone surrogates are refused by ``canonical``.
    """
    try:
        return json.loads(
            raw.decode(),
            object_pairs_hook=_members,
            parse_int=_integer,
            parse_float=_float,
            parse_constant=_constant,
        )
    except json.JSONDecodeError as fault:
        raise InvalidInput(
            f"this is not JSON: {fault.msg}", where=f"line {fault.lineno} column {fault.colno}"
        ) from None
    except UnicodeDecodeError:
        raise InvalidInput("this is not UTF-8") from None
    except RecursionError:
        raise InvalidInput("the JSON nests too deep") from None


def canonical(value: Any) -> bytes:
    """The RFC 8785 form of ``value``; raises ``InvalidInput`` for what has none."""
    try:
        return rfc8785.dumps(value)
    except (ValueError, RecursionError) as fault:
        raise InvalidInput(f"this value has no canonical form: {fault}") from None


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise InvalidInput("a member name comes twice in one object (RFC 7493 section 2.3)")
    return members


def _integer(digits: str) -> int:
    # Measured before it is converted: int() refuses thousands of digits with an error of its own.
    if len(digits) > 17 or abs(int(digits)) > _MAX_SAFE_INTEGER:
        raise InvalidInput("an integer is outside ±(2^53−1) (RFC 7493 section 2.2)")
    return int(digits)


def _float(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number) or _MAX_SAFE_INTEGER < abs(number) < _INTEGER_FORM_LIMIT:
        raise InvalidInput("a number is too large to be exact (RFC 7493 section 2.2)")
    return number


def _constant(name: str) -> Never:
    raise InvalidInput(f"{name} is not JSON")
