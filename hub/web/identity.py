"""Who asks: HTTP Basic, a bearer token, or a certificate from a trusted proxy, turned into an Actor.

The access epoch is read on every request; while it stands still, a credential that was good is still good and
is answered from memory. Any change to members, credentials, groups or collections raises the epoch, so a
suspension holds at the next request of every process.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from flask import Request, g

from hub.auth import Actor
from hub.db import Database
from hub.errors import Unauthenticated
from hub.ledger.views import Head
from hub.members.certificates import authenticate_certificate
from hub.members.credentials import ADVICE, authenticate, holds, token_hash
from hub.web.proxies import Proxies

REMEMBERED = 4096
LONGEST_TOKEN = 512
# No user name of HTTP Basic has a colon, so a token's key is never a certificate's.
CERTIFICATE = "certificate:"


class Identities:
    """Authenticates the requests of one process."""

    def __init__(self, database: Database, proxies: Proxies) -> None:
        self._database = database
        self._proxies = proxies
        self._lock = Lock()
        self._known: OrderedDict[tuple[bytes, str | None], tuple[int, Actor]] = OrderedDict()

    def of(self, request: Request, head: Head) -> Actor:
        """The actor of ``request``. Raises Unauthenticated.

        A certificate counts only where no token is given, so that a client can still say which it means.
        """
        certificate = None
        if "Authorization" not in request.headers:
            certificate = self._proxies.certificate_of(request)
        if certificate is not None:
            key: tuple[bytes, str | None] = (certificate, CERTIFICATE)
        else:
            username, token = _presented(request)
            key = (token_hash(token), username)
        known = self._known.get(key)
        if known is not None and known[0] == head.epoch and holds(known[1].expires_at):
            return known[1]
        with self._database.reading() as session:
            found = (
                authenticate(session, *key) if certificate is None else authenticate_certificate(session, certificate)
            )
        with self._lock:
            self._known[key] = (head.epoch, found)
            self._known.move_to_end(key)
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return found


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
    given = request.authorization
    if given is not None and given.type == "basic" and given.username is not None and given.password:
        username, token = given.username, given.password
    elif given is not None and given.type == "bearer" and given.token:
        username, token = None, given.token
    else:
        raise Unauthenticated("this needs a credential", advice=ADVICE)
    if len(token) > LONGEST_TOKEN:
        raise Unauthenticated("the credential is missing, unknown, expired or not active", advice=ADVICE)
    return username, token
