"""One request for a page: parameters, cursor, query, and the headers of the answer."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Response, request

from hub import clock
from hub.auth import Actor
from hub.db import Database
from hub.errors import InvalidInput
from hub.ledger.collections import CollectionView
from hub.ledger.pages import Page, Query, Versions
from hub.ledger.views import Head, Views
from hub.taxii import cursor, parameters
from hub.taxii.cursor import Cursor
from hub.taxii.media import TAXII_21
from hub.taxii.parameters import Filters
from hub.web import services
from hub.web.page_cache import CachedPage

CURSOR_KEY = "taxii-next"
Fetch = Callable[[Database, Views, Actor, Head, Query], Page]


@dataclass(frozen=True, slots=True)
class Reading:
    """What one request asks: a collection, filters, and where to go on. ``binding`` is what ``next`` is bound to."""

    collection: CollectionView
    limit: int
    given: dict[str, str]
    after: int
    added_after: int | None
    binding: str

    @classmethod
    def of_request(
        cls, actor: Actor, collection: CollectionView, endpoint: str, filter_names: tuple[str, ...]
    ) -> Reading:
        """Parse the request's parameters. Raises InvalidInput that names the malformed one."""
        settings = services().settings.taxii
        arguments = request.args
        binding = f"{actor.member_id}|{collection.id}|{endpoint}"
        limit = parameters.limit(arguments, settings.default_page, settings.max_page)
        added_after = parameters.added_after(arguments)
        given = parameters.given_filters(arguments, filter_names)
        token = parameters.single(arguments, "next")
        if token is None:
            return cls(collection, limit, given, 0, added_after, binding)
        at = cursor.read(token, services().vault.derive(CURSOR_KEY), binding)
        if given and given != at.filters:
            raise InvalidInput("'next' goes with the filters it was given for", where="next", advice=cursor.ADVICE)
        return cls(collection, limit, at.filters, at.seq, at.date_added, binding)

    def query(self, **fixed: Any) -> Query | None:
        """The ledger's query, None where the filters allow nothing. ``fixed`` replaces parts of it."""
        wanted: Filters = parameters.filters(self.given)
        if not wanted.serves_stix_21:
            return None
        parts: dict[str, Any] = {"ids": wanted.ids, "types": wanted.types, "versions": wanted.versions, **fixed}
        added_after = None if self.after else self.added_after
        return Query(self.collection.no, self.limit, self.after, added_after, **parts)

    def page(self, fetch: Fetch, actor: Actor, head: Head, **fixed: Any) -> Page:
        """The page that the request asks for."""
        query = self.query(**fixed)
        if query is None:
            return Page([], more=False)
        return fetch(services().database, services().views, actor, head, query)

    def following(self, page: Page | CachedPage) -> str | None:
        """``next`` of ``page``, None where nothing follows."""
        if not page.more:
            return None
        last_added = page.added[1] if page.added else 0
        at = Cursor(page.last_seq, last_added, self.given)
        return cursor.write(at, services().vault.derive(CURSOR_KEY), self.binding)

    def answer(self, body: bytes | Response, page: Page | CachedPage) -> Response:
        """The response with its date-added headers (TAXII 2.1 section 3.2), and with an ETag unless it is empty."""
        response = body if isinstance(body, Response) else Response(body, content_type=TAXII_21)
        if isinstance(body, bytes) and page.added:
            response.headers["ETag"] = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
        mark_added(response, page.added, self.added_after)
        return response


def mark_added(response: Response, added: tuple[int, int] | None, added_after: int | None) -> None:
    """Say when the first and the last object of an answer were added, in microseconds.

    Where it has none, the caller's own position is repeated, so that a client which stores it keeps its place.
    """
    first, last = added or (added_after, added_after)
    if first is not None and last is not None:
        response.headers["X-TAXII-Date-Added-First"] = clock.timestamp(first)
        response.headers["X-TAXII-Date-Added-Last"] = clock.timestamp(last)


ALL_VERSIONS = Versions(last=False, every=True)
