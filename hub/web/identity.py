"""Who asks: HTTP Basic, a bearer token, or a client certificate, turned into an Actor.

The access epoch is read on every request; while it stands still, a credential that was good is still good and
is answered from memory. Any change to members, credentials, groups or collections raises the epoch, so a
suspension holds at the next request of every process.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from flask import Request, g

from hub.auth import Actor
from hub.db import Database
from hub.errors import Unauthenticated
from hub.ledger.views import Head
from hub.members.certificates import authenticate_certificate
from hub.members.credentials import ADVICE, authenticate, holds, refusal, token_hash
from hub.web.proxies import Proxies

REMEMBERED = 4096
LONGEST_TOKEN = 512
# What comes before a certificate's fingerprint, so that no Authorization header has the same key.
CERTIFICATE = b"certificate:"


class Identities:
    """Authenticates the requests of one process."""

    def __init__(self, database: Database, proxies: Proxies, refused: Callable[[str, str], None]) -> None:
        """``refused`` is told the name of a credential and the address that it was refused for."""
        self._database = database
        self._refused = refused
        self._proxies = proxies
        self._lock = Lock()
        self._known: OrderedDict[bytes, tuple[int, Actor]] = OrderedDict()

    def of(self, request: Request, head: Head) -> Actor:
        """The actor of ``request``. Raises Unauthenticated, also where its credential is for other addresses.

        A certificate counts only where no token is given, so that a client can still say which it means.
        """
        found = self._known_or_found(request, head)
        if found.networks and not self._proxies.comes_from(request, found.networks):
            self._refused(found.username, self._proxies.address_of(request))
            raise refusal()
        return found

    def _known_or_found(self, request: Request, head: Head) -> Actor:
        header: str | None = request.environ.get("HTTP_AUTHORIZATION")
        certificate = self._proxies.certificate_of(request) if header is None else None
        # Remembered by a digest: a secret is not kept in memory, and a known header is not parsed again.
        key = CERTIFICATE + certificate if certificate else hashlib.sha256((header or "").encode()).digest()
        known = self._known.get(key)
        if known is not None and known[0] == head.epoch and holds(known[1].good_until):
            return known[1]
        found = self._authenticated(request, certificate)
        with self._lock:
            self._known[key] = (head.epoch, found)
            self._known.move_to_end(key)
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return found

    def _authenticated(self, request: Request, certificate: bytes | None) -> Actor:
        if certificate is not None:
            with self._database.reading() as session:
                return authenticate_certificate(session, certificate)
        username, token = _presented(request)
        with self._database.reading() as session:
            return authenticate(session, token_hash(token), username)


def actor() -> Actor:
    """The actor of this request, as the guard found it."""
    found: Actor = g.actor
    return found


def head() -> Head:
    """The access epoch and newest entry, as this request first saw them."""
    found: Head = g.head
    return found


def _presented(request: Request) -> tuple[str | None, str]:
    """(user name, token); no user name with a bearer token."""
    # Werkzeug stumbles over Basic credentials that are not ASCII, as all credentials are (RFC 9110 section 11.4).
    given = request.authorization if request.headers.get("Authorization", "").isascii() else None
    if given is not None and given.type == "basic" and given.username is not None and given.password:
        username, token = given.username, given.password
    elif given is not None and given.type == "bearer" and given.token:
        username, token = None, given.token
    else:
        raise Unauthenticated("this needs a credential", advice=ADVICE)
    if len(token) > LONGEST_TOKEN:
        raise refusal()
    return username, token
