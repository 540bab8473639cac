"""A file packed with gzip or zip, opened within bounds; and the files of a folder that came as one archive.

A few hundred bytes can unpack to gigabytes, so the size and the ratio are watched
while unpacking, never afterwards.
"""

from __future__ import annotations

import io
import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
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
_TAR, _TAR_AT = b"ustar", 257
MANIFEST = "manifest.json"
# What a Mac packs beside the files that it was asked to pack.
_MAC = re.compile(r"__MACOSX/|(?:.*/)?(?:\._[^/]*|\.DS_Store)\Z", re.DOTALL)


def opened(raw: bytes, size_limit: int = SIZE_LIMIT) -> bytes:
    """``raw`` itself, or what is packed in it when it is a gzip file or a zip with one file.

    A zip with several files, one of them a ``manifest.json``, becomes a plain tar of them, as a gzipped tar does.
    Raises InvalidInput for a damaged or encrypted archive or a zip with several other files,
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
            files = [entry for entry in archive.infolist() if not entry.is_dir() and not _MAC.match(entry.filename)]
            if len(files) == 1:
                with archive.open(files[0]) as packed:
                    return _bounded(packed, len(raw), size_limit)
            if not any(entry.filename.rpartition("/")[2] == MANIFEST for entry in files):
                raise InvalidInput(f"the zip file holds {len(files)} files", advice="Send one file, or each by itself.")
            return packed_as_tar(_unpacked(archive, files, len(raw), size_limit))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OSError):
        raise InvalidInput("the zip file is damaged or packed in a way that is not read here") from None
    except RuntimeError:
        raise InvalidInput("the zip file is encrypted", advice="Send it without a password.") from None


def _unpacked(
    archive: zipfile.ZipFile, files: list[zipfile.ZipInfo], packed_size: int, size_limit: int
) -> Iterator[tuple[str, bytes]]:
    size = 0
    for entry in files:
        with archive.open(entry) as packed:
            content = _bounded(packed, packed_size, size_limit - size)
        size += len(content) + tarfile.BLOCKSIZE  # what a tar needs for its name
        _watch(size, packed_size, size_limit)
        yield entry.filename, content


def packed_as_tar(files: Iterable[tuple[str, bytes]]) -> bytes:
    """A plain tar of (name, content): the one form in which several files go on."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in files:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return made.getvalue()


def is_tar(head: bytes) -> bool:
    """Whether a file begins as a tar does."""
    return head[_TAR_AT : _TAR_AT + len(_TAR)] == _TAR


def files_of_tar(raw: bytes) -> dict[str, memoryview]:
    """The plain files of a tar by their names; views of ``raw``, so that nothing grows. Raises InvalidInput.

    Links, devices and sparse files, which could stand for more than they hold, are left out.
    """
    found: dict[str, memoryview] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(raw), mode="r:") as archive:
            for entry in archive:
                if entry.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and not entry.issparse():
                    found[entry.name] = memoryview(raw)[entry.offset_data : entry.offset_data + entry.size]
    except (tarfile.TarError, ValueError, OverflowError, EOFError):
        raise InvalidInput("the tar file is damaged") from None
    return found


def _bounded(packed: IO[bytes], packed_size: int, size_limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while part := packed.read(_CHUNK):
        size += len(part)
        _watch(size, packed_size, size_limit)
        parts.append(part)
    return b"".join(parts)
