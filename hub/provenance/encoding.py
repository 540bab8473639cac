"""base64url without padding, as RFC 7515 section 2 has it, written fast and read strictly."""

from __future__ import annotations

from binascii import Error, a2b_base64, b2a_base64
from typing import Final

from hub.errors import InvalidInput

TO_URL: Final = bytes.maketrans(b"+/", b"-_")


def b64u(raw: bytes) -> bytes:
    """``raw`` in base64url without padding, as ASCII bytes."""
    return b2a_base64(raw, newline=False).translate(TO_URL, b"=")


def unb64u(text: object, *, where: str, size: int | None = None) -> bytes:
    """The bytes that ``text`` spells; ``size`` is how many they must be.

    Raises ``InvalidInput`` for padding, foreign characters and stray low bits too, so that no other
    spelling of the same bytes passes for the original.
    """
    try:
        if not isinstance(text, str):
            raise ValueError
        spelled = text.encode("ascii")
        raw = a2b_base64(spelled.replace(b"-", b"+").replace(b"_", b"/") + b"=" * (-len(spelled) % 4))
    except (Error, ValueError):
        raise InvalidInput("this is not base64url without padding", where=where) from None
    if b64u(raw) != spelled:
        raise InvalidInput("this is not base64url without padding", where=where)
    if size is not None and len(raw) != size:
        raise InvalidInput(f"this holds {len(raw)} bytes where {size} are due", where=where)
    return raw
