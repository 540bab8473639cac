"""The TAXII edge."""

from flask import Flask

from hub.taxii import resources, v20

__all__ = ["install"]


def install(app: Flask) -> None:
    """Add the endpoints of both versions."""
    app.register_blueprint(resources.blueprint)
    app.register_blueprint(v20.blueprint)
