"""A single file packed with gzip or zip, opened within bounds.

A few hundred bytes can unpack to gigabytes, so the size and the ratio are watched
while unpacking, never afterwards.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import IO

from isal import isal_zlib
from isal.isal_zlib import IsalError

from hub.errors import InvalidInput, TooLarge

SIZE_LIMIT = 200 * 1024 * 1024
RATIO_LIMIT = 200
# Short repetitive files pack far better than the ratio allows and do no harm.
RATIO_FREE = 10 * 1024 * 1024

_CHUNK = 1024 * 1024
_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"


def opened(raw: bytes, size_limit: int = SIZE_LIMIT) -> bytes:
    """``raw`` itself, or what is packed in it when it is a gzip file or a zip with one file.

    Raises InvalidInput for a damaged or encrypted archive or one with several files,
    TooLarge when the content is over ``size_limit`` bytes or packed over 200 to 1.
    """
    if raw.startswith(_GZIP):
        return _gunzip(raw, size_limit)
    if raw.startswith(_ZIP):
        return _unzip(raw, size_limit)
    return raw


def _watch(size: int, packed: int, size_limit: int) -> None:
    if size > size_limit:
        raise TooLarge(f"the archive unpacks to more than {size_limit} bytes")
    if size > RATIO_FREE and size > RATIO_LIMIT * packed:
        raise TooLarge(f"the archive is packed more than {RATIO_LIMIT} to 1")


def _gunzip(raw: bytes, size_limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    rest = raw
    while rest.startswith(_GZIP):  # members may follow one another (RFC 1952 section 2.2)
        stream = isal_zlib.decompressobj(31)
        while not stream.eof:
            try:
                part = stream.decompress(rest, _CHUNK)
            except IsalError:  # type: ignore[misc]  # its stub declares an instance instead of a class
                raise InvalidInput("the gzip file is damaged") from None
            rest = stream.unused_data if stream.eof else stream.unconsumed_tail
            if not part and not stream.eof:
                raise InvalidInput("the gzip file ends too soon")
            size += len(part)
            _watch(size, len(raw), size_limit)
            parts.append(part)
    return b"".join(parts)


def _unzip(raw: bytes, size_limit: int) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            files = [entry for entry in archive.infolist() if not entry.is_dir()]
            if len(files) != 1:
                raise InvalidInput(f"the zip file holds {len(files)} files", advice="Send one file, or each by itself.")
            with archive.open(files[0]) as packed:
                return _bounded(packed, len(raw), size_limit)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OSError):
        raise InvalidInput("the zip file is damaged or packed in a way that is not read here") from None
    except RuntimeError:
        raise InvalidInput("the zip file is encrypted", advice="Send it without a password.") from None


def _bounded(packed: IO[bytes], packed_size: int, size_limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while part := packed.read(_CHUNK):
        size += len(part)
        _watch(size, packed_size, size_limit)
        parts.append(part)
    return b"".join(parts)
