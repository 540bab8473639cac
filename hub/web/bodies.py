"""Request bodies: bounded, decompressed, and never left unread on a connection that goes on.

Werkzeug's own limit ends a chunked body silently where it is reached, as if the client had sent no more; here
an oversized body is refused whether its length is declared, chunked or compressed (TAXII 2.1 section 5.5).
"""

from __future__ import annotations

import io
from contextlib import suppress
from typing import IO, TYPE_CHECKING

from flask import Flask, Request, Response, g, request
from werkzeug.utils import cached_property

from hub.errors import InvalidInput, TooLarge
from hub.web import compression

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

STEP = 64 * 1024
# What is read and thrown away of a body that nobody wanted, so that the connection can go on, and of a longer one
# once the answer is out: a client that sends on would lose the answer to the end of the connection.
DISCARDED = 1024 * 1024
LINGERED = 64 * 1024 * 1024


class BoundedRequest(Request):
    """A request whose ``stream`` is the decompressed body, at most ``max_content_length`` bytes.

    Reading it raises TooLarge, UnsupportedMedia for an unknown Content-Encoding, InvalidInput for a broken one.
    """

    @cached_property
    def stream(self) -> IO[bytes]:
        """The body."""
        most = self.max_content_length or 0
        coding = self.headers.get("Content-Encoding")
        compression.decompress(b"", coding, most)  # an unknown coding is refused before the body is read
        return io.BytesIO(compression.decompress(self._received(most), coding, most))

    def _received(self, most: int) -> bytes:
        declared = self.content_length
        if declared is not None and declared > most:
            raise _too_large(most)
        if declared is None and not self.environ.get("wsgi.input_terminated"):
            return b""
        left = most + 1 if declared is None else declared
        body = bytearray()
        while left and (step := _read(self.environ, min(left, STEP))):
            body += step
            left -= len(step)
        if len(body) > most:
            raise _too_large(most)
        if declared is not None and left:
            raise InvalidInput(f"the body ended after {len(body)} of {declared} bytes", where="Content-Length")
        self.environ["hub.body_read"] = True
        return bytes(body)


def install(app: Flask) -> None:
    """Bound the bodies of ``app``, by its MAX_CONTENT_LENGTH."""
    app.request_class = BoundedRequest
    app.after_request(_discard_rest)


def _read(environ: WSGIEnvironment, size: int) -> bytes:
    """The next bytes of the body. Raises InvalidInput where what comes is no body, or no more of it comes."""
    try:
        received: bytes = environ["wsgi.input"].read(size)
    except OSError:
        environ["hub.body_broken"] = True
        raise InvalidInput("the body broke off", where="body") from None
    return received


def _too_large(most: int) -> TooLarge:
    return TooLarge(f"a body may have at most {most} bytes", where="Content-Length", advice="Send smaller batches.")


def _discard_rest(response: Response) -> Response:
    """Take what is left of the body off the connection; where that is too much, end the connection."""
    environ = request.environ
    if not environ.get("CONTENT_LENGTH") and not environ.get("HTTP_TRANSFER_ENCODING"):
        return response
    expected = request.content_length or ("chunked" in request.headers.get("Transfer-Encoding", "").lower())
    if not expected or "hub.body_read" in environ or not environ.get("wsgi.input_terminated"):
        return response
    if "actor" not in g or "hub.body_broken" in environ:
        # A stranger who sends half a body must not hold a thread of ours that waits for the rest.
        response.headers["Connection"] = "close"
        return response
    try:
        whole = _discard(environ, DISCARDED)
    except InvalidInput:
        whole = False  # there is no telling where the next request begins
    if not whole:
        if environ.get("SERVER_PROTOCOL", "").startswith("HTTP/1"):
            response.headers["Connection"] = "close"
        response.call_on_close(lambda: _linger(environ))
    return response


def _discard(environ: WSGIEnvironment, most: int) -> bool:
    """Read up to ``most`` bytes of the body; whether that was all of it. Raises InvalidInput where it breaks off."""
    left = most
    while left > 0 and (step := _read(environ, min(left, STEP))):
        left -= len(step)
    return left > 0


def _linger(environ: WSGIEnvironment) -> None:
    """After the answer: take what is still being sent, so that the answer is read (RFC 9112 section 9.6)."""
    if "hub.body_broken" not in environ:
        with suppress(InvalidInput):
            _discard(environ, LINGERED)
