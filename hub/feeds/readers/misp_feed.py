"""A MISP feed: a manifest that lists events, and a JSON file for each of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from hub.errors import HubError, InvalidInput
from hub.feeds.readers.json_text import document_of, text_in
from hub.feeds.readers.misp import MispEvents, is_manifest
from hub.feeds.readers.reading import Reading, unread

# Part of a file's name, so nothing but a UUID will do.
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
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
