"""Query parameters of the API, parsed strictly: an unknown one, or one that is given twice, is an error."""

from __future__ import annotations

from flask import request

from hub.errors import InvalidInput

LONGEST_NAME = 40


def known_only(*names: str) -> None:
    """Raise InvalidInput where the request has a parameter of another name."""
    for name in request.args:
        if name not in names:
            where = name[:LONGEST_NAME] if name.isascii() and name.isidentifier() else "query"
            raise InvalidInput("there is no such parameter", where=where, advice=f"Known: {', '.join(names)}.")


def single(name: str) -> str | None:
    """The one value of a parameter, None where it is absent. Raises InvalidInput."""
    given = request.args.getlist(name)
    if len(given) > 1:
        raise InvalidInput("this parameter may be given once", where=name)
    return given[0] if given else None


def number(name: str, default: int, most: int) -> int:
    """A whole number from 1 to ``most``. Raises InvalidInput."""
    text = single(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(most)) and 1 <= int(text) <= most):
        raise InvalidInput(f"must be a whole number from 1 to {most}", where=name)
    return int(text)
