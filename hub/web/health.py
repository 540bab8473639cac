"""Alive, and ready."""

from __future__ import annotations

from flask import Blueprint, Flask

from hub import clock
from hub.web.guard import PUBLIC, allow
from hub.web.services import services

blueprint = Blueprint("health", __name__)


def install(app: Flask) -> None:
    """Add the health endpoints."""
    app.register_blueprint(blueprint)


@blueprint.get("/healthz")
@allow(PUBLIC)
def alive() -> dict[str, str]:
    """The process answers."""
    return {"status": "alive"}


@blueprint.get("/readyz")
@allow(PUBLIC)
def ready() -> dict[str, object]:
    """The database answers; ``oldest_waiting_seconds`` is how long the oldest submission has waited for a worker."""
    database = services().database
    services().views.head()
    ((oldest,),) = database.select("SELECT MIN(received_at) FROM submission WHERE state = 'pending'")
    waited = 0.0 if oldest is None else (clock.micros() - oldest) / 1_000_000
    return {"status": "ready", "oldest_waiting_seconds": round(waited, 3)}
