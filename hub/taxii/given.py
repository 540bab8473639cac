"""Pages of objects as they are given: from the page cache or the log, with a validator, joined without a copy."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable
from typing import Final

from flask import Response

from hub.auth import Actor
from hub.db import Row
from hub.ledger import pages
from hub.ledger.pages import Page, Query
from hub.ledger.views import Head
from hub.taxii.media import TAXII_21
from hub.web import services
from hub.web.compression import Shared
from hub.web.delivery import PageResponse
from hub.web.disclosing import disclose
from hub.web.page_cache import CachedPage

NOTHING: Final = CachedPage(Shared(b""), (), 0, 0, more=False, tag="")


def objects(query: Query | None, root: str, body: Callable[[Row], bytes], actor: Actor, head: Head) -> CachedPage:
    """The page of ``query`` in the form of an API root; None asks for nothing.

    The actor's streams, and what is hidden in them, are part of the key: whoever may see anything else never meets
    this page.
    """
    if query is None or query.after >= head.seq or (query.added_after or 0) >= head.date_added:
        if query is not None:
            disclose(query.collection_no, (), head.seq)
        return NOTHING
    parts = services()
    view = parts.views.of(actor, head)
    streams = view.stream_ids(query.collection_no, frozenset(query.types) or None)
    hidden = view.hidden_in(streams)
    key = (root, head, streams, hidden, query)
    known = parts.pages.get(key)
    if known is None:
        page = pages.objects(parts.database, parts.views, actor, head, query)
        known = _cached(page, (root, *hidden), body) if page.rows else NOTHING
        parts.pages.put(key, known)
    disclose(query.collection_no, known.seqs, known.last_seq if known.more else head.seq, known.redacted)
    return known


def envelope(page: CachedPage, following: str | None) -> Response:
    """An envelope (TAXII 2.1 section 3.7) with a strong ETag; ``{}`` where there is nothing."""
    if not page.seqs:
        return Response(b"{}", content_type=TAXII_21)
    paging = b"{" if following is None else b'{"more":true,"next":"' + following.encode() + b'",'
    response = PageResponse(paging + b'"objects":[', page.objects, b"]}", TAXII_21)
    # ``next`` begins with a code over the member and the position, and is part of the bytes.
    response.headers["ETag"] = f'"{page.tag}{(following or "")[:8]}"'
    return response


def _cached(page: Page, form: Hashable, body: Callable[[Row], bytes]) -> CachedPage:
    """An entry's bytes never change in one form, and no two entries have one ``date_added``: these name the content."""
    rows, seqs = page.rows, tuple(row[0] for row in page.rows)
    named = hashlib.blake2b(repr((form, seqs, rows[0][1], rows[-1][1])).encode(), digest_size=12).hexdigest()
    return CachedPage(
        Shared(b",".join(map(body, rows))), seqs, rows[0][1], rows[-1][1], more=page.more, tag=named,
        redacted=page.redacted,
    )  # fmt: skip
