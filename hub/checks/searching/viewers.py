"""What a checker may hear, by the ledger's one visibility rule; kept while the access epoch stands still."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

from sqlalchemy import select

from hub.auth import Actor
from hub.db import Database
from hub.ledger.records import VisibilityClass
from hub.ledger.views import Views
from hub.ledger.visibility import class_visible

REMEMBERED = 1024


@dataclass(frozen=True, slots=True)
class Viewer:
    """An asker with the visibility classes and the collections (by number) that it may read."""

    actor: Actor
    classes: frozenset[int]
    collections: frozenset[int]


class Viewers:
    """Makes viewers; one for each process."""

    def __init__(self, database: Database, views: Views) -> None:
        self._database = database
        self._views = views
        self._lock = Lock()
        self._known: OrderedDict[Actor, tuple[int, Viewer]] = OrderedDict()

    def of(self, actor: Actor) -> Viewer:
        """What ``actor`` may hear now."""
        head = self._views.head()
        known = self._known.get(actor)
        if known is not None and known[0] == head.epoch:
            return known[1]
        readable = frozenset(one.no for one in self._views.of(actor, head).collections if one.can_read)
        with self._database.reading() as session:
            classes = frozenset(session.scalars(select(VisibilityClass.id).where(class_visible(actor))))
        viewer = Viewer(actor, classes, readable)
        with self._lock:
            self._known[actor] = (head.epoch, viewer)
            self._known.move_to_end(actor)
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return viewer
