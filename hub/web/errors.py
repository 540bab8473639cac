"""Errors on the wire: the one status table, and a renderer for each edge."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

import orjson
import structlog
from flask import Flask, Response, current_app, g, request
from werkzeug.exceptions import HTTPException

from hub import errors
from hub.errors import HubError

log = structlog.get_logger(__name__)

STATUS: dict[type[HubError], int] = {
    errors.InvalidInput: 400,
    errors.Unauthenticated: 401,
    errors.NotPermitted: 403,
    errors.NotFound: 404,
    errors.NotAcceptable: 406,
    errors.Conflict: 409,
    errors.TooLarge: 413,
    errors.UnsupportedMedia: 415,
    errors.Unprocessable: 422,
    errors.TooMany: 429,
    errors.IntegrityFailure: 500,
    errors.Unavailable: 503,
}
CHALLENGE = 'Basic realm="hub", charset="UTF-8"'
UNEXPECTED = HubError("something went wrong on our side", advice="Tell the hub the error id; nothing was lost.")
TAXII_21 = "application/taxii+json;version=2.1"
TAXII_20 = "application/vnd.oasis.taxii+json; version=2.0"

Render = Callable[[HubError, int, str], Response]
PAGES = "hub_error_pages"


def install(app: Flask) -> None:
    """Answer every error of ``app`` in the form of the edge that it happened at."""
    app.register_error_handler(HubError, _hub_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)
    app.before_request(_name_request)
    app.after_request(_show_request)


def render_under(app: Flask, prefix: str, render: Render) -> None:
    """Answer the errors under a path by an edge's own page: ``render(error, status, title)``."""
    app.extensions.setdefault(PAGES, {})[prefix] = render


def status_of(error: HubError) -> int:
    """The HTTP status of an error."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


def _name_request() -> None:
    g.request_id = os.urandom(8).hex()


def _show_request(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.get("request_id", "")
    return response


def _hub_error(error: HubError) -> Response:
    status = status_of(error)
    if status >= 500:
        log.error("request failed", error=str(error), kind=type(error).__name__, path=request.path)
    return _render(error, status)


def _http_error(error: HTTPException) -> Response:
    """Werkzeug's own refusals (404, 405, 413 …) in our form, with the headers that belong to them (Allow)."""
    code = error.code or 500
    response = _render(HubError(error.description or error.name), code, title=error.name)
    for name, value in error.get_headers(request.environ):
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    return response


def _unexpected(error: Exception) -> Response:
    log.error("unexpected error", path=request.path, request_id=g.get("request_id"), exc_info=error)
    return _render(UNEXPECTED, 500)


def _render(error: HubError, status: int, title: str | None = None) -> Response:
    response = _renderer()(error, status, title or error.title)
    if status == 401 and response.status_code == 401:
        response.headers["WWW-Authenticate"] = CHALLENGE
    if isinstance(error, errors.TooMany):
        response.headers["Retry-After"] = str(error.retry_after)
    response.headers["Cache-Control"] = "no-store"
    return response


def _renderer() -> Render:
    """The renderer of the edge that was asked."""
    pages: dict[str, Render] = current_app.extensions.get(PAGES, {})
    for prefix, render in pages.items():
        if request.path == prefix or request.path.startswith(f"{prefix}/"):
            return render
    return _taxii if request.path.startswith("/taxii") else _problem


def _taxii(error: HubError, status: int, title: str) -> Response:
    """The TAXII error message (TAXII 2.1 section 3.6.1)."""
    details = {"where": error.where, "advice": error.advice, **_faults(error)}
    body = {
        "title": title,
        "description": str(error),
        "error_id": g.get("request_id", ""),
        "http_status": str(status),
        "details": {name: value for name, value in details.items() if value},
    }
    if not body["details"]:
        del body["details"]
    newer = request.path.startswith("/taxii2")
    return Response(orjson.dumps(body), status, content_type=TAXII_21 if newer else TAXII_20)


def _problem(error: HubError, status: int, title: str) -> Response:
    """A problem document (RFC 9457)."""
    body = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": str(error),
        "instance": g.get("request_id", ""),
        "where": error.where,
        "advice": error.advice,
        **_faults(error),
    }
    shown = {name: value for name, value in body.items() if value}
    return Response(orjson.dumps(shown), status, content_type="application/problem+json")


def _faults(error: HubError) -> Mapping[str, Any]:
    """Several faults of one input, where the error has them."""
    faults = getattr(error, "faults", None)
    return {"faults": [{"where": f.where, "message": f.message} for f in faults]} if faults else {}
