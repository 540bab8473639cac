"""What an actor may read, kept for exactly as long as the access epoch stays the same."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

from hub.auth import Actor
from hub.db import Database
from hub.errors import NotFound
from hub.ledger import collections, fields
from hub.ledger.collections import CollectionView
from hub.ledger.visibility import visible_streams
from hub.provenance.keys import Signer

HEAD = "SELECT e.epoch, h.seq, h.date_added FROM access_epoch e CROSS JOIN log_head h"
REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class Head:
    """The state that one request reads first: the access epoch and the newest entry.

    A page never looks past ``seq``, so that an entry in a stream that appeared after the streams were
    resolved cannot be jumped over.
    """

    epoch: int
    seq: int
    date_added: int


@dataclass(frozen=True, slots=True)
class View:
    """One actor's view of the collections: which there are, and which streams of each are visible.

    ``hidden``: by stream, the field classes that the actor may not see, where there are any.
    """

    collections: tuple[CollectionView, ...]
    streams: dict[int, tuple[tuple[int, str], ...]]
    hidden: dict[int, tuple[str, ...]]

    def collection(self, id_or_alias: str) -> CollectionView:
        """A collection by id or alias. Raises NotFound where there is none or the actor may not know of it."""
        for view in self.collections:
            if id_or_alias in (view.id, view.alias):
                return view
        raise NotFound("there is no such collection", advice="List the collections of this API root.")

    def stream_ids(self, collection_no: int, types: frozenset[str] | None = None) -> tuple[int, ...]:
        """The visible streams of a collection, of all STIX types or of those named."""
        streams = self.streams.get(collection_no, ())
        return tuple(stream for stream, stix_type in streams if types is None or stix_type in types)

    def hidden_in(self, streams: tuple[int, ...]) -> tuple[tuple[int, tuple[str, ...]], ...]:
        """What is hidden in which of ``streams``: with them, it decides the bytes that the actor is given."""
        if not self.hidden:
            return ()
        return tuple((stream, self.hidden[stream]) for stream in streams if stream in self.hidden)


class Views:
    """Reads the head, and resolves views; one for each process. ``signer`` vouches for what a reader is not shown."""

    def __init__(self, database: Database, signer: Signer) -> None:
        self._database = database
        self.signer = signer
        self._lock = Lock()
        self._known: OrderedDict[Actor, tuple[int, View]] = OrderedDict()

    def head(self) -> Head:
        """The access epoch and the newest entry, in one read."""
        epoch, seq, date_added = self._database.select(HEAD)[0]
        return Head(epoch, seq, date_added)

    def of(self, actor: Actor, head: Head) -> View:
        """The actor's view at ``head``, from memory while the epoch stands still."""
        known = self._known.get(actor)
        if known is not None and known[0] == head.epoch:
            return known[1]
        view = self._resolve(actor)
        with self._lock:
            self._known[actor] = (head.epoch, view)
            self._known.move_to_end(actor)
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return view

    def _resolve(self, actor: Actor) -> View:
        with self._database.reading() as session:
            streams: dict[int, list[tuple[int, str]]] = {}
            hidden: dict[int, tuple[str, ...]] = {}
            for stream, collection_no, stix_type, marked, shares_group in session.execute(visible_streams(actor)):
                streams.setdefault(collection_no, []).append((stream, stix_type))
                if lacking := fields.hidden_from(actor, fields.read(marked), bool(shares_group)):
                    hidden[stream] = lacking
            shown = tuple(collections.visible_to(session, actor))
        return View(shown, {no: tuple(found) for no, found in streams.items()}, hidden)
