"""Tells the disclosure ledger what each answer gave to whom."""

from __future__ import annotations

from flask import Flask, Response, g, request

from hub import clock
from hub.ledger.disclosures import LONGEST_USER_AGENT, Note
from hub.web.services import services


def disclose(collection_no: int, seqs: tuple[int, ...], cursor: int | None, redacted: tuple[int, ...] = ()) -> None:
    """Say that this request's answer gives these entries of a collection, those in ``redacted`` without some parts.

    ``cursor`` is how far its reader is then, None for a look-up of single objects. Called once for each collection
    that the answer is made of.
    """
    g.setdefault("disclosed", []).append((collection_no, seqs, cursor, redacted))


def install(app: Flask) -> None:
    """Note every disclosure of ``app``, with the status that it went out with."""
    app.after_request(_note)


def _note(response: Response) -> Response:
    given = response.status_code in (200, 206) and request.method != "HEAD"
    for collection_no, seqs, cursor, redacted in g.get("disclosed", ()):
        services().disclosures.note(
            Note(
                member_id=g.actor.member_id,
                collection_no=collection_no,
                at=clock.micros(),
                seqs=seqs if given else (),
                cursor=cursor,
                user_agent=request.headers.get("User-Agent", "")[:LONGEST_USER_AGENT],
                status=response.status_code,
                redacted=redacted if given else (),
            )
        )
    return response
