"""The JSON API edge."""

from functools import partial

from flask import Flask
from flask_smorest import Api

from hub.api import checks, docs, filings, indicators, notices, precheck, reports, sightings, submissions
from hub.web import PUBLIC, allow

__all__ = ["install"]


def install(app: Flask) -> None:
    """Add the JSON API and its OpenAPI description."""
    app.config.update(
        API_TITLE="Fraud and Cyber Threat Hub",
        API_VERSION="1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/api",
        OPENAPI_JSON_PATH="openapi.json",
    )
    api = Api(app)
    for room in (checks, filings, indicators, notices, precheck, reports, sightings, submissions):
        api.register_blueprint(room.blueprint)
    app.register_blueprint(docs.blueprint_for(api))
    credentials = {
        "basic": {"type": "http", "scheme": "basic"},
        "bearer": {"type": "http", "scheme": "bearer"},
    }
    for name, scheme in credentials.items():
        api.spec.components.security_scheme(name, scheme)
    described = "api-docs.openapi_json"
    app.view_functions[described] = allow(PUBLIC)(partial(app.view_functions[described]))
