"""``next``: a self-contained, signed position (base64url, no padding).

It holds the position and the filters, so it works alone; its MAC covers the member and the collection, so
another member's, another collection's, or an altered one is refused. It needs no state on the server, so it
survives restarts and works with every process.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass
from typing import Any

import orjson

from hub.errors import InvalidInput

MAC_BYTES = 16
REFUSED = "this 'next' was not given to you for this request"
ADVICE = "Start again without it, with added_after set to the last X-TAXII-Date-Added-Last you have stored."


@dataclass(frozen=True, slots=True)
class Cursor:
    """After which entry to go on (its seq and date_added in microseconds), and with which filters."""

    seq: int
    date_added: int
    filters: dict[str, Any]


def write(cursor: Cursor, key: bytes, binding: str) -> str:
    """``cursor`` as text, bound to ``binding`` (member, collection and endpoint)."""
    payload = orjson.dumps([cursor.seq, cursor.date_added, cursor.filters])
    return _spelt(_mac(payload, key, binding) + payload)


def read(text: str, key: bytes, binding: str) -> Cursor:
    """The cursor of ``text``. Raises InvalidInput unless this hub gave it for the same binding."""
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise InvalidInput(REFUSED, where="next", advice=ADVICE) from None
    mac, payload = packed[:MAC_BYTES], packed[MAC_BYTES:]
    # The same bytes can be spelt in several ways; only the one that was given is good.
    if _spelt(packed) != text or not hmac.compare_digest(mac, _mac(payload, key, binding)):
        raise InvalidInput(REFUSED, where="next", advice=ADVICE)
    seq, date_added, filters = orjson.loads(payload)
    return Cursor(seq, date_added, filters)


def _spelt(packed: bytes) -> str:
    return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()


def _mac(payload: bytes, key: bytes, binding: str) -> bytes:
    return hmac.digest(key, binding.encode() + b"\0" + payload, "sha256")[:MAC_BYTES]
