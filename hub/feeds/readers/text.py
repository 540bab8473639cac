"""Bytes to text, and text to lines."""

from __future__ import annotations

import codecs

from hub.errors import InvalidInput

# Looked at when the format is chosen; enough for a long comment preamble.
HEAD = 65_536

_UTF32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def decode(raw: bytes) -> str:
    """Text in UTF-8, UTF-16 (with its mark) or, failing that, Windows-1252; a mark is removed.

    Raises InvalidInput for what is no text: NUL characters or bytes without a character.
    """
    text = _characters(raw)
    position = text.find("\x00")
    if position >= 0:
        raise InvalidInput(
            "the file holds binary content, not text",
            where=f"character {position}",
            advice="Send a text file (list, CSV, JSON), or one such file in gzip or zip.",
        )
    return text


def _characters(raw: bytes) -> str:
    if raw.startswith(_UTF32):
        raise InvalidInput("UTF-32 text is not read here", advice="Save the file as UTF-8.")
    if raw.startswith(_UTF16):
        return _strictly(raw, "utf-16")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return _strictly(raw, "cp1252")


def _strictly(raw: bytes, encoding: str) -> str:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        raise InvalidInput(
            "the bytes are no text in UTF-8, UTF-16 or Windows-1252",
            where=f"byte {error.start}",
            advice="Save the file as UTF-8.",
        ) from None


def as_utf8(raw: bytes) -> bytes:
    """JSON bytes in UTF-8 without a mark; UTF-16 with its mark is re-encoded. Raises InvalidInput."""
    if raw.startswith(_UTF16):
        return decode(raw).encode("utf-8", "surrogatepass")
    return raw.removeprefix(codecs.BOM_UTF8)


def decode_head(head: bytes) -> str:
    """The first bytes of a file as text for guessing; empty when they are no text.

    A character cut in two at the end of the head is no fault.
    """
    if head.startswith(_UTF16):
        text = head[: len(head) // 2 * 2].decode("utf-16", errors="ignore")
    else:
        text = head.decode("utf-8-sig", errors="replace")
    return "" if "\x00" in text else text


def lines(text: str) -> list[str]:
    """Lines without their ends; CRLF, LF and a lone CR end a line, nothing else does."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.split("\n")


def looks_structured(head: str) -> bool:
    """Whether the text opens like JSON or XML, which no line reader should touch."""
    start = head.lstrip()[:2000]
    if start.startswith(("{", "<")):
        return True
    # A list may open with a defanged "[.]" or an Adblock "[...]" line: JSON arrays go on with one of these.
    return start.startswith("[") and start[1:].lstrip()[:1] in {"{", "[", '"', "]", ""}
