"""Which values surely have no indicator (``hub.db.presence``), among the kinds that are checked.

A bit that is missing would hide an indicator. They are numbered under the append lock (``merged.store``), so in the
order in which transactions end, and none is ever deleted: whatever has a greater number than the last one that was read
is new. Until all were read once, everything is looked up.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress
from threading import Lock
from typing import Final

from hub.db import Database
from hub.db.presence import Presence
from hub.feeds.indicator import FRAUD_KINDS
from hub.stix.values import Kind

# In one step, so that no search waits long for it.
AT_ONCE: Final = 20_000
ACCOUNT: Final = Kind.BANK_ACCOUNT.value
KINDS: Final = tuple(kind.value for kind in sorted(FRAUD_KINDS))
COUNT: Final = "SELECT count(*) FROM indicator WHERE kind IN ({})".format(", ".join("?" * len(KINDS)))  # noqa: S608 (marks)
NEXT: Final = "SELECT id, kind, value, account FROM indicator WHERE id > ? ORDER BY id LIMIT ?"


class PresentValues:
    """The values with an indicator that one process knows of; safe for threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = Lock()
        self._last = 0
        self._presence: Presence | None = None

    def possible(self, values: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
        """Those of ``values``, each a kind and a canonical text, that may have an indicator."""
        with self._lock:
            if self._presence is None or self._presence.full:
                ((count,),) = self._database.select(COUNT, KINDS)
                self._presence, self._last = Presence(count), 0
            if not self._is_read(presence := self._presence):
                return values
        return list(compress(values, presence.holds(map(hash, values))))

    def _is_read(self, presence: Presence) -> bool:
        """Go on reading; whether nothing is left to read."""
        rows = self._database.select(NEXT, (self._last, AT_ONCE))
        presence.add([hash((kind, text)) for _, kind, text, _ in rows if kind in KINDS])
        presence.add([hash((ACCOUNT, account)) for _, kind, _, account in rows if account and kind != ACCOUNT])
        if rows:
            self._last = rows[-1][0]
        return len(rows) < AT_ONCE
