"""The API's description as a page for people: no script, no style sheet, nothing from elsewhere."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response
from flask_smorest import Api
from markupsafe import Markup, escape

from hub.web import PUBLIC, allow

METHODS = ("get", "post", "put", "patch", "delete")
PAGE = Markup(
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
    '<meta name="viewport" content="width=device-width"></head><body><h1>{title}</h1>'
    "<p>Credentials: HTTP Basic (user name and token) or <code>Authorization: Bearer</code>. Errors are problem"
    ' documents (RFC 9457). The whole description: <a href="/api/openapi.json">openapi.json</a>.</p>{operations}'
    "</body></html>"
)
OPERATION = Markup(
    "<section><h2><code>{method} {path}</code></h2><p>{summary}</p>{parameters}"
    "<h3>Body</h3><p>{body}</p><h3>Answers</h3><ul>{answers}</ul></section>"
)
POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"


def blueprint_for(api: Api) -> Blueprint:
    """The page of ``api``, made anew from its description at each request."""
    blueprint = Blueprint("api-page", __name__)

    @blueprint.get("/api/docs")
    @allow(PUBLIC)
    def docs() -> Response:
        """Every operation with its parameters, body and answers."""
        described = api.spec.to_dict()
        found = [
            (method, path, operations[method])
            for path, operations in sorted(described["paths"].items())
            for method in METHODS
            if method in operations
        ]
        page = PAGE.format(title=described["info"]["title"], operations=Markup("").join(_operation(*o) for o in found))
        return Response(page, content_type="text/html; charset=utf-8", headers={"Content-Security-Policy": POLICY})

    return blueprint


def _operation(method: str, path: str, operation: dict[str, Any]) -> Markup:
    named = [f"{one['name']} ({one['in']}): {one.get('description', '')}" for one in operation.get("parameters", [])]
    parameters = Markup("<h3>Parameters</h3><ul>{}</ul>").format(_entries(named)) if named else Markup("")
    body = operation.get("requestBody", {})
    answers = [f"{status}: {answer.get('description', '')}" for status, answer in operation["responses"].items()]
    return OPERATION.format(
        method=method.upper(),
        path=path,
        summary=operation.get("summary", ""),
        parameters=parameters,
        body=f"{', '.join(body.get('content', {}))} {body.get('description', '')}".strip() or "none",
        answers=_entries(answers),
    )


def _entries(texts: list[str]) -> Markup:
    return Markup("").join(Markup("<li>{}</li>").format(escape(text)) for text in texts)
