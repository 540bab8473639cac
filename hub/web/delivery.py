"""The last step of every answer: what it varies by, its validator, its content coding, its safety headers."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask, Response, g, request
from werkzeug.http import parse_etags, unquote_etag

from hub.web import compression
from hub.web.compression import Shared

# Smaller bodies fit a packet or two: compressing them costs more than it spares.
SMALLEST = 1024
VARY = "Accept, Accept-Encoding, Authorization"
# What a member is given is for that member: no cache may give it on, whatever the member has shown itself by.
PRIVATE = "private, no-cache"
HSTS = "max-age=31536000; includeSubDomains"


class PageResponse(Response):
    """An answer of ``before``, bytes that it shares with other answers, and ``after``; nothing is copied."""

    def __init__(self, before: bytes, shared: Shared, after: bytes, content_type: str) -> None:
        super().__init__([before, shared.plain, after], content_type=content_type)
        self.before = before
        self.shared = shared
        self.after = after

    def in_coding(self, coding: str) -> list[bytes]:
        """The body in a content coding."""
        return self.shared.between(self.before, self.after, coding)


def install(app: Flask, *, https: bool) -> None:
    """Finish every answer of ``app``. ``https``: members reach the hub by TLS, here or at a proxy."""
    app.after_request(_finish_with(https))


def _finish_with(https: bool) -> Callable[[Response], Response]:
    def finish(response: Response) -> Response:
        headers = response.headers
        headers["Vary"] = f"{VARY}, {headers['Vary']}" if "Vary" in headers else VARY
        headers["X-Content-Type-Options"] = "nosniff"
        if "actor" in g:
            headers.setdefault("Cache-Control", PRIVATE)
        if https or request.is_secure:
            headers["Strict-Transport-Security"] = HSTS
        coding = _coding(response)
        etag = headers.get("ETag")
        if etag is not None:
            if coding is not None:
                headers["ETag"] = etag = f'{etag[:-1]}-{coding}"'
            if _known_to_client(etag, response.status_code):
                return _not_modified(response)
        if coding is not None:
            _encode(response, coding)
        return response

    return finish


def _coding(response: Response) -> str | None:
    """The content coding of the answer, None where it stays as it is.

    HTML stays as it is: a page that holds both a secret and something that its reader's enemy can choose would
    tell the secret by its compressed length.
    """
    accepted = request.environ.get("HTTP_ACCEPT_ENCODING")
    if not accepted or not response.is_sequence or "Content-Encoding" in response.headers:
        return None
    if response.mimetype == "text/html" or sum(map(len, response.response)) < SMALLEST:
        return None
    return compression.choose(accepted)


def _encode(response: Response, coding: str) -> None:
    pieces = (
        response.in_coding(coding)
        if isinstance(response, PageResponse)
        else [compression.compress(response.get_data(), coding)]
    )
    response.response = pieces
    response.headers["Content-Encoding"] = coding
    response.headers["Content-Length"] = str(sum(map(len, pieces)))


def _known_to_client(etag: str, status: int) -> bool:
    """If-None-Match names this answer, by weak comparison (RFC 9110 section 13.1.2)."""
    given = request.headers.get("If-None-Match")
    if given is None or status not in (200, 206) or request.method not in ("GET", "HEAD"):
        return False
    opaque, _ = unquote_etag(etag)
    return opaque is not None and parse_etags(given).contains_weak(opaque)


def _not_modified(response: Response) -> Response:
    """304 with the headers that the 200 would have had, without those of its body (RFC 9110 section 15.4.5)."""
    response.status_code = 304
    response.response = []
    for name in ("Content-Type", "Content-Length", "Content-Range"):
        response.headers.pop(name, None)
    return response
