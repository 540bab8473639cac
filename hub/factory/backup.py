"""A backup: one archive of everything that a hub is, from which it comes back on another machine.

A tar file under zstd: first ``manifest.json`` with the digest of every other file, then the database as a snapshot
in SQLite's format whatever the product, then the data folder: keys, evidence, letters. It holds the hub's private
keys in the clear, as the data folder does; nobody but its owner may read it.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import sys
import tarfile
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from hub import clock
from hub.audit import record
from hub.db import snapshot
from hub.errors import Conflict, IntegrityFailure, InvalidInput, Unavailable
from hub.factory import tables
from hub.factory.parts import Hub, assemble
from hub.members import membership
from hub.settings import Settings

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
DATABASE: Final = "database.sqlite"
FOLDER: Final = "data"
ARCHIVE: Final = "archive"
KEYS: Final = "keys"
# What is in a backup: all of them.
TABLES: Final = tables.ALL
Manifest = dict[str, Any]


def back_up(hub: Hub, path: Path) -> Manifest:
    """Write the archive to the new file ``path`` while the hub serves. Returns its manifest.

    Raises Conflict where ``path`` exists, Unavailable where keys were changed meanwhile.
    """
    if path.exists():
        raise Conflict("there is a file already", where=str(path), advice="Name a new one: nothing is overwritten.")
    made_at = clock.timestamp(clock.micros())
    with hub.database.unit_of_work() as session:
        record(session, membership.OPERATOR, "hub:backup", path.name)
    before = _keys(hub.settings.data_dir)
    with TemporaryDirectory(prefix=".hub-backup-", dir=path.parent) as name:
        folder = Path(name)
        snapshot.take(hub.database, folder / DATABASE)
        _copy_kept(hub.settings, folder / FOLDER)
        if _keys(folder / FOLDER) != before:
            raise Unavailable("a key was changed while the backup was made", advice="Make it again.")
        files = [one for one in sorted(folder.rglob("*")) if one.is_file()]
        manifest = {
            "format": FORMAT,
            "made_at": made_at,
            "base_url": hub.settings.base_url,
            "identity": hub.hub_ref,
            "rows": snapshot.rows(folder / DATABASE),
            "files": {str(one.relative_to(folder)): _digest(one) for one in files},
        }
        _write(folder / ARCHIVE, manifest, folder)
        (folder / ARCHIVE).rename(path)
    return manifest


def restore(settings: Settings, path: Path) -> Manifest:
    """Fill the empty data folder and the empty database of ``settings`` from the archive at ``path``.

    Returns its manifest. Raises Conflict where something is there already, InvalidInput where the archive is of
    another hub or is none, IntegrityFailure where it is damaged.
    """
    target = settings.data_dir.absolute()
    if target.exists() and any(target.iterdir()):
        raise Conflict("the data folder is not empty", where=str(target), advice=snapshot.NOTHING_OVERWRITTEN)
    snapshot.refuse_filled(settings.database_location)
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".hub-restore-", dir=target.parent) as name:
        folder = Path(name)
        manifest = _unpacked(path, folder)
        if manifest["base_url"] != settings.base_url:
            raise InvalidInput(
                f"this is the backup of {manifest['base_url']}, and this hub is {settings.base_url}",
                where="base_url",
                advice="The ids of all that a hub says hang on its address: set HUB_BASE_URL to the old one.",
            )
        target.mkdir(exist_ok=True)
        try:
            for each in (folder / FOLDER).iterdir():
                each.rename(target / each.name)
            for each in target.rglob("*/"):
                each.chmod(0o700)
            snapshot.load(folder / DATABASE, settings.database_location)
        except BaseException:
            shutil.rmtree(target)
            raise
    _note(settings, path, manifest)
    return manifest


def _note(settings: Settings, path: Path, manifest: Manifest) -> None:
    hub = assemble(settings)
    with hub.database.unit_of_work() as session:
        record(session, membership.OPERATOR, "hub:restore", path.name, after={"made_at": manifest["made_at"]})
    hub.database.close()


def _copy_kept(settings: Settings, folder: Path) -> None:
    """Copy the files of the data folder but the database; what is gone by the time has been sent or erased."""
    database = Path(settings.database_location.removeprefix("sqlite:///"))
    for path in sorted(settings.data_dir.absolute().rglob("*")):
        if not path.is_file() or (path.parent == database.parent and path.name.startswith(database.name)):
            continue
        copy = folder / path.relative_to(settings.data_dir.absolute())
        copy.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with suppress(FileNotFoundError):
            shutil.copy2(path, copy)


def _keys(data_dir: Path) -> dict[Path, str]:
    keys = data_dir / KEYS
    return {path.relative_to(keys): _digest(path) for path in keys.rglob("*") if path.is_file()}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(path: Path, manifest: Manifest, folder: Path) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        with zstd.open(file, "wb") as packed, tarfile.open(fileobj=packed, mode="w|") as archive:
            text = json.dumps(manifest, indent=2).encode()
            first = tarfile.TarInfo(MANIFEST)
            first.size, first.mode = len(text), 0o600
            archive.addfile(first, io.BytesIO(text))
            for name in manifest["files"]:
                archive.add(folder / name, name, recursive=False, filter=_anonymous)
        file.flush()
        os.fsync(file.fileno())


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Without the names and numbers of this machine's users."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def _unpacked(path: Path, folder: Path) -> Manifest:
    """Unpack the archive, each file checked against the manifest. Returns that."""
    try:
        with zstd.open(path, "rb") as packed, tarfile.open(fileobj=packed, mode="r|") as archive:
            manifest = _read_manifest(archive)
            missing = dict(manifest["files"])
            for member in archive:
                if member.name == MANIFEST:
                    continue  # tarfile begins again with what was read before
                if missing.pop(member.name, None) is None or not member.isfile():
                    raise IntegrityFailure("the archive holds what its manifest does not name", where=member.name)
                archive.extract(member, folder, filter="data")
                if _digest(folder / member.name) != manifest["files"][member.name]:
                    raise IntegrityFailure("a file of the archive is damaged", where=member.name)
    except (tarfile.TarError, zstd.ZstdError, EOFError) as error:
        raise IntegrityFailure(f"this is no whole backup of a hub: {error}", where=str(path)) from None
    if missing:
        raise IntegrityFailure("the archive lacks a file", where=min(missing))
    return manifest


def _read_manifest(archive: tarfile.TarFile) -> Manifest:
    first = archive.next()
    text = archive.extractfile(first) if first is not None and first.name == MANIFEST else None
    if text is None:
        raise InvalidInput("this is no backup of a hub: it has no manifest")
    try:
        manifest: Manifest = json.loads(text.read())
        made_by = manifest["format"]
    except (ValueError, KeyError, TypeError):
        raise IntegrityFailure("the manifest is damaged", where=MANIFEST) from None
    if made_by != FORMAT:
        raise InvalidInput(f"this backup has format {made_by}; this program reads {FORMAT}", where=MANIFEST)
    return manifest
