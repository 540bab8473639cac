"""What every page of the console stands on: rendering, forms, notices, who is signed in."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Flask, Response, current_app, g, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from hub import clock
from hub.auth import SignedIn
from hub.console.navigation import links
from hub.errors import Conflict, HubError, InvalidInput
from hub.members import sessions
from hub.members.invitations import Post
from hub.web import browser, csrf
from hub.web.browser import person
from hub.web.guard import PUBLIC, allow
from hub.web.services import services

__all__ = [
    "Form", "blueprint", "dress", "error_page", "not_ours", "page", "person", "post", "reading", "redirect_on",
    "redirect_to", "say", "unit_of_work",
]  # fmt: skip

blueprint = Blueprint("console", __name__, url_prefix="/console", template_folder="templates")
STYLESHEET = "console_stylesheet"
STYLESHEET_PATH = "/console/static/console.css"
LONGEST_LINE = 200
LONGEST_TEXT = 10_000
GENERIC = "This is not valid"


class Form:
    """What a form sent, or begins with, and what is wrong with it: ``errors`` by field, "" for the form as a whole."""

    def __init__(self, **values: Any) -> None:
        sent = request.form if request.method == "POST" else {}
        self.values: dict[str, str] = {
            name: str(value) for name, value in values.items() if not isinstance(value, list)
        }
        self._lists = {name: list(map(str, value)) for name, value in values.items() if isinstance(value, list)}
        self.values.update({name: str(sent[name]) for name in sent})
        if request.method == "POST":
            self._lists = {name: request.form.getlist(name) for name in sent}
        self.errors: dict[str, str] = {}

    def text(self, name: str, missing: str = "", most: int = LONGEST_LINE) -> str:
        """A field without the white space around it; ``missing`` is the error where it is empty, "" allows that."""
        value = self.values.get(name, "").strip()
        if not value and missing:
            self.refuse(name, missing)
        if len(value) > most:
            self.refuse(name, f"Must be {most} characters or fewer")
        if "\0" in value:
            self.refuse(name, GENERIC)
        return value

    def long_text(self, name: str, missing: str = "") -> str:
        """As ``text``, for a text area."""
        return self.text(name, missing, LONGEST_TEXT)

    def secret(self, name: str, missing: str = "") -> str:
        """A field exactly as it was sent."""
        value = self.values.get(name, "")
        if not value and missing:
            self.refuse(name, missing)
        return value

    def choice(self, name: str, allowed: dict[str, str] | list[str], missing: str) -> str:
        """One of ``allowed``; anything else is the error ``missing``."""
        value = self.values.get(name, "")
        if value not in allowed:
            self.refuse(name, missing)
        return value

    def chosen(self, name: str) -> list[str]:
        """Every value of a field that can have several (checkboxes)."""
        return self._lists.get(name) or ([self.values[name]] if name in self.values else [])

    def upload(self, name: str, missing: str = "") -> FileStorage | None:
        """An uploaded file, None without one."""
        file = request.files.get(name)
        if file is None or not file.filename:
            if missing:
                self.refuse(name, missing)
            return None
        return file

    def refuse(self, name: str, message: str) -> None:
        """Say what is wrong with a field; the first word on it stays."""
        self.errors.setdefault(name, message)

    @contextmanager
    def catching(self) -> Iterator[None]:
        """Turn a use case's InvalidInput or Conflict into an error of the field that its ``where`` names.

        Open it around the unit of work, so that what was begun is rolled back.
        """
        try:
            yield
        except (InvalidInput, Conflict) as error:
            text = error.message[:1].upper() + error.message[1:]
            where = error.where if error.where in self.values or error.where in request.files else ""
            self.refuse(where or "", text)


def page(template: str, title: str, *, back: str = "", status: int = 0, **values: Any) -> Response:
    """A page of ``templates/console``; it answers 400 where its ``form`` has errors. ``back`` is an address."""
    held = browser.current()
    signed_in = held.signed_in if held is not None and held.complete else None
    form = values.setdefault("form", Form())
    text = render_template(
        f"console/{template}",
        title=title,
        back=back,
        signed_in=signed_in,
        navigation=links(signed_in, request.path) if signed_in else [],
        notice=_notice() if held is not None else "",
        csrf_token=csrf.token(),
        nonce=browser.nonce(),
        service_name=services().settings.identity.name,
        stylesheet=current_app.extensions[STYLESHEET],
        **values,
    )
    return Response(text, status or (400 if form.errors else 200), content_type="text/html; charset=utf-8")


def redirect_to(endpoint: str, **values: Any) -> Response:
    """Go on to another page of the console after a change (303)."""
    found = redirect(url_for(endpoint, **values), 303)
    assert isinstance(found, Response)
    return found


def redirect_on(path: str) -> Response:
    """Go on to ``path`` where it is a page of the console, else to the overview (303)."""
    found = redirect(url_for("console.home") if not_ours(path) else path, 303)
    assert isinstance(found, Response)
    return found


def say(notice: str) -> None:
    """Show ``notice`` on the next page, once, as a success."""
    with unit_of_work() as session:
        sessions.set_notice(session, person().session_id, notice)


def reading() -> AbstractContextManager[Session]:
    """A session that reads."""
    return services().database.reading()


def unit_of_work() -> AbstractContextManager[Session]:
    """A session that writes, in one transaction."""
    return services().database.unit_of_work()


def post() -> Post:
    """What sending a message to a person needs."""
    return Post(services().vault, services().settings)


def not_ours(path: str) -> bool:
    """Whether a path to go on to is none of the console's own pages."""
    climbs = ".." in path.lower().replace("%2e", ".")
    return not path.startswith("/console/") or climbs or "\\" in path or "//" in path or not path.isprintable()


def error_page(error: HubError, status: int, title: str) -> Response:
    """The console's error page; who is not signed in is led to the sign-in page and back."""
    if "browser_session" not in g:
        with suppress(HubError):  # while the database cannot be reached, the page still says so
            browser.load()
    if status == 401:
        here = request.full_path.rstrip("?") if request.method == "GET" else ""
        onward = "" if not here or not_ours(here) else f"?next={quote(here, safe='/')}"
        return Response(status=303, headers={"Location": url_for("console.sign_in") + onward})
    return page("error.html", title, status=status, error=error, request_id=g.get("request_id", ""))


def dress(app: Flask, stylesheet: bytes) -> None:
    """Serve the style sheet for good, and teach the templates to write times."""
    digest = hashlib.sha256(stylesheet).hexdigest()[:16]
    app.extensions[STYLESHEET] = f"{STYLESHEET_PATH}?v={digest}"
    app.jinja_env.filters["time"] = spoken_time
    app.jinja_env.filters["date"] = spoken_date
    app.jinja_env.filters["machine_time"] = clock.timestamp

    @app.get(STYLESHEET_PATH, endpoint="console.stylesheet")
    @allow(PUBLIC)
    def console_stylesheet() -> Response:
        """The style sheet; its address changes with its content."""
        kept = {"Cache-Control": "public, max-age=31536000, immutable"}
        return Response(stylesheet, content_type="text/css; charset=utf-8", headers=kept)


def spoken_time(us: int) -> str:
    """Microseconds as "22 November 2026, 06:50 UTC"."""
    return datetime.fromtimestamp(us // 1_000_000, UTC).strftime("%-d %B %Y, %H:%M UTC")


def spoken_date(us: int) -> str:
    """Microseconds as "22 November 2026"."""
    return datetime.fromtimestamp(us // 1_000_000, UTC).strftime("%-d %B %Y")


def _notice() -> str:
    """What the last change has to say, once."""
    held = browser.current()
    if held is None or not held.notice or request.method != "GET":
        return ""
    with unit_of_work() as session:
        sessions.set_notice(session, held.signed_in.session_id, "")
    return held.notice


def signed_in() -> SignedIn | None:
    """Who is signed in, None for a visitor."""
    held = browser.current()
    return held.signed_in if held is not None and held.complete else None
