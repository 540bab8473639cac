"""A MISP feed: a manifest that lists events, and a JSON file for each of them; on a server, or as one archive."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from hub.errors import HubError, InvalidInput
from hub.feeds.readers.archive import MANIFEST, files_of_tar, is_tar, packed_as_tar
from hub.feeds.readers.json_text import document_of, text_in
from hub.feeds.readers.misp import MispEvents, is_manifest
from hub.feeds.readers.reading import Reading, unread

# Part of a file's name, so nothing but a UUID will do.
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
# hashes.csv: the MD5 of each value and its event, by which a puller finds what it has. No hash of a file.
_HASHES = re.compile(rb"(?:[0-9a-f]{32},[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\s+)+", re.IGNORECASE)
_EVENTS = MispEvents()

Fetch = Callable[[str], bytes | None]


def events_in(manifest: bytes) -> dict[str, str]:
    """The time of change of each event in a feed's manifest (seconds since 1970, as text) by its UUID.

    A puller compares them with those of its last visit. Raises InvalidInput where the text is no manifest.
    """
    document = document_of(manifest)
    if document == {}:
        return {}
    if not is_manifest(document):
        raise InvalidInput("this is not the manifest of a MISP feed")
    return {uuid: text_in(summary, "timestamp") for uuid, summary in document.items()}


def read_feed(manifest: bytes, fetch: Fetch) -> Iterator[Reading]:
    """The readings of all events that a manifest lists; an event that fails becomes one ``Unread``.

    ``fetch`` is given a file's name ("<uuid>.json") and returns its bytes, None where the feed has no such
    file. Raises InvalidInput where the manifest is none, before anything is fetched.
    """
    for uuid in events_in(manifest):
        yield from _of_listed(uuid, fetch)


def _of_listed(uuid: str, fetch: Fetch) -> Iterator[Reading]:
    where = f"event {uuid[:36]}"
    if not _UUID.fullmatch(uuid):
        yield unread(where, uuid, "the manifest lists an event whose name is no UUID")
        return
    raw = fetch(f"{uuid}.json")
    if raw is None:
        yield unread(where, uuid, "the manifest lists an event that the feed does not hold")
        return
    try:
        yield from _EVENTS.read(raw)
    except HubError as error:
        yield unread(where, uuid, f"the event cannot be read: {error}")


class MispFeed:
    """A whole feed in one archive, which was opened to a plain tar: manifest.json, events, hashes.csv."""

    name = "misp-feed"

    def fits(self, head: bytes, filename: str) -> int:
        """100 for an archive of several files, 98 for the table of hashes, which nothing else may take for its own."""
        if is_tar(head):
            return 100
        return 98 if filename.lower().endswith("hashes.csv") and _HASHES.match(head) else 0

    def read(self, raw: bytes) -> Iterator[Reading]:
        """The readings of all events that the manifest lists, whatever else the archive holds.

        Raises InvalidInput where it is no archive, damaged, or without the manifest of a MISP feed.
        """
        if not is_tar(raw):
            raise InvalidInput(
                "this is a part of a MISP feed that holds no values",
                advice="Import its folder, or all of it in one zip.",
            )
        files = files_of_tar(raw)
        listing = min((name for name in files if name.rpartition("/")[2] == MANIFEST), key=len, default=None)
        if listing is None:
            raise InvalidInput("the archive holds several files and is no MISP feed", advice="Send each by itself.")
        folder = listing.removesuffix(MANIFEST)

        def fetch(name: str) -> bytes | None:
            found = files.get(folder + name)
            return None if found is None else bytes(found)

        yield from read_feed(bytes(files[listing]), fetch)


def is_feed(folder: Path) -> bool:
    """Whether a folder holds a MISP feed."""
    try:
        return bool(events_in((folder / MANIFEST).read_bytes()))
    except (OSError, InvalidInput):
        return False


def packed(folder: Path) -> bytes:
    """The manifest of a folder's feed and the events that it lists, as one archive for ``MispFeed``."""
    manifest = (folder / MANIFEST).read_bytes()
    names = [f"{uuid}.json" for uuid in events_in(manifest) if _UUID.fullmatch(uuid)]
    events = ((name, (folder / name).read_bytes()) for name in names if (folder / name).is_file())
    return packed_as_tar([(MANIFEST, manifest), *events])
