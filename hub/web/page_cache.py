"""Pages that were read once, kept while nothing they depend on has changed.

The key of a page names everything that decides its content: the access epoch, the newest entry, the streams
that the reader may see, and the question. It is put together after the request has been authenticated and its
view resolved, so a page is found only by a reader who would be given the same bytes by the database. Whatever
changes what a page holds must append to the log or raise the access epoch.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from threading import Lock

from hub.web.compression import Shared

# What the entry itself takes, and its compressed forms as part of the plain bytes.
OVERHEAD = 2048
WITH_FORMS = 1.5


@dataclass(frozen=True, slots=True)
class CachedPage:
    """The joined objects of a page.

    ``first_added`` and ``last_added`` are microseconds, ``last_seq`` is where to go on, ``tag`` names the
    content, ``seqs`` are the entries given, ``redacted`` those of them that lack a part; ``left_out`` counts those that
    the reader's version of STIX cannot say.
    """

    objects: Shared
    seqs: tuple[int, ...]
    first_added: int
    last_added: int
    more: bool
    tag: str
    left_out: int = 0
    redacted: tuple[int, ...] = ()

    @property
    def last_seq(self) -> int:
        """The seq to continue after."""
        return self.seqs[-1]

    @property
    def added(self) -> tuple[int, int] | None:
        """``date_added`` of the first and the last object, left out or not; None for an empty page."""
        return (self.first_added, self.last_added) if self.seqs or self.left_out else None

    @property
    def size(self) -> int:
        """Bytes of memory, about."""
        return OVERHEAD + int(len(self.objects.plain) * WITH_FORMS) + 40 * len(self.seqs)


class PageCache:
    """The pages used last, within a bound of bytes. One for each process."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._held = 0
        self._pages: OrderedDict[Hashable, CachedPage] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable) -> CachedPage | None:
        """The page of ``key``, None where it is not here."""
        with self._lock:
            page = self._pages.get(key)
            if page is not None:
                self._pages.move_to_end(key)
            return page

    def put(self, key: Hashable, page: CachedPage) -> None:
        """Keep ``page``, and let go of those used longest ago."""
        size = page.size
        if size > self._most:
            return
        with self._lock:
            replaced = self._pages.pop(key, None)
            self._held += size - (replaced.size if replaced else 0)
            self._pages[key] = page
            while self._held > self._most:
                _, oldest = self._pages.popitem(last=False)
                self._held -= oldest.size

    @property
    def held_bytes(self) -> int:
        """Bytes held now, about."""
        return self._held
