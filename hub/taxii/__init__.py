"""The TAXII edge."""

from flask import Flask

from hub.taxii.resources import blueprint

__all__ = ["install"]


def install(app: Flask) -> None:
    """Add the TAXII endpoints."""
    app.register_blueprint(blueprint)
