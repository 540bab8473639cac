"""Forms of the console are sent by its own pages only: a token bound to the browser, and Sec-Fetch-Site.

Either check alone would do; both stand, so that one mistake opens nothing.
"""

from __future__ import annotations

import hmac
import secrets
from hashlib import sha256

from flask import Request, Response, g, request

from hub.errors import InvalidInput
from hub.web.services import services

FIELD = "csrf_token"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
OWN_SITE = frozenset({"same-origin", "none"})
ADVICE = "Go back, load the page again and repeat what you did."


def token() -> str:
    """The token for the forms of this request's page: signed, and good in this browser only."""
    return _signed(_browser())


def check(request: Request) -> None:
    """Refuse a change that does not come from a page of the console. Raises InvalidInput."""
    if request.method in SAFE:
        return
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in OWN_SITE:
        raise InvalidInput("this form was sent from another site", advice=ADVICE)
    given = request.form.get(FIELD, "")
    known = request.cookies.get(cookie_name(), "")
    if not known or not hmac.compare_digest(given.encode(), _signed(known).encode()):
        raise InvalidInput("this form is too old, or was sent from another browser", advice=ADVICE)


def renew() -> None:
    """Let the tokens given so far end: at each step of signing in and at its end."""
    g.csrf_cookie = g.csrf_fresh = secrets.token_urlsafe(16)


def keep(response: Response) -> None:
    """Give the browser its half of the token, where it has none yet."""
    fresh = g.get("csrf_fresh")
    if fresh:
        response.set_cookie(
            cookie_name(), fresh, path=cookie_path(), secure=is_https(), httponly=True, samesite="Strict"
        )


def is_https() -> bool:
    """Whether people reach the hub by TLS."""
    return services().settings.base_url.startswith("https://")


def cookie_name() -> str:
    """``__Host-`` where it can be: then no other host under the same domain can set it."""
    return "__Host-hub-form" if is_https() else "hub-form"


def cookie_path() -> str:
    """The path of the console's cookies; ``__Host-`` demands "/"."""
    return "/" if is_https() else "/console"


def _browser() -> str:
    if "csrf_cookie" not in g:
        known = request.cookies.get(cookie_name(), "")
        if known:
            g.csrf_cookie = known
        else:
            renew()
    found: str = g.csrf_cookie
    return found


def _signed(browser: str) -> str:
    return hmac.new(services().vault.derive("csrf"), f"{browser}\0{_session()}".encode(), sha256).hexdigest()


def _session() -> str:
    """The session's id, so that a token ends with it; "" before signing in."""
    held = g.get("browser_session")
    return held.signed_in.session_id if held is not None else ""
