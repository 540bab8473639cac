"""The bodies of TAXII answers, joined from stored bytes or written once by orjson."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response

from hub import clock
from hub.db import Row
from hub.taxii.media import TAXII_21


def listing(name: str, rows: list[Any], following: str | None) -> bytes:
    """A manifest or versions resource; ``{}`` where there is nothing."""
    if not rows:
        return b"{}"
    return _paging(following) + b'"' + name.encode() + b'":' + orjson.dumps(rows) + b"}"


def resource(content: dict[str, Any], status: int = 200) -> Response:
    """A TAXII resource."""
    return Response(orjson.dumps(content), status, content_type=TAXII_21)


def version_text(row: Row) -> str:
    """The version of a ``records`` row: the object's own text, the time of adding where it has none."""
    _, date_added, _, version = row
    return clock.timestamp(date_added) if version is None else str(version)


def _paging(following: str | None) -> bytes:
    return b"{" if following is None else b'{"more":true,"next":"' + following.encode() + b'",'
