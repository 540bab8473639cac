"""The console's door: who is signed in by the session cookie, and the headers of every page.

An API credential never opens the console, nor a session cookie anything else.
"""

from __future__ import annotations

import secrets

from flask import Flask, Response, g, request

from hub.auth import SignedIn
from hub.errors import Unauthenticated
from hub.members import sessions
from hub.members.sessions import Resolved, Visit
from hub.web import csrf
from hub.web.services import services

PREFIX = "/console"
LONGEST_TOKEN = 128


def install(app: Flask) -> None:
    """Finish every answer under /console."""
    app.after_request(_finish)


def is_console(path: str) -> bool:
    """Whether a path is the console's."""
    return path == PREFIX or path.startswith(f"{PREFIX}/")


def load() -> None:
    """Find this request's session, whole or half, before anything asks for it."""
    g.browser_session = None
    token = request.cookies.get(cookie_name(), "")
    if not token or len(token) > LONGEST_TOKEN:
        return
    parts = services()
    with parts.database.reading() as session:
        try:
            found = sessions.resolve(session, token, parts.settings.console)
        except Unauthenticated:
            return
    g.browser_session = found
    if found.stale:
        with parts.database.unit_of_work() as session:
            sessions.touch(session, found.signed_in.session_id)


def current() -> Resolved | None:
    """The session of this request, also one that waits for its second factor."""
    found: Resolved | None = g.get("browser_session")
    return found


def person() -> SignedIn:
    """Who is signed in. Raises Unauthenticated."""
    found = current()
    if found is None or not found.complete:
        raise Unauthenticated("this page needs you to sign in", advice="Sign in.")
    return found.signed_in


def half_signed_in() -> SignedIn:
    """Who has given the password and not yet the second factor. Raises Unauthenticated."""
    found = current()
    if found is None or found.complete:
        raise Unauthenticated("your sign-in has taken too long", advice="Sign in again.")
    return found.signed_in


def token() -> str:
    """The session's token, as the browser sent it."""
    return request.cookies.get(cookie_name(), "")


def visit() -> Visit:
    """Where this request comes from."""
    address = services().proxies.address_of(request)
    return Visit(address, request.headers.get("User-Agent", ""))


def give(response: Response, fresh: str) -> None:
    """Give the browser a session's token; the tokens of forms begin anew with it."""
    csrf.renew()
    response.set_cookie(
        cookie_name(), fresh, path=csrf.cookie_path(), secure=csrf.is_https(), httponly=True, samesite="Lax"
    )


def take(response: Response) -> None:
    """Take the session's token from the browser."""
    csrf.renew()
    response.delete_cookie(
        cookie_name(), path=csrf.cookie_path(), secure=csrf.is_https(), httponly=True, samesite="Lax"
    )


def cookie_name() -> str:
    """The name of the session's cookie."""
    return "__Host-hub-session" if csrf.is_https() else "hub-session"


def allow_script() -> None:
    """Let this answer's page run the one script that carries its nonce: passkeys cannot do without."""
    g.csp_script = True


def nonce() -> str:
    """This answer's nonce: for a <style> element that a chart needs, and for the script where there is one."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    found: str = g.csp_nonce
    return found


def _finish(response: Response) -> Response:
    if not is_console(request.path):
        return response
    csrf.keep(response)
    headers = response.headers
    script = f" script-src 'nonce-{nonce()}'; require-trusted-types-for 'script';" if g.get("csp_script") else ""
    headers["Content-Security-Policy"] = (
        f"default-src 'none';{script} style-src 'self' 'nonce-{nonce()}'; img-src 'self' data:; form-action 'self';"
        " frame-ancestors 'none'; base-uri 'none'"
    )
    headers["Referrer-Policy"] = "no-referrer"
    headers["X-Frame-Options"] = "DENY"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
    headers.setdefault("Cache-Control", "no-store")
    headers["Vary"] = f"{headers['Vary']}, Cookie" if "Vary" in headers else "Cookie"
    return response
