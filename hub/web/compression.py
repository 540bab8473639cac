"""Content codings: which one a client takes, and gzip and zstd both ways (RFC 9110 sections 8.4 and 12.5.3)."""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable
from functools import lru_cache
from threading import Lock
from typing import Final, Protocol

from isal import isal_zlib

from hub.errors import InvalidInput, TooLarge, UnsupportedMedia

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

GZIP: Final = "gzip"
ZSTD: Final = "zstd"
# The faster first: it wins where the client likes both alike.
OFFERED: Final = (GZIP, ZSTD)
LEVEL: Final = 1
RAW_DEFLATE: Final = -15
GZIP_FORMAT: Final = 31
# A member without name or time, so that equal bytes are compressed to equal bytes (RFC 1952 section 2.3).
GZIP_HEADER: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_BROKEN_GZIP: Final[type[Exception]] = isal_zlib.error  # type: ignore[assignment] # its stub says an instance
LARGEST_STEP: Final = 1024 * 1024
WHERE: Final = "Content-Encoding"


class _Decoder(Protocol):
    """What the decoders of both codings have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


@lru_cache(maxsize=512)
def choose(accept_encoding: str) -> str | None:
    """The coding to answer with: the one the client weighs highest, None where it names none of ours.

    A coding that is not named weighs what ``*`` does; ``q=0`` forbids one; a weight that is no number forbids too.
    """
    weights: dict[str, float] = {}
    for part in accept_encoding.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        weights["gzip" if name == "x-gzip" else name] = _weight(parameters)
    rest = weights.get("*", 0.0)
    best = max(OFFERED, key=lambda coding: weights.get(coding, rest))
    weight = weights.get(best, rest)
    return best if weight > 0 and weight >= weights.get("identity", 0.0) else None


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                weight = float(value)
            except ValueError:
                return 0.0
            return weight if 0 <= weight <= 1 else 0.0
    return 1.0


class Shared:
    """Bytes that stand in many answers, between what differs; each compressed form is made once.

    The forms can be joined with other bytes without compressing them again: deflate blocks end on a byte after
    a flush, and zstd frames may follow each other (RFC 8878 section 3).
    """

    __slots__ = ("_crc", "_forms", "_lock", "plain")

    def __init__(self, plain: bytes) -> None:
        self.plain = plain
        self._forms: dict[str, bytes] = {}
        self._crc = 0
        self._lock = Lock()

    def between(self, before: bytes, after: bytes, coding: str) -> list[bytes]:
        """``before``, these bytes and ``after`` in ``coding``, in pieces."""
        form = self._form(coding)
        if coding == ZSTD:
            return [zstd.compress(before, LEVEL), form, zstd.compress(after, LEVEL)]
        crc = isal_zlib.crc32_combine(isal_zlib.crc32(before), self._crc, len(self.plain))
        crc = isal_zlib.crc32(after, crc)
        length = (len(before) + len(self.plain) + len(after)) & 0xFFFFFFFF
        start = GZIP_HEADER + _stored(before)
        return [start, form, _stored(after, last=True) + struct.pack("<II", crc, length)]

    def _form(self, coding: str) -> bytes:
        with self._lock:
            if coding not in self._forms:
                self._crc = isal_zlib.crc32(self.plain)
                self._forms[coding] = zstd.compress(self.plain, LEVEL) if coding == ZSTD else _blocks(self.plain)
            return self._forms[coding]


def compress(plain: bytes, coding: str) -> bytes:
    """``plain`` in ``coding``."""
    if coding == ZSTD:
        return zstd.compress(plain, LEVEL)
    packer = isal_zlib.compressobj(LEVEL, isal_zlib.DEFLATED, GZIP_FORMAT)
    return packer.compress(plain) + packer.flush()


def decompress(packed: bytes, header: str | None, most: int) -> bytes:
    """A request body without its Content-Encoding ``header``, at most ``most`` bytes.

    Raises UnsupportedMedia for another coding (also for more than one), InvalidInput for a broken stream,
    TooLarge as soon as the output passes ``most``.
    """
    coding = (header or "").strip().lower()
    if coding in ("", "identity"):
        return packed
    if coding in ("gzip", "x-gzip"):
        return _unpacked(packed, lambda: isal_zlib.decompressobj(GZIP_FORMAT), _BROKEN_GZIP, most)
    if coding == ZSTD:
        return _unpacked(packed, zstd.ZstdDecompressor, zstd.ZstdError, most)
    raise UnsupportedMedia(
        "a body may come as it is or in gzip or zstd", where=WHERE, advice="Send Content-Encoding: gzip, or none."
    )


def _unpacked(packed: bytes, start: Callable[[], _Decoder], broken: type[Exception], most: int) -> bytes:
    """All members or frames of ``packed``, stopped before they can fill the memory."""
    plain = bytearray()
    while packed:
        decoder = start()
        try:
            while not decoder.eof:
                step = decoder.decompress(packed, LARGEST_STEP)
                packed = getattr(decoder, "unconsumed_tail", b"")
                plain += step
                if len(plain) > most:
                    raise TooLarge(f"the body is larger than {most} bytes when decompressed", where=WHERE)
                if not step and not packed and not decoder.eof:
                    raise InvalidInput("the compressed body ends too early", where=WHERE)
        except broken:
            raise InvalidInput("the body is not what its Content-Encoding says", where=WHERE) from None
        packed = decoder.unused_data
    return bytes(plain)


def _blocks(plain: bytes) -> bytes:
    """Deflate blocks of ``plain``, none of them the last, that end on a byte."""
    packer = isal_zlib.compressobj(LEVEL, isal_zlib.DEFLATED, RAW_DEFLATE)
    return packer.compress(plain) + packer.flush(isal_zlib.Z_FULL_FLUSH)


def _stored(plain: bytes, *, last: bool = False) -> bytes:
    """``plain`` (under 64 KiB) as one stored deflate block (RFC 1951 section 3.2.4)."""
    return struct.pack("<BHH", int(last), len(plain), len(plain) ^ 0xFFFF) + plain
